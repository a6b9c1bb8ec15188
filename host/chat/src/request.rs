//! A request, as every room but `dialect` sees it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::segment::{Place, Segment, SegmentId, member, put, rename};
use crate::turn::{AnswerForm, Arguments, CacheMark, Tool, ToolChoice, Turn};

/// Whose wire format something came in or goes out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `POST /v1/chat/completions`.
    OpenAiChat,
    /// `POST /v1/messages`.
    AnthropicMessages,
    /// `POST /v1/embeddings`.
    OpenAiEmbeddings,
    /// `POST /v1/responses`.
    OpenAiResponses,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Dialect; 4] = [
        Dialect::OpenAiChat,
        Dialect::AnthropicMessages,
        Dialect::OpenAiEmbeddings,
        Dialect::OpenAiResponses,
    ];

    /// Those that a target speaks as a whole: what the configuration calls its kind.
    pub const TARGETS: [Dialect; 2] = [Dialect::OpenAiChat, Dialect::AnthropicMessages];

    /// The name that policies, records and the configuration use.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "openai-chat",
            Dialect::AnthropicMessages => "anthropic-messages",
            Dialect::OpenAiEmbeddings => "openai-embeddings",
            Dialect::OpenAiResponses => "openai-responses",
        }
    }
}

/// What a request asks of a target beyond text in and text out. Each changes what
/// the answer means, so a target without it cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Declared tools, tool calls or tool results.
    Tools,
    /// Images as input.
    Images,
    /// Audio as input or output.
    Audio,
    /// Files as input.
    Files,
    /// An answer that is a JSON object.
    JsonObject,
    /// An answer that fits a schema.
    JsonSchema,
    /// Log probabilities of tokens.
    Logprobs,
    /// More than one choice.
    Choices,
    /// Biases on single tokens.
    LogitBias,
    /// Tools that the provider itself runs, which reach out of the fence.
    HostedTools,
    /// Content of a kind that the house does not know, which only the same dialect carries.
    UnknownContent,
    /// Vectors of texts, and no answer to them.
    Embeddings,
}

impl Capability {
    /// Every capability, in order.
    pub const ALL: [Capability; 12] = [
        Capability::Tools,
        Capability::Images,
        Capability::Audio,
        Capability::Files,
        Capability::JsonObject,
        Capability::JsonSchema,
        Capability::Logprobs,
        Capability::Choices,
        Capability::LogitBias,
        Capability::HostedTools,
        Capability::UnknownContent,
        Capability::Embeddings,
    ];

    /// The name that policies, errors and the configuration use.
    pub fn name(self) -> &'static str {
        match self {
            Capability::Tools => "tools",
            Capability::Images => "images",
            Capability::Audio => "audio",
            Capability::Files => "files",
            Capability::JsonObject => "json-object",
            Capability::JsonSchema => "json-schema",
            Capability::Logprobs => "logprobs",
            Capability::Choices => "choices",
            Capability::LogitBias => "logit-bias",
            Capability::HostedTools => "hosted-tools",
            Capability::UnknownContent => "unknown-content",
            Capability::Embeddings => "embeddings",
        }
    }

    /// The capability of that name.
    pub fn from_name(name: &str) -> Option<Capability> {
        Capability::ALL.into_iter().find(|capability| capability.name() == name)
    }
}

/// A chat request.
///
/// Cloning is cheap: text and JSON are shared until [`Request::with_texts`] changes them.
#[derive(Clone)]
pub struct Request {
    /// The id that the client sees in `x-request-id`.
    pub id: String,
    /// The dialect it came in.
    pub dialect: Dialect,
    /// The model name that the client asked for.
    pub model: String,
    /// True when the client wants a stream.
    pub streamed: bool,
    /// True when the client wants a usage chunk at the end of a stream.
    pub wants_usage: bool,
    /// The conversation, as ids of segments.
    pub turns: Vec<Turn>,
    /// Declared tools, as ids of segments.
    pub tools: Vec<Tool>,
    /// Which of them the model may call; absent means the target's own default.
    pub tool_choice: Option<ToolChoice>,
    /// Whether the model may call several at once; absent means the target's own default.
    pub parallel_tool_calls: Option<bool>,
    /// The form that the answer must have; absent means text.
    pub form: Option<AnswerForm>,
    /// How to generate.
    pub sampling: Sampling,
    /// How vectors shall be, where it asks for some.
    pub vectors: VectorForm,
    /// Marks for the provider's prompt cache.
    pub cache_marks: Vec<CacheMark>,
    /// Headers that go on, byte for byte, to targets of the same dialect.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// What a target must be able to do; sorted, without repetition.
    pub needs: Vec<Capability>,
    /// Names of parameters in use that a target may ignore without changing what
    /// the answer means (`seed`, `user`, unknown fields, ...); sorted.
    pub optional: Vec<String>,
    /// Estimated tokens of the whole prompt.
    pub input_tokens: u32,
    segments: Arc<Vec<Segment>>,
    /// Segments that nobody may change.
    sealed: Arc<BTreeSet<SegmentId>>,
    body: Arc<Value>,
}

/// How to generate. Absent means the target's own default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: Option<f32>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<f32>,
    /// Tokens at most.
    pub max_tokens: Option<u32>,
    /// Texts that end the answer.
    pub stop: Vec<SegmentId>,
    /// Same seed, same text, where the target can.
    pub seed: Option<i64>,
    /// Number of choices; 1 unless asked.
    pub choices: u32,
}

/// How vectors shall be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VectorForm {
    /// Numbers of each; absent means as many as the model makes.
    pub dimensions: Option<u32>,
    /// Whether they are written as 32-bit floats in base64:
    /// [`Vector::Packed`](crate::Vector::Packed).
    pub packed: bool,
}

impl Request {
    /// An empty request of `dialect` around its JSON. The decoder fills the public
    /// fields.
    pub fn new(id: String, dialect: Dialect, body: Value, segments: Vec<Segment>) -> Request {
        Request {
            id,
            dialect,
            model: String::new(),
            streamed: false,
            wants_usage: false,
            turns: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            form: None,
            cache_marks: Vec::new(),
            headers: Vec::new(),
            sampling: Sampling { choices: 1, ..Sampling::default() },
            vectors: VectorForm::default(),
            needs: Vec::new(),
            optional: Vec::new(),
            input_tokens: 0,
            segments: Arc::new(segments),
            sealed: Arc::default(),
            body: Arc::new(body),
        }
    }

    /// Whether it asks for vectors of its texts, one for each turn, and for no answer.
    pub fn embeds(&self) -> bool {
        self.needs.contains(&Capability::Embeddings)
    }

    /// Every string of the request.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The text of one segment; empty for an id of another request.
    pub fn text(&self, id: SegmentId) -> &str {
        self.segments.get(id.index()).map_or("", |segment| segment.text.as_str())
    }

    /// The arguments of a tool call, as JSON in a string.
    pub fn arguments(&self, arguments: &Arguments) -> Cow<'_, str> {
        match arguments {
            Arguments::Text(id) => Cow::Borrowed(self.text(*id)),
            Arguments::Json(pointer) => {
                Cow::Owned(self.body.pointer(pointer).map(Value::to_string).unwrap_or_default())
            }
        }
    }

    /// The mark for the prompt cache on the part that this segment stands for.
    pub fn cache_mark(&self, id: SegmentId) -> Option<&CacheMark> {
        self.cache_marks.iter().find(|mark| mark.on == id)
    }

    /// Says that these segments are signed by whoever issued them: with another text
    /// they would be worth nothing, so [`Request::with_texts`] refuses to change them.
    pub fn seal(&mut self, ids: impl IntoIterator<Item = SegmentId>) {
        Arc::make_mut(&mut self.sealed).extend(ids);
    }

    /// The JSON in the dialect it came in.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The JSON, without a copy when this is its last owner.
    pub fn into_body(self) -> Value {
        Arc::unwrap_or_clone(self.body)
    }

    /// Says that no detector could read these segments, so that the floor counts them
    /// as unreadable.
    pub fn mark_unreadable(&mut self, ids: impl IntoIterator<Item = SegmentId>) {
        for id in ids {
            if let Some(segment) = Arc::make_mut(&mut self.segments).get_mut(id.index()) {
                segment.readable = false;
            }
        }
    }

    /// The same request with other texts in some segments, in the JSON as well.
    ///
    /// # Errors
    /// The id of the first segment that cannot be changed: unknown, sealed, not where
    /// it should stand, or a key whose new name a sibling has.
    pub fn with_texts(
        &self,
        texts: impl IntoIterator<Item = (SegmentId, String)>,
    ) -> Result<Request, SegmentId> {
        let mut changed = self.clone();
        let mut keys = Vec::new();
        for (id, text) in texts {
            let segments = Arc::make_mut(&mut changed.segments);
            let segment = segments.get_mut(id.index()).ok_or(id)?;
            if changed.sealed.contains(&id) && segment.text != text {
                return Err(id);
            }
            segment.text = text;
            match &segment.place {
                Place::Key(_) => keys.push(id),
                Place::Value(pointer) => {
                    if !put(Arc::make_mut(&mut changed.body), pointer, &segment.text) {
                        return Err(id);
                    }
                }
            }
        }
        changed.rename(&keys)?;
        Ok(changed)
    }

    /// Renames the members that these segments name: all of one object at once, and the
    /// deepest objects first, since renaming a member moves what is below it.
    fn rename(&mut self, keys: &[SegmentId]) -> Result<(), SegmentId> {
        /// By depth and pointer: the first segment of an object, and its new names.
        type Objects<'a> =
            BTreeMap<(Reverse<usize>, &'a str), (SegmentId, HashMap<String, &'a str>)>;
        let mut objects = Objects::new();
        for &id in keys {
            let segment = &self.segments[id.index()];
            let (parent, key) = member(segment.place.pointer()).ok_or(id)?;
            let depth = Reverse(parent.matches('/').count());
            let (_, names) = objects.entry((depth, parent)).or_insert((id, HashMap::new()));
            names.insert(key, &segment.text);
        }
        if objects.is_empty() {
            // The body is shared with the client's request until something in it changes.
            return Ok(());
        }
        let body = Arc::make_mut(&mut self.body);
        for ((_, parent), (id, names)) in &objects {
            if !rename(body, parent, names) {
                return Err(*id);
            }
        }
        Ok(())
    }
}

/// Shows shapes and never text.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("dialect", &self.dialect)
            .field("streamed", &self.streamed)
            .field("turns", &self.turns.len())
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
