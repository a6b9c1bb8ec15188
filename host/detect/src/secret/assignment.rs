//! What is assigned to something that is called a secret: `.env` files, JSON, YAML,
//! programs, command lines, and sentences.

mod name;
mod sign;
mod value;

pub(super) use self::name::{WORDS, Word};
use self::name::{is_secret_name, rest_of_name};
use self::sign::{Sign, closes, value_end, value_start};
use self::value::{pair, password, service, token, vague};
use super::placeholder::{is_placeholder, is_reference};
use crate::candidate::{SECRET_PASSWORD, SECRET_TOKEN, Span};
use crate::scan::{Hit, Scan};

/// How far before a password the name of its user may stand.
const USER_BYTES: usize = 160;

/// The value that is assigned to the name that a word stands in.
pub(super) fn find(scan: &Scan<'_>, hit: &Hit, word: Word) -> Option<Span<'static>> {
    if !is_secret_name(scan, hit, word) {
        return None;
    }
    let literal = &scan.text[hit.start..hit.end];
    let assigned = literal.ends_with(['=', ':', ' ']);
    // `pass=` and `pw"` are whole names: not the end of `bypass=`.
    let short = literal.starts_with(['p', 'P']) && !literal.ends_with(char::is_alphabetic);
    if short && !scan.begins(hit.start) {
        return None;
    }
    let (after, upper) = match assigned {
        true => (hit.end, false),
        false => rest_of_name(scan, hit)?,
    };
    let sign = if assigned { Sign::Equals } else { Sign::Nothing };
    let (start, sign, quote) = value_start(scan, after, sign)?;
    let named = matches!(scan.at(after), Some(b'"' | b'\'' | b'`' | b'\\' | b']'));
    let plain_quote = quote.filter(|_| !named && scan.bytes[start - 2] != b'\\');
    if plain_quote.is_some_and(|quote| closes(scan, start - 1, quote)) {
        return None;
    }
    let end = value_end(scan, start, quote, sign);
    let value = scan.text.get(start..end)?;
    let value = match (quote, sign) {
        (None, Sign::Is) => value.trim_end_matches(['.', '!', '?', ',', ')']),
        (None, _) if value.ends_with("..") => return None,
        (None, _) => value.trim_end_matches(['.', ',']),
        _ => value,
    };
    let end = start + value.len();
    // The cheap questions first: most values are none.
    let sure = match word {
        Word::Password => password(value, quote, sign, upper).or_else(|| {
            let line = quote.is_some() || scan.at(end).is_none_or(|byte| byte == b'\n');
            (line && beside_user(scan, hit.start)).then(|| value::chosen(value, sign)).flatten()
        })?,
        Word::Token => token(value, quote, sign)?,
        Word::Vague => vague(value, quote, sign)?,
        Word::Service => service(value, sign)?,
        Word::Pair => pair(value, sign)?,
    };
    // A list of strings is no assignment.
    let call = || scan.run_back(hit.start, 64, |byte| !b"([{\n".contains(&byte));
    if word == Word::Password
        && sign == Sign::Comma
        && !matches!(scan.before(call()), Some(b'(' | b'{'))
    {
        return None;
    }
    let is_code = quote.is_none() && word != Word::Pair && is_reference(value);
    if value.contains("://") || value.starts_with("arn:") || is_placeholder(value) || is_code {
        return None;
    }
    let entity = match word {
        Word::Password | Word::Pair => SECRET_PASSWORD,
        Word::Token | Word::Vague | Word::Service => SECRET_TOKEN,
    };
    Some(Span::new(start, end, entity, sure))
}

/// Whether the name of a user is assigned shortly before: two lines of a form.
fn beside_user(scan: &Scan<'_>, at: usize) -> bool {
    let from = scan.text.ceil_char_boundary(at.saturating_sub(USER_BYTES));
    let before = scan.text[from..at].to_ascii_lowercase();
    ["user", "login", "uid"].iter().any(|word| {
        before.rmatch_indices(word).take(4).any(|(start, _)| {
            let rest = before[start + word.len()..].trim_start_matches("name");
            let rest = rest.trim_start_matches(['"', '\'', ' ']);
            // `==` compares and a bracket calls.
            rest.starts_with(['=', ':']) && !rest.starts_with("==") && !rest.contains('(')
        })
    })
}
