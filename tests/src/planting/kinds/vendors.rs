//! Keys in the formats that their vendors document, checksums included.

use super::Shape::{Block, Word};
use super::{Kind, Made, kind};
use crate::planting::Random;
use crate::planting::checks::{crc_base62, crc32};
use crate::planting::coding::{URL_SAFE, base64, base64_unpadded};

const ENTITY: &str = "SECRET_API_KEY";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) const KINDS: &[Kind] = &[
    kind(ENTITY, &["AWS key", "aws_access_key_id", "access key"], Word, |random| {
        let kind = *random.pick(&["AKIA", "ASIA"]);
        format!("{kind}{}", random.of_alphabet(BASE32, 16)).into()
    }),
    kind(ENTITY, &["GitHub token", "GITHUB_TOKEN", "token"], Word, |random| {
        let (kind, body) = (*random.pick(&["ghp", "gho", "ghs", "ghu"]), random.word(30));
        let check = crc_base62(&body);
        format!("{kind}_{body}{check}").into()
    }),
    kind(ENTITY, &["GitHub token", "GITHUB_TOKEN"], Word, |random| {
        format!("github_pat_{}_{}", random.word(22), random.word(59)).into()
    }),
    kind(ENTITY, &["GitLab token", "GITLAB_TOKEN"], Word, |random| {
        format!("glpat-{}", random.word(20)).into()
    }),
    kind(ENTITY, &["Slack token", "SLACK_BOT_TOKEN"], Word, |random| {
        let (team, bot) = (random.digits(11), random.digits(12));
        format!("xoxb-2{team}-4{bot}-{}", random.word(24)).into()
    }),
    kind(ENTITY, &["Stripe key", "STRIPE_SECRET_KEY"], Word, |random| {
        format!("{}_live_{}", random.pick(&["sk", "rk"]).to_owned(), random.word(24)).into()
    }),
    kind(ENTITY, &["OpenAI key", "OPENAI_API_KEY"], Word, |random| {
        match random.between(0, 1) {
            0 => format!("sk-{}T3BlbkFJ{}", random.word(20), random.word(20)),
            _ => format!("sk-proj-{}T3BlbkFJ{}", random.word(74), random.word(74)),
        }
        .into()
    }),
    kind(ENTITY, &["Anthropic key", "ANTHROPIC_API_KEY"], Word, |random| {
        format!("sk-ant-api03-{}AA", random.word(93)).into()
    }),
    kind(ENTITY, &["npm token", "NPM_TOKEN"], Word, |random| {
        let body = random.word(30);
        let check = crc_base62(&body);
        format!("npm_{body}{check}").into()
    }),
    kind(ENTITY, &["PyPI token", "TWINE_PASSWORD"], Word, |random| {
        // The macaroon's version, its location and an identifier of 36 bytes.
        let mut body = b"\x02\x01\x08pypi.org\x02\x24".to_vec();
        body.extend(random.bytes(120));
        format!("pypi-{}", base64_unpadded(&body, URL_SAFE)).into()
    }),
    kind(ENTITY, &["Google key", "GOOGLE_API_KEY"], Word, |random| {
        format!("AIzaSy{}", random.word(33)).into()
    }),
    kind(ENTITY, &["SendGrid key", "SENDGRID_API_KEY"], Word, |random| {
        format!("SG.{}.{}", random.word(22), random.word(43)).into()
    }),
    kind(ENTITY, &["DigitalOcean token", "DO_TOKEN"], Word, |random| {
        format!("dop_v1_{}", random.hex(64)).into()
    }),
    kind(ENTITY, &["Hugging Face token", "HF_TOKEN"], Word, |random| {
        format!(
            "hf_{}",
            random.of_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 34)
        )
        .into()
    }),
    kind(ENTITY, &["Shopify token", "SHOPIFY_TOKEN"], Word, |random| {
        format!("shpat_{}", random.hex(32)).into()
    }),
    kind(ENTITY, &["Databricks token", "DATABRICKS_TOKEN"], Word, |random| {
        format!("dapi{}", random.hex(32)).into()
    }),
    kind(ENTITY, &["Linear key", "LINEAR_API_KEY"], Word, |random| {
        format!("lin_api_{}", random.word(40)).into()
    }),
    kind(ENTITY, &["Docker token", "DOCKER_PAT"], Word, |random| {
        format!("dckr_pat_{}", random.word(27)).into()
    }),
    kind(ENTITY, &["Grafana token", "GRAFANA_TOKEN"], Word, |random| {
        let body = random.word(32);
        let check = crc32(format!("glsa_{body}").as_bytes());
        format!("glsa_{body}_{check:08x}").into()
    }),
    kind(ENTITY, &["Telegram bot token", "TELEGRAM_BOT_TOKEN"], Word, |random| {
        format!("{}:AA{}", random.between(1_000_000_000, 7_999_999_999), random.word(33)).into()
    }),
    kind(ENTITY, &["Vault token", "VAULT_TOKEN"], Word, |random| {
        format!("hvs.CAESI{}", random.word(90)).into()
    }),
    kind(ENTITY, &["Postman key", "POSTMAN_API_KEY"], Word, |random| {
        format!("PMAK-{}-{}", random.hex(24), random.hex(34)).into()
    }),
    kind(ENTITY, &["Airtable token", "AIRTABLE_TOKEN"], Word, |random| {
        format!("pat{}.{}", random.word(14), random.hex(64)).into()
    }),
    kind(ENTITY, &["Square token", "SQUARE_ACCESS_TOKEN"], Word, |random| {
        format!("EAAA{}", random.word(60)).into()
    }),
    kind(ENTITY, &["Groq key", "GROQ_API_KEY"], Word, |random| {
        format!("gsk_{}", random.word(52)).into()
    }),
    kind(ENTITY, &["Azure AD client secret", "AZURE_CLIENT_SECRET"], Word, |random| {
        format!("{}8Q~{}", random.word(3), random.word(34)).into()
    }),
    kind(ENTITY, &["age key", "AGE_SECRET_KEY"], Word, |random| {
        let body = random.of_alphabet("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58);
        format!("AGE-SECRET-KEY-1{body}").into()
    }),
    kind("SECRET_TOKEN", &["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"], Word, |random| {
        base64(&random.bytes(30)).into()
    }),
    kind("SECRET_TOKEN", &["DATADOG_API_KEY", "datadog api key"], Word, |random| {
        random.hex(32).into()
    }),
    kind("SECRET_TOKEN", &["HEROKU_API_KEY", "heroku api key"], Word, |random| {
        let mut part = |count| random.hex(count);
        format!("{}-{}-4{}-a{}-{}", part(8), part(4), part(3), part(3), part(12)).into()
    }),
    kind("SECRET_PRIVATE_KEY", &["service account", "credentials"], Block, service_account),
];

/// A key of Google's service accounts: the private key stands in JSON, with its line ends
/// escaped.
fn service_account(random: &mut Random) -> Made {
    let body = base64(&random.bytes(600));
    let lines: Vec<&str> =
        (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n",
        lines.join("\\n")
    );
    let id = random.of_alphabet(LOWER, 6);
    let text = format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"web-{id}\",\n  \"private_key\": \"{key}\"\n}}"
    );
    let parts = lines.iter().filter(|line| line.len() > 30).map(|line| (*line).to_owned());
    Made { text, parts: parts.collect() }
}
