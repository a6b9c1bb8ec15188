//! Secrets that are recognised by what they are, or by where they stand.

use super::Shape::{Block, Word};
use super::{Kind, Made, kind};
use crate::planting::Random;
use crate::planting::coding::{STANDARD, URL_SAFE, base64, base64_unpadded};

pub(super) const KINDS: &[Kind] = &[
    kind("SECRET_PRIVATE_KEY", &["private key", "key", "id_rsa"], Block, pem),
    kind("SECRET_PRIVATE_KEY", &["ssh key", "private key"], Block, openssh),
    kind("SECRET_PRIVATE_KEY", &["pgp key", "private key"], Block, pgp),
    kind("SECRET_PRIVATE_KEY", &["putty key", "private key"], Block, putty),
    kind("SECRET_JWT", &["token", "bearer", "jwt", "session"], Word, jwt),
    kind("SECRET_CONNECTION", &["database", "DATABASE_URL", "dsn", "connection"], Word, address),
    kind("SECRET_CONNECTION", &["database", "connection string"], Word, pairs),
    kind("SECRET_PASSWORD", &["password", "DB_PASSWORD", "passwd", "Passwort"], Word, |random| {
        let symbol = random.of_alphabet("!$*+-_", 1);
        format!("{}{symbol}{}{}", random.word(5), random.between(0, 9), random.word(5)).into()
    }),
    kind("SECRET_TOKEN", &["api_key", "API key", "secret", "access_token"], Word, |random| {
        random.of_alphabet("abcdefghijklmnopqrstuvwxyz0123456789", 40).into()
    }),
    kind("SECRET_TOKEN", &["client_secret", "auth_token", "secret key"], Word, |random| {
        base64_unpadded(&random.bytes(30), STANDARD).into()
    }),
    kind("SECRET_WEBHOOK", &["webhook", "hook", "notify url"], Word, |random| {
        let end = random.word(24);
        let path = format!("T0{}/B0{}", random.of_alphabet(UPPER, 9), random.of_alphabet(UPPER, 9));
        with(format!("https://hooks.slack.com/services/{path}/{end}"), vec![end])
    }),
    kind("SECRET_WEBHOOK", &["webhook", "hook", "notify url"], Word, |random| {
        let (id, end) = (format!("1{}", random.digits(17)), random.word(68));
        with(format!("https://discord.com/api/webhooks/{id}/{end}"), vec![end])
    }),
];

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

fn with(text: String, parts: Vec<String>) -> Made {
    Made { text, parts }
}

/// Lines of base64 between two lines; every line but a short last one counts.
fn block(head: &str, body: &[u8], width: usize, tail: &str) -> Made {
    let body = base64(body);
    let lines: Vec<String> = body
        .as_bytes()
        .chunks(width)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let parts = lines.iter().filter(|line| line.len() > 30).cloned().collect();
    with(format!("{head}\n{}\n{tail}", lines.join("\n")), parts)
}

fn pem(random: &mut Random) -> Made {
    let name = *random.pick(&["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]);
    let length = if name.starts_with("EC") { 121 } else { 600 };
    // A sequence, a version and integers, as DER has them.
    let mut body = vec![0x30, 0x82, 0x02, 0x54, 0x02, 0x01, 0x00];
    body.extend(random.bytes(length));
    block(&format!("-----BEGIN {name}-----"), &body, 64, &format!("-----END {name}-----"))
}

fn openssh(random: &mut Random) -> Made {
    let mut body = b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01".to_vec();
    body.extend(random.bytes(260));
    let (head, tail) = ("-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----");
    let mut made = block(head, &body, 70, tail);
    // The first line is the same in every key without a passphrase.
    made.parts.remove(0);
    made
}

fn pgp(random: &mut Random) -> Made {
    let mut body = vec![0x95, 0x03, 0x98];
    body.extend(random.bytes(500));
    let head = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n";
    block(head, &body, 64, "-----END PGP PRIVATE KEY BLOCK-----")
}

fn putty(random: &mut Random) -> Made {
    let head =
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: work\nPublic-Lines: 2";
    let public = base64(&random.bytes(80));
    let head = format!("{head}\n{}\n{}\nPrivate-Lines: 2", &public[..64], &public[64..]);
    let tail = format!("Private-MAC: {}", random.hex(64));
    block(&head, &random.bytes(72), 64, &tail)
}

fn jwt(random: &mut Random) -> Made {
    let algorithm = *random.pick(&["HS256", "RS256", "ES256"]);
    let head = format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#);
    let body = format!(r#"{{"sub":"{}","iat":17{}}}"#, random.digits(12), random.digits(8));
    let part = |bytes: &[u8]| base64_unpadded(bytes, URL_SAFE);
    let length = if algorithm == "RS256" { 256 } else { 32 };
    let (body, signature) = (part(body.as_bytes()), part(&random.bytes(length)));
    with(format!("{}.{body}.{signature}", part(head.as_bytes())), vec![signature])
}

fn address(random: &mut Random) -> Made {
    let scheme = *random.pick(&[
        "postgres",
        "postgresql",
        "mysql",
        "mongodb",
        "mongodb+srv",
        "redis",
        "amqp",
        "https",
        "mssql",
        "ftp",
    ]);
    let password = random.word(14);
    let user = *random.pick(&["app", "admin", "reporting", "svc_web"]);
    let host = *random.pick(&["db.internal:5432", "cache-1.corp.lan:6379", "data.northwind.net"]);
    with(format!("{scheme}://{user}:{password}@{host}/main"), vec![password])
}

fn pairs(random: &mut Random) -> Made {
    let (key, password) = (base64(&random.bytes(64)), random.word(16));
    match random.between(0, 1) {
        0 => with(
            format!("Server=sql.internal,1433;Database=hr;User Id=app;Password={password};"),
            vec![password],
        ),
        _ => with(
            format!("DefaultEndpointsProtocol=https;AccountName=files;AccountKey={key};"),
            vec![key],
        ),
    }
}
