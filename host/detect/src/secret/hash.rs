//! Hashes of passwords in the forms that systems store: crypt(3), PHC strings, Django,
//! LDAP, tickets of Kerberos. Whoever has one may guess the password at leisure.

use super::entropy;
use super::placeholder::{is_template, repeats};
use crate::candidate::{SECRET_PASSWORD, Span};
use crate::scan::{Hit, Scan};

/// A form of hash.
pub(super) struct Form {
    /// What it begins with.
    pub(super) literal: &'static str,
    /// The fewest and the most characters after that.
    fewest: usize,
    most: usize,
}

const fn form(literal: &'static str, fewest: usize, most: usize) -> Form {
    Form { literal, fewest, most }
}

/// Forms as their systems document them.
pub(super) const FORMS: [Form; 21] = [
    form("$1$", 24, 40),
    form("$apr1$", 24, 40),
    form("$2a$", 56, 56),
    form("$2b$", 56, 56),
    form("$2x$", 56, 56),
    form("$2y$", 56, 56),
    form("$5$", 45, 90),
    form("$6$", 88, 130),
    form("$7$", 50, 150),
    form("$8$", 58, 58),
    form("$9$", 58, 58),
    form("$y$", 50, 150),
    form("$gy$", 50, 150),
    form("$argon2", 40, 250),
    form("$scrypt$", 40, 250),
    form("$pbkdf2", 40, 250),
    form("pbkdf2_sha256$", 40, 250),
    form("bcrypt_sha256$$2b$", 56, 56),
    form("{ssha}", 32, 64),
    form("$krb5asrep$", 60, 8 * 1024),
    form("$krb5tgs$", 60, 8 * 1024),
];

/// The hash that begins at `hit`. `read` is where the hashes before it ended: no byte is
/// looked at twice.
pub(super) fn find(
    scan: &Scan<'_>,
    hit: &Hit,
    form: &Form,
    read: &mut usize,
) -> Option<Span<'static>> {
    if hit.start < *read {
        return None;
    }
    let ticket = form.literal.starts_with("$krb");
    let end = scan.run(hit.end, form.most + 1, |byte| {
        byte.is_ascii_alphanumeric()
            || b"./$=,+-_".contains(&byte)
            || (ticket && b"@:*".contains(&byte))
    });
    // A hash may end with a dot; what a sentence adds to one does no harm.
    let value = scan.text[hit.end..end].trim_end_matches([',', '-', ':']);
    let tail = value.as_bytes();
    let real = (form.fewest..=form.most).contains(&tail.len())
        && entropy(tail) >= 3.0
        && !repeats(tail)
        && !is_template(value);
    *read = if real || ticket { end } else { *read };
    real.then(|| Span::new(hit.start, hit.end + value.len(), SECRET_PASSWORD, 0.95))
}
