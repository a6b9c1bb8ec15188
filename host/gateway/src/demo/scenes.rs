//! The prepared requests, and what has to become of each.

use serde_json::{Value, json};

/// One request, what is arranged before it, and what has to come of it.
pub struct Scene {
    /// What it is about.
    pub title: &'static str,
    /// What to look for.
    pub about: &'static str,
    /// Who asks.
    pub caller: Caller,
    /// The request.
    pub body: Value,
    /// Clouds that are unavailable.
    pub down: &'static [&'static str],
    /// What a policy that cannot answer amounts to, when there is one.
    pub broken: Option<&'static str>,
    /// What has to come of it.
    pub expected: Expected,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Any caller of the clinic.
    Desk,
    /// One whose data stays in its region.
    Berlin,
}

/// What has to come of a request.
pub struct Expected {
    /// The status.
    pub status: u16,
    /// The target that answers.
    pub target: Option<&'static str>,
    /// The clouds that something reaches, in order.
    pub reached: &'static [&'static str],
    /// What has to be in what left.
    pub leaves: Vec<String>,
    /// What must not be.
    pub hidden: Vec<String>,
    /// What has to be in the answer.
    pub answer: Vec<String>,
    /// The error's code.
    pub code: Option<&'static str>,
}

impl Default for Expected {
    fn default() -> Expected {
        Expected {
            status: 200,
            target: None,
            reached: &[],
            leaves: Vec::new(),
            hidden: Vec::new(),
            answer: Vec::new(),
            code: None,
        }
    }
}

/// All of them, in order.
pub fn scenes() -> Vec<Scene> {
    vec![
        inside(),
        harmless(),
        personal(),
        secret(),
        letter(),
        restricted(),
        failing("deny"),
        failing("confine-process"),
        cloud_down(),
        region_down(),
    ]
}

fn inside() -> Scene {
    Scene {
        title: "A question for this machine",
        about: "The local model has room, so it answers, and nothing leaves.",
        body: asked("auto", false, "What is Ringfence?"),
        expected: Expected { target: Some("local"), ..Expected::default() },
        ..scene()
    }
}

fn harmless() -> Scene {
    let question = "Who wrote Faust?";
    Scene {
        title: "A harmless question to the large model",
        about: "Only the clouds serve it. Nothing is in it to hide, so it leaves as it is, to the \
                cheaper one.",
        body: asked("large", false, question),
        expected: Expected {
            target: Some("cloud-eu"),
            reached: &["cloud-eu"],
            leaves: vec![question.into()],
            answer: vec![question.into()],
            ..Expected::default()
        },
        ..scene()
    }
}

fn personal() -> Scene {
    let values = ["maria.lopez@wendtland-klinik.de", "DE89370400440532013000"];
    let text =
        format!("Draft a reminder to {}: the fee is still to be paid to {}.", values[0], values[1]);
    Scene {
        title: "Personal data, streamed",
        about: "Placeholders leave. The stand-in repeats them in pieces that cut through them, \
                and the client reads the originals.",
        body: asked("large", true, &text),
        expected: Expected {
            target: Some("cloud-eu"),
            reached: &["cloud-eu"],
            leaves: vec!["[EMAIL_".into(), "[IBAN_".into()],
            hidden: values.map(str::to_owned).to_vec(),
            answer: vec![text],
            ..Expected::default()
        },
        ..scene()
    }
}

fn secret() -> Scene {
    // Put together here, so that nobody's scanner takes this file for a leak.
    let key =
        ["sk-ant-", "api03-", &"Zq7Lr2Xw9Tn4".repeat(7), "Vb8Kd1Ms-", "QAAAAA", "AA"].concat();
    Scene {
        title: "A secret",
        about: "Only the clouds serve the model that was asked for, and a key may not go there, \
                masked or not. So it is refused, and clients are told not to try again.",
        body: asked("large", false, &format!("Why does this call fail? api_key = \"{key}\"")),
        expected: Expected {
            status: 403,
            hidden: vec![key],
            code: Some("secret_stays"),
            ..Expected::default()
        },
        ..scene()
    }
}

fn letter() -> Scene {
    let text = "Summarize this letter. Patient: Anna Keller. Diagnosis: atrial fibrillation; \
                she was started on apixaban and should be seen in four weeks.";
    Scene {
        title: "A patient's letter",
        about: "No detector knows names or diagnoses; a policy reads the word. The model `small` \
                is served by the clouds too, and they are taken away.",
        body: asked("small", false, text),
        expected: Expected {
            target: Some("local"),
            hidden: vec!["Keller".into()],
            ..Expected::default()
        },
        ..scene()
    }
}

fn restricted() -> Scene {
    Scene {
        title: "A caller whose data stays in its region",
        about: "Its key has the label region = eu; the American cloud is no place for it.",
        caller: Caller::Berlin,
        body: asked("large", false, "Which day is the longest in Berlin?"),
        expected: Expected {
            target: Some("cloud-eu"),
            reached: &["cloud-eu"],
            ..Expected::default()
        },
        ..scene()
    }
}

fn failing(on_failure: &'static str) -> Scene {
    let body = asked("small", false, "What is a policy? Tell ada@wendtland-klinik.de");
    if on_failure == "deny" {
        return Scene {
            title: "A policy that fails: deny",
            about: "It was added while the gateway runs, and its limits let it make no edit, \
                    which its answer does. There is no fail-open.",
            body,
            broken: Some(on_failure),
            expected: Expected { status: 403, code: Some("policy_failed"), ..Expected::default() },
            ..scene()
        };
    }
    Scene {
        title: "A policy that fails: confine",
        about: "The same, with on_failure = \"confine-process\": the request stays here.",
        body,
        broken: Some(on_failure),
        expected: Expected { target: Some("local"), ..Expected::default() },
        ..scene()
    }
}

fn cloud_down() -> Scene {
    Scene {
        title: "A cloud is down",
        about: "The next permitted target answers; the data is hidden from both.",
        body: asked("large", false, "Remind ada@wendtland-klinik.de of the meeting."),
        down: &["cloud-eu"],
        expected: Expected {
            target: Some("cloud-us"),
            reached: &["cloud-eu", "cloud-eu", "cloud-us"],
            hidden: vec!["ada@".into()],
            answer: vec!["ada@wendtland-klinik.de".into()],
            ..Expected::default()
        },
        ..scene()
    }
}

fn region_down() -> Scene {
    Scene {
        title: "The same cloud is down, for the caller of that region",
        about: "No fallback leads around a permission: it gets an error, and nothing goes to the \
                other cloud.",
        caller: Caller::Berlin,
        body: asked("large", false, "Which day is the shortest in Berlin?"),
        down: &["cloud-eu"],
        expected: Expected {
            status: 502,
            reached: &["cloud-eu", "cloud-eu"],
            ..Expected::default()
        },
        ..scene()
    }
}

fn scene() -> Scene {
    Scene {
        title: "",
        about: "",
        caller: Caller::Desk,
        body: Value::Null,
        down: &[],
        broken: None,
        expected: Expected::default(),
    }
}

fn asked(model: &str, stream: bool, text: &str) -> Value {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": text }] });
    if stream {
        body["stream"] = true.into();
    }
    body
}
