//! What makes a request sensitive.

use std::collections::BTreeMap;

use ringfence_sdk::{Finding, Request};

use crate::keywords::Keywords;

/// The codes of [`Rules::why`].
pub const CODES: [&str; 4] =
    ["secret_stays", "stays_local", "caller_restricted", "marked_confidential"];

/// Any of them makes a request sensitive.
pub struct Rules {
    findings: BTreeMap<String, usize>,
    total: usize,
    labels: Vec<(String, String)>,
    keywords: Keywords,
}

impl Rules {
    /// Parses the rules of one zone.
    ///
    /// # Errors
    /// The key of the configuration and what is wrong with it.
    pub fn new(
        findings: BTreeMap<String, usize>,
        total: usize,
        labels: &[String],
        keywords: &[String],
    ) -> Result<Rules, String> {
        if findings.values().any(|count| *count == 0) {
            return Err("findings: a count is at least 1".to_owned());
        }
        let capital = |byte: u8| !byte.is_ascii_lowercase();
        if findings.keys().any(|entity| entity.is_empty() || !entity.bytes().all(capital)) {
            return Err("findings: an entity has capitals, digits and _, like IBAN".to_owned());
        }
        let pair = |label: &String| {
            let (name, value) = label.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let labels: Option<Vec<(String, String)>> = labels.iter().map(pair).collect();
        let labels = labels.ok_or("labels: write a label as \"name=value\"")?;
        let keywords = Keywords::new(keywords).map_err(|what| format!("keywords: {what}"))?;
        Ok(Rules { findings, total, labels, keywords })
    }

    /// Whether it needs findings.
    pub fn read_findings(&self) -> bool {
        self.total > 0 || !self.findings.is_empty()
    }

    /// Whether it needs the text.
    pub fn read_text(&self) -> bool {
        !self.keywords.is_empty()
    }

    /// Whether it needs the caller.
    pub fn read_caller(&self) -> bool {
        !self.labels.is_empty()
    }

    /// The code of the first rule that the request meets. Cheap rules come first.
    ///
    /// # Errors
    /// A grant that it needs is missing.
    pub fn why(&self, request: &Request) -> Result<Option<&'static str>, String> {
        let is_labelled = |(name, value): &(String, String)| {
            request.caller_label(name).is_some_and(|label| label == value)
        };
        if self.labels.iter().any(is_labelled) {
            return Ok(Some("caller_restricted"));
        }
        if self.read_findings() {
            let found = request.found()?;
            for (entity, least) in &self.findings {
                if found.iter().filter(|finding| is_of(finding, entity)).count() >= *least {
                    return Ok(Some(if is_secret(entity) {
                        "secret_stays"
                    } else {
                        "stays_local"
                    }));
                }
            }
            if self.total > 0 && found.len() >= self.total {
                return Ok(Some("stays_local"));
            }
        }
        if self.read_text() {
            for segment in &request.segments {
                match &segment.text {
                    Some(text) if self.keywords.are_in(text) => {
                        return Ok(Some("marked_confidential"));
                    }
                    // What nobody can read is the floor's to decide.
                    None if segment.readable => {
                        return Err("the grant `text` is missing".to_owned());
                    }
                    _ => {}
                }
            }
        }
        Ok(None)
    }
}

fn is_of(finding: &Finding, entity: &str) -> bool {
    finding.entity == entity || (entity == "SECRET" && is_secret(&finding.entity))
}

fn is_secret(entity: &str) -> bool {
    entity == "SECRET" || entity.starts_with("SECRET_")
}
