//! Northern and eastern Europe.

use crate::national::check::{day, ddmmyy, eleven, luhn, number, sum, value, yymmdd};
use crate::national::{Id, SELDOM};

pub(super) const IDS: &[Id] = &[
    Id::new(
        "SE_PERSONNUMMER",
        &["999999-9999", "999999+9999", "99999999-9999", "9999999999"],
        personnummer,
        &[
            "personnummer",
            "personnr",
            "personal identity number",
            "samordningsnummer",
            "organisationsnummer",
            "pnr",
        ],
        "date and Luhn",
        "personnummer 811218-9876",
    )
    .alone(0.0, 0.85)
    .lone(SELDOM),
    // With its century in one piece: few numbers of twelve digits are that by chance.
    Id::new(
        "SE_PERSONNUMMER",
        &["999999999999"],
        |d| matches!(&d[..2], b"18" | b"19" | b"20") && personnummer(d),
        &["personnummer", "personnr", "samordningsnummer", "pnr", "swedish id"],
        "date and Luhn",
        "198112189876",
    )
    .alone(0.6, 0.6),
    Id::new(
        "DK_CPR",
        &["999999-9999", "9999999999", "999999 9999"],
        ddmmyy,
        &["cpr", "cpr nummer", "cprnr", "personnummer", "cpr nr"],
        "date",
        "CPR 070761-4285",
    )
    .alone(0.0, 0.5),
    Id::new(
        "NO_FNR",
        &["99999999999", "999999 99999"],
        |d| {
            let born = number(&d[..2]);
            let month = number(&d[2..4]) % 40;
            // D numbers have 40 added to the day, and hospitals' numbers to the month.
            day(month, if born > 40 { born - 40 } else { born })
                && eleven(d, &[3, 7, 6, 1, 8, 9, 4, 5, 2])
                && eleven(d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
        },
        &["fødselsnummer", "fnr", "personnummer", "fodselsnummer"],
        "date and two check digits",
        "fødselsnummer 01018010018",
    )
    .alone(0.6, 0.7),
    Id::new(
        "FI_PERSONAL_IDENTITY_CODE",
        &["999999-999X", "999999+999X", "999999A999X"],
        |d| {
            const CHECKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
            let tail = d.len() - 4;
            let century = d.len() == 10 || b"ABCDEFYXWVU".contains(&d[6]);
            let whole = number(&d[..6]) * 1000 + number(&d[tail..tail + 3]);
            century && ddmmyy(d) && CHECKS[(whole % 31) as usize] == d[tail + 3]
        },
        &["hetu", "henkilötunnus", "henkilotunnus", "personbeteckning"],
        "date and check character modulo 31",
        "131052-308T",
    )
    .alone(0.9, 0.9),
    Id::new(
        "PL_PESEL",
        &["99999999999"],
        |d| {
            // The century is in the month: 1900s as it is, 2000s with 20 added.
            let month = number(&d[2..4]);
            let born = month <= 12 || (21..=32).contains(&month);
            born && day(month % 20, number(&d[4..6]))
                && sum(d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
        },
        &["pesel", "ewidencyjny"],
        "date and check digit",
        "PESEL 44051401359",
    )
    .alone(0.5, 0.5)
    .lone(SELDOM),
    Id::new(
        "PL_NIP",
        &["999-999-99-99", "999-99-99-999", "9999999999"],
        |d| d[0] != b'0' && sum(d, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == value(d[9]),
        &["nip", "podatkowy"],
        "check digit modulo 11",
        "NIP 123-456-32-18",
    )
    .alone(0.0, 0.7),
    Id::new(
        "PL_REGON",
        &["999999999"],
        |d| sum(d, &[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10 == value(d[8]),
        &["regon"],
        "check digit modulo 11",
        "REGON 123456785",
    ),
    Id::new(
        "PL_ID_CARD",
        &["AAA999999", "AAA 999999"],
        |d| {
            let others = sum(d, &[7, 3, 1, 0, 7, 3, 1, 7, 3]);
            others % 10 == value(d[3])
        },
        &["dowód", "dowod", "dowodu", "osobisty", "identity card"],
        "check digit with weights 7, 3, 1",
        "dowód ABA300000",
    ),
    Id::new(
        "CZ_RODNE_CISLO",
        &["999999/9999", "9999999999"],
        |d| {
            // Women have 50 added to the month; 20 more when a day runs out of numbers.
            let month = number(&d[2..4]) % 50 % 20;
            day(month, number(&d[4..6]))
                && (number(d).is_multiple_of(11) || (number(&d[..9]) % 11 == 10 && d[9] == b'0'))
        },
        &["rodné", "rodne", "rč", "rodné číslo", "rodne cislo"],
        "date and remainder modulo 11",
        "736028/5163",
    )
    .alone(0.0, 0.9),
    Id::new(
        "RO_CNP",
        &["9999999999999"],
        |d| {
            let rest = sum(d, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
            d[0] != b'0'
                && yymmdd(&d[1..7])
                && (1..=52).contains(&number(&d[7..9]))
                && value(d[12]) == if rest == 10 { 1 } else { rest }
        },
        &["cnp", "cod numeric"],
        "date, county and check digit",
        "CNP 1800101221144",
    )
    .alone(0.6, 0.6),
    Id::new(
        "BG_EGN",
        &["9999999999"],
        |d| {
            let month = number(&d[2..4]) % 20;
            day(month, number(&d[4..6]))
                && sum(d, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == value(d[9])
        },
        &["egn", "егн"],
        "date and check digit",
        "ЕГН 7523169263",
    ),
    Id::new(
        "YU_JMBG",
        &["9999999999999"],
        |d| {
            let check = 11 - sum(d, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
            let year = number(&d[4..7]);
            day(number(&d[2..4]), number(&d[..2]))
                && (year >= 900 || year <= 30)
                && value(d[12]) == if check > 9 { 0 } else { check }
        },
        &["jmbg", "emšo", "emso", "јмбг", "матични", "matični"],
        "date and check digit",
        "JMBG 0101006500006",
    )
    .alone(0.6, 0.6),
    Id::new(
        "EE_LT_PERSONAL_CODE",
        &["99999999999"],
        |d| {
            let first = sum(d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
            let second = sum(d, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
            let check = if first < 10 { first } else { second % 10 };
            (b'1'..=b'6').contains(&d[0]) && yymmdd(&d[1..7]) && check == value(d[10])
        },
        &["isikukood", "asmens kodas", "asmens", "ak"],
        "date and check digit",
        "isikukood 37605030299",
    )
    .alone(0.5, 0.5),
    Id::new(
        "LV_PERSONAL_CODE",
        &["999999-99999"],
        |d| {
            let rest = 1101 - sum(d, &[1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
            ddmmyy(d) && rest % 11 == value(d[10])
        },
        &["personas kods", "personas", "pk"],
        "date and check digit",
        "personas kods 161175-19997",
    )
    .alone(0.0, 0.7),
    Id::new(
        "HU_TAJ",
        &["999999999", "999_999_999"],
        |d| sum(d, &[3, 7, 3, 7, 3, 7, 3, 7]) % 10 == value(d[8]),
        &["taj", "társadalombiztosítási"],
        "check digit with weights 3 and 7",
        "TAJ 111 111 110",
    ),
    Id::new(
        "RU_SNILS",
        &["999-999-999 99", "999-999-999-99", "99999999999"],
        |d| {
            let rest = sum(d, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
            u64::from(rest) == number(&d[9..])
        },
        &["снилс", "snils"],
        "key modulo 101",
        "112-233-445 95",
    )
    .alone(0.0, 0.9)
    .lone(SELDOM),
    Id::new(
        "RU_INN",
        &["9999999999", "999999999999"],
        |d| {
            let check = |weights: &[u32], at: usize| sum(d, weights) % 11 % 10 == value(d[at]);
            match d.len() {
                10 => check(&[2, 4, 10, 3, 5, 9, 4, 6, 8], 9),
                _ => {
                    check(&[7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 10)
                        && check(&[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 11)
                }
            }
        },
        &["инн", "inn"],
        "one check digit, or two",
        "ИНН 500100732259",
    ),
    Id::new(
        "UA_RNOKPP",
        &["9999999999"],
        |d| {
            let sum = value(d[0]) * 10 + sum(&d[1..], &[5, 7, 9, 4, 6, 10, 5, 7]);
            let negative = sum as i32 - value(d[0]) as i32 * 11;
            negative.rem_euclid(11) % 10 == value(d[9]) as i32
        },
        &["рнокпп", "іпн", "ідентифікаційний", "rnokpp"],
        "check digit modulo 11",
        "РНОКПП 1759013776",
    ),
    Id::new(
        "TR_TCKN",
        &["99999999999"],
        |d| {
            let odd: u32 = [0, 2, 4, 6, 8].iter().map(|&at| value(d[at])).sum();
            let even: u32 = [1, 3, 5, 7].iter().map(|&at| value(d[at])).sum();
            let all: u32 = d[..10].iter().map(|&digit| value(digit)).sum();
            d[0] != b'0' && (odd * 7 + 90 - even) % 10 == value(d[9]) && all % 10 == value(d[10])
        },
        &["tckn", "tc", "kimlik", "kimlik no", "vatandaşlık", "turkish id"],
        "two check digits",
        "TC kimlik 10000000146",
    )
    .alone(0.5, 0.5),
];

/// Sweden's, with or without the century in front.
fn personnummer(d: &[u8]) -> bool {
    let d = &d[d.len() - 10..];
    let born = number(&d[4..6]);
    // A coordination number has 60 added to the day.
    day(number(&d[2..4]), if born > 60 { born - 60 } else { born }) && luhn(d)
}
