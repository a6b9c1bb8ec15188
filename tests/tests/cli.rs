//! The command line, run as an operator runs it.

use std::path::Path;
use std::time::Instant;

use ringfence_tests::client::ask;
use ringfence_tests::{Configuration, Policy, Target, Upstream, guests, ringfence};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a configuration in it; the paths of both.
fn written(configuration: &Configuration) -> (TempDir, String) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ringfence.toml");
    std::fs::write(&file, configuration.render(folder.path())).expect("a file");
    let path = file.to_str().expect("a path").to_owned();
    (folder, path)
}

fn with_text(text: &str) -> (TempDir, String) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ringfence.toml");
    std::fs::write(&file, text).expect("a file");
    let path = file.to_str().expect("a path").to_owned();
    (folder, path)
}

#[test]
fn versions_and_help_are_there() {
    let version = ringfence(&["--version"]).succeeded().stdout;
    assert_eq!(version.trim(), format!("ringfence {}", env!("CARGO_PKG_VERSION")));
    let help = ringfence(&["--help"]).succeeded().stdout;
    for command in ["serve", "check", "explain", "config", "policy", "ledger", "demo"] {
        assert!(help.contains(command), "{command} is not in:\n{help}");
    }
    for wrong in [&["sreve"][..], &["serve", "--unheard-of"], &["policy"], &["explain"]] {
        let ran = ringfence(wrong);
        assert_eq!(ran.code, 2, "{wrong:?}: {}", ran.output());
        assert!(ran.stderr.contains("--help"), "{wrong:?}: {}", ran.output());
    }
}

#[test]
fn the_embedded_configuration_prints_and_checks() {
    let text = ringfence(&["config"]).succeeded().stdout;
    for word in ["[server]", "[[targets]]", "[[policies]]", "redact-pii", "[floor]"] {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
    let checked = ringfence(&["check"]).succeeded().stdout;
    for word in
        ["redact-pii", "keep-sensitive-local", "spill-to-cloud", "local", "off: nothing leaves"]
    {
        assert!(checked.contains(word), "{word} is not in:\n{checked}");
    }
}

#[test]
fn the_example_configuration_loads() {
    let example =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/gateway/ringfence.example.toml");
    let text = std::fs::read_to_string(&example).expect("the example is there");
    assert!(text.lines().filter(|line| line.starts_with('#')).count() > 40, "it is not commented");
    let folder = TempDir::new().expect("a folder");
    let keys = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY", "VLLM_API_KEY"];
    let keys: Vec<(&str, &str)> = keys.iter().map(|name| (*name, "sk-example")).collect();
    let example = example.to_str().expect("a path");
    let ran = ringfence_tests::ringfence_in(folder.path(), &keys, &["check", "--config", example]);
    ran.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_a_configuration_have_a_file_a_line_and_a_remedy() {
    let head = "[server]\naddress = \"127.0.0.1:0\"\n";
    let target = "[[targets]]\nname = \"cloud\"\nkind = \"openai\"\nzone = \"cloud\"\n\
        base_url = \"http://127.0.0.1:1/v1\"\nmodels = [\"m\"]\n";
    // text, line, words
    let table: [(String, usize, &[&str]); 13] = [
        ("address = [".into(), 1, &["TOML"]),
        (format!("{head}unheard_of = 1\n{target}"), 3, &["unheard_of"]),
        (format!("{head}[surver]\n{target}"), 3, &["surver"]),
        (format!("{head}body_bytes = \"big\"\n{target}"), 3, &["body_bytes"]),
        (format!("{head}body_bytes = -1\n{target}"), 3, &["body_bytes", "from"]),
        (format!("{head}[floor]\nwithin = \"moon\"\n{target}"), 4, &["moon", "premises"]),
        (format!("{target}key_env = \"UNSET_KEY\"\n{head}"), 7, &["UNSET_KEY"]),
        (format!("{target}{target}{head}"), 8, &["cloud"]),
        (
            format!("{target}{head}[[policies]]\nname = \"p\"\nfile = \"absent.wasm\"\n"),
            11,
            &["absent.wasm"],
        ),
        (
            format!("{target}{head}[[policies]]\nname = \"p\"\nembedded = \"unheard-of\"\n"),
            11,
            &["unheard-of", "redact-pii"],
        ),
        (
            format!(
                "{target}{head}[[policies]]\nname = \"p\"\nembedded = \"redact-pii\"\non_failure = \"allow\"\n"
            ),
            12,
            &["on_failure", "deny"],
        ),
        (format!("{target}[server]\naddress = \"0.0.0.0:0\"\n"), 8, &["callers"]),
        (
            format!(
                "{target}{head}[[callers]]\nname = \"a\"\ntenant = \"t\"\nkey_sha256 = \"sk-secret\"\n"
            ),
            12,
            &["key_sha256"],
        ),
    ];
    for (text, line, words) in table {
        let (folder, path) = with_text(&text);
        for command in ["check", "serve"] {
            let ran =
                ringfence_tests::ringfence_in(folder.path(), &[], &[command, "--config", &path]);
            let ran = ran.failed_with(words);
            let place = format!("ringfence.toml:{line}");
            assert!(
                ran.output().contains(&place),
                "{command}: no {place} in {}\n{text}",
                ran.output()
            );
            assert!(!ran.output().contains("sk-secret"), "{}", ran.output());
        }
    }
    ringfence(&["check", "--config", "absent.toml"]).failed_with(&["absent.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_that_cannot_be_loaded_are_named() {
    let model = TempDir::new().expect("a folder");
    let local = |path: &Path| {
        Configuration::new()
            .target(Target::local("local"))
            .section(&format!("[local]\ndevice = \"cpu\"\nmodel = {}", json!(path)))
    };
    let check = |path: &Path, words: &[&str]| {
        let (_folder, file) = written(&local(path));
        ringfence(&["check", "--config", &file]).failed_with(words);
    };
    check(Path::new("/nowhere/at/all"), &["/nowhere/at/all"]);
    check(model.path(), &["config.json"]);
    std::fs::write(model.path().join("config.json"), "{").expect("a file");
    check(model.path(), &["config.json"]);
    let config = json!({"architectures": ["MambaForCausalLM"], "model_type": "mamba"});
    std::fs::write(model.path().join("config.json"), config.to_string()).expect("a file");
    check(model.path(), &["MambaForCausalLM"]);
    let config = json!({
        "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 128,
        "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": 100,
        "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "hidden_act": "silu",
        "model_type": "llama", "num_key_value_heads": 4, "rope_theta": 10000.0,
    });
    std::fs::write(model.path().join("config.json"), config.to_string()).expect("a file");
    let (_folder, file) = written(&local(model.path()));
    let ran = ringfence(&["check", "--config", &file]);
    assert!(ran.code > 0, "{}", ran.output());
    let named = ["tokenizer.json", "safetensors"].iter().any(|file| ran.output().contains(file));
    assert!(named && !ran.output().contains("panicked"), "{}", ran.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_every_target_and_sends_nothing() {
    let cloud = Upstream::echo().await;
    let inside = Upstream::echo().await;
    let configuration = Configuration::both(&cloud, &inside)
        .policy(Policy::embedded("redact-pii"))
        .policy(Policy::embedded("keep-sensitive-local"))
        .caller_with("bound", "clinic", "rf-bound", json!({"targets": ["inside"]}))
        .caller("free", "clinic", "rf-free");
    let (folder, config) = written(&configuration);
    let request = folder.path().join("request.json");
    std::fs::write(&request, ask("I am bob.builder@example.org").to_string()).expect("a file");
    let request = request.to_str().expect("a path");

    let free = ["explain", request, "--config", &config, "--caller", "free"];
    let text = ringfence(&free).succeeded().stdout;
    for word in ["cloud", "inside", "redact-pii", "keep-sensitive-local", "EMAIL"] {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
    assert!(!text.contains("bob.builder@example.org"), "{text}");

    let bound = ["explain", request, "--config", &config, "--caller", "bound", "--json"];
    let json: Value = serde_json::from_str(&ringfence(&bound).succeeded().stdout).expect("JSON");
    let text = json.to_string();
    for word in ["cloud", "inside", "caller", "redact-pii"] {
        assert!(text.contains(word), "{word} is not in {text}");
    }

    ringfence(&["explain", request, "--config", &config, "--caller", "nobody"])
        .failed_with(&["nobody"]);
    std::fs::write(request, "{").expect("a file");
    ringfence(&free).failed_with(&["request.json"]);
    cloud.assert_untouched();
    inside.assert_untouched();
    assert!(!Configuration::ledger_in(folder.path()).exists(), "explaining wrote a ledger");
}

#[test]
fn inspecting_says_what_a_file_is() {
    let path = |name: &str| guests::path(name).to_str().expect("a path").to_owned();
    let good = ringfence(&["policy", "inspect", &path("tagged")]).succeeded().stdout;
    for word in ["digest", "ringfence:policy@0.1.0"] {
        assert!(good.contains(word), "{word} is not in:\n{good}");
    }
    ringfence(&["policy", "inspect", &path("wrong-version")]).failed_with(&["0.1.0"]);
    ringfence(&["policy", "inspect", "/bin/true"]).failed_with(&["/bin/true"]);
    ringfence(&["policy", "inspect", "/nowhere"]).failed_with(&["/nowhere"]);
}

#[test]
fn keys_are_made_and_hashed() {
    let made = ringfence(&["key", "new", "--tenant", "clinic"]).succeeded().output();
    for word in ["[[callers]]", "key_sha256", "clinic"] {
        assert!(made.contains(word), "{word} is not in:\n{made}");
    }
}

#[test]
fn the_demonstration_runs_without_a_key() {
    let begun = Instant::now();
    let shown = ringfence(&["demo"]).succeeded().stdout;
    println!("{shown}");
    println!("the demonstration took {:?}", begun.elapsed());
    // What was decided and why, what left, and what came back.
    for word in ["EMAIL", "confine", "refused", "local", "cloud"] {
        assert!(shown.to_lowercase().contains(&word.to_lowercase()), "{word} is not in:\n{shown}");
    }
}
