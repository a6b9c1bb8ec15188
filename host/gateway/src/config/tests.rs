mod vectors;

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

/// A target and a model, so that what a test adds is all that can be wrong.
const LOCAL: &str = "[local]\nmodel = \"trial\"\n[[targets]]\nname = \"local\"\nkind = \"local\"\n";

fn surroundings() -> Surroundings {
    let variables = [("HOME", "/home/someone"), ("A_KEY", "sk-canary"), ("EMPTY", "")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Surroundings::Given(BTreeMap::from(variables))
}

fn read(text: &str) -> Result<Config, Mistakes> {
    Config::from_text(text, Path::new("/configuration"), &surroundings())
}

/// Reads `text`, which has the lines of [`LOCAL`] before it, and expects these mistakes:
/// a line of `text`, and words of what is wrong.
#[track_caller]
fn wrong(text: &str, expected: &[(usize, &str)]) {
    let offset = LOCAL.lines().count();
    let found = read(&format!("{LOCAL}{text}")).map(|_| ()).expect_err(text);
    let shown = found.to_string();
    assert_eq!(found.0.len(), expected.len(), "{text}\n{shown}");
    for (mistake, (line, words)) in found.0.iter().zip(expected) {
        assert_eq!(mistake.line, Some(line + offset), "{text}\n{shown}");
        assert!(mistake.to_string().contains(words), "{text}\n{shown}");
    }
}

#[test]
fn a_policy_file_that_is_not_there_counts_once_nothing_stands_in_for_it() {
    let text = format!("{LOCAL}[[policies]]\nname = \"a\"\nfile = \"no.wasm\"\n");
    let config = read(&text).expect("readable");
    let absent = config.policies[0].absent.as_ref().expect("a mistake in waiting");
    assert_eq!(absent.line, Some(LOCAL.lines().count() + 3));
    assert!(absent.to_string().contains("/configuration/no.wasm"), "{absent}");
}

#[test]
fn the_least_there_can_be() {
    let config = read(LOCAL).expect("a whole configuration");
    assert_eq!(config.server, Server::default());
    assert_eq!(config.state, Path::new("/home/someone/.local/state/ringfence"));
    assert_eq!(config.ledger.file, config.state.join("ledger.jsonl"));
    assert!(config.policies.is_empty() && config.callers.is_empty());
    assert_eq!(config.targets.len(), 1);
    assert_eq!(config.targets[0].target.models[0].name, "ringfence-trial");
    assert_eq!(config.floor, Floor::default());
}

#[test]
fn unknown_keys_show_each_with_its_line() {
    wrong("[server]\nadress = \"x\"\nbody_byte = 1\n", &[(2, "`adress`"), (3, "`body_byte`")]);
    wrong("[sever]\n", &[(1, "`sever`")]);
    wrong("[floor.unreadable]\nvideo = \"allow\"\n", &[(1, "image, audio, file and text")]);
    wrong(
        "[[policies]]\nname = \"a\"\nembedded = \"redact-pii\"\n[policies.limits]\nfuel = 3\n",
        &[(5, "`fuel`")],
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    wrong(
        "[server]\nconnections = 0\n[floor]\nwithin = \"moon\"\n[ledger]\ndurability = \"maybe\"\n",
        &[(2, "from 1 to"), (4, "\"process\" or \"premises\""), (6, "\"synced\" or \"system\"")],
    );
}

#[test]
fn names_that_are_not_there() {
    let caller = format!(
        "[[callers]]\nname = \"a\"\ntenant = \"t\"\nkey_sha256 = \"{}\"\ntargets = [\"local\", \"luna\"]\n",
        "0".repeat(64)
    );
    wrong(&caller, &[(5, "the targets are local")]);
    wrong("[[policies]]\nname = \"a\"\nembedded = \"nothing\"\n", &[(3, "redact-pii")]);
    wrong("[[policies]]\nname = \"a\"\nfolder = \"no\"\n", &[(3, "/configuration/no")]);
    wrong("[[policies]]\nname = \"a\"\n", &[(1, "has no source")]);
    wrong(
        "[[policies]]\nname = \"a\"\nembedded = \"redact-pii\"\ngrants = [\"clock\"]\n",
        &[(4, "text, findings, caller")],
    );
}

#[test]
fn only_folders_retire() {
    wrong(
        "[[policies]]\nname = \"a\"\nembedded = \"redact-pii\"\nretired = [\"b\"]\n",
        &[(4, "is no folder")],
    );
}

#[test]
fn names_that_are_there_twice() {
    let policy = "[[policies]]\nname = \"a\"\nembedded = \"redact-pii\"\n";
    wrong(&policy.repeat(2), &[(5, "two policies are named \"a\"")]);
    wrong(
        "[[targets]]\nname = \"local\"\nkind = \"openai\"\nbase_url = \"https://h/v1\"\nmodels = [\"m\"]\n",
        &[(2, "two targets are named \"local\"")],
    );
    let caller = |hash: &str| {
        let hash = hash.repeat(64);
        format!("[[callers]]\nname = \"a\"\ntenant = \"t\"\nkey_sha256 = \"{hash}\"\n")
    };
    wrong(&[caller("0"), caller("1")].concat(), &[(6, "two callers are named")]);
    let same = [caller("0"), caller("0").replace("\"a\"", "\"b\"")].concat();
    wrong(&same, &[(5, "the same key")]);
}

#[test]
fn digests_that_are_none() {
    wrong(
        "[[callers]]\nname = \"a\"\ntenant = \"t\"\nkey_sha256 = \"rf-canary\"\n",
        &[(4, "64 hexadecimal")],
    );
    wrong(
        "[[policies]]\nname = \"a\"\nembedded = \"redact-pii\"\ndigest = \"12\"\n",
        &[(4, "digest")],
    );
    let text = "[[callers]]\nname = \"a\"\ntenant = \"t\"\nkey_sha256 = \"rf-canary\"\n";
    let shown = read(&format!("{LOCAL}{text}")).expect_err("a key is no digest").to_string();
    assert!(!shown.contains("rf-canary"), "{shown}");
}

#[test]
fn keys_that_are_not_set() {
    let target = |keys: &str| {
        format!("[[targets]]\nname = \"o\"\nkind = \"openai\"\nmodels = [\"m\"]\n{keys}\n")
    };
    wrong(&target("key_env = \"NO_SUCH\""), &[(5, "NO_SUCH is not set")]);
    wrong(&target("key_env = \"EMPTY\""), &[(5, "EMPTY is not set")]);
    // A key in the wrong place is not repeated.
    wrong(&target("key_env = \"sk-proj-abc\""), &[(5, "that key_env should name is not set")]);
    wrong(&target("headers = \"Bearer sk-abc\""), &[(5, "invalid type: text")]);
    wrong(&target("key_file = \"no/key\""), &[(5, "/configuration/no/key")]);
    wrong(&target(""), &[(1, "has no key")]);
    let config = read(&format!("{LOCAL}{}", target("key_env = \"A_KEY\""))).expect("a key");
    assert!(
        matches!(&config.targets[1].reach, Reach::Http(connection) if connection.key.is_some())
    );
    assert!(!format!("{config:?}").contains("sk-canary"));
}

#[test]
fn key_files_are_read_and_open_ones_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("key"), "sk-canary\n").expect("written");
    let text = format!(
        "{LOCAL}[[targets]]\nname = \"o\"\nkind = \"openai\"\nmodels = [\"m\"]\nkey_file = \"key\"\n"
    );
    let read = || Config::from_text(&text, folder.path(), &surroundings());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path().join("key"), permissions).expect("set");
        };
        mode(0o644);
        let config = read().expect("a warning is no mistake");
        assert!(config.warnings[0].to_string().contains("chmod 600"), "{:?}", config.warnings);
        mode(0o600);
    }
    assert_eq!(read().expect("a key").warnings, []);
    std::fs::write(folder.path().join("key"), " \n").expect("written");
    assert!(read().expect_err("no key").to_string().contains("empty"));
    let large = "x".repeat(KEY_FILE_BYTES as usize + 1);
    std::fs::write(folder.path().join("key"), large).expect("written");
    assert!(read().expect_err("too large").to_string().contains("larger"));
}

#[test]
fn zones_fit_kinds() {
    wrong(
        "[[targets]]\nname = \"o\"\nkind = \"openai\"\nzone = \"process\"\nbase_url = \"https://h\"\nmodels = [\"m\"]\n",
        &[(4, "answers over HTTP")],
    );
    wrong(
        "[[targets]]\nname = \"o\"\nkind = \"openai\"\nzone = \"premises\"\nmodels = [\"m\"]\n",
        &[(1, "has no base_url")],
    );
    wrong(
        "[[targets]]\nname = \"o\"\nkind = \"openai\"\nzone = \"premises\"\nbase_url = \"https://api.openai.com/v1\"\nmodels = [\"m\"]\n",
        &[(5, "write zone = \"cloud\"")],
    );
    wrong(
        "[[targets]]\nname = \"two\"\nkind = \"local\"\nzone = \"cloud\"\nkey_env = \"A_KEY\"\n",
        &[(1, "a second local one"), (4, "leave zone out"), (5, "has key_env")],
    );
}

#[test]
fn addresses_of_services() {
    for (url, words) in [
        ("http://api.example.com/v1", "plain http"),
        ("ftp://api.example.com", "is no URL"),
        ("https://user:secret@h/v1", "a user, a query"),
        ("https://h/v1?key=1", "a user, a query"),
        ("nonsense", "is no URL"),
    ] {
        let text = format!(
            "{LOCAL}[[targets]]\nname = \"o\"\nkind = \"openai\"\nbase_url = \"{url}\"\nmodels = [\"m\"]\n"
        );
        let shown = read(&text).expect_err(url).to_string();
        assert!(shown.contains(words), "{url}: {shown}");
    }
    for url in ["http://127.0.0.1:9/v1", "http://[::1]:9", "http://localhost:9", "https://h/v1/"] {
        let text = format!(
            "{LOCAL}[[targets]]\nname = \"o\"\nkind = \"openai\"\nbase_url = \"{url}\"\nmodels = [\"m\"]\n"
        );
        assert!(read(&text).is_ok(), "{url}");
    }
}

#[test]
fn headers_carry_no_key_and_no_line_break() {
    for (header, words) in [
        ("authorization = \"Bearer x\"", "not for the configuration"),
        ("x-y = \"a\\r\\nb: c\"", "is no header"),
        ("\"a b\" = \"c\"", "is no header"),
    ] {
        wrong(
            &format!(
                "[[targets]]\nname = \"o\"\nkind = \"openai\"\nbase_url = \"https://h\"\nmodels = [\"m\"]\nheaders = {{ {header} }}\n"
            ),
            &[(6, words)],
        );
    }
}

#[test]
fn an_open_address_needs_callers() {
    wrong("[server]\naddress = \"0.0.0.0:8080\"\n", &[(2, "there are no callers")]);
    wrong("[server]\naddress = \"localhost\"\n", &[(2, "127.0.0.1:8080")]);
    let config = read(LOCAL).expect("a configuration");
    assert!(config.clone().at(([0, 0, 0, 0], 80).into()).is_err());
    assert!(config.at(([127, 0, 0, 1], 80).into()).is_ok());
    let caller = format!(
        "{LOCAL}[server]\naddress = \"[::]:8080\"\n[[callers]]\nname = \"a\"\ntenant = \"t\"\nkey_sha256 = \"{}\"\n",
        "0".repeat(64)
    );
    assert!(read(&caller).is_ok());
}

#[test]
fn a_local_target_needs_a_model_and_a_model_a_target() {
    let shown = |text: &str| read(text).map(|_| ()).expect_err(text).to_string();
    let target = "[[targets]]\nname = \"local\"\nkind = \"local\"\n";
    assert!(shown(target).contains("model = \"trial\""));
    assert!(
        shown(&format!("{target}[local]\ndevice = \"cpu\"\n")).contains("[local] has no model")
    );
    assert!(
        shown(&format!("{target}[local]\nmodel = \"nowhere\"\n"))
            .contains("/configuration/nowhere")
    );
    let cloud =
        "[[targets]]\nname = \"o\"\nkind = \"openai\"\nkey_env = \"A_KEY\"\nmodels = [\"m\"]\n";
    assert!(shown(&format!("{cloud}[local]\nmodel = \"trial\"\n")).contains("no target serves it"));
    assert!(shown("").contains("there is no target"));
}

#[test]
fn without_a_device_the_target_lacks_it_and_nothing_is_wrong() {
    let text = LOCAL.replace("model = \"trial\"", "model = \"trial\"\ndevice = \"none\"");
    let config = read(&text).expect("an operator may want no model");
    assert!(matches!(config.targets[0].reach, Reach::Lacking(_)));
    assert_eq!(config.local, None);
}

#[test]
fn models_and_aliases() {
    let target = |models: &str| {
        format!(
            "[[targets]]\nname = \"o\"\nkind = \"openai\"\nbase_url = \"https://h\"\nmodels = {models}\n"
        )
    };
    wrong(&target("[\"auto\"]"), &[(5, "leaves the choice")]);
    wrong(
        &target("[\"a\", { name = \"b\", aliases = [\"a\"] }]"),
        &[(5, "two models named \"a\"")],
    );
    wrong(&target("[\"with space\"]"), &[(5, "visible ASCII")]);
    wrong(&target("[]"), &[(5, "has no models")]);
    wrong(&target("[{ nmae = \"a\" }]"), &[(5, "a model is a name")]);
    let text = format!("{LOCAL}{}", target("[\"a\", { name = \"b\", aliases = [\"c\"] }]"));
    let config = read(&text).expect("models");
    let target = &config.targets[1].target;
    assert_eq!(target.model_for("c").map(|model| model.name.as_str()), Some("b"));
    assert_eq!(target.model_for("auto").map(|model| model.name.as_str()), Some("a"));
}

#[test]
fn policies_resolve() {
    let config = read(&format!(
        "{LOCAL}{}",
        r#"
[[policies]]
name = "first"
embedded = "redact-pii"
mode = "monitor"
on_failure = "confine-premises"
grants = ["text", "caller"]
findings = ["EMAIL"]
[policies.limits]
deadline_ms = 7
[policies.config]
words = ["a", "b"]
since = 2026-01-02
share = 0.5
"#
    ))
    .expect("a policy");
    let policy = &config.policies[0];
    assert_eq!(policy.mode, Mode::Monitor);
    assert_eq!(policy.on_failure, OnFailure::Confine(ringfence_fence::Inside::Premises));
    assert!(policy.grants.text && policy.grants.caller && !policy.grants.log);
    assert_eq!(policy.grants.findings, ringfence_policy::Entities::Only(vec!["EMAIL".into()]));
    assert_eq!(policy.limits.deadline, Duration::from_millis(7));
    assert_eq!(policy.limits.patience, Limits::PATIENCE);
    assert_eq!(policy.config, r#"{"share":0.5,"since":"2026-01-02","words":["a","b"]}"#);
}

#[test]
fn what_is_not_toml_shows_its_line() {
    wrong("[server\n", &[(1, "not TOML")]);
}

#[test]
fn floors_are_for_all_kinds_or_for_each() {
    let floor = |text: &str| read(&format!("{LOCAL}[floor]\n{text}")).expect(text).floor;
    let all = floor("unreadable = \"allow\"\nwithin = \"premises\"");
    assert_eq!(all.within, ringfence_fence::Zone::Premises);
    assert_eq!([all.image, all.audio, all.file, all.text], [ringfence_fence::Unreadable::Allow; 4]);
    let one = floor("unreadable = { audio = \"allow\" }");
    assert_eq!(one, Floor { audio: ringfence_fence::Unreadable::Allow, ..Floor::default() });
}

#[test]
fn the_embedded_configuration_resolves_with_and_without_the_cloud() {
    let embedded = |cloud| {
        resolve(
            Config::EMBEDDED,
            &Origin {
                file: None,
                folder: Path::new("/"),
                surroundings: &Surroundings::Given(BTreeMap::from([
                    ("HOME".to_owned(), "/home/someone".to_owned()),
                    ("OPENAI_API_KEY".to_owned(), "sk-canary".to_owned()),
                ])),
                cloud,
            },
        )
        .expect("the embedded configuration")
    };
    let lacking = |config: &Config| -> Vec<String> {
        let reach = |entry: &TargetEntry| match &entry.reach {
            Reach::Lacking(what) => format!("{}: {what}", entry.target.name),
            _ => entry.target.name.clone(),
        };
        config.targets.iter().skip(1).map(reach).collect()
    };
    let off = embedded(Cloud::Off);
    assert_eq!(lacking(&off), ["openai: off: pass --cloud", "anthropic: off: pass --cloud"]);
    let on = embedded(Cloud::WhereKeysAreSet);
    assert_eq!(lacking(&on), ["openai", "anthropic: ANTHROPIC_API_KEY is not set"]);
    assert_ne!(on.digest, off.digest);
    assert_eq!(off.server.address, ([127, 0, 0, 1], 8080).into());
    let names: Vec<&str> = off.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["redact-pii", "keep-sensitive-local", "spill-to-cloud"]);
}

#[test]
fn the_example_resolves_and_names_every_key() {
    let example = include_str!("../../ringfence.example.toml");
    let surroundings = Surroundings::Given(BTreeMap::from([
        ("OPENAI_API_KEY".to_owned(), "sk-canary".to_owned()),
        ("ANTHROPIC_API_KEY".to_owned(), "sk-canary".to_owned()),
    ]));
    let config = Config::from_text(example, Path::new("/configuration"), &surroundings)
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(config.state, Path::new("/configuration/state"));
    assert_eq!(config.callers.len(), 2);
    assert_eq!(config.targets.len(), 4);
    // The keys that the file format has are the fields of its types.
    let raw = include_str!("raw.rs");
    for line in raw.lines().filter_map(|line| line.trim().strip_prefix("pub(super) ")) {
        let Some((key, _)) = line.split_once(": ") else { continue };
        assert!(example.contains(key), "{key} is not in the example");
    }
    for (limit, ..) in policies::LIMITS {
        assert!(example.contains(limit), "{limit} is not in the example");
    }
}

#[test]
fn large_and_odd_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ringfence.toml");
    let shown = |file: &Path| Config::load(file).map(|_| ()).expect_err("refused").to_string();
    assert!(shown(&file).contains("cannot be read"));
    assert!(shown(folder.path()).contains("no regular file"));
    std::fs::write(&file, vec![b'#'; FILE_BYTES as usize + 1]).expect("written");
    assert!(shown(&file).contains("larger than"));
    std::fs::write(&file, b"a = 1\n\xff").expect("written");
    assert!(shown(&file).contains("line 2 is not UTF-8"));
}

#[test]
fn words_may_be_numbers_and_truths() {
    let words = "attributes = { quality = 3, baa = true, retention = \"zero\", share = 0.5 }";
    let config = read(&format!("{LOCAL}{words}\n")).expect("words");
    let attributes: Vec<(&str, &str)> = (config.targets[0].target.attributes.iter())
        .map(|(key, word)| (key.as_str(), word.as_str()))
        .collect();
    assert_eq!(
        attributes,
        [("baa", "true"), ("quality", "3"), ("retention", "zero"), ("share", "0.5")]
    );
    wrong("attributes = { list = [1] }\n", &[(1, "`list` is no word")]);
}

#[test]
fn bounds_hold_at_their_edges() {
    let number = |key: &str, number: u64| read(&format!("{LOCAL}[server]\n{key} = {number}\n"));
    for (key, bounds) in [
        ("body_bytes", Server::BODY_BYTES),
        ("connections", Server::CONNECTIONS),
        ("answer_within_seconds", Server::SECONDS),
        ("write_within_seconds", Server::SECONDS),
        ("drain_within_seconds", Server::SECONDS),
    ] {
        assert!(
            number(key, *bounds.start()).is_ok() && number(key, *bounds.end()).is_ok(),
            "{key}"
        );
        assert!(number(key, bounds.start() - 1).is_err(), "{key}");
        assert!(number(key, bounds.end() + 1).is_err(), "{key}");
    }
    let bodies = |one: u64, all: u64| {
        read(&format!("{LOCAL}[server]\nbody_bytes = {one}\nbodies_bytes = {all}\n"))
    };
    assert!(bodies(1024, 1024).is_ok() && bodies(1024, *Server::BODIES_BYTES.end()).is_ok());
    assert!(bodies(1025, 1024).is_err() && bodies(1024, Server::BODIES_BYTES.end() + 1).is_err());
    let roomy = number("body_bytes", *Server::BODY_BYTES.end()).expect("a body of 1 GiB");
    assert!(roomy.server.bodies_bytes >= roomy.server.body_bytes);
    for (limit, bounds, _) in policies::LIMITS {
        let limited = |number: u64| {
            read(&format!(
                "{LOCAL}[[policies]]\nname = \"a\"\nembedded = \"redact-pii\"\nlimits = {{ {limit} = {number} }}\n"
            ))
        };
        assert!(limited(*bounds.start()).is_ok() && limited(*bounds.end()).is_ok(), "{limit}");
        assert!(limited(bounds.end() + 1).is_err(), "{limit}");
    }
    assert!(is_name(&"n".repeat(NAME_BYTES)) && !is_name(&"n".repeat(NAME_BYTES + 1)));
    assert!(!is_name("") && !is_name("a b") && !is_name("a\r\nb"));
    let model = |bytes: usize| {
        let name = "m".repeat(bytes);
        read(&LOCAL.replace("kind", &format!("models = [\"{name}\"]\nkind")))
    };
    assert!(model(served::MODEL_NAME_BYTES).is_ok());
    assert!(model(served::MODEL_NAME_BYTES + 1).is_err());
    let headers = |count: usize| {
        let headers: Vec<String> = (0..count).map(|index| format!("x-{index} = \"1\"")).collect();
        read(&format!(
            "{LOCAL}[[targets]]\nname = \"o\"\nkind = \"openai\"\nbase_url = \"https://h\"\nmodels = [\"m\"]\nheaders = {{ {} }}\n",
            headers.join(", ")
        ))
    };
    assert!(headers(connections::HEADERS).is_ok() && headers(connections::HEADERS + 1).is_err());
    let config = |bytes: usize| {
        let text = "t".repeat(bytes);
        read(&format!(
            "{LOCAL}[[policies]]\nname = \"a\"\nembedded = \"redact-pii\"\nconfig = {{ t = \"{text}\" }}\n"
        ))
    };
    let around = "{\"t\":\"\"}".len();
    let most = ringfence_policy::Entry::CONFIG_BYTES - around;
    assert!(config(most).is_ok() && config(most + 1).is_err());
}
