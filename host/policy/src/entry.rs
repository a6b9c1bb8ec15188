//! An entry: what the configuration says about one policy.

use std::time::Duration;

use ringfence_fence::{Mode, OnFailure};

use crate::declaration::Declaration;

/// What the configuration says about one policy: everything but its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Unique in the chain; what records, metrics and counters name.
    pub name: String,
    /// Whether its answers count.
    pub mode: Mode,
    /// What counts when it fails.
    pub on_failure: OnFailure,
    /// What it may see and call.
    pub grants: Grants,
    /// How much it may take.
    pub limits: Limits,
    /// Its own table of the configuration as JSON; `{}` without one. At most
    /// [`Entry::CONFIG_BYTES`].
    pub config: String,
}

impl Entry {
    /// The longest configuration of a policy.
    pub const CONFIG_BYTES: usize = 256 << 10;

    /// The entry that a name alone makes: protects, denies on failure, sees nothing
    /// but shapes.
    pub fn new(name: impl Into<String>) -> Entry {
        Entry {
            name: name.into(),
            mode: Mode::Protect,
            on_failure: OnFailure::Deny,
            grants: Grants::default(),
            limits: Limits::default(),
            config: "{}".to_owned(),
        }
    }
}

/// What a policy may see and call. What is not granted is absent, never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// The texts of segments.
    pub text: bool,
    /// What the detectors found.
    pub findings: Entities,
    /// Who asks.
    pub caller: bool,
    /// Lines in the operator's log. Whoever grants it accepts that these lines, and
    /// the texts of the policy's errors, may repeat what the policy has read.
    pub log: bool,
    /// Counters that outlive a request.
    pub state: bool,
    /// The models that read texts in this process, and the scores of those that the policy
    /// declares a need for.
    pub model: bool,
}

impl Grants {
    /// The names that a declaration may need and a configuration may grant.
    pub const NAMES: [&'static str; 6] = ["text", "findings", "caller", "log", "state", "model"];

    /// Whether the grant of that name is given. Unknown names are not. The scores of a
    /// classifier are covered by `model`.
    pub fn holds(&self, name: &str) -> bool {
        match name {
            "text" => self.text,
            "findings" => self.findings != Entities::Nothing,
            "caller" => self.caller,
            "log" => self.log,
            "state" => self.state,
            "model" => self.model,
            _ => self.model && name.starts_with(Declaration::SCORE),
        }
    }
}

/// Which findings a policy sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Entities {
    /// None: the list is absent.
    #[default]
    Nothing,
    /// All.
    Everything,
    /// Those of these entities; `SECRET` means every secret.
    Only(Vec<String>),
}

impl Entities {
    /// Whether findings of this entity are shown.
    pub fn shows(&self, entity: &str) -> bool {
        match self {
            Entities::Nothing => false,
            Entities::Everything => true,
            Entities::Only(entities) => entities.iter().any(|granted| {
                granted == entity || granted == "SECRET" && entity.starts_with("SECRET_")
            }),
        }
    }
}

/// How much one judgement may take. The defaults are the constants of this type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time that the policy may compute.
    pub deadline: Duration,
    /// Time that may pass until it answers, computing and sleeping together; and, before
    /// that, time that it may wait for a free sandbox.
    pub patience: Duration,
    /// Bytes of all its linear memories together.
    pub memory_bytes: usize,
    /// Elements of all its tables together.
    pub table_elements: usize,
    /// Core instances, and tables, of one instance of the policy.
    pub instances: usize,
    /// Linear memories of one instance of the policy.
    pub memories: usize,
    /// Findings that it is shown; a request with more fails the policy.
    pub findings: usize,
    /// Edits in its answer.
    pub edits: usize,
    /// Bytes of one string in its answer.
    pub string_bytes: usize,
    /// Bytes of its whole answer, before the host allocates them.
    pub answer_bytes: usize,
    /// Names in one list of its answer.
    pub names: usize,
    /// Calls to the host.
    pub calls: u32,
    /// Of these, calls to a model.
    pub model_calls: u32,
    /// Lines to the log; further lines are dropped.
    pub log_lines: u32,
    /// Time that `configure` may compute.
    pub configure_deadline: Duration,
}

impl Limits {
    /// Default of [`Limits::deadline`].
    pub const DEADLINE: Duration = Duration::from_millis(50);
    /// Default of [`Limits::patience`].
    pub const PATIENCE: Duration = Duration::from_secs(1);
    /// Default of [`Limits::memory_bytes`].
    pub const MEMORY_BYTES: usize = 64 << 20;
    /// Default of [`Limits::table_elements`], and the most that any entry may grant.
    pub const TABLE_ELEMENTS: usize = 64 << 10;
    /// Default of [`Limits::instances`]. Interpreted languages link dozens of core
    /// instances into one component.
    pub const INSTANCES: usize = 64;
    /// Default of [`Limits::memories`].
    pub const MEMORIES: usize = 4;
    /// Default of [`Limits::findings`].
    pub const FINDINGS: usize = 20_000;
    /// Default of [`Limits::edits`].
    pub const EDITS: usize = 20_000;
    /// Default of [`Limits::string_bytes`].
    pub const STRING_BYTES: usize = 4 << 10;
    /// Default of [`Limits::answer_bytes`].
    pub const ANSWER_BYTES: usize = 4 << 20;
    /// Default of [`Limits::names`].
    pub const NAMES: usize = 256;
    /// Default of [`Limits::calls`].
    pub const CALLS: u32 = 1_000;
    /// Default of [`Limits::model_calls`].
    pub const MODEL_CALLS: u32 = 16;
    /// Default of [`Limits::log_lines`].
    pub const LOG_LINES: u32 = 16;
    /// Default of [`Limits::configure_deadline`].
    pub const CONFIGURE_DEADLINE: Duration = Duration::from_secs(5);

    /// The most memory that any entry may grant: what a slot of the pool holds.
    pub const MEMORY_BYTES_MOST: usize = 1 << 30;
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            deadline: Limits::DEADLINE,
            patience: Limits::PATIENCE,
            memory_bytes: Limits::MEMORY_BYTES,
            table_elements: Limits::TABLE_ELEMENTS,
            instances: Limits::INSTANCES,
            memories: Limits::MEMORIES,
            findings: Limits::FINDINGS,
            edits: Limits::EDITS,
            string_bytes: Limits::STRING_BYTES,
            answer_bytes: Limits::ANSWER_BYTES,
            names: Limits::NAMES,
            calls: Limits::CALLS,
            model_calls: Limits::MODEL_CALLS,
            log_lines: Limits::LOG_LINES,
            configure_deadline: Limits::CONFIGURE_DEADLINE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_hold_only_what_they_name() {
        let none = Grants::default();
        let all = Grants {
            text: true,
            findings: Entities::Everything,
            caller: true,
            log: true,
            state: true,
            model: true,
        };
        for name in Grants::NAMES {
            assert!(!none.holds(name), "{name}");
            assert!(all.holds(name), "{name}");
        }
        assert!(all.holds("score:tone") && !none.holds("score:tone"));
        assert!(!all.holds("network"));
    }

    #[test]
    fn entities_narrow_findings() {
        assert!(!Entities::Nothing.shows("EMAIL"));
        assert!(Entities::Everything.shows("EMAIL"));
        let only = Entities::Only(vec!["EMAIL".to_owned()]);
        assert!(only.shows("EMAIL"));
        assert!(!only.shows("IBAN"));
        let secrets = Entities::Only(vec!["SECRET".to_owned()]);
        assert!(secrets.shows("SECRET") && secrets.shows("SECRET_JWT"));
        assert!(!secrets.shows("SECRETARY") && !secrets.shows("EMAIL"));
    }
}
