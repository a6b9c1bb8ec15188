//! Western and southern Europe.

use crate::national::check::{day, ddmmyy, eleven, luhn, mod11_10, number, sum, value};
use crate::national::{Id, LIKELY, SELDOM};

pub(super) const IDS: &[Id] = &[
    Id::new(
        "UK_NHS",
        &["999 999 9999", "999-999-9999", "9999999999"],
        |d| eleven(d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]),
        &["nhs", "national health", "health service", "patient", "hospital", "health authority"],
        "check digit modulo 11",
        "NHS number 943 476 5919",
    )
    .lone(LIKELY),
    Id::new(
        "UK_NINO",
        &["AA999999A", "AA 99 99 99 A", "AA-99-99-99-A", "AA 999999 A", "AA 999999A"],
        nino,
        &["nino", "ni", "national insurance", "insurance number", "hmrc"],
        "prefixes that are given out, suffix A to D",
        "NI number AB 12 34 56 C",
    )
    .alone(0.7, 0.7),
    Id::new(
        "DE_TAX_ID",
        &["99999999999", "99 999 999 999"],
        steuer,
        &[
            "steuer",
            "steuer id",
            "idnr",
            "tin",
            "tax id",
            "steueridentifikationsnummer",
            "steuernummer",
            "identifikationsnummer",
        ],
        "ISO 7064 MOD 11,10 and how often digits occur",
        "Steuer-ID 86 095 742 719",
    )
    .alone(0.5, 0.7),
    // What a word says is one may have been written down wrong.
    Id::new(
        "DE_TAX_ID",
        &["99999999999", "99 999 999 999"],
        |d| d[0] != b'0' && mod11_10(d),
        &["steuer", "steuer id", "idnr", "steueridentifikationsnummer", "steuernummer"],
        "ISO 7064 MOD 11,10 beside a word for it",
        "Steuer-ID 13579024687",
    ),
    Id::new(
        "DE_SOCIAL_SECURITY",
        &["99999999A999", "99 999999 A 999", "99 999999A999"],
        rente,
        &[
            "rentenversicherung",
            "rentenversicherungsnummer",
            "rvnr",
            "sozialversicherungsnummer",
            "versicherungsnummer",
            "svnr",
        ],
        "date and check digit",
        "Rentenversicherungsnummer 15 070649 C 103",
    )
    .alone(0.7, 0.8),
    Id::new(
        "DE_ID_CARD",
        &["AXXXXXXXX9"],
        |d| {
            let letters = d.iter().all(|b| b.is_ascii_digit() || b"CFGHJKLMNPRTVWXYZ".contains(b));
            letters && sum(d, &[7, 3, 1, 7, 3, 1, 7, 3, 1]) % 10 == value(d[9])
        },
        &[
            "personalausweis",
            "personalausweisnummer",
            "ausweis",
            "ausweisnummer",
            "reisepass",
            "reisepassnummer",
            "passnummer",
        ],
        "alphabet and check digit with weights 7, 3, 1",
        "Personalausweis T220001293",
    ),
    Id::new(
        "AT_SOCIAL_SECURITY",
        &["9999 999999", "9999999999", "9999-999999"],
        |d| {
            let check = sum(d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
            d[0] != b'0' && day(number(&d[6..8]), number(&d[4..6])) && check == value(d[3])
        },
        &["svnr", "sozialversicherungsnummer", "versicherungsnummer", "sv nummer", "e card"],
        "date and check digit",
        "SVNR 1237 010180",
    )
    .alone(0.0, 0.6),
    Id::new(
        "CH_AHV",
        &["999.9999.9999.99", "9999999999999", "999 9999 9999 99"],
        |d| {
            d.starts_with(b"756")
                && sum(d, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
        },
        &["ahv", "avs", "sozialversicherung", "versichertennummer"],
        "prefix 756 and the check digit of EAN-13",
        "756.9217.0769.85",
    )
    .alone(0.7, 0.95),
    Id::new(
        "FR_NIR",
        &[
            "999999999999999",
            "9 99 99 99 999 999 99",
            "9 99 99 9A 999 999 99",
            "999999A99999999",
            "9 99 99 999 999 99",
        ],
        nir,
        &[
            "nir",
            "insee",
            "sécu",
            "secu",
            "sécurité sociale",
            "securite sociale",
            "numéro de sécurité",
        ],
        "sex, month, department and key modulo 97",
        "1 85 05 78 006 084 91",
    )
    .alone(0.85, 0.95),
    Id::new(
        "IT_FISCAL_CODE",
        &["AAAAAAXXAXXAXXXA", "AAA AAA XXAXX AXXXA"],
        codice,
        &["codice fiscale", "cf", "fiscale", "fiscal code", "tax code"],
        "months, days and check letter",
        "codice fiscale RSSMRA85T10A562S",
    )
    .alone(0.95, 0.95),
    Id::new(
        "IT_VAT_CODE",
        &["99999999999"],
        |d| {
            // The three digits before the last are the office that gave it out.
            let office = number(&d[7..10]);
            number(&d[..7]) > 0 && matches!(office, 1..=100 | 120 | 121 | 888 | 999) && luhn(d)
        },
        &["piva", "partita iva", "p iva", "vat", "iva"],
        "office and Luhn",
        "partita IVA 01333550323",
    )
    .alone(0.55, 0.55),
    Id::new(
        "ES_NIF",
        &["99999999A", "99999999-A", "99.999.999-A", "9999999-A"],
        |d| dni(number(&d[..d.len() - 1]), d[d.len() - 1]),
        &["dni", "nif", "documento nacional", "identidad"],
        "check letter modulo 23",
        "DNI 12345678Z",
    )
    .alone(0.7, 0.7),
    // The oldest have a digit less.
    Id::new(
        "ES_NIF",
        &["9999999A"],
        |d| dni(number(&d[..7]), d[7]),
        &["dni", "nif", "documento nacional", "identidad"],
        "check letter modulo 23",
        "DNI 1234567L",
    )
    .lone(SELDOM),
    Id::new(
        "DRIVER_LICENSE",
        &["XXXXX999999AX9AA"],
        british_licence,
        &["driver", "driving", "licence", "dvla"],
        "surname, date and initials of Great Britain's",
        "MORGA657054SM9IJ",
    )
    .alone(0.9, 0.9),
    Id::new(
        "DRIVER_LICENSE",
        &["A9XXXXXXXA"],
        |d| d.starts_with(b"U1") && !d[2..9].iter().any(|byte| b"AEIO".contains(byte)),
        &["patente", "licence", "license", "driving", "driver"],
        "the prefix U1 of Italy's, no vowels",
        "patente U1X2B3C4DE",
    )
    .lone(SELDOM),
    Id::new(
        "ES_NIE",
        &["A9999999A", "A-9999999-A", "A9999999-A", "A-9999999A"],
        |d| {
            let first = match d[0] {
                b'X' => 0,
                b'Y' => 1,
                b'Z' => 2,
                _ => return false,
            };
            dni(first * 10_000_000 + number(&d[1..8]), d[8])
        },
        &["nie", "extranjero", "identificación"],
        "first letter X, Y or Z, and check letter",
        "NIE X1234567L",
    )
    .alone(0.85, 0.85),
    Id::new(
        "ES_SSN",
        &["999999999999", "99/99999999/99", "99 99999999 99", "99-99999999-99"],
        |d| {
            let (province, rest) = (number(&d[..2]), number(&d[2..10]));
            let whole =
                if rest < 10_000_000 { province * 10_000_000 + rest } else { number(&d[..10]) };
            (1..=66).contains(&province) && whole % 97 == number(&d[10..])
        },
        &["nuss", "naf", "seguridad social", "afiliación"],
        "province and key modulo 97",
        "seguridad social 28/12345678/40",
    )
    .alone(0.0, 0.8),
    Id::new(
        "PT_NIF",
        &["999999999", "999 999 999"],
        |d| {
            let check = 11 - sum(d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
            !matches!(d[0], b'0' | b'4') && value(d[8]) == if check > 9 { 0 } else { check }
        },
        &["nif", "contribuinte", "nipc", "fiscal"],
        "first digit and check digit",
        "NIF 123456789",
    ),
    Id::new(
        "IE_PPS",
        &["9999999A", "9999999AA"],
        |d| {
            let second = d.get(8).map_or(0, |&letter| u32::from(letter - b'A' + 1) % 23 * 9);
            let rest = (sum(d, &[8, 7, 6, 5, 4, 3, 2]) + second) % 23;
            d.get(8).is_none_or(|letter| (b'A'..=b'I').contains(letter) || *letter == b'W')
                && d[7] == if rest == 0 { b'W' } else { b'A' + rest as u8 - 1 }
        },
        &["pps", "ppsn", "pps number", "public service"],
        "check letter modulo 23",
        "PPS 1234567T",
    )
    .alone(0.5, 0.5),
    Id::new(
        "NL_BSN",
        &["999999999", "9999.99.999", "999_999_999"],
        |d| {
            let positive = sum(d, &[9, 8, 7, 6, 5, 4, 3, 2]);
            number(d) > 1_000_000 && positive % 11 == value(d[8])
        },
        &["bsn", "burgerservicenummer", "sofinummer", "sofi", "burger"],
        "the proof of eleven",
        "BSN 111222333",
    )
    .lone(LIKELY),
    Id::new(
        "BE_NATIONAL_NUMBER",
        &["99.99.99-999.99", "99999999999", "99 99 99 999 99", "999999-999.99"],
        |d| {
            let key = number(&d[9..]);
            let (before, after) = (number(&d[..9]), 2_000_000_000 + number(&d[..9]));
            let month = number(&d[2..4]) % 20;
            day(month, number(&d[4..6])) && [before, after].iter().any(|n| 97 - n % 97 == key)
        },
        &[
            "rijksregister",
            "rijksregisternummer",
            "nrn",
            "insz",
            "niss",
            "registre national",
            "numéro national",
        ],
        "date and key modulo 97",
        "85.07.30-033.28",
    )
    .alone(0.6, 0.95),
    Id::new(
        "GR_AMKA",
        &["99999999999"],
        |d| ddmmyy(d) && luhn(d),
        &["amka", "αμκα"],
        "date and Luhn",
        "AMKA 01018012342",
    )
    .alone(0.5, 0.5),
    Id::new(
        "HR_OIB",
        &["99999999999"],
        mod11_10,
        &["oib", "porezni"],
        "ISO 7064 MOD 11,10",
        "OIB 33392005961",
    ),
];

fn nino(d: &[u8]) -> bool {
    let second = !b"DFIQUVO".contains(&d[1]);
    let given = !matches!(&d[..2], b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ");
    !b"DFIQUV".contains(&d[0]) && second && given && (b'A'..=b'D').contains(&d[8])
}

/// Five letters of the surname, filled up with nines; decade, month (50 more for women),
/// day and year; the initials, a nine for none.
fn british_licence(d: &[u8]) -> bool {
    let letters = d[..5].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let month = number(&d[6..8]);
    letters >= 2
        && d[letters..5].iter().all(|&byte| byte == b'9')
        && day(if month > 50 { month - 50 } else { month }, number(&d[8..10]))
        && (d[12].is_ascii_alphabetic() || d[12] == b'9')
}

fn steuer(d: &[u8]) -> bool {
    let mut counts = [0; 10];
    for &digit in &d[..10] {
        counts[value(digit) as usize] += 1;
    }
    let repeated = counts.iter().filter(|&&count| count > 1).count();
    let most = counts.iter().max().copied().unwrap_or(0);
    d[0] != b'0' && repeated == 1 && most <= 3 && mod11_10(d)
}

fn rente(d: &[u8]) -> bool {
    const WEIGHTS: [u32; 12] = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let letter = u32::from(d[8] - b'A') + 1;
    let mut digits = [0; 12];
    for (slot, &byte) in digits.iter_mut().zip(&d[..8]) {
        *slot = value(byte);
    }
    digits[8..].copy_from_slice(&[letter / 10, letter % 10, value(d[9]), value(d[10])]);
    let cross = |number: u32| number / 10 + number % 10;
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| cross(digit * weight)).sum();
    // A day above 31 tells two people of one birthday apart.
    let born = day(number(&d[4..6]), number(&d[2..4])) || number(&d[2..4]) > 50;
    born && sum % 10 == value(d[11])
}

fn nir(d: &[u8]) -> bool {
    let month = number(&d[3..5]);
    let corsica = d[6].is_ascii_alphabetic();
    // Corsica's departments 2A and 2B count as 19 and 18.
    let mut plain = [0; 13];
    plain.copy_from_slice(&d[..13]);
    if corsica {
        match &d[5..7] {
            b"2A" => plain[5..7].copy_from_slice(b"19"),
            b"2B" => plain[5..7].copy_from_slice(b"18"),
            _ => return false,
        }
    }
    matches!(d[0], b'1' | b'2' | b'3' | b'4' | b'7' | b'8')
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && 97 - number(&plain) % 97 == number(&d[13..])
}

fn codice(d: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    // Where two people would get one code, letters stand for digits.
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(u64::from(byte - b'0')),
        _ => b"LMNPQRSTUV".iter().position(|&letter| letter == byte).map(|at| at as u64),
    };
    let numbers = [6, 7, 9, 10, 12, 13, 14];
    if numbers.iter().any(|&at| digit(d[at]).is_none()) || !b"ABCDEHLMPRST".contains(&d[8]) {
        return false;
    }
    let day = digit(d[9]).unwrap_or(9) * 10 + digit(d[10]).unwrap_or(9);
    let place = |byte: u8| match byte {
        b'0'..=b'9' => usize::from(byte - b'0'),
        _ => usize::from(byte - b'A'),
    };
    let sum: u32 = (d[..15].iter().enumerate())
        .map(|(at, &byte)| match at % 2 {
            0 => ODD[place(byte)],
            _ => place(byte) as u32,
        })
        .sum();
    matches!(day, 1..=31 | 41..=71) && d[15] == b'A' + (sum % 26) as u8
}

fn dni(number: u64, letter: u8) -> bool {
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize] == letter
}
