//! What is assigned to something that is called a secret: `.env` files, JSON, YAML,
//! programs, command lines, and sentences.

mod name;
mod sign;
mod value;

use self::name::{NAME_BYTES, is_secret_name, rest_of_name};
pub(super) use self::name::{WORDS, Word};
use self::sign::{Sign, VALUE_BYTES, closes, quoted_end, value_end, value_start};
use self::value::{pair, password, service, token, vague};
use super::entropy;
use super::placeholder::{is_name, is_placeholder, is_reference};
use crate::candidate::{SECRET_PASSWORD, SECRET_TOKEN, Span};
use crate::scan::{Hit, Scan};

/// The shortest token that is a part of its own name.
const IN_NAME: usize = 24;

/// How far before a password the name of its user may stand.
const USER_BYTES: usize = 160;

/// How many words may look at one value without blanks: the names in it are a disguise of
/// nothing.
const TRIES: u8 = 8;

/// Names, and values without quotation marks, while words go by: each byte is read once.
#[derive(Default)]
pub(super) struct Values {
    /// Where the value that was read last begins and ends.
    start: usize,
    end: usize,
    /// How many words looked at it.
    tries: u8,
    /// Where the name that was read last begins and ends.
    name: (usize, usize),
    /// Where the name ends that was looked at last for a token in it.
    looked: usize,
}

impl Values {
    /// Where the name ends that goes on at `from`; nothing when it is too long.
    fn name_end(&mut self, scan: &Scan<'_>, from: usize) -> Option<usize> {
        if !(self.name.0..self.name.1).contains(&from) {
            let belongs =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            self.name = (from, scan.run(from, scan.bytes.len(), belongs));
        }
        (self.name.1 - from <= NAME_BYTES).then_some(self.name.1)
    }

    /// A token that is a part of its own name: `api_key_f7aa1c27...`, as the names of tools
    /// are made. The first word of a name tells.
    fn in_name(&mut self, scan: &Scan<'_>, after: usize) -> Option<Span<'static>> {
        let sign = scan.at(after).filter(|byte| matches!(byte, b'_' | b'-'))?;
        if after < self.looked {
            return None;
        }
        let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte == sign;
        let end = scan.run(after + 1, VALUE_BYTES, belongs);
        self.looked = end;
        let value = scan.text.get(after + 1..end).filter(|value| value.len() >= IN_NAME)?;
        // The pieces of a name are words.
        let solid: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        let random = entropy(solid.as_bytes()) >= 3.2 && !is_name(value);
        let sure = random.then(|| token(&solid, None, Sign::Is)).flatten()?;
        Some(Span::new(after + 1, end, SECRET_TOKEN, sure))
    }

    /// Where the value that begins at `start` ends. Nothing when it is too long, or when
    /// enough words have looked at it.
    fn end(&mut self, scan: &Scan<'_>, start: usize, sign: Sign) -> Option<usize> {
        if !(self.start..self.end).contains(&start) {
            (self.start, self.end, self.tries) = (start, value_end(scan, start, sign), 0);
        }
        self.tries = self.tries.saturating_add(1);
        (self.tries <= TRIES && self.end - start < VALUE_BYTES).then_some(self.end)
    }
}

/// The value that is assigned to the name that a word stands in.
pub(super) fn find(
    scan: &Scan<'_>,
    hit: &Hit,
    word: Word,
    values: &mut Values,
) -> Option<Span<'static>> {
    let literal = &scan.text[hit.start..hit.end];
    let assigned = literal.ends_with(['=', ':', ' ']);
    // `pass=` and `pw"` are whole names: not the end of `bypass=`.
    let short = literal.starts_with(['p', 'P']) && !literal.ends_with(char::is_alphabetic);
    if short && !scan.begins(hit.start) {
        return None;
    }
    if word == Word::Token
        && let Some(span) = values.in_name(scan, hit.end)
        && is_secret_name(scan, hit, word)
    {
        return Some(span);
    }
    let (after, upper) = match assigned {
        true => (hit.end, false),
        false => rest_of_name(scan, hit, values.name_end(scan, hit.end)?)?,
    };
    if !is_secret_name(scan, hit, word) {
        return None;
    }
    let sign = if assigned { Sign::Equals } else { Sign::Nothing };
    let (start, sign, quote) = value_start(scan, after, sign)?;
    let named = matches!(scan.at(after), Some(b'"' | b'\'' | b'`' | b'\\' | b']'));
    let plain_quote = quote.filter(|_| !named && scan.bytes[start - 2] != b'\\');
    if plain_quote.is_some_and(|quote| closes(scan, start - 1, quote)) {
        return None;
    }
    let end = match quote {
        Some(quote) => quoted_end(scan, start, quote),
        None => {
            let end = values.end(scan, start, sign)?;
            // A bracket that was opened in front of the name ends the value.
            start + scan.text.get(start..end)?.trim_end_matches([')', ']', '}']).len()
        }
    };
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
            let line = quote.is_some()
                || scan.at(end).is_none_or(|byte| byte == b'\n')
                || scan.at(end) == Some(b';') && in_connection(scan, hit.start, end);
            (line && beside_user(scan, hit.start)).then(|| value::chosen(value, sign)).flatten()
        })?,
        Word::Token => token(value, quote, sign).or_else(|| {
            let whole = scan.begins(hit.start) && literal.eq_ignore_ascii_case("secret");
            let named = whole && after <= hit.end + 1;
            named.then(|| value::phrase(value, quote, sign)).flatten()
        })?,
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
            let rest = rest.strip_prefix(" id").unwrap_or(rest);
            let rest = rest.trim_start_matches(['"', '\'', ' ']);
            // `==` compares and a bracket calls.
            rest.starts_with(['=', ':']) && !rest.starts_with("==") && !rest.contains('(')
        })
    })
}

/// Whether a password stands among the settings of a database's connection:
/// `Data Source=db01;User ID=app;Password=...;`.
fn in_connection(scan: &Scan<'_>, start: usize, end: usize) -> bool {
    const SETTINGS: [&str; 5] =
        ["data source=", "server=", "initial catalog=", "database=", "provider="];
    let from = scan.text.ceil_char_boundary(start.saturating_sub(USER_BYTES));
    let until = scan.text.floor_char_boundary((end + USER_BYTES).min(scan.bytes.len()));
    let around = scan.text[from..until].to_ascii_lowercase();
    SETTINGS.iter().any(|setting| around.contains(setting))
}
