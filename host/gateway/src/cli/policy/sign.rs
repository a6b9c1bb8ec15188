//! `ringfence policy keygen` and `sign`. The official minisign reads what they write.

use std::fs::{self, OpenOptions};
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use ct_codecs::{Base64, Decoder as _};
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};
use ringfence::signatures::{Signature, Signatures, TrustedKey};
use ringfence_policy::read_file;

use super::{about, read};
use crate::cli::Trouble;
use crate::cli::screen::{Cell, Screen, Style};

/// How a secret key is protected.
#[derive(Args, Clone)]
pub struct Password {
    /// The password is the first line of this file; without it, it is asked for
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The key has no password: who has the file signs
    #[arg(long, conflicts_with = "password_file")]
    pub no_password: bool,
}

/// What to sign, and how.
#[derive(Args, Clone)]
pub struct Signing {
    /// The component
    pub file: PathBuf,
    /// The secret key: what `ringfence policy keygen` or minisign wrote
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The password of the secret key is the first line of this file
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Words that stand in the signature and are signed too
    #[arg(long, value_name = "TEXT", value_parser = comment)]
    pub comment: Option<String>,
}

/// Bytes of a secret key's file, and of a password's, at most.
const SECRET_BYTES: usize = 4 << 10;
/// Bytes of a comment at most.
const COMMENT_BYTES: usize = 256;
/// Bytes that a decoded secret key of minisign has before its derivation's name.
const ALGORITHM_BYTES: usize = 2;

/// Makes a key pair. Nothing is written over.
///
/// # Errors
/// [`Trouble`]: a file is there already, or there is no password.
pub fn keygen(path: &Path, password: &Password, screen: &mut Screen) -> Result<(), Trouble> {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    if !ringfence::config::is_name(&name) {
        return Err(about(
            path,
            &"no name: use 1 to 64 letters, digits, dots, hyphens and underscores",
        ));
    }
    let [secret, public] = ["key", "pub"].map(|extension| with(path, extension));
    for file in [&secret, &public] {
        if fs::symlink_metadata(file).is_ok() {
            return Err(about(file, &"it is there already, and is not written over"));
        }
    }
    let pair = if password.no_password {
        KeyPair::generate_unencrypted_keypair()
    } else {
        KeyPair::generate_encrypted_keypair(asked(password.password_file.as_deref())?)
    };
    let pair = pair.map_err(|error| about(path, &error))?;
    let comment = if password.no_password {
        "minisign secret key, without a password"
    } else {
        "minisign encrypted secret key"
    };
    let boxed = pair.sk.to_box(Some(comment)).map_err(|error| about(path, &error))?;
    let shown = pair.pk.to_box().map_err(|error| about(path, &error))?;
    create(&secret, &boxed.into_string(), 0o600)?;
    create(&public, &shown.into_string(), 0o644)?;
    let row = |name: &str, text: String| vec![Cell::styled(Style::Faint, name), text.into()];
    screen.rows(&[
        row("secret key", format!("{}: keep it where no gateway runs", secret.display())),
        row("public key", public.display().to_string()),
    ])?;
    let heading = screen.style(Style::Strong, "For the configuration:");
    let key = pair.pk.to_base64();
    Ok(screen.write(&format!(
        "\n{heading}\n\n[signatures]\nrequire_signed = true\n\n[signatures.trusted]\n\"{name}\" = \
         \"{key}\"\n"
    ))?)
}

/// Signs a file. A signature that is there is replaced.
///
/// # Errors
/// [`Trouble`]: the key, its password or the files.
pub fn sign(signing: &Signing, screen: &mut Screen) -> Result<(), Trouble> {
    let file = &signing.file;
    let key = &signing.key;
    let bytes = read(file)?;
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
        return Err(about(file, &"its name cannot stand in a signature"));
    };
    if name.contains(['\t', '\n', '\r']) {
        return Err(about(file, &"its name cannot stand in a signature"));
    }
    let secret = unlocked(key, signing.password_file.as_deref())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut trusted = format!("timestamp:{now}\tfile:{name}\thashed");
    if let Some(comment) = &signing.comment {
        trusted.push('\t');
        trusted.push_str(comment);
    }
    let untrusted = "signature from a minisign secret key";
    let made = minisign::sign(None, &secret, bytes.as_slice(), Some(&trusted), Some(untrusted))
        .map_err(|error| about(key, &error))?;
    let text = made.to_string();
    let public = PublicKey::from_secret_key(&secret).map_err(|error| about(key, &error))?;
    // What nobody could verify is not written: a damaged key signs too.
    let trusted = TrustedKey::parse(name, &public.to_base64());
    let signatures = Signatures { required: true, trusted: trusted.into_iter().collect() };
    let signature = Signature::parse(text.as_bytes()).map_err(|error| about(key, &error))?;
    signatures.hold(name, &bytes, Some(&signature)).map_err(|error| about(key, &error))?;
    let path = Signature::beside(file);
    replace(&path, &text)?;
    screen.rows(&[vec![
        Cell::styled(Style::Faint, "signed"),
        format!("{} by the key {}", path.display(), signature.key()).into(),
    ]])?;
    Ok(())
}

/// The secret key of a file, its password taken off.
fn unlocked(path: &Path, password: Option<&Path>) -> Result<SecretKey, Trouble> {
    let bytes = read_file(path, SECRET_BYTES).map_err(|error| about(path, &error))?;
    let no_key = || about(path, &"it is no secret key of minisign");
    let text = String::from_utf8(bytes).map_err(|_| no_key())?;
    let line = text.lines().nth(1).ok_or_else(no_key)?;
    let raw = Base64::decode_to_vec(line.trim(), None).map_err(|_| no_key())?;
    let key = SecretKey::from_bytes(&raw).map_err(|_| no_key())?;
    // Read here because minisign writes keys without a password also without a checksum.
    let derivation = raw.get(ALGORITHM_BYTES..ALGORITHM_BYTES + 2);
    if derivation == Some(&[0, 0]) {
        return Ok(key);
    }
    let boxed = SecretKeyBox::from_string(&text).map_err(|_| no_key())?;
    let password = asked(password)?;
    boxed.into_secret_key(password).map_err(|error| about(path, &error))
}

/// The password of a file; `None` for one that is asked for at the terminal.
fn asked(file: Option<&Path>) -> Result<Option<String>, Trouble> {
    let Some(file) = file else {
        if std::io::stdin().is_terminal() {
            return Ok(None);
        }
        return Err(Trouble::Found(
            "there is no terminal to ask for the password: give --password-file FILE (or make the \
             key with --no-password)"
                .to_owned(),
        ));
    };
    let bytes = read_file(file, SECRET_BYTES).map_err(|error| about(file, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| about(file, &"expected text in UTF-8"))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(Some(line.to_owned())),
        None => Err(about(file, &"its first line is empty: there is no password")),
    }
}

fn with(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

fn create(path: &Path, text: &str, mode: u32) -> Result<(), Trouble> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| about(path, &error))
}

/// Writes aside and renames: a gateway may be looking.
fn replace(path: &Path, text: &str) -> Result<(), Trouble> {
    let aside = with(path, "new");
    let written = fs::write(&aside, text).and_then(|()| fs::rename(&aside, path));
    written.map_err(|error| about(path, &error))
}

fn comment(text: &str) -> Result<String, String> {
    if text.len() > COMMENT_BYTES || text.chars().any(char::is_control) {
        return Err(format!("give one line of at most {COMMENT_BYTES} bytes"));
    }
    // It must not pass for what the signature itself says.
    for own in ["timestamp:", "file:"] {
        if text.trim_start().starts_with(own) {
            return Err(format!("a comment must not begin with {own}"));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_one_short_line_that_says_nothing_of_the_file() {
        assert!(comment("reviewed by ward 3").is_ok());
        let long = "x".repeat(COMMENT_BYTES + 1);
        for refused in ["two\nlines", "a\ttab", "file:b.wasm", " timestamp:1", &long] {
            assert!(comment(refused).is_err(), "{refused:?}");
        }
        assert!(comment(&long[1..]).is_ok());
    }
}
