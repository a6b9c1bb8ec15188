//! Asia and Africa.

use super::Shape::{Grouped, Word};
use super::{Day, Kind, Made, grouped, kind, until};
use crate::planting::Random;
use crate::planting::checks::{verhoeff, weighted, with_luhn};

pub(super) const KINDS: &[Kind] = &[
    kind("AE_EMIRATES_ID", &["Emirates ID", "EID"], Grouped, |random| {
        let body = format!("784{}{}", Day::of(random).year, random.digits(7));
        grouped(&with_luhn(body), &[3, 4, 7, 1], "-").into()
    }),
    kind("CN_RESIDENT_ID", &["身份证", "身份证号", "resident ID"], Word, |random| {
        let region = *random.pick(&["110105", "310104", "440106", "510107", "330102"]);
        let Day { year, month, day } = Day::of(random);
        let body = format!("{region}{year}{month:02}{day:02}{}", random.digits(3));
        let sum = weighted(&body, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
        format!("{body}{}", &"10X98765432"[(sum % 11) as usize..][..1]).into()
    }),
    kind("HK_ID", &["HKID", "HKID number"], Word, |random| {
        let (letter, body) = (random.capitals(1), random.digits(6));
        let worth = letter.chars().filter_map(|c| c.to_digit(36)).sum::<u32>();
        let sum = 324 + worth * 8 + weighted(&body, &[7, 6, 5, 4, 3, 2]);
        let check = match (11 - sum % 11) % 11 {
            10 => "A".to_owned(),
            check => check.to_string(),
        };
        format!("{letter}{body}({check})").into()
    }),
    kind("ID_NIK", &["NIK"], Grouped, |random| {
        let region = *random.pick(&["317101", "327301", "337401", "357801"]);
        let body = format!("{region}{}", Day::of(random).dmy());
        format!("{body}{:04}", random.between(1, 99)).into()
    }),
    kind("IL_ID", &["teudat zehut", "תעודת זהות"], Grouped, |random| {
        with_luhn(format!("{}{}", random.between(1, 3), random.digits(7))).into()
    }),
    kind("IN_AADHAAR", &["Aadhaar", "Aadhaar number", "आधार"], Grouped, |random| {
        let body = format!("{}{}", random.between(2, 9), random.digits(10));
        grouped(&format!("{body}{}", verhoeff(&body)), &[4, 4, 4], " ").into()
    }),
    kind("IN_PAN", &["PAN", "PAN card"], Word, |random| pan(random).into()),
    kind("IN_GSTIN", &["GSTIN", "GST number"], Word, |random| {
        let body = format!("{:02}{}1Z", random.between(1, 37), pan(random));
        let sum: u32 = (body.chars().filter_map(|c| c.to_digit(36)).enumerate())
            .map(|(at, worth)| worth * (1 + at as u32 % 2))
            .map(|product| product / 36 + product % 36)
            .sum();
        let check = char::from_digit((36 - sum % 36) % 36, 36).unwrap_or('0');
        format!("{body}{}", check.to_ascii_uppercase()).into()
    }),
    kind("IN_VOTER", &["voter id", "EPIC number", "voter ID card"], Word, |random| {
        format!("{}{}", random.capitals(3), random.digits(7)).into()
    }),
    kind("JP_MY_NUMBER", &["個人番号", "マイナンバー", "My Number"], Grouped, |random| {
        let body = random.digits(11);
        let rest = weighted(&body, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        format!("{body}{}", if rest < 2 { 0 } else { 11 - rest }).into()
    }),
    kind("KR_RRN", &["주민등록번호", "RRN"], Grouped, |random| {
        let (date, sex) = (Day::of(random).ymd(), random.between(1, 2));
        let body = format!("{date}{sex}{}", random.digits(5));
        let sum = weighted(&body, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
        format!("{}-{}{}", &body[..6], &body[6..], (11 - sum % 11) % 10).into()
    }),
    kind("MY_NRIC", &["MyKad", "NRIC", "IC number"], Grouped, |random| {
        let (date, place) = (Day::of(random).ymd(), random.between(1, 14));
        format!("{date}-{place:02}-{}", random.digits(4)).into()
    }),
    kind("PK_CNIC", &["CNIC", "CNIC number"], Grouped, |random| {
        let province = random.between(1, 7);
        let number = format!("{province}{}", random.digits(12));
        grouped(&number, &[5, 7, 1], "-").into()
    }),
    kind("SA_NATIONAL_ID", &["iqama", "الهوية الوطنية"], Grouped, |random| {
        with_luhn(format!("{}{}", random.between(1, 2), random.digits(8))).into()
    }),
    kind("SG_NRIC_FIN", &["NRIC", "FIN"], Word, |random| {
        let (series, body) = (random.of_alphabet("STFG", 1), random.digits(7));
        let sum = weighted(&body, &[2, 7, 6, 5, 4, 3, 2]) as usize;
        let sum = if "TG".contains(&series) { sum + 4 } else { sum };
        let letters = if "ST".contains(&series) { "JZIHGFEDCBA" } else { "XWUTRQPNMLK" };
        format!("{series}{body}{}", &letters[sum % 11..][..1]).into()
    }),
    kind(
        "TH_TNIN",
        &["เลขประจำตัวประชาชน", "Thai ID"],
        Grouped,
        |random| {
            let body = format!("{}{}", random.between(1, 8), random.digits(11));
            let sum = weighted(&body, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
            let number = format!("{body}{}", (11 - sum % 11) % 10);
            grouped(&number, &[1, 4, 5, 2, 1], "-").into()
        },
    ),
    kind("TW_NATIONAL_ID", &["身分證", "身分證字號"], Word, taiwan),
    kind("ZA_ID", &["ID number", "South African ID"], Grouped, |random| {
        let (date, serial) = (Day::of(random).ymd(), random.digits(4));
        with_luhn(format!("{date}{serial}08")).into()
    }),
];

fn pan(random: &mut Random) -> String {
    let holder = random.of_alphabet("ABCFGHLJPT", 1);
    let (start, name) = (random.capitals(3), random.capitals(1));
    let (number, end) = (random.between(1, 9999), random.capitals(1));
    format!("{start}{holder}{name}{number:04}{end}")
}

fn taiwan(random: &mut Random) -> Made {
    // The letter's number in the order of the regions, from 10.
    const REGIONS: &str = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
    until(random, |random| {
        let letter = random.capitals(1);
        let region = REGIONS.find(&letter)? as u32 + 10;
        let body = format!("{}{}", random.between(1, 2), random.digits(7));
        let sum = region / 10 + region % 10 * 9 + weighted(&body, &[8, 7, 6, 5, 4, 3, 2, 1]);
        Some(format!("{letter}{body}{}", (10 - sum % 10) % 10))
    })
    .into()
}
