//! JSON objects, written without a copy of what they hold.

use serde::Serialize;
use serde_json::Value;

/// Writes an object member by member, so that a body of many megabytes is not copied
/// for the sake of one field.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl ObjectWriter<'_> {
    /// Begins an object at the end of `out`.
    pub fn begin(out: &mut Vec<u8>) -> ObjectWriter<'_> {
        out.push(b'{');
        ObjectWriter { out, first: true }
    }

    /// Adds a member, whose name must be new.
    pub fn add(&mut self, name: &str, value: &impl Serialize) {
        self.name(name);
        self.write(value);
    }

    /// Adds a member whose value `write` writes.
    pub fn add_with(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.name(name);
        write(self.out);
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.write(&Value::from(name));
        self.out.push(b':');
    }

    fn write(&mut self, value: &impl Serialize) {
        if serde_json::to_writer(&mut *self.out, value).is_err() {
            unreachable!("a value with string keys is written to memory");
        }
    }

    /// Ends the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}
