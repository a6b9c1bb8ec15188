//! The Americas.

use super::Shape::{Grouped, Word};
use super::{Day, Kind, Made, grouped, kind, until};
use crate::planting::Random;
use crate::planting::checks::{weighted, with_luhn};

pub(super) const KINDS: &[Kind] = &[
    kind("US_SSN", &["SSN", "social security number", "social security"], Grouped, |random| {
        let area = until(random, |random| {
            let area = random.between(1, 899);
            (area != 666).then(|| format!("{area:03}"))
        });
        let (group, serial) = (random.between(1, 99), random.between(1, 9999));
        let separator = *random.pick(&["-", "-", " "]);
        format!("{area}{separator}{group:02}{separator}{serial:04}").into()
    }),
    kind("US_ITIN", &["ITIN", "taxpayer identification number"], Grouped, |random| {
        let group = random.between(70, 88);
        format!("9{}-{group}-{}", random.digits(2), random.digits(4)).into()
    }),
    kind("US_EIN", &["EIN", "employer identification number"], Grouped, |random| {
        let office = *random.pick(&["12", "20", "26", "27", "45", "46", "47", "81", "82", "83"]);
        format!("{office}-{}", random.digits(7)).into()
    }),
    kind("CA_SIN", &["SIN", "social insurance number"], Grouped, |random| {
        let body = format!("{}{}", random.between(1, 7), random.digits(7));
        let separator = *random.pick(&[" ", "-"]);
        grouped(&with_luhn(body), &[3, 3, 3], separator).into()
    }),
    kind("AR_CUIT", &["CUIT", "CUIL"], Grouped, |random| {
        until(random, |random| {
            let body = format!("{}{}", random.pick(&[20, 23, 27, 30]), random.digits(8));
            let sum = weighted(&body, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
            let check = (11 - sum % 11) % 11;
            (check < 10).then(|| format!("{}-{}-{check}", &body[..2], &body[2..]))
        })
        .into()
    }),
    kind("BR_CPF", &["CPF"], Grouped, |random| {
        let body = random.digits(9);
        let check = |body: &str, from: u32| {
            let weights: Vec<u32> = (2..=from).rev().collect();
            weighted(body, &weights) * 10 % 11 % 10
        };
        let body = format!("{body}{}", check(&body, 10));
        let number = format!("{body}{}", check(&body, 11));
        format!("{}-{}", grouped(&number, &[3, 3, 3], "."), &number[9..]).into()
    }),
    kind("BR_CNPJ", &["CNPJ"], Grouped, |random| {
        let body = format!("{}0001", random.digits(8));
        let check = |body: &str, weights: &[u32]| weighted(body, weights) * 10 % 11 % 10;
        let first = check(&body, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]);
        let body = format!("{body}{first}");
        let second = check(&body, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]);
        let groups = grouped(&body[..8], &[2, 3, 3], ".");
        format!("{groups}/0001-{first}{second}").into()
    }),
    kind("CL_RUT", &["RUT"], Grouped, |random| {
        let body = random.between(10_000_000, 25_000_000).to_string();
        let check = match 11 - weighted(&body, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => "0".to_owned(),
            10 => "K".to_owned(),
            check => check.to_string(),
        };
        format!("{}-{check}", grouped(&body, &[2, 3, 3], ".")).into()
    }),
    kind("CO_NIT", &["NIT"], Grouped, |random| {
        let body = format!("{}{}", random.between(8, 9), random.digits(8));
        let rest = weighted(&body, &[41, 37, 29, 23, 19, 17, 13, 7, 3]) % 11;
        let check = if rest > 1 { 11 - rest } else { rest };
        format!("{}-{check}", grouped(&body, &[3, 3, 3], ".")).into()
    }),
    kind("EC_CEDULA", &["cédula"], Grouped, |random| {
        let province = random.between(1, 24);
        let body = format!("{province:02}{}{}", random.between(0, 5), random.digits(6));
        with_luhn(body).into()
    }),
    kind("UY_CEDULA", &["cédula", "cédula de identidad"], Grouped, |random| {
        let body = format!("{}{}", random.between(1, 5), random.digits(6));
        let check = (10 - weighted(&body, &[2, 9, 8, 7, 6, 3, 4]) % 10) % 10;
        format!("{}-{check}", grouped(&body, &[1, 3, 3], ".")).into()
    }),
    kind("MX_CURP", &["CURP"], Word, curp),
    kind("MX_RFC", &["RFC"], Word, rfc),
];

fn curp(random: &mut Random) -> Made {
    let consonants = "BCDFGHJKLMNPQRSTVWXYZ";
    let name = [
        random.of_alphabet(consonants, 1),
        random.of_alphabet("AEIOU", 1),
        random.of_alphabet(consonants, 2),
    ]
    .concat();
    let state = *random.pick(&["DF", "JC", "NL", "MC", "VZ", "PL", "GT"]);
    let body = format!(
        "{name}{}{}{state}{}{}",
        Day::of(random).ymd(),
        random.of_alphabet("HM", 1),
        random.of_alphabet(consonants, 3),
        random.digits(1)
    );
    // N stands before Ñ, which moves the rest by one.
    let worth = |c: char| c.to_digit(36).map_or(0, |worth| worth + u32::from(worth > 23));
    let sum: u32 = body.chars().map(worth).zip((2..=18).rev()).map(|(a, b)| a * b).sum();
    format!("{body}{}", (10 - sum % 10) % 10).into()
}

fn rfc(random: &mut Random) -> Made {
    let name = [random.of_alphabet("GLMPRSV", 1), random.of_alphabet("AEIOU", 1)].concat();
    let name = name + &random.of_alphabet("BCDFGLMNPRST", 2);
    let unique = random.of_alphabet("ABCDEFGHIJKLMNPQRSTUVWXYZ123456789", 2);
    let body = format!("{name}{}{unique}", Day::of(random).ymd());
    // The ampersand stands between N and O.
    let worth = |c: char| c.to_digit(36).map_or(0, |worth| worth + u32::from(worth > 23));
    let sum: u32 = body.chars().map(worth).zip((2..=13).rev()).map(|(a, b)| a * b).sum();
    let check = match 11 - sum % 11 {
        11 => "0".to_owned(),
        10 => "A".to_owned(),
        check => check.to_string(),
    };
    format!("{body}{check}").into()
}
