//! Which bytes are which letters: UTF-8 with or without a mark, or Windows-1251.
use serde::{Deserialize, Serialize};

/// How a file writes letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    #[default]
    Utf8,
    #[serde(rename = "windows-1251")]
    Windows1251,
}

/// The mark that some programs put before UTF-8.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// Letters of Windows-1251 from 0x80 to 0xBF; from 0xC0 on they lie as in Unicode from А on. 0x98 is no letter.
const UPPER: [char; 64] = [
    'Ђ', 'Ѓ', '‚', 'ѓ', '„', '…', '†', '‡', '€', '‰', 'Љ', '‹', 'Њ', 'Ќ', 'Ћ', 'Џ', 'ђ', '‘', '’', '“', '”', '•', '–',
    '—', '\u{fffd}', '™', 'љ', '›', 'њ', 'ќ', 'ћ', 'џ', '\u{a0}', 'Ў', 'ў', 'Ј', '¤', 'Ґ', '¦', '§', 'Ё', '©', 'Є',
    '«', '¬', '\u{ad}', '®', 'Ї', '°', '±', 'І', 'і', 'ґ', 'µ', '¶', '·', 'ё', '№', 'є', '»', 'ј', 'Ѕ', 'ѕ', 'ї',
];

/// A byte of Windows-1251 as a letter.
pub fn windows_1251(byte: u8) -> char {
    match byte {
        0..=0x7f => byte as char,
        0x80..=0xbf => UPPER[usize::from(byte - 0x80)],
        0xc0..=0xff => char::from_u32(0x410 + u32::from(byte - 0xc0)).unwrap_or('\u{fffd}'),
    }
}

/// A letter as a byte of Windows-1251; `?` where it has none.
pub fn to_windows_1251(letter: char) -> u8 {
    (0..=255).find(|b| windows_1251(*b) == letter && letter != '\u{fffd}').unwrap_or(b'?')
}

/// Guesses from the beginning of a file. Text that is UTF-8, but for a letter cut at the end, is taken for it. Otherwise most
/// bytes above ASCII decide: among Cyrillic letters of Windows-1251 it is that, else broken UTF-8 is reported row by row.
pub fn detect(sample: &[u8]) -> Encoding {
    match std::str::from_utf8(sample) {
        Ok(_) => return Encoding::Utf8,
        Err(error) if error.error_len().is_none() => return Encoding::Utf8,
        Err(_) => {}
    }
    // Valid sequences of UTF-8 among the broken ones: a file of Windows-1251 has next to none.
    let (mut sequences, mut letters, mut others, mut rest) = (0usize, 0usize, 0usize, sample);
    while let Err(error) = std::str::from_utf8(rest) {
        let valid = &rest[..error.valid_up_to()];
        sequences += valid.iter().filter(|b| **b >= 0xc0).count();
        let bad = &rest[error.valid_up_to()..][..error.error_len().unwrap_or(1)];
        for byte in bad {
            let letter = windows_1251(*byte);
            if letter.is_alphabetic() { letters += 1 } else { others += 1 }
        }
        rest = &rest[error.valid_up_to() + bad.len()..];
    }
    if letters > 4 * sequences && letters > others { Encoding::Windows1251 } else { Encoding::Utf8 }
}

/// Decodes a line; for UTF-8 that is none, the byte at which it breaks. U+0000 becomes U+FFFD.
pub fn decode(line: &[u8], encoding: Encoding, out: &mut String) -> Result<(), usize> {
    match encoding {
        Encoding::Windows1251 => out.extend(line.iter().map(|b| if *b == 0 { '\u{fffd}' } else { windows_1251(*b) })),
        Encoding::Utf8 => {
            let text = std::str::from_utf8(line).map_err(|e| e.valid_up_to())?;
            if text.contains('\0') { out.push_str(&text.replace('\0', "\u{fffd}")) } else { out.push_str(text) }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_ukrainian_and_russian_goes_there_and_back() {
        let letters = "АБВГҐДЕЄЖЗИІЇЙКЛМНОПРСТУФХЦЧШЩЬЮЯабвгґдеєжзиіїйклмнопрстуфхцчшщьюяЁЪЫЭёъыэ№«»€";
        for letter in letters.chars() {
            let byte = to_windows_1251(letter);
            assert_eq!(windows_1251(byte), letter);
        }
        assert_eq!(to_windows_1251('語'), b'?');
    }

    #[test]
    fn a_file_is_known_by_its_bytes() {
        let text = "Прізвище;Місто;Телефон\nШевченко;Їжакове;0671234567\n";
        let old: Vec<u8> = text.chars().map(to_windows_1251).collect();
        assert_eq!(detect(&old), Encoding::Windows1251);
        assert_eq!(detect(text.as_bytes()), Encoding::Utf8);
        assert_eq!(detect(&text.as_bytes()[..1]), Encoding::Utf8, "a letter cut in two");
        let mut broken = text.repeat(20).into_bytes();
        broken[60] = 0xff;
        assert_eq!(detect(&broken), Encoding::Utf8, "one broken letter makes no other encoding");
        let mut out = String::new();
        decode(&old, Encoding::Windows1251, &mut out).expect("every byte is a letter");
        assert_eq!(out, text);
        assert_eq!(decode(b"ab\xff", Encoding::Utf8, &mut out), Err(2));
        out.clear();
        decode(b"a\0b", Encoding::Utf8, &mut out).expect("decodes");
        assert_eq!(out, "a\u{fffd}b");
    }
}
