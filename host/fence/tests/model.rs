//! The fence against a model that is too simple to be wrong.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use proptest::prelude::*;
use ringfence_chat::{Capability, Dialect, Kind, Place, Request, Role, Segment, SegmentId};
use ringfence_fence::*;

const ZONES: [Zone; 3] = [Zone::Process, Zone::Premises, Zone::Cloud];
const TEXT: &str = "Grüße an ann@example.org, 4111 1111 1111 1111, bis bald";

fn target(number: usize, zone: Zone) -> Target {
    Target {
        name: format!("t{number}"),
        zone,
        region: String::new(),
        attributes: Vec::new(),
        capabilities: vec![Capability::Tools],
        honours: Honours::Everything,
        context_tokens: 1000,
        capacity: 1,
        models: vec![Model { name: "m".into(), aliases: vec!["alias".into()] }],
        vectors_only: false,
        input_price: 0.0,
        output_price: 0.0,
    }
}

fn request(texts: &[&str]) -> Request {
    let segments = (texts.iter().enumerate())
        .map(|(index, text)| Segment {
            id: SegmentId(index as u32),
            turn: 0,
            role: Role::User,
            kind: Kind::Text,
            place: Place::Value(format!("/{index}")),
            tool: None,
            media_type: None,
            readable: true,
            cached: false,
            text: (*text).to_owned(),
        })
        .collect();
    let body = serde_json::json!(texts);
    let mut request = Request::new("req".into(), Dialect::OpenAiChat, body, segments);
    request.model = "auto".into();
    request
}

fn caller(targets: Option<Vec<String>>) -> Caller {
    Caller { tenant: "t".into(), key: "k".into(), labels: Vec::new(), targets }
}

/// Encodes to the first segment's text.
struct Echo;

impl Provider for Echo {
    fn encode(&self, masked: &Masked) -> Result<Encoded, Failure> {
        let text = masked.request().text(SegmentId(0)).to_owned();
        Ok(Encoded { body: Bytes::from(text), dropped: Vec::new() })
    }

    fn send(&self, _: Departure) -> BoxFuture<'_, Result<Answer, Failure>> {
        Box::pin(async { Err(Failure::new(FailureKind::Unreachable, "nowhere")) })
    }
}

fn permission() -> impl Strategy<Value = Permission> {
    prop_oneof![
        Just(Permission::Any),
        (0..3usize).prop_map(|zone| Permission::Within(ZONES[zone])),
        prop::collection::vec(0..6usize, 0..4)
            .prop_map(|names| Permission::Only(names.iter().map(|n| format!("t{n}")).collect())),
        Just(Permission::Nowhere),
    ]
}

fn outcome() -> impl Strategy<Value = Result<Permission, PolicyFailure>> {
    prop_oneof![
        4 => permission().prop_map(Ok),
        1 => Just(Err(PolicyFailure::Trap)),
        1 => Just(Err(PolicyFailure::Deadline)),
    ]
}

fn on_failure() -> impl Strategy<Value = OnFailure> {
    prop_oneof![
        Just(OnFailure::Deny),
        Just(OnFailure::Confine(Inside::Process)),
        Just(OnFailure::Confine(Inside::Premises)),
    ]
}

type Said = (Result<Permission, PolicyFailure>, OnFailure, bool, Vec<usize>);

fn said() -> impl Strategy<Value = Said> {
    (outcome(), on_failure(), any::<bool>(), prop::collection::vec(0..6usize, 0..3))
}

fn verdict(number: usize, said: &Said, request: &Request, shown: &[&str]) -> Verdict {
    let (outcome, on_failure, monitor, prefer) = said;
    let known = |names: &[String]| -> Vec<String> {
        names.iter().filter(|name| shown.contains(&name.as_str())).cloned().collect()
    };
    let outcome = outcome.clone().map(|permit| {
        let permit = match permit {
            Permission::Only(names) => Permission::Only(known(&names)),
            other => other,
        };
        let prefer = known(&prefer.iter().map(|n| format!("t{n}")).collect::<Vec<_>>());
        let (edits, labels, code) = (Vec::new(), vec![format!("l{number}")], String::new());
        Judgement::check(Draft { permit, prefer, edits, labels, code }, request, shown)
            .expect("only what was shown")
    });
    Verdict {
        policy: format!("p{number}"),
        digest: Digest::of(b""),
        mode: if *monitor { Mode::Monitor } else { Mode::Protect },
        on_failure: *on_failure,
        outcome,
        spent: Duration::ZERO,
    }
}

/// What a verdict leaves, said without the fence's own words.
fn leaves(verdict: &Verdict, target: &Target) -> bool {
    if verdict.mode == Mode::Monitor {
        return true;
    }
    match &verdict.outcome {
        Err(_) => match verdict.on_failure {
            OnFailure::Deny => false,
            OnFailure::Confine(Inside::Process) => target.zone == Zone::Process,
            OnFailure::Confine(Inside::Premises) => target.zone != Zone::Cloud,
        },
        Ok(judgement) => match judgement.permit() {
            Permission::Any => true,
            Permission::Nowhere => false,
            Permission::Only(names) => names.contains(&target.name),
            Permission::Within(Zone::Process) => target.zone == Zone::Process,
            Permission::Within(Zone::Premises) => target.zone != Zone::Cloud,
            Permission::Within(Zone::Cloud) => true,
        },
    }
}

fn names<'a>(targets: impl Iterator<Item = &'a Arc<Target>>) -> BTreeSet<String> {
    targets.map(|target| target.name.clone()).collect()
}

proptest! {
    #[test]
    fn a_decision_permits_what_nothing_took_away(
        zones in prop::collection::vec(0..3usize, 0..6),
        floor in 0..3usize,
        mine in prop::option::of(prop::collection::vec(0..6usize, 0..4)),
        said in prop::collection::vec(said(), 0..4),
        rotation in 0..4usize,
    ) {
        let targets: Vec<Arc<Target>> =
            zones.iter().enumerate().map(|(n, zone)| Arc::new(target(n, ZONES[*zone]))).collect();
        let request = request(&[TEXT]);
        let floor = Floor { within: ZONES[floor], ..Floor::default() };
        let caller = caller(mine.map(|mine| mine.iter().map(|n| format!("t{n}")).collect()));
        let open = || Clearance::open(&request, &caller, &floor, targets.iter().cloned());
        let before = names(open().remaining());
        let shown: Vec<&str> = before.iter().map(String::as_str).collect();
        let mut verdicts: Vec<Verdict> =
            said.iter().enumerate().map(|(n, said)| verdict(n, said, &request, &shown)).collect();

        let expected: BTreeSet<String> = targets.iter()
            .filter(|target| target.zone <= floor.within)
            .filter(|target| caller.targets.as_ref().is_none_or(|mine| mine.contains(&target.name)))
            .filter(|target| verdicts.iter().all(|verdict| leaves(verdict, target)))
            .map(|target| target.name.clone())
            .collect();
        let decision = open().decide("dec".into(), verdicts.clone());
        prop_assert_eq!(&names(decision.permitted()), &expected);
        prop_assert_eq!(decision.refusal().is_some(), expected.is_empty());
        // It only tightens: nothing is permitted that was not open before the chain.
        prop_assert!(expected.is_subset(&before));
        // Permissions do not depend on the order of the chain.
        if !verdicts.is_empty() {
            let by = rotation % verdicts.len();
            verdicts.rotate_left(by);
            prop_assert_eq!(names(open().decide("dec".into(), verdicts.clone()).permitted()), expected.clone());
        }
        // And a departure exists for exactly what is permitted.
        let placeholders = Placeholders::new(&[7; 32], "t");
        for target in &targets {
            let departs = decision.depart(&target.name, 1, &request, &placeholders, &Echo).is_ok();
            prop_assert_eq!(departs, expected.contains(&target.name));
        }
    }

    #[test]
    fn what_is_hidden_does_not_leave(
        spans in prop::collection::vec((0..TEXT.len(), 0..TEXT.len(), 0..4usize, 0..4usize), 0..6),
        zone in 0..3usize,
    ) {
        let request = request(&[TEXT]);
        let target = Arc::new(target(0, ZONES[zone]));
        let actions = [Action::Pseudonymise, Action::Replace("…".into()), Action::Mask, Action::Remove];
        let scopes = [
            Scope::Always,
            Scope::Outside(Zone::Process),
            Scope::Outside(Zone::Premises),
            Scope::Towards(vec!["t0".into()]),
        ];
        // Each span in a policy of its own, so that they may overlap.
        let verdicts: Vec<Verdict> = spans.iter().enumerate().filter_map(|(n, span)| {
            let (a, b) = (TEXT.floor_char_boundary(span.0), TEXT.floor_char_boundary(span.1));
            let edit = Edit {
                segment: SegmentId(0),
                start: a.min(b) as u32,
                end: a.max(b) as u32,
                entity: format!("E{n}"),
                action: actions[span.2].clone(),
                scope: scopes[span.3].clone(),
            };
            let draft = Draft {
                permit: Permission::Any, prefer: Vec::new(), edits: vec![edit],
                labels: Vec::new(), code: String::new(),
            };
            Some(Verdict {
                policy: format!("p{n}"),
                digest: Digest::of(b""),
                mode: Mode::Protect,
                on_failure: OnFailure::Deny,
                outcome: Ok(Judgement::check(draft, &request, &["t0"]).ok()?),
                spent: Duration::ZERO,
            })
        }).collect();
        let decision = Clearance::open(&request, &caller(None), &Floor::default(), [target.clone()])
            .decide("dec".into(), verdicts);

        // The model: what is covered at all, then runs of spans that touch inside.
        let counting: Vec<&Edit> = decision.edits().iter().filter(|e| e.scope.covers(&target)).collect();
        let mut groups: Vec<Vec<&Edit>> = counting.iter().map(|edit| vec![*edit]).collect();
        while let Some((i, j)) = overlapping(&groups) {
            let taken = groups.remove(j);
            groups[i].extend(taken);
        }
        groups.sort_by_key(|group| group.iter().map(|edit| edit.start).min());
        let placeholders = Placeholders::new(&[7; 32], "t");
        let mut expected = String::new();
        let mut from = 0;
        for group in &groups {
            let start = group.iter().map(|edit| edit.start as usize).min().expect("one");
            let end = group.iter().map(|edit| edit.end as usize).max().expect("one");
            expected.push_str(&TEXT[from..start]);
            let strictest = group.iter().map(|edit| &edit.action).max().expect("one");
            let mut entities = group.iter().filter(|edit| edit.action == *strictest);
            match strictest {
                Action::Remove => {}
                Action::Replace(text) => expected.push_str(text),
                // Of equals, the one that begins first names it.
                Action::Mask | Action::Pseudonymise => {
                    let first = entities.clone().map(|edit| (edit.start, edit.end)).min();
                    let named = entities.find(|edit| Some((edit.start, edit.end)) == first).expect("one");
                    match strictest {
                        Action::Mask => expected.push_str(&format!("[{}]", named.entity)),
                        _ => expected.push_str(&placeholders.placeholder(&named.entity, &TEXT[start..end])),
                    }
                }
            }
            from = end;
        }
        expected.push_str(&TEXT[from..]);
        let departure = decision.depart("t0", 1, &request, &placeholders, &Echo).expect("permitted");
        prop_assert_eq!(std::str::from_utf8(departure.body()).expect("text"), expected.as_str());
        prop_assert_eq!(departure.request().body()[0].as_str(), Some(expected.as_str()));
        // What became a placeholder is known, so that it can come back.
        for hidden in departure.hidden() {
            prop_assert!(expected.contains(&hidden.placeholder));
            prop_assert!(TEXT.contains(&hidden.original));
        }
    }

    #[test]
    fn nonsense_is_no_judgement(start in 0..80u32, end in 0..80u32, segment in 0..3u32) {
        let request = request(&[TEXT]);
        let edit = Edit {
            segment: SegmentId(segment), start, end,
            entity: "X".into(), action: Action::Mask, scope: Scope::Always,
        };
        let draft = Draft {
            permit: Permission::Any, prefer: Vec::new(), edits: vec![edit],
            labels: Vec::new(), code: String::new(),
        };
        let sound = segment == 0
            && start < end
            && TEXT.is_char_boundary(start as usize)
            && (end as usize) <= TEXT.len()
            && TEXT.is_char_boundary(end as usize);
        prop_assert_eq!(Judgement::check(draft, &request, &[]).is_ok(), sound);
    }

    #[test]
    fn placeholders_are_keyed_and_injective(a in ".{1,20}", b in ".{1,20}") {
        let one = Placeholders::new(&[1; 32], "tenant");
        prop_assert_eq!(one.placeholder("E", &a) == one.placeholder("E", &b), a == b);
        prop_assert_ne!(one.placeholder("E", &a), Placeholders::new(&[2; 32], "tenant").placeholder("E", &a));
        prop_assert_ne!(one.placeholder("E", &a), Placeholders::new(&[1; 32], "other").placeholder("E", &a));
        prop_assert_ne!(one.placeholder("E", &a), one.placeholder("F", &a));
        prop_assert_eq!(one.placeholder("E", &a).len(), "[E_]".len() + Placeholders::DIGITS_SHOWN);
    }
}

fn overlapping(groups: &[Vec<&Edit>]) -> Option<(usize, usize)> {
    let reach = |group: &[&Edit]| {
        let start = group.iter().map(|edit| edit.start).min().expect("one");
        (start, group.iter().map(|edit| edit.end).max().expect("one"))
    };
    for i in 0..groups.len() {
        for j in i + 1..groups.len() {
            let (a, b) = (reach(&groups[i]), reach(&groups[j]));
            if a.0 < b.1 && b.0 < a.1 {
                return Some((i, j));
            }
        }
    }
    None
}

#[test]
fn a_request_may_only_go_where_it_can_be_answered() {
    let near = Arc::new(target(0, Zone::Process));
    let open = |change: &dyn Fn(&mut Request)| {
        let mut request = request(&[TEXT]);
        change(&mut request);
        let clearance = Clearance::open(&request, &caller(None), &Floor::default(), [near.clone()]);
        clearance
            .decide("dec".into(), Vec::new())
            .refusal()
            .map(|r| (r.code().to_owned(), r.is_unsupported()))
    };
    let refused = |code: &str, unsupported| Some((code.to_owned(), unsupported));
    assert_eq!(open(&|_| {}), None);
    assert_eq!(open(&|r| r.model = "alias".into()), None);
    assert_eq!(open(&|r| r.model = "other".into()), refused("model_not_served", true));
    assert_eq!(open(&|r| r.needs = vec![Capability::Tools]), None);
    assert_eq!(open(&|r| r.needs = vec![Capability::Images]), refused("unsupported", true));
    assert_eq!(open(&|r| r.input_tokens = 1001), refused("context_length_exceeded", true));
}

#[test]
fn what_nobody_can_read_stays_inside() {
    let cloud = Arc::new(target(0, Zone::Cloud));
    for (kind, media, floor) in [
        (
            Kind::Attachment,
            Some("image/png"),
            Floor { image: Unreadable::Allow, ..Floor::default() },
        ),
        (
            Kind::Attachment,
            Some("audio/wav"),
            Floor { audio: Unreadable::Allow, ..Floor::default() },
        ),
        (
            Kind::Attachment,
            Some("application/pdf"),
            Floor { file: Unreadable::Allow, ..Floor::default() },
        ),
        (Kind::Attachment, None, Floor { file: Unreadable::Allow, ..Floor::default() }),
        (Kind::Text, None, Floor { text: Unreadable::Allow, ..Floor::default() }),
    ] {
        let mut segment = request(&["x"]).segments()[0].clone();
        (segment.kind, segment.media_type) = (kind, media.map(str::to_owned));
        segment.readable = false;
        let mut request = Request::new(
            "req".into(),
            Dialect::OpenAiChat,
            serde_json::json!(["x"]),
            vec![segment],
        );
        request.model = "auto".into();
        let decide = |floor: &Floor| {
            Clearance::open(&request, &caller(None), floor, [cloud.clone()])
                .decide("dec".into(), Vec::new())
        };
        let confined = decide(&Floor::default());
        assert_eq!(confined.refusal().map(Refusal::code), Some("unreadable_content"), "{media:?}");
        assert!(decide(&floor).refusal().is_none(), "{media:?} was allowed");
    }
}

/// What a policy says that gives a stretch of the first segment a placeholder.
fn hides(request: &Request, stretch: std::ops::Range<u32>, entity: &str) -> Verdict {
    let edit = Edit {
        segment: SegmentId(0),
        start: stretch.start,
        end: stretch.end,
        entity: entity.into(),
        action: Action::Pseudonymise,
        scope: Scope::Always,
    };
    let draft = Draft {
        permit: Permission::Any,
        prefer: Vec::new(),
        edits: vec![edit],
        labels: Vec::new(),
        code: String::new(),
    };
    Verdict {
        policy: entity.into(),
        digest: Digest::of(b""),
        mode: Mode::Protect,
        on_failure: OnFailure::Deny,
        outcome: Ok(Judgement::check(draft, request, &["t0"]).expect("sound")),
        spent: Duration::ZERO,
    }
}

#[test]
fn a_value_that_only_the_system_prompt_held_does_not_come_back() {
    let cloud = Arc::new(target(0, Zone::Cloud));
    for (role, entity, restorable) in [
        (Role::User, "EMAIL", true),
        (Role::Tool, "EMAIL", true),
        (Role::System, "EMAIL", false),
        (Role::User, "SECRET", false),
    ] {
        let mut segment = request(&["ann@example.org"]).segments()[0].clone();
        segment.role = role;
        let body = serde_json::json!(["ann@example.org"]);
        let mut request = Request::new("req".into(), Dialect::OpenAiChat, body, vec![segment]);
        request.model = "auto".into();
        let verdict = hides(&request, 0..15, entity);
        let decision = Clearance::open(&request, &caller(None), &Floor::default(), [cloud.clone()])
            .decide("dec".into(), vec![verdict]);
        let placeholders = Placeholders::new(&[7; 32], "t");
        let departure =
            decision.depart("t0", 1, &request, &placeholders, &Echo).expect("permitted");
        assert!(!departure.body().windows(3).any(|bytes| bytes == b"ann"));
        assert_eq!(departure.hidden()[0].restorable, restorable, "{role:?} {entity}");
    }
}

#[test]
fn a_secret_inside_something_larger_does_not_come_back() {
    let cloud = Arc::new(target(0, Zone::Cloud));
    let mut request = request(&["ann@example.org"]);
    request.model = "auto".into();
    // Of two policies: the edits of one must not overlap.
    let verdicts = vec![hides(&request, 0..15, "URL"), hides(&request, 4..11, "SECRET_TOKEN")];
    let decision = Clearance::open(&request, &caller(None), &Floor::default(), [cloud])
        .decide("dec".into(), verdicts);
    let placeholders = Placeholders::new(&[7; 32], "t");
    let departure = decision.depart("t0", 1, &request, &placeholders, &Echo).expect("permitted");
    assert_eq!(departure.hidden().len(), 1);
    assert!(!departure.hidden()[0].restorable, "{}", departure.hidden()[0].entity);
}
