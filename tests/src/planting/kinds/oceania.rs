//! Australia and New Zealand.

use super::Shape::{Grouped, Word};
use super::{Kind, grouped, kind, until};
use crate::planting::checks::weighted;

pub(super) const KINDS: &[Kind] = &[
    kind("AU_ABN", &["ABN", "Australian Business Number"], Grouped, |random| {
        let body = random.digits(9);
        let lead = 89 - weighted(&body, &[3, 5, 7, 9, 11, 13, 15, 17, 19]) % 89;
        grouped(&format!("{:02}{body}", lead + 10), &[2, 3, 3, 3], " ").into()
    }),
    kind("AU_ACN", &["ACN", "Australian Company Number"], Grouped, |random| {
        let body = format!("0{}", random.digits(7));
        let check = (10 - weighted(&body, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10;
        grouped(&format!("{body}{check}"), &[3, 3, 3], " ").into()
    }),
    kind("AU_MEDICARE", &["Medicare", "Medicare number", "Medicare card"], Grouped, |random| {
        let body = format!("{}{}", random.between(2, 6), random.digits(7));
        let check = weighted(&body, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10;
        grouped(&format!("{body}{check}{}", random.between(1, 9)), &[4, 5, 1], " ").into()
    }),
    kind("AU_TFN", &["TFN", "tax file number"], Grouped, |random| {
        let number = until(random, |random| {
            let body = format!("{}{}", random.between(1, 9), random.digits(7));
            let check = weighted(&body, &[1, 4, 3, 7, 5, 8, 6, 9]) % 11;
            (check < 10).then(|| format!("{body}{check}"))
        });
        grouped(&number, &[3, 3, 3], " ").into()
    }),
    kind("NZ_IRD", &["IRD", "IRD number"], Grouped, |random| {
        let number = until(random, |random| {
            let body = format!("0{}{}", random.between(2, 9), random.digits(6));
            let check = |weights: &[u32]| (11 - weighted(&body, weights) % 11) % 11;
            let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
            let digit = if first < 10 { first } else { check(&[7, 4, 3, 2, 5, 2, 7, 6]) };
            (digit < 10).then(|| format!("{}{digit}", &body[1..]))
        });
        grouped(&number, &[2, 3, 3], "-").into()
    }),
    kind("NZ_NHI", &["NHI", "NHI number"], Word, |random| {
        const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ";
        until(random, |random| {
            let (letters, digits) = (random.of_alphabet(LETTERS, 3), random.digits(3));
            let worth = |c: char| LETTERS.find(c).map_or(0, |at| at as u32 + 1);
            let sum: u32 = letters.chars().map(worth).zip([7, 6, 5]).map(|(a, b)| a * b).sum();
            let rest = (sum + weighted(&digits, &[4, 3, 2])) % 11;
            (rest != 0).then(|| format!("{letters}{digits}{}", (11 - rest) % 10))
        })
        .into()
    }),
];
