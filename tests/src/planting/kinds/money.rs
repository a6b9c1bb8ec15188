//! Cards, accounts, and who holds them.

use super::Shape::{Grouped, Word};
use super::{Kind, Made, grouped, kind};
use crate::planting::Random;
use crate::planting::checks::{remainder, weighted, with_luhn};

pub(super) const KINDS: &[Kind] = &[
    kind("PAYMENT_CARD", &["card", "credit card", "card number", "Kreditkarte"], Grouped, card),
    kind("IBAN", &["IBAN", "bank account", "Bankverbindung", "account"], Grouped, iban),
    kind("BANK_ACCOUNT", &["account number", "bank account number"], Grouped, |random| {
        let count = random.between(8, 12) as usize;
        format!("{}{}", random.between(1, 9), random.digits(count - 1)).into()
    }),
    kind("US_ABA_ROUTING", &["routing number", "ABA routing number"], Grouped, |random| {
        let body = format!("{:02}{}", random.between(1, 12), random.digits(6));
        let sum = weighted(&body, &[3, 7, 1, 3, 7, 1, 3, 7]);
        format!("{body}{}", (10 - sum % 10) % 10).into()
    }),
    kind("IMEI", &["IMEI", "IMEI number"], Grouped, |random| {
        with_luhn(format!("35{}", random.digits(12))).into()
    }),
    kind("VIN", &["VIN", "vehicle identification number"], Word, vin),
    kind("LICENSE_PLATE", &["license plate", "number plate"], Word, |random| {
        format!("{}{}{}", random.between(1, 9), random.capitals(3), random.digits(3)).into()
    }),
];

fn card(random: &mut Random) -> Made {
    let (prefix, length) = *random.pick(&[
        ("4", 16),
        ("4", 16),
        ("51", 16),
        ("55", 16),
        ("2221", 16),
        ("2545", 16),
        ("34", 15),
        ("37", 15),
        ("6011", 16),
        ("65", 16),
        ("3530", 16),
        ("36", 14),
        ("62", 16),
    ]);
    let number = with_luhn(format!("{prefix}{}", random.digits(length - 1 - prefix.len())));
    let separator = *random.pick(&["", " ", "-", " "]);
    let sizes: &[usize] = match length {
        14 => &[4, 6, 4],
        15 => &[4, 6, 5],
        _ => &[4, 4, 4, 4],
    };
    grouped(&number, sizes, separator).into()
}

fn iban(random: &mut Random) -> Made {
    // What stands behind country and check digits: 9 is a digit, A a capital.
    let (country, pattern) = *random.pick(&[
        ("DE", "999999999999999999"),
        ("FR", "9999999999AAAAAAAAAAA99"),
        ("GB", "AAAA99999999999999"),
        ("NL", "AAAA9999999999"),
        ("ES", "99999999999999999999"),
        ("IT", "A9999999999AAAAAAAAAAAA"),
        ("CH", "99999999999999999"),
        ("PL", "999999999999999999999999"),
        ("BE", "999999999999"),
        ("SE", "99999999999999999999"),
        ("AT", "9999999999999999"),
        ("PT", "999999999999999999999"),
        ("NO", "99999999999"),
        ("SA", "99999999999999999999"),
    ]);
    let body: String = (pattern.chars())
        .map(|class| if class == '9' { random.digits(1) } else { random.capitals(1) })
        .collect();
    let check = 98 - remainder(&format!("{body}{country}00"), 97);
    let number = format!("{country}{check:02}{body}");
    if random.bits().is_multiple_of(2) {
        return number.into();
    }
    let characters: Vec<char> = number.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ").into()
}

fn vin(random: &mut Random) -> Made {
    const LETTERS: &str = "ABCDEFGHJKLMNPRSTUVWXYZ";
    let maker = *random.pick(&["1HG", "1FT", "1GC", "4T1", "5YJ", "2T1", "JHM", "WBA", "1M8"]);
    let mut vin: Vec<char> = format!(
        "{maker}{}{}0{}{}{}",
        random.of_alphabet(LETTERS, 2),
        random.digits(3),
        random.of_alphabet("ABCDEFGHJKLMNPRSTVWXY", 1),
        random.of_alphabet(LETTERS, 1),
        random.digits(6)
    )
    .chars()
    .collect();
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    // A to I are 1 to 9, J to R are 1 to 9, S to Z are 2 to 9.
    let worth = |c: char| match c {
        '0'..='9' => c as u32 - '0' as u32,
        'A'..='I' => c as u32 - 'A' as u32 + 1,
        'J'..='R' => c as u32 - 'J' as u32 + 1,
        _ => c as u32 - 'S' as u32 + 2,
    };
    let sum: u32 = vin.iter().zip(WEIGHTS).map(|(c, weight)| worth(*c) * weight).sum();
    vin[8] = char::from_digit(sum % 11, 10).unwrap_or('X');
    vin.into_iter().collect::<String>().into()
}
