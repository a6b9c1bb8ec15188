//! Numbering plans: country codes with the lengths of their national numbers, and how
//! numbers are grouped at home.

/// Country code, fewest and most digits of a national number, as the ITU lists them,
/// with a digit to spare where plans change.
const COUNTRIES: &[(u16, u8, u8)] = &[
    (1, 10, 10),
    (7, 10, 10),
    (20, 8, 10),
    (27, 9, 9),
    (30, 10, 10),
    (31, 9, 9),
    (32, 8, 9),
    (33, 9, 9),
    (34, 9, 9),
    (36, 8, 9),
    (39, 6, 11),
    (40, 9, 9),
    (41, 9, 9),
    (43, 4, 13),
    (44, 9, 10),
    (45, 8, 8),
    (46, 7, 10),
    (47, 8, 8),
    (48, 9, 9),
    (49, 6, 12),
    (51, 8, 9),
    (52, 10, 11),
    (53, 6, 8),
    (54, 10, 11),
    (55, 10, 11),
    (56, 9, 9),
    (57, 8, 10),
    (58, 10, 10),
    (60, 8, 10),
    (61, 9, 9),
    (62, 8, 12),
    (63, 8, 10),
    (64, 8, 10),
    (65, 8, 8),
    (66, 8, 9),
    (81, 9, 10),
    (82, 8, 10),
    (84, 9, 10),
    (86, 10, 11),
    (90, 10, 10),
    (91, 10, 10),
    (92, 9, 10),
    (93, 9, 9),
    (94, 9, 9),
    (95, 7, 10),
    (98, 10, 10),
    (211, 9, 9),
    (212, 9, 9),
    (213, 8, 9),
    (216, 8, 8),
    (218, 9, 9),
    (220, 7, 7),
    (221, 9, 9),
    (222, 8, 8),
    (223, 8, 8),
    (224, 8, 9),
    (225, 8, 10),
    (226, 8, 8),
    (227, 8, 8),
    (228, 8, 8),
    (229, 8, 10),
    (230, 7, 8),
    (231, 7, 9),
    (232, 8, 8),
    (233, 9, 9),
    (234, 8, 10),
    (235, 8, 8),
    (236, 8, 8),
    (237, 8, 9),
    (238, 7, 7),
    (239, 7, 7),
    (240, 9, 9),
    (241, 7, 8),
    (242, 9, 9),
    (243, 9, 9),
    (244, 9, 9),
    (245, 7, 9),
    (246, 7, 7),
    (247, 4, 5),
    (248, 7, 7),
    (249, 9, 9),
    (250, 9, 9),
    (251, 9, 9),
    (252, 7, 9),
    (253, 8, 8),
    (254, 9, 10),
    (255, 9, 9),
    (256, 9, 9),
    (257, 8, 8),
    (258, 8, 9),
    (260, 9, 9),
    (261, 9, 9),
    (262, 9, 9),
    (263, 8, 10),
    (264, 8, 9),
    (265, 7, 9),
    (266, 8, 8),
    (267, 7, 8),
    (268, 8, 8),
    (269, 7, 7),
    (290, 4, 5),
    (291, 7, 7),
    (297, 7, 7),
    (298, 6, 6),
    (299, 6, 6),
    (350, 8, 8),
    (351, 9, 9),
    (352, 6, 11),
    (353, 7, 9),
    (354, 7, 9),
    (355, 8, 9),
    (356, 8, 8),
    (357, 8, 8),
    (358, 6, 12),
    (359, 7, 9),
    (370, 8, 8),
    (371, 8, 8),
    (372, 7, 8),
    (373, 8, 8),
    (374, 8, 8),
    (375, 9, 10),
    (376, 6, 9),
    (377, 8, 9),
    (378, 8, 10),
    (379, 6, 11),
    (380, 9, 9),
    (381, 8, 10),
    (382, 8, 9),
    (383, 8, 9),
    (385, 8, 9),
    (386, 8, 8),
    (387, 8, 9),
    (389, 8, 8),
    (420, 9, 9),
    (421, 9, 9),
    (423, 7, 9),
    (500, 5, 5),
    (501, 7, 7),
    (502, 8, 8),
    (503, 8, 8),
    (504, 8, 8),
    (505, 8, 8),
    (506, 8, 8),
    (507, 7, 8),
    (508, 6, 9),
    (509, 8, 8),
    (590, 9, 9),
    (591, 8, 8),
    (592, 7, 7),
    (593, 8, 9),
    (594, 9, 9),
    (595, 9, 9),
    (596, 9, 9),
    (597, 6, 7),
    (598, 8, 8),
    (599, 7, 8),
    (670, 7, 8),
    (672, 6, 6),
    (673, 7, 7),
    (674, 7, 7),
    (675, 7, 8),
    (676, 5, 7),
    (677, 5, 7),
    (678, 5, 7),
    (679, 7, 7),
    (680, 7, 7),
    (681, 6, 6),
    (682, 5, 5),
    (683, 4, 7),
    (685, 5, 7),
    (686, 5, 8),
    (687, 6, 6),
    (688, 5, 7),
    (689, 6, 8),
    (690, 4, 7),
    (691, 7, 7),
    (692, 7, 7),
    (800, 8, 8),
    (808, 8, 8),
    (850, 8, 10),
    (852, 8, 8),
    (853, 8, 8),
    (855, 8, 9),
    (856, 8, 10),
    (870, 9, 9),
    (878, 12, 12),
    (880, 8, 10),
    (881, 8, 9),
    (882, 7, 12),
    (883, 7, 12),
    (886, 8, 9),
    (888, 8, 11),
    (960, 7, 7),
    (961, 7, 8),
    (962, 8, 9),
    (963, 8, 9),
    (964, 8, 10),
    (965, 8, 8),
    (966, 9, 9),
    (967, 7, 9),
    (968, 8, 8),
    (970, 8, 9),
    (971, 8, 9),
    (972, 8, 9),
    (973, 8, 8),
    (974, 8, 8),
    (975, 7, 8),
    (976, 8, 8),
    (977, 8, 10),
    (979, 9, 9),
    (992, 9, 9),
    (993, 8, 8),
    (994, 9, 9),
    (995, 9, 9),
    (996, 9, 9),
    (998, 9, 9),
];

/// Whether these digits are a country code and a national number of its length.
pub(super) fn is_international(digits: &[u8]) -> bool {
    (1..=3.min(digits.len())).any(|length| {
        let (code, national) = digits.split_at(length);
        let code = code.iter().fold(0, |value, &digit| value * 10 + u16::from(digit));
        let Ok(index) = COUNTRIES.binary_search_by_key(&code, |&(code, ..)| code) else {
            return false;
        };
        let (_, fewest, most) = COUNTRIES[index];
        // Some write the trunk zero after the country code; Italy dials it.
        let zero = usize::from(national.first() == Some(&0));
        let lengths = usize::from(fewest)..=usize::from(most) + zero;
        let same = national.windows(2).all(|pair| pair[0] == pair[1]);
        lengths.contains(&national.len())
            && !same
            && (code != 1 || is_north_american(national))
            && (code != 7 || national[0] >= 3)
    })
}

/// How many digits the country code has.
fn code_length(digits: &[u8]) -> Option<usize> {
    (1..=3.min(digits.len())).find(|&length| {
        let code = digits[..length].iter().fold(0, |value, &digit| value * 10 + u16::from(digit));
        COUNTRIES.binary_search_by_key(&code, |&(code, ..)| code).is_ok()
    })
}

/// Area code, exchange and number of North America.
fn is_north_american(national: &[u8]) -> bool {
    let code = |code: &[u8]| code[0] >= 2 && !(code[1] == 1 && code[2] == 1);
    national.len() == 10
        && code(&national[..3])
        && national[1] != 9
        && code(&national[3..6])
        && national.windows(2).any(|pair| pair[0] != pair[1])
}

/// How sure the grouping makes that a number without a country code is a telephone
/// number; nothing when it says nothing.
pub(super) fn shape(digits: &[u8], groups: &[usize], gaps: &[u8], area: bool) -> Option<f32> {
    let signs = gaps.iter().all(|&gap| gap != b' ');
    let sure = |yes: bool, score: f32| yes.then_some(score);
    match groups {
        // North America.
        [3, 3, 4] if is_north_american(digits) => Some(if area || signs { 0.8 } else { 0.7 }),
        [1, 3, 3, 4] if digits[0] == 1 && is_north_american(&digits[1..]) => Some(0.85),
        [3, 7] if area && is_north_american(digits) => Some(0.7),
        [10] if area => None,
        // A mobile of China, or any number with its trunk zero, in one piece.
        [11] if digits[0] == 1 && digits[1] >= 3 => Some(0.5),
        [10 | 11] if digits[0] == 0 && digits[1] != 0 => Some(0.5),
        // Turkey, and others with a trunk zero of its own.
        [3, 3, 2, 2] if digits[0] >= 2 => sure(even(gaps), 0.6),
        [1, 3, 3, 2, 2] | [1, 3, 3, 4] | [1, 3, 7] if digits[0] == 0 && digits[1] >= 2 => {
            Some(0.65)
        }
        // A country code that nobody put a plus before.
        [1..=3, _, _, ..]
            if digits[0] != 0 && signs && groups.len() <= 5 && gaps.first() == Some(&b'-') =>
        {
            let country = is_international(digits) && code_length(digits) == Some(groups[0]);
            sure(country && digits.len() >= 11, 0.55)
        }
        // France and its neighbours: five pairs.
        [2, 2, 2, 2, 2] if digits[0] == 0 && digits[1] != 0 => sure(even(gaps), 0.75),
        // China's mobiles.
        [3, 4, 4] if digits[0] == 1 && digits[1] >= 3 => sure(even(gaps), 0.75),
        // Brazil.
        [2, 4 | 5, 4] if area && digits[0] != 0 && digits[1] != 0 => Some(0.75),
        // Russia.
        [1, 3, 3, 2, 2] if digits[0] == 8 && digits[1] >= 3 => Some(0.8),
        // A trunk zero and an area code: Europe, Asia, Australia.
        [first, rest @ ..] if digits[0] == 0 && digits[1..].first().is_some_and(|&d| d != 0) => {
            let total = digits.len();
            let shaped = (2..=6).contains(first)
                && !rest.is_empty()
                && rest.len() <= 4
                && rest.iter().all(|group| (2..=8).contains(group))
                && rest.iter().sum::<usize>() >= 5;
            let even = gaps.len() < 2 || even(&gaps[1..]);
            sure(shaped && even && (9..=12).contains(&total), if area { 0.75 } else { 0.6 })
        }
        _ => None,
    }
}

fn even(gaps: &[u8]) -> bool {
    gaps.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_free_of_prefixes() {
        let codes: Vec<u16> = COUNTRIES.iter().map(|&(code, ..)| code).collect();
        assert!(codes.is_sorted());
        for code in &codes {
            let text = code.to_string();
            let others = codes.iter().filter(|other| *other != code);
            assert_eq!(others.filter(|other| other.to_string().starts_with(&text)).count(), 0);
        }
    }
}
