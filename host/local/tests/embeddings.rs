//! The model of vectors as the rest of the house sees it: departures in, chunks out.

use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::join_all;
use ringfence_chat::{
    Capability, Dialect, Event, Kind, Part, Place, Request, Role, Segment, SegmentId, Turn, Usage,
    Vector, VectorForm,
};
use ringfence_fence::{
    Caller, CannotDepart, Clearance, Departure, Failure, FailureKind, Floor, Honours,
    Model as Served, Placeholders, Provider, Target, Zone,
};
use ringfence_local::{DeviceChoice, Embedder, EncoderConfig};
use serde_json::{Value, json};

fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/embedder")
}

fn start(folder: &Path, queue: usize) -> Embedder {
    let config = EncoderConfig { folder: folder.to_owned(), device: DeviceChoice::Cpu, queue };
    Embedder::start(&config).expect("the fixture starts")
}

/// The fixture with more keys in its `config.json`.
fn changed(more: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("1_Pooling")).expect("a folder");
    for file in [
        "tokenizer.json",
        "model.safetensors",
        "modules.json",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
    ] {
        std::fs::copy(fixture().join(file), folder.path().join(file)).expect("a copy");
    }
    let config = std::fs::read(fixture().join("config.json")).expect("a file");
    let mut config: Value = serde_json::from_slice(&config).expect("JSON");
    for (key, value) in more.as_object().expect("an object") {
        config[key] = value.clone();
    }
    std::fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
    folder
}

fn request<'a>(texts: impl IntoIterator<Item = &'a str>, vectors: VectorForm) -> Request {
    let (mut segments, mut turns) = (Vec::new(), Vec::new());
    for (at, text) in (0..).zip(texts) {
        let id = SegmentId(at);
        segments.push(Segment {
            id,
            turn: at,
            role: Role::User,
            kind: Kind::Text,
            place: Place::Value(format!("/{at}")),
            tool: None,
            media_type: None,
            readable: true,
            cached: false,
            text: text.to_owned(),
        });
        turns.push(Turn { role: Role::User, name: None, parts: vec![Part::Text(id)] });
    }
    let mut request = Request::new("r".into(), Dialect::OpenAiEmbeddings, Value::Null, segments);
    request.model = "vectors".into();
    request.turns = turns;
    request.needs = vec![Capability::Embeddings];
    request.optional = vec!["user".into()];
    request.vectors = vectors;
    request
}

fn depart(embedder: &Embedder, request: &Request) -> Result<Departure, CannotDepart> {
    let target = Target {
        name: "local".into(),
        zone: Zone::Process,
        region: String::new(),
        attributes: Vec::new(),
        capabilities: vec![Capability::Embeddings],
        honours: Honours::Only(Vec::new()),
        context_tokens: embedder.description().text_tokens,
        capacity: 1,
        models: vec![Served { name: "vectors".into(), aliases: Vec::new() }],
        vectors_only: true,
        input_price: 0.0,
        output_price: 0.0,
    };
    let caller = Caller { tenant: "t".into(), key: "k".into(), labels: Vec::new(), targets: None };
    let clearance = Clearance::open(request, &caller, &Floor::default(), [Arc::new(target)]);
    let decision = clearance.decide("d".into(), Vec::new());
    decision.depart("local", 1, request, &Placeholders::new(&[0; 32], "t"), embedder)
}

#[track_caller]
fn refused(embedder: &Embedder, request: &Request) -> Failure {
    match depart(embedder, request) {
        Err(CannotDepart::Unencodable(failure)) => failure,
        other => panic!("not refused: {other:?}"),
    }
}

async fn events(embedder: &Embedder, request: &Request) -> Result<Vec<Event>, Failure> {
    let mut answer = embedder.send(depart(embedder, request).expect("it departs")).await?;
    let mut events = Vec::new();
    while let Some(chunk) = answer.chunks.next().await {
        events.extend(chunk?.events);
    }
    Ok(events)
}

async fn vectors(embedder: &Embedder, form: VectorForm) -> Vec<Vector> {
    let events = events(embedder, &request(["one", "a policy"], form)).await.expect("an answer");
    let vectors = events.into_iter().filter_map(|event| match event {
        Event::Vector { vector, .. } => Some(vector),
        _ => None,
    });
    vectors.collect()
}

fn numbers(vector: &Vector) -> &[f64] {
    let Vector::Numbers(numbers) = vector else { panic!("not as numbers") };
    numbers
}

#[tokio::test]
async fn an_answer_has_a_vector_for_each_text() {
    let embedder = start(&fixture(), 4);
    let asked = request(["one", "", "a policy takes targets away"], VectorForm::default());
    let departure = depart(&embedder, &asked).expect("it departs");
    assert_eq!(&departure.body()[..], br#"["one","","a policy takes targets away"]"#);
    assert_eq!(departure.dropped(), ["user"]);
    let events = events(&embedder, &asked).await.expect("an answer");
    let [Event::Start { model: Some(model), .. }, middle @ .., Event::Usage(usage)] = &events[..]
    else {
        panic!("no answer: {events:?}");
    };
    assert_eq!(model, "vectors");
    for (at, event) in (0..).zip(middle) {
        let Event::Vector { index, vector } = event else { panic!("no vector: {event:?}") };
        assert_eq!((*index, numbers(vector).len()), (at, 24));
    }
    assert_eq!(middle.len(), 3);
    // The marks at both ends count: the text without a word has two tokens.
    assert!(usage.input > 3 * 2, "{usage:?}");
    assert_eq!(*usage, Usage { input: usage.input, ..Usage::default() });
}

#[tokio::test]
async fn both_forms_say_the_same_and_a_beginning_has_length_one() {
    let shorter = changed(&json!({"matryoshka_dimensions": [8, 16]}));
    let embedder = start(shorter.path(), 4);
    for (dimensions, width) in [(None, 24), (Some(24), 24), (Some(8), 8)] {
        let plain = vectors(&embedder, VectorForm { dimensions, packed: false }).await;
        let packed = vectors(&embedder, VectorForm { dimensions, packed: true }).await;
        for (plain, packed) in plain.iter().zip(&packed) {
            let plain = numbers(plain);
            assert_eq!(plain.len(), width);
            let length: f64 = plain.iter().map(|number| number * number).sum();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
            let Vector::Packed(text) = packed else { panic!("not packed") };
            use base64::Engine as _;
            let bytes = base64::prelude::BASE64_STANDARD.decode(text).expect("base64");
            let floats = bytes.chunks(4).map(|four| four.try_into().map(f32::from_le_bytes));
            let floats: Vec<f32> = floats.map(|float| float.expect("four bytes")).collect();
            let as_floats: Vec<f32> = plain.iter().map(|&number| number as f32).collect();
            assert_eq!(floats, as_floats);
        }
    }
    let whole = vectors(&embedder, VectorForm::default()).await;
    let begun = vectors(&embedder, VectorForm { dimensions: Some(8), packed: false }).await;
    let (whole, begun) = (numbers(&whole[0]), numbers(&begun[0]));
    let ratio = whole[0] / begun[0];
    assert!(whole.iter().zip(begun).all(|(whole, begun)| (whole - ratio * begun).abs() < 1e-6));
}

#[tokio::test]
async fn what_it_cannot_do_is_refused_by_name_before_anything_is_read() {
    let embedder = start(&fixture(), 4);
    let form = |dimensions| VectorForm { dimensions: Some(dimensions), packed: false };
    let many = vec!["x"; Embedder::TEXTS + 1];
    for (asked, says) in [
        (request(["x"], form(8)), "`dimensions` is 8, but vectors of this model have 24 numbers"),
        (request(many.clone(), VectorForm::default()), "2049 inputs, and this model takes 2048"),
    ] {
        let failure = refused(&embedder, &asked);
        assert_eq!(failure.kind, FailureKind::Rejected);
        assert!(failure.message.contains(says), "{}", failure.message);
    }
    let most = request(many[1..].to_vec(), VectorForm::default());
    assert!(depart(&embedder, &most).is_ok());
    // It has no answers: a chat is not even cleared for it.
    let mut chat = request(["x"], VectorForm::default());
    chat.needs.clear();
    assert!(matches!(depart(&embedder, &chat), Err(CannotDepart::NotPermitted)));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_told_with_both_numbers() {
    let embedder = start(&fixture(), 4);
    let long = "x ".repeat(31);
    let failure = events(&embedder, &request(["one", &long], VectorForm::default())).await;
    let failure = failure.expect_err("too long");
    assert_eq!(failure.kind, FailureKind::TooLong);
    assert_eq!(failure.code, Some("context_length_exceeded"));
    assert_eq!(failure.message, "input[1] has 33 tokens; this model reads 32");
}

#[tokio::test]
async fn a_full_queue_says_so() {
    let embedder = start(&fixture(), 1);
    let texts = vec!["a policy takes targets away; it never adds one"; Embedder::TEXTS];
    let asked = request(texts, VectorForm::default());
    let calls = join_all((0..8).map(|_| events(&embedder, &asked))).await;
    let failures: Vec<&Failure> = calls.iter().filter_map(|call| call.as_ref().err()).collect();
    assert!(failures.iter().all(|failure| failure.kind == FailureKind::Full), "{failures:?}");
    assert!((1..8).contains(&failures.len()), "{}", failures.len());
    assert_eq!(embedder.waiting(), 0);
}
