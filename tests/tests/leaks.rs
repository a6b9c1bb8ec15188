//! Thousands of documents with values that nobody may see outside go through the gateway,
//! and what arrived is searched for them in every encoding. Not one whole value may be
//! there.
//!
//! `RINGFENCE_LEAKS_SEED` plants other values, `RINGFENCE_LEAKS_ROUNDS` so many times as
//! many, and `RINGFENCE_LEAKS_REPORT` names a file for what arrived.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringfence_tests::planting::places::Holds;
use ringfence_tests::planting::{
    CARRIERS, DISGUISES, Dialect, Document, Plan, Random, Readings, Sought, kinds, places,
};
use ringfence_tests::upstream::{anthropic, openai};
use ringfence_tests::{Configuration, Gateway, Policy, Received, Target, Upstream};
use serde_json::{Value as Json, json};

/// Requests that are under way together.
const TOGETHER: usize = 8;
/// What is planted, where nothing else is asked for.
const SEED: u64 = 20_260_101;
/// Gateways that switch one entity after the other off, side by side.
const GATEWAYS: usize = 6;

/// Pictures go out here, so that what stands in their addresses is looked at too.
const FLOOR: &str = "[floor]\nunreadable = { image = \"allow\" }";

/// A gateway that hides everything outside the process, before two providers that
/// remember what arrived.
struct Fence {
    gateway: Gateway,
    arrived: Arc<Mutex<HashMap<u64, Vec<u8>>>>,
    providers: [Upstream; 2],
}

/// What became of a document.
#[derive(Debug, Clone)]
enum Outcome {
    /// It was sent, without the value. Whether what came back was as it was, where an
    /// echo shows it.
    Hidden { restored: Option<bool> },
    /// It was not sent.
    Refused(u16, String),
    /// The value arrived, in this form.
    Leaked(String),
}

struct Told {
    document: Document,
    outcome: Outcome,
}

impl Fence {
    async fn around(policy: Policy) -> Fence {
        let arrived = Arc::new(Mutex::new(HashMap::new()));
        let remember = |arrived: &Arc<Mutex<HashMap<u64, Vec<u8>>>>, received: &Received| {
            let body = received.json();
            let number = ["max_tokens", "max_completion_tokens"]
                .iter()
                .find_map(|name| body[name].as_u64())
                .expect("the number of a document arrives");
            let mut arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
            arrived.entry(number).or_default().extend_from_slice(&received.body);
        };
        let (one, other) = (Arc::clone(&arrived), Arc::clone(&arrived));
        let providers = [
            Upstream::start(move |received| {
                remember(&one, received);
                openai::echo(received)
            })
            .await,
            Upstream::start(move |received| {
                remember(&other, received);
                anthropic::echo(received)
            })
            .await,
        ];
        let gateway = Gateway::start(&configuration(&providers, policy));
        Fence { gateway, arrived, providers }
    }

    /// Puts another policy into force.
    async fn change(&self, policy: Policy) {
        let chain = self.gateway.chain().await;
        self.gateway.reconfigure(&configuration(&self.providers, policy));
        self.gateway.wait_for_another_chain(&chain, Duration::from_secs(60)).await;
    }

    /// Sends every document, several at a time, and tells what became of each.
    async fn send(&self, documents: Vec<(usize, Document)>) -> Vec<Told> {
        let queue = Arc::new(Mutex::new(documents.into_iter()));
        let workers: Vec<_> = (0..TOGETHER)
            .map(|_| {
                let (queue, arrived) = (Arc::clone(&queue), Arc::clone(&self.arrived));
                let client = self.gateway.client().clone();
                tokio::spawn(async move {
                    let mut told = Vec::new();
                    loop {
                        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((number, document)) = next else { return told };
                        let path = document.dialect.path();
                        let answer = client.post(path, document.body.clone()).await;
                        let body = arrived
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .remove(&(number as u64));
                        let outcome = outcome(&document, body, &answer);
                        told.push(Told { document, outcome });
                    }
                })
            })
            .collect();
        let mut told = Vec::new();
        for worker in workers {
            told.extend(worker.await.expect("a worker"));
        }
        told
    }
}

fn configuration(providers: &[Upstream; 2], policy: Policy) -> Configuration {
    Configuration::new()
        .target(Target::cloud("openai", &providers[0]))
        .target(Target::anthropic("anthropic", &providers[1]))
        .policy(policy)
        .section(FLOOR)
}

fn outcome(
    document: &Document,
    arrived: Option<Vec<u8>>,
    answer: &ringfence_tests::client::Answer,
) -> Outcome {
    let sought: Vec<Sought> =
        document.value.needles.iter().map(|needle| Sought::new(needle)).collect();
    // Whoever finds nothing in what was sent would find nothing in what arrived.
    let sent = Readings::of(document.body.as_bytes());
    let sent = sought.iter().all(|sought| sought.find(&sent).is_some());
    assert!(sent, "the search does not see through {document:?}");
    if let Some(arrived) = &arrived {
        let arrived = Readings::of(arrived);
        if let Some(form) = sought.iter().find_map(|sought| sought.find(&arrived)) {
            return Outcome::Leaked(form.to_owned());
        }
    }
    if answer.status != 200 || arrived.is_none() {
        return Outcome::Refused(answer.status, answer.text());
    }
    let restored = document.spoken.as_ref().map(|spoken| {
        let said = match document.dialect {
            Dialect::OpenAi => answer.content(),
            Dialect::Anthropic => {
                answer.json()["content"][0]["text"].as_str().unwrap_or("").to_owned()
            }
        };
        match document.value.kind.is_secret() {
            true => {
                let said = Readings::of(said.as_bytes());
                !sought.iter().any(|sought| sought.find(&said).is_some())
            }
            false => said == format!("You wrote: {spoken}"),
        }
    });
    Outcome::Hidden { restored }
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn seed() -> u64 {
    number_of("RINGFENCE_LEAKS_SEED", SEED)
}

fn rounds() -> usize {
    number_of("RINGFENCE_LEAKS_ROUNDS", 1) as usize
}

/// The policy as it is shipped, for everything outside the process.
fn hiding(actions: Json) -> Policy {
    Policy::embedded("redact-pii")
        .with(json!({"grants": ["findings"]}))
        .config(json!({"outside": "process", "actions": actions}))
}

/// Documents of these plans; those whose parts do not go together are left out.
fn documents(plans: impl IntoIterator<Item = Plan>) -> Vec<(usize, Document)> {
    let seed = seed();
    let mut documents = Vec::new();
    for (at, plan) in plans.into_iter().enumerate() {
        let number = at + 1;
        if let Some(document) = plan.document(number, &mut Random::of(seed, at)) {
            documents.push((number, document));
        }
    }
    documents
}

/// Each kind in each carrier, and each place with kinds in turn; nothing is disguised.
fn plain_plans() -> Vec<Plan> {
    let (kinds, places) = (kinds::all(), places::all());
    let open: Vec<_> = places.iter().filter(|place| place.holds != Holds::Sealed).collect();
    let disguise = &DISGUISES[0];
    let mut plans = Vec::new();
    for round in 0..rounds() {
        for (at, kind) in kinds.iter().enumerate() {
            for carrier in 0..CARRIERS.len() {
                let text = open.iter().filter(|place| place.holds == Holds::Text);
                let place = text.cycle().nth(at * 7 + carrier + round * 3).expect("a place");
                plans.push(Plan { kind, carrier, disguise, place, crossed: false });
            }
        }
        for (at, place) in open.iter().enumerate() {
            for step in 0..24 {
                let kind = kinds[(at * 5 + step * 7 + round) % kinds.len()];
                plans.push(Plan {
                    kind,
                    carrier: (at + step) % CARRIERS.len(),
                    disguise,
                    place,
                    crossed: false,
                });
            }
        }
    }
    plans
}

/// Each kind in each disguise, in carriers and places in turn.
fn disguised_plans() -> Vec<Plan> {
    let (kinds, places) = (kinds::all(), places::all());
    let mut plans = Vec::new();
    for round in 0..rounds() {
        for (at, kind) in kinds.iter().enumerate() {
            for (step, disguise) in DISGUISES[1..].iter().enumerate() {
                let places: Vec<_> = (places.iter())
                    .filter(|place| place.holds == Holds::Text || disguise.is_of_the_value())
                    .filter(|place| place.holds != Holds::Sealed && place.holds != Holds::Name)
                    .collect();
                let place = places[(at * 11 + step * 5 + round * 7) % places.len()];
                let carrier = (at * 3 + step + round) % CARRIERS.len();
                plans.push(Plan { kind, carrier, disguise, place, crossed: false });
            }
        }
    }
    plans
}

/// What became of documents, in numbers.
struct Sum {
    sent: usize,
    refused: usize,
    leaked: usize,
    unrestored: usize,
    echoed: usize,
    text: String,
}

fn sum(told: &[Told]) -> Sum {
    if let Some(file) = std::env::var_os("RINGFENCE_LEAKS_REPORT") {
        report(told, std::path::Path::new(&file));
    }
    let mut sum =
        Sum { sent: 0, refused: 0, leaked: 0, unrestored: 0, echoed: 0, text: String::new() };
    let mut leaks: BTreeMap<String, Vec<&Told>> = BTreeMap::new();
    let mut refusals: BTreeMap<String, usize> = BTreeMap::new();
    for one in told {
        let document = &one.document;
        match &one.outcome {
            Outcome::Hidden { restored } => {
                sum.sent += 1;
                sum.echoed += usize::from(restored.is_some());
                sum.unrestored += usize::from(*restored == Some(false));
            }
            Outcome::Refused(status, answer) => {
                sum.refused += 1;
                let why: String = answer.chars().take(160).collect();
                *refusals.entry(format!("{status} {} {why}", document.place)).or_default() += 1;
            }
            Outcome::Leaked(_) => {
                sum.leaked += 1;
                let what = format!("{} / {}", document.value.kind.entity, document.disguise);
                leaks.entry(what).or_default().push(one);
            }
        }
    }
    let text = &mut sum.text;
    writeln!(
        text,
        "seed {}: {} documents, {} sent with everything hidden, {} refused, {} leaked; {} of {} echoes not restored",
        seed(), told.len(), sum.sent, sum.refused, sum.leaked, sum.unrestored, sum.echoed
    )
    .ok();
    for (why, count) in refusals {
        writeln!(text, "refused {count}: {why}").ok();
    }
    for (what, told) in leaks {
        let one = told[0];
        let form: String = match &one.outcome {
            Outcome::Leaked(form) => form.chars().take(200).collect(),
            _ => String::new(),
        };
        writeln!(
            text,
            "leaked {} times: {what} / {} / {}: {:?} {form:?}",
            told.len(),
            one.document.place,
            one.document.carrier,
            one.document.value.text
        )
        .ok();
    }
    sum
}

/// One line of JSON for every value that arrived and every document that was refused, for
/// those who mend it. The values are made up.
fn report(told: &[Told], file: &std::path::Path) {
    use std::io::Write as _;
    let mut file =
        std::fs::OpenOptions::new().create(true).append(true).open(file).expect("a file");
    for Told { document, outcome } in told {
        let form = match outcome {
            Outcome::Hidden { .. } => continue,
            Outcome::Refused(..) => "refused",
            Outcome::Leaked(form) => form,
        };
        let line = json!({
            "entity": document.value.kind.entity, "value": document.value.text,
            "disguise": document.disguise, "place": document.place,
            "carrier": document.carrier, "found": form, "body": document.body,
        });
        writeln!(file, "{line}").expect("a line");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_planted_arrives_from_any_carrier_and_place() {
    let fence = Fence::around(hiding(json!({}))).await;
    let told = fence.send(documents(plain_plans())).await;
    let sum = sum(&told);
    println!("{}", sum.text);
    assert_eq!(sum.leaked, 0, "{}", sum.text);
    assert!(sum.sent * 10 >= told.len() * 9, "too much is refused:\n{}", sum.text);
    // What an echo repeats comes back as it was; a secret does not.
    assert!(sum.echoed > 300, "{}", sum.text);
    assert_eq!(sum.unrestored, 0, "{}", sum.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_planted_arrives_in_any_disguise() {
    let fence = Fence::around(hiding(json!({}))).await;
    let told = fence.send(documents(disguised_plans())).await;
    let sum = sum(&told);
    println!("{}", sum.text);
    assert_eq!(sum.leaked, 0, "{}", sum.text);
    assert!(sum.sent * 10 >= told.len() * 9, "too much is refused:\n{}", sum.text);
}

/// What is signed or sealed cannot be edited: it stays, unless nothing is in it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_planted_arrives_in_what_nobody_can_edit() {
    let fence = Fence::around(hiding(json!({}))).await;
    let sealed = places::all().into_iter().filter(|place| place.holds == Holds::Sealed);
    let mut plans = Vec::new();
    for place in sealed {
        for (at, kind) in kinds::all().into_iter().enumerate() {
            let (carrier, crossed) = (at % CARRIERS.len(), at % 4 == 3);
            plans.push(Plan { kind, carrier, disguise: &DISGUISES[0], place, crossed });
        }
    }
    let told = fence.send(documents(plans)).await;
    let sum = sum(&told);
    println!("{}", sum.text);
    assert_eq!(sum.leaked, 0, "{}", sum.text);
}

/// The gate bites: with an entity switched off in the policy, its values arrive. Two that
/// have nothing to do with each other are switched off together to halve the time; in more
/// rounds than one, each by itself.
#[tokio::test(flavor = "multi_thread")]
async fn each_entity_arrives_when_it_is_switched_off() {
    let entities: BTreeSet<&str> = kinds::all().iter().map(|kind| kind.entity).collect();
    let entities: Vec<&str> = entities.into_iter().collect();
    let half = if rounds() == 1 { entities.len().div_ceil(2) } else { entities.len() };
    let off: Vec<Vec<&str>> =
        (0..half).map(|at| entities[at..].iter().step_by(half).copied().collect()).collect();
    let gateways = off.chunks(off.len().div_ceil(GATEWAYS)).map(|off| {
        let off = off.to_vec();
        tokio::spawn(async move {
            let fence = Fence::around(hiding(json!({}))).await;
            let mut blunt = Vec::new();
            for entities in off {
                let ignored = entities.iter().map(|entity| ((*entity).to_owned(), json!("ignore")));
                fence.change(hiding(Json::Object(ignored.collect()))).await;
                for entity in entities {
                    let told = fence.send(documents(plans_of(entity))).await;
                    let leaked = |told: &&Told| matches!(told.outcome, Outcome::Leaked(_));
                    let arrived = told.iter().filter(leaked).count();
                    if arrived * 2 < told.len() || told.is_empty() {
                        blunt.push(format!("{entity}: {arrived} of {}", told.len()));
                    }
                }
            }
            blunt
        })
    });
    let mut blunt = Vec::new();
    for gateway in gateways.collect::<Vec<_>>() {
        blunt.extend(gateway.await.expect("a gateway"));
    }
    assert!(blunt.is_empty(), "hidden although they are switched off: {blunt:#?}");
}

/// Simple documents with values of one entity.
fn plans_of(entity: &str) -> Vec<Plan> {
    let (place, disguise) = (places::all()[0], &DISGUISES[0]);
    let kinds = kinds::all().into_iter().filter(|kind| kind.entity == entity);
    kinds
        .flat_map(|kind| {
            (0..4).map(move |at| Plan { kind, carrier: at % 3, disguise, place, crossed: false })
        })
        .collect()
}
