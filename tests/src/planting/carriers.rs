//! What a value stands in: texts as people and programs send them.

use serde_json::json;

use super::Random;

/// A way to write a value down under what it is called.
pub struct Carrier {
    /// Its name in reports.
    pub name: &'static str,
    /// Whether a value of several lines may stand in it.
    pub lines: bool,
    /// The text: of what it is called, the value, and chance.
    pub write: fn(&str, &str, &mut Random) -> String,
}

/// Every carrier.
pub const CARRIERS: &[Carrier] = &[
    carrier("plain label", true, |label, value, _| format!("{label}: {value}")),
    carrier("English", true, |label, value, random| {
        let start = random.pick(ENGLISH_START);
        let end = random.pick(ENGLISH_END);
        format!("{start} The {label} is {value} {end}")
    }),
    carrier("English, short", true, |label, value, random| match random.between(0, 2) {
        0 => format!("my {label} {value} please check"),
        1 => format!("{label} {value}"),
        _ => format!("Please update the {label} ({value}) in the system."),
    }),
    carrier("German", true, |label, value, _| {
        format!(
            "Sehr geehrte Damen und Herren, meine Angaben haben sich geändert. {label}: {value}. Bitte bestätigen Sie mir das kurz, vielen Dank!"
        )
    }),
    carrier("French", true, |label, value, _| {
        format!(
            "Bonjour, voici l'information demandée : {label} {value}. Pourriez-vous vérifier le dossier ? Merci d'avance."
        )
    }),
    carrier("Spanish", true, |label, value, _| {
        format!(
            "Buenos días. Les envío el dato que faltaba ({label}: {value}), quedo a la espera de su respuesta."
        )
    }),
    carrier("Polish", true, |label, value, _| {
        format!(
            "Dzień dobry, przesyłam brakujące dane do umowy, {label} {value}, proszę o potwierdzenie."
        )
    }),
    carrier("Russian", true, |label, value, _| {
        format!("Здравствуйте, отправляю недостающие данные: {label} {value}. Жду вашего ответа.")
    }),
    carrier("Japanese", true, |label, value, _| {
        format!("お世話になっております。{label}は{value}です。ご確認をお願いいたします。")
    }),
    carrier("Chinese", true, |label, value, _| {
        format!("您好，以下是需要更新的信息，{label}：{value}，请尽快处理，谢谢。")
    }),
    carrier("Arabic", true, |label, value, _| {
        format!("مرحبا، هذه هي البيانات المطلوبة {label}: {value} وشكرا لكم.")
    }),
    carrier("mail", true, |label, value, random| {
        let subject = random.pick(&["Your request", "Change of records", "Follow-up"]);
        format!(
            "Subject: {subject}\nDate: Tue, 4 Mar 2025 10:12:00 +0100\n\nDear team,\n\nas promised on the phone:\n\n  {label}: {value}\n\nKind regards\nthe front desk\n\n> On Monday you wrote:\n> please send what is missing."
        )
    }),
    carrier("CSV", false, |label, value, random| {
        let row = random.between(100, 900);
        let cell = cell(value);
        format!(
            "row,status,{},note\n{row},open,{cell},first call\n{},closed,,no answer\n",
            cell_name(label),
            row + 1
        )
    }),
    carrier("CSV with semicolons", false, |label, value, random| {
        let row = random.between(100, 900);
        format!("row;status;{}\n{row};open;{value}\n{};closed;\n", cell_name(label), row + 1)
    }),
    carrier("JSON", true, |label, value, random| {
        let mut record = json!({"row": random.between(100, 900), "status": "open"});
        record[cell_name(label)] = json!(value);
        record["note"] = json!("called back, no answer");
        match random.between(0, 1) {
            0 => record.to_string(),
            _ => format!("Here is the record:\n{record:#}\nWhat is wrong with it?"),
        }
    }),
    carrier("YAML", true, |label, value, random| {
        let name = cell_name(label);
        let row = random.between(100, 900);
        match value.contains('\n') {
            true => format!(
                "record:\n  row: {row}\n  {name}: |\n    {}\n  status: open\n",
                value.replace('\n', "\n    ")
            ),
            false => format!("record:\n  row: {row}\n  {name}: {}\n  status: open\n", json!(value)),
        }
    }),
    carrier("settings", false, |label, value, _| {
        format!(
            "# production\nLOG_LEVEL=info\n{}={value}\nRETRIES=3\n",
            cell_name(label).to_uppercase()
        )
    }),
    carrier("settings with quotes", false, |label, value, _| {
        format!("[section]\nretries = 3\n{} = \"{value}\"\nverbose = false\n", cell_name(label))
    }),
    carrier("log", false, |label, value, random| {
        let worker = random.between(1, 9);
        format!(
            "2025-03-04T10:12:31.204Z INFO  worker-{worker} started\n2025-03-04T10:12:32.911Z WARN  worker-{worker} lookup failed {}={value} attempts=3\n2025-03-04T10:12:33.002Z INFO  worker-{worker} retrying\n",
            cell_name(label)
        )
    }),
    carrier("log in words", false, |label, value, random| {
        let line = random.between(20, 400);
        format!("Mar  4 10:12:31 web app[{line}]: no such {label}: {value} (will retry)")
    }),
    carrier("Python", false, |label, value, _| {
        format!(
            "```python\ndef main():\n    {} = {}\n    return lookup({0})\n```\nWhy does this fail?",
            cell_name(label),
            json!(value)
        )
    }),
    carrier("a call in JavaScript", false, |label, value, _| {
        format!(
            "const answer = await fetchRecord({{ {}: '{value}', retries: 3 }}); // works on my machine",
            cell_name(label)
        )
    }),
    carrier("SQL", false, |label, value, random| {
        format!(
            "INSERT INTO records (row, {}, status) VALUES ({}, '{value}', 'open');",
            cell_name(label),
            random.between(100, 900)
        )
    }),
    carrier("a Markdown table", false, |label, value, random| {
        let row = random.between(100, 900);
        format!(
            "| row | {label} | status |\n|-----|---------|--------|\n| {row} | {value} | open |\n| {} | | closed |\n",
            row + 1
        )
    }),
    carrier("a Markdown list", true, |label, value, _| {
        format!("## Open points\n\n- **{label}**: {value}\n- status: open\n")
    }),
    carrier("a chat", false, |label, value, _| {
        format!(
            "Agent: Could you give me your {label}, please?\nCustomer: Sure, it's {value}\nAgent: Thanks, one moment."
        )
    }),
    carrier("HTML", false, |label, value, _| {
        format!(
            "<table><tr><th>{label}</th><td>{value}</td></tr><tr><th>status</th><td>open</td></tr></table>"
        )
    }),
    carrier("HTML in words", false, |label, value, _| {
        format!(
            "<p>Your <b>{label}</b> is <span class=\"v\">{value}</span>.<br>Please keep it.</p>"
        )
    }),
    carrier("XML", false, |label, value, _| {
        format!(
            "<?xml version=\"1.0\"?>\n<record>\n  <{0}>{value}</{0}>\n  <status>open</status>\n</record>",
            cell_name(label)
        )
    }),
    carrier("a diff", false, |label, value, _| {
        format!("@@ -3,2 +3,2 @@\n retries: 3\n-{0}: none\n+{0}: {value}\n", cell_name(label))
    }),
];

const ENGLISH_START: &[&str] = &[
    "Hello, I would like to change my records.",
    "We spoke yesterday about the missing entry.",
    "Summarise the following note for the team.",
    "As discussed, here is what you asked for.",
];
const ENGLISH_END: &[&str] = &[
    "and I need this done by Friday.",
    "so please tell me what else is missing.",
    "- can you draft a reply?",
    "which should not be shown to anybody else.",
];

const fn carrier(
    name: &'static str,
    lines: bool,
    write: fn(&str, &str, &mut Random) -> String,
) -> Carrier {
    Carrier { name, lines, write }
}

/// What a column or a member is called that holds a `label`: `credit_card`.
pub(super) fn cell_name(label: &str) -> String {
    let mut name = String::new();
    for c in label.chars() {
        match c.is_alphanumeric() || c == '-' && name.is_empty() {
            true => name.extend(c.to_lowercase()),
            false if name.ends_with('_') => {}
            false => name.push('_'),
        }
    }
    name.trim_matches('_').to_owned()
}

fn cell(value: &str) -> String {
    match value.contains([',', '"']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carrier_carries_the_value_once_at_least() {
        for carrier in CARRIERS {
            let text = (carrier.write)("card number", "4012 8888", &mut Random::new(1));
            assert!(text.contains("4012 8888"), "{}: {text}", carrier.name);
        }
        assert_eq!(cell_name("T.C. Kimlik No"), "t_c_kimlik_no");
    }
}
