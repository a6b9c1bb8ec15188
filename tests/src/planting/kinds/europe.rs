//! Numbers that European states give to people and companies.

use super::Shape::{Grouped, Word};
use super::{Day, Kind, Made, grouped, kind, until};
use crate::planting::Random;
use crate::planting::checks::{mod_11_10, weighted, with_luhn};

/// Check letters of Spain, by the remainder.
const SPANISH: &str = "TRWAGMYFPDXBNJZSQVHLCKE";

pub(super) const KINDS: &[Kind] = &[
    kind("AT_SOCIAL_SECURITY", &["SVNR", "Sozialversicherungsnummer"], Grouped, |random| {
        until(random, |random| {
            let (serial, date) = (random.between(100, 999).to_string(), Day::of(random).dmy());
            let sum = weighted(&serial, &[3, 7, 9]) + weighted(&date, &[5, 8, 4, 2, 1, 6]);
            (sum % 11 < 10).then(|| format!("{serial}{} {date}", sum % 11))
        })
        .into()
    }),
    kind("BE_NATIONAL_NUMBER", &["rijksregisternummer", "numéro national"], Grouped, |random| {
        let Day { month, day, year } = Day::of(random);
        let (year, serial) = (year % 100, random.between(1, 997));
        let number = ((year * 100 + month) * 100 + day) * 1000 + serial;
        format!("{year:02}.{month:02}.{day:02}-{serial:03}.{:02}", 97 - number % 97).into()
    }),
    kind("BG_EGN", &["ЕГН", "EGN"], Grouped, |random| {
        let body = format!("{}{}", Day::of(random).ymd(), random.digits(3));
        let check = weighted(&body, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
        format!("{body}{check}").into()
    }),
    kind("CH_AHV", &["AHV-Nummer", "AHV", "numéro AVS"], Grouped, |random| {
        let body = format!("756{}", random.digits(9));
        let sum = weighted(&body, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
        grouped(&format!("{body}{}", (10 - sum % 10) % 10), &[3, 4, 4, 2], ".").into()
    }),
    kind("CZ_RODNE_CISLO", &["rodné číslo", "rodné číslo (RČ)"], Grouped, |random| {
        until(random, |random| {
            let day = Day::of(random);
            let female = 50 * random.between(0, 1);
            let date = format!("{:02}{:02}{:02}", day.short_year(), day.month + female, day.day);
            let body: u64 = format!("{date}{}", random.digits(3)).parse().ok()?;
            let check = body % 11;
            let number = format!("{body:09}{check}");
            (check < 10 && day.year > 1954).then(|| format!("{}/{}", &number[..6], &number[6..]))
        })
        .into()
    }),
    kind("DE_ID_CARD", &["Personalausweis", "Personalausweisnummer"], Word, |random| {
        let body = format!(
            "{}{}",
            random.of_alphabet("LMNPRTVWXY", 1),
            random.of_alphabet("CFGHJKLMNPRTVWXYZ0123456789", 8)
        );
        let worth = body.chars().filter_map(|c| c.to_digit(36)).zip([7, 3, 1].iter().cycle());
        let sum: u32 = worth.map(|(digit, weight)| digit * weight).sum();
        format!("{body}{}", sum % 10).into()
    }),
    kind("DE_SOCIAL_SECURITY", &["Rentenversicherungsnummer", "RVNR"], Grouped, rvnr),
    kind("DE_TAX_ID", &["Steuer-ID", "Steueridentifikationsnummer", "IdNr"], Grouped, |random| {
        // Ten digits of which one is missing and one stands twice.
        let body = until(random, |random| {
            let body = random.digits(10);
            let mut digits: Vec<char> = body.chars().collect();
            digits.sort_unstable();
            digits.dedup();
            (digits.len() == 9 && !body.starts_with('0')).then_some(body)
        });
        grouped(&format!("{body}{}", mod_11_10(&body)), &[2, 3, 3, 3], " ").into()
    }),
    kind("ES_NIE", &["NIE"], Word, |random| {
        let (lead, body) = (random.between(0, 2) as usize, random.digits(7));
        let number: usize = format!("{lead}{body}").parse().unwrap_or(0);
        format!("{}{body}{}", &"XYZ"[lead..=lead], &SPANISH[number % 23..][..1]).into()
    }),
    kind("ES_NIF", &["DNI", "NIF"], Word, |random| {
        let number = random.between(10_000_000, 99_999_999) as usize;
        format!("{number}{}", &SPANISH[number % 23..][..1]).into()
    }),
    kind("ES_SSN", &["seguridad social", "número de la seguridad social"], Grouped, |random| {
        let province = random.between(1, 50);
        let number = random.between(10_000_000, 99_999_999);
        format!("{province:02}/{number}/{:02}", (province * 100_000_000 + number) % 97).into()
    }),
    kind("FR_NIR", &["numéro de sécurité sociale", "NIR"], Grouped, |random| {
        let Day { year, month, .. } = Day::of(random);
        let (sex, department) = (random.between(1, 2), random.between(21, 95));
        let body = format!(
            "{sex}{:02}{month:02}{department}{:03}{:03}",
            year % 100,
            random.between(1, 500),
            random.between(1, 400)
        );
        let key = 97 - body.parse::<u64>().unwrap_or(0) % 97;
        grouped(&format!("{body}{key:02}"), &[1, 2, 2, 2, 3, 3, 2], " ").into()
    }),
    kind("GR_AMKA", &["AMKA", "ΑΜΚΑ"], Grouped, |random| {
        with_luhn(format!("{}{}", Day::of(random).dmy(), random.digits(4))).into()
    }),
    kind("HR_OIB", &["OIB"], Grouped, |random| {
        let body = random.digits(10);
        let check = mod_11_10(&body);
        format!("{body}{check}").into()
    }),
    kind("HU_TAJ", &["TAJ", "TAJ szám"], Grouped, |random| {
        let body = format!("{}{}", random.between(1, 9), random.digits(7));
        let check = weighted(&body, &[3, 7, 3, 7, 3, 7, 3, 7]) % 10;
        grouped(&format!("{body}{check}"), &[3, 3, 3], " ").into()
    }),
    kind("IE_PPS", &["PPS", "PPS number", "PPSN"], Word, |random| {
        let body = random.digits(7);
        let sum = weighted(&body, &[8, 7, 6, 5, 4, 3, 2]) as usize;
        format!("{body}{}", &"WABCDEFGHIJKLMNOPQRSTUV"[sum % 23..][..1]).into()
    }),
    kind("IT_FISCAL_CODE", &["codice fiscale"], Word, codice_fiscale),
    kind("IT_VAT_CODE", &["partita IVA", "P. IVA"], Grouped, |random| {
        with_luhn(format!("0{}{:03}", random.digits(6), random.between(1, 95))).into()
    }),
    kind("NL_BSN", &["BSN", "burgerservicenummer"], Grouped, |random| {
        until(random, |random| {
            let body = format!("{}{}", random.between(1, 9), random.digits(7));
            let check = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
            (check < 10).then(|| format!("{body}{check}"))
        })
        .into()
    }),
    kind("PL_ID_CARD", &["dowód", "dowód osobisty"], Word, |random| {
        until(random, |random| {
            let (letters, digits) = (format!("A{}", random.capitals(2)), random.digits(5));
            let worth = letters.chars().filter_map(|c| c.to_digit(36)).zip([7, 3, 1]);
            let sum: u32 = worth.map(|(digit, weight)| digit * weight).sum();
            let sum = sum + weighted(&digits, &[7, 3, 1, 7, 3]);
            let check = (0..10).find(|check| (sum + check * 9).is_multiple_of(10))?;
            Some(format!("{letters}{check}{digits}"))
        })
        .into()
    }),
    kind("PL_NIP", &["NIP"], Grouped, |random| {
        let number = until(random, |random| {
            let body = format!("{}{}", random.between(1, 9), random.of_alphabet("123456789", 8));
            let check = weighted(&body, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11;
            (check < 10).then(|| format!("{body}{check}"))
        });
        grouped(&number, &[3, 3, 2, 2], "-").into()
    }),
    kind("PL_PESEL", &["PESEL", "numer PESEL"], Grouped, |random| {
        let body = format!("{}{}", Day::of(random).ymd(), random.digits(4));
        let sum = weighted(&body, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
        format!("{body}{}", (10 - sum % 10) % 10).into()
    }),
    kind("PL_REGON", &["REGON"], Grouped, |random| {
        let body = random.digits(8);
        let check = weighted(&body, &[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10;
        format!("{body}{check}").into()
    }),
    kind("PT_NIF", &["NIF", "contribuinte"], Grouped, |random| {
        let body = format!("{}{}", random.pick(&[1, 2]), random.digits(7));
        let check = (11 - weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
        format!("{body}{check}").into()
    }),
    kind("RO_CNP", &["CNP", "cod numeric personal"], Grouped, |random| {
        let (sex, date) = (random.between(1, 2), Day::of(random).ymd());
        let body = format!("{sex}{date}{:02}{:03}", random.between(1, 40), random.between(1, 999));
        let check = match weighted(&body, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11 {
            10 => 1,
            check => check,
        };
        format!("{body}{check}").into()
    }),
    kind("RU_INN", &["ИНН", "INN"], Grouped, |random| {
        let body = format!("{}{}", random.between(50, 78), random.digits(8));
        let first = weighted(&body, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
        let body = format!("{body}{first}");
        let second = weighted(&body, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
        format!("{body}{second}").into()
    }),
    kind("RU_SNILS", &["СНИЛС", "SNILS"], Grouped, |random| {
        let body = random.between(100_000_000, 999_999_999).to_string();
        let check = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
        format!("{} {check:02}", grouped(&body, &[3, 3, 3], "-")).into()
    }),
    kind("TR_TCKN", &["TC kimlik", "T.C. Kimlik No"], Grouped, |random| {
        let body = format!("{}{}", random.between(1, 9), random.digits(8));
        let odd = weighted(&body, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
        let even = weighted(&body, &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
        let tenth = (odd * 7 + 100 - even) % 10;
        format!("{body}{tenth}{}", (odd + even + tenth) % 10).into()
    }),
    kind("UA_RNOKPP", &["РНОКПП", "ІПН"], Grouped, |random| {
        let body = format!("{}{}", random.between(2, 3), random.digits(8));
        // The first weight is -1, which is 10 modulo 11.
        let check = weighted(&body, &[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10;
        format!("{body}{check}").into()
    }),
    kind("UK_NINO", &["NI number", "National Insurance number", "NINO"], Word, |random| {
        let prefix = random.pick(&["AB", "CE", "JK", "LM", "PR", "SX", "WE", "YZ"]).to_string();
        let suffix = random.of_alphabet("ABCD", 1);
        let number = random.digits(6);
        match random.between(0, 1) {
            0 => format!("{prefix}{number}{suffix}"),
            _ => format!("{prefix} {} {suffix}", grouped(&number, &[2, 2, 2], " ")),
        }
        .into()
    }),
    kind("YU_JMBG", &["JMBG", "ЈМБГ"], Grouped, |random| {
        until(random, |random| {
            let Day { year, month, day } = Day::of(random);
            let region = random.pick(&[50, 71, 80, 11, 31]);
            let body = format!("{day:02}{month:02}{:03}{region}{}", year % 1000, random.digits(3));
            let sum = weighted(&body, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
            (sum % 11 != 1).then(|| format!("{body}{}", (11 - sum % 11) % 11))
        })
        .into()
    }),
];

/// Area, date, first letter of the name, serial and a sum of digit sums.
fn rvnr(random: &mut Random) -> Made {
    let area = random.pick(&["12", "15", "20", "24", "53", "65"]).to_string();
    let (date, letter) = (Day::of(random).dmy(), random.capitals(1));
    let serial = format!("{:02}", random.between(0, 99));
    let place = letter.bytes().next().map_or(0, |byte| byte - b'A' + 1);
    let digits = format!("{area}{date}{place:02}{serial}");
    let weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let products = digits.chars().filter_map(|c| c.to_digit(10)).zip(weights);
    let sum: u32 = products.map(|(a, b)| a * b / 10 + a * b % 10).sum();
    format!("{area} {date} {letter} {serial}{}", sum % 10).into()
}

/// Consonants, the date of birth in code, the town and a check letter.
fn codice_fiscale(random: &mut Random) -> Made {
    const ODD: [u32; 36] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3,
        6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ];
    let Day { year, month, day } = Day::of(random);
    let letter = &"ABCDEHLMPRST"[month as usize - 1..][..1];
    let day = day + 40 * random.between(0, 1);
    let town = random.pick(&["H501", "F205", "A562", "L219", "D612", "F839"]);
    let name = random.of_alphabet("BCDFGLMNPRST", 6);
    let body = format!("{name}{:02}{letter}{day:02}{town}", year % 100);
    let sum: u32 = (body.chars().filter_map(|c| c.to_digit(36)).enumerate())
        .map(|(at, worth)| match (at % 2 == 0, worth > 9) {
            (true, _) => ODD[worth as usize],
            (false, true) => worth - 10,
            (false, false) => worth,
        })
        .sum();
    format!("{body}{}", char::from(b'A' + (sum % 26) as u8)).into()
}
