//! A sandbox, a request and targets to try policies on.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ringfence_chat::{Dialect, Kind, Place, Request, Role, Segment, SegmentId};
use ringfence_fence::{Finding, Honours, Model, PolicyFailure, Target, Verdict, Vitals, Zone};
use ringfence_policy::{Chain, Entities, Entry, Facts, LoadError, Policy, Sandbox, SandboxConfig};

/// One sandbox for all tests of this process, as in a gateway.
pub static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(SandboxConfig::default()).unwrap());

/// An entry with small limits of time, so that what hangs is soon over.
pub fn entry() -> Entry {
    let mut entry = Entry::new("tried");
    entry.grants.text = true;
    entry.grants.findings = Entities::Everything;
    entry.limits.configure_deadline = Duration::from_millis(200);
    entry
}

/// Loads a policy into the shared sandbox.
pub fn load(bytes: &[u8]) -> Result<Policy, LoadError> {
    SANDBOX.load(&entry(), bytes)
}

/// What a request says, and the places that may answer it.
pub struct Case {
    pub request: Request,
    pub findings: Vec<Finding>,
    pub targets: Vec<(Arc<Target>, Vitals)>,
}

impl Case {
    /// A request of these texts, one user's message each.
    pub fn of(texts: &[&str]) -> Case {
        let segments = texts
            .iter()
            .enumerate()
            .map(|(index, text)| Segment {
                id: SegmentId(index as u32),
                turn: index as u32,
                role: Role::User,
                kind: Kind::Text,
                place: Place::Value(format!("/messages/{index}/content")),
                tool: None,
                media_type: None,
                readable: true,
                cached: false,
                text: (*text).to_owned(),
            })
            .collect();
        let messages: Vec<_> = texts
            .iter()
            .map(|text| serde_json::json!({ "role": "user", "content": text }))
            .collect();
        let body = serde_json::json!({ "model": "auto", "messages": messages });
        let mut request = Request::new("request-1".to_owned(), Dialect::OpenAiChat, body, segments);
        request.model = Model::AUTO.to_owned();
        let targets = [
            ("local", Zone::Process),
            ("rack", Zone::Premises),
            ("east", Zone::Cloud),
            ("west", Zone::Cloud),
        ];
        let targets = targets.map(|(name, zone)| (Arc::new(target(name, zone)), Vitals::default()));
        Case { request, findings: Vec::new(), targets: targets.into() }
    }

    /// The facts of it.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            request: &self.request,
            findings: &self.findings,
            caller: None,
            conversation: "conversation-1",
            targets: &self.targets,
            now_ms: 1_000_000.0,
            seed: 7,
            latency_wanted_ms: None,
            budget_left: None,
            previous_target: None,
            scores: &[],
            models: None,
        }
    }

    /// What one policy says.
    pub fn judged(&self, policy: &Arc<Policy>) -> Verdict {
        let chain = Chain::new(vec![policy.clone()]);
        runtime().block_on(chain.judge(&self.facts())).remove(0)
    }

    /// How one policy fails; panics when it does not.
    pub fn failure(&self, policy: &Arc<Policy>) -> PolicyFailure {
        self.judged(policy).outcome.expect_err("the policy judged")
    }
}

/// One worker: what does not yield would hold everybody up.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn target(name: &str, zone: Zone) -> Target {
    Target {
        name: name.to_owned(),
        zone,
        region: "eu".to_owned(),
        attributes: vec![("baa".to_owned(), "yes".to_owned())],
        capabilities: vec![ringfence_chat::Capability::Tools],
        honours: Honours::Everything,
        context_tokens: 8192,
        capacity: 8,
        models: vec![Model { name: "m".to_owned(), aliases: Vec::new() }],
        vectors_only: false,
        input_price: 1.0,
        output_price: 2.0,
    }
}
