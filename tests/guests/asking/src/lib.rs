//! Refuses what a model says is an attack: `{"ask": "classify", "most": 0.5}`. `score` takes
//! what the host says of the whole request, `classify` asks about each text, `again` asks
//! without end, and `embed` refuses when the vectors of two texts are not the same. The
//! classifier is called `guard`.

use std::sync::OnceLock;

use exports::ringfence::policy::judge::Guest;
use ringfence::policy::model::{Fault, classify, embed};
use ringfence::policy::types::{Declaration, Judgement, Permission, Request};

wit_bindgen::generate!({
    path: ["../../../wit", "wit"],
    world: "ringfence-tests:asking/asking",
    generate_all,
});

struct Asking;

static CONFIG: OnceLock<String> = OnceLock::new();

/// Attacks are more probable than this, unless the configuration says otherwise.
const MOST: f32 = 0.5;

impl Guest for Asking {
    fn configure(config: String) -> Result<Declaration, String> {
        // Nothing can be asked before there is a request.
        if classify("guard", "a text") != Err(Fault::Unknown) {
            return Err("a model answered".to_owned());
        }
        let need = if config.contains("score") { "score:guard" } else { "model" };
        CONFIG.get_or_init(|| config);
        let codes = ["attack", "unlike", "unknown", "too_long", "busy", "late", "failed"];
        Ok(Declaration {
            codes: codes.map(str::to_owned).into(),
            labels: Vec::new(),
            needs: vec![need.to_owned()],
        })
    }

    fn judge(request: Request) -> Result<Judgement, String> {
        let config = CONFIG.get().map_or("", String::as_str);
        let texts = request.segments.iter().filter_map(|segment| segment.text.as_deref());
        if config.contains("score") {
            let scores = request.scores.iter().map(|(label, score)| (label.as_str(), *score));
            return Ok(told(attacks(scores, "guard/attack")));
        }
        if config.contains("embed") {
            let vectors: Result<Vec<Vec<f32>>, Fault> = texts.map(embed).collect();
            return Ok(match vectors {
                Ok(vectors) if vectors.windows(2).all(|pair| pair[0] == pair[1]) => told(false),
                Ok(_) => refused("unlike"),
                Err(fault) => refused(word(fault)),
            });
        }
        for text in texts {
            let labels = match classify("guard", text) {
                Ok(labels) => labels,
                Err(fault) => return Ok(refused(word(fault))),
            };
            while config.contains("again") {
                let _ = classify("guard", text);
            }
            if attacks(labels.iter().map(|(label, score)| (label.as_str(), *score)), "attack") {
                return Ok(told(true));
            }
        }
        Ok(told(false))
    }
}

fn attacks<'a>(mut labels: impl Iterator<Item = (&'a str, f32)>, name: &str) -> bool {
    let most = CONFIG.get().and_then(|config| most(config)).unwrap_or(MOST);
    labels.any(|(label, score)| label == name && score > most)
}

fn most(config: &str) -> Option<f32> {
    let (_, number) = config.split_once("\"most\":")?;
    number.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

fn told(attack: bool) -> Judgement {
    if attack { refused("attack") } else { judgement(Permission::Any, "") }
}

fn refused(code: &str) -> Judgement {
    judgement(Permission::Nowhere, code)
}

fn judgement(permit: Permission, code: &str) -> Judgement {
    let (prefer, edits, labels) = (Vec::new(), Vec::new(), Vec::new());
    Judgement { permit, prefer, edits, labels, code: code.to_owned() }
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

export!(Asking);
