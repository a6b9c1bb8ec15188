//! `[local.embedding]` and targets of its kind.

use ringfence_chat::Capability;
use ringfence_fence::Zone;

use super::*;

#[test]
fn a_target_of_vectors_needs_its_model_and_that_its_target() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../local/fixtures");
    let section =
        |more: &str| format!("[local.embedding]\nfolder = \"{fixtures}/embedder\"\n{more}");
    let target =
        |more: &str| format!("[[targets]]\nname = \"v\"\nkind = \"local-embedding\"\n{more}");
    let both = format!("{}{}", section("device = \"cpu\"\n"), target(""));
    // With a chat model beside it and alone.
    for text in [format!("{LOCAL}{both}"), both.clone()] {
        let config = read(&text).expect("a configuration");
        let embedding = config.embedding.expect("a model");
        assert_eq!((embedding.device.name(), embedding.queue), ("cpu", 64));
        let entry = config.targets.last().expect("a target");
        assert_eq!(entry.reach, Reach::Embedder);
        let target = &entry.target;
        assert_eq!((target.models[0].name.as_str(), target.context_tokens), ("embedder", 32));
        assert!(target.vectors_only && target.capabilities == [Capability::Embeddings]);
        assert_eq!((target.zone, target.capacity), (Zone::Process, 65));
    }
    let off = read(&format!("{}{}", section("device = \"none\"\n"), target(""))).expect("one");
    assert!(matches!(off.targets[0].reach, Reach::Lacking(_)) && off.embedding.is_none());

    let elsewhere = format!("[local.embedding]\nfolder = \"{fixtures}/tagger\"\n{}", target(""));
    for (text, line, says) in [
        (target(""), 1, "no model for it"),
        (section(""), 2, "no target serves it"),
        (format!("[local.embedding]\nqueue = 3\n{}", target("")), 1, "has no folder"),
        (format!("{}{}", section("queue = 0\n"), target("")), 3, "queue is 0"),
        (elsewhere, 2, "unknown architecture `BertForTokenClassification`"),
        (format!("{}{}", section(""), target("models = [\"a\", \"b\"]\n")), 3, "several names"),
        (
            format!(
                "{}{}",
                section(""),
                target("models = [{ name = \"a\", aliases = [\"b\"] }]\n")
            ),
            3,
            "several names",
        ),
        (format!("{}{}", section(""), target("zone = \"cloud\"\n")), 6, "zone \"cloud\""),
        (format!("{}{}", section(""), target("key_env = \"K\"\n")), 6, "has key_env"),
        (format!("{}{}", section(""), target("context_tokens = 8\n")), 6, "has context_tokens"),
    ] {
        wrong(&text, &[(line, says)]);
    }
    let unknown = read(&format!("{}{}", section("modle = 1\n"), target("")));
    let shown = unknown.map(|_| ()).expect_err("an unknown key").to_string();
    assert!(shown.contains("`modle`") && shown.contains("`folder`, `device`, `queue`"), "{shown}");
    let two = format!("{}{}{}", section(""), target(""), target("").replace("\"v\"", "\"w\""));
    wrong(&two, &[(6, "a second local one")]);
}
