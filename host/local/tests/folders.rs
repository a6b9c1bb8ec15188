//! Model folders that cannot be served: each fault names the file and what to do.

use std::path::{Path, PathBuf};

use ringfence_local::{DeviceChoice, Local, LocalConfig, LocalError, ModelSource, inspect};
use serde_json::{Value, json};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn config(folder: impl Into<PathBuf>) -> LocalConfig {
    LocalConfig {
        model: ModelSource::Folder(folder.into()),
        device: DeviceChoice::Cpu,
        ..LocalConfig::embedded()
    }
}

/// A copy of a fixture that a test may spoil.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(fixture(name)).expect("the fixture") {
        let path = entry.expect("an entry").path();
        let to = folder.path().join(path.file_name().expect("a name"));
        std::fs::copy(&path, to).expect("a copy");
    }
    folder
}

fn edit(folder: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let path = folder.join(file);
    let mut json: Value =
        serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    change(&mut json);
    std::fs::write(path, json.to_string()).expect("written");
}

/// Both ways in give the same fault, which names `file` and says `words`.
fn faulty(folder: &Path, file: &str, words: &[&str]) {
    let seen = inspect(&config(folder)).expect_err(file);
    let started = Local::start(&config(folder)).expect_err(file);
    for fault in [seen, started] {
        let text = fault.to_string();
        assert!(matches!(fault, LocalError::Model { .. }), "{text}");
        assert!(text.contains(&folder.join(file).display().to_string()), "{file}: {text}");
        for word in words {
            assert!(text.contains(word), "{file}: {word:?} is not in {text:?}");
        }
    }
}

#[test]
fn a_whole_folder_is_described() {
    let seen = inspect(&config(fixture("llama"))).expect("whole");
    assert_eq!((seen.model.as_str(), seen.device.as_str(), seen.trial), ("llama", "CPU", false));
    assert_eq!((seen.context_tokens, seen.max_output_tokens), (512, 512));
    // Worked out by hand from config.json.
    let layer = 64 * 64 * 2 + 2 * 32 * 64 + 3 * 112 * 64 + 2 * 64;
    assert_eq!(seen.parameters, 2 * 509 * 64 + 64 + 4 * layer);
    let tied = inspect(&config(fixture("tied-onekv"))).expect("whole");
    assert!(tied.parameters < seen.parameters * 4, "a shared weight counts once");
}

#[test]
fn missing_files() {
    for (fixture, file, words) in [
        ("llama", "config.json", "is missing; download"),
        ("llama", "tokenizer.json", "is missing; download"),
        ("llama", "model.safetensors", "is missing; download"),
        ("sharded", "model-00002-of-00002.safetensors", "index.json names it"),
    ] {
        let folder = copy(fixture);
        std::fs::remove_file(folder.path().join(file)).expect("removed");
        faulty(folder.path(), file, &[words]);
    }
    let folder = copy("tied-onekv");
    std::fs::remove_file(folder.path().join("chat_template.jinja")).expect("removed");
    edit(folder.path(), "tokenizer_config.json", |json| json["chat_template"] = Value::Null);
    faulty(folder.path(), "chat_template.jinja", &["is missing", "instruct"]);
    let folder = copy("llama");
    let weights = folder.path().join("model.safetensors");
    std::fs::rename(&weights, folder.path().join("pytorch_model.bin")).expect("renamed");
    faulty(folder.path(), "model.safetensors", &["pytorch_model.bin", "safetensors"]);
    let nowhere = inspect(&config(folder.path().join("nowhere"))).expect_err("no folder");
    assert!(nowhere.to_string().contains("nowhere: is not a folder"), "{nowhere}");
}

#[test]
fn files_that_are_something_else() {
    for file in ["config.json", "tokenizer.json", "generation_config.json", "tokenizer_config.json"]
    {
        let folder = copy("llama");
        std::fs::write(folder.path().join(file), "{ \"cut off").expect("written");
        faulty(folder.path(), file, &["is not"]);
    }
    let folder = copy("llama");
    std::fs::remove_file(folder.path().join("config.json")).expect("removed");
    std::fs::create_dir(folder.path().join("config.json")).expect("made");
    faulty(folder.path(), "config.json", &["not a regular file"]);
}

#[test]
fn unknown_models() {
    for (key, value, words) in [
        ("architectures", json!(["GPT2LMHeadModel"]), "`GPT2LMHeadModel`"),
        ("rope_scaling", json!({"rope_type": "longrope"}), "`longrope`"),
        ("hidden_act", json!("relu2"), "`relu2`"),
    ] {
        let folder = copy("llama");
        edit(folder.path(), "config.json", |json| json[key] = value);
        faulty(folder.path(), "config.json", &["unknown", words, "known:"]);
    }
}

#[test]
fn weights_that_do_not_fit() {
    let cases: [(&str, Value, &[&str]); 4] = [
        ("intermediate_size", json!(113), &["mlp.gate_proj", "[112, 64]", "[113, 64]"]),
        ("num_hidden_layers", json!(5), &["lacks", "model.layers.4.", "more"]),
        ("num_hidden_layers", json!(3), &["model.layers.3.", "does not use"]),
        ("attention_bias", json!(true), &["lacks", "self_attn.q_proj.bias"]),
    ];
    for (key, value, words) in cases {
        let folder = copy("llama");
        edit(folder.path(), "config.json", |json| json[key] = value);
        faulty(folder.path(), "model.safetensors", words);
    }
    let folder = copy("llama");
    edit(folder.path(), "config.json", |json| json["vocab_size"] = json!(400));
    faulty(folder.path(), "tokenizer.json", &["different models"]);
}

#[test]
fn broken_weight_files() {
    let whole = std::fs::read(fixture("llama").join("model.safetensors")).expect("the file");
    let mut longer = whole.clone();
    longer.push(0);
    let mut huge = whole.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut garbled = whole.clone();
    garbled[9] = b'!';
    for (name, bytes) in [
        ("empty", &[][..]),
        ("short", &whole[..4]),
        ("header", &whole[..100]),
        ("cut", &whole[..whole.len() - 1]),
        ("longer", &longer),
        ("huge", &huge),
        ("garbled", &garbled),
    ] {
        let folder = copy("llama");
        std::fs::write(folder.path().join("model.safetensors"), bytes).expect("written");
        eprintln!("{name}");
        faulty(folder.path(), "model.safetensors", &["is no whole safetensors file"]);
    }
}

#[test]
fn an_index_that_lies() {
    let index = "model.safetensors.index.json";
    let first = "model-00001-of-00002.safetensors";
    let folder = copy("sharded");
    edit(folder.path(), index, |json| json["weight_map"]["extra.weight"] = json!(first));
    faulty(folder.path(), first, &["`extra.weight`", "puts in it"]);
    let folder = copy("sharded");
    edit(folder.path(), index, |json| json["weight_map"]["lm_head.weight"] = json!("../x"));
    faulty(folder.path(), index, &["no file of this folder"]);
    let folder = copy("sharded");
    edit(folder.path(), index, |json| json["weight_map"] = Value::Null);
    faulty(folder.path(), index, &["lacks `weight_map`"]);
}

#[test]
fn a_missing_output_projection_means_tied() {
    let folder = copy("tied-onekv");
    edit(folder.path(), "config.json", |json| json["tie_word_embeddings"] = json!(false));
    let seen = inspect(&config(folder.path())).expect("tied anyway");
    assert_eq!(seen.parameters, inspect(&config(fixture("tied-onekv"))).expect("tied").parameters);
}

#[test]
fn bounds_only_lower_the_models_own() {
    let with = |context_tokens, max_output_tokens| {
        inspect(&LocalConfig { context_tokens, max_output_tokens, ..config(fixture("llama")) })
    };
    let seen = with(Some(100), Some(10)).expect("they fit");
    assert_eq!((seen.context_tokens, seen.max_output_tokens), (100, 10));
    for (context, output, key) in [
        (Some(513), None, "context_tokens"),
        (Some(0), None, "context_tokens"),
        (Some(100), Some(101), "max_output_tokens"),
        (None, Some(0), "max_output_tokens"),
    ] {
        let fault = with(context, output).expect_err(key);
        assert!(matches!(&fault, LocalError::Setting(text) if text.contains(key)), "{fault}");
    }
}

#[test]
fn no_device_serves_nothing() {
    let off = LocalConfig { device: DeviceChoice::None, ..config(fixture("llama")) };
    assert!(matches!(inspect(&off), Err(LocalError::Off)));
    assert!(matches!(Local::start(&off), Err(LocalError::Off)));
}

#[test]
fn every_choice_of_device_has_a_name() {
    for choice in DeviceChoice::ALL {
        assert_eq!(DeviceChoice::from_name(choice.name()), Some(choice));
    }
    assert_eq!(DeviceChoice::from_name("cuda"), None);
}
