//! Reading keys of a JSON object whose author was another program.

use serde_json::{Map, Value};

/// An object's keys. A null counts as absent; a value of another type is an error
/// that names the key.
pub(crate) struct Keys<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Keys<'a> {
    pub(crate) fn present(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    pub(crate) fn is_null(&self, key: &str) -> bool {
        matches!(self.0.get(key), Some(Value::Null))
    }

    pub(crate) fn size(&self, key: &str) -> Result<Option<usize>, String> {
        self.read(key, "a whole number", |value| {
            value.as_u64().and_then(|value| usize::try_from(value).ok())
        })
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>, String> {
        self.read(key, "a number", Value::as_f64)
    }

    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        self.read(key, "true or false", Value::as_bool)
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, String> {
        self.read(key, "a string", Value::as_str)
    }

    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>, String> {
        self.read(key, "a list of strings", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    pub(crate) fn sizes(&self, key: &str) -> Result<Option<Vec<usize>>, String> {
        self.read(key, "a list of whole numbers", |value| {
            let sizes = value.as_array()?.iter();
            sizes.map(|size| size.as_u64().and_then(|size| usize::try_from(size).ok())).collect()
        })
    }

    pub(crate) fn object(&self, key: &str) -> Result<Option<Keys<'a>>, String> {
        self.read(key, "an object", |value| value.as_object().map(Keys))
    }

    /// Ids of tokens: one, or a list.
    pub(crate) fn tokens(&self, key: &str) -> Result<Option<Vec<u32>>, String> {
        let id = |value: &Value| value.as_u64().and_then(|value| u32::try_from(value).ok());
        self.read(key, "a token or a list of tokens", |value| match value {
            Value::Array(values) => values.iter().map(id).collect(),
            value => id(value).map(|id| vec![id]),
        })
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn read<T>(
        &self,
        key: &str,
        what: &str,
        as_type: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => {
                as_type(value).map(Some).ok_or_else(|| format!("has `{key}`, but not as {what}"))
            }
        }
    }
}
