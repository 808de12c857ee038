//! Dates of birth as people write them.

/// Brings a date to `yyyymmdd`. What has the length of a date but is none (`19561340`, a digit too many) stays as digits, so that a
/// typing mistake can still be seen; anything else is `None`, and so are dates that forms put in by themselves.
pub fn read(text: &str) -> Option<String> {
    let day = text
        .split(['T', 't'])
        .next()
        .filter(|d| d.len() >= 8 && d.contains(|c: char| c.is_ascii_digit()))
        .unwrap_or(text);
    let mut groups: Vec<String> = Vec::new();
    let mut month_word = None;
    for piece in day.split(|c: char| !c.is_alphanumeric()).filter(|p| !p.is_empty()) {
        if piece.chars().all(|c| c.is_ascii_digit()) {
            groups.push(piece.to_string());
        } else if let Some(number) = month(piece) {
            month_word = Some((groups.len(), number));
        }
    }
    if let Some((at, number)) = month_word
        && groups.len() >= 2
    {
        // `12 березня 1985`, `March 12, 1985`, `1985 March 12`.
        let year_first = groups[0].len() == 4;
        groups.insert(if year_first { 1 } else { at.clamp(1, 1) }, format!("{number:02}"));
    }
    let digits = match groups.as_slice() {
        [one] if one.len() == 8 && !plausible_year(&one[..4]) && plausible_year(&one[4..]) => {
            format!("{}{}{}", &one[4..], &one[2..4], &one[..2])
        }
        [one] if (6..=10).contains(&one.len()) => one.clone(),
        [a, b, c, ..] if a.len() >= 3 && b.len() <= 2 && c.len() <= 2 => format!("{a:0>4}{b:0>2}{c:0>2}"),
        [a, b, c, ..] if a.len() <= 2 && b.len() <= 2 => {
            let year = full_year(c);
            let (day, month) = if number(b) > 12 && number(a) <= 12 { (b, a) } else { (a, b) };
            format!("{year}{month:0>2}{day:0>2}")
        }
        [a, b] if a.len() == 4 && b.len() <= 2 => format!("{a}{b:0>2}00"),
        _ => return None,
    };
    let filled_in = ["19000101", "19700101", "00010101", "00000000", "99991231", "11111111"];
    (!filled_in.contains(&digits.as_str())).then_some(digits)
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}

fn plausible_year(text: &str) -> bool {
    (1880..=2039).contains(&number(text))
}

fn full_year(text: &str) -> String {
    match text.len() {
        2 => format!("{}{text}", if number(text) <= 29 { "20" } else { "19" }),
        _ => text.to_string(),
    }
}

/// The month that a word names in Ukrainian, Russian or English.
fn month(word: &str) -> Option<u32> {
    const BEGINNINGS: [&[&str]; 12] = [
        &["січ", "янв", "jan"],
        &["лют", "фев", "feb"],
        &["бер", "мар", "mar"],
        &["кві", "апр", "apr"],
        &["тра", "май", "мая", "may"],
        &["чер", "июн", "jun"],
        &["лип", "июл", "jul"],
        &["сер", "авг", "aug"],
        &["вер", "сен", "sep"],
        &["жов", "окт", "oct"],
        &["лис", "ноя", "nov"],
        &["гру", "дек", "dec"],
    ];
    let word = word.to_lowercase();
    (1..).zip(BEGINNINGS).find(|(_, starts)| starts.iter().any(|s| word.starts_with(s))).map(|(number, _)| number)
}
