//! Codes that an app shows for 30 seconds: TOTP (RFC 6238) over HOTP (RFC 4226), SHA-1 and six digits, which every app speaks.
use ring::hmac;

/// Seconds of one code.
pub const STEP_S: i64 = 30;
/// Steps before and after the present one in which a code is taken: clocks differ.
const DRIFT: i64 = 1;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The code of a step (RFC 4226, section 5.3): `digits` decimal digits.
pub fn code(secret: &[u8], step: u64, digits: u32) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes[19] & 15);
    let number = u32::from_be_bytes([bytes[at] & 0x7f, bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    format!("{:0width$}", number % 10u32.pow(digits), width = digits as usize)
}

/// The step at which a code is good, if it is one now and later than the last one that was used.
pub fn accepted(secret: &[u8], given: &str, now_s: i64, last_step: i64) -> Option<i64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    let present = now_s.div_euclid(STEP_S);
    (present - DRIFT..=present + DRIFT)
        .filter(|step| *step > last_step && *step >= 0)
        .find(|step| crate::secrets::same(&code(secret, *step as u64, 6), &given))
}

/// Bytes in base 32 (RFC 4648, section 6), without padding, as apps take them.
pub fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(5) {
        let mut block = [0u8; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        for n in 0..(chunk.len() * 8).div_ceil(5) {
            out.push(ALPHABET[(bits >> (35 - 5 * n) & 31) as usize] as char);
        }
    }
    out
}

/// The inverse of [`base32`].
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|a| *a == letter)? as u32;
        bits = (bits << 5 | value) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    Some(out)
}

/// The address that an app reads from a picture (Key URI Format of Google Authenticator).
pub fn uri(secret: &str, account: &str, issuer: &str) -> String {
    let quote = |text: &str| -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        text.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
    };
    let (account, issuer) = (quote(account), quote(issuer));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

/// A code that stands in for a lost app: 50 random bits, in two groups that people can read.
pub fn recovery_code() -> String {
    let text = base32(&base::random_bytes::<7>()).to_lowercase();
    format!("{}-{}", &text[..5], &text[5..10])
}

/// The hash by which a recovery code is stored, whatever its letters' case and blanks.
pub fn recovery_hash(user: i64, code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    crate::secrets::hex(&crate::secrets::hash_key(&format!("recovery/{user}/{plain}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 4226, appendix D.
    #[test]
    fn the_codes_of_rfc_4226() {
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (step, expected) in expected.iter().enumerate() {
            assert_eq!(&code(SECRET, step as u64, 6), expected);
        }
    }

    /// RFC 6238, appendix B, the rows for SHA-1.
    #[test]
    fn the_codes_of_rfc_6238() {
        for (seconds, expected) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code(SECRET, seconds / STEP_S as u64, 8), expected);
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base_32_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
            assert_eq!(from_base32(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(from_base32("0"), None);
    }

    #[test]
    fn a_code_works_once_and_only_around_its_time() {
        let now = 1_111_111_111;
        let step = now / STEP_S;
        let present = code(SECRET, step as u64, 6);
        assert_eq!(accepted(SECRET, &present, now, 0), Some(step));
        assert_eq!(accepted(SECRET, &format!(" {} {}", &present[..3], &present[3..]), now, 0), Some(step));
        assert_eq!(accepted(SECRET, &present, now, step), None, "used already");
        assert_eq!(accepted(SECRET, &present, now + STEP_S, 0), Some(step));
        assert_eq!(accepted(SECRET, &present, now + 2 * STEP_S, 0), None);
        assert_eq!(accepted(SECRET, &present, now - 2 * STEP_S, 0), None);
        assert_eq!(accepted(SECRET, "", now, 0), None);
    }

    #[test]
    fn recovery_codes_are_found_as_people_type_them() {
        let code = recovery_code();
        assert_eq!(code.len(), 11);
        assert_eq!(recovery_hash(1, &code), recovery_hash(1, &code.to_uppercase().replace('-', " ")));
        assert_ne!(recovery_hash(1, &code), recovery_hash(2, &code));
        assert!(uri("ABC", "a b@example.com", "Мій").contains("a%20b%40example.com"));
    }
}
