//! A fresh, configured policy call: what each request pays for each policy.
//!
//! Every shipped policy over three requests: 1 KB with 2 findings, 32 KB with 20, and
//! 256 KB with 100; four targets each. One core: nothing runs beside it but the clock.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use ringfence_chat::{Dialect, Kind, Place, Request, Role, Segment, SegmentId};
use ringfence_fence::{Finding, Honours, Model, Target, Vitals, Zone};
use ringfence_policy::{Chain, Entities, Entry, Facts, Policy, Sandbox, SandboxConfig};

/// Size of the prompt in bytes, findings in it, and whether the policy sees its text.
const CASES: [(&str, usize, usize, bool); 4] = [
    ("1 KB, 2 findings", 1 << 10, 2, true),
    ("32 KB, 20 findings", 32 << 10, 20, true),
    ("256 KB, 100 findings", 256 << 10, 100, true),
    ("256 KB, 100 findings, no text", 256 << 10, 100, false),
];

fn judge(criterion: &mut Criterion) {
    let sandbox = Sandbox::new(SandboxConfig::default()).expect("a sandbox");
    let executor =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    for (file, bytes) in policies() {
        let mut group = criterion.benchmark_group(&file);
        for (name, size, count, text) in CASES {
            let mut entry = Entry::new(file.as_str());
            entry.grants.text = text;
            entry.grants.findings = Entities::Everything;
            entry.grants.caller = true;
            let policy: Policy = match sandbox.load(&entry, &bytes) {
                Ok(policy) => policy,
                // A policy that needs the text has no case without it.
                Err(_) => continue,
            };
            let chain = Chain::new(vec![Arc::new(policy)]);
            let (request, findings) = prompt(size, count);
            let targets = targets();
            let facts = Facts {
                request: &request,
                findings: &findings,
                caller: None,
                conversation: "c-0123456789abcdef",
                targets: &targets,
                now_ms: 1.7e12,
                seed: 7,
                latency_wanted_ms: None,
                budget_left: None,
                previous_target: None,
                scores: &[],
                models: None,
            };
            let verdict = executor.block_on(chain.judge(&facts)).remove(0);
            assert!(verdict.outcome.is_ok(), "{file}: {:?}", verdict.outcome);
            group.bench_function(name, |bencher| {
                bencher.iter(|| black_box(executor.block_on(chain.judge(&facts))));
            });
        }
        group.finish();
    }
}

/// The built components of the folder that `RINGFENCE_BENCH_POLICIES` names, or of the
/// shipped policies.
fn policies() -> Vec<(String, Vec<u8>)> {
    let folder = std::env::var_os("RINGFENCE_BENCH_POLICIES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/dist")),
        PathBuf::from,
    );
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder of policies")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            (name.unwrap_or_default(), std::fs::read(path).expect("a policy"))
        })
        .collect()
}

/// A conversation of one long message and a short one before it.
fn prompt(size: usize, count: usize) -> (Request, Vec<Finding>) {
    let mail = "jane.doe@example.com";
    let step = size / count;
    let mut text = String::with_capacity(size);
    let mut findings = Vec::new();
    for _ in 0..count {
        let start = text.len();
        text.push_str(mail);
        findings.push(Finding {
            segment: SegmentId(1),
            start: start as u32,
            end: text.len() as u32,
            entity: "EMAIL".into(),
            score: 1.0,
        });
        while text.len() < start + step {
            text.push_str(" the quick brown fox jumps over the lazy dog");
        }
    }
    let segment = |id: u32, role, text: String| Segment {
        id: SegmentId(id),
        turn: id,
        role,
        kind: Kind::Text,
        place: Place::Value(format!("/messages/{id}/content")),
        tool: None,
        media_type: None,
        readable: true,
        cached: false,
        text,
    };
    let segments = vec![
        segment(0, Role::System, "You answer in short sentences.".to_owned()),
        segment(1, Role::User, text),
    ];
    let mut request =
        Request::new("r-1".to_owned(), Dialect::OpenAiChat, serde_json::Value::Null, segments);
    request.model = Model::AUTO.to_owned();
    request.input_tokens = (size / 4) as u32;
    (request, findings)
}

fn targets() -> Vec<(Arc<Target>, Vitals)> {
    let target = |name: &str, zone, region: &str| Target {
        name: name.to_owned(),
        zone,
        region: region.to_owned(),
        attributes: vec![("retention".to_owned(), "zero".to_owned())],
        capabilities: vec![ringfence_chat::Capability::Tools],
        honours: Honours::Everything,
        context_tokens: 128_000,
        capacity: 16,
        models: vec![Model { name: "m".to_owned(), aliases: Vec::new() }],
        vectors_only: false,
        input_price: 2.5,
        output_price: 10.0,
    };
    [
        target("local", Zone::Process, ""),
        target("rack", Zone::Premises, "eu"),
        target("east", Zone::Cloud, "us"),
        target("west", Zone::Cloud, "eu"),
    ]
    .map(|target| (Arc::new(target), Vitals::default()))
    .into()
}

criterion_group!(benches, judge);
criterion_main!(benches);
