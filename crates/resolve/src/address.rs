//! Addresses: whatever columns they came in, brought to street, house, flat, city, region, postcode and a rest.
use crate::field::Field;
use crate::person::{Column, Raw, Texts, given};
use crate::places::{Sign, sign};
use base::names;

/// Reads the columns of an address into their fields.
pub fn read(raw: &Raw, out: &mut Texts) {
    let mut parts = Parts {
        city: place(given(raw, Column::City), Sign::City),
        region: place(given(raw, Column::Region), Sign::Region),
        postcode: names::words(given(raw, Column::Postcode)).concat(),
        ..Parts::default()
    };
    let (house, flat) = house_and_flat(given(raw, Column::House));
    parts.house = house;
    parts.flat = number_of(given(raw, Column::Flat));
    if parts.flat.is_empty() {
        parts.flat = flat;
    }
    let (street, first) = (given(raw, Column::Street), given(raw, Column::Address1));
    parts.free(if street.is_empty() { first } else { street });
    let mut rest = String::new();
    for text in [if street.is_empty() { "" } else { first }, given(raw, Column::Address2)] {
        if text.is_empty() {
            continue;
        }
        // `кв. 5` in the second line is a flat and nothing else.
        let mut second = Parts { house: "-".to_string(), ..Parts::default() };
        second.free(text);
        if second.street.is_empty() && !second.flat.is_empty() && parts.flat.is_empty() {
            parts.flat = second.flat;
        } else {
            rest.push(' ');
            rest.push_str(text);
        }
    }
    let rest = names::words(&rest).join(" ");
    for (field, text) in [
        (Field::City, parts.city),
        (Field::Region, parts.region),
        (Field::Postcode, parts.postcode),
        (Field::Street, parts.street.join(" ")),
        (Field::House, parts.house),
        (Field::Flat, parts.flat),
        (Field::Locality, rest),
    ] {
        out[field as usize] = Some(text).filter(|t| !t.is_empty());
    }
}

/// The words of a city or region without `м.`, `обл.` and the like.
fn place(text: &str, kind: Sign) -> String {
    let first = text.split(',').next().unwrap_or(text);
    let words: Vec<String> = names::words(first);
    let kept: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| words.len() == 1 || sign(w) != Some(kind)).collect();
    kept.join(" ")
}

/// The number of a flat: digits and a letter.
fn number_of(text: &str) -> String {
    let words = names::words(text);
    let kept: Vec<&String> = words.iter().filter(|w| sign(w) != Some(Sign::Flat) || words.len() == 1).collect();
    kept.into_iter().map(|w| names::skeleton(w)).collect()
}

/// `12-А` is house 12a; `12/5` is taken as house 12, flat 5.
fn house_and_flat(text: &str) -> (String, String) {
    let (house, flat) = text.split_once('/').unwrap_or((text, ""));
    let clean = |text: &str| {
        let words = names::words(text);
        let kept = words.iter().filter(|w| {
            sign(w) != Some(Sign::House) || words.len() == 1 || w.starts_with(|c: char| c.is_ascii_digit())
        });
        // A letter after the number belongs to it, also where it could be a sign: `12 Б`.
        let mut out = String::new();
        for word in kept {
            out.push_str(&names::skeleton(word));
        }
        let last = words.last().filter(|w| words.len() > 1 && w.chars().count() == 1 && sign(w) == Some(Sign::House));
        out + &last.map(|w| names::skeleton(w)).unwrap_or_default()
    };
    (clean(house), clean(flat))
}

#[derive(Default)]
struct Parts {
    city: String,
    region: String,
    postcode: String,
    street: Vec<String>,
    house: String,
    flat: String,
}

impl Parts {
    /// Reads a line of an address: `м. Київ, вул. Шевченка, буд. 12а, кв. 5`, `12 Main Street`, `Шевченка 12/5`.
    fn free(&mut self, text: &str) {
        let takes_house = self.house.is_empty();
        let mut mode = None;
        for segment in text.split(',') {
            if mode != Some(Sign::House) && mode != Some(Sign::Flat) {
                mode = None;
            }
            let tokens: Vec<String> =
                segment.split(|c: char| c.is_whitespace() || c == '.' || c == ';').flat_map(token).collect();
            for (at, word) in tokens.iter().enumerate() {
                let numeric = word.starts_with(|c: char| c.is_ascii_digit());
                let next_is_number = tokens.get(at + 1).is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()));
                let after_number = at > 0 && tokens[at - 1].chars().all(|c| c.is_ascii_digit());
                let single = word.chars().count() == 1;
                if !numeric
                    && single
                    && after_number
                    && !next_is_number
                    && takes_house
                    && !self.house.is_empty()
                    && mode != Some(Sign::Flat)
                {
                    self.house.push_str(&names::skeleton(word));
                    continue;
                }
                if let Some(found) = sign(word)
                    && (tokens.len() > 1 || next_is_number || text.contains(','))
                    && (!single || next_is_number || at + 1 < tokens.len() && at == 0)
                {
                    // `Київська обл.`: the sign stands behind.
                    if found == Sign::Region && at > 0 && self.street.len() >= at {
                        let start = self.street.len() - at;
                        let words = self.street.split_off(start).join(" ");
                        if self.region.is_empty() {
                            self.region = words;
                        }
                    }
                    mode = Some(found);
                    continue;
                }
                self.word(word, numeric, mode, takes_house, next_is_dated(&tokens, at));
                if numeric && mode == Some(Sign::House) {
                    mode = Some(Sign::Flat);
                }
            }
        }
    }

    fn word(&mut self, word: &str, numeric: bool, mode: Option<Sign>, takes_house: bool, dated: bool) {
        if numeric && !dated {
            let digits = word.chars().filter(char::is_ascii_digit).count();
            if digits == 5 && digits == word.len() && self.postcode.is_empty() {
                self.postcode = word.to_string();
                return;
            }
            if mode == Some(Sign::Flat) || takes_house && !self.house.is_empty() {
                if self.flat.is_empty() {
                    self.flat = names::skeleton(&word.replace('/', ""));
                }
                return;
            }
            if takes_house {
                let (house, flat) = house_and_flat(word);
                self.house = house;
                if self.flat.is_empty() {
                    self.flat = flat;
                }
                return;
            }
        }
        match mode {
            Some(Sign::City) if self.city.is_empty() => self.city = word.to_string(),
            Some(Sign::City | Sign::Country) => {}
            Some(Sign::Region) if self.region.is_empty() => self.region = word.to_string(),
            _ => self.street.push(word.replace('/', "")),
        }
    }
}

/// Streets begin with a number where it is a date or an ordinal: `8 Березня`, `9-го Січня`.
fn next_is_dated(tokens: &[String], at: usize) -> bool {
    let months = [
        "берез",
        "март",
        "трав",
        "мая",
        "січн",
        "янв",
        "серп",
        "авг",
        "жовт",
        "окт",
        "листоп",
        "нояб",
        "груд",
        "дек",
        "вересн",
        "сент",
        "квітн",
        "апр",
        "лют",
        "фев",
        "червн",
        "июн",
        "липн",
        "июл",
        "го",
    ];
    tokens.get(at + 1).is_some_and(|next| months.iter().any(|m| next.starts_with(m)))
}

/// A word cleaned, `12/5` and `12-а` kept in one piece.
fn token(piece: &str) -> Vec<String> {
    if piece.starts_with(|c: char| c.is_ascii_digit()) {
        let mut text = names::words(piece).concat();
        if piece.contains('/') {
            text = piece.split('/').map(|p| names::words(p).concat()).collect::<Vec<_>>().join("/");
        }
        vec![text]
    } else {
        names::words(piece)
    }
}
