//! Codes by which Ukraine knows a legal entity, with their check digits: pure.

/// Why a code cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error("{what} has {wanted} digits")]
    Form { what: &'static str, wanted: usize },
    #[error("the check digit of this {what} would be {wanted}: a digit is wrong")]
    CheckDigit { what: &'static str, wanted: u32 },
    #[error("an IBAN of Ukraine is UA and 27 digits")]
    IbanForm,
    #[error("the check number of this IBAN is wrong: a character is wrong")]
    Iban,
}

fn digits(text: &str, wanted: usize, what: &'static str) -> Result<Vec<u32>, CodeError> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    digits.filter(|d| d.len() == wanted).ok_or(CodeError::Form { what, wanted })
}

/// EDRPOU, of a company: 8 digits. The weights of the first seven are 1 to 7, or 7, 1 to 6 for codes from 30 to 60 million; a
/// remainder of 10 by 11 asks again with weights two higher, and is 0 if it stays.
pub fn edrpou(text: &str) -> Result<(), CodeError> {
    let what = "EDRPOU";
    let d = digits(text, 8, what)?;
    let number = d.iter().fold(0, |n, digit| n * 10 + digit);
    let weights: [u32; 7] =
        if (30_000_000..=60_000_000).contains(&number) { [7, 1, 2, 3, 4, 5, 6] } else { [1, 2, 3, 4, 5, 6, 7] };
    let remainder = |more: u32| d.iter().zip(weights).map(|(digit, weight)| digit * (weight + more)).sum::<u32>() % 11;
    let wanted = match remainder(0) {
        10 => remainder(2) % 10,
        first => first,
    };
    if d[7] == wanted { Ok(()) } else { Err(CodeError::CheckDigit { what, wanted }) }
}

/// RNOKPP, of a person, and so of a sole trader: 10 digits, weights −1, 5, 7, 9, 4, 6, 10, 5, 7, remainder by 11, then by 10.
pub fn rnokpp(text: &str) -> Result<(), CodeError> {
    let what = "RNOKPP";
    let d = digits(text, 10, what)?;
    let sum: i64 = d.iter().zip([-1i64, 5, 7, 9, 4, 6, 10, 5, 7]).map(|(digit, w)| i64::from(*digit) * w).sum();
    let wanted = (sum.rem_euclid(11) % 10) as u32;
    if d[9] == wanted { Ok(()) } else { Err(CodeError::CheckDigit { what, wanted }) }
}

/// An IBAN of Ukraine, blanks left out: `UA`, two check digits, six of the bank, nineteen of the account (ISO 13616: the number
/// with its first four characters at the end, letters as 10 to 35, is 1 by 97). Gives it without blanks.
pub fn iban(text: &str) -> Result<String, CodeError> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    let body = plain.strip_prefix("UA").filter(|body| body.len() == 27 && body.bytes().all(|b| b.is_ascii_digit()));
    let body = body.ok_or(CodeError::IbanForm)?;
    // U is 30, A is 10.
    let turned = format!("{}3010{}", &body[2..], &body[..2]);
    let remainder = turned.bytes().fold(0u32, |n, b| (n * 10 + u32::from(b - b'0')) % 97);
    if remainder == 1 { Ok(plain) } else { Err(CodeError::Iban) }
}
