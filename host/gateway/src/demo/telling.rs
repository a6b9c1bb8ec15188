//! How a scene is told: what was decided and why, what left, what came back.

use std::io;

use ringfence_fence::{Decision, Remover};

use super::client::Answered;
use super::stand_in::Received;
use crate::cli::screen::{Screen, Style, visible};

/// Columns of a line.
const WIDTH: usize = 96;
/// Columns before the text.
const INDENT: usize = 13;

/// Tells one piece under its name, wrapped.
pub fn tell(screen: &mut Screen, name: &str, style: Option<Style>, text: &str) -> io::Result<()> {
    for (index, line) in wrapped(&visible(text)).into_iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        let name = screen.style(Style::Faint, &format!("  {name:9}"));
        let line = match style {
            Some(style) => screen.style(style, &line),
            None => marked(screen, &line),
        };
        screen.line(&format!("{name}  {line}"))?;
    }
    Ok(())
}

/// Tells what was decided, and why.
pub fn decided(screen: &mut Screen, decision: &Decision) -> io::Result<()> {
    let permitted: Vec<&str> = decision.permitted().map(|target| target.name.as_str()).collect();
    match decision.refusal() {
        None => {
            let text = format!("goes to {}", permitted.join(", then to "));
            tell(screen, "decided", Some(Style::Good), &text)?;
        }
        Some(refusal) => {
            let text = format!("refused: {}", refusal.code());
            tell(screen, "decided", Some(Style::Bad), &text)?;
        }
    }
    for standing in decision.standings().iter().filter(|standing| !standing.is_open()) {
        let each: Vec<String> = (standing.removals.iter())
            .map(|removal| format!("{} ({})", by(&removal.by), removal.code))
            .collect();
        let text = format!("{}: taken away by {}", standing.target.name, each.join(", "));
        tell(screen, "", Some(Style::Faint), &text)?;
    }
    for verdict in decision.verdicts() {
        let said = match &verdict.outcome {
            Ok(judgement) => {
                let mut said = Vec::new();
                if !judgement.code().is_empty() {
                    said.push(judgement.code().to_owned());
                }
                said.extend(judgement.labels().iter().map(|label| format!("label {label}")));
                match judgement.edits().len() {
                    0 => {}
                    1 => said.push("1 edit".into()),
                    many => said.push(format!("{many} edits")),
                }
                if said.is_empty() { "nothing to say".into() } else { said.join(", ") }
            }
            Err(failure) => {
                format!("failed ({}), so {}", failure.name(), verdict.on_failure.name())
            }
        };
        let us = verdict.spent.as_micros();
        let text = format!("{}: {said}, in {us} us", verdict.policy);
        tell(screen, "", Some(Style::Faint), &text)?;
    }
    Ok(())
}

/// Tells the exact bytes that left.
pub fn left(screen: &mut Screen, received: &[Received]) -> io::Result<()> {
    if received.is_empty() {
        return tell(screen, "left", Some(Style::Good), "nothing");
    }
    for one in received {
        let outcome = if one.status == 200 { "" } else { ", which answered that it is down" };
        let text = format!("{} bytes to {}{outcome}", one.body.len(), one.cloud);
        tell(screen, "left", Some(Style::Odd), &text)?;
        tell(screen, "", None, &String::from_utf8_lossy(&one.body))?;
    }
    Ok(())
}

/// Tells what came back.
pub fn came_back(screen: &mut Screen, answered: &Answered) -> io::Result<()> {
    let style = if answered.status == 200 { Style::Good } else { Style::Bad };
    let mut text = answered.status.to_string();
    if let (Some(target), Some(zone)) =
        (answered.header("x-ringfence-target"), answered.header("x-ringfence-zone"))
    {
        text.push_str(&format!(" from {target} ({zone})"));
    }
    if let Some(code) = &answered.code {
        text.push_str(&format!(", code {code}"));
    }
    if answered.header("x-should-retry") == Some("false") {
        text.push_str(", x-should-retry: false");
    }
    tell(screen, "came back", Some(style), &text)?;
    tell(screen, "", None, &answered.text)
}

fn by(remover: &Remover) -> String {
    match remover {
        Remover::Model => "the model's name".into(),
        Remover::Capability(_) => "what it cannot do".into(),
        Remover::Context => "its context".into(),
        Remover::Caller => "the caller's targets".into(),
        Remover::Budget => "the caller's budget".into(),
        Remover::Floor => "the floor".into(),
        Remover::Policy(name) => format!("policy {name}"),
        Remover::Failure(name) => format!("the failure of policy {name}"),
    }
}

/// The line with its placeholders marked.
fn marked(screen: &Screen, line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((start, end)) = placeholder(rest) {
        text.push_str(&rest[..start]);
        text.push_str(&screen.style(Style::Marked, &rest[start..end]));
        rest = &rest[end..];
    }
    text + rest
}

/// The first span that looks like a placeholder or a mask.
fn placeholder(text: &str) -> Option<(usize, usize)> {
    text.match_indices('[').find_map(|(start, _)| {
        let inner = text[start + 1..].split_once(']')?.0;
        let fits = inner.len() > 2
            && inner.starts_with(|first: char| first.is_ascii_uppercase())
            && inner.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        fits.then_some((start, start + inner.len() + 2))
    })
}

/// Lines of at most [`WIDTH`] columns, broken at spaces and, where a word is longer
/// than a line, anywhere.
fn wrapped(text: &str) -> Vec<String> {
    let room = WIDTH - INDENT;
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + word.len() > room {
            lines.push(String::new());
            used = 0;
        }
        while used == 0 && word.len() > room {
            let rest = word.split_off(room);
            lines.push(String::new());
            let at = lines.len() - 2;
            lines[at].extend(word);
            word = rest;
        }
        used += word.len();
        if let Some(line) = lines.last_mut() {
            line.extend(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_in_wrapping() {
        for text in
            ["", "short", &"word ".repeat(80), &"x".repeat(500), &format!("a {}", "y".repeat(200))]
        {
            let lines = wrapped(text);
            assert_eq!(lines.concat(), *text);
            assert!(lines.iter().all(|line| line.chars().count() <= WIDTH - INDENT), "{lines:?}");
        }
    }

    #[test]
    fn placeholders_are_found_and_json_is_not() {
        for (text, found) in [
            (
                r#"{"messages":[{"content":"to [EMAIL_7M2K9QX4TBV1C]."}]}"#,
                Some("[EMAIL_7M2K9QX4TBV1C]"),
            ),
            ("[SECRET]", Some("[SECRET]")),
            (r#"["a"]"#, None),
            ("[", None),
        ] {
            assert_eq!(placeholder(text).map(|(start, end)| &text[start..end]), found, "{text}");
        }
    }
}
