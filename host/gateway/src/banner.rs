//! What is served, told once at the start, and by `ringfence check`.

use std::io;
use std::net::SocketAddr;

use ringfence::config::{Config, Reach};
use ringfence::house::{House, InForce};
use ringfence_fence::{Target, Zone};
use ringfence_local::{Description, EmbedderDescription};
use ringfence_policy::Policy;

use crate::cli::screen::{Cell, Row, Screen, Style};

/// Shows the banner of a house that listens at `address`.
///
/// # Errors
/// The output's.
pub fn show(
    screen: &mut Screen,
    house: &House,
    config: &Config,
    address: SocketAddr,
) -> io::Result<()> {
    let name = screen.style(Style::Strong, concat!("ringfence ", env!("CARGO_PKG_VERSION")));
    let at = screen.style(Style::Strong, &format!("http://{address}"));
    screen.line(&format!("\n{name}  listens on {at}"))?;
    whole(screen, house, config)?;
    let in_force = house.in_force();
    screen.heading("Try it")?;
    screen.line(&format!("  {}\n", curl(address, &in_force, !config.callers.is_empty())))
}

/// Shows everything but the address.
///
/// # Errors
/// The output's.
pub fn whole(screen: &mut Screen, house: &House, config: &Config) -> io::Result<()> {
    let in_force = house.in_force();
    let mut rows = vec![named("configuration", configuration(config))];
    rows.extend(model(house.model()));
    rows.push(named("callers", callers(config)));
    rows.push(named("floor", floor(&in_force)));
    rows.extend(vocabulary(&in_force));
    rows.extend(house.embedder.as_ref().map(|embedder| vectors(embedder.description())));
    rows.extend(house.tier.as_ref().map(|tier| named("names", tier.description())));
    rows.extend(
        house
            .classifiers
            .descriptions()
            .map(|(name, on)| named("classifier", format!("{name}: {on}"))),
    );
    rows.push(named("ledger", config.ledger.file.display().to_string()));
    rows.push(cloud(config));
    screen.rows(&rows)?;
    screen.heading("Policies")?;
    screen.rows(&policies(&in_force))?;
    screen.heading("Targets")?;
    screen.rows(&targets(&in_force, config))?;
    let troubles = house.troubles();
    if !troubles.is_empty() {
        screen.heading("See to this")?;
        let rows: Vec<Row> =
            troubles.into_iter().map(|text| vec![Cell::styled(Style::Odd, text)]).collect();
        screen.rows(&rows)?;
    }
    Ok(())
}

fn named(name: &str, text: impl Into<String>) -> Row {
    vec![Cell::styled(Style::Faint, name), Cell::from(text.into())]
}

fn configuration(config: &Config) -> String {
    let digest = config.digest.short();
    match &config.file {
        Some(file) => format!("{} ({digest})", file.display()),
        None => format!("embedded ({digest}); `ringfence config` prints it"),
    }
}

fn callers(config: &Config) -> String {
    match config.callers.len() {
        0 => "anyone on this machine".into(),
        1 => "1 key".into(),
        many => format!("{many} keys"),
    }
}

fn floor(in_force: &InForce) -> String {
    use ringfence_fence::Unreadable::Confine;
    let floor = &in_force.floor;
    let confined: Vec<&str> = [
        ("images", floor.image),
        ("recordings", floor.audio),
        ("files", floor.file),
        ("disguised text", floor.text),
    ]
    .into_iter()
    .filter_map(|(kind, unreadable)| (unreadable == Confine).then_some(kind))
    .collect();
    let within = format!("within {}", floor.within.name());
    match confined.as_slice() {
        [] => format!("{within}; what nobody can read may leave"),
        kinds => format!("{within}; {} stay inside", kinds.join(", ")),
    }
}

/// What the operator added to the detectors; nothing when he did not.
fn vocabulary(in_force: &InForce) -> Option<Row> {
    let size = in_force.sight.size;
    let parts: Vec<String> =
        [(size.patterns, "pattern"), (size.terms, "term"), (size.allowed, "allowed value")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| match number {
                1 => format!("1 {what}"),
                many => format!("{many} {what}s"),
            })
            .collect();
    (!parts.is_empty())
        .then(|| named("detectors", format!("with {} of your own", parts.join(", "))))
}

fn model(description: Option<&Description>) -> Vec<Row> {
    let Some(model) = description else {
        return vec![named("model", "none in this process")];
    };
    let mut rows = vec![
        named("device", model.device.clone()),
        named(
            "model",
            format!(
                "{}, {} weights, context {} tokens",
                model.model,
                count(model.parameters),
                model.context_tokens
            ),
        ),
    ];
    if model.trial {
        rows.push(vec![
            "".into(),
            Cell::styled(
                Style::Odd,
                "for trying things out; name the folder of a real one in [local] model",
            ),
        ]);
    }
    rows
}

fn vectors(model: &EmbedderDescription) -> Row {
    let text = format!(
        "{}, {} numbers, texts of {} tokens, on {}",
        model.model,
        model.widths.whole(),
        model.text_tokens,
        model.device
    );
    named("vectors", text)
}

/// Says whether anything can leave: the one thing that nobody should have to guess.
fn cloud(config: &Config) -> Row {
    let on: Vec<&str> = (config.targets.iter())
        .filter(|entry| entry.target.zone == Zone::Cloud && matches!(entry.reach, Reach::Http(_)))
        .map(|entry| entry.target.name.as_str())
        .collect();
    match on.as_slice() {
        [] => vec![
            Cell::styled(Style::Faint, "cloud"),
            Cell::styled(Style::Good, "off: nothing leaves"),
        ],
        names => vec![
            Cell::styled(Style::Faint, "cloud"),
            Cell::styled(Style::Odd, format!("on: {}", names.join(", "))),
        ],
    }
}

/// A row for each policy.
fn policies(in_force: &InForce) -> Vec<Row> {
    let policies = in_force.chain.policies();
    if policies.is_empty() {
        return vec![vec![Cell::styled(Style::Odd, "none: only callers and the floor decide")]];
    }
    let row = |policy: &Policy| -> Row {
        let degraded = in_force.degraded.contains(&policy.name);
        vec![
            policy.name.clone().into(),
            policy.version.clone().unwrap_or_else(|| "-".into()).into(),
            policy.digest.short().into(),
            policy.mode.name().into(),
            format!("on failure {}", policy.on_failure.name()).into(),
            if policy.snapshot { "snapshot" } else { "configured each time" }.into(),
            (in_force.signed.get(&policy.name))
                .map_or_else(String::new, |key| format!("signed by {key}"))
                .into(),
            Cell::styled(Style::Odd, if degraded { "stored predecessor" } else { "" }),
        ]
    };
    policies.iter().map(|policy| row(policy)).collect()
}

/// A row for each target, in the configuration's order.
fn targets(in_force: &InForce, config: &Config) -> Vec<Row> {
    let row = |target: &Target| -> Row {
        let lacking = in_force.lacking.iter().find(|(lacking, _)| lacking.name == target.name);
        let region = if target.region.is_empty() { "-" } else { &target.region };
        let models: Vec<&str> = target.models.iter().map(|model| model.name.as_str()).collect();
        vec![
            target.name.clone().into(),
            target.zone.name().into(),
            region.into(),
            match lacking {
                None => Cell::styled(Style::Good, "ready"),
                Some((_, what)) => Cell::styled(Style::Odd, what.clone()),
            },
            Cell::styled(Style::Faint, shortened(&models)),
        ]
    };
    config.targets.iter().map(|entry| row(&entry.target)).collect()
}

/// Names of models in one line.
fn shortened(models: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = models[..models.len().min(SHOWN)].join(", ");
    match models.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A line that works when pasted.
fn curl(address: SocketAddr, in_force: &InForce, wants_key: bool) -> String {
    // An address that means all of them is none to connect to.
    let host = match address {
        address if !address.ip().is_unspecified() => address,
        SocketAddr::V4(_) => SocketAddr::from(([127, 0, 0, 1], address.port())),
        SocketAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port())),
    };
    let key = if wants_key { " -H \"Authorization: Bearer $RINGFENCE_KEY\"" } else { "" };
    let is_local = |target: &Target| target.zone == Zone::Process && !target.vectors_only;
    let question = if in_force.places.iter().any(|place| is_local(&place.target)) {
        "What is Ringfence?"
    } else {
        "Hello!"
    };
    format!(
        "curl -s http://{host}/v1/chat/completions{key} -H 'Content-Type: application/json' \
         -d '{{\"model\":\"auto\",\"messages\":[{{\"role\":\"user\",\"content\":\"{question}\"}}]}}'"
    )
}

/// A number of weights for people: `2.4 M`.
fn count(number: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", number / unit, number % unit * 10 / unit);
    match number {
        0..1_000_000 => format!("{} thousand", number.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{} M", tenths(1_000_000)),
        _ => format!("{} G", tenths(1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_counted_for_people() {
        for (number, shown) in [(999, "1 thousand"), (2_450_000, "2.4 M"), (1_100_000_000, "1.1 G")]
        {
            assert_eq!(count(number), shown);
        }
    }

    #[test]
    fn many_models_fit_a_line() {
        assert_eq!(shortened(&["a"]), "a");
        assert_eq!(shortened(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
