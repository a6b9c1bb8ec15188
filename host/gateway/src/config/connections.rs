//! How a service is reached: address, key, headers, times.

use std::ops::Range;

use http::{HeaderName, HeaderValue, Uri};
use ringfence_chat::Dialect;
use ringfence_cloud::{Connection, Secret};
use ringfence_fence::Zone;

use super::reader::Reader;
use super::resolve::{Cloud, Origin, seconds};
use super::surroundings::{KEY_FILE_BYTES, NoKey};
use super::words::is_in_capitals;
use super::{Reach, raw};

/// One service.
pub(super) struct Plan<'a> {
    pub(super) name: &'a str,
    pub(super) span: &'a Range<usize>,
    pub(super) raw: &'a raw::Target,
    pub(super) zone: Zone,
    pub(super) dialect: Dialect,
    pub(super) origin: &'a Origin<'a>,
}

/// The longest time-out, in seconds.
const SECONDS: std::ops::RangeInclusive<u64> = 1..=86_400;
/// Headers that one target may add.
pub const HEADERS: usize = 32;
/// Hosts that are nobody's premises.
const VENDORS: [&str; 2] = ["api.openai.com", "api.anthropic.com"];
/// Headers that are not the operator's to set.
const RESERVED: [&str; 10] = [
    "authorization",
    "x-api-key",
    "proxy-authorization",
    "cookie",
    "host",
    "content-length",
    "content-type",
    "te",
    "transfer-encoding",
    "connection",
];

/// Resolves how `plan` is reached.
pub(super) fn resolve(reader: &mut Reader<'_>, plan: &Plan<'_>) -> Reach {
    let raw = plan.raw;
    let base_url = base_url(reader, plan);
    let headers = headers(reader, plan);
    let connect_within =
        seconds(reader, "connect_within_seconds", raw.connect_within_seconds.as_ref(), 5, SECONDS);
    let first_byte_within = seconds(
        reader,
        "first_byte_within_seconds",
        raw.first_byte_within_seconds.as_ref(),
        120,
        SECONDS,
    );
    let idle_within =
        seconds(reader, "idle_within_seconds", raw.idle_within_seconds.as_ref(), 60, SECONDS);
    let off = plan.zone == Zone::Cloud && plan.origin.cloud == Cloud::Off;
    if off {
        return Reach::Lacking("off: pass --cloud".into());
    }
    let key = match key(reader, plan) {
        Ok(key) => key,
        Err(lacking) => return Reach::Lacking(lacking),
    };
    Reach::Http(Connection {
        dialect: plan.dialect,
        base_url,
        key,
        headers,
        connect_within,
        first_byte_within,
        idle_within,
    })
}

fn base_url(reader: &mut Reader<'_>, plan: &Plan<'_>) -> String {
    let vendor = match plan.dialect {
        Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => {
            "https://api.openai.com/v1"
        }
        Dialect::AnthropicMessages => "https://api.anthropic.com/v1",
    };
    let Some(given) = &plan.raw.base_url else {
        if plan.zone == Zone::Premises {
            let what = format!("target \"{}\" is on the premises and has no base_url", plan.name);
            reader.mistake(plan.span, what, "add base_url = \"http://HOST:PORT/v1\"");
        }
        return vendor.to_owned();
    };
    let url = given.get_ref().trim_end_matches('/').to_owned();
    let mut mistake = |what: String, remedy: &str| {
        let what = format!("base_url of target \"{}\" {what}", plan.name);
        reader.mistake(&given.span(), what, remedy);
    };
    let Ok(uri) = url.parse::<Uri>() else {
        mistake("is no URL".into(), "write it like https://api.example.com/v1");
        return url;
    };
    let host = uri.host().unwrap_or("").trim_matches(['[', ']']).to_ascii_lowercase();
    let loopback = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if loopback || plan.zone == Zone::Premises => {}
        Some("http") => {
            mistake(
                "is plain http to the cloud".into(),
                "use https: prompts and the key would be readable on the way",
            );
        }
        _ => mistake("is no URL".into(), "write it like https://api.example.com/v1"),
    }
    if host.is_empty() || uri.query().is_some() || given.get_ref().contains(['@', '#']) {
        mistake(
            "has a user, a query or no host".into(),
            "give scheme, host and path only; the key goes into key_env or key_file",
        );
    }
    if plan.zone == Zone::Premises && VENDORS.contains(&host.as_str()) {
        mistake(format!("is {host}, and its zone is \"premises\""), "write zone = \"cloud\"");
    }
    url
}

fn headers(reader: &mut Reader<'_>, plan: &Plan<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in &plan.raw.headers {
        let shown = name.escape_debug();
        let what = format!("header \"{shown}\" of target \"{}\"", plan.name);
        if HeaderName::from_bytes(name.as_bytes()).is_err()
            || HeaderValue::from_str(value.get_ref()).is_err()
        {
            let remedy =
                "use a header name of letters, digits and hyphens, and a value of one line";
            reader.mistake(&value.span(), format!("{what} is no header"), remedy);
        } else if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            let remedy = "take it out; a key goes into key_env or key_file";
            reader.mistake(
                &value.span(),
                format!("{what} is not for the configuration to set"),
                remedy,
            );
        }
        headers.push((name.clone(), value.get_ref().clone()));
    }
    if headers.len() > HEADERS {
        let what = format!("target \"{}\" has {} headers", plan.name, headers.len());
        reader.mistake(plan.span, what, format!("give at most {HEADERS}"));
    }
    headers
}

/// The key; what the target lacks where that is no mistake.
fn key(reader: &mut Reader<'_>, plan: &Plan<'_>) -> Result<Option<Secret>, String> {
    let raw = plan.raw;
    let surroundings = plan.origin.surroundings;
    match (&raw.key_env, &raw.key_file) {
        (Some(_), Some(file)) => {
            let what = format!("target \"{}\" has key_env and key_file", plan.name);
            reader.mistake(&file.span(), what, "take one out");
            Ok(None)
        }
        (None, None) => {
            if plan.zone == Zone::Cloud && raw.base_url.is_none() {
                let what = format!("target \"{}\" has no key", plan.name);
                let remedy = "add key_env = \"VARIABLE\" or key_file = \"FILE\"";
                reader.mistake(plan.span, what, remedy);
            }
            Ok(None)
        }
        (Some(variable), None) => match surroundings.key(variable.get_ref()) {
            Ok(key) => Ok(Some(key)),
            Err(NoKey::Unset) if plan.origin.cloud == Cloud::WhereKeysAreSet => {
                Err(format!("{} is not set", shown(variable.get_ref())))
            }
            Err(why) => {
                let name = shown(variable.get_ref());
                let (what, remedy) = match why {
                    NoKey::Unset => ("is not set", "set it, or take the target out"),
                    _ => ("holds no key", "set it to the key alone: visible ASCII on one line"),
                };
                let what = format!("target \"{}\": the variable {name} {what}", plan.name);
                reader.mistake(&variable.span(), what, remedy);
                Ok(None)
            }
        },
        (None, Some(file)) => {
            let path = reader.path(file.get_ref());
            let shown = path.display().to_string();
            match surroundings.key_file(&path) {
                Ok(read) => {
                    if read.open_to_others {
                        let what = format!("others may read the key file {shown}");
                        reader.warn(&file.span(), what, "chmod 600 it");
                    }
                    Ok(Some(read.key))
                }
                Err(why) => {
                    let problem = match why {
                        NoKey::Unreadable(why) => format!("cannot be read: {why}"),
                        NoKey::Size => format!("is empty or larger than {KEY_FILE_BYTES} bytes"),
                        NoKey::Unset | NoKey::Unsendable => "holds no key".into(),
                    };
                    let what = format!("target \"{}\": the key file {shown} {problem}", plan.name);
                    let remedy = "write the key alone into it, on one line";
                    reader.mistake(&file.span(), what, remedy);
                    Ok(None)
                }
            }
        }
    }
}

/// The name of a variable, for a message; what is none may be the key itself, written in
/// the wrong place.
fn shown(variable: &str) -> &str {
    if is_in_capitals(variable) { variable } else { "that key_env should name" }
}
