//! The local model as the rest of the house sees it: departures in, chunks out.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use ringfence_chat::{
    Dialect, Event, FinishReason, Kind, Part, Place, Request, Role, Segment, SegmentId, Turn, Usage,
};
use ringfence_fence::{
    Caller, CannotDepart, Clearance, Departure, Failure, FailureKind, Floor, Honours,
    Model as Served, Placeholders, Provider, Target, Zone,
};
use ringfence_local::{DeviceChoice, Local, LocalConfig, ModelSource};

fn config(fixture: &str) -> LocalConfig {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture);
    LocalConfig {
        model: ModelSource::Folder(folder),
        device: DeviceChoice::Cpu,
        ..LocalConfig::embedded()
    }
}

/// A model whose answers do not end by themselves: random weights repeat themselves when
/// they are greedy, and its context is far longer than a test waits.
fn endless() -> (LocalConfig, tempfile::TempDir) {
    let ModelSource::Folder(from) = config("llama").model else { unreachable!("a folder") };
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["tokenizer.json", "tokenizer_config.json", "model.safetensors"] {
        std::fs::copy(from.join(file), folder.path().join(file)).expect("a copy");
    }
    let shape = std::fs::read(from.join("config.json")).expect("a file");
    let mut shape: serde_json::Value = serde_json::from_slice(&shape).expect("JSON");
    shape["max_position_embeddings"] = 500_000.into();
    std::fs::write(folder.path().join("config.json"), shape.to_string()).expect("written");
    let model = ModelSource::Folder(folder.path().to_owned());
    (LocalConfig { model, ..config("llama") }, folder)
}

/// A question whose answer may be as long as it likes.
fn open_question() -> Request {
    let mut request = question();
    request.sampling.max_tokens = None;
    request
}

fn start(config: &LocalConfig) -> Local {
    Local::start(config).expect("the fixture starts")
}

/// A request with one text per turn, and stop texts.
fn request(turns: &[(Role, &str)], stops: &[&str]) -> Request {
    let mut segments = Vec::new();
    let mut add = |turn: usize, role: Role, text: &str| {
        let id = SegmentId(segments.len() as u32);
        segments.push(Segment {
            id,
            turn: turn as u32,
            role,
            kind: Kind::Text,
            place: Place::Value(format!("/{}", id.0)),
            tool: None,
            media_type: None,
            readable: true,
            cached: false,
            text: text.to_owned(),
        });
        id
    };
    let spoken: Vec<Turn> = turns
        .iter()
        .enumerate()
        .map(|(turn, &(role, text))| Turn {
            role,
            name: None,
            parts: vec![Part::Text(add(turn, role, text))],
        })
        .collect();
    let stop = stops.iter().map(|stop| add(turns.len(), Role::System, stop)).collect();
    let mut request =
        Request::new("r".into(), Dialect::OpenAiChat, serde_json::Value::Null, segments);
    request.model = "auto".into();
    request.turns = spoken;
    request.sampling.stop = stop;
    request.sampling.max_tokens = Some(8);
    request
}

fn question() -> Request {
    request(&[(Role::User, "What is a policy?")], &[])
}

fn depart(local: &Local, request: &Request) -> Result<Departure, CannotDepart> {
    let target = Target {
        name: "local".into(),
        zone: Zone::Process,
        region: String::new(),
        attributes: Vec::new(),
        capabilities: Vec::new(),
        honours: Honours::Only(Vec::new()),
        context_tokens: local.description().context_tokens,
        capacity: 1,
        models: vec![Served { name: "house-model".into(), aliases: Vec::new() }],
        vectors_only: false,
        input_price: 0.0,
        output_price: 0.0,
    };
    let caller = Caller { tenant: "t".into(), key: "k".into(), labels: Vec::new(), targets: None };
    let clearance = Clearance::open(request, &caller, &Floor::default(), [Arc::new(target)]);
    let decision = clearance.decide("d".into(), Vec::new());
    decision.depart("local", 1, request, &Placeholders::new(&[0; 32], "t"), local)
}

fn refused(local: &Local, request: &Request) -> Failure {
    match depart(local, request) {
        Err(CannotDepart::Unencodable(failure)) => failure,
        other => panic!("not refused: {other:?}"),
    }
}

async fn events(local: &Local, request: &Request) -> Result<Vec<Event>, Failure> {
    let mut answer = local.send(depart(local, request).expect("it departs")).await?;
    let mut events = Vec::new();
    while let Some(chunk) = answer.chunks.next().await {
        events.extend(chunk?.events);
    }
    Ok(events)
}

fn text(events: &[Event]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        Event::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Waits until `done`, but not for ever.
fn wait_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never happened");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn an_answer_begins_and_ends() {
    let local = start(&config("llama"));
    let events = events(&local, &question()).await.expect("an answer");
    assert!(
        matches!(&events[0], Event::Start { model: Some(model), .. } if model == "house-model")
    );
    assert!(!text(&events).is_empty());
    let [.., Event::Finish { choice: 0, reason }, Event::Usage(usage)] = &events[..] else {
        panic!("no end: {events:?}");
    };
    assert_eq!(*reason, FinishReason::Length);
    assert_eq!(*usage, Usage { input: usage.input, cached: 0, output: 8, reasoning: 0 });
    let vitals = local.vitals();
    wait_until(|| local.vitals().in_flight == 0);
    assert!(vitals.healthy && vitals.first_token_ms > 0 && vitals.p50_ms >= vitals.first_token_ms);
}

#[tokio::test]
async fn the_embedded_model_answers_and_says_what_it_is() {
    let local = start(&LocalConfig { device: DeviceChoice::Cpu, ..LocalConfig::embedded() });
    let seen = local.description();
    assert!(seen.trial && seen.model == Local::EMBEDDED && seen.device == "CPU", "{seen:?}");
    let mut asked = request(&[(Role::User, "What is Ringfence?")], &[]);
    asked.sampling.max_tokens = Some(300);
    let got = events(&local, &asked).await.expect("an answer");
    assert!(text(&got).len() > 20, "{}", text(&got));
    assert!(got.iter().any(|e| matches!(e, Event::Finish { reason: FinishReason::Stop, .. })));
}

#[tokio::test]
async fn the_prompt_that_leaves_is_the_templates() {
    let local = start(&config("llama"));
    let turns = [(Role::System, "Be brief."), (Role::User, "Hello")];
    let departure = depart(&local, &request(&turns, &[])).expect("it departs");
    assert_eq!(
        departure.body(),
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    );
}

#[tokio::test]
async fn stop_texts_and_seeds_reach_the_model() {
    let local = start(&config("llama"));
    let whole = text(&events(&local, &question()).await.expect("an answer"));
    let stop: String = whole.chars().skip(2).take(3).collect();
    let mut stopped = request(&[(Role::User, "What is a policy?")], &[&stop]);
    stopped.sampling.max_tokens = Some(8);
    let got = events(&local, &stopped).await.expect("an answer");
    assert_eq!(text(&got), whole[..whole.find(&stop).expect("it is there")]);
    assert!(got.iter().any(|e| matches!(e, Event::Finish { reason: FinishReason::Stop, .. })));

    let seeded = |seed| {
        let mut request = question();
        request.sampling.temperature = Some(1.5);
        request.sampling.seed = Some(seed);
        request
    };
    let first = text(&events(&local, &seeded(1)).await.expect("an answer"));
    assert_eq!(text(&events(&local, &seeded(1)).await.expect("an answer")), first);
    assert_ne!(text(&events(&local, &seeded(2)).await.expect("an answer")), first);
}

#[tokio::test]
async fn what_is_not_honoured_is_named() {
    let local = start(&config("llama"));
    let mut asked = question();
    asked.optional = ["seed", "service_tier", "temperature", "user"].map(String::from).to_vec();
    let departure = depart(&local, &asked).expect("it departs");
    assert_eq!(departure.dropped(), ["service_tier", "user"]);
}

#[tokio::test]
async fn too_long_says_how_long() {
    let local = start(&LocalConfig { context_tokens: Some(64), ..config("llama") });
    let tokens = |words: usize| "a ".repeat(words);
    for words in [60, 600, 100_000] {
        let long = tokens(words);
        let failure = refused(&local, &request(&[(Role::User, &long)], &[]));
        assert_eq!(failure.kind, FailureKind::TooLong, "{words}");
        assert_eq!(failure.code, Some("context_length_exceeded"));
        assert!(failure.message.contains("context is 64 tokens"), "{}", failure.message);
    }
    assert!(depart(&local, &request(&[(Role::User, "a")], &[])).is_ok());
}

#[tokio::test]
async fn what_it_cannot_do_is_refused() {
    let local = start(&config("biased"));
    let rejected = |request: &Request| {
        let failure = refused(&local, request);
        assert_eq!(failure.kind, FailureKind::Rejected);
        failure.message
    };
    let canary = "canary-7f3a";
    let two = [(Role::User, canary), (Role::User, canary)];
    assert!(rejected(&request(&two, &[])).contains("chat template"));
    assert!(!rejected(&request(&two, &[])).contains(canary));
    let mut tools = question();
    tools.turns[0].role = Role::Tool;
    assert!(rejected(&tools).contains("no tools"));
    let mut image = question();
    image.turns[0].parts = vec![Part::Attachment(SegmentId(0))];
    assert!(rejected(&image).contains("reads text"));
    let mut cold = question();
    cold.sampling.temperature = Some(-1.0);
    assert!(rejected(&cold).contains("temperature"));
    let stops: Vec<String> = (0..=Local::STOPS).map(|n| n.to_string()).collect();
    let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
    assert!(rejected(&request(&[(Role::User, "x")], &stops)).contains("stop texts"));
    assert!(depart(&local, &request(&[(Role::User, "x")], &stops[1..])).is_ok());
    let long = "x".repeat(Local::STOP_BYTES + 1);
    assert!(rejected(&request(&[(Role::User, "x")], &[&long])).contains("stop text"));
    assert!(depart(&local, &request(&[(Role::User, "x")], &[&long[1..]])).is_ok());
}

#[tokio::test]
async fn a_full_queue_refuses_and_a_client_that_leaves_frees() {
    let (endless, _folder) = endless();
    let local = Arc::new(start(&LocalConfig { queue: 1, ..endless }));
    let long = open_question();
    // The thread is held by an answer that nobody reads but somebody waits for.
    let busy = local.send(depart(&local, &long).expect("it departs")).await.expect("it begins");
    let waiting = tokio::spawn({
        let (local, departure) = (Arc::clone(&local), depart(&local, &long).expect("it departs"));
        async move { local.send(departure).await.map(drop) }
    });
    while local.vitals().queued == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(local.vitals().in_flight, 1);
    let full = local.send(depart(&local, &long).expect("it departs")).await.err();
    let full = full.expect("the queue is full");
    assert_eq!(full.kind, FailureKind::Full);
    assert!(full.retry_after.is_some_and(|wait| wait >= Duration::from_secs(1)));
    // Who waits leaves: the place is free. Who is answered leaves: the device is free.
    waiting.abort();
    let _ = waiting.await;
    assert_eq!(local.vitals().queued, 0);
    drop(busy);
    wait_until(|| local.vitals().in_flight == 0);
    assert!(local.vitals().healthy, "leaving is no failure");
    assert!(events(&local, &question()).await.is_ok());
}

#[tokio::test]
async fn answers_come_in_order_and_one_at_a_time() {
    let local = Arc::new(start(&config("tied-onekv")));
    let answers = (0..8).map(|_| {
        let local = Arc::clone(&local);
        tokio::spawn(async move {
            let mut greedy = question();
            greedy.sampling.temperature = Some(0.0);
            let events = events(&local, &greedy).await.expect("an answer");
            assert!(local.vitals().in_flight <= 1);
            text(&events)
        })
    });
    let answers: Vec<_> = answers.collect();
    let mut texts = Vec::new();
    for answer in answers {
        texts.push(answer.await.expect("no panic"));
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "no request changes another");
}

#[tokio::test]
async fn ending_it_ends_what_runs() {
    let (endless, _folder) = endless();
    let local = start(&endless);
    let departure = depart(&local, &open_question()).expect("it departs");
    let mut answer = local.send(departure).await.expect("it begins");
    let begun = Instant::now();
    drop(local);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let mut last = None;
    while let Some(chunk) = answer.chunks.next().await {
        last = Some(chunk);
    }
    let failure = last.expect("a last word").expect_err("it was not done");
    assert_eq!(failure.kind, FailureKind::Unwell);
}
