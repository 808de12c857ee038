//! Names of people in Cyrillic and Latin letters, brought to a form in which spellings of one name compare equal.
//!
//! [`words`] cleans what was typed. [`skeleton`] folds one word so far that the Ukrainian and the Russian spelling, KMU 2010
//! (Cabinet of Ministers' resolution 55 of 2010), older passport tables and what people make up themselves mostly fall
//! together: `Щербак`, `Shcherbak` and `Scherbak` are one. Names that differ from language to language (`Сергій`, `Sergey`) and
//! pet names (`Саша`, `Bob`) are data: [`given`] says which names a word may stand for. [`compare_given`] puts it together.
mod given;
mod patronymic;

pub use given::{Given, given};
pub use patronymic::{Patronymic, patronymic};

/// How two words name a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same letters.
    Same,
    /// The same name in another alphabet or spelling.
    Spelling,
    /// The same name as another language has it: `Олександр`, `Alexander`.
    Language,
    /// One is a pet name of the other: `Саша`, `Олександр`.
    Diminutive,
    /// None of these.
    Different,
}

/// Compares two given names; typing mistakes are not looked for.
pub fn compare_given(a: &str, b: &str) -> Likeness {
    let (a, b) = (words(a).concat(), words(b).concat());
    if a == b {
        return Likeness::Same;
    }
    let (a, b) = (skeleton(&a), skeleton(&b));
    if a == b {
        return Likeness::Spelling;
    }
    let (a, b) = (given(&a), given(&b));
    if a.formal.iter().any(|name| b.formal.contains(name)) {
        Likeness::Language
    } else if a.all().any(|name| b.all().any(|other| other == name)) {
        Likeness::Diminutive
    } else {
        Likeness::Different
    }
}

/// The words of a text: lower case, apostrophes and stress marks left out, parts of double names apart, letters that only
/// look Cyrillic (or Latin) put right.
pub fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\'' | '’' | 'ʼ' | '`' | '´' | '‘' | '"' | '\u{301}' | '\u{300}' | '\u{ad}' => {}
            c if c.is_alphanumeric() => word.push(c),
            _ if word.is_empty() => {}
            _ => out.push(std::mem::take(&mut word)),
        }
    }
    if !word.is_empty() {
        out.push(word);
    }
    for word in &mut out {
        repair(word);
    }
    out
}

/// Whether the letter is one of Cyrillic.
pub fn is_cyrillic(c: char) -> bool {
    ('\u{400}'..='\u{52f}').contains(&c)
}

/// Latin letters and the Cyrillic ones that look like them.
const LOOK_ALIKE: &[(char, char)] = &[
    ('a', 'а'),
    ('b', 'в'),
    ('c', 'с'),
    ('e', 'е'),
    ('h', 'н'),
    ('i', 'і'),
    ('k', 'к'),
    ('m', 'м'),
    ('o', 'о'),
    ('p', 'р'),
    ('t', 'т'),
    ('x', 'х'),
    ('y', 'у'),
    ('ï', 'ї'),
];

/// A word with letters of both alphabets is one of the alphabet that most of its unmistakable letters have.
fn repair(word: &mut String) {
    let cyrillic = word.chars().filter(|c| is_cyrillic(*c)).count();
    let latin = word.chars().filter(|c| c.is_alphabetic() && !is_cyrillic(*c)).count();
    if cyrillic == 0 || latin == 0 {
        return;
    }
    let sure = |c: &char| !LOOK_ALIKE.iter().any(|(l, k)| l == c || k == c);
    let sure_cyrillic = word.chars().filter(|c| is_cyrillic(*c) && sure(c)).count();
    let sure_latin = word.chars().filter(|c| c.is_alphabetic() && !is_cyrillic(*c) && sure(c)).count();
    let to_cyrillic = (sure_cyrillic, cyrillic) >= (sure_latin, latin);
    let change = |c: char| {
        let pair = LOOK_ALIKE.iter().find(|(l, k)| if to_cyrillic { *l == c } else { *k == c });
        pair.map_or(c, |(l, k)| if to_cyrillic { *k } else { *l })
    };
    *word = word.chars().map(change).collect();
}

/// Ukrainian written in Latin letters by the rules of KMU 2010; other letters stay. Takes a lower-case word.
pub fn romanise(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    let mut before = '\0';
    for c in word.chars() {
        let first = before == '\0';
        let text = match c {
            'г' if before == 'з' => "gh",
            'є' if first => "ye",
            'ї' if first => "yi",
            'й' if first => "y",
            'ю' if first => "yu",
            'я' if first => "ya",
            'а' => "a",
            'б' => "b",
            'в' => "v",
            'г' => "h",
            'ґ' => "g",
            'д' => "d",
            'е' | 'э' => "e",
            'є' => "ie",
            'ж' => "zh",
            'з' => "z",
            'и' | 'ы' => "y",
            'і' | 'ї' | 'й' => "i",
            'к' => "k",
            'л' => "l",
            'м' => "m",
            'н' => "n",
            'о' => "o",
            'п' => "p",
            'р' => "r",
            'с' => "s",
            'т' => "t",
            'у' => "u",
            'ф' => "f",
            'х' => "kh",
            'ц' => "ts",
            'ч' => "ch",
            'ш' => "sh",
            'щ' => "shch",
            'ю' => "iu",
            'я' => "ia",
            'ё' => "io",
            'ь' | 'ъ' => "",
            _ => {
                out.push(c);
                ""
            }
        };
        out.push_str(text);
        before = c;
    }
    out
}

/// Groups of Latin letters that stand for one sound, longest first: what people write, and the letter of the skeleton.
const GRAPHS: &[(&str, &str)] = &[
    ("schtsch", "S"),
    ("shch", "S"),
    ("szcz", "S"),
    ("stch", "S"),
    ("tsch", "C"),
    ("sch", "S"),
    ("tch", "C"),
    ("zgh", "zh"),
    ("sh", "S"),
    ("sz", "S"),
    ("ch", "C"),
    ("cz", "C"),
    ("zh", "Z"),
    ("kh", "h"),
    ("gh", "h"),
    ("ts", "c"),
    ("tz", "c"),
    ("ph", "f"),
    ("th", "t"),
    ("ck", "k"),
    ("ce", "ce"),
    ("ci", "ci"),
    ("cy", "ci"),
];

/// The key under which spellings of one word in two alphabets meet. Takes a word as [`words`] gives it; letters of the result
/// are ASCII (capitals stand for sounds that take several Latin letters), what is neither Cyrillic nor Latin stays as it is.
pub fn skeleton(word: &str) -> String {
    let mut sounds = String::with_capacity(word.len() + 4);
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let graph = if c.is_ascii_alphabetic() { GRAPHS.iter().find(|(from, _)| rest.starts_with(from)) } else { None };
        match graph {
            Some((from, to)) => {
                sounds.push_str(to);
                rest = &rest[from.len()..];
            }
            None => {
                rest = &rest[c.len_utf8()..];
                sound(c, rest.is_empty(), &mut sounds);
            }
        }
    }
    let mut out = String::with_capacity(sounds.len());
    for c in sounds.chars() {
        match (out.chars().next_back(), c) {
            (Some(last), c) if last == c && !c.is_numeric() => {}
            // `Євген`, `Evgen`; `Андрієнко`, `Andriyenko`.
            (Some('i'), 'e') => {
                out.pop();
                if !out.ends_with('e') {
                    out.push('e');
                }
            }
            _ => out.push(c),
        }
    }
    // `Біла` is `Белая` in Russian letters, `Ковальська` is `Ковальская`.
    if out.len() > 5 && out.ends_with("aia") {
        out.truncate(out.len() - 2);
    }
    out
}

fn sound(c: char, last: bool, out: &mut String) {
    let text = match c {
        'а' | 'á' | 'à' | 'ä' | 'ą' | 'â' | 'ã' => "a",
        'б' => "b",
        'в' | 'w' => "v",
        'г' | 'ґ' | 'х' | 'g' => "h",
        'д' => "d",
        'е' | 'э' | 'ё' | 'є' | 'é' | 'è' | 'ë' | 'ę' | 'ě' | 'ê' => "e",
        'ж' | 'ž' | 'ż' => "Z",
        'з' | 'ź' => "z",
        'и' | 'і' | 'ї' | 'й' | 'ы' | 'y' | 'j' | 'í' | 'ï' | 'ý' => "i",
        'к' | 'q' => "k",
        'л' | 'ł' => "l",
        'м' => "m",
        'н' | 'ń' | 'ñ' => "n",
        'о' | 'ó' | 'ö' | 'ô' | 'ø' => "o",
        'п' => "p",
        'р' | 'ř' => "r",
        'с' | 'ś' => "s",
        'т' => "t",
        'у' | 'ú' | 'ü' | 'ů' => "u",
        'ф' => "f",
        'ц' | 'ć' | 'ç' => "c",
        'c' => {
            if last {
                "c"
            } else {
                "k"
            }
        }
        'ч' | 'č' => "C",
        'ш' | 'щ' | 'š' => "S",
        'ю' => "iu",
        'я' => "ia",
        'x' => "ks",
        'ь' | 'ъ' => "",
        _ => {
            out.push(c);
            ""
        }
    };
    out.push_str(text);
}

/// The part of a surname's skeleton that a woman's and a man's form share: `Ковальський`, `Ковальська`; `Іванов`, `Іванова`.
pub fn surname_stem(skeleton: &str) -> &str {
    for (ending, kept) in [("ska", 2), ("ski", 2), ("cka", 2), ("cki", 2), ("ova", 2), ("eva", 2), ("ina", 2)] {
        if skeleton.len() > ending.len() + 1 && skeleton.ends_with(ending) {
            return &skeleton[..skeleton.len() - ending.len() + kept];
        }
    }
    for ending in ["i", "a"] {
        if skeleton.len() > ending.len() + 2 && skeleton.ends_with(ending) {
            return &skeleton[..skeleton.len() - ending.len()];
        }
    }
    skeleton
}

#[cfg(test)]
mod tests;
