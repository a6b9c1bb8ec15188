//! What is loaded and what is refused, and why.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use ringfence_fence::{Inside, Mode, OnFailure, PolicyFailure};
use ringfence_policy::{Entry, LoadError, Sandbox, SandboxConfig, inspect};

use crate::guest::Guest;
use crate::house::{Case, SANDBOX, entry, load};

const CONTRACT: &str = include_str!("../../../../wit/policy.wit");

#[test]
fn what_is_no_component_is_told_apart() {
    let component = Guest::default().build();
    let module = wat::parse_str("(module)").unwrap();
    assert!(
        matches!(load(&module), Err(LoadError::NotComponent(why)) if why.contains("core module"))
    );
    for bytes in [&b""[..], b"\x7fELF", b"not at all", b"\0asm", b"\0asm\x0d\0\x01"] {
        assert!(matches!(load(bytes), Err(LoadError::NotComponent(_))), "{bytes:?}");
    }
    for length in [8, 20, component.len() / 2, component.len() - 1] {
        let refused = load(&component[..length]).expect_err("it loads");
        assert!(
            matches!(refused, LoadError::Damaged(_) | LoadError::NoJudge { .. }),
            "{length}: {refused}"
        );
    }
}

#[test]
fn foreign_files_are_told_by_their_beginning() {
    for (bytes, words) in [
        (&b""[..], "empty"),
        (b"\x1f\x8b\x08\0", "unpack"),
        (b"PK\x03\x04", "unpack"),
        (b"\x7fELF\x02\x01", "program for a machine"),
        (b"MZ\x90", "program for a machine"),
        (b"(module)", "wasm-tools parse"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"{\"name\": \"policy\"}", "no WebAssembly file"),
    ] {
        let refused = load(bytes).expect_err("it loads").to_string();
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

#[test]
fn another_version_of_the_contract_is_named() {
    for (version, served) in [("0.1.7", true), ("0.2.0", false), ("1.0.0", false)] {
        let package = format!("package ringfence:policy@{version}");
        let wit = CONTRACT.replace("package ringfence:policy@0.1.0", &package);
        let guest = Guest { wit: Some(wit), ..Guest::default() };
        match load(&guest.build()) {
            Ok(_) => assert!(served, "{version}"),
            Err(refused @ LoadError::Version { .. }) => {
                let told = refused.to_string();
                for word in [version, "serves 0.1.0", "version 0.1 of the SDK"] {
                    assert!(!served && told.contains(word), "{word}: {told}");
                }
            }
            Err(other) => panic!("{version}: {other}"),
        }
    }
}

#[test]
fn the_same_version_with_other_types_is_refused() {
    let wit = CONTRACT.replace("    cloud,\n  }", "    cloud,\n    orbit,\n  }");
    assert_ne!(wit, CONTRACT);
    let refused =
        load(&Guest { wit: Some(wit), ..Guest::default() }.build()).expect_err("it loads");
    assert!(matches!(refused, LoadError::Contract(_)), "{refused}");
}

#[test]
fn a_component_without_judge_tells_what_it_exports() {
    let bytes = wat::parse_str(
        r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
            (func (export "other") (canon lift (core func $i "f"))))"#,
    )
    .unwrap();
    let refused = load(&bytes).expect_err("it loads");
    assert_eq!(refused, LoadError::NoJudge { exports: vec!["other".to_owned()] });
}

#[test]
fn all_imports_that_are_not_given_are_listed() {
    let guest = Guest { world: "strangers", ..Guest::default() }.with(
        r#"(import "guest:worlds/strange" "strange" (func))
           (import "$root" "bare" (func))
           (import "ringfence:policy/log@0.1.0" "write" (func (param i32 i32 i32)))
           (import "ringfence:policy/state@0.1.0" "add" (func (param i32 i32 f64 i32) (result f64)))"#,
    );
    let bytes = guest.build();
    let Err(LoadError::Imports { ungranted, unknown }) = load(&bytes) else { panic!("it loads") };
    assert_eq!(ungranted, ["log", "state"]);
    assert_eq!(unknown.len(), 2, "{unknown:?}");
    assert!(
        unknown.iter().any(|name| name.contains("strange"))
            && unknown.iter().any(|name| name == "bare")
    );
    let mut entry = entry();
    (entry.grants.log, entry.grants.state) = (true, true);
    let Err(LoadError::Imports { ungranted, .. }) = SANDBOX.load(&entry, &bytes) else {
        panic!("it loads")
    };
    assert!(ungranted.is_empty());
}

#[test]
fn extra_exports_are_tolerated() {
    let guest = Guest { world: "more", ..Guest::default() }
        .with(r#"(func (export "guest:worlds/strange#strange")) (func (export "init"))"#);
    let policy = load(&guest.build()).expect("it loads");
    assert!(!policy.inspects());
}

/// A request that such a policy failed on would be answered, and nobody would look.
#[test]
fn what_inspects_answers_must_deny_or_only_watch() {
    let guest = Guest { world: "response-policy", ..Guest::default() }.with(
        r#"(func (export "ringfence:policy/response@0.1.0#inspect")
            (param i32) (result i32) unreachable)"#,
    );
    let bytes = guest.build();
    let confine = OnFailure::Confine(Inside::Process);
    for (mode, on_failure, loads) in [
        (Mode::Protect, OnFailure::Deny, true),
        (Mode::Protect, confine, false),
        (Mode::Monitor, confine, true),
    ] {
        let entry = Entry { mode, on_failure, ..entry() };
        match SANDBOX.load(&entry, &bytes) {
            Ok(policy) => assert!(loads && policy.inspects()),
            Err(error) => assert_eq!((error, loads), (LoadError::Unattended, false)),
        }
    }
}

#[test]
fn configure_that_fails_refuses_the_load() {
    assert_eq!(
        load(&Guest::configuring("unreachable").build()).expect_err("it loads"),
        LoadError::Configure(PolicyFailure::Trap)
    );
    // An error whose text is at 508, "seen".
    let refusing = "(i32.store8 (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (i32.const 508)) (i32.store (i32.const 24) (i32.const 4)) (i32.const 16)";
    assert_eq!(
        load(&Guest::configuring(refusing).build()).expect_err("it loads"),
        LoadError::Refused("seen".to_owned())
    );
}

#[test]
fn needs_that_are_not_granted_refuse_the_load() {
    // The first need is the string at 508, "seen", which no grant is called.
    let needing = "(i32.store (i32.const 36) (i32.const 116)) (i32.store (i32.const 40) (i32.const 1)) (i32.const 16)";
    assert_eq!(
        load(&Guest::configuring(needing).build()).expect_err("it loads"),
        LoadError::Needs(vec!["seen".to_owned()])
    );
}

#[test]
fn what_cannot_be_snapshotted_is_configured_every_time() {
    // Tables that change cannot be snapshotted. Judges only when it was configured.
    let configure = "(table.set $t (i32.const 0) (ref.func $f)) (i32.const 16)";
    let judge =
        "(if (ref.is_null (table.get $t (i32.const 0))) (then unreachable)) (i32.const 400)";
    let guest = Guest { configure: configure.to_owned(), ..Guest::judging(judge) }
        .with("(table $t 1 funcref) (func $f) (elem declare func $f)");
    let policy = Arc::new(load(&guest.build()).unwrap());
    assert!(!policy.snapshot);
    assert_eq!(policy.declaration.codes, ["no", "ok"]);
    for _ in 0..3 {
        assert!(Case::of(&["hello"]).judged(&policy).outcome.is_ok());
    }
}

#[test]
fn the_configuration_reaches_the_policy_as_it_is() {
    // Traps unless the configuration has the right length and last byte.
    let configure = "(if (i32.ne (local.get $bytes) (i32.const 17)) (then unreachable)) (if (i32.ne (i32.load8_u (i32.add (local.get $config) (i32.const 9))) (i32.const 0xc3)) (then unreachable)) (i32.const 16)";
    let bytes = Guest::configuring(configure).build();
    let mut entry = entry();
    entry.config = "{\"a\": \"\\n\u{e9}\\\\\"}".to_owned();
    assert_eq!(entry.config.len(), 15);
    entry.config.push_str("\n\t");
    assert!(SANDBOX.load(&entry, &bytes).unwrap().snapshot);
    entry.config.push(' ');
    assert!(SANDBOX.load(&entry, &bytes).is_err());
}

#[test]
fn compile_bombs_are_refused_soon() {
    let huge = format!("(func $huge {})", "(drop (i32.const 1))".repeat(600_000 / 3));
    let refused = load(&Guest::default().with(&huge).build()).expect_err("it loads");
    assert_eq!(refused, LoadError::TooComplex("a single function"));
    let many = "(func)".repeat(200_001);
    let refused = load(&Guest::default().with(&many).build()).expect_err("it loads");
    assert_eq!(refused, LoadError::TooComplex("functions"));
    // A short function whose variables join at the head of every loop.
    let locals = "(local i32)".repeat(1_000);
    let loops = format!("{}{}", "(loop ".repeat(300), ")".repeat(300));
    let joins = format!("(func $joins {locals} {loops})");
    let refused = load(&Guest::default().with(&joins).build()).expect_err("it loads");
    assert_eq!(refused, LoadError::TooComplex("local variables of a function"));
    let mut nested = String::from("(component ");
    nested.push_str(&"(component ".repeat(1_001));
    nested.push_str(&")".repeat(1_001));
    nested.push(')');
    assert!(matches!(
        wat::parse_str(&nested).map(|bytes| load(&bytes).expect_err("it loads")),
        Ok(LoadError::TooComplex(_) | LoadError::Damaged(_)) | Err(_)
    ));
}

#[test]
fn a_file_or_configuration_over_the_limit_is_refused() {
    let config = SandboxConfig { file_bytes: 100, instances: 4, ..SandboxConfig::default() };
    let sandbox = Sandbox::new(config).unwrap();
    let bytes = Guest::default().build();
    let refused = sandbox.load(&entry(), &bytes).expect_err("it loads");
    assert_eq!(refused, LoadError::TooLarge { bytes: bytes.len(), limit: 100 });
    let mut entry = entry();
    entry.config = " ".repeat(ringfence_policy::Entry::CONFIG_BYTES + 1);
    assert!(matches!(SANDBOX.load(&entry, &bytes), Err(LoadError::Entry(_))));
}

#[test]
fn a_load_that_takes_too_long_is_given_up() {
    // Within the static bounds, and slow to compile.
    let mut slow = String::from("(func $slow (param i32) (result i32) (local.get 0)");
    for index in 0..30_000 {
        slow.push_str(&format!("(local.get 0) (i32.const {index}) (i32.div_u) (i32.xor)"));
    }
    slow.push(')');
    let bytes = Guest::default().with(&slow).build();
    let config = SandboxConfig {
        instances: 4,
        load_within: Duration::from_millis(100),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::new(config).unwrap();
    let refused = sandbox.load(&entry(), &bytes).expect_err("it loads");
    assert_eq!(refused, LoadError::Slow(Duration::from_millis(100)));
    // The same file is not compiled twice at the same time.
    assert_eq!(sandbox.load(&entry(), &bytes).expect_err("it loads"), LoadError::Busy);
}

#[test]
fn a_compiled_policy_is_kept_and_never_trusted_blindly() {
    let root = tempfile::tempdir().unwrap();
    let cache = root.path().join("cache");
    let config =
        SandboxConfig { cache: Some(cache.clone()), instances: 8, ..SandboxConfig::default() };
    let bytes = Guest::default().build();
    let compiled = || -> Vec<_> {
        let mut files: Vec<_> = fs::read_dir(&cache)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "compiled"))
            .map(|path| (path.clone(), fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let case = Case::of(&["hello"]);
    let sandbox = Sandbox::new(config.clone()).unwrap();
    sandbox.load(&entry(), &bytes).unwrap();
    let first = compiled();
    assert_eq!(first.len(), 1);

    // A second start takes it as it is.
    let sandbox = Sandbox::new(config).unwrap();
    let written = fs::metadata(&first[0].0).unwrap().modified().unwrap();
    let policy = sandbox.load(&entry(), &bytes).unwrap();
    assert!(policy.snapshot && case.judged(&Arc::new(policy)).outcome.is_ok());
    assert_eq!(fs::metadata(&first[0].0).unwrap().modified().unwrap(), written);

    // One that somebody changed is compiled again.
    for at in [0, 20, 60, first[0].1.len() / 2, first[0].1.len() - 1] {
        let mut bad = first[0].1.clone();
        bad[at] ^= 1;
        fs::write(&first[0].0, &bad).unwrap();
        let policy = sandbox.load(&entry(), &bytes).unwrap();
        assert!(case.judged(&Arc::new(policy)).outcome.is_ok());
        assert_ne!(compiled()[0].1, bad, "byte {at}");
    }

    // Another configuration is another policy.
    let mut other = entry();
    other.config = "{\"a\":1}".to_owned();
    sandbox.load(&other, &bytes).unwrap();
    assert_eq!(compiled().len(), 2);
}

#[test]
fn an_inspection_tells_what_a_file_is() {
    let bytes = Guest { world: "logging", ..Guest::default() }
        .with(r#"(import "ringfence:policy/log@0.1.0" "write" (func (param i32 i32 i32)))"#)
        .build();
    let inspection = inspect(&bytes).unwrap();
    assert_eq!(inspection.contract.as_deref(), Some("0.1.0"));
    assert!(inspection.served);
    assert_eq!(inspection.bytes, bytes.len());
    assert_eq!(inspection.exports, ["ringfence:policy/judge@0.1.0"]);
    assert!(inspection.imports.contains(&"ringfence:policy/log@0.1.0".to_owned()));
    assert_eq!(inspection.version, None);
}
