//! From the text to a [`Config`]: each section in turn, then what must hold between them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ringfence_fence::Digest;
use ringfence_ledger::Durability;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::mistake::Mistakes;
use super::reader::{At, Reader};
use super::surroundings::Surroundings;
use super::words::word;
use super::{
    Config, Detection, Ledger, Server, admin, caller_keys, classifiers, detection, embedding,
    floor, limits, model, policies, raw, signing, targets,
};

/// Bytes of a configuration file at most.
pub const FILE_BYTES: u64 = 1 << 20;

/// What the text is taken from and with.
pub(super) struct Origin<'a> {
    /// The file, for messages.
    pub(super) file: Option<&'a Path>,
    /// What relative paths are relative to.
    pub(super) folder: &'a Path,
    /// Variables and key files.
    pub(super) surroundings: &'a Surroundings,
    /// What becomes of targets in the cloud.
    pub(super) cloud: Cloud,
}

/// What becomes of targets in the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cloud {
    /// They are on, and a key that is not set is a mistake.
    On,
    /// They are on where their keys are set.
    WhereKeysAreSet,
    /// They are off.
    Off,
}

const SECTIONS: [&str; 14] = [
    "state",
    "admin",
    "require_cases",
    "signatures",
    "server",
    "callers",
    "targets",
    "policies",
    "detect",
    "placeholders",
    "floor",
    "limits",
    "local",
    "ledger",
];

/// Resolves `text`.
pub(super) fn resolve(text: &str, origin: &Origin<'_>) -> Result<Config, Mistakes> {
    let file = origin.file.map(Path::to_path_buf);
    let mut reader = Reader::new(text, file.clone(), origin.folder.to_path_buf());
    let reader = &mut reader;
    let mut document = reader.document();
    for (key, value) in document.iter() {
        if !SECTIONS.contains(&key.get_ref().as_ref()) {
            let remedy = format!("the file has {}", SECTIONS.join(", "));
            reader.mistake(&key.span(), format!("unknown section `{}`", key.get_ref()), remedy);
        } else if matches!(key.get_ref().as_ref(), "callers" | "targets" | "policies" | "limits")
            && !value.get_ref().is_array()
        {
            let key = key.get_ref();
            reader.mistake(
                &value.span(),
                format!("{key} is not a list"),
                format!("write [[{key}]] with two brackets for each"),
            );
        }
    }

    let server: Option<raw::Server> = section(reader, &mut document, "server");
    let admin: Option<At<raw::Admin>> = section(reader, &mut document, "admin");
    let callers = entries(reader, &mut document, "callers");
    let target_list = entries(reader, &mut document, "targets");
    let policy_list = entries(reader, &mut document, "policies");
    let limits = entries(reader, &mut document, "limits");
    let detect: Option<raw::Detect> = section(reader, &mut document, "detect");
    let placeholders = section(reader, &mut document, "placeholders");
    let signatures: Option<raw::Signatures> = section(reader, &mut document, "signatures");
    let floor = section(reader, &mut document, "floor");
    let local_section: Option<raw::Local> = section(reader, &mut document, "local");
    let ledger = section(reader, &mut document, "ledger");
    let state = state(reader, document.remove("state"), origin.surroundings);
    let require_cases = require_cases(reader, document.remove("require_cases"));

    let server = server.unwrap_or_default();
    let address_span = server.address.as_ref().map(At::span);
    let server = listener(reader, server);
    let admin = admin.and_then(|admin| admin::resolve(reader, admin, &server));
    let names = targets::names(reader, &target_list);
    let target_count = target_list.len();
    let local = model::resolve(reader, local_section.as_ref(), &target_list);
    let raw::Local { embedding, classifiers, .. } = local_section.unwrap_or_default();
    let is_asked = policies::any_granted(&policy_list, "model");
    let embedding = embedding::resolve(reader, embedding, &target_list, is_asked);
    let classifiers = classifiers::resolve(reader, classifiers);
    let inside = targets::Inside { local: local.as_ref(), embedding: embedding.as_ref() };
    let targets = targets::resolve(reader, target_list, inside, origin);
    if target_count == 0 {
        reader.mistake_overall(
            "there is no target",
            "add a [[targets]] entry: a place that can answer",
        );
    }
    let anyone = callers.is_empty();
    let callers = caller_keys::resolve(reader, callers, &names);
    if anyone && !server.address.ip().is_loopback() {
        reader.mistake(
            &address_span.unwrap_or(0..0),
            format!(
                "{} can be reached from outside this machine, and there are no callers",
                server.address
            ),
            "add a [[callers]] entry (`ringfence key new` prints one), or listen on 127.0.0.1",
        );
    }
    let detection =
        detection::resolve(reader, detect.unwrap_or_default(), state.join(Detection::KEY));
    let policies = policies::resolve(reader, policy_list, require_cases, &detection);
    let shapes = detection::shapes(reader, placeholders.unwrap_or_default());
    let signatures = signing::resolve(reader, signatures.unwrap_or_default());
    let limits = limits::resolve(reader, limits, &callers);
    let floor = floor.map(|raw| floor::resolve(reader, raw)).unwrap_or_default();
    let ledger = books(reader, ledger.unwrap_or_default(), &state);

    let reader = std::mem::replace(reader, Reader::new("", None, PathBuf::new()));
    let warnings = reader.finish()?;
    Ok(Config {
        digest: digest(text, origin.cloud),
        file,
        server,
        admin,
        state,
        callers,
        targets,
        policies,
        signatures,
        detection,
        shapes,
        floor,
        limits,
        // A model that cannot run is not started: its target is listed as lacking it.
        local: local.filter(|model| model.description.is_ok()).map(|model| model.config),
        classifiers,
        embedding: embedding.filter(|model| model.description.is_ok()).map(|model| model.config),
        ledger,
        warnings,
    })
}

/// An entry of a list: its place, its name even when the rest is wrong, and the rest.
pub(super) struct Entry<T> {
    pub(super) span: std::ops::Range<usize>,
    pub(super) name: Option<At<String>>,
    pub(super) rest: Option<T>,
}

/// A duration in seconds within `bounds`.
pub(super) fn seconds(
    reader: &mut Reader<'_>,
    key: &str,
    given: Option<&At<i64>>,
    default: u64,
    bounds: std::ops::RangeInclusive<u64>,
) -> Duration {
    Duration::from_secs(reader.number(key, given, default, bounds))
}

fn section<'t, T: DeserializeOwned>(
    reader: &mut Reader<'t>,
    document: &mut DeTable<'t>,
    name: &str,
) -> Option<T> {
    let value = document.remove(name)?;
    reader.read(&format!("[{name}]"), value)
}

fn entries<'t, T: DeserializeOwned>(
    reader: &mut Reader<'t>,
    document: &mut DeTable<'t>,
    name: &str,
) -> Vec<Entry<T>> {
    let Some(DeValue::Array(array)) = document.remove(name).map(At::into_inner) else {
        return Vec::new();
    };
    let mut entries = Vec::new();
    for value in array {
        let span = value.span();
        let name_given = value
            .get_ref()
            .get("name")
            .and_then(|given| Some(At::new(given.span(), given.get_ref().as_str()?.to_owned())));
        let rest = reader.read(&format!("[[{name}]]"), value);
        entries.push(Entry { span, name: name_given, rest });
    }
    entries
}

fn state(
    reader: &mut Reader<'_>,
    given: Option<At<DeValue<'_>>>,
    surroundings: &Surroundings,
) -> PathBuf {
    if let Some(given) = given {
        return match given.get_ref().as_str() {
            Some(path) if !path.is_empty() => reader.path(path),
            _ => {
                reader.mistake(&given.span(), "state is no path", "give a folder in quotes");
                PathBuf::new()
            }
        };
    }
    surroundings.state_folder().unwrap_or_else(|| {
        reader.mistake_overall(
            "there is no folder for the ledger and the keys",
            "write state = \"FOLDER\" at the top of the file, or set HOME",
        );
        PathBuf::new()
    })
}

fn require_cases(reader: &mut Reader<'_>, given: Option<At<DeValue<'_>>>) -> bool {
    let Some(given) = given else { return false };
    given.get_ref().as_bool().unwrap_or_else(|| {
        reader.mistake(&given.span(), "require_cases is no yes or no", "write true or false");
        true
    })
}

fn listener(reader: &mut Reader<'_>, raw: raw::Server) -> Server {
    let mut server = Server::default();
    if let Some(given) = &raw.address {
        match given.get_ref().parse() {
            Ok(address) => server.address = address,
            Err(_) => reader.mistake(
                &given.span(),
                format!("address is \"{}\"", given.get_ref()),
                "give an IP address and a port: \"127.0.0.1:8080\"",
            ),
        }
    }
    let body = reader.number(
        "body_bytes",
        raw.body_bytes.as_ref(),
        server.body_bytes as u64,
        Server::BODY_BYTES,
    );
    server.body_bytes = usize::try_from(body).unwrap_or(usize::MAX);
    let bodies = reader.number(
        "bodies_bytes",
        raw.bodies_bytes.as_ref(),
        body.max(server.bodies_bytes as u64),
        Server::BODIES_BYTES,
    );
    server.bodies_bytes = usize::try_from(bodies).unwrap_or(usize::MAX);
    if let Some(given) = raw.bodies_bytes.as_ref().filter(|_| bodies < body) {
        reader.mistake(
            &given.span(),
            format!("bodies_bytes is {bodies}, which is less than one body may have"),
            "make it at least body_bytes",
        );
    }
    let connections = reader.number(
        "connections",
        raw.connections.as_ref(),
        server.connections as u64,
        Server::CONNECTIONS,
    );
    server.connections = usize::try_from(connections).unwrap_or(usize::MAX);
    server.answer_within = seconds(
        reader,
        "answer_within_seconds",
        raw.answer_within_seconds.as_ref(),
        server.answer_within.as_secs(),
        Server::SECONDS,
    );
    server.write_within = seconds(
        reader,
        "write_within_seconds",
        raw.write_within_seconds.as_ref(),
        server.write_within.as_secs(),
        Server::SECONDS,
    );
    server.drain_within = seconds(
        reader,
        "drain_within_seconds",
        raw.drain_within_seconds.as_ref(),
        server.drain_within.as_secs(),
        Server::SECONDS,
    );
    server
}

fn books(reader: &mut Reader<'_>, raw: raw::Ledger, state: &Path) -> Ledger {
    let file = match &raw.file {
        Some(given) => reader.path(given.get_ref()),
        None => state.join(Ledger::FILE),
    };
    let synced = word(
        reader,
        "durability",
        raw.durability.as_ref(),
        true,
        &[("synced", true), ("system", false)],
    );
    let group =
        reader.number("group_ms", raw.group_ms.as_ref(), Ledger::GROUP_MS, Ledger::GROUPS_MS);
    if let (false, Some(given)) = (synced, &raw.group_ms) {
        reader.mistake(
            &given.span(),
            "group_ms is given and durability is \"system\"",
            "leave group_ms out, or write durability = \"synced\"",
        );
    }
    let every = Duration::from_millis(group);
    let durability = if synced { Durability::Synced { every } } else { Durability::System };
    Ledger { file, durability }
}

fn digest(text: &str, cloud: Cloud) -> Digest {
    // The same text means two things: with the cloud and without.
    let suffix = if cloud == Cloud::WhereKeysAreSet { "\n# --cloud\n" } else { "" };
    Digest::of(format!("{text}{suffix}").as_bytes())
}
