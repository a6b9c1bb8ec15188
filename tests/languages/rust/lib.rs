//! Data that was found stays in its region: the same policy in every language.

use ringfence_sdk::{Action, Declaration, Edit, Judgement, Policy, Request, Scope, Zone};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Residency {
    region: String,
    #[serde(default)]
    most: usize,
    #[serde(default)]
    hide: Vec<String>,
    #[serde(default)]
    words: Vec<String>,
}

impl Policy for Residency {
    fn configure(config: &str) -> Result<(Residency, Declaration), String> {
        let policy: Residency = ringfence_sdk::config(config)?;
        let declaration = Declaration::new().code("residency").label("resident").needs("findings");
        let needs_text = !policy.words.is_empty();
        Ok((policy, if needs_text { declaration.needs("text") } else { declaration }))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let findings = request.found()?;
        let mut judgement = Judgement::any();
        if findings.len() > self.most {
            judgement = Judgement::only(request, |target| {
                target.is_within(Zone::Process) || target.region == self.region
            });
            judgement = judgement.label("resident").because("residency");
        }
        for finding in findings.iter().filter(|finding| self.hide.contains(&finding.entity)) {
            judgement = judgement.edit(finding.pseudonymise_outside(Zone::Process));
        }
        let far = request.targets.iter().filter(|target| target.zone == Zone::Cloud);
        let far: Vec<String> = far.map(|target| target.name.clone()).collect();
        for segment in &request.segments {
            let text = segment.text.as_deref().unwrap_or("");
            for (start, word) in self.words.iter().flat_map(|word| text.match_indices(word)) {
                judgement = judgement.edit(Edit {
                    segment: segment.id,
                    start: start as u32,
                    end: (start + word.len()) as u32,
                    entity: "WORD".to_owned(),
                    action: Action::Replace("[\u{2026}]".to_owned()),
                    scope: Scope::Towards(far.clone()),
                });
            }
        }
        Ok(judgement)
    }
}

ringfence_sdk::export!(Residency);

#[cfg(test)]
mod tests {
    #[test]
    fn its_cases_hold() {
        ringfence_sdk::cases::run::<super::Residency>(include_str!("../cases.json"));
    }
}
