//! A walk over a request's JSON that makes a segment of every string.

use ringfence_chat::{Kind, Place, Role, Segment, SegmentId};
use serde_json::{Number, Value};

use crate::fault::Malformed;
use crate::vocabulary::{SCHEMA_KEYS, SCHEMA_TYPES, is_word};

/// Segments of one request at most. A coding agent's long session has some thousands.
pub const SEGMENTS: usize = 100_000;

/// Numbers with so many digits are segments: an account, a telephone, a card.
pub const NUMBER_DIGITS: usize = 7;

/// Bytes of all segments' places and tools' names at most. Each segment bears its own,
/// so a long name above many strings would take a multiple of the body.
pub const PLACE_BYTES: usize = 32 << 20;

/// Where a walk is and what it found.
///
/// Every value is visited exactly once, by a method that knows what stands there or
/// by [`Walk::rest`], which takes all strings and keys below it.
pub(crate) struct Walk {
    segments: Vec<Segment>,
    /// Bytes of their places and tools so far.
    place_bytes: usize,
    /// JSON pointer of the value in hand.
    pointer: String,
    /// The message in hand; the number of messages outside them.
    pub turn: u32,
    /// Who speaks there.
    pub role: Role,
    /// True below a block that is marked for the provider's cache.
    pub cached: bool,
    /// The tool that a call or a result belongs to.
    pub tool: Option<String>,
    /// False below content of a kind that nobody here knows.
    pub readable: bool,
}

impl Walk {
    pub fn new(turn: u32) -> Walk {
        Walk {
            segments: Vec::new(),
            place_bytes: 0,
            pointer: String::new(),
            turn,
            role: Role::System,
            cached: false,
            tool: None,
            readable: true,
        }
    }

    pub fn into_segments(self) -> Vec<Segment> {
        self.segments
    }

    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The JSON pointer of the value in hand.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Goes down to the member or item `name` and comes back.
    pub fn at<T>(&mut self, name: impl AsRef<str>, visit: impl FnOnce(&mut Walk) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        for letter in name.as_ref().chars() {
            match letter {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                other => self.pointer.push(other),
            }
        }
        let result = visit(self);
        self.pointer.truncate(length);
        result
    }

    /// The same for an item of a list.
    pub fn item<T>(&mut self, index: usize, visit: impl FnOnce(&mut Walk) -> T) -> T {
        self.at(index.to_string(), visit)
    }

    /// A failure at the value in hand.
    pub fn wrong(&self, message: &'static str) -> Malformed {
        Malformed { message: message.into(), param: Some(param(&self.pointer)) }
    }

    /// Makes a segment of the string in hand.
    pub fn text(&mut self, text: &str, kind: Kind) -> Result<SegmentId, Malformed> {
        self.segment(Place::Value(self.pointer.clone()), text, kind)
    }

    /// Makes a segment of the string in hand, for content that no detector can read.
    pub fn attachment(
        &mut self,
        text: &str,
        media_type: Option<String>,
    ) -> Result<SegmentId, Malformed> {
        let id = self.text(text, Kind::Attachment)?;
        if let Some(segment) = self.segments.last_mut() {
            segment.media_type = media_type;
            segment.readable = false;
        }
        Ok(id)
    }

    /// Makes a segment of the string in hand unless it is a word on `list`.
    pub fn word(&mut self, value: &Value, list: &[&str], kind: Kind) -> Result<(), Malformed> {
        match value {
            Value::String(word) if is_word(list, word) => Ok(()),
            other => self.rest(other, kind),
        }
    }

    /// Makes segments of all strings and keys at and below the value in hand.
    pub fn rest(&mut self, value: &Value, kind: Kind) -> Result<(), Malformed> {
        match value {
            Value::String(text) => self.some(text, kind),
            Value::Array(items) => (items.iter().enumerate())
                .try_for_each(|(index, item)| self.item(index, |walk| walk.rest(item, kind))),
            Value::Object(map) => {
                map.iter().try_for_each(|(key, value)| self.unknown(key, value, kind))
            }
            // An account number without quotes is one all the same.
            Value::Number(number) => match digits(number) {
                Some(text) => self.text(&text, kind).map(drop),
                None => Ok(()),
            },
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    /// The member `key`, which nobody here knows: its name and everything below it.
    pub fn unknown(&mut self, key: &str, value: &Value, kind: Kind) -> Result<(), Malformed> {
        self.at(key, |walk| walk.named(key, value, kind))
    }

    /// The same for the member in hand.
    pub fn named(&mut self, key: &str, value: &Value, kind: Kind) -> Result<(), Malformed> {
        self.key(key, kind)?;
        self.rest(value, kind)
    }

    /// A JSON Schema: every string and key but the words that the standard defines.
    pub fn schema(&mut self, value: &Value, kind: Kind) -> Result<(), Malformed> {
        match value {
            Value::Object(map) => map.iter().try_for_each(|(key, value)| {
                self.at(key, |walk| {
                    if !is_word(SCHEMA_KEYS, key) {
                        walk.key(key, kind)?;
                    }
                    match value {
                        Value::String(_) if key == "type" => walk.word(value, SCHEMA_TYPES, kind),
                        Value::Array(types) if key == "type" => (types.iter().enumerate())
                            .try_for_each(|(index, one)| {
                                walk.item(index, |walk| walk.word(one, SCHEMA_TYPES, kind))
                            }),
                        other => walk.schema(other, kind),
                    }
                })
            }),
            Value::Array(items) => (items.iter().enumerate())
                .try_for_each(|(index, item)| self.item(index, |walk| walk.schema(item, kind))),
            other => self.rest(other, kind),
        }
    }

    /// An empty string holds nothing.
    fn some(&mut self, text: &str, kind: Kind) -> Result<(), Malformed> {
        if text.is_empty() { Ok(()) } else { self.text(text, kind).map(drop) }
    }

    fn key(&mut self, key: &str, kind: Kind) -> Result<(), Malformed> {
        if key.is_empty() {
            return Ok(());
        }
        self.segment(Place::Key(self.pointer.clone()), key, kind).map(drop)
    }

    fn segment(&mut self, place: Place, text: &str, kind: Kind) -> Result<SegmentId, Malformed> {
        let index = self.segments.len();
        if index >= SEGMENTS {
            return Err(Malformed::new("the request holds too many strings"));
        }
        self.place_bytes += self.pointer.len() + self.tool.as_ref().map_or(0, String::len);
        if self.place_bytes > PLACE_BYTES {
            return Err(Malformed::new("the names in the request are too long"));
        }
        let id = SegmentId(u32::try_from(index).unwrap_or(u32::MAX));
        self.segments.push(Segment {
            id,
            turn: self.turn,
            role: self.role,
            kind,
            place,
            tool: self.tool.clone(),
            media_type: None,
            readable: self.readable,
            cached: self.cached,
            text: text.to_owned(),
        });
        Ok(id)
    }
}

/// A number that is long enough to name somebody or something, as a person writes it.
fn digits(number: &Number) -> Option<String> {
    // Whole numbers up to here are exact, and `4111111111111111.0` is a card too.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let text = match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => {
            format!("{float:.0}")
        }
        _ => number.to_string(),
    };
    (text.bytes().filter(u8::is_ascii_digit).count() >= NUMBER_DIGITS).then_some(text)
}

/// A JSON pointer as clients write it: `/messages/0/content` is `messages[0].content`.
pub(crate) fn param(pointer: &str) -> String {
    let mut text = String::with_capacity(pointer.len());
    for name in pointer.split('/').skip(1) {
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push('[');
            text.push_str(name);
            text.push(']');
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(name);
        }
    }
    text
}
