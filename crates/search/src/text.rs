//! Words of goods in Ukrainian, Russian and English: letters folded, endings cut, sounds and keyboard layouts compared.
//!
//! All three languages go through one way, since a title mixes them: `Кросівки Nike, сірі`. A stem is for comparing only;
//! nobody reads it. Two forms of one word get one stem (tests/text.rs lists families); two words rarely do.

/// Bytes of a word that is looked at.
const WORD_MAX: usize = 40;

/// A letter as it is compared; `None` for what is no letter of a word (signs of softness, apostrophes).
fn folded(c: char) -> Option<char> {
    Some(match c {
        'ґ' => 'г',
        'ё' | 'є' | 'э' => 'е',
        'і' | 'ї' | 'ы' | 'й' => 'и',
        'ь' | 'ъ' | '\'' | '’' | 'ʼ' | '`' | '´' | '\u{301}' => return None,
        'à' | 'á' | 'â' | 'ä' | 'å' | 'ã' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'ö' | 'õ' | 'ø' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        'ß' => 's',
        other => other,
    })
}

fn is_inner(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '`' | '´' | '\u{301}')
}

/// The words of a text, in small letters, as they are written otherwise.
pub fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut push = |word: &mut String| {
        if !word.is_empty() && word.len() <= WORD_MAX * 2 {
            out.push(std::mem::take(word));
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_alphanumeric() || (is_inner(c) && !word.is_empty()) {
            word.extend(c.to_lowercase());
        } else {
            push(&mut word);
        }
    }
    push(&mut word);
    out
}

/// A word with its letters folded; doubled letters count once.
pub fn fold(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars().filter_map(folded) {
        if !(c.is_alphabetic() && out.ends_with(c)) {
            out.push(c);
        }
    }
    out
}

/// Endings after folding, longest first. Cases and genders of nouns and adjectives of both languages.
const ENDINGS: &[&str] = &[
    "иями", "ами", "ями", "ими", "ого", "его", "ому", "ему", "иею", "иях", "иям", "ах", "ях", "их", "ов", "ев", "ив",
    "ам", "ям", "им", "ом", "ем", "ою", "ею", "ая", "яя", "ое", "ее", "ие", "ия", "ию", "ои", "еи", "ую", "юю", "ии",
    "а", "я", "о", "е", "у", "ю", "и",
];

fn is_cyrillic(word: &str) -> bool {
    word.chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c))
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'а' | 'е' | 'и' | 'о' | 'у' | 'ю' | 'я')
}

/// What all forms of a word have in common.
pub fn stem(word: &str) -> String {
    let doubled = word.ends_with("ss");
    let word = fold(word);
    if word.chars().any(|c| c.is_ascii_digit()) {
        return word;
    }
    if is_cyrillic(&word) { slavic(&word) } else { english(&word, doubled) }
}

fn cut<'a>(word: &'a str, ending: &str, least: usize) -> Option<&'a str> {
    word.strip_suffix(ending).filter(|rest| rest.chars().count() >= least)
}

fn slavic(word: &str) -> String {
    let mut rest = ENDINGS.iter().find_map(|ending| cut(word, ending, 3)).unwrap_or(word);
    for ending in ["ов", "ев", "ив"] {
        rest = cut(rest, ending, 3).unwrap_or(rest);
    }
    let mut letters: Vec<char> = rest.chars().collect();
    // Vowels that come and go: сорочка, сорочок; сукня, суконь.
    if let [.., before, vowel, last] = letters[..]
        && letters.len() >= 4
        && matches!(vowel, 'о' | 'е')
        && matches!(last, 'к' | 'н' | 'ц' | 'л')
        && !is_vowel(before)
    {
        letters.remove(letters.len() - 2);
    }
    // Consonants that change before an ending: сорочка, сорочці; книга, книзі.
    if let Some(last) = letters.last_mut() {
        *last = match *last {
            'ц' => 'к',
            'з' => 'г',
            other => other,
        };
    }
    letters.into_iter().collect()
}

fn english(word: &str, doubled: bool) -> String {
    let mut rest = word.to_string();
    if let Some(base) = cut(&rest, "ies", 2) {
        rest = format!("{base}y");
    } else if let Some(base) =
        ["xes", "zes", "ches", "shes", "ses"].iter().find_map(|e| cut(&rest, e, 2).map(|b| (b, *e)))
    {
        rest = format!("{}{}", base.0, base.1.trim_end_matches("es"));
    } else if let Some(base) = cut(&rest, "s", 3).filter(|b| !doubled && !b.ends_with('u')) {
        rest = base.to_string();
    }
    for ending in ["ing", "ed"] {
        if let Some(base) = cut(&rest, ending, 3).filter(|b| b.bytes().any(|c| b"aeiouy".contains(&c))) {
            rest = base.to_string();
            break;
        }
    }
    cut(&rest, "e", 3).map(str::to_string).unwrap_or(rest)
}

/// How a word sounds, in Latin letters, roughly: `Самсунг` and `Samsung` are one. For names that are written in either script.
pub fn sound(word: &str) -> String {
    let mut latin = String::new();
    for c in word.chars() {
        let c = match c {
            'й' => 'и',
            other => folded(other).unwrap_or(' '),
        };
        match c {
            ' ' => {}
            'а' => latin.push('a'),
            'б' => latin.push('b'),
            'в' => latin.push('v'),
            'г' => latin.push('g'),
            'д' => latin.push('d'),
            'е' => latin.push('e'),
            'ж' => latin.push('z'),
            'з' => latin.push('z'),
            'и' => latin.push('i'),
            'к' => latin.push('k'),
            'л' => latin.push('l'),
            'м' => latin.push('m'),
            'н' => latin.push('n'),
            'о' => latin.push('o'),
            'п' => latin.push('p'),
            'р' => latin.push('r'),
            'с' => latin.push('s'),
            'т' => latin.push('t'),
            'у' => latin.push('u'),
            'ф' => latin.push('f'),
            'х' => latin.push('h'),
            'ц' => latin.push('c'),
            'ч' => latin.push_str("ch"),
            'ш' | 'щ' => latin.push_str("sh"),
            'ю' => latin.push_str("iu"),
            'я' => latin.push_str("ia"),
            other => latin.push(other),
        }
    }
    let simple = latin
        .replace("ph", "f")
        .replace("ck", "k")
        .replace("sch", "sh")
        .replace("kh", "h")
        .replace("zh", "z")
        .replace("ts", "c")
        .replace("x", "ks")
        .replace("qu", "kv")
        .replace('q', "k")
        .replace('w', "v")
        .replace(['y', 'j'], "i");
    let mut out = String::with_capacity(simple.len());
    let letters: Vec<char> = simple.chars().collect();
    for (at, c) in letters.iter().enumerate() {
        let c = match c {
            'c' if letters.get(at + 1) != Some(&'h') => 'k',
            'h' if at > 0 && !matches!(letters[at - 1], 's' | 'c') => continue,
            other => *other,
        };
        if !out.ends_with(c) {
            out.push(c);
        }
    }
    if out.len() > 3 && out.ends_with('e') {
        out.pop();
    }
    out
}

const LATIN_KEYS: &str = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`\\";
const UKRAINIAN_KEYS: &str = "йцукенгшщзхїфівапролджєячсмитьбю'ґ";
const RUSSIAN_KEYS: &str = "йцукенгшщзхъфывапролджэячсмитьбюё\\";

/// What was meant if the keyboard stood on the other language: `rhjcsdrb` is `кросівки`.
pub fn other_layout(text: &str) -> Vec<String> {
    let by = |from: &str, to: &str| -> String {
        let pairs: Vec<(char, char)> = from.chars().zip(to.chars()).collect();
        let one = |c: char| pairs.iter().find(|(f, _)| *f == c).map_or(c, |(_, t)| *t);
        text.to_lowercase().chars().map(one).collect()
    };
    if is_cyrillic(&text.to_lowercase()) {
        vec![by(UKRAINIAN_KEYS, LATIN_KEYS), by(RUSSIAN_KEYS, LATIN_KEYS)]
    } else {
        vec![by(LATIN_KEYS, UKRAINIAN_KEYS), by(LATIN_KEYS, RUSSIAN_KEYS)]
    }
}

/// A number or article as it is compared: small letters and digits only.
pub fn article(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
