//! The table of hostile policies, row by row. Each row asserts five things through the real
//! binary (`ringfence_tests::siege`): how it fails, how long that takes, how much memory it
//! takes, that nothing went upstream, and that a neighbour is served meanwhile.
//!
//! [`judging`] are those that misbehave over a request, [`loading`] those that take the place
//! of a good policy in a gateway that serves, and [`ELSEWHERE`] names the tests of what is no
//! single file.

use std::path::Path;
use std::time::Duration;

use ringfence_tests::client::ask;
use ringfence_tests::guests::by_hand::Guest;
use ringfence_tests::siege::{EVIL_BYTES, Keep, Row, judges, misbehaving};
use ringfence_tests::{Configuration, Gateway, Policy, Upstream, guests, replace};
use serde_json::json;

/// Rows that other tests hold: the row, the file beside this one, and the test in it.
const ELSEWHERE: [(u32, &str, &str); 9] = [
    (10, "hostile.rs", "a_flood_of_log_lines_is_capped_and_escaped"),
    (12, "reload.rs", "a_broken_file_changes_nothing_and_is_loud"),
    (16, "rows.rs", "compiled_code_that_somebody_changed_is_not_run"),
    (16, "reload.rs", "a_policy_file_may_be_swapped_by_rename_copy_or_link"),
    (17, "reload.rs", "a_hundred_reloads_under_load_fail_nothing_and_mix_nothing"),
    (18, "hostile.rs", "no_state_goes_from_one_request_to_the_next"),
    (19, "canary.rs", "no_log_metric_error_or_record_holds_what_was_said"),
    (20, "rows.rs", "the_floor_wins_over_a_policy_that_wants_the_cloud"),
    (21, "hostile.rs", "names_that_would_break_a_header_are_refused"),
];

const SPIN: &str = "(loop $again (br $again))";
const LOG: &str =
    r#"(import "ringfence:policy/log@0.1.0" "write" (func $write (param i32 i32 i32)))"#;
const ADD: &str = r#"(import "ringfence:policy/state@0.1.0" "add" (func $add (param i32 i32 f64 i32) (result f64)))"#;
const SUBSCRIBE: &str = r#"(import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $subscribe (param i64) (result i32)))
    (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))"#;

/// A guest that does this over an evil request.
fn evil(what: &str) -> Guest {
    Guest::judging(&misbehaving(what))
}

/// A guest of a world with imports that does this over an evil request.
fn calling(world: &'static str, imports: &str, what: &str) -> Guest {
    Guest { world, ..evil(what) }.with(imports)
}

/// A guest whose allocator does this for the text of an evil request.
fn allocating(what: &str) -> Guest {
    let realloc = format!("(if (i32.eq (local.get $size) (i32.const {EVIL_BYTES})) (then {what}))");
    Guest { realloc: Box::leak(realloc.into_boxed_str()), ..Guest::default() }
}

/// A guest that answers evil requests with these words in its memory: the judgement's
/// result stands at 400, an edit at 600.
fn saying(words: &[(u32, i64)]) -> Guest {
    let store =
        |(at, value): &(u32, i64)| format!("(i32.store (i32.const {at}) (i32.const {value}))");
    let words: Vec<String> = words.iter().map(store).collect();
    evil(&format!("(drop (memory.grow (i32.const 900))) {}", words.join(" ")))
}

/// One edit of segment 0 from `start` to `end`, and what differs from that.
fn edit(start: i64, end: i64, more: &[(u32, i64)]) -> Guest {
    let mut words = vec![(424, 600), (428, 1), (604, start), (608, end), (612, 512), (616, 5)];
    words.extend_from_slice(more);
    saying(&words)
}

/// Rows that fail over a request. Failures are those of the ledger.
fn judging() -> Vec<Row> {
    const DEADLINE: &[&str] = &["deadline"];
    // Filling memory takes a slow machine longer than the deadline.
    const MEMORY: &[&str] = &["memory", "deadline"];
    const TRAP: &[&str] = &["trap"];
    const CALLS: &[&str] = &["calls"];
    const CONTRACT: &[&str] = &["nonsense: contract", "trap", "memory"];
    let post = format!(
        r#"(global $evil (mut i32) (i32.const 0))
           (func (export "cabi_post_ringfence:policy/judge@0.1.0#judge") (param i32)
               (if (global.get $evil) (then {SPIN})))"#
    );
    let fill = "(drop (memory.grow (i32.const 1000)))
        (loop $again (memory.fill (i32.const 131072) (i32.const 1) (i32.const 65000000)) (br $again))";
    let deep = "(func $deep (param i32) (result i32)
        (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))";
    let own = json!({"limits": {"deadline_ms": 400, "patience_ms": 4000}});
    let patience = json!({"limits": {"deadline_ms": 50, "patience_ms": 400}});
    let recursive = "(return (call $realloc (local.get $old) (local.get $was) (local.get $align) (local.get $size)))";
    let million = 1_000_000_000;
    vec![
        Row::new(1, "judge loops", &evil(SPIN), DEADLINE),
        Row::new(1, "cabi_realloc loops", &allocating(SPIN), DEADLINE),
        Row::new(
            1,
            "a post-return loops",
            &evil("(global.set $evil (i32.const 1))").with(&post),
            DEADLINE,
        ),
        Row::new(2, "a deadline of its own", &evil(SPIN), DEADLINE)
            .with(own)
            .at_least(Duration::from_millis(400)),
        Row::new(
            3,
            "sleeps a minute",
            &calling("sleeping", SUBSCRIBE, "(call $block (call $subscribe (i64.const 60000000000)))"),
            DEADLINE,
        )
        .with(patience)
        .at_least(Duration::from_millis(400)),
        Row::new(4, "fills its memory again and again", &evil(fill), MEMORY),
        Row::new(
            5,
            "grows memory",
            &evil("(loop $again (drop (memory.grow (i32.const 16))) (br $again))"),
            MEMORY,
        ),
        Row::new(
            6,
            "grows a table",
            &evil("(loop $again (drop (table.grow (ref.null func) (i32.const 4096))) (br $again))")
                .with("(table 1 funcref)"),
            MEMORY,
        ),
        Row::new(7, "10^9 edits", &saying(&[(424, 0), (428, million)]), CONTRACT),
        Row::new(7, "a code of 1 GB", &saying(&[(440, 0), (444, 1 << 30)]), CONTRACT),
        Row::new(7, "a code of 50 MB", &saying(&[(440, 131_072), (444, 50_000_000)]), CONTRACT),
        Row::new(7, "an error of 50 MB", &saying(&[(400, 1), (404, 131_072), (408, 50_000_000)]), CONTRACT),
        Row::new(7, "10^9 labels", &saying(&[(432, 0), (436, million)]), CONTRACT),
        Row::new(7, "10^9 targets", &saying(&[(404, 2), (408, 0), (412, million)]), CONTRACT),
        Row::new(
            7,
            "10^6 edits with 10^6 targets each",
            &saying(&[(424, 131_072), (428, 1_000_000), (131_104, 2), (131_108, 0), (131_112, 1_000_000)]),
            CONTRACT,
        ),
        Row::new(8, "a span past the end", &edit(0, 1_000_000, &[]), &["nonsense: span"]),
        Row::new(8, "an inverted span", &edit(3, 2, &[]), &["nonsense: span"]),
        // The text begins with a word, a space and a letter of two bytes.
        Row::new(8, "half a character", &edit(0, 13, &[]), &["nonsense: span"]),
        Row::new(
            8,
            "edits that overlap",
            &edit(0, 3, &[(428, 2), (644, 0), (648, 1), (652, 2), (656, 512), (660, 5)]),
            &["nonsense: overlap"],
        ),
        Row::new(8, "an unknown segment", &edit(0, 1, &[(600, 99)]), &["nonsense: segment"]),
        Row::new(8, "an unknown target", &saying(&[(404, 2), (408, 100), (412, 1)]), &["nonsense: target"]),
        Row::new(9, "recursion", &evil("(drop (call $deep (i32.const 0)))").with(deep), TRAP),
        Row::new(9, "recursion through cabi_realloc", &allocating(recursive), TRAP),
        Row::new(
            10,
            "floods the log",
            &calling(
                "logging",
                LOG,
                "(i32.store (i32.const 700) (i32.const 0x6d31335b)) (i32.store (i32.const 699) (i32.const 0x31335b1b))
                 (loop $again (call $write (i32.const 3) (i32.const 699) (i32.const 5)) (br $again))",
            ),
            CALLS,
        ),
        Row::new(
            10,
            "floods the standard output",
            &calling(
                "printing",
                r#"(import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
                   (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush" (func $print (param i32 i32 i32 i32)))"#,
                "(i32.store (i32.const 700) (call $stdout))
                 (loop $again (call $print (i32.load (i32.const 700)) (i32.const 512) (i32.const 16) (i32.const 720)) (br $again))",
            ),
            CALLS,
        ),
        Row::new(
            11,
            "counts 10^7 times",
            &calling(
                "counting",
                ADD,
                "(loop $again (drop (call $add (i32.const 500) (i32.const 2) (f64.const 1) (i32.const 60))) (br $again))",
            ),
            CALLS,
        ),
        Row::new(
            11,
            "leaks handles",
            &calling("sleeping", SUBSCRIBE, "(loop $again (drop (call $subscribe (i64.const 1))) (br $again))"),
            &["calls", "memory"],
        ),
        Row::new(19, "traps with the text in its memory", &evil("unreachable"), TRAP),
    ]
}

/// Rows that are refused at load, in a gateway that serves with a good policy. Failures are
/// words of its trouble.
fn loading() -> Vec<Row> {
    let start = format!("(func $spin {SPIN}) (start $spin)");
    let contract = include_str!("../../wit/policy.wit");
    let version = contract.replace("policy@0.1.0", "policy@0.2.0");
    let orbit = contract.replace("    cloud,\n  }", "    cloud,\n    orbit,\n  }");
    let of_wit = |wit: String| Guest { wit: Some(wit), ..Guest::default() };
    // Tables that change cannot be snapshotted, so that it is configured twice; the counter
    // tells it which time it is, and it declares one code or two.
    let differs = Guest {
        world: "counting",
        ..Guest::configuring(
            "(table.set $t (i32.const 0) (ref.func $f))
             (i32.store (i32.const 24) (i32.trunc_f64_s (call $add (i32.const 500) (i32.const 2) (f64.const 1) (i32.const 60))))
             (i32.const 16)",
        )
    }
    .with(ADD)
    .with("(table $t 1 funcref) (func $f) (elem declare func $f)");
    let good = Guest::default().build();
    let huge = format!("(func $huge {})", "(drop (i32.const 1))".repeat(200_000));
    let table = format!(
        "(func $table (param i32) (block $out (loop $again (br_table {}$again (local.get 0)))))",
        "$out ".repeat(300_000)
    );
    let joins = format!(
        "(func $joins {} {}{})",
        "(local i32)".repeat(1_000),
        "(loop ".repeat(300),
        ")".repeat(300)
    );
    let sockets = Guest { world: "sockets", ..Guest::default() }.with(
        r#"(import "wasi:sockets/instance-network@0.2.6" "instance-network" (func (result i32)))"#,
    );
    let strange = Guest { world: "stranger", ..Guest::default() }
        .with(r#"(import "guest:worlds/strange" "strange" (func))"#);
    let random: Vec<u8> =
        (0..100_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let random = [&good[..8], &random[..]].concat();
    vec![
        Row::new(
            1,
            "configure loops",
            &Guest::configuring(&format!("{SPIN} unreachable")),
            &["deadline"],
        ),
        Row::new(1, "a start function loops", &Guest::default().with(&start), &["deadline"]),
        Row::new(
            5,
            "4 GiB to start with",
            &Guest { pages: 65_536, ..Guest::default() },
            &["memory", "limits"],
        ),
        Row::new(
            6,
            "90 tables",
            &Guest::default().with(&"(table 1 funcref)".repeat(90)),
            &["tables", "memory"],
        ),
        Row::of_bytes(6, "10,000 tables", modules(&good, "(table 1 funcref)", 10_000), &["table"]),
        Row::of_bytes(
            6,
            "10,000 instances",
            instances(&good, 10_000),
            &["instances", "memory", "compile"],
        ),
        Row::of_bytes(6, "10,000 memories", modules(&good, "(memory 1)", 10_000), &["memories"]),
        Row::new(12, "traps in configure", &Guest::configuring("unreachable"), &["trap"]),
        Row::new(12, "declares something else each time", &differs, &["differs from call to call"]),
        Row::new(13, "an unknown interface", &strange, &["guest:worlds/strange"]),
        Row::new(13, "sockets", &sockets, &["wasi:sockets/instance-network"]),
        Row::of_bytes(
            14,
            "a core module",
            wat::parse_str("(module)").expect("a module"),
            &["core module"],
        ),
        Row::of_bytes(14, "half a file", good[..good.len() / 2].to_vec(), &["damaged"]),
        Row::of_bytes(14, "random bytes", random, &["damaged"]),
        Row::of_bytes(14, "no WebAssembly", b"hello".to_vec(), &["no WebAssembly file"]),
        Row::new(14, "another version", &of_wit(version), &["0.2.0"]),
        Row::new(14, "one more case of an enum", &of_wit(orbit), &["does not fit version 0.1.0"]),
        Row::new(15, "one huge function", &Guest::default().with(&huge), &["a single function"]),
        Row::new(
            15,
            "a huge br_table",
            &Guest::default().with(&table),
            &["a single function", "br_table"],
        ),
        Row::new(
            15,
            "200,001 functions",
            &Guest::default().with(&"(func)".repeat(200_001)),
            &["functions"],
        ),
        Row::new(
            15,
            "variables that join in loops",
            &Guest::default().with(&joins),
            &["local variables"],
        ),
        Row::of_bytes(
            15,
            "10,000 types inside each other",
            nested(&good, 10_000),
            &["damaged", "complex", "compile"],
        ),
        Row::of_bytes(15, "100,001 types", types(&good, 100_001), &["types", "damaged"]),
    ]
}

/// A component with these sections of WebAssembly text behind its own.
fn behind(component: &[u8], text: &str) -> Vec<u8> {
    let more = wat::parse_str(format!("(component {text})")).expect("sections");
    [component, &more[8..]].concat()
}

/// As many instances of its first module.
fn instances(component: &[u8], count: usize) -> Vec<u8> {
    let module = "(core module)";
    let text = format!("{module} {}", "(core instance (instantiate 0))".repeat(count));
    let with = wat::parse_str(format!("(component {text})")).expect("sections");
    let alone = wat::parse_str(format!("(component {module})")).expect("a section");
    [component, &with[alone.len()..]].concat()
}

/// A module with as many of these.
fn modules(component: &[u8], field: &str, count: usize) -> Vec<u8> {
    behind(component, &format!("(core module {})", field.repeat(count)))
}

fn types(component: &[u8], count: usize) -> Vec<u8> {
    behind(component, &"(type (list u8))".repeat(count))
}

/// Lists of lists, in a component inside it.
fn nested(component: &[u8], depth: usize) -> Vec<u8> {
    let lists: String = (0..depth).map(|index| format!("(type (list {index}))")).collect();
    behind(component, &format!("(component (type (list u8)) {lists})"))
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_misbehave_over_a_request() {
    for row in judging() {
        println!("row {}: {}", row.number, row.what);
        judges(&row).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_refused_while_a_good_policy_serves() {
    let keep = Keep::start().await;
    for row in loading() {
        println!("row {}: {}", row.number, row.what);
        let begun = std::time::Instant::now();
        keep.refuses(&row, replace).await;
        println!("  refused and mended in {:?}", begun.elapsed());
    }
}

/// Row 16: what stands in a policy's place and is no file that can be read.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_what_is_no_file() {
    let keep = Keep::start().await;
    let row = |what| Row::of_bytes(16, what, Guest::default().build(), &["row.wasm", "damaged"]);
    keep.refuses(&row("a pipe"), |file, _| {
        std::fs::remove_file(file).expect("a file");
        let made = std::process::Command::new("mkfifo").arg(file).status();
        assert!(made.is_ok_and(|status| status.success()));
    })
    .await;
    keep.refuses(&row("a device"), |file, _| {
        std::fs::remove_file(file).expect("a file");
        std::os::unix::fs::symlink("/dev/zero", file).expect("a link");
    })
    .await;
    keep.refuses(&row("a folder"), |file, _| {
        std::fs::remove_file(file).expect("a file");
        std::fs::create_dir(file).expect("a folder");
    })
    .await;
    keep.refuses(&row("a link to itself"), |file, _| {
        std::fs::remove_file(file).expect("a file");
        std::os::unix::fs::symlink(file, file).expect("a link");
    })
    .await;
    keep.refuses(&row("half of it written"), |file, good| {
        std::fs::write(file, &good[..good.len() / 3]).expect("a file");
    })
    .await;
    // Two writers rename over each other; the last one is no policy.
    keep.refuses(&row("a race of renames"), |file, good| {
        for round in 0..50 {
            replace(file, if round % 2 == 0 { good } else { &good[..good.len() / 2] });
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compiled_code_that_somebody_changed_is_not_run() {
    let cloud = Upstream::echo().await;
    let policy = Policy::guest("tagged", json!({"tag": "good"}));
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(policy));
    let compiled = |folder: &Path| -> Vec<std::path::PathBuf> {
        let files = std::fs::read_dir(folder.join("state/compiled")).expect("a folder");
        let files = files.map(|file| file.expect("a file").path());
        files.filter(|file| file.extension().is_some_and(|end| end == "compiled")).collect()
    };
    let folder = gateway.folder().to_owned();
    let files = compiled(&folder);
    assert!(!files.is_empty(), "nothing is kept");
    for file in &files {
        let mut bytes = std::fs::read(file).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0xcc);
        std::fs::write(file, bytes).expect("a file");
    }
    let gateway = gateway.restart().unwrap_or_else(|refused| panic!("{}", refused.output));
    let answer = gateway.chat(&ask("hello")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // It was compiled again, and kept.
    for file in compiled(&folder) {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(!bytes.windows(64).any(|window| window == [0xcc; 64]), "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_floor_wins_over_a_policy_that_wants_the_cloud() {
    let (cloud, inside) = (Upstream::echo().await, Upstream::echo().await);
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("row.wasm");
    // Only `cloud`, and that first.
    let wants = "(i32.store (i32.const 404) (i32.const 2)) (i32.store (i32.const 408) (i32.const 656)) (i32.store (i32.const 412) (i32.const 1))
        (i32.store (i32.const 416) (i32.const 656)) (i32.store (i32.const 420) (i32.const 1)) (i32.const 400)";
    let names =
        r#"(data (i32.const 656) "\98\02\00\00\05\00\00\00") (data (i32.const 664) "cloud")"#;
    std::fs::write(&file, Guest::judging(wants).with(names).build()).expect("a file");
    let configuration = |floor: &str| {
        Configuration::both(&cloud, &inside).policy(Policy::file("row", &file)).section(floor)
    };
    let gateway = Gateway::start(&configuration(""));
    assert_eq!(gateway.chat(&ask("hello")).await.target(), "cloud");
    let before = cloud.count();
    let gateway = Gateway::start(&configuration("[floor]\nwithin = \"premises\""));
    let answer = gateway.chat(&ask("hello")).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(cloud.count(), before);
    inside.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inspection_that_loops_ends_the_answer() {
    let cloud = Upstream::echo().await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("row.wasm");
    let guest = Guest { world: "response-policy", ..evil("(global.set $evil (i32.const 1))") }
        .with(&format!(
            r#"(global $evil (mut i32) (i32.const 0))
               (func (export "ringfence:policy/response@0.1.0#inspect") (param i32) (result i32)
                   (if (global.get $evil) (then {SPIN})) (i32.const 1024))"#
        ));
    std::fs::write(&file, guest.build()).expect("a file");
    let gateway = Gateway::start(&Configuration::cloud(&cloud).policy(Policy::file("row", &file)));
    let mut request = ask("hello");
    request["max_tokens"] = json!(13);
    let (evil, good) = tokio::join!(gateway.chat(&request), async {
        let honest = ask("honest");
        gateway.chat(&honest).await
    });
    assert!(evil.status >= 400 && !evil.text().contains("You wrote"), "{}", evil.text());
    assert_eq!(good.content(), "You wrote: honest");
}

#[test]
fn every_row_of_the_table_is_held() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (number, file, test) in ELSEWHERE {
        let text = std::fs::read_to_string(tests.join(file)).expect("a file of tests");
        assert!(text.contains(&format!("fn {test}")), "row {number}: no {test} in {file}");
    }
    let held: Vec<u32> = (judging().iter().chain(&loading()).map(|row| row.number))
        .chain(ELSEWHERE.map(|(number, ..)| number))
        .collect();
    for number in 1..=21 {
        assert!(held.contains(&number), "nothing holds row {number}");
    }
    assert!(guests::path("hostile").exists());
}
