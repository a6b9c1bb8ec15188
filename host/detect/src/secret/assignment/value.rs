//! Whether a value that is assigned to a secret's name is one.

use super::super::entropy;
use super::super::placeholder::{counts_up, is_name};
use super::sign::{Sign, VALUE_BYTES};

/// How sure it is that a value is a password; nothing when it is not.
pub(super) fn password(value: &str, quote: Option<u8>, sign: Sign, upper: bool) -> Option<f32> {
    let bytes = value.as_bytes();
    let path = value.starts_with('/') || value.starts_with(':') || value.starts_with("arn:");
    if !(4..=128).contains(&bytes.len()) || path {
        return None;
    }
    if sign == Sign::Line {
        return token(value, quote, sign);
    }
    let letters = bytes.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    let digits = bytes.iter().any(u8::is_ascii_digit);
    let signs = bytes[..bytes.len() - 1].iter().any(|byte| {
        byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'_' | b'.' | b'/' | b'\'')
    });
    let capital =
        bytes[1..].iter().any(u8::is_ascii_uppercase) && bytes.iter().any(u8::is_ascii_lowercase);
    let mixed = letters && (digits || signs || capital);
    let blanks = value.contains(char::is_whitespace);
    match (sign, quote.is_some()) {
        _ if blanks && !(quote.is_some() && mixed && value.split_whitespace().count() <= 6) => None,
        (Sign::Equals | Sign::Tag | Sign::Comma, true) if mixed => Some(0.9),
        (Sign::Equals | Sign::Tag | Sign::Comma, true)
            if bytes.len() >= 6 && (digits || letters) =>
        {
            Some(0.7)
        }
        (Sign::Equals | Sign::Tag, false) if mixed => Some(0.8),
        (Sign::Equals, false) if upper && bytes.len() >= 6 => Some(0.7),
        (Sign::Equals | Sign::Tag, false) if digits && bytes.len() >= 6 => Some(0.6),
        (Sign::Is, _) if (mixed && (digits || signs)) || quote.is_some() => Some(0.7),
        // `--password hunter2`, `password hunter2`.
        (Sign::Nothing, _) if letters && digits && bytes.len() >= 6 => Some(0.6),
        _ => None,
    }
}

/// How sure it is that a value is a password of letters alone, beside its user's name.
pub(super) fn chosen(value: &str, sign: Sign) -> Option<f32> {
    let word = |c: char| c.is_alphabetic() || matches!(c, '_' | '-' | ' ');
    let fits = (6..=64).contains(&value.len()) && value.chars().all(word);
    (fits && sign == Sign::Equals && value.split_whitespace().count() <= 4).then_some(0.6)
}

/// How sure it is that a string is a secret that somebody thought up: words with a sign
/// between them, as `harvest#lantern`.
pub(super) fn phrase(value: &str, quote: Option<u8>, sign: Sign) -> Option<f32> {
    let bytes = value.as_bytes();
    let inside = bytes.get(1..bytes.len().saturating_sub(1))?;
    let signs = inside.iter().filter(|byte| b"#!@$%^&*+?".contains(byte)).count();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"#!@$%^&*+?-_".contains(byte);
    let fits = (10..=128).contains(&bytes.len()) && (1..=3).contains(&signs);
    let begins = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
    (quote.is_some() && sign == Sign::Equals && fits && begins && bytes.iter().all(word))
        .then_some(0.6)
}

/// How sure it is that a value was made by a machine to be secret.
pub(super) fn token(value: &str, quote: Option<u8>, sign: Sign) -> Option<f32> {
    let bytes = value.as_bytes();
    let allowed = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || b"-_+/=.~!@#$%^&*:|".contains(byte)
            || quote.is_some() && byte.is_ascii_graphic()
    };
    if !(8..=VALUE_BYTES - 1).contains(&bytes.len()) || !bytes.iter().all(allowed) {
        return None;
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let entropy = entropy(bytes);
    let shuffled = bytes.len() >= 24 && entropy >= 4.0 && is_shuffled(bytes);
    if digits == 0 && !shuffled {
        return None;
    }
    let hexadecimal = bytes.iter().all(u8::is_ascii_hexdigit);
    let assigned = matches!(sign, Sign::Equals | Sign::Tag | Sign::Comma);
    // Some make tokens of digits alone.
    let number = digits == bytes.len() && bytes.len() >= 16 && entropy >= 2.2;
    let least = if hexadecimal { 2.6 } else { 3.0 };
    let random = shuffled || digits >= 1 && letters >= 2 && entropy >= least || number && assigned;
    let solid = digits + letters == bytes.len();
    // Paths, addresses and dates have digits and letters too, and names of things.
    let cases =
        bytes.iter().any(u8::is_ascii_uppercase) && bytes.iter().any(u8::is_ascii_lowercase);
    // Base64 begins with a slash now and then.
    let path = value.starts_with(['&', '?', ':'])
        || value.starts_with('/') && !shuffled
        || value.contains("..")
        || is_host(value);
    if path || !random || counts_up(bytes) || !solid && is_name(value) {
        return None;
    }
    let mixed = solid && (digits >= 2 || cases && entropy >= 3.2);
    match bytes.len() {
        16.. if assigned => Some(if entropy >= 3.5 { 0.85 } else { 0.7 }),
        16.. if digits >= 2 && entropy >= 3.3 => Some(0.7),
        // Nothing but the word stands in front of these.
        24.. if hexadecimal && digits >= 6 && letters >= 4 && entropy >= 2.9 => Some(0.7),
        24.. if shuffled => Some(0.7),
        12.. if assigned && (quote.is_some() || mixed) => Some(0.6),
        10.. if assigned && solid && cases && digits >= 2 => Some(0.6),
        8.. if assigned && quote.is_some() && digits >= 2 => Some(0.6),
        _ => None,
    }
}

/// The same for words that stand for many other things: long and random.
pub(super) fn vague(value: &str, quote: Option<u8>, sign: Sign) -> Option<f32> {
    let long = value.len() >= 20 && entropy(value.as_bytes()) >= 3.5;
    token(value, quote, sign).filter(|_| long && !is_name(value))
}

/// The same for what is assigned to the name of a service, whose keys have no form of
/// their own: letters and digits alone or a UUID.
pub(super) fn service(value: &str, sign: Sign) -> Option<f32> {
    let bytes = value.as_bytes();
    let uuid = bytes.len() == 36 && bytes.iter().filter(|&&byte| byte == b'-').count() == 4;
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_|".contains(byte);
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let fits = (uuid || bytes.len() >= 32) && bytes.len() <= 128 && bytes.iter().all(word);
    let assigned = matches!(sign, Sign::Equals | Sign::Tag | Sign::Comma);
    let random = digits >= 3 && entropy(bytes) >= 2.9 && !counts_up(bytes) && !is_name(value);
    (fits && assigned && random).then_some(0.6)
}

/// How sure it is that a value is a user and a password, as package managers take them.
pub(super) fn pair(value: &str, sign: Sign) -> Option<f32> {
    let (user, password) = value.split_once(':')?;
    let word = |part: &str| part.len() >= 4 && part.bytes().all(|byte| byte.is_ascii_graphic());
    (sign == Sign::Equals && word(user) && word(password)).then_some(0.8)
}

/// Whether letters of both cases and digits follow each other as in base64, and not as in
/// words: two of three neighbours differ by chance, few in a name.
fn is_shuffled(bytes: &[u8]) -> bool {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        b'0'..=b'9' => 3,
        _ => 4,
    };
    let changes = bytes.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    changes * 100 >= bytes.len() * 38
}

/// Whether a value is the name of a host or of a file: small letters, digits and dots.
fn is_host(value: &str) -> bool {
    let labels = value.split('.').count();
    let last = value.rsplit('.').next().unwrap_or_default();
    labels >= 2
        && value.bytes().all(|byte| {
            !byte.is_ascii_uppercase() && (byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        })
        && (1..=6).contains(&last.len())
        && (labels >= 3 || last.bytes().all(|byte| byte.is_ascii_alphabetic()))
}
