//! JSON in the order in which it was written.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectExt};
use serde_json::Map;

/// A JSON object whose members keep their order when a template prints or loops over
/// them, as they do in Python.
#[derive(Debug)]
pub(super) struct Ordered(Map<String, serde_json::Value>);

impl Ordered {
    /// A template's value of any JSON.
    pub(super) fn value(json: &serde_json::Value) -> Value {
        match json {
            serde_json::Value::Object(map) => Value::from_object(Ordered(map.clone())),
            serde_json::Value::Array(list) => list.iter().map(Ordered::value).collect(),
            serde_json::Value::String(text) => Value::from(text.as_str()),
            serde_json::Value::Bool(flag) => Value::from(*flag),
            serde_json::Value::Null => Value::from(()),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Value::from(number),
                (None, Some(number)) => Value::from(number),
                (None, None) => Value::from(number.as_f64()),
            },
        }
    }
}

impl Object for Ordered {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).map(Ordered::value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_enumerator(|this| Box::new(this.0.keys().map(|key| Value::from(key.as_str()))))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }
}
