//! The Americas.

use crate::national::check::{day, eleven, luhn, number, sum, value};
use crate::national::{Id, LIKELY, SELDOM};

pub(super) const IDS: &[Id] = &[
    Id::new(
        "US_ITIN",
        &["999_99_9999", "999999999"],
        itin,
        &["itin", "taxpayer", "tax id", "tin", "individual taxpayer", "tax identification"],
        "area 9xx, group 50-65, 70-88, 90-92 or 94-99",
        "ITIN 912-78-1234",
    )
    .alone(0.0, 0.6)
    .lone(LIKELY),
    Id::new(
        "US_NPI",
        &["9999999999", "9999_999_999"],
        npi,
        &["npi", "provider", "national provider", "prescriber", "physician id"],
        "Luhn with the prefix 80840",
        "NPI 1234567893",
    )
    .lone(SELDOM),
    Id::new(
        "US_ABA_ROUTING",
        &["999999999", "9999-9999-9"],
        aba,
        &["aba", "routing", "rtn", "transit", "aba routing", "bank"],
        "district and the sum with weights 3, 7, 1",
        "routing number 021000021",
    )
    .alone(0.0, 0.6)
    .lone(LIKELY),
    Id::new(
        "US_MBI",
        &["9AX9AX9AA99", "9AX9-AX9-AA99", "9AX9 AX9 AA99"],
        mbi,
        &["mbi", "medicare", "beneficiary", "cms", "hicn"],
        "the letter or digit that each place may have",
        "Medicare 1EG4-TE5-MK73",
    )
    .alone(0.6, 0.85),
    Id::new(
        "US_DEA",
        &["AA9999999", "A99999999"],
        dea,
        &["dea", "prescriber", "registration", "controlled", "medical license", "license"],
        "registrant's letter and check digit",
        "DEA AB1234563",
    )
    .alone(0.5, 0.5),
    Id::new(
        "US_EIN",
        &["99-9999999", "999999999"],
        ein,
        &["ein", "fein", "employer", "employer identification", "tax id", "federal tax"],
        "the office's prefix",
        "EIN 12-3456789",
    ),
    Id::new(
        "CA_SIN",
        &["999_999_999", "999999999"],
        |d| !matches!(d[0], b'0' | b'8') && luhn(d),
        &["sin", "social insurance", "nas", "assurance sociale", "social"],
        "Luhn, first digit not 0 or 8",
        "SIN 130 692 544",
    )
    .lone(LIKELY),
    Id::new(
        "BR_CPF",
        &["999.999.999-99", "999999999-99", "99999999999"],
        cpf,
        &["cpf", "cadastro de pessoa", "contribuinte", "documento"],
        "two check digits",
        "529.982.247-25",
    )
    .alone(0.0, 0.9)
    .lone(SELDOM),
    Id::new(
        "BR_CNPJ",
        &["XX.XXX.XXX/XXXX-99", "99999999999999", "XXXXXXXXXXXX99"],
        cnpj,
        &["cnpj", "empresa", "pessoa jurídica", "inscrição"],
        "two check digits, with letters since 2026 too",
        "11.222.333/0001-81",
    )
    .alone(0.0, 0.9)
    .lone(SELDOM),
    Id::new(
        "MX_CURP",
        &["AAAA999999AAAAAAX9"],
        curp,
        &["curp", "registro de población"],
        "date, sex, state's letters and check digit",
        "CURP HEGG560427MVZRRL04",
    )
    .alone(0.95, 0.95),
    Id::new(
        "MX_RFC",
        &["AAAA999999XXX", "AAA999999XXX"],
        rfc,
        &["rfc", "contribuyente", "sat", "registro federal"],
        "date and check digit",
        "RFC GODE561231GR8",
    )
    .alone(0.7, 0.7),
    Id::new(
        "AR_CUIT",
        &["99-99999999-9", "99999999999"],
        |d| {
            matches!(number(&d[..2]), 20 | 23 | 24 | 27 | 30 | 33 | 34)
                && eleven(d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
        },
        &["cuit", "cuil", "clave"],
        "kind and check digit",
        "CUIT 20-12345678-6",
    )
    .alone(0.0, 0.7)
    .lone(SELDOM),
    Id::new(
        "CL_RUT",
        &["99.999.999-X", "9.999.999-X", "99999999-X", "9999999-X"],
        rut,
        &["rut", "run", "rol", "cédula", "cedula"],
        "check digit, 0 to 9 or K",
        "RUT 12.345.678-5",
    )
    .alone(0.0, 0.6),
    Id::new(
        "CO_NIT",
        &["999999999-9", "999.999.999-9"],
        |d| {
            let rest = sum(d, &[41, 37, 29, 23, 19, 17, 13, 7, 3]) % 11;
            value(d[9]) == if rest < 2 { rest } else { 11 - rest }
        },
        &["nit", "tributaria", "dian"],
        "check digit",
        "NIT 890.903.938-8",
    ),
    Id::new(
        "UY_CEDULA",
        &["9.999.999-9", "9999999-9"],
        |d| (10 - sum(d, &[2, 9, 8, 7, 6, 3, 4]) % 10) % 10 == value(d[7]),
        &["ci", "cédula", "cedula", "documento"],
        "check digit",
        "cédula 1.234.567-2",
    ),
    Id::new(
        "EC_CEDULA",
        &["9999999999", "999999999-9"],
        |d| (1..=24).contains(&number(&d[..2])) && value(d[2]) < 6 && luhn(d),
        &["cédula", "cedula", "identidad", "ci"],
        "province and Luhn",
        "cédula 1710034065",
    ),
];

fn itin(d: &[u8]) -> bool {
    let group = number(&d[3..5]);
    d[0] == b'9' && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

fn npi(d: &[u8]) -> bool {
    let mut whole = *b"808400000000000";
    whole[5..].copy_from_slice(d);
    matches!(d[0], b'1' | b'2') && luhn(&whole)
}

fn aba(d: &[u8]) -> bool {
    matches!(number(&d[..2]), 0..=12 | 21..=32 | 61..=72 | 80)
        && sum(d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

fn mbi(d: &[u8]) -> bool {
    let letters = d.iter().all(|byte| !b"SLOIBZ".contains(byte));
    d[0] != b'0' && letters
}

fn dea(d: &[u8]) -> bool {
    let odd = value(d[2]) + value(d[4]) + value(d[6]);
    let even = value(d[3]) + value(d[5]) + value(d[7]);
    b"ABCDEFGHJKLMPRSTUX".contains(&d[0])
        && (d[1].is_ascii_alphabetic() || d[1] == b'9')
        && (odd + 2 * even) % 10 == value(d[8])
}

fn ein(d: &[u8]) -> bool {
    let prefix = number(&d[..2]);
    !matches!(prefix, 0 | 7..=9 | 17..=19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97)
}

fn cpf(d: &[u8]) -> bool {
    let check = |weights: &[u32], at: usize| value(d[at]) == sum(d, weights) * 10 % 11 % 10;
    check(&[10, 9, 8, 7, 6, 5, 4, 3, 2], 9) && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 10)
}

fn cnpj(d: &[u8]) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    // Letters count as their ASCII code less that of the zero.
    let check = |length: usize| {
        let weights = &WEIGHTS[13 - length..];
        let sum: u32 =
            d.iter().zip(weights).map(|(&byte, weight)| u32::from(byte - b'0') * weight).sum();
        let rest = sum % 11;
        value(d[length]) == if rest < 2 { 0 } else { 11 - rest }
    };
    check(12) && check(13)
}

fn curp(d: &[u8]) -> bool {
    // The alphabet has an Ñ between N and O, which no machine writes.
    let place = |byte: u8| match byte {
        b'O'..=b'Z' => value(byte) + 1,
        _ => value(byte),
    };
    let sum: u32 = d[..17].iter().zip((2..=18).rev()).map(|(&byte, w)| place(byte) * w).sum();
    day(number(&d[6..8]), number(&d[8..10]))
        && matches!(d[10], b'H' | b'M' | b'X')
        && (10 - sum % 10) % 10 == value(d[17])
}

fn rfc(d: &[u8]) -> bool {
    let letters = d.len() - 9;
    let digits = &d[letters..];
    if !digits[..6].iter().all(u8::is_ascii_digit)
        || !day(number(&digits[2..4]), number(&digits[4..6]))
    {
        return false;
    }
    let place = |byte: u8| match byte {
        b'O'..=b'Z' => value(byte) + 1,
        _ => value(byte),
    };
    // A company's number has a blank in front, which counts 37.
    let blank = if letters == 3 { 37 * 13 } else { 0 };
    let weights = (2..=12 + u32::from(letters == 4)).rev();
    let sum: u32 = d[..d.len() - 1].iter().zip(weights).map(|(&b, w)| place(b) * w).sum();
    let check = match (sum + blank) % 11 {
        0 => b'0',
        1 => b'A',
        rest => b'0' + (11 - rest) as u8,
    };
    d.last() == Some(&check)
}

fn rut(d: &[u8]) -> bool {
    let (last, body) = (d[d.len() - 1], &d[..d.len() - 1]);
    let sum: u32 =
        body.iter().rev().zip([2, 3, 4, 5, 6, 7, 2, 3]).map(|(&b, w)| value(b) * w).sum();
    let check = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        rest => b'0' + rest as u8,
    };
    number(body) >= 1_000_000 && last == check
}
