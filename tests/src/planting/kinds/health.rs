//! Numbers of patients, of those who treat them and of those who pay.

use super::Shape::{Grouped, Word};
use super::{Kind, kind, until};
use crate::planting::checks::{luhn, weighted};

pub(super) const KINDS: &[Kind] = &[
    kind("MEDICAL_RECORD_NUMBER", &["MRN", "medical record number"], Grouped, |random| {
        format!("{}-{}", random.digits(4), random.digits(5)).into()
    }),
    kind("HEALTH_PLAN_NUMBER", &["member ID", "health plan number"], Word, |random| {
        format!("{}{}", random.capitals(3), random.digits(9)).into()
    }),
    kind("UK_NHS", &["NHS number", "NHS no", "NHS"], Grouped, |random| {
        until(random, |random| {
            let body = format!("{}{}", random.between(4, 7), random.digits(8));
            let check = (11 - weighted(&body, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
            (check < 10).then(|| format!("{} {} {}{check}", &body[..3], &body[3..6], &body[6..]))
        })
        .into()
    }),
    kind("US_NPI", &["NPI", "NPI number"], Grouped, |random| {
        let body = format!("{}{}", random.between(1, 2), random.digits(8));
        let check = luhn(&format!("80840{body}"));
        format!("{body}{check}").into()
    }),
    kind("US_DEA", &["DEA", "DEA number"], Word, |random| {
        let (kind, name) = (random.of_alphabet("ABFGM", 1), random.capitals(1));
        let body = random.digits(6);
        let check = weighted(&body, &[1, 2, 1, 2, 1, 2]) % 10;
        format!("{kind}{name}{body}{check}").into()
    }),
    kind("US_MBI", &["Medicare", "MBI", "Medicare number"], Word, |random| {
        const LETTERS: &str = "ACDEFGHJKMNPQRTUVWXY";
        let mut text = random.between(1, 9).to_string();
        for class in "A*9-A*9-AA99".chars() {
            text += &match class {
                'A' => random.of_alphabet(LETTERS, 1),
                '9' => random.digits(1),
                '*' => random.of_alphabet("ACDEFGHJKMNPQRTUVWXY0123456789", 1),
                other => other.to_string(),
            };
        }
        text.into()
    }),
];
