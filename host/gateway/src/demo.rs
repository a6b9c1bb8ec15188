//! `ringfence demo`: the gateway in this process, a stand-in cloud on loopback, and
//! prepared requests. Needs no key and no network, and doubles as a test: it says which
//! expectation was not met.

mod client;
mod scenes;
mod stand_in;
mod telling;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use ringfence::config::{Config, Surroundings};
use ringfence::house::{Asked, BuildError, House};
use ringfence::{ids, server};
use ringfence_chat::Dialect;
use ringfence_fence::{Decision, Digest};
use tokio::runtime::Runtime;

use crate::cli::Trouble;
use crate::cli::rehearsal::Folder;
use crate::cli::screen::{Screen, Style};
use client::{Answered, ask};
use scenes::{Caller, Scene, scenes};
use stand_in::{Received, StandIn};
use telling::tell;

const CONFIGURATION: &str = include_str!("demo/demo.toml");
const BROKEN: &str = include_str!("demo/broken.toml");
/// What the gateway shows to the stand-in, and never to anybody else.
const STAND_IN_KEY: &str = "stand-in-key";

/// A gateway and a stand-in that run.
struct Stage {
    house: Arc<House>,
    address: SocketAddr,
    stand_in: StandIn,
    folder: Folder,
}

/// Runs the demonstration and counts the expectations that were not met.
///
/// # Errors
/// [`Trouble`]: it could not be set up.
pub fn run(runtime: &Runtime, screen: &mut Screen) -> Result<usize, Trouble> {
    let folder = Folder::new().map_err(|error| found("no temporary folder", &error))?;
    let stand_in =
        runtime.block_on(StandIn::start()).map_err(|error| found("the stand-in cloud", &error))?;
    let config = configuration(&folder, &stand_in, None)?;
    let house = Arc::new(House::build(&config).map_err(|errors| all(&errors))?);
    let stage = runtime.block_on(async {
        let bound = server::bind(Arc::clone(&house), config.server.clone())
            .await
            .map_err(|error| found("no port on loopback", &error))?;
        house.open_books().await.map_err(|error| found("the ledger", &error))?;
        let address = bound.address();
        tokio::spawn(bound.run(std::future::pending()));
        Ok::<_, Trouble>(Stage { house, address, stand_in, folder })
    })?;

    let title = screen.style(Style::Strong, "Ringfence, demonstrated");
    screen.line(&format!("\n{title}"))?;
    let text = format!(
        "The gateway runs in this process at {}, and a stand-in for two clouds at {}. What is \
         shown as having left are the bytes that reached the stand-in.",
        stage.address, stage.stand_in.address
    );
    tell(screen, "", Some(Style::Faint), &text)?;

    let mut missed = 0;
    for (number, scene) in scenes().iter().enumerate() {
        screen.heading(&format!("{}. {}", number + 1, scene.title))?;
        tell(screen, "", Some(Style::Faint), scene.about)?;
        missed += stage.play(runtime, scene, screen)?;
    }
    missed += stage.close_books(screen)?;
    let (style, text) = match missed {
        0 => (Style::Good, "Everything was as expected.".to_owned()),
        1 => (Style::Bad, "1 expectation was not met.".to_owned()),
        many => (Style::Bad, format!("{many} expectations were not met.")),
    };
    let text = screen.style(style, &text);
    screen.line(&format!("\n{text}"))?;
    Ok(missed)
}

impl Stage {
    /// Plays one scene and counts what was not as expected.
    fn play(
        &self,
        runtime: &Runtime,
        scene: &Scene,
        screen: &mut Screen,
    ) -> Result<usize, Trouble> {
        self.stand_in.set_down(scene.down);
        if let Some(on_failure) = scene.broken {
            self.reload(Some(on_failure))?;
        }
        let text = scene.body["messages"][0]["content"].as_str().unwrap_or("");
        let model = scene.body["model"].as_str().unwrap_or("");
        tell(screen, "asked", None, &format!("{} asks {model}: {text}", scene.caller.name()))?;

        let decision = runtime.block_on(self.decide(scene))?;
        let _ = self.stand_in.take();
        let answered = runtime
            .block_on(ask(self.address, &scene.caller.key(), &scene.body))
            .map_err(Trouble::Found)?;
        let received = self.stand_in.take();
        telling::decided(screen, &decision)?;
        telling::left(screen, &received)?;
        telling::came_back(screen, &answered)?;
        if scene.broken.is_some() {
            self.reload(None)?;
        }

        let missed = missed(scene, &decision, &received, &answered);
        for text in &missed {
            tell(screen, "MISSED", Some(Style::Bad), text)?;
        }
        Ok(missed.len())
    }

    /// The decision, as `ringfence explain` gives it.
    async fn decide(&self, scene: &Scene) -> Result<Decision, Trouble> {
        let in_force = self.house.in_force();
        let body = scene.body.to_string();
        let mut request =
            ringfence_dialect::decode_request(Dialect::OpenAiChat, ids::request(), body.as_bytes())
                .map_err(|malformed| Trouble::Found(malformed.message.into_owned()))?;
        let caller = (in_force.callers.named(scene.caller.name()))
            .ok_or_else(|| Trouble::Found("the demonstration lacks a caller".into()))?;
        let mut reading = in_force.sight.detector.read(&request);
        self.house.look_closer(&request, &mut reading).await;
        request.mark_unreadable(reading.unreadable.iter().copied());
        let conversation = self.house.conversation(&request, caller);
        let permit = (in_force.limits.admit(caller, &request, ringfence::house::seconds()))
            .map_err(|_| Trouble::Found("the demonstration has no limits".into()))?;
        let asked = Asked {
            request: &request,
            caller,
            findings: &reading.findings,
            conversation: &conversation,
            latency_wanted_ms: None,
            permit: &permit,
        };
        Ok(self.house.decide(&in_force, &asked).await.0)
    }

    /// Puts another configuration into force, while the gateway runs.
    fn reload(&self, broken: Option<&str>) -> Result<(), Trouble> {
        let config = configuration(&self.folder, &self.stand_in, broken)?;
        let (next, troubles) = self.house.prepare(&config).map_err(|errors| all(&errors))?;
        self.house.put_in_force(next, troubles);
        Ok(())
    }

    /// Verifies the ledger against its head.
    fn close_books(&self, screen: &mut Screen) -> Result<usize, Trouble> {
        screen.heading("The books")?;
        let head = self.house.ledger.head();
        let file = self.folder.0.join("state").join(ringfence::config::Ledger::FILE);
        match ringfence_ledger::verify(&file, Some(head.digest)) {
            Ok(report) => {
                let text = format!(
                    "{} records, each holding the digest of the one before; no content is in them",
                    report.records
                );
                tell(screen, "whole", Some(Style::Good), &text)?;
                Ok(0)
            }
            Err(fault) => {
                tell(screen, "MISSED", Some(Style::Bad), &format!("the ledger: {fault}"))?;
                Ok(1)
            }
        }
    }
}

impl Caller {
    fn name(self) -> &'static str {
        match self {
            Caller::Desk => "desk",
            Caller::Berlin => "berlin",
        }
    }

    fn key(self) -> String {
        format!("rf-demo-{}", self.name())
    }
}

fn configuration(
    folder: &Folder,
    stand_in: &StandIn,
    broken: Option<&str>,
) -> Result<Config, Trouble> {
    let digest = |caller: Caller| Digest::of(caller.key().as_bytes()).to_string();
    let mut text = CONFIGURATION
        .replace("\"DESK\"", &format!("\"{}\"", digest(Caller::Desk)))
        .replace("\"BERLIN\"", &format!("\"{}\"", digest(Caller::Berlin)))
        .replace("ADDRESS", &stand_in.address.to_string());
    if let Some(on_failure) = broken {
        text.push_str(&BROKEN.replace("ON_FAILURE", on_failure));
    }
    let variables = BTreeMap::from([("STAND_IN_KEY".to_owned(), STAND_IN_KEY.to_owned())]);
    Ok(Config::from_text(&text, &folder.0, &Surroundings::Given(variables))?)
}

/// What was not as expected, in words.
fn missed(
    scene: &Scene,
    decision: &Decision,
    received: &[Received],
    answered: &Answered,
) -> Vec<String> {
    let expected = &scene.expected;
    let mut missed = Vec::new();
    let mut expect = |met: bool, text: String| {
        if !met {
            missed.push(text);
        }
    };
    expect(
        answered.status == expected.status,
        format!("the status is {}, not {}", answered.status, expected.status),
    );
    let target = answered.header("x-ringfence-target");
    expect(target == expected.target, format!("{target:?} answers, not {:?}", expected.target));
    let reached: Vec<&str> = received.iter().map(|one| one.cloud.as_str()).collect();
    expect(reached == expected.reached, format!("reached {reached:?}, not {:?}", expected.reached));
    if let Some(code) = expected.code {
        expect(
            answered.code.as_deref() == Some(code),
            format!("the code is {:?}, not {code}", answered.code),
        );
        expect(
            answered.header("x-should-retry") == Some("false"),
            "a client is not told to leave it at that".into(),
        );
    }
    for text in &expected.answer {
        expect(answered.text.contains(text), "the answer does not hold what it should".into());
    }
    for one in received {
        let body = String::from_utf8_lossy(&one.body);
        for text in &expected.leaves {
            expect(body.contains(text), format!("{text} did not leave to {}", one.cloud));
        }
        for text in &expected.hidden {
            expect(!body.contains(text.as_str()), format!("a hidden value reached {}", one.cloud));
        }
        expect(
            one.authorization == format!("Bearer {STAND_IN_KEY}"),
            format!("{} was not shown its own key and nothing else", one.cloud),
        );
        let permitted = decision.permitted().any(|target| target.name == one.cloud);
        expect(permitted, format!("{} was not permitted", one.cloud));
    }
    missed
}

fn found(what: &str, error: &dyn std::fmt::Display) -> Trouble {
    Trouble::Found(format!("{what}: {error}"))
}

fn all(errors: &[BuildError]) -> Trouble {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Trouble::Found(lines.join("\nringfence: "))
}
