use crate::detector::tests::{DETECTOR, found};

#[test]
fn dates_of_birth() {
    for (text, date) in [
        ("DOB: 03/12/1980", "03/12/1980"),
        ("dob 3/12/80", "3/12/80"),
        ("date of birth: 1980-03-12", "1980-03-12"),
        ("dateOfBirth=\"1980-03-12\"", "1980-03-12"),
        ("date_of_birth: 12.03.1980,", "12.03.1980"),
        ("She was born on March 12th, 1980 in Bonn", "March 12th, 1980"),
        ("born on the 12th of March 1980.", "12th of March 1980"),
        ("Geburtsdatum: 12. März 1980", "12. März 1980"),
        ("née le 12 mars 1980", "12 mars 1980"),
        ("1980-03-12 (DOB)", "1980-03-12"),
        ("出生日期：1980年3月12日", "1980年3月12日"),
        ("дата рождения 12.03.1980", "12.03.1980"),
        ("DOB 19800312", "19800312"),
        ("birth dateはJanuary 23, 1955です", "January 23, 1955"),
        ("born 12-Mar-1980", "12-Mar-1980"),
    ] {
        assert_eq!(found(text, "DATE_OF_BIRTH"), [date], "{text}");
    }
}

#[test]
fn numbers_behind_their_words() {
    for (text, entity, value) in [
        ("MRN: 4481-22907", "MEDICAL_RECORD_NUMBER", "4481-22907"),
        ("mrn=00123456", "MEDICAL_RECORD_NUMBER", "00123456"),
        ("Medical Record Number is AB-123456.", "MEDICAL_RECORD_NUMBER", "AB-123456"),
        ("patientId: \"P1234567\"", "MEDICAL_RECORD_NUMBER", "P1234567"),
        ("Medical record no. 123 456 789", "MEDICAL_RECORD_NUMBER", "123 456 789"),
        ("member ID XQW884213907", "HEALTH_PLAN_NUMBER", "XQW884213907"),
        ("policy number: 55-123456-01", "HEALTH_PLAN_NUMBER", "55-123456-01"),
        ("my passport number is C01X00T47", "PASSPORT", "C01X00T47"),
        ("护照号码：E12345678", "PASSPORT", "E12345678"),
        ("Driver's License #: D1234567", "DRIVER_LICENSE", "D1234567"),
        ("account number 000123456789", "BANK_ACCOUNT", "000123456789"),
        ("acct no. 12345678", "BANK_ACCOUNT", "12345678"),
        ("license plate 7ABC123", "LICENSE_PLATE", "7ABC123"),
        ("license plate 1ZRR111", "LICENSE_PLATE", "1ZRR111"),
        ("the number plate is 4IPO586 . Please keep it", "LICENSE_PLATE", "4IPO586"),
        ("Kennzeichen B AB 1234", "LICENSE_PLATE", "B AB 1234"),
        ("account number: 9025 - 1187 - 7260", "BANK_ACCOUNT", "9025 - 1187 - 7260"),
        ("account number: 3276.1802.40.", "BANK_ACCOUNT", "3276.1802.40"),
        ("MRN: 6068_56275. 12 visits", "MEDICAL_RECORD_NUMBER", "6068_56275"),
        ("mrn = \"0581   60706\"", "MEDICAL_RECORD_NUMBER", "0581   60706"),
        ("account numberはthe value is 105583640585です", "BANK_ACCOUNT", "105583640585"),
    ] {
        assert_eq!(found(text, entity), [value], "{text}");
    }
}

#[test]
fn values_in_front_of_their_words_and_in_lists() {
    for (text, entity, values) in [
        ("512489731 is my passport number", "PASSPORT", &["512489731"][..]),
        ("AB1239874 es mi número de pasaporte", "PASSPORT", &["AB1239874"]),
        ("mi pasaporte es AB1239874", "PASSPORT", &["AB1239874"]),
        ("여권번호는 M321B7654입니다", "PASSPORT", &["M321B7654"]),
        ("Passports: AB1239874 and XY7654321.", "PASSPORT", &["AB1239874", "XY7654321"]),
        ("MRNs: 4481-229, 4481-230; 4481-2", "MEDICAL_RECORD_NUMBER", &["4481-229", "4481-230"]),
    ] {
        assert_eq!(found(text, entity), values, "{text}");
    }
    for text in ["512489731, my passport number", "12 is my passport number", "is my passport"] {
        assert_eq!(found(text, "PASSPORT"), [""; 0], "{text}");
    }
}

#[test]
fn leaves() {
    for text in [
        "the meeting is on 2024-01-15",
        "born to run in 1984",
        "a newborn 3/12/80",
        "rebirth 1980-03-12",
        "passport control is closed",
        "the passport 2024",
        "driver license expired in 2024",
        "account number: unknown",
        "targamite 7ABC123",
        "member id: none",
        "dln so 4012 8888",
        "birth rates fell by 10.5 percent, 1.2.3 is a version",
        "born in Paris; 12/13/14 is no day",
    ] {
        assert_eq!(DETECTOR.text(text), [], "{text}");
    }
}
