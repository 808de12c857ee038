//! E-mail addresses and telephone numbers as people write them, brought to the one form that is stored and compared.

/// What is needed to read a national telephone number: ISO code, country code and trunk prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// E.164 country code.
    pub dial: &'static str,
    /// What is dialled before a national number inside the country; empty where nothing is.
    pub trunk: &'static str,
    /// Digits of a national number without trunk prefix: least and most.
    pub digits: (usize, usize),
}

/// Numbering plans by ITU-T national numbering documents; others take international numbers only.
const COUNTRIES: &[Country] = &[
    Country { code: "UA", dial: "380", trunk: "0", digits: (9, 9) },
    Country { code: "GB", dial: "44", trunk: "0", digits: (9, 10) },
    Country { code: "PL", dial: "48", trunk: "", digits: (9, 9) },
    Country { code: "DE", dial: "49", trunk: "0", digits: (6, 12) },
    Country { code: "FR", dial: "33", trunk: "0", digits: (9, 9) },
    Country { code: "ES", dial: "34", trunk: "", digits: (9, 9) },
    Country { code: "IT", dial: "39", trunk: "", digits: (6, 11) },
    Country { code: "RO", dial: "40", trunk: "0", digits: (9, 9) },
    Country { code: "MD", dial: "373", trunk: "0", digits: (8, 8) },
    Country { code: "CZ", dial: "420", trunk: "", digits: (9, 9) },
    Country { code: "SK", dial: "421", trunk: "0", digits: (9, 9) },
    Country { code: "LT", dial: "370", trunk: "0", digits: (8, 8) },
    Country { code: "LV", dial: "371", trunk: "", digits: (8, 8) },
    Country { code: "EE", dial: "372", trunk: "", digits: (7, 8) },
    Country { code: "NL", dial: "31", trunk: "0", digits: (9, 9) },
    Country { code: "US", dial: "1", trunk: "1", digits: (10, 10) },
    Country { code: "CA", dial: "1", trunk: "1", digits: (10, 10) },
    Country { code: "TR", dial: "90", trunk: "0", digits: (10, 10) },
    Country { code: "KZ", dial: "7", trunk: "8", digits: (10, 10) },
];

impl Country {
    /// The numbering plan of an ISO code; one that we do not know reads international numbers only.
    pub fn find(code: &str) -> Country {
        let known = COUNTRIES.iter().find(|c| c.code.eq_ignore_ascii_case(code));
        known.copied().unwrap_or(Country { code: "ZZ", dial: "", trunk: "", digits: (0, 0) })
    }
}

/// Trims and lower-cases an address; `None` when it cannot be one (no `@`, blanks, over 254 bytes, empty part).
pub fn normalise_email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')');
    let fits = text.len() <= 254 && !local.is_empty() && local.len() <= 64 && !domain.is_empty();
    if !fits || text.contains(odd) || local.contains('@') || domain.starts_with('.') || domain.ends_with('.') {
        return None;
    }
    Some(text.to_lowercase())
}

/// Words that stand before a number and say nothing.
const LABELS: [&str; 9] = ["tel", "phone", "mobile", "mob", "телефон", "тел", "мобільний", "моб", "т"];

/// What begins an extension.
const EXTENSIONS: [&str; 6] = ["дод", "доб", "вн", "ext", "x", "#"];

/// Digits of a written number in order, and whether a `+` stands before them; `None` for text that is no number.
///
/// A letter O of either alphabet counts as a zero and a Cyrillic З as a three, as people type them into forms; such a text
/// must hold at least seven real digits, so that a word is no number; more than two are a word too.
fn digits_of(text: &str) -> Option<(bool, String)> {
    let mut text = text.trim();
    let lower = text.to_lowercase();
    // Lower case may have another length in bytes; labels are of letters whose forms have the same.
    if let Some(label) = LABELS.iter().find(|l| lower.starts_with(**l) && text.is_char_boundary(l.len())) {
        let rest = text[label.len()..].trim_start_matches(['.', ':']).trim_start();
        if rest.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '(') {
            text = rest;
        }
    }
    let (mut digits, mut plus, mut real) = (String::with_capacity(16), false, 0);
    for (at, c) in text.char_indices() {
        match c {
            '0'..='9' => {
                digits.push(c);
                real += 1;
            }
            '\u{ff10}'..='\u{ff19}' => {
                digits.push(char::from(b'0' + (u32::from(c) - 0xff10) as u8));
                real += 1;
            }
            'O' | 'o' | 'О' | 'о' => digits.push('0'),
            'З' | 'з' => digits.push('3'),
            '+' if digits.is_empty() && !plus => plus = true,
            // A second number after a stroke; a stroke within one stands earlier.
            '/' | '\\' if digits.len() >= 10 => break,
            ' '
            | '-'
            | '('
            | ')'
            | '.'
            | '/'
            | '_'
            | '\u{a0}'
            | '\u{202f}'
            | '\u{2009}'
            | '\u{200b}'
            | '\u{2010}'..='\u{2015}' => {}
            // An extension or a second number: what was read before it is the number.
            ';' | ',' | '\n' if at > 0 => break,
            _ if at > 0 && EXTENSIONS.iter().any(|e| text[at..].to_lowercase().starts_with(e)) => break,
            _ => return None,
        }
        if digits.len() > 20 {
            return None;
        }
    }
    let letters = digits.len() - real;
    (letters == 0 || (letters <= 2 && real >= 7)).then_some((plus, digits))
}

/// A number that begins with its country code, in E.164 if it can be one.
fn international(d: &str) -> Option<String> {
    // `+8067…` is a Ukrainian number without its three; no country has that code.
    if d.len() == 11 && d.starts_with("80") && !d[2..].starts_with(['0', '1', '2', '8']) {
        return Some(format!("+3{d}"));
    }
    let fits = match COUNTRIES.iter().find(|c| d.starts_with(c.dial)) {
        // `+44 (0)20…`: the trunk prefix in brackets is not dialled from abroad.
        Some(c) if !c.trunk.is_empty() && c.trunk != "1" && d[c.dial.len()..].starts_with(c.trunk) => {
            let rest = &d[c.dial.len() + c.trunk.len()..];
            return (c.digits.0..=c.digits.1).contains(&rest.len()).then(|| format!("+{}{rest}", c.dial));
        }
        Some(c) => (c.digits.0..=c.digits.1).contains(&(d.len() - c.dial.len())),
        None => (8..=15).contains(&d.len()) && !d.starts_with('0'),
    };
    fits.then(|| format!("+{d}"))
}

/// Brings a telephone number to E.164 (`+380671234567`); `None` when it cannot be a number.
///
/// `+`, `00` and the former `8 10` begin an international number. Otherwise the number is read as one of `country`: with its
/// trunk prefix, bare, or with the country code but without `+` (tills and spreadsheets drop it); in Ukraine also with the
/// trunk prefix of before 2009 (`8 067…`). A number of 11 to 15 digits that fits none of these is taken as international.
pub fn normalise_phone(text: &str, country: Country) -> Option<String> {
    let (plus, digits) = digits_of(text)?;
    if plus {
        return international(&digits);
    }
    if let Some(rest) = digits.strip_prefix("00") {
        return international(rest);
    }
    let national = |d: &str| (country.digits.0..=country.digits.1).contains(&d.len()) && country.digits.1 > 0;
    if !country.dial.is_empty() {
        if !country.trunk.is_empty()
            && let Some(rest) = digits.strip_prefix(country.trunk)
            && national(rest)
        {
            return Some(format!("+{}{rest}", country.dial));
        }
        if let Some(rest) = digits.strip_prefix(country.dial)
            && national(rest)
        {
            return Some(format!("+{digits}"));
        }
        if country.code == "UA" && digits.starts_with("80") && national(&digits[2..]) {
            return Some(format!("+3{digits}"));
        }
        if national(&digits) && !(country.trunk == "0" && digits.starts_with('0')) {
            return Some(format!("+{}{digits}", country.dial));
        }
    }
    if let Some(rest) = digits.strip_prefix("810").filter(|rest| rest.len() >= 10) {
        return international(rest);
    }
    (digits.len() >= 11).then(|| international(&digits)).flatten()
}

/// A phone as it may stand in a log: `+380 67 ••• •• 67`.
pub fn mask_phone(phone: &str) -> String {
    let count = phone.chars().count();
    phone.chars().enumerate().map(|(i, c)| if i < 6.min(count / 2) || i + 2 >= count { c } else { '•' }).collect()
}

/// An address as it may stand in a log: `o•••@example.com`.
pub fn mask_email(email: &str) -> String {
    match email.split_once('@') {
        Some((local, domain)) => format!("{}•••@{domain}", local.chars().next().unwrap_or('•')),
        None => "•••".to_string(),
    }
}
