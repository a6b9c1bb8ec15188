//! Numbers of things that lead to people.

use crate::national::Id;
use crate::national::check::{luhn, value};

pub(super) const IDS: &[Id] = &[
    Id::new(
        "VIN",
        &["XXXXXXXXXXXXXXXXX"],
        vin,
        &["vin", "vehicle", "chassis", "fahrgestellnummer", "vehicle identification"],
        "alphabet and check digit (ISO 3779, 49 CFR 565)",
        "VIN 1M8GDM9AXKP042788",
    )
    .alone(0.7, 0.7),
    Id::new(
        "IMEI",
        &["999999999999999", "99-999999-999999-9", "99 999999 999999 9"],
        |d| number_is_real(d) && luhn(d),
        &["imei", "device", "handset"],
        "Luhn",
        "IMEI 490154203237518",
    )
    .alone(0.0, 0.8),
];

fn number_is_real(d: &[u8]) -> bool {
    !d.starts_with(b"00000")
}

fn vin(d: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let place = |byte: u8| match byte {
        b'0'..=b'9' => value(byte),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        b'S'..=b'Z' => u32::from(byte - b'S') + 2,
        _ => 0,
    };
    let sum: u32 = d.iter().zip(WEIGHTS).map(|(&byte, weight)| place(byte) * weight).sum();
    let check = match sum % 11 {
        10 => b'X',
        rest => b'0' + rest as u8,
    };
    let letters = d.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let digits = d.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    !d.iter().any(|byte| b"IOQ".contains(byte)) && letters >= 2 && digits >= 4 && d[8] == check
}
