//! How a model makes a vector of a text: `modules.json` and what it names.

use serde_json::{Map, Value};

use crate::config::Keys;
use crate::fault::LocalError;
use crate::files::ModelFiles;

/// How a stream becomes a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// Which of the stream's vectors count.
    pub pooling: Pooling,
    /// Whether the result is divided by its length.
    pub normalised: bool,
    /// Tokens of a window at most, the marks included, where the model says so.
    pub most: Option<usize>,
    /// Stands before every text, where the model says so.
    pub prompt: String,
    /// Whether texts are put into lower case before they are tokenised.
    pub lower: bool,
}

/// Which vectors of a stream count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// All, alike.
    Mean,
    /// That of the first token.
    First,
}

impl Sentence {
    /// What lists the steps.
    const MODULES: &'static str = "modules.json";
    /// Where the step that pools is described, unless the list says otherwise.
    const POOLING: &'static str = "1_Pooling";
    /// Where the length of a window is.
    const WINDOW: &'static str = "sentence_bert_config.json";
    /// Where words that stand before texts are.
    const PROMPTS: &'static str = "config_sentence_transformers.json";
    /// Bytes of such words at most.
    const PROMPT_BYTES: usize = 1024;
    /// Steps at most.
    const STEPS: usize = 16;

    /// Reads the files. Without a list of steps the mean counts and is not normalised, or
    /// what `1_Pooling/config.json` says.
    ///
    /// # Errors
    /// [`LocalError::Model`]: a file is broken, or asks for a step that is not known here.
    pub(crate) fn read(files: &ModelFiles) -> Result<Sentence, LocalError> {
        let fault = |problem: String| files.fault(Self::MODULES, problem);
        let steps = match files.text(Self::MODULES)? {
            None => Steps { pooling: Self::POOLING.to_owned(), named: false, normalised: false },
            Some(bytes) => {
                let list: Vec<Map<String, Value>> = serde_json::from_slice(&bytes)
                    .map_err(|error| fault(format!("is no list of steps: {error}")))?;
                Steps::parse(&list).map_err(fault)?
            }
        };
        let name = format!("{}/config.json", steps.pooling);
        let pooling = match files.json(&name)? {
            Some(map) => {
                Pooling::parse(&Keys(&map)).map_err(|problem| files.fault(&name, problem))?
            }
            None if steps.named => {
                return Err(files.fault(&name, "is missing, but modules.json names it"));
            }
            None => Pooling::Mean,
        };
        let (most, lower) = match files.json(Self::WINDOW)? {
            None => (None, false),
            Some(map) => {
                let keys = Keys(&map);
                let read = || Ok((keys.size("max_seq_length")?, keys.flag("do_lower_case")?));
                let (most, lower) =
                    read().map_err(|problem: String| files.fault(Self::WINDOW, problem))?;
                (most, lower == Some(true))
            }
        };
        let prompt = match files.json(Self::PROMPTS)? {
            None => String::new(),
            Some(map) => {
                prompt(&Keys(&map)).map_err(|problem| files.fault(Self::PROMPTS, problem))?
            }
        };
        Ok(Sentence { pooling, normalised: steps.normalised, most, prompt, lower })
    }

    /// A text as the tokenizer gets it.
    pub(crate) fn prepared(&self, text: &str) -> String {
        let whole = format!("{}{text}", self.prompt);
        if self.lower { whole.to_lowercase() } else { whole }
    }
}

/// The words that stand before a text for which nobody asks for others.
fn prompt(keys: &Keys<'_>) -> Result<String, String> {
    let Some(name) = keys.text("default_prompt_name")? else { return Ok(String::new()) };
    let prompts = keys.object("prompts")?;
    let prompt = prompts.map(|prompts| prompts.text(name)).transpose()?.flatten();
    let prompt = prompt.ok_or_else(|| format!("has no prompt \"{name}\", its default"))?;
    if prompt.len() > Sentence::PROMPT_BYTES {
        return Err(format!("has a prompt of more than {} bytes", Sentence::PROMPT_BYTES));
    }
    Ok(prompt.to_owned())
}

/// What a list of steps says.
struct Steps {
    /// The folder of the step that pools.
    pooling: String,
    named: bool,
    normalised: bool,
}

impl Steps {
    fn parse(list: &[Map<String, Value>]) -> Result<Steps, String> {
        if list.len() > Sentence::STEPS {
            return Err(format!("has more than {} steps", Sentence::STEPS));
        }
        let mut pooling = None;
        let mut normalised = false;
        for (index, step) in list.iter().enumerate() {
            let keys = Keys(step);
            let kind = keys.text("type")?.ok_or("has a step without `type`")?;
            let name = kind.rsplit('.').next().unwrap_or(kind);
            let is_in_order = match name {
                "Transformer" => index == 0,
                "Pooling" => pooling.is_none() && index == 1,
                "Normalize" => pooling.is_some(),
                _ => {
                    return Err(format!(
                        "has the unknown step `{kind}` (known: Transformer, Pooling, Normalize)"
                    ));
                }
            };
            if !is_in_order {
                return Err(format!("has the step `{kind}` out of order"));
            }
            match name {
                "Pooling" => {
                    let path = keys.text("path")?.unwrap_or_default();
                    // A name and not a path: a list must not reach out of its folder.
                    if path.is_empty() || path.starts_with('.') || path.contains(['/', '\\']) {
                        return Err("names no folder beside it for its step `Pooling`".into());
                    }
                    pooling = Some(path.to_owned());
                }
                "Normalize" => normalised = true,
                // The weights' own folder is this one.
                _ if keys.text("path")?.is_some_and(|path| !path.is_empty()) => {
                    return Err("has its weights in another folder; name that one".into());
                }
                _ => {}
            }
        }
        let pooling = pooling.ok_or("has no step `Pooling`")?;
        Ok(Steps { pooling, named: true, normalised })
    }
}

impl Pooling {
    fn parse(keys: &Keys<'_>) -> Result<Pooling, String> {
        const KNOWN: &str = "known: mean, cls";
        if keys.flag("include_prompt")? == Some(false) {
            return Err("has `include_prompt` off, which is not known".into());
        }
        if let Some(mode) = keys.text("pooling_mode")? {
            return match mode {
                "mean" => Ok(Pooling::Mean),
                "cls" => Ok(Pooling::First),
                other => Err(format!("has the unknown `pooling_mode` \"{other}\" ({KNOWN})")),
            };
        }
        let mut modes = Vec::new();
        for key in keys.0.keys().filter(|key| key.starts_with("pooling_mode_")) {
            if keys.flag(key)? == Some(true) {
                modes.push(key.as_str());
            }
        }
        match modes.as_slice() {
            ["pooling_mode_mean_tokens"] => Ok(Pooling::Mean),
            ["pooling_mode_cls_token"] => Ok(Pooling::First),
            [] => Err(format!("asks for no way of pooling ({KNOWN})")),
            [other] => Err(format!("asks for `{other}`, which is not known ({KNOWN})")),
            _ => Err(format!("asks for several ways of pooling ({KNOWN})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OLDER: &str = "sentence_transformers.models";

    /// What a folder with these files says, or why it is refused.
    fn read(files: &[(&str, Value)]) -> Result<Sentence, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, json) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, json.to_string()).expect("written");
        }
        let files = ModelFiles::Folder(folder.path().to_owned());
        Sentence::read(&files).map_err(|error| error.to_string())
    }

    fn steps(names: &[(&str, &str)]) -> (&'static str, Value) {
        let step =
            |(kind, path): &(&str, &str)| json!({"type": format!("{OLDER}.{kind}"), "path": path});
        (Sentence::MODULES, names.iter().map(step).collect())
    }

    fn pooled(json: Value) -> (&'static str, Value) {
        ("1_Pooling/config.json", json)
    }

    #[test]
    fn what_the_files_say_counts_and_without_them_the_mean() {
        let mean = json!({"word_embedding_dimension": 48, "pooling_mode_mean_tokens": true,
            "pooling_mode_cls_token": false, "include_prompt": true});
        let first = json!({"pooling_mode_mean_tokens": false, "pooling_mode_cls_token": true});
        let plain = [("Transformer", ""), ("Pooling", "1_Pooling")];
        let whole = [plain[0], plain[1], ("Normalize", "2_Normalize")];
        let window = (Sentence::WINDOW, json!({"max_seq_length": 256, "do_lower_case": false}));
        let plainly = |pooling, normalised, most| {
            let (prompt, lower) = (String::new(), false);
            Sentence { pooling, normalised, most, prompt, lower }
        };
        let says = |pooling, normalised, most| Ok(plainly(pooling, normalised, most));
        for (files, expected) in [
            (vec![], says(Pooling::Mean, false, None)),
            (vec![pooled(first.clone())], says(Pooling::First, false, None)),
            (vec![steps(&plain), pooled(mean.clone())], says(Pooling::Mean, false, None)),
            (vec![steps(&whole), pooled(mean), window], says(Pooling::Mean, true, Some(256))),
            (
                vec![steps(&whole), pooled(json!({"pooling_mode": "cls"}))],
                says(Pooling::First, true, None),
            ),
            (
                vec![(Sentence::WINDOW, json!({"max_seq_length": null, "do_lower_case": true}))],
                Ok(Sentence { lower: true, ..plainly(Pooling::Mean, false, None) }),
            ),
            (
                vec![(
                    Sentence::PROMPTS,
                    json!({"prompts": {"query": "q: ", "text": "t: "}, "default_prompt_name": "text"}),
                )],
                Ok(Sentence { prompt: "t: ".into(), ..plainly(Pooling::Mean, false, None) }),
            ),
            (
                vec![(Sentence::PROMPTS, json!({"prompts": {"query": "q: "}}))],
                says(Pooling::Mean, false, None),
            ),
        ] {
            assert_eq!(read(&files), expected, "{files:?}");
        }
    }

    #[test]
    fn a_text_is_prepared_as_the_model_wants_it() {
        let of = |prompt: &str, lower| {
            let (pooling, prompt) = (Pooling::Mean, prompt.to_owned());
            Sentence { pooling, normalised: false, most: None, prompt, lower }.prepared("Grüße")
        };
        assert_eq!((of("", false), of("", true)), ("Grüße".into(), "grüße".into()));
        assert_eq!(of("Query: ", true), "query: grüße");
    }

    #[test]
    fn an_unknown_step_is_refused_by_name() {
        let transformer = ("Transformer", "");
        let pooling = ("Pooling", "1_Pooling");
        let many = vec![transformer; Sentence::STEPS + 1];
        for (files, says) in [
            (vec![steps(&[transformer, pooling, ("Dense", "2_Dense")])], "models.Dense"),
            (vec![steps(&[transformer])], "no step `Pooling`"),
            (vec![steps(&[pooling, transformer])], "out of order"),
            (vec![steps(&[transformer, pooling, pooling])], "out of order"),
            (vec![steps(&[("Transformer", "0_Transformer"), pooling])], "another folder"),
            (vec![steps(&[transformer, ("Pooling", "../1_Pooling")])], "no folder beside it"),
            (vec![steps(&[transformer, ("Pooling", "/etc")])], "no folder beside it"),
            (vec![steps(&[transformer, ("Pooling", "..")])], "no folder beside it"),
            (vec![steps(&[transformer, pooling])], "is missing, but modules.json names it"),
            (vec![steps(&many)], "more than 16 steps"),
            (vec![(Sentence::MODULES, json!({}))], "no list of steps"),
            (vec![pooled(json!({"pooling_mode_max_tokens": true}))], "pooling_mode_max_tokens"),
            (vec![pooled(json!({"pooling_mode": "lasttoken"}))], "lasttoken"),
            (vec![pooled(json!({}))], "no way of pooling"),
            (
                vec![pooled(
                    json!({"pooling_mode_max_tokens": true, "pooling_mode_cls_token": true}),
                )],
                "several ways",
            ),
            (vec![(Sentence::WINDOW, json!({"max_seq_length": "long"}))], "max_seq_length"),
            (vec![pooled(json!({"include_prompt": false}))], "include_prompt"),
            (vec![(Sentence::PROMPTS, json!({"default_prompt_name": "x"}))], "no prompt \"x\""),
            (
                vec![(
                    Sentence::PROMPTS,
                    json!({"prompts": {"x": "y".repeat(1025)}, "default_prompt_name": "x"}),
                )],
                "more than 1024 bytes",
            ),
        ] {
            let said = read(&files).expect_err(says);
            assert!(said.contains(says), "{says}: {said}");
        }
    }
}
