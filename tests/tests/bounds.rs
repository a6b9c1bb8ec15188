//! What one client takes is not taken from the others.

use std::time::{Duration, Instant};

use ringfence_tests::client::{ask, ask_streamed};
use ringfence_tests::upstream::openai;
use ringfence_tests::{Configuration, Gateway, Play, Upstream};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const SOON: Duration = Duration::from_secs(10);

/// A connection that has sent so many of the `declared` bytes of its body.
async fn half_a_body(gateway: &Gateway, declared: usize, sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(gateway.address()).await.expect("the gateway listens");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {declared}\r\n\r\n{}",
        " ".repeat(sent)
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn all_bodies_in_flight_have_one_bound() {
    let cloud = Upstream::echo().await;
    let bounds = "body_bytes = 60000\nbodies_bytes = 65536";
    let gateway = Gateway::start(&Configuration::cloud(&cloud).server(bounds));
    let large = ask(&"x".repeat(20_000));
    assert_eq!(gateway.chat(&large).await.status, 200);

    // What is declared has its share, whether or not it ever arrives.
    let begun = Instant::now();
    let (half, refused) = loop {
        // If it comes while a large one is in flight, it is the one that finds no room.
        let half = half_a_body(&gateway, 60_000, 10).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = gateway.chat(&large).await;
        if answer.status != 200 || begun.elapsed() > SOON {
            break (half, answer);
        }
    };
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.error()["code"], "too_many_bytes");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("connection"), Some("close"), "its body was not read");
    assert_eq!(gateway.chat(&ask("small")).await.status, 200, "what fits is taken");

    drop(half);
    let begun = Instant::now();
    while gateway.chat(&large).await.status != 200 {
        assert!(begun.elapsed() < SOON, "what is gone gave its share back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_loses_the_connection_and_the_call_ends() {
    let cloud = Upstream::start(|received| {
        if !openai::is_streamed(received) {
            return openai::echo(received);
        }
        // More than the buffers of a connection hold.
        let piece = openai::piece(&"x".repeat(1 << 20));
        (0..64).fold(Play::stream().send(openai::first()), |play, _| play.send(&piece)).stall()
    })
    .await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).server("write_within_seconds = 1"));
    let body = ask_streamed("go on").to_string();
    let mut stream = half_a_body(&gateway, body.len(), 0).await;
    stream.write_all(body.as_bytes()).await.expect("written");
    assert!(cloud.wait_until_asked(1, SOON).await);
    assert!(cloud.wait_until_left(1, SOON).await, "the call goes on for nobody");
    assert_eq!(gateway.chat(&ask("hello")).await.status, 200);
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_strangers_only_whether_all_is_well() {
    let cloud = Upstream::echo().await;
    let gateway = Gateway::start(&Configuration::cloud(&cloud).caller("ward", "clinic", "key-1"));
    let stranger = gateway.client().get("/healthz").await;
    assert_eq!((stranger.status, stranger.text().as_str()), (200, r#"{"status":"ok"}"#));
    let known = gateway.client().with_key("key-1").get("/healthz").await.json();
    for member in ["status", "version", "chain", "configuration", "ledger", "troubles"] {
        assert!(known.get(member).is_some(), "no {member} in {known}");
    }
}
