//! Asia, Africa and Oceania.

use crate::national::check::{day, luhn, number, sum, value, verhoeff, yymmdd};
use crate::national::{Id, LIKELY, SELDOM};

pub(super) const IDS: &[Id] = &[
    Id::new(
        "IN_AADHAAR",
        &["9999_9999_9999", "999999999999", "9999:9999:9999"],
        |d| d[0] > b'1' && verhoeff(d),
        &["aadhaar", "aadhar", "uidai", "uid", "आधार"],
        "Verhoeff, first digit 2 to 9",
        "Aadhaar 2341 2341 2346",
    )
    .alone(0.0, 0.6)
    .lone(LIKELY),
    Id::new(
        "IN_PAN",
        &["AAAAA9999A"],
        |d| b"PCHFATBLJGEK".contains(&d[3]) && number(&d[5..9]) > 0,
        &["pan", "permanent account", "income tax"],
        "the holder's kind in the fourth place",
        "PAN ABCPE1234F",
    )
    .alone(0.6, 0.6),
    Id::new(
        "IN_GSTIN",
        &["99AAAAA9999AXAX"],
        gstin,
        &["gstin", "gst"],
        "state, and a Z or the check character modulo 36",
        "GSTIN 27AAPFU0939F1ZV",
    )
    .alone(0.9, 0.9),
    Id::new(
        "IN_VOTER",
        &["AAA9999999"],
        |_| true,
        &["voter", "epic", "election", "elector"],
        "letters and digits in their places",
        "voter id ABC1234567",
    ),
    Id::new(
        "PK_CNIC",
        &["99999-9999999-9"],
        |d| (b'1'..=b'7').contains(&d[0]),
        &["cnic", "nadra", "nic", "identity card"],
        "province",
        "CNIC 35202-1234567-1",
    )
    .alone(0.0, 0.7),
    Id::new(
        "CN_RESIDENT_ID",
        &["99999999999999999X"],
        resident,
        &["身份证", "公民身份", "resident id", "resident identity", "id card"],
        "region, date and check character (ISO 7064 MOD 11-2)",
        "身份证 11010519491231002X",
    )
    .alone(0.9, 0.9),
    Id::new(
        "TW_NATIONAL_ID",
        &["A999999999"],
        |d| {
            const LETTERS: [u32; 26] = [
                10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28,
                29, 32, 30, 31, 33,
            ];
            let first = LETTERS[usize::from(d[0] - b'A')];
            let rest = sum(&d[1..], &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
            matches!(d[1], b'1' | b'2' | b'8' | b'9')
                && (first / 10 + first % 10 * 9 + rest).is_multiple_of(10)
        },
        &["身分證", "身份證", "national id", "統一編號"],
        "region, sex and check digit",
        "身分證 A123456789",
    )
    .alone(0.5, 0.5),
    Id::new(
        "HK_ID",
        &["A999999(X)", "AA999999(X)", "A999999X", "AA999999X"],
        |d| {
            // One letter stands for a blank and a letter; a blank counts 36.
            let body = &d[..d.len() - 1];
            let blank = if body.len() == 7 { 36 * 9 } else { 0 };
            let weights = &[9, 8, 7, 6, 5, 4, 3, 2][8 - body.len()..];
            let last = if d[d.len() - 1] == b'A' { 10 } else { value(d[d.len() - 1]) };
            last <= 10 && (blank + sum(body, weights) + last).is_multiple_of(11)
        },
        &["hkid", "身份證", "identity card"],
        "check character modulo 11",
        "HKID A123456(3)",
    )
    .alone(0.0, 0.8),
    Id::new(
        "SG_NRIC_FIN",
        &["A9999999A"],
        nric,
        &["nric", "fin", "identity", "singapore"],
        "check letter of each series",
        "NRIC S1234567D",
    )
    .alone(0.85, 0.85),
    Id::new(
        "KR_RRN",
        &["999999-9999999", "9999999999999"],
        |d| {
            let check = (11 - sum(d, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10;
            // Numbers since October 2020 have no check digit.
            let recent = number(&d[..4]) >= 2010 && matches!(d[6], b'3' | b'4');
            (b'1'..=b'8').contains(&d[6]) && yymmdd(d) && (recent || check == value(d[12]))
        },
        &["rrn", "주민등록번호", "주민번호", "resident registration"],
        "date, sex and check digit",
        "주민등록번호 900101-1234568",
    )
    .alone(0.5, 0.85),
    // Citizens' numbers that were changed since then have none either, whenever somebody was
    // born.
    Id::new(
        "KR_RRN",
        &["999999-9999999", "9999999999999"],
        |d| (b'1'..=b'4').contains(&d[6]) && yymmdd(d),
        &["rrn", "주민등록번호", "주민번호", "resident registration"],
        "date and sex",
        "900101-1234567",
    )
    .alone(0.0, 0.6)
    .lone(LIKELY),
    Id::new(
        "DRIVER_LICENSE",
        &["99-99-999999-99", "99 99 999999 99"],
        |d| matches!(number(&d[..2]), 11..=26 | 28),
        &["면허", "운전면허", "driver", "license", "licence"],
        "the region of South Korea's",
        "13-09-204518-73",
    )
    .alone(0.0, 0.6),
    Id::new(
        "JP_MY_NUMBER",
        &["999999999999", "9999_9999_9999"],
        |d| {
            let rest = sum(d, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
            value(d[11]) == if rest <= 1 { 0 } else { 11 - rest }
        },
        &["マイナンバー", "個人番号", "my number", "mynumber"],
        "check digit modulo 11",
        "個人番号 123456789018",
    ),
    Id::new(
        "TH_TNIN",
        &["9-9999-99999-99-9", "9 9999 99999 99 9", "9999999999999"],
        // The two digits behind the kind are the province.
        |d| thai(d) && (10..=96).contains(&number(&d[1..3])),
        &["thai", "tnin", "บัตรประชาชน", "เลขประจำตัว", "national id"],
        "province and check digit modulo 11",
        "1-1017-00230-70-8",
    )
    .alone(0.0, 0.9)
    .lone(LIKELY),
    // What a word says is one may be of a district that is not in the list.
    Id::new(
        "TH_TNIN",
        &["9-9999-99999-99-9", "9 9999 99999 99 9", "9999999999999"],
        thai,
        &["thai", "tnin", "บัตรประชาชน", "เลขประจำตัว", "national id"],
        "check digit modulo 11 beside a word for it",
        "Thai ID 8-9865-79412-27-2",
    ),
    Id::new(
        "MY_NRIC",
        &["999999-99-9999", "999999999999"],
        |d| {
            let place = number(&d[6..8]);
            yymmdd(d) && !matches!(place, 0 | 17..=20 | 69 | 70 | 73 | 80 | 81 | 94..=97)
        },
        &["nric", "mykad", "kad pengenalan", "ic"],
        "date and place of birth",
        "MyKad 850101-14-5678",
    )
    .alone(0.0, 0.8),
    Id::new(
        "ID_NIK",
        &["9999999999999999"],
        |d| {
            let born = number(&d[6..8]);
            let province = number(&d[..2]);
            (11..=94).contains(&province)
                && day(number(&d[8..10]), if born > 40 { born - 40 } else { born })
        },
        &["nik", "ktp", "penduduk"],
        "province and date",
        "NIK 3171011501900001",
    ),
    Id::new(
        "AE_EMIRATES_ID",
        &["999-9999-9999999-9", "999999999999999"],
        |d| d.starts_with(b"784") && luhn(d),
        &["emirates id", "emirates", "eid", "هوية"],
        "prefix 784 and Luhn",
        "784-1990-1234567-6",
    )
    .alone(0.7, 0.95),
    Id::new(
        "SA_NATIONAL_ID",
        &["9999999999"],
        |d| matches!(d[0], b'1' | b'2') && luhn(d),
        &["iqama", "absher", "هوية", "الهوية", "إقامة", "saudi"],
        "first digit 1 or 2, and Luhn",
        "iqama 2123456788",
    ),
    Id::new(
        "IL_ID",
        &["999999999", "99999999-9"],
        luhn,
        &["teudat zehut", "zehut", "israeli", "תעודת זהות", "ת.ז"],
        "Luhn",
        "teudat zehut 123456782",
    ),
    Id::new(
        "ZA_ID",
        &["9999999999999", "999999 9999 999", "999999 9999 99 9"],
        |d| yymmdd(d) && matches!(d[10], b'0' | b'1' | b'2') && luhn(d),
        &["rsa id", "south african", "said", "id number", "identity number"],
        "date, citizenship and Luhn",
        "ID number 8001015009087",
    )
    .alone(0.6, 0.8),
    Id::new(
        "AU_TFN",
        &["999_999_999", "999999999"],
        |d| sum(d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11),
        &["tfn", "tax file", "tax file number"],
        "remainder modulo 11",
        "TFN 123 456 782",
    )
    .lone(LIKELY),
    Id::new(
        "AU_ABN",
        &["99 999 999 999", "99999999999"],
        |d| {
            let weighted = sum(d, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
            d[0] != b'0' && (weighted - 10).is_multiple_of(89)
        },
        &["abn", "australian business", "business number"],
        "remainder modulo 89",
        "ABN 51 824 753 556",
    )
    .alone(0.0, 0.6)
    .lone(SELDOM),
    Id::new(
        "AU_ACN",
        &["999 999 999", "999999999"],
        |d| (10 - sum(d, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == value(d[8]),
        &["acn", "australian company", "company number"],
        "check digit modulo 10",
        "ACN 004 085 616",
    )
    .lone(LIKELY),
    Id::new(
        "AU_MEDICARE",
        &["9999 99999 9", "9999-99999-9", "9999999999"],
        |d| (b'2'..=b'6').contains(&d[0]) && sum(d, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == value(d[8]),
        &["medicare", "medicare number"],
        "first digit 2 to 6 and check digit",
        "Medicare 2123 45670 1",
    )
    .alone(0.0, 0.6)
    .lone(LIKELY),
    Id::new(
        "NZ_IRD",
        &["99-999-999", "999-999-999", "99999999", "999999999"],
        ird,
        &["ird", "inland revenue"],
        "check digit modulo 11, with a second set of weights",
        "IRD 49-091-850",
    ),
    Id::new(
        "NZ_NHI",
        &["AAA9999"],
        |d| {
            let letter = |byte: u8| {
                let below = b"IO".iter().filter(|&&left_out| left_out < byte).count() as u32;
                u32::from(byte - b'A') + 1 - below
            };
            let letters: u32 = d[..3].iter().zip([7, 6, 5]).map(|(&b, w)| letter(b) * w).sum();
            let rest = (letters + sum(&d[3..], &[4, 3, 2])) % 11;
            rest != 0
                && !d[..3].iter().any(|b| b"IO".contains(b))
                && (11 - rest) % 10 == value(d[6])
        },
        &["nhi", "national health index"],
        "alphabet and check digit modulo 11",
        "NHI ZAC5361",
    ),
];

fn gstin(d: &[u8]) -> bool {
    let sum: u32 = (d[..14].iter().enumerate())
        .map(|(at, &byte)| {
            let product = value(byte) * (1 + at as u32 % 2);
            product / 36 + product % 36
        })
        .sum();
    // The last place but one has been a Z so far.
    (1..=38).contains(&number(&d[..2])) && (d[13] == b'Z' || (36 - sum % 36) % 36 == value(d[14]))
}

fn resident(d: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let check = b"10X98765432"[(sum(d, &WEIGHTS) % 11) as usize];
    (11..=82).contains(&number(&d[..2]))
        && (1850..=2099).contains(&number(&d[6..10]))
        && day(number(&d[10..12]), number(&d[12..14]))
        && d[17] == check
}

fn thai(d: &[u8]) -> bool {
    let rest = sum(d, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    d[0] != b'0' && (11 - rest) % 10 == value(d[12])
}

fn nric(d: &[u8]) -> bool {
    let mut rest = sum(&d[1..], &[2, 7, 6, 5, 4, 3, 2]);
    let letters: &[u8; 11] = match d[0] {
        b'S' => b"JZIHGFEDCBA",
        b'T' => {
            rest += 4;
            b"JZIHGFEDCBA"
        }
        b'F' => b"XWUTRQPNMLK",
        b'G' => {
            rest += 4;
            b"XWUTRQPNMLK"
        }
        b'M' => {
            rest += 3;
            return b"KLJNPQRTUWX"[(10 - rest % 11) as usize] == d[8];
        }
        _ => return false,
    };
    letters[(rest % 11) as usize] == d[8]
}

fn ird(d: &[u8]) -> bool {
    let mut padded = *b"000000000";
    padded[9 - d.len()..].copy_from_slice(d);
    let check = |weights: &[u32]| (11 - sum(&padded, weights) % 11) % 11;
    let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
    let check = if first == 10 { check(&[7, 4, 3, 2, 5, 2, 7, 6]) } else { first };
    (10_000_000..150_000_000).contains(&number(d)) && check == value(padded[8])
}
