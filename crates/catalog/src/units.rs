//! Units of measure and exact conversion between those of one family.

/// A decimal number: an integer over a power of ten. Exact, so that 0.1 m is 10 cm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// The digits.
    pub units: i128,
    /// How many of them stand behind the point.
    pub scale: u32,
}

/// Digits of an amount at most.
const DIGITS_MAX: usize = 18;

impl Amount {
    /// Reads a decimal number; no exponent, at most 18 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, body) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, part) = body.split_once('.').unwrap_or((body, ""));
        let digits = format!("{whole}{part}");
        if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let units: i128 = digits.parse().ok()?;
        Some(Self { units: if negative { -units } else { units }, scale: part.len() as u32 }.reduced())
    }
    fn reduced(mut self) -> Self {
        while self.scale > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.scale -= 1;
        }
        self
    }
    /// Its shortest decimal text.
    pub fn text(&self) -> String {
        let digits = format!("{:0>width$}", self.units.abs(), width = self.scale as usize + 1);
        let (whole, part) = digits.split_at(digits.len() - self.scale as usize);
        let sign = if self.units < 0 { "-" } else { "" };
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }
    /// For sorting and ranges in a search; not for anything that is stored.
    pub fn approximately(&self) -> f64 {
        self.units as f64 / 10f64.powi(self.scale as i32)
    }
}

/// A unit: one of it is `times / over` of the family's base unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    pub family: &'static str,
    pub code: &'static str,
    times: i128,
    over: i128,
    /// Other ways to write it.
    also: &'static [&'static str],
}

const fn unit(
    family: &'static str,
    code: &'static str,
    times: i128,
    over: i128,
    also: &'static [&'static str],
) -> Unit {
    Unit { family, code, times, over, also }
}

/// All units; the base unit of each family first. Factors are exact (SI; international yard and pound agreement, 1959).
pub const UNITS: &[Unit] = &[
    unit("length", "cm", 1, 1, &["см"]),
    unit("length", "mm", 1, 10, &["мм"]),
    unit("length", "m", 100, 1, &["м"]),
    unit("length", "km", 100_000, 1, &["км"]),
    unit("length", "in", 254, 100, &["″", "\"", "inch", "дюйм", "дюйма", "дюймів"]),
    unit("length", "ft", 3048, 100, &["foot", "feet", "фут"]),
    unit("mass", "g", 1, 1, &["г", "гр", "gr"]),
    unit("mass", "mg", 1, 1000, &["мг"]),
    unit("mass", "kg", 1000, 1, &["кг"]),
    unit("mass", "t", 1_000_000, 1, &["т"]),
    unit("mass", "oz", 45_359_237, 1_600_000, &["унція"]),
    unit("mass", "lb", 45_359_237, 100_000, &["фунт"]),
    unit("volume", "ml", 1, 1, &["мл"]),
    unit("volume", "l", 1000, 1, &["л"]),
    unit("volume", "m3", 1_000_000, 1, &["м3", "м³", "m³"]),
    unit("area", "cm2", 1, 1, &["см2", "см²", "cm²"]),
    unit("area", "m2", 10_000, 1, &["м2", "м²", "m²"]),
    unit("power", "w", 1, 1, &["вт"]),
    unit("power", "kw", 1000, 1, &["квт"]),
    unit("voltage", "v", 1, 1, &["в"]),
    unit("charge", "mah", 1, 1, &["маг", "ма·год", "мач"]),
    unit("charge", "ah", 1000, 1, &["а·год"]),
    unit("frequency", "hz", 1, 1, &["гц"]),
    unit("frequency", "khz", 1000, 1, &["кгц"]),
    unit("frequency", "mhz", 1_000_000, 1, &["мгц"]),
    unit("frequency", "ghz", 1_000_000_000, 1, &["ггц"]),
    unit("data", "mb", 1, 1, &["мб"]),
    unit("data", "gb", 1024, 1, &["гб"]),
    unit("data", "tb", 1_048_576, 1, &["тб"]),
    unit("time", "min", 1, 1, &["хв", "мин"]),
    unit("time", "s", 1, 60, &["с", "сек"]),
    unit("time", "h", 60, 1, &["год", "ч"]),
    unit("time", "day", 1440, 1, &["д", "днів", "дней"]),
];

/// Whether there is such a family.
pub fn is_family(family: &str) -> bool {
    UNITS.iter().any(|u| u.family == family)
}

/// The unit of a family by its code or another way to write it.
pub fn find(family: &str, text: &str) -> Option<&'static Unit> {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    UNITS.iter().find(|u| u.family == family && (u.code == text || u.also.contains(&text.as_str())))
}

/// The code of a family's base unit.
pub fn base_of(family: &str) -> &'static str {
    UNITS.iter().find(|u| u.family == family).map_or("", |u| u.code)
}

/// The units of a family as text.
pub fn list(family: &str) -> String {
    UNITS.iter().filter(|u| u.family == family).map(|u| u.code).collect::<Vec<_>>().join(", ")
}

/// An amount in another unit of its family, rounded half away from zero to at most six decimals where it does not come out even;
/// `None` between families and beyond what fits.
pub fn convert(amount: Amount, from: &Unit, to: &Unit) -> Option<Amount> {
    const DECIMALS: u32 = 6;
    if from.family != to.family {
        return None;
    }
    let times = amount.units.checked_mul(from.times)?.checked_mul(to.over)?.checked_mul(10i128.pow(DECIMALS))?;
    let over = from.over.checked_mul(to.times)?.checked_mul(10i128.checked_pow(amount.scale)?)?;
    let half = over / 2;
    let units = if times < 0 { (times - half) / over } else { (times + half) / over };
    Some(Amount { units, scale: DECIMALS }.reduced())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, out) in [("12.50", "12.5"), ("-0.10", "-0.1"), ("007", "7"), ("+3", "3"), ("0.000", "0")] {
            assert_eq!(Amount::parse(text).map(|a| a.text()).as_deref(), Some(out));
        }
        for bad in ["", "1e5", "1.2.3", "abc", "1234567890123456789", "-"] {
            assert_eq!(Amount::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn units_convert_within_their_family() {
        let cases = [
            ("0.1", "m", "cm", "10"),
            ("27", "in", "cm", "68.58"),
            ("1", "lb", "kg", "0.453592"),
            ("1.5", "kg", "g", "1500"),
            ("1", "l", "ml", "1000"),
            ("2", "tb", "gb", "2048"),
            ("90", "s", "min", "1.5"),
        ];
        for (amount, from, to, out) in cases {
            let unit = |code: &str| UNITS.iter().find(|u| u.code == code).expect(code);
            let got = convert(Amount::parse(amount).expect("a number"), unit(from), unit(to)).expect("converts");
            assert_eq!(got.text(), out, "{amount} {from}");
        }
        let (cm, g) = (find("length", "см").expect("cm"), find("mass", "г").expect("g"));
        assert_eq!(convert(Amount { units: 1, scale: 0 }, cm, g), None);
        assert_eq!(find("length", "кг"), None);
    }
}
