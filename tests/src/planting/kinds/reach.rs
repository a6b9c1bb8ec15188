//! Where people and their machines are reached, and when they were born.

use super::Shape::{Grouped, Word};
use super::{Day, Kind, Made, kind};
use crate::planting::Random;

pub(super) const KINDS: &[Kind] = &[
    kind("EMAIL", &["e-mail", "email", "mail", "contact"], Word, email),
    kind("EMAIL", &["e-mail", "E-Mail-Adresse", "courriel"], Word, international_email),
    kind("PHONE", &["phone", "tel", "mobile", "Telefon"], Grouped, phone),
    kind("PHONE", &["phone", "call", "phone number", "mobile"], Grouped, us_phone),
    kind("IP_ADDRESS", &["ip", "client", "address", "host"], Word, ipv4),
    kind("IP_ADDRESS", &["ip", "client", "address", "IPv6"], Word, ipv6),
    kind("MAC_ADDRESS", &["mac", "hardware address", "MAC address"], Word, |random| {
        let separator = *random.pick(&[":", "-"]);
        let bytes = random.bytes(5);
        let pairs: Vec<String> =
            [0x3c].iter().chain(&bytes).map(|byte| format!("{byte:02X}")).collect();
        pairs.join(separator).into()
    }),
    kind("DATE_OF_BIRTH", &["date of birth", "DOB", "birth date", "Geburtsdatum"], Word, birthday),
    kind("PASSPORT", &["passport no.", "passport number", "Passport"], Word, |random| {
        format!("{}{}", random.of_alphabet("CFGHJKX", 1), random.digits(8)).into()
    }),
    kind("DRIVER_LICENSE", &["driver's license", "driving licence number"], Word, |random| {
        let (one, two, three) = (random.digits(4), random.digits(5), random.digits(5));
        format!("{}{one}-{two}-{three}", random.capitals(1)).into()
    }),
];

const FIRST: &[&str] = &["bob", "anna", "jane", "mehmet", "olga", "li", "carlos", "priya", "sven"];
const LAST: &[&str] = &["builder", "schmidt", "doe", "yilmaz", "petrova", "wei", "gomez", "patel"];

fn email(random: &mut Random) -> Made {
    let (first, last) = (random.pick(FIRST), random.pick(LAST));
    let number = random.between(10, 9999);
    let local = match random.between(0, 4) {
        0 => format!("{first}.{last}{number}"),
        1 => format!("{first}_{last}{number}"),
        2 => format!("{}{last}{number}", &first[..1]),
        3 => format!("{first}.{last}+{number}"),
        _ => format!("{last}-{first}{number}"),
    };
    let host = random.pick(&["mail", "post", "dialup", "webmail", "clinic", "hotline"]);
    let name = random.pick(&["northwind", "acme-labs", "contoso", "fabrikam", "globex"]);
    let domain = random.pick(&["org", "com", "net", "de", "co.uk", "io", "museum", "fr", "com.br"]);
    match random.between(0, 1) {
        0 => format!("{local}@{name}.{domain}"),
        _ => format!("{local}@{host}.{name}.{domain}"),
    }
    .into()
}

fn international_email(random: &mut Random) -> Made {
    let number = random.between(10, 9999);
    let local = random.pick(&["jürgen", "françois", "żaneta", "иван", "ελένη", "用户", "josé"]);
    let domain =
        random.pick(&["bücher.example.de", "пример.рф", "例え.jp", "münchen.de", "café.fr"]);
    format!("{local}{number}@{domain}").into()
}

/// As people write them: `#` is a digit, `2` one from 2 to 9.
const PHONES: &[&str] = &[
    "+49 30 90####",
    "+49 151 2#######",
    "+44 20 7946 ####",
    "+44 7400 ######",
    "+33 6 12 ## ## ##",
    "+33 1 42 ## ## ##",
    "+34 612 ### ###",
    "+39 347 ### ####",
    "+91 98765 #####",
    "+55 11 9#### ####",
    "+81 90-1###-####",
    "+61 412 ### ###",
    "+46 70 123 ## ##",
    "+48 512 ### ###",
    "+41 79 ### ## ##",
    "+31 6 12######",
    "+86 138 #### ####",
    "+7 912 ###-##-##",
    "+43 664 #######",
    "+32 470 ## ## ##",
    "0151 2#######",
    "030 90####",
    "06 12 ## ## ##",
    "07400 ######",
    "020 7946 ####",
];

fn phone(random: &mut Random) -> Made {
    let pattern = *random.pick(PHONES);
    filled(pattern, random).into()
}

fn us_phone(random: &mut Random) -> Made {
    let area = random.pick(&["415", "212", "312", "206", "617", "303", "713", "404"]);
    let line = filled("2##|####", random);
    let (exchange, number) = line.split_once('|').unwrap_or((&line, ""));
    match random.between(0, 4) {
        0 => format!("({area}) {exchange}-{number}"),
        1 => format!("{area}-{exchange}-{number}"),
        2 => format!("+1 {area} {exchange} {number}"),
        3 => format!("+1-{area}-{exchange}-{number}"),
        _ => format!("{area}.{exchange}.{number}"),
    }
    .into()
}

fn filled(pattern: &str, random: &mut Random) -> String {
    let mut text = String::new();
    for c in pattern.chars() {
        match c {
            '#' => text.push_str(&random.digits(1)),
            other => text.push(other),
        }
    }
    text
}

fn ipv4(random: &mut Random) -> Made {
    let first = *random.pick(&[5, 23, 46, 81, 93, 151, 178, 185, 203, 213]);
    let mut rest = || random.between(10, 250);
    format!("{first}.{}.{}.{}", rest(), rest(), rest()).into()
}

fn ipv6(random: &mut Random) -> Made {
    let prefix = random.pick(&["2001:470", "2a00:1450", "2606:4700", "2a02:8388"]).to_string();
    let mut word = || format!("{:x}", random.between(0x1000, 0xffff));
    let (a, b, c, d) = (word(), word(), word(), word());
    match random.between(0, 1) {
        0 => format!("{prefix}:{a}:{b}::{c}"),
        _ => format!("{prefix}:{a}:{b}:{c}:{d}:{a}:{b}"),
    }
    .into()
}

fn birthday(random: &mut Random) -> Made {
    let Day { year, month, day } = Day::of(random);
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let name = MONTHS[month as usize - 1];
    match random.between(0, 5) {
        0 => format!("{day} {name} {year}"),
        1 => format!("{name} {day}, {year}"),
        2 => format!("{year}-{month:02}-{day:02}"),
        3 => format!("{day:02}.{month:02}.{year}"),
        4 => format!("{month:02}/{day:02}/{year}"),
        _ => format!("{day:02}/{month:02}/{year}"),
    }
    .into()
}
