//! Refuses what a model says is an attack: `{"ask": "classify", "most": 0.5}`. `score` takes
//! what the host says of the whole request, `classify` asks about each text, `again` asks
//! without end, and `embed` refuses when the vectors of two texts are not the same. The
//! classifier is called `guard`.

use ringfence_sdk::model::{Fault, classify, embed};
use ringfence_sdk::{Declaration, Judgement, Policy, Request};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    #[serde(default)]
    ask: Ask,
    /// Attacks are more probable than this.
    #[serde(default = "half")]
    most: f32,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Ask {
    #[default]
    Classify,
    Score,
    Embed,
    Again,
}

fn half() -> f32 {
    0.5
}

impl Policy for Asking {
    fn configure(config: &str) -> Result<(Asking, Declaration), String> {
        let policy: Asking = ringfence_sdk::config(config)?;
        // Nothing can be asked before there is a request.
        if classify("guard", "a text") != Err(Fault::Unknown) {
            return Err("a model answered".to_owned());
        }
        let need = if policy.ask == Ask::Score { "score:guard" } else { "model" };
        let codes = ["attack", "unlike", "unknown", "too_long", "busy", "late", "failed"];
        let declaration = codes.iter().fold(Declaration::new(), |all, code| all.code(code));
        Ok((policy, declaration.needs(need)))
    }

    fn judge(&self, request: &Request) -> Result<Judgement, String> {
        let texts = || request.segments.iter().filter_map(|segment| segment.text.as_deref());
        match self.ask {
            Ask::Score => Ok(self.told(request.score("guard/attack"))),
            Ask::Embed => Ok(match texts().map(embed).collect::<Result<Vec<_>, Fault>>() {
                Ok(vectors) if vectors.windows(2).all(|pair| pair[0] == pair[1]) => {
                    Judgement::any()
                }
                Ok(_) => Judgement::nowhere().because("unlike"),
                Err(fault) => Judgement::nowhere().because(word(fault)),
            }),
            Ask::Again => loop {
                texts().for_each(|text| drop(classify("guard", text)));
            },
            Ask::Classify => Ok(self.classified(texts())),
        }
    }
}

impl Asking {
    fn classified<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Judgement {
        for text in texts {
            let labels = match classify("guard", text) {
                Ok(labels) => labels,
                Err(fault) => return Judgement::nowhere().because(word(fault)),
            };
            let attack = labels.iter().find(|(label, _)| label == "attack");
            let said = self.told(attack.map(|(_, score)| *score));
            if !said.code.is_empty() {
                return said;
            }
        }
        Judgement::any()
    }

    fn told(&self, attack: Option<f32>) -> Judgement {
        match attack.is_some_and(|attack| attack > self.most) {
            true => Judgement::nowhere().because("attack"),
            false => Judgement::any(),
        }
    }
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Unknown => "unknown",
        Fault::TooLong => "too_long",
        Fault::Busy => "busy",
        Fault::Late => "late",
        Fault::Failed => "failed",
    }
}

ringfence_sdk::export!(Asking);
