//! Where requests go, and where they never go.

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::upstream::openai;
use ringfence_tests::{Configuration, Gateway, Play, Policy, Received, Target, Upstream, books};
use serde_json::{Value, json};

/// A key that nobody holds, in the form of one that somebody does.
const SECRET: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
    b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n\
    QyNTUxOQAAACBvbmx5IGEgdGVzdCwgbm90IGEga2V5IGF0IGFsbCwgcmVhbGx5IQAAAJD\n\
    -----END OPENSSH PRIVATE KEY-----";

async fn two() -> (Upstream, Upstream) {
    (Upstream::says("from outside").await, Upstream::says("from inside").await)
}

/// The proxy is another machine: what stays on the premises must not pass through it.
#[tokio::test(flavor = "multi_thread")]
async fn what_stays_inside_goes_through_nobodys_proxy() {
    let proxy = Upstream::says("hi").await;
    let inside = Target::premises("inside", &proxy)
        .with(json!({"base_url": "http://model.invalid:8000/v1"}));
    let address = format!("http://{}", proxy.address());
    let mut configuration = Configuration::new().target(inside);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        configuration = configuration.variable(name, &address);
    }
    let gateway = Gateway::start(&configuration);
    let answer = gateway.chat(&ask("hello")).await;
    assert!(answer.status >= 500, "{}: {}", answer.status, answer.text());
    proxy.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_harmless_request_goes_out_and_a_secret_stays() {
    let (cloud, inside) = two().await;
    let configuration = Configuration::cloud(&cloud)
        .target(Target::premises("inside", &inside))
        .policy(Policy::embedded("keep-sensitive-local"))
        .policy(Policy::guest("tagged", json!({"prefer": ["cloud"]})));
    let gateway = Gateway::start(&configuration);

    let answer = gateway.chat(&ask("What is the capital of Peru?")).await;
    assert_eq!((answer.status, answer.target()), (200, "cloud"), "{}", answer.text());
    assert_eq!(answer.content(), "from outside");

    let before = cloud.bytes().len();
    for streamed in [false, true] {
        let mut request = ask(&format!("Please fix this file:\n{SECRET}"));
        request["stream"] = json!(streamed);
        let answer = gateway.chat(&request).await;
        assert_eq!((answer.status, answer.target()), (200, "inside"), "{}", answer.text());
        assert_eq!(answer.header("x-ringfence-zone"), Some("premises"));
        assert_eq!(answer.content(), "from inside");
    }
    assert_eq!(cloud.bytes().len(), before, "the cloud heard of the secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_inside_a_secret_is_refused_and_not_retried() {
    let cloud = Upstream::echo().await;
    let configuration =
        Configuration::cloud(&cloud).policy(Policy::embedded("keep-sensitive-local"));
    let gateway = Gateway::start(&configuration);
    for request in [ask(SECRET), ask_streamed(SECRET)] {
        let answer = gateway.chat(&request).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.header("x-should-retry"), Some("false"));
        let error = answer.error();
        assert_eq!(error["type"], "permission_error");
        assert!(error["code"].as_str().is_some_and(|code| !code.is_empty()), "{error}");
        assert!(!answer.text().contains("OPENSSH"), "{}", answer.text());
        let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
        let refusals = books::of(&gateway.ledger(), "refusal", &decision);
        assert_eq!(refusals.len(), 1);
        assert_eq!(refusals[0]["code"], error["code"]);
    }
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_fails_denies_or_confines() {
    // on_failure, whether there is a place inside, status and target
    let table: [(&str, bool, u16, &str); 5] = [
        ("deny", true, 403, ""),
        ("deny", false, 403, ""),
        ("confine-premises", true, 200, "inside"),
        ("confine-premises", false, 403, ""),
        ("confine-process", true, 403, ""),
    ];
    for (on_failure, has_inside, status, target) in table {
        let (cloud, inside) = two().await;
        let mut configuration = Configuration::cloud(&cloud);
        if has_inside {
            configuration = configuration.target(Target::premises("inside", &inside));
        }
        let configuration = configuration.policy(Policy::hostile("trap").on_failure(on_failure));
        let gateway = Gateway::start(&configuration);
        let answer = gateway.chat(&ask("hello")).await;
        let what = format!("{on_failure}, inside: {has_inside}: {}", answer.text());
        assert_eq!(answer.status, status, "{what}");
        if status == 200 {
            assert_eq!(answer.target(), target, "{what}");
        } else {
            assert_eq!(answer.error()["code"], "policy_failed", "{what}");
            assert_eq!(answer.header("x-should-retry"), Some("false"), "{what}");
        }
        cloud.assert_untouched();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_floor_wins_over_every_policy() {
    let (cloud, inside) = two().await;
    let policies = |configuration: Configuration| {
        configuration
            .policy(Policy::guest("tagged", json!({"permit": "any", "prefer": ["cloud"]})))
            .section("[floor]\nwithin = \"premises\"")
    };
    // A preference for what the floor took away names a target that the policy was not
    // shown, so it fails; without one, the request goes inside.
    let modest = Configuration::both(&cloud, &inside)
        .policy(Policy::guest("tagged", json!({"permit": "any"})))
        .section("[floor]\nwithin = \"premises\"");
    let answer = Gateway::start(&modest).chat(&ask("hello")).await;
    assert_eq!((answer.status, answer.target()), (200, "inside"));
    let answer =
        Gateway::start(&policies(Configuration::both(&cloud, &inside))).chat(&ask("hello")).await;
    assert!(answer.status == 403 || answer.target() == "inside", "{}", answer.text());
    let answer = Gateway::start(&policies(Configuration::cloud(&cloud))).chat(&ask("hello")).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    cloud.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_gets_only_its_own_targets() {
    let (east, west) = two().await;
    let configuration = Configuration::new()
        .target(Target::cloud("east", &east).with(json!({"region": "east"})))
        .target(Target::cloud("west", &west).with(json!({"region": "west"})))
        .caller_with("bound", "clinic", "rf-bound", json!({"targets": ["west"]}))
        .caller_with("nowhere", "clinic", "rf-nowhere", json!({"targets": []}))
        .caller("free", "clinic", "rf-free");
    let gateway = Gateway::start(&configuration);
    let client = gateway.client();
    let answer = client.with_key("rf-bound").chat(&ask("hello")).await;
    assert_eq!((answer.status, answer.target()), (200, "west"));
    east.assert_untouched();
    let models = client.with_key("rf-bound").get("/v1/models").await.json();
    let owners: Vec<&str> = models["data"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|m| m["owned_by"].as_str())
        .collect();
    assert!(!owners.contains(&"east"), "{models}");

    let answer = client.with_key("rf-free").chat(&ask("hello")).await;
    assert_eq!((answer.status, answer.target()), (200, "east"));

    let (before_east, before_west) = (east.count(), west.count());
    let answer = client.with_key("rf-nowhere").chat(&ask("hello")).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    for client in [client.clone(), client.with_key("rf-wrong"), client.with_key("")] {
        let answer = client.chat(&ask("hello")).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert_eq!(answer.error()["code"], "invalid_api_key");
    }
    assert_eq!((east.count(), west.count()), (before_east, before_west));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_detector_can_read_stays_inside_unless_allowed() {
    let image = json!({"model": "auto", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]}]});
    let table = [
        ("", true, 200, "inside"),
        ("", false, 403, ""),
        ("[floor]\nunreadable = \"allow\"", false, 200, "cloud"),
        ("[floor.unreadable]\nimage = \"allow\"", false, 200, "cloud"),
        ("[floor.unreadable]\naudio = \"allow\"", false, 403, ""),
    ];
    for (floor, has_inside, status, target) in table {
        let (cloud, inside) = two().await;
        let mut configuration = Configuration::cloud(&cloud).section(floor);
        if has_inside {
            configuration = configuration.target(Target::premises("inside", &inside));
        }
        let answer = Gateway::start(&configuration).chat(&image).await;
        assert_eq!(answer.status, status, "{floor:?}: {}", answer.text());
        if status == 200 {
            assert_eq!(answer.target(), target, "{floor:?}");
        } else {
            assert_eq!(answer.error()["code"], "unreadable_content", "{floor:?}");
        }
        if target != "cloud" {
            cloud.assert_untouched();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_narrows_and_an_alias_tells_the_truth() {
    let names_its_model = |received: &Received| {
        let mut answer = openai::whole("hi");
        answer["model"] = received.json()["model"].clone();
        Play::json(&answer)
    };
    let (cloud, inside) =
        (Upstream::start(names_its_model).await, Upstream::start(names_its_model).await);
    let configuration = Configuration::new()
        .target(Target::cloud("cloud", &cloud).with(json!({"models": ["big", "small"]})))
        .target(Target::premises("inside", &inside).with(json!({"models": [
            {"name": "house", "aliases": ["gpt-4o", "small"]}
        ]})));
    let gateway = Gateway::start(&configuration);
    // asked, target, model that the upstream gets and the client is told
    for (asked, target, model) in [
        ("auto", "inside", "house"),
        ("big", "cloud", "big"),
        ("small", "inside", "house"),
        ("gpt-4o", "inside", "house"),
        ("house", "inside", "house"),
    ] {
        let mut request = ask("hello");
        request["model"] = json!(asked);
        let answer = gateway.chat(&request).await;
        assert_eq!((answer.status, answer.target()), (200, target), "{asked}: {}", answer.text());
        assert_eq!(answer.json()["model"], model, "{asked}");
        let upstream = if target == "cloud" { &cloud } else { &inside };
        assert_eq!(upstream.last().json()["model"], model, "{asked}");
    }
    let models = gateway.client().get("/v1/models").await.json();
    let names: Vec<&str> =
        models["data"].as_array().into_iter().flatten().filter_map(|m| m["id"].as_str()).collect();
    for name in ["auto", "big", "small", "gpt-4o", "house"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let mut request = ask("hello");
    request["model"] = json!("unheard-of");
    let answer = gateway.chat(&request).await;
    assert_eq!((answer.status, answer.error()["code"].as_str()), (404, Some("model_not_found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn monitored_policies_are_recorded_and_change_nothing() {
    let cloud = Upstream::echo().await;
    let configuration = Configuration::cloud(&cloud)
        .policy(Policy::embedded("keep-sensitive-local").monitored())
        .policy(Policy::hostile("trap").monitored());
    let gateway = Gateway::start(&configuration);
    let answer = gateway.chat(&ask(SECRET)).await;
    assert_eq!((answer.status, answer.target()), (200, "cloud"), "{}", answer.text());
    let decision = answer.header("x-ringfence-decision").expect("a decision").to_owned();
    let departure = books::of(&gateway.ledger(), "departure", &decision).remove(0);
    let judged = departure["judgements"].as_array().expect("judgements");
    assert_eq!(judged.len(), 2, "{departure}");
    assert!(judged.iter().all(|one| one["mode"] == "monitor"), "{departure}");
    assert_ne!(judged[0]["permit"], "any", "{departure}");
    assert_eq!(judged[1]["failure"], "trap", "{departure}");
    assert_eq!(departure["labels"], json!([]), "{departure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_clients_own_headers_goes_on() {
    let cloud = Upstream::echo().await;
    let configuration = Configuration::new()
        .target(Target::cloud("cloud", &cloud).with(json!({"key_env": "CLOUD_KEY"})))
        .variable("CLOUD_KEY", "sk-of-the-house")
        .caller("one", "clinic", "rf-of-the-client");
    let gateway = Gateway::start(&configuration);
    let client = gateway
        .client()
        .with_key("rf-of-the-client")
        .with("cookie", "session=cookie-canary")
        .with("x-openwebui-user-email", "user@canary.example")
        .with("x-forwarded-for", "203.0.113.77")
        .with("openai-organization", "org-canary")
        .with("x-ringfence-target", "spoofed-canary")
        .with("user-agent", "agent-canary/1.0");
    let answer = client.chat(&ask("hello")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for trace in ["rf-of-the-client", "canary", "203.0.113.77"] {
        cloud.assert_never_saw(trace);
    }
    assert_eq!(cloud.last().header("authorization"), Some("Bearer sk-of-the-house"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_in_the_body_is_only_a_word() {
    let (cloud, elsewhere) = two().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud));
    let mut request = ask("hello");
    for (key, value) in [
        ("api_base", json!(elsewhere.url())),
        ("base_url", json!(elsewhere.url())),
        ("extra_body", json!({"api_base": elsewhere.url()})),
    ] {
        request[key] = value;
    }
    gateway.chat(&request).await;
    elsewhere.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let elsewhere = Upstream::echo().await;
    let location = format!("{}/chat/completions", elsewhere.url());
    let cloud = Upstream::start(move |_| Play::whole(307, &[("location", &location)], "")).await;
    let answer = Gateway::start(&Configuration::cloud(&cloud)).chat(&ask("hello")).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    elsewhere.assert_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_local_queue_is_full_only_what_may_leave_spills() {
    let cloud = Upstream::says("from outside").await;
    let configuration = Configuration::new()
        .target(Target::local("local"))
        .target(Target::cloud("cloud", &cloud))
        .section("[local]\nmodel = \"trial\"\ndevice = \"cpu\"\nqueue = 1")
        .policy(Policy::embedded("spill-to-cloud"))
        .caller("free", "clinic", "rf-free")
        .caller_with("bound", "clinic", "rf-bound", json!({"targets": ["local"]}));
    let gateway = Gateway::start(&configuration);
    let request = |key: &str| {
        let client = gateway.client().with_key(key);
        async move {
            let mut request = ask("Tell me all that you know about Ringfence.");
            request["max_tokens"] = json!(400);
            request["temperature"] = json!(0);
            client.chat(&request).await
        }
    };
    let mut bound = Vec::new();
    let mut free = Vec::new();
    // The queue holds one: of a crowd of confined requests some find it full.
    for _ in 0..24 {
        bound.push(tokio::spawn(request("rf-bound")));
        free.push(tokio::spawn(request("rf-free")));
    }
    let mut refused = 0;
    for answer in bound {
        let answer = answer.await.expect("an answer");
        match answer.status {
            200 => assert_eq!(answer.target(), "local"),
            503 => {
                refused += 1;
                assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
                assert_ne!(answer.header("x-should-retry"), Some("false"));
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    let mut spilled = 0;
    for answer in free {
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        spilled += usize::from(answer.target() == "cloud");
    }
    assert!(refused > 0, "no confined request found the queue full");
    assert!(spilled > 0, "no free request went to the cloud");
    assert_eq!(cloud.count(), spilled);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_the_meaning_makes_ineligible_and_the_rest_is_dropped_by_name() {
    let anthropic = Upstream::start(ringfence_tests::upstream::anthropic::echo).await;
    let configuration = Configuration::new().target(Target::anthropic("claude", &anthropic));
    let gateway = Gateway::start(&configuration);
    let mut request = ask("hello");
    request["seed"] = json!(7);
    let answer = gateway.chat(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.content(), "You wrote: hello");
    let dropped = answer.header("x-ringfence-dropped").unwrap_or("").to_owned();
    assert!(dropped.contains("seed"), "dropped: {dropped:?}");
    let before = anthropic.count();
    let mut request = ask("hello");
    request["n"] = json!(2);
    let answer = gateway.chat(&request).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.error()["code"], "unsupported");
    assert_eq!(anthropic.count(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_of_a_chain_intersect_in_any_order() {
    let (cloud, inside) = two().await;
    let orders: [[Value; 2]; 2] = [
        [json!({"permit": "any", "tag": "wide"}), json!({"permit": "premises", "tag": "narrow"})],
        [json!({"permit": "premises", "tag": "narrow"}), json!({"permit": "any", "tag": "wide"})],
    ];
    for [first, second] in orders {
        let configuration = Configuration::both(&cloud, &inside)
            .policy(Policy::guest("tagged", first))
            .policy(Policy::guest("tagged", second).with(json!({"name": "second"})));
        let answer = Gateway::start(&configuration).chat(&ask("hello")).await;
        assert_eq!((answer.status, answer.target()), (200, "inside"), "{}", answer.text());
    }
    cloud.assert_untouched();
}
