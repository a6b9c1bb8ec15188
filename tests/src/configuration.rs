//! Configurations, written as an operator writes them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::guests;
use crate::upstream::Upstream;

/// A configuration file in the making. It listens on a free port of 127.0.0.1 and keeps
/// everything in the folder that it is rendered for.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    top: String,
    server: Vec<String>,
    targets: Vec<Target>,
    policies: Vec<Policy>,
    callers: Vec<Value>,
    sections: String,
    ledger: Option<String>,
    ledger_file: Option<PathBuf>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
}

/// A `[[targets]]` entry.
#[derive(Debug, Clone)]
pub struct Target(Value);

/// A `[[policies]]` entry.
#[derive(Debug, Clone)]
pub struct Policy(Value);

impl Configuration {
    /// One without targets and policies.
    pub fn new() -> Configuration {
        Configuration::default()
    }

    /// One target in the cloud, named `cloud`.
    pub fn cloud(upstream: &Upstream) -> Configuration {
        Configuration::new().target(Target::cloud("cloud", upstream))
    }

    /// One target in the cloud, named `cloud`, and one on the premises, named `inside`.
    pub fn both(cloud: &Upstream, inside: &Upstream) -> Configuration {
        Configuration::cloud(cloud).target(Target::premises("inside", inside))
    }

    /// With one more target.
    pub fn target(mut self, target: Target) -> Configuration {
        self.targets.push(target);
        self
    }

    /// With one more policy at the end of the chain.
    pub fn policy(mut self, policy: Policy) -> Configuration {
        self.policies.push(policy);
        self
    }

    /// With a caller that holds `key`; its tenant is `tenant`.
    pub fn caller(self, name: &str, tenant: &str, key: &str) -> Configuration {
        self.caller_with(name, tenant, key, json!({}))
    }

    /// The same with more members: `targets`, `labels`.
    pub fn caller_with(
        mut self,
        name: &str,
        tenant: &str,
        key: &str,
        more: Value,
    ) -> Configuration {
        let hash: String =
            Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut caller = json!({"name": name, "tenant": tenant, "key_sha256": hash});
        merge(&mut caller, more);
        self.callers.push(caller);
        self
    }

    /// With a member of `[server]`, as it is written.
    pub fn server(mut self, line: &str) -> Configuration {
        self.server.push(line.to_owned());
        self
    }

    /// With this text as `[ledger]`'s members.
    pub fn ledger(mut self, lines: &str) -> Configuration {
        self.ledger = Some(lines.to_owned());
        self
    }

    /// With another file as the ledger.
    pub fn ledger_file(mut self, file: impl Into<PathBuf>) -> Configuration {
        self.ledger_file = Some(file.into());
        self
    }

    /// With a line before all sections.
    pub fn top(mut self, line: &str) -> Configuration {
        self.top.push_str(line);
        self.top.push('\n');
        self
    }

    /// With more sections, as they are written.
    pub fn section(mut self, text: &str) -> Configuration {
        self.sections.push_str(text);
        self.sections.push('\n');
        self
    }

    /// With a variable in the gateway's environment.
    pub fn variable(mut self, name: &str, value: &str) -> Configuration {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With everything in the log that the gateway and its libraries can say.
    pub fn at_trace_level(self) -> Configuration {
        self.argument("--log").argument("trace")
    }

    /// With one more argument for `ringfence serve`.
    pub fn argument(mut self, argument: &str) -> Configuration {
        self.arguments.push(argument.to_owned());
        self
    }

    /// The file's text, for a gateway whose state lies in `folder`.
    pub fn render(&self, folder: &Path) -> String {
        let mut text = format!("state = {}\n{}\n", value(&json!(folder.join("state"))), self.top);
        text.push_str("[server]\naddress = \"127.0.0.1:0\"\n");
        for line in &self.server {
            writeln!(text, "{line}").ok();
        }
        // The system's durability: these tests start hundreds of gateways.
        let ledger = self.ledger.as_deref().unwrap_or("durability = \"system\"");
        let file = self.ledger_file.clone().unwrap_or_else(|| Self::ledger_in(folder));
        writeln!(text, "\n[ledger]\nfile = {}", value(&json!(file))).ok();
        writeln!(text, "{ledger}\n\n{}", self.sections).ok();
        let lists = [
            ("callers", self.callers.clone()),
            ("targets", self.targets.iter().map(|target| target.0.clone()).collect()),
            ("policies", self.policies.iter().map(|policy| policy.0.clone()).collect()),
        ];
        for (name, entries) in lists {
            for entry in entries {
                writeln!(text, "[[{name}]]").ok();
                for (key, member) in entry.as_object().into_iter().flatten() {
                    writeln!(text, "{key} = {}", value(member)).ok();
                }
                text.push('\n');
            }
        }
        text
    }

    /// Where the ledger of a gateway in `folder` lies.
    pub fn ledger_in(folder: &Path) -> PathBuf {
        folder.join("ledger.jsonl")
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        self.arguments.clone()
    }

    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }
}

impl Target {
    /// A service of the OpenAI dialect in the cloud. Its only model is `stand-in-1`.
    pub fn cloud(name: &str, upstream: &Upstream) -> Target {
        Target::at(name, "cloud", &upstream.url())
    }

    /// The same on the premises.
    pub fn premises(name: &str, upstream: &Upstream) -> Target {
        Target::at(name, "premises", &upstream.url())
    }

    /// A service of the OpenAI dialect at a base URL.
    pub fn at(name: &str, zone: &str, base_url: &str) -> Target {
        Target(json!({
            "name": name, "kind": "openai", "zone": zone, "region": "nowhere",
            "base_url": base_url, "models": ["stand-in-1"],
        }))
    }

    /// A service of the Anthropic dialect in the cloud.
    pub fn anthropic(name: &str, upstream: &Upstream) -> Target {
        Target(json!({
            "name": name, "kind": "anthropic", "zone": "cloud", "region": "nowhere",
            "base_url": format!("http://{}/v1", upstream.address()), "models": ["stand-in-claude"],
        }))
    }

    /// The model in the gateway's process; [`Configuration::section`] says which.
    pub fn local(name: &str) -> Target {
        Target(json!({"name": name, "kind": "local"}))
    }

    /// The model in the process that makes vectors.
    pub fn local_embedding(name: &str) -> Target {
        Target(json!({"name": name, "kind": "local-embedding"}))
    }

    /// With other members: `aliases`, `region`, `key_env`, ...
    pub fn with(mut self, more: Value) -> Target {
        merge(&mut self.0, more);
        self
    }
}

impl Policy {
    /// One that ships in the binary.
    pub fn embedded(name: &str) -> Policy {
        Policy(json!({"name": name, "embedded": name, "grants": ["text", "findings", "caller"]}))
    }

    /// A file.
    pub fn file(name: &str, path: impl AsRef<Path>) -> Policy {
        Policy(
            json!({"name": name, "file": path.as_ref(), "grants": ["text", "findings", "caller"]}),
        )
    }

    /// A guest of `tests/guests` under its own name.
    pub fn guest(guest: &str, config: Value) -> Policy {
        Policy::file(guest, guests::path(guest)).config(config)
    }

    /// The hostile guest, which does what `behave` says.
    pub fn hostile(behave: &str) -> Policy {
        Policy::guest("hostile", json!({"behave": behave}))
    }

    /// With its own table.
    pub fn config(self, config: Value) -> Policy {
        self.with(json!({"config": config}))
    }

    /// With `on_failure`.
    pub fn on_failure(self, what: &str) -> Policy {
        self.with(json!({"on_failure": what}))
    }

    /// With `mode = "monitor"`.
    pub fn monitored(self) -> Policy {
        self.with(json!({"mode": "monitor"}))
    }

    /// With other members.
    pub fn with(mut self, more: Value) -> Policy {
        merge(&mut self.0, more);
        self
    }
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        for (key, member) in more {
            match member {
                Value::Null => into.remove(&key),
                member => into.insert(key, member),
            };
        }
    }
}

/// JSON as TOML in one line.
fn value(json: &Value) -> String {
    match json {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, member)| format!("{} = {}", Value::from(key.as_str()), value(member)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
