use proptest::prelude::*;
use ringfence_chat::{Kind, Place, Role, Segment, SegmentId};
use serde_json::Value;

use super::*;

const NOW: u64 = 1_771_074_429;

fn limit(name: &str) -> Limit {
    Limit {
        name: name.into(),
        tenants: Vec::new(),
        keys: Vec::new(),
        models: Vec::new(),
        each: Each::Tenant,
        window: Window::Minute,
        requests: None,
        input_tokens: None,
        output_tokens: None,
        dollars: None,
        concurrent: None,
    }
}

fn limits(limits: Vec<Limit>) -> Limits {
    Limits::new(limits, Arc::default())
}

fn caller(tenant: &str, key: &str) -> Caller {
    Caller { tenant: tenant.into(), key: key.into(), labels: Vec::new(), targets: None }
}

fn request(input_tokens: u32, max_tokens: Option<u32>) -> Request {
    let segment = Segment {
        id: SegmentId(0),
        turn: 0,
        role: Role::User,
        kind: Kind::Text,
        place: Place::Value("/messages/0/content".into()),
        tool: None,
        media_type: None,
        readable: true,
        cached: false,
        text: "hello".into(),
    };
    let mut request = Request::new("r-1".into(), Dialect::OpenAiChat, Value::Null, vec![segment]);
    request.input_tokens = input_tokens;
    request.sampling.max_tokens = max_tokens;
    request
}

fn target(input_price: f64, output_price: f64) -> Target {
    let targets = ringfence_policy::three_targets();
    let (cloud, _) = &targets[2];
    Target { input_price, output_price, ..(**cloud).clone() }
}

fn usage(input: u32, output: u32) -> Usage {
    Usage { input, output, ..Usage::default() }
}

#[test]
fn requests_are_counted_by_whom_the_limit_says() {
    for (each, other_key, other_tenant) in
        [(Each::Key, true, true), (Each::Tenant, false, true), (Each::All, false, false)]
    {
        let limits = limits(vec![Limit { requests: Some(1), each, ..limit("l") }]);
        let asks = |tenant, key| limits.admit(&caller(tenant, key), &request(1, None), NOW).is_ok();
        assert!(asks("clinic", "a"), "{each:?}");
        assert!(!asks("clinic", "a"), "{each:?}");
        assert_eq!(asks("clinic", "b"), other_key, "{each:?}");
        assert_eq!(asks("bank", "c"), other_tenant, "{each:?}");
    }
}

#[test]
fn a_limit_counts_whom_it_names() {
    let only = |limit: Limit| Limit { requests: Some(1), ..limit };
    for narrowed in [
        Limit { tenants: vec!["clinic".into()], ..limit("l") },
        Limit { keys: vec!["a".into()], ..limit("l") },
        Limit { models: vec!["auto".into()], ..limit("l") },
    ] {
        let by_model = !narrowed.models.is_empty();
        let limits = limits(vec![only(narrowed)]);
        let mut other = request(1, None);
        other.model = "gpt-4o".into();
        let asks = |caller: &Caller, request: &Request| limits.admit(caller, request, NOW).is_ok();
        let mut auto = request(1, None);
        auto.model = "auto".into();
        assert!(asks(&caller("clinic", "a"), &auto));
        assert!(!asks(&caller("clinic", "a"), &auto));
        match by_model {
            true => assert!((0..3).all(|_| asks(&caller("clinic", "a"), &other))),
            false => assert!((0..3).all(|_| asks(&caller("bank", "b"), &auto))),
        }
    }
}

#[test]
fn a_window_begins_anew_and_a_clock_that_goes_back_does_not() {
    let limits = limits(vec![Limit { requests: Some(1), ..limit("l") }]);
    let who = caller("clinic", "a");
    let asks = |now| limits.admit(&who, &request(1, None), now).map(drop);
    assert_eq!(asks(NOW), Ok(()));
    let exceeded = asks(NOW).unwrap_err();
    assert_eq!(exceeded.counted, Counted::Requests);
    // To the end of the minute.
    assert_eq!(exceeded.retry_after, Some(Duration::from_secs(51)));
    assert_eq!(asks(NOW + 51), Ok(()));
    assert!(asks(NOW).is_err());
}

#[test]
fn tokens_are_reserved_and_settled() {
    let bounds = Limit { input_tokens: Some(100), output_tokens: Some(50), ..limit("l") };
    let limits = limits(vec![bounds]);
    let who = caller("clinic", "a");
    let asks = |input, output| limits.admit(&who, &request(input, Some(output)), NOW);
    let first = asks(60, 20).unwrap();
    // What is under way counts.
    assert_eq!(asks(60, 20).err().map(|e| e.counted), Some(Counted::InputTokens));
    assert_eq!(asks(10, 40).err().map(|e| e.counted), Some(Counted::OutputTokens));
    let hold = first.depart(&request(60, Some(20)), &target(0.0, 0.0), NOW).unwrap();
    hold.settle(usage(30, 5), &target(0.0, 0.0), NOW);
    drop(first);
    // 30 and 5 are used.
    assert!(asks(71, 1).is_err() && asks(1, 46).is_err());
    drop(asks(70, 45).unwrap());
    // One that went nowhere used nothing.
    drop(asks(70, 45).unwrap());
}

#[test]
fn more_than_a_window_allows_never_fits() {
    let limits = limits(vec![Limit { input_tokens: Some(100), ..limit("l") }]);
    let who = caller("clinic", "a");
    let exceeded = limits.admit(&who, &request(101, None), NOW).err().unwrap();
    assert_eq!(exceeded.retry_after, None);
}

#[test]
fn requests_at_once_are_counted_while_they_last() {
    let limits = limits(vec![Limit { concurrent: Some(2), ..limit("l") }]);
    let who = caller("clinic", "a");
    let asks = || limits.admit(&who, &request(1, None), NOW);
    let (one, two) = (asks().unwrap(), asks().unwrap());
    assert_eq!(asks().err().map(|e| e.counted), Some(Counted::Concurrent));
    // A departure keeps the place that its request has.
    let hold = one.depart(&request(1, None), &target(0.0, 0.0), NOW).unwrap();
    drop(one);
    assert!(asks().is_err());
    drop(hold);
    let three = asks().unwrap();
    drop((two, three));
    assert!(asks().is_ok());
}

#[test]
fn dollars_are_reserved_by_what_an_answer_may_cost() {
    let limits = limits(vec![Limit { dollars: Some(1.0), ..limit("l") }]);
    let who = caller("clinic", "a");
    let ask = request(100_000, Some(100_000));
    // 0.1 + 0.4 dollars.
    let dear = target(1.0, 4.0);
    let permit = limits.admit(&who, &ask, NOW).unwrap();
    assert_eq!(permit.budget_left(NOW), Some(1.0));
    let one = permit.depart(&ask, &dear, NOW).unwrap();
    let two = permit.depart(&ask, &dear, NOW).unwrap();
    assert_eq!(permit.budget_left(NOW), Some(0.0));
    assert_eq!(permit.depart(&ask, &dear, NOW).err().map(|e| e.counted), Some(Counted::Dollars));
    // What costs nothing goes on.
    assert!(permit.depart(&ask, &target(0.0, 0.0), NOW).is_ok());
    one.settle(usage(100_000, 0), &dear, NOW);
    drop(two);
    let left = permit.budget_left(NOW).unwrap();
    assert!((left - 0.9).abs() < 1e-9, "{left}");
    // The next minute begins anew.
    assert_eq!(permit.budget_left(NOW + 60), Some(1.0));
}

#[test]
fn without_a_limit_in_dollars_there_is_no_budget() {
    let limits = limits(vec![Limit { requests: Some(9), ..limit("l") }]);
    let permit = limits.admit(&caller("clinic", "a"), &request(1, None), NOW).unwrap();
    assert_eq!(permit.budget_left(NOW), None);
}

#[test]
fn a_request_takes_all_its_places_or_none() {
    let limits = limits(vec![
        Limit { requests: Some(10), ..limit("many") },
        Limit { requests: Some(1), ..limit("one") },
    ]);
    let who = caller("clinic", "a");
    let first = limits.admit(&who, &request(1, None), NOW).unwrap();
    for _ in 0..5 {
        let exceeded = limits.admit(&who, &request(1, None), NOW).err().unwrap();
        assert_eq!(exceeded.limit, "one");
    }
    let headers = first.headers(Dialect::OpenAiChat, NOW);
    assert!(headers.contains(&("x-ratelimit-remaining-requests".into(), "0".into())));
    let many = limits.entries()[0].slot(&who);
    let rates = limits.counts.rates(&[many], NOW);
    assert_eq!(rates[0].remaining, 9);
}

#[test]
fn counts_outlive_the_process() {
    let folder = tempfile::TempDir::new().unwrap();
    let bounds = || vec![Limit { requests: Some(2), dollars: Some(1.0), ..limit("l") }];
    let who = caller("clinic", "a");
    let keeper = Keeper::open(folder.path()).unwrap();
    let first = Limits::new(bounds(), Arc::clone(keeper.counts()));
    let permit = first.admit(&who, &request(1_000_000, Some(0)), NOW).unwrap();
    let hold = permit.depart(&request(1_000_000, Some(0)), &target(0.25, 0.0), NOW).unwrap();
    keeper.keep().unwrap();
    // The process is killed while the answer is under way: what was reserved is spent.
    std::mem::forget((permit, hold));
    let keeper = Keeper::open(folder.path()).unwrap();
    let again = Limits::new(bounds(), Arc::clone(keeper.counts()));
    let permit = again.admit(&who, &request(1, None), NOW).unwrap();
    assert_eq!(permit.budget_left(NOW), Some(0.75));
    assert!(again.admit(&who, &request(1, None), NOW).is_err());
}

#[test]
fn a_damaged_file_is_told_and_not_forgotten() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join(Keeper::FILE);
    for text in [
        "",
        "{",
        "[{}]",
        r#"[{"limit":"l","subject":"s","window":0,"requests":0,"input_tokens":0,"output_tokens":0,"dollars":-1.0}]"#,
    ] {
        std::fs::write(&file, text).unwrap();
        assert!(matches!(Keeper::open(folder.path()), Err(CountsError::Damaged)), "{text}");
    }
    std::fs::write(&file, "[]").unwrap();
    assert!(Keeper::open(folder.path()).is_ok());
}

proptest! {
    /// Whatever comes and however it ends, nothing passes the limit, and in the end nothing
    /// is reserved and nobody is under way.
    #[test]
    fn nothing_passes_a_limit_and_nothing_is_left(
        asks in prop::collection::vec((0u32..40, 0u32..40, 0u8..4), 1..60),
    ) {
        let bounds = Limit {
            input_tokens: Some(100), output_tokens: Some(100), dollars: Some(0.001),
            concurrent: Some(3), ..limit("l")
        };
        let limits = limits(vec![bounds]);
        let who = caller("clinic", "a");
        let dear = target(10.0, 10.0);
        let mut under_way = std::collections::VecDeque::new();
        let mut spent = Usage::default();
        for (input, output, end) in asks {
            let ask = request(input, Some(output));
            if let Ok(permit) = limits.admit(&who, &ask, NOW) {
                let hold = permit.depart(&ask, &dear, NOW).ok();
                under_way.push_back((permit, hold, input, output));
            }
            prop_assert!(under_way.len() <= 3);
            if end > 0 && let Some((permit, hold, input, output)) = under_way.pop_front() {
                if let (1, Some(hold)) = (end, hold) {
                    hold.settle(usage(input, output), &dear, NOW);
                    spent.input += input;
                    spent.output += output;
                }
                drop(permit);
            }
            prop_assert!(spent.input <= 100 && spent.output <= 100);
            prop_assert!(dear.cost_of(spent.input, spent.output) <= 0.001 + 1e-12);
        }
        under_way.clear();
        let permit = limits.admit(&who, &request(0, Some(0)), NOW).unwrap();
        let left = permit.budget_left(NOW).unwrap();
        let expected = 0.001 - dear.cost_of(spent.input, spent.output);
        prop_assert!((left - expected).abs() < 1e-9, "{left} {expected}");
        let rates = limits.counts.rates(&permit.slots, NOW);
        prop_assert_eq!(rates[0].remaining, u64::from(100 - spent.input));
    }
}
