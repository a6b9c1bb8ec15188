//! What finding costs: clean text, text with findings, and text made to cost.
//!
//! `cargo bench -p ringfence-detect --bench read`. Costs per byte must not grow with
//! the size: that is what the sizes of each kind are for.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ringfence_detect::{Detector, HashKey, TermsBuilder, Vocabulary};

/// Text that people and programs write.
const PROSE: &str = "The committee met on Tuesday to discuss the budget for the coming year, and \
    agreed that the library should stay open until nine o'clock; nobody objected, although two \
    members had doubts about the cost of heating. A second point was the state of the roof. ";

const CODE: &str = "pub fn sum(values: &[u32]) -> u32 {\n    let mut total = 0;\n    for value in \
    values {\n        total += value; // wraps at 4294967296\n    }\n    std::cmp::max(total, 1)\n}\n";

const FOREIGN: &str = "Собрание прошло во вторник; обсуждали бюджет на следующий год. 会议于周二举行，\
    讨论了明年的预算。Die Sitzung fand am Dienstag statt, und es ging um die Heizkosten für Büros. ";

const FINDINGS: &str = "Write to jane.doe@example.org or call +49 30 901820; the card 4012 8888 8888 \
    1881 was charged from 203.0.113.77, and DE89 3704 0044 0532 0130 00 is the account. ";

/// Text that makes a family look, again and again.
const HOSTILE: [(&str, &str); 20] = [
    ("digits", "4 "),
    ("groups", "4012 8888 "),
    ("ats", "a@b."),
    ("colons", "1:a::"),
    ("keys", "sk-"),
    ("assignments", "password="),
    ("blocks", "-----BEGIN PRIVATE KEY-----\n"),
    ("escapes", "%25%34%31"),
    ("base64", "ZW5jb2RlZCB0ZXh0IG9mIG5vIGludGVyZXN0 "),
    ("addresses", "a://b:c"),
    ("tables", "row,token\n1,12345678\n"),
    ("elements", "<a <mrn></"),
    ("lists", ",token)VALUES("),
    ("questions", "account number?\n1"),
    ("names", "api_key_12"),
    ("codes", "ODk3ODc3NTcz 4012"),
    ("brackets", "12("),
    ("dates", "dob 1-"),
    ("glued", "is123456789 "),
    ("accounts", "iban D E 8 9 "),
];

fn texts(c: &mut Criterion) {
    let detector = Detector::new();
    let mut group = c.benchmark_group("text");
    for (name, text) in
        [("prose", PROSE), ("code", CODE), ("foreign", FOREIGN), ("findings", FINDINGS)]
    {
        for bytes in [1024, 32 * 1024, 256 * 1024] {
            let text = grown(text, bytes);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new(name, bytes), &text, |b, text| {
                b.iter(|| detector.text(black_box(text)));
            });
        }
    }
    group.finish();
}

fn hostile(c: &mut Criterion) {
    let detector = Detector::new();
    let mut group = c.benchmark_group("hostile");
    group.sample_size(10);
    for (name, text) in HOSTILE {
        for bytes in [16 * 1024, 256 * 1024] {
            let text = grown(text, bytes);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new(name, bytes), &text, |b, text| {
                b.iter(|| detector.text(black_box(text)));
            });
        }
    }
    group.finish();
}

/// The same clean text with a list of a million names to look for, and what reading the
/// list costs.
fn terms(c: &mut Criterion) {
    let detector = Detector::new();
    let with = detector.with(million());
    let mut group = c.benchmark_group("terms");
    group.sample_size(10);
    for (name, text) in [("prose", PROSE), ("code", CODE), ("foreign", FOREIGN)] {
        let text = grown(text, 256 * 1024);
        group.throughput(Throughput::Bytes(text.len() as u64));
        for (kind, detector) in [("none", &detector), ("million", &with)] {
            group.bench_with_input(BenchmarkId::new(name, kind), &text, |b, text| {
                b.iter(|| detector.text(black_box(text)));
            });
        }
    }
    group.bench_function("gather", |b| b.iter(million));
    group.finish();
}

fn million() -> Vocabulary {
    let mut terms = TermsBuilder::new(HashKey([1; 16]));
    terms.list("CUSTOMER", 0.9).expect("a list");
    for index in 0..1_000_000_u32 {
        let name = format!("name{} of{}", index.wrapping_mul(2_654_435_761), index % 1_009);
        terms.add(&name, false).expect("a term");
    }
    Vocabulary { terms: terms.build(), ..Vocabulary::default() }
}

fn start(c: &mut Criterion) {
    c.bench_function("start", |b| b.iter(Detector::new));
}

/// `text` again and again, cut between characters.
fn grown(text: &str, bytes: usize) -> String {
    let mut grown = text.repeat(bytes / text.len() + 1);
    grown.truncate(grown.floor_char_boundary(bytes));
    grown
}

criterion_group!(benches, texts, hostile, terms, start);
criterion_main!(benches);
