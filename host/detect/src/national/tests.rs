//! Every row: its example, its wrong neighbours, and numbers that are none.

use super::*;
use crate::detector::tests::{DETECTOR, found};

#[test]
fn every_example_is_found() {
    let missed: Vec<String> = tables()
        .filter(|id| found(id.example, id.entity).len() != 1)
        .map(|id| format!("{}: {} gives {:?}", id.entity, id.example, DETECTOR.text(id.example)))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn words_are_in_small_letters() {
    for id in tables() {
        for word in id.words {
            assert_eq!(**word, word.to_lowercase(), "{}", id.entity);
        }
    }
}

#[test]
fn every_wrong_digit_of_a_checked_number_shows() {
    for (entity, text) in [
        ("US_NPI", "NPI 1234567893"),
        ("US_ABA_ROUTING", "routing 021000021"),
        ("UK_NHS", "NHS 9434765919"),
        ("IN_AADHAAR", "Aadhaar 234123412346"),
        ("PL_PESEL", "PESEL 44051401359"),
        ("BR_CPF", "CPF 52998224725"),
        ("BR_CNPJ", "CNPJ 11222333000181"),
        ("SE_PERSONNUMMER", "personnummer 811218-9876"),
        ("CA_SIN", "SIN 130692544"),
        ("NL_BSN", "BSN 111222333"),
        ("DE_TAX_ID", "Steuer-ID 86095742719"),
        ("FR_NIR", "185057800608491"),
        ("CH_AHV", "756.9217.0769.85"),
        ("ES_NIF", "12345678Z"),
        ("CN_RESIDENT_ID", "11010519491231002X"),
    ] {
        assert_eq!(found(text, entity).len(), 1, "{text}");
        let digits = text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
        for (at, digit) in digits {
            let other = if digit == b'9' { b'8' } else { digit + 1 };
            let mut wrong = text.as_bytes().to_vec();
            wrong[at] = other;
            let wrong = String::from_utf8(wrong).expect("digits");
            assert_eq!(found(&wrong, entity), [""; 0], "{wrong}");
        }
    }
}

#[test]
fn a_weak_number_needs_its_word() {
    for (number, entity, word) in [
        ("9434765919", "UK_NHS", "NHS"),
        ("021000021", "US_ABA_ROUTING", "routing"),
        ("1234567893", "US_NPI", "npi:"),
        ("123456782", "AU_TFN", "tfn"),
        ("111222333", "NL_BSN", "bsn"),
        ("130692544", "CA_SIN", "SIN"),
        ("52998224725", "BR_CPF", "cpf"),
    ] {
        assert_eq!(found(&format!("{word} {number}"), entity), [number], "{word} {number}");
        assert_eq!(found(&format!("the number {number} here"), entity), [""; 0], "{number}");
        // A word counts as a whole word.
        assert_eq!(found(&format!("x{word}x: {number}"), entity), [""; 0], "x{word}x: {number}");
    }
}

#[test]
fn ordinary_numbers_are_not_findings() {
    for text in [
        "total 1 234 567 890, 987 654 321 and 111 222 333",
        "id 123456782, 021000021 and 9434765919",
        "at 1731846400000 ms, 1731846400 s",
        "ISBN 978-3-16-148410-0, EAN 4006381333931",
        "commit 1a2b3c4d, build 20240115.1, part AB-1234567-C",
        "tracking 1Z999AA10123456784",
        "0x12345678Z, v12345678",
        "abc12345678z",
        "price 12.345.678,00",
        "2024-01-15T10:30:00Z and 2024/01/15",
    ] {
        assert_eq!(DETECTOR.text(text), [], "{text}");
    }
}

#[test]
fn letters_in_front_belong_to_the_number() {
    for (text, entity, number) in [
        ("my NI is AB 12 34 56 C.", "UK_NINO", "AB 12 34 56 C"),
        ("RSS MRA 85T10 A562S", "IT_FISCAL_CODE", "RSS MRA 85T10 A562S"),
        ("NIE X-1234567-L", "ES_NIE", "X-1234567-L"),
        ("AB123456C", "UK_NINO", "AB123456C"),
    ] {
        assert_eq!(found(text, entity), [number], "{text}");
    }
}

#[test]
fn a_text_that_is_nothing_but_a_number_answers_a_question() {
    for (number, entity) in [
        ("9434765919", "UK_NHS"),
        (" \"1234567893\"\n", "US_NPI"),
        ("021000021", "US_ABA_ROUTING"),
        ("11222333000181", "BR_CNPJ"),
        ("1-1017-00230-70-8", "TH_TNIN"),
        ("x1234567l", "ES_NIE"),
        ("1234567L", "ES_NIF"),
        ("ab123456c", "UK_NINO"),
    ] {
        let spans = DETECTOR.text(number);
        assert!(spans.len() == 1 && spans[0].entity == entity, "{number} {spans:?}");
        assert!(spans[0].score >= 0.5, "{number}");
    }
    // One digit more, a word or another number, and it may be anything.
    for text in ["94347659190", "9434765918", "9434765919, 1", "is 9434765919", "v 021000021"] {
        assert_eq!(DETECTOR.text(text), [], "{text}");
    }
}

#[test]
fn a_number_with_a_check_may_be_glued_to_a_word() {
    assert_eq!(found("my id is131052-308T.", "FI_PERSONAL_IDENTITY_CODE"), ["131052-308T"]);
    assert_eq!(found("the NHS number is9434765919", "UK_NHS"), ["9434765919"]);
    for text in ["md5 of9434765919", "ab131052-308S", "x131052-308T"] {
        assert_eq!(DETECTOR.text(text), [], "{text}");
    }
}

#[test]
fn licences_with_a_shape_of_their_own() {
    for (text, number) in [
        ("MORGA657054SM9IJ", "MORGA657054SM9IJ"),
        ("licence: WU999512018BC9KL ok", "WU999512018BC9KL"),
        ("13-09-204518-73", "13-09-204518-73"),
        ("my driving licence U1X2B3C4DE", "U1X2B3C4DE"),
    ] {
        assert_eq!(found(text, "DRIVER_LICENSE"), [number], "{text}");
    }
    for text in ["MORGA673054SM9IJ", "M9RGA657054SM9IJ", "29-09-204518-73", "see U1X2B3C4DE"] {
        assert_eq!(found(text, "DRIVER_LICENSE"), [""; 0], "{text}");
    }
}
