//! Chat templates: messages to the text that a model was trained on.
//!
//! The environment is that of the reference: blocks are trimmed, loops have `break` and
//! `continue`, `tojson` writes what Python's `json.dumps` writes, values print as in
//! Python, and Python's methods of strings, lists and dictionaries are there.

mod calendar;
mod ordered;
mod python;

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value};
use regex::Regex;
use serde_json::Map;

use crate::fault::LocalError;
use crate::files::ModelFiles;
use ordered::Ordered;

/// A model's chat template, compiled.
pub(crate) struct Template {
    environment: Environment<'static>,
    /// Names of special tokens and their texts, as templates use them.
    specials: Vec<(String, String)>,
}

/// One message, as templates see it.
#[derive(Clone, PartialEq)]
pub(crate) struct Message {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// All of its text.
    pub content: String,
    /// The reasoning of an earlier turn, for templates that know it.
    pub reasoning: Option<String>,
}

/// The template does not accept these messages. Carries nothing of what the template
/// says: it may repeat the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAccepted;

/// The name under which the one template of an environment is kept.
const NAME: &str = "chat";

impl Template {
    /// The file of the newer layout.
    pub(crate) const FILE: &'static str = "chat_template.jinja";
    /// The folder of further templates.
    const FURTHER: &'static str = "additional_chat_templates/default.jinja";
    /// The file of the older layout.
    pub(crate) const SETTINGS: &'static str = "tokenizer_config.json";

    /// Finds the template: `chat_template.jinja`, then the further ones, then
    /// `tokenizer_config.json` (a string, or a list of named ones).
    ///
    /// # Errors
    /// [`LocalError::Model`]: there is none, or it does not parse.
    pub(crate) fn read(files: &ModelFiles) -> Result<Template, LocalError> {
        let settings = files.json(Self::SETTINGS)?.unwrap_or_default();
        let (name, source) = source(files, &settings)?;
        let mut environment = environment();
        environment
            .add_template_owned(NAME, without_generation_tags(&source))
            .map_err(|error| files.fault(name, format!("is not a template: {error}")))?;
        Ok(Template { environment, specials: specials(&settings) })
    }

    /// Renders a conversation, up to where the model's answer begins.
    ///
    /// # Errors
    /// [`NotAccepted`]: the template raises, or fails.
    pub(crate) fn render(&self, messages: &[Message]) -> Result<String, NotAccepted> {
        let messages: Vec<serde_json::Value> = messages.iter().map(Message::json).collect();
        self.render_with(messages, None, true).map_err(|_| NotAccepted)
    }

    /// The text of the end token that the tokenizer's settings name.
    pub(crate) fn end(&self) -> Option<&str> {
        self.specials.iter().find(|(name, _)| name == "eos_token").map(|(_, text)| text.as_str())
    }

    fn render_with(
        &self,
        messages: Vec<serde_json::Value>,
        tools: Option<&serde_json::Value>,
        prompt: bool,
    ) -> Result<String, Error> {
        let values = [
            ("messages", Ordered::value(&messages.into())),
            ("tools", tools.map_or(Value::from(()), Ordered::value)),
            ("documents", Value::from(())),
            ("add_generation_prompt", Value::from(prompt)),
        ];
        let specials =
            self.specials.iter().map(|(name, text)| (name.as_str(), text.as_str().into()));
        let values = Value::from_pairs(specials.chain(values));
        self.environment.get_template(NAME)?.render(values)
    }
}

impl Message {
    fn json(&self) -> serde_json::Value {
        let mut map = Map::new();
        map.insert("role".into(), self.role.into());
        map.insert("content".into(), self.content.as_str().into());
        if let Some(reasoning) = &self.reasoning {
            map.insert("reasoning_content".into(), reasoning.as_str().into());
        }
        map.into()
    }
}

/// Shows nothing of a conversation.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({}, {} bytes)", self.role, self.content.len())
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    // Only foreign delimiters can be wrong, and these are the usual ones.
    environment.set_syntax(syntax.unwrap_or_default());
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_formatter(python::print);
    environment.add_filter("tojson", python::tojson);
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
    environment.add_function("strftime_now", |format: String| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        calendar::strftime(now.as_secs(), &format)
    });
    environment
}

/// The template's text and the file it came from.
fn source(
    files: &ModelFiles,
    settings: &Map<String, serde_json::Value>,
) -> Result<(&'static str, String), LocalError> {
    for name in [Template::FILE, Template::FURTHER] {
        if let Some(bytes) = files.text(name)? {
            let text = String::from_utf8(bytes.into_owned())
                .map_err(|_| files.fault(name, "is not UTF-8"))?;
            return Ok((name, text));
        }
    }
    let found = match settings.get("chat_template") {
        Some(serde_json::Value::String(text)) => Some(text.as_str()),
        Some(serde_json::Value::Array(list)) => {
            let named = |name: &str| {
                list.iter().find(|entry| entry.get("name").is_some_and(|value| value == name))
            };
            named("default").or(list.first()).and_then(|entry| entry.get("template")?.as_str())
        }
        _ => None,
    };
    let missing = || {
        let problem = format!(
            "is missing, and {} has no `chat_template`: take an instruct or chat model, or write \
             the template that this model was trained on",
            Template::SETTINGS
        );
        files.fault(Template::FILE, problem)
    };
    Ok((Template::SETTINGS, found.ok_or_else(missing)?.to_owned()))
}

/// `bos_token` and its like: a string, or an object with `content`.
fn specials(settings: &Map<String, serde_json::Value>) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| {
        value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_owned)
    };
    settings
        .iter()
        .filter(|(name, _)| name.ends_with("_token"))
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

/// The reference has a tag that marks what the model wrote and renders as its content;
/// here it becomes a condition that holds, which trims white space just the same.
fn without_generation_tags(source: &str) -> String {
    static TAG: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}").ok());
    let Some(tag) = TAG.as_ref() else { return source.to_owned() };
    tag.replace_all(source, |found: &regex::Captures<'_>| {
        let word = if found.get(2).is_some() { "endif" } else { "if true" };
        format!("{{%{} {word} {}%}}", &found[1], &found[3])
    })
    .into_owned()
}

#[cfg(test)]
mod tests;
