//! Electronic product codes on tags: SGTIN, a GTIN with a serial number (GS1 EPC Tag Data Standard 2.1, sections 6.3.1, 7.1, 14.5.1).
//!
//! Readers tell them as the 96 bits of the tag in hexadecimal, or as a URI. Other codes (pallets, assets) are refused by name:
//! they say nothing of what lies where.
use catalog::gtin::{Gtin, check_digit};

/// What a tag says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sgtin {
    pub gtin: Gtin,
    /// Digits, without leading zeros.
    pub serial: String,
}

/// Why a code cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpcError {
    #[error("a tag has 24 hexadecimal digits or a URI such as urn:epc:id:sgtin:0614141.812345.6789")]
    Form,
    #[error("the header {0:#04x} is not that of an SGTIN-96 (0x30)")]
    Header(u8),
    #[error("partition {0} does not exist: 0 to 6")]
    Partition(u8),
    #[error("the {0} has more digits than its partition allows")]
    TooLong(&'static str),
}

/// Bits and digits of the company's prefix, by partition; the rest of 44 bits and 13 digits is the item (table 14-2).
const PARTITIONS: [(u32, usize); 7] = [(40, 12), (37, 11), (34, 10), (30, 9), (27, 8), (24, 7), (20, 6)];
const HEADER: u8 = 0x30;
/// Bits of company and item together, and of the serial number.
const BOTH_BITS: u32 = 44;
const SERIAL_BITS: u32 = 38;
const DIGITS: usize = 13;

impl Sgtin {
    /// Reads a tag in either form.
    pub fn parse(text: &str) -> Result<Self, EpcError> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("urn:epc:id:sgtin:") {
            return Self::of_uri(rest);
        }
        if let Some(rest) = text.strip_prefix("urn:epc:tag:sgtin-96:") {
            // The filter says what kind of package it is; the GTIN says it too.
            return Self::of_uri(rest.split_once('.').ok_or(EpcError::Form)?.1);
        }
        if text.len() != 24 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(EpcError::Form);
        }
        Self::of_bits(u128::from_str_radix(text, 16).map_err(|_| EpcError::Form)?)
    }

    fn of_uri(rest: &str) -> Result<Self, EpcError> {
        let [company, item, serial] = rest.split('.').collect::<Vec<_>>()[..] else { return Err(EpcError::Form) };
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if ![company, item, serial].into_iter().all(digits) || company.len() + item.len() != DIGITS {
            return Err(EpcError::Form);
        }
        if !PARTITIONS.iter().any(|(_, length)| *length == company.len()) {
            return Err(EpcError::TooLong("company prefix"));
        }
        let serial: u64 = serial.parse().map_err(|_| EpcError::TooLong("serial number"))?;
        if serial >> SERIAL_BITS != 0 {
            return Err(EpcError::TooLong("serial number"));
        }
        Self::of_digits(company, item, serial)
    }

    fn of_bits(bits: u128) -> Result<Self, EpcError> {
        let field = |from_right: u32, width: u32| ((bits >> from_right) & ((1u128 << width) - 1)) as u64;
        let header = field(88, 8) as u8;
        if header != HEADER {
            return Err(EpcError::Header(header));
        }
        let partition = field(82, 3) as u8;
        let known = PARTITIONS.get(usize::from(partition));
        let (company_bits, company_digits) = *known.ok_or(EpcError::Partition(partition))?;
        let item_bits = BOTH_BITS - company_bits;
        let (company, item) = (field(SERIAL_BITS + item_bits, company_bits), field(SERIAL_BITS, item_bits));
        let item_digits = DIGITS - company_digits;
        let (company, item) = (format!("{company:0company_digits$}"), format!("{item:0item_digits$}"));
        if company.len() > company_digits {
            return Err(EpcError::TooLong("company prefix"));
        }
        if item.len() > item_digits {
            return Err(EpcError::TooLong("item reference"));
        }
        Self::of_digits(&company, &item, field(0, SERIAL_BITS))
    }

    /// The item's first digit is the indicator, which stands first in a GTIN (section 7.1).
    fn of_digits(company: &str, item: &str, serial: u64) -> Result<Self, EpcError> {
        let (indicator, rest) = item.split_at_checked(1).ok_or(EpcError::Form)?;
        let body = format!("{indicator}{company}{rest}");
        let check = check_digit(&body).ok_or(EpcError::Form)?;
        let gtin = Gtin::parse(&format!("{body}{check}")).map_err(|_| EpcError::Form)?;
        Ok(Self { gtin, serial: serial.to_string() })
    }
}
