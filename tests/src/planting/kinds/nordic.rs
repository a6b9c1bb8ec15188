//! The north, and the Baltic.

use super::Shape::Grouped;
use super::{Day, Kind, kind, until};
use crate::planting::checks::{weighted, with_luhn};

pub(super) const KINDS: &[Kind] = &[
    kind("SE_PERSONNUMMER", &["personnummer", "personal identity number"], Grouped, |random| {
        let number = with_luhn(format!("{}{}", Day::of(random).ymd(), random.digits(3)));
        format!("{}-{}", &number[..6], &number[6..]).into()
    }),
    kind("NO_FNR", &["fødselsnummer", "personnummer", "fnr"], Grouped, |random| {
        until(random, |random| {
            let body = format!("{}{:03}", Day::of(random).dmy(), random.between(0, 499));
            let check = |body: &str, weights: &[u32]| (11 - weighted(body, weights) % 11) % 11;
            let first = check(&body, &[3, 7, 6, 1, 8, 9, 4, 5, 2]);
            let body = format!("{body}{first}");
            let second = check(&body, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
            (first < 10 && second < 10).then(|| format!("{body}{second}"))
        })
        .into()
    }),
    kind("DK_CPR", &["CPR", "CPR-nummer", "personnummer"], Grouped, |random| {
        format!("{}-{:04}", Day::of(random).dmy(), random.between(100, 3999)).into()
    }),
    kind("FI_PERSONAL_IDENTITY_CODE", &["henkilötunnus", "HETU"], Grouped, |random| {
        let (date, serial) = (Day::of(random).dmy(), random.between(2, 899));
        let number: usize = format!("{date}{serial:03}").parse().unwrap_or(0);
        let check = &"0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31..][..1];
        format!("{date}-{serial:03}{check}").into()
    }),
    kind("EE_LT_PERSONAL_CODE", &["isikukood", "asmens kodas"], Grouped, |random| {
        let sex = random.between(3, 4);
        let body = format!("{sex}{}{}", Day::of(random).ymd(), random.digits(3));
        let check = match weighted(&body, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11 {
            10 => weighted(&body, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10,
            check => check,
        };
        format!("{body}{check}").into()
    }),
    kind("LV_PERSONAL_CODE", &["personas kods"], Grouped, |random| {
        until(random, |random| {
            let body = format!("{}1{}", Day::of(random).dmy(), random.digits(3));
            let check = (1101 - weighted(&body, &[1, 6, 3, 7, 9, 10, 5, 8, 4, 2])) % 11;
            (check < 10).then(|| format!("{}-{}{check}", &body[..6], &body[6..]))
        })
        .into()
    }),
];
