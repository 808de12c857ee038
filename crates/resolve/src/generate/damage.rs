//! What goes wrong when people type.
use base::Rng;

/// One mistake: a letter changed, left out, doubled or put in, or two neighbours swapped.
pub fn typo(text: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 2 {
        return text.to_string();
    }
    let at = rng.below(letters.len() as u64) as usize;
    let like = |c: char, rng: &mut Rng| match c {
        '0'..='9' => char::from(b'0' + rng.below(10) as u8),
        c if base::names::is_cyrillic(c) => {
            *rng.pick(&['а', 'о', 'е', 'и', 'і', 'н', 'р', 'т', 'с', 'л', 'в', 'к', 'м', 'д', 'п', 'у'])
        }
        _ => char::from(b'a' + rng.below(26) as u8),
    };
    match rng.below(10) {
        0..=3 => letters[at] = like(letters[at], rng),
        4..=5 => {
            letters.remove(at);
        }
        6..=7 => {
            let new = if rng.below(2) == 0 { letters[at] } else { like(letters[at], rng) };
            letters.insert(at, new);
        }
        _ => {
            let at = at.min(letters.len() - 2);
            letters.swap(at, at + 1);
        }
    }
    letters.into_iter().collect()
}

/// Ukrainian in Latin letters as somebody writes it: by the rules of 2010, by older passports, from the Russian, or by ear.
pub fn latin(text: &str, style: u64) -> String {
    let official = base::names::romanise(&text.to_lowercase());
    let changes: &[(&str, &str)] = match style % 4 {
        0 => &[],
        1 => &[("ii", "iy"), ("yi", "yy"), ("ia", "ya"), ("iu", "yu"), ("ie", "ye"), ("zgh", "zh")],
        2 => &[
            ("h", "g"),
            ("kg", "kh"),
            ("zg", "zh"),
            ("sg", "sh"),
            ("cg", "ch"),
            ("ii", "iy"),
            ("ia", "ya"),
            ("iu", "yu"),
            ("shch", "sch"),
        ],
        _ => &[("shch", "sch"), ("ii", "i"), ("yi", "y"), ("kh", "h"), ("ia", "ja"), ("iu", "ju"), ("ts", "c")],
    };
    let text = changes.iter().fold(official, |text, (from, to)| text.replace(from, to));
    capital(&text)
}

/// With a capital letter.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
