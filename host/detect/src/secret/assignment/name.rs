//! Names that announce a secret: `password`, `api_key`, `clientSecret`.

use crate::scan::{Hit, Scan};

/// What kind of secret a word announces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::secret) enum Word {
    /// One that people choose: any value may be it.
    Password,
    /// One that machines make: long and random.
    Token,
    /// The same, for words that stand for many other things too.
    Vague,
    /// The name of a service, which stands for its key in settings.
    Service,
    /// One whose value is a user and a password with a colon between.
    Pair,
}

/// How far a name goes on from its word.
pub(super) const NAME_BYTES: usize = 40;

/// Words for secrets, wherever they stand in a name.
pub(in crate::secret) const WORDS: [(&str, Word); 87] = [
    ("password", Word::Password),
    ("passwd", Word::Password),
    ("passwort", Word::Password),
    ("passphrase", Word::Password),
    ("passcode", Word::Password),
    ("pwd", Word::Password),
    ("_pass", Word::Password),
    ("dbpass", Word::Password),
    ("kennwort", Word::Password),
    ("senha", Word::Password),
    ("contraseña", Word::Password),
    ("contrasena", Word::Password),
    ("mot de passe", Word::Password),
    ("motdepasse", Word::Password),
    ("wachtwoord", Word::Password),
    ("пароль", Word::Password),
    ("密码", Word::Password),
    ("密碼", Word::Password),
    ("パスワード", Word::Password),
    ("비밀번호", Word::Password),
    ("--pass ", Word::Password),
    ("pass:", Word::Password),
    ("pass=", Word::Password),
    ("pass =", Word::Password),
    ("pass\"", Word::Password),
    ("pass'", Word::Password),
    ("pw=", Word::Password),
    ("pw:", Word::Password),
    ("pw\"", Word::Password),
    ("secret", Word::Token),
    ("api_key", Word::Token),
    ("api-key", Word::Token),
    ("apikey", Word::Token),
    ("api key", Word::Token),
    ("api_token", Word::Token),
    ("secret key", Word::Token),
    ("access_key", Word::Token),
    ("access-key", Word::Token),
    ("accesskey", Word::Token),
    ("access key", Word::Token),
    ("accountkey", Word::Token),
    ("account_key", Word::Token),
    ("account key", Word::Token),
    ("private_key", Word::Token),
    ("private-key", Word::Token),
    ("privatekey", Word::Token),
    ("device_key", Word::Token),
    ("devicekey", Word::Token),
    ("encryption_key", Word::Token),
    ("encryptionkey", Word::Token),
    ("signing_key", Word::Token),
    ("subscription-key", Word::Token),
    ("preshared_key", Word::Token),
    ("presharedkey", Word::Token),
    ("pre-shared key", Word::Token),
    ("license_key", Word::Token),
    ("licensekey", Word::Token),
    ("unseal key", Word::Token),
    ("operator unseal", Word::Token),
    ("jenkins-crumb", Word::Token),
    ("token", Word::Token),
    ("authorization", Word::Token),
    ("credential", Word::Vague),
    ("creds", Word::Vague),
    ("_key", Word::Vague),
    ("_pat", Word::Vague),
    ("auth", Word::Vague),
    ("sig=", Word::Vague),
    ("bearer", Word::Vague),
    ("artifactory", Word::Service),
    ("cloudflare", Word::Service),
    ("codeclimate", Word::Service),
    ("test_reporter_id", Word::Service),
    ("datadog", Word::Service),
    ("facebook", Word::Service),
    ("heroku", Word::Service),
    ("hubspot", Word::Service),
    ("mailgun", Word::Service),
    ("okta", Word::Service),
    ("postmark", Word::Service),
    ("rollbar", Word::Service),
    ("segment.write", Word::Service),
    ("sonar", Word::Service),
    ("sourcegraph", Word::Service),
    ("travis", Word::Service),
    ("twilio", Word::Service),
    ("bundle_", Word::Pair),
];

/// Ends of names that hold something about a secret, and not it.
const ABOUT: [&str; 50] = [
    "id",
    "ids",
    "name",
    "names",
    "type",
    "types",
    "count",
    "url",
    "uri",
    "path",
    "file",
    "filename",
    "length",
    "len",
    "size",
    "limit",
    "expiry",
    "expires",
    "expiration",
    "field",
    "policy",
    "reset",
    "input",
    "label",
    "hint",
    "prompt",
    "manager",
    "required",
    "version",
    "ttl",
    "endpoint",
    "host",
    "arn",
    "ref",
    "class",
    "method",
    "provider",
    "format",
    "index",
    "error",
    "valid",
    "column",
    "header",
    "prefix",
    "suffix",
    "usage",
    "budget",
    "address",
    "at",
    "date",
];

/// Beginnings of names that are shown to everybody.
const PUBLIC: [&str; 14] = [
    "public",
    "pub",
    "csrf",
    "xsrf",
    "primary",
    "foreign",
    "sort",
    "partition",
    "next",
    "page",
    "cache",
    "max",
    "num",
    "total",
];

/// Pieces of names of tokens that keep no secret: they number pages and attempts.
const COUNTING: [&str; 13] = [
    "nextpage",
    "next-page",
    "nexttoken",
    "continuation",
    "pagetoken",
    "idempoten",
    "starting-",
    "starting_",
    "lock-",
    "locktoken",
    "requesttoken",
    "request-token",
    "authenticity",
];

/// How far back the name of a resource may begin that a word stands in.
const RESOURCE_BYTES: usize = 120;

/// Words that are written together with a word for a secret.
const TOGETHER: [&str; 30] = [
    "access",
    "auth",
    "api",
    "bot",
    "refresh",
    "session",
    "client",
    "app",
    "user",
    "admin",
    "db",
    "root",
    "my",
    "secret",
    "personal",
    "test",
    "master",
    "new",
    "old",
    "web",
    "jwt",
    "oauth",
    "webhook",
    "encryption",
    "signing",
    "shared",
    "consumer",
    "provision",
    "hmac",
    "device",
];

/// Whether the name that a word stands in may be a secret's: `publicKey` is not, and
/// the `token` of `jsonwebtoken` is no word of its own.
pub(super) fn is_secret_name(scan: &Scan<'_>, hit: &Hit, word: Word) -> bool {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let start = scan.run_back(hit.start, NAME_BYTES, name);
    let before = &scan.bytes[start..hit.start];
    let small = |at: Option<u8>| at.is_some_and(|byte| byte.is_ascii_lowercase());
    let glued =
        word != Word::Password && small(scan.before(hit.start)) && small(scan.at(hit.start));
    if glued && !TOGETHER.iter().any(|part| ends_with(before, part)) {
        return false;
    }
    if matches!(word, Word::Service | Word::Pair) {
        return scan.begins(start) && before.len() <= 16;
    }
    let mut parts = before.split(|byte| matches!(byte, b'_' | b'-'));
    if parts.any(|part| PUBLIC.iter().any(|public| part.eq_ignore_ascii_case(public.as_bytes()))) {
        return false;
    }
    let end = scan.run(hit.end, NAME_BYTES, name);
    // `arn:aws:secretsmanager:...:secret:name` names a secret and is none.
    let resource = scan.before(hit.start) == Some(b':') && {
        let from = scan.run_back(hit.start, RESOURCE_BYTES, |byte| name(byte) || byte == b':');
        scan.bytes[from..].starts_with(b"arn:")
    };
    !resource && !counts(&scan.bytes[start..end])
}

/// Whether a name has a piece of a token's that keeps no secret.
fn counts(name: &[u8]) -> bool {
    (0..name.len()).any(|at| {
        let first = name[at].to_ascii_lowercase();
        matches!(first, b'n' | b'c' | b'p' | b'i' | b's' | b'l' | b'r' | b'a')
            && COUNTING.iter().any(|part| {
                part.as_bytes()[0] == first
                    && name[at..]
                        .get(..part.len())
                        .is_some_and(|text| text.eq_ignore_ascii_case(part.as_bytes()))
            })
    })
}

fn ends_with(text: &[u8], end: &str) -> bool {
    text.len() >= end.len() && text[text.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// Where the name ends that a word stands in, which `end` may be, and whether it is in capitals, as in an
/// environment. Nothing when the word is part of another one (`secretary`), or when the
/// name says that it holds something else (`token_count`).
pub(super) fn rest_of_name(scan: &Scan<'_>, hit: &Hit, end: usize) -> Option<(usize, bool)> {
    let rest = &scan.text[hit.end..end];
    let word_goes_on = rest.starts_with(|c: char| c.is_ascii_lowercase())
        && scan.bytes[hit.end - 1].is_ascii_lowercase();
    // `KEYBAG`, but not `keyID` and not `KEY_ID`.
    let shouts = scan.bytes[hit.end - 1].is_ascii_uppercase()
        && scan.bytes[hit.start..hit.end].iter().all(|byte| !byte.is_ascii_lowercase())
        && rest.starts_with(|c: char| c.is_ascii_uppercase());
    let word_goes_on = word_goes_on || shouts && !rest.starts_with('S');
    let plural = rest == "s" || rest.starts_with("s_");
    let known = ["key", "hash", "value", "text", "plain", "string", "base64", "word", "token"];
    let begins =
        |part: &str| rest.get(..part.len()).is_some_and(|text| text.eq_ignore_ascii_case(part));
    if word_goes_on && !plural && !known.iter().any(|known| begins(known)) {
        return None;
    }
    let last = rest.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let camel = rest.rfind(|c: char| c.is_ascii_uppercase()).map_or("", |at| &rest[at..]);
    let is_about =
        |end: &str| !end.is_empty() && ABOUT.iter().any(|about| about.eq_ignore_ascii_case(end));
    if is_about(last) || is_about(camel) {
        return None;
    }
    let name = &scan.bytes[hit.start..end];
    Some((end, name.iter().any(u8::is_ascii_uppercase) && !name.iter().any(u8::is_ascii_lowercase)))
}
