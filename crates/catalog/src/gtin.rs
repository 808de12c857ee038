//! GTIN: numbers that trade items have, with their check digit (GS1 General Specifications; DOMAIN 4.11).

/// A number with its check digit right, padded to 14 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtin([u8; 14]);

/// Why a text is no GTIN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GtinError {
    #[error("a GTIN has 8, 12, 13 or 14 digits, this has {0}")]
    Length(usize),
    #[error("a GTIN consists of digits, {0:?} is none")]
    NotADigit(char),
    #[error("the check digit of this GTIN would be {wanted}, it is {found}: a digit is wrong")]
    CheckDigit { wanted: u8, found: u8 },
}

/// The check digit of a number without it: weights 3, 1, 3, … from the right, beginning with 3 at its neighbour. `None` where
/// something else than a digit stands. GTINs and SSCCs share it.
pub fn check_digit(digits: &str) -> Option<u8> {
    let mut sum = 0u32;
    for (at, byte) in digits.bytes().rev().enumerate() {
        let digit = u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        sum += if at % 2 == 0 { 3 * digit } else { digit };
    }
    Some(((10 - sum % 10) % 10) as u8)
}

impl Gtin {
    /// Reads a number as scanners and files give it: blanks and hyphens within are left out.
    pub fn parse(text: &str) -> Result<Self, GtinError> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if let Some(other) = digits.chars().find(|c| !c.is_ascii_digit()) {
            return Err(GtinError::NotADigit(other));
        }
        if ![8, 12, 13, 14].contains(&digits.len()) {
            return Err(GtinError::Length(digits.len()));
        }
        let (body, last) = digits.split_at(digits.len() - 1);
        let found = last.bytes().next().map_or(0, |b| b - b'0');
        match check_digit(body) {
            Some(wanted) if wanted != found => Err(GtinError::CheckDigit { wanted, found }),
            _ => {
                let mut padded = [b'0'; 14];
                padded[14 - digits.len()..].copy_from_slice(digits.as_bytes());
                Ok(Self(padded))
            }
        }
    }
    /// Its 14 digits, as it is stored.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
    /// Its digits as they are printed: 8, 12, 13 or 14.
    pub fn printed(&self) -> &str {
        let all = self.as_str();
        let zeros = all.bytes().take_while(|b| *b == b'0').count();
        match zeros {
            6.. => &all[6..],
            2.. => &all[2..],
            1 => &all[1..],
            _ => all,
        }
    }
    /// Whether the number means something in one shop only: prefix 20 to 29 of 13 digits (weight or price within), 02 and 04,
    /// or 2 of eight. Such a number is nobody's globally, so no feed names it.
    pub fn in_store(&self) -> bool {
        let d = &self.0;
        if d[..6].iter().all(|b| *b == b'0') {
            return d[6] == b'2';
        }
        // A case of 14 digits (indicator 1 to 9) has the prefix of its piece.
        d[1] == b'2' || (d[1] == b'0' && matches!(d[2], b'2' | b'4'))
    }
}

/// What a scale's label means, by a mask such as `2xPPPPPWWWWWC`: digits stand for themselves, `x` for any, `P` for the item,
/// `W` for grams, `M` for a price in minor units, `C` for the check digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleLabel {
    /// The item's number on the scale.
    pub item: String,
    /// Grams, where the mask has `W`.
    pub weight_g: Option<i64>,
    /// Price in minor units, where the mask has `M`.
    pub price_minor: Option<i64>,
}

/// Reads a scale's label; `None` where it does not fit the mask or its check digit is wrong.
pub fn read_scale_label(mask: &str, code: &str) -> Option<ScaleLabel> {
    if mask.len() != code.len() || check_digit(code.get(..code.len().checked_sub(1)?)?)? != code.bytes().last()? - b'0'
    {
        return None;
    }
    let fits = |m: char, c: char| if m.is_ascii_digit() { m == c } else { c.is_ascii_digit() };
    if !mask.chars().zip(code.chars()).all(|(m, c)| fits(m, c)) {
        return None;
    }
    let part =
        |letter: char| mask.chars().zip(code.chars()).filter(|(m, _)| *m == letter).map(|(_, c)| c).collect::<String>();
    let item = part('P');
    (!item.is_empty()).then(|| ScaleLabel {
        item,
        weight_g: part('W').parse().ok(),
        price_minor: part('M').parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_check_digits_of_domain_4_11() {
        for (body, digit) in [
            ("400638133393", 1),
            ("482000000000", 0),
            ("9638507", 4),
            ("10614141192837465", 7),
            ("00614141123456789", 0),
        ] {
            assert_eq!(check_digit(body), Some(digit), "{body}");
        }
        assert_eq!(check_digit("12a"), None);
    }

    #[test]
    fn numbers_are_stored_with_fourteen_digits_and_printed_as_they_were() {
        for (text, stored, printed) in [
            ("96385074", "00000096385074", "96385074"),
            (" 4006381 333931 ", "04006381333931", "4006381333931"),
            ("4820-0000-0000-0", "04820000000000", "4820000000000"),
            ("614141123452", "00614141123452", "614141123452"),
            ("10614141123459", "10614141123459", "10614141123459"),
        ] {
            let gtin = Gtin::parse(text).expect(text);
            assert_eq!((gtin.as_str(), gtin.printed()), (stored, printed));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(Gtin::parse("4006381333932"), Err(GtinError::CheckDigit { wanted: 1, found: 2 }));
        assert_eq!(Gtin::parse("123"), Err(GtinError::Length(3)));
        assert_eq!(Gtin::parse("40063813339З1"), Err(GtinError::NotADigit('З')));
        assert_eq!(Gtin::parse(""), Err(GtinError::Length(0)));
    }

    #[test]
    fn in_store_numbers_are_known() {
        let of = |body: &str| Gtin::parse(&format!("{body}{}", check_digit(body).expect("digits"))).expect("a GTIN");
        for body in ["200000000001", "291234501234", "2000001", "041234567890", "021234567890", "12000000000100"] {
            let body = if body.len() == 14 { &body[..13] } else { body };
            assert!(of(body).in_store(), "{body}");
        }
        for body in ["482000000000", "400638133393", "9638507", "301234567890", "061414112345"] {
            assert!(!of(body).in_store(), "{body}");
        }
    }

    #[test]
    fn labels_of_scales_are_read_by_their_mask() {
        let body = "211234500750";
        let code = format!("{body}{}", check_digit(body).expect("digits"));
        let read = read_scale_label("2xPPPPPWWWWWC", &code).expect("fits");
        assert_eq!((read.item.as_str(), read.weight_g, read.price_minor), ("12345", Some(750), None));
        assert_eq!(read_scale_label("22PPPPPWWWWWC", &code), None, "another prefix");
        assert_eq!(read_scale_label("2xPPPPPWWWWWC", "2112345007500"), None, "a wrong check digit");
        assert_eq!(read_scale_label("2xPPPPPWWWWWC", "21"), None);
    }
}
