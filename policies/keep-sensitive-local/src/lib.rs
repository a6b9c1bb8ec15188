//! Keeps inside what must not leave even when it is hidden: by what was found, by labels
//! of the caller, by words and markings in the text, by region.

use std::collections::BTreeMap;

use ringfence_sdk::{Declaration, Inside, Judgement, Permission, Policy, Request, Target, Zone};
use serde::Deserialize;

mod keywords;
mod rules;

use rules::Rules;

/// The entry's own table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// How far what is sensitive may go.
    within: Inside,
    /// By entity: so many findings make a request sensitive. `SECRET` counts every entity
    /// whose name begins with `SECRET_` too.
    findings: BTreeMap<String, usize>,
    /// So many findings of any kind do; 0 for never.
    total: usize,
    /// Labels of the caller that do: `data=restricted`.
    labels: Vec<String>,
    /// Words and markings that do.
    keywords: Vec<String>,
    /// Words on top of those that `keywords` has by default.
    more_keywords: Vec<String>,
    /// What may not even leave the process.
    process: Strict,
    /// The caller's label that names the only region its requests may go to; none when
    /// empty.
    region_label: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Strict {
    findings: BTreeMap<String, usize>,
    total: usize,
    labels: Vec<String>,
    keywords: Vec<String>,
}

impl Default for Config {
    fn default() -> Config {
        // One account number is hidden and travels; a list of them is a record set.
        let findings = [("SECRET", 1), ("US_SSN", 3), ("PAYMENT_CARD", 3), ("IBAN", 3)];
        Config {
            within: Inside::Premises,
            findings: findings.map(|(entity, count)| (entity.to_owned(), count)).into(),
            total: 25,
            labels: vec!["data=restricted".to_owned()],
            keywords: KEYWORDS.map(str::to_owned).into(),
            more_keywords: Vec::new(),
            process: Strict::default(),
            region_label: "region".to_owned(),
        }
    }
}

/// Markings of files, and words of care and of law, in English, German and French.
const KEYWORDS: [&str; 30] = [
    "confidential",
    "internal use only",
    "not for distribution",
    "do not distribute",
    "attorney-client privilege",
    "attorney-client privileged",
    "privileged communication",
    "attorney work product",
    "trade secret",
    "top secret",
    "noforn",
    "tlp:red",
    "tlp:amber",
    "patient",
    "patients",
    "diagnosis",
    "medical record",
    "medical records",
    "vertraulich",
    "streng vertraulich",
    "nur für den dienstgebrauch",
    "vs-nfd",
    "geschäftsgeheimnis",
    "patientin",
    "patienten",
    "diagnose",
    "confidentiel",
    "diffusion restreinte",
    "secret professionnel",
    "dossier médical",
];

/// The policy.
pub struct KeepSensitiveLocal {
    /// What may not even leave the process.
    process: Rules,
    /// What stays `within`.
    inside: Rules,
    within: Zone,
    region_label: String,
}

impl Policy for KeepSensitiveLocal {
    fn configure(config: &str) -> Result<(KeepSensitiveLocal, Declaration), String> {
        let config: Config = ringfence_sdk::config(config)?;
        let Strict { findings, total, labels, keywords } = config.process;
        let process = Rules::new(findings, total, &labels, &keywords)
            .map_err(|mistake| format!("process.{mistake}"))?;
        let keywords = [config.keywords, config.more_keywords].concat();
        let inside = Rules::new(config.findings, config.total, &config.labels, &keywords)?;
        let policy = KeepSensitiveLocal {
            process,
            inside,
            within: config.within.into(),
            region_label: config.region_label,
        };
        let mut declaration = Declaration::new().label("sensitive").label("regional");
        for code in rules::CODES {
            declaration = declaration.code(code);
        }
        declaration = declaration.code("region_restricted");
        let both = [&policy.process, &policy.inside];
        for (grant, is_needed) in [
            ("findings", both.iter().any(|rules| rules.read_findings())),
            ("text", both.iter().any(|rules| rules.read_text())),
            ("caller", policy.has_region() || both.iter().any(|rules| rules.read_caller())),
        ] {
            if is_needed {
                declaration = declaration.needs(grant);
            }
        }
        Ok((policy, declaration))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let (zone, code) = match self.process.why(request)? {
            Some(code) => (Zone::Process, code),
            None => match self.inside.why(request)? {
                Some(code) => (self.within, code),
                None => (Zone::Cloud, ""),
            },
        };
        let region = Some(&self.region_label)
            .filter(|_| self.has_region())
            .and_then(|label| request.caller_label(label))
            .filter(|region| !region.is_empty());
        let permit = match region {
            Some(region) => Permission::Only(in_region(request, region, zone)),
            None if code.is_empty() => Permission::Any,
            None => Permission::Within(zone),
        };
        let mut judgement = Judgement::permit(permit).because(code);
        if !code.is_empty() {
            judgement = judgement.label("sensitive");
        }
        if region.is_some() {
            judgement = judgement.label("regional");
            if code.is_empty() {
                judgement = judgement.because("region_restricted");
            }
        }
        Ok(judgement)
    }
}

impl KeepSensitiveLocal {
    fn has_region(&self) -> bool {
        !self.region_label.is_empty()
    }
}

/// The targets of the region within a zone, and those in the process, where nothing
/// travels.
fn in_region(request: &Request, region: &str, zone: Zone) -> Vec<String> {
    let fits = |target: &&Target| {
        target.is_within(zone) && (target.is_within(Zone::Process) || is_in(&target.region, region))
    };
    request.targets.iter().filter(fits).map(|target| target.name.clone()).collect()
}

/// Whether a region is the wanted one or a part of it: `eu-central-1` is in `eu`.
fn is_in(region: &str, wanted: &str) -> bool {
    let start = region.get(..wanted.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(wanted))
        && matches!(region.as_bytes().get(wanted.len()), None | Some(b'-' | b'_' | b'/'))
}

ringfence_sdk::export!(KeepSensitiveLocal);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_hold() {
        ringfence_sdk::cases::run::<KeepSensitiveLocal>(include_str!("../cases.json"));
    }

    #[test]
    fn regions_hold_their_parts() {
        for (region, wanted, expected) in [
            ("eu", "eu", true),
            ("EU-central-1", "eu", true),
            ("eu", "eu-central-1", false),
            ("europe", "eu", false),
            ("us", "eu", false),
            ("", "eu", false),
            ("é", "e", false),
        ] {
            assert_eq!(is_in(region, wanted), expected, "{region} in {wanted}");
        }
    }
}
