//! The comparison of two people, field by field, to levels.
use crate::field::{COUNT, Field, SECOND_PHONE, VALUES, level};
use crate::person::Person;
use crate::text::{edits, jaro_winkler};
use crate::value::Value;

/// The values of one person, borrowed from wherever they live.
pub type Side<'a> = [Option<&'a Value>; VALUES];

/// What a comparison of two people gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// A [`level`] for each [`Field`].
    pub levels: [u8; COUNT],
    /// For fields that agree: the part of people who have the value, as a natural logarithm; 0 where there is none.
    pub share_ln: [f32; COUNT],
}

impl Person {
    /// The person's values for [`compare`].
    pub fn side(&self) -> Side<'_> {
        std::array::from_fn(|at| self.values[at].as_ref())
    }
}

/// Compares two people. Costs about a microsecond and allocates nothing.
pub fn compare(a: &Side<'_>, b: &Side<'_>) -> Comparison {
    use Field::*;
    let mut out = Comparison { levels: [level::MISSING; COUNT], share_ln: [0.0; COUNT] };
    names(a, b, &mut out);
    out.put(Patronymic, pair(a, b, Patronymic, patronymic));
    out.put(Birth, pair(a, b, Birth, birth));
    out.put(Email, pair(a, b, Email, email));
    out.put(Id, pair(a, b, Id, id));
    out.put(Postcode, pair(a, b, Postcode, digits));
    out.put(City, pair(a, b, City, city));
    out.put(Region, pair(a, b, Region, words));
    out.put(Street, pair(a, b, Street, words));
    out.put(House, pair(a, b, House, digits));
    out.put(Flat, pair(a, b, Flat, digits));
    out.put(Locality, pair(a, b, Locality, words));
    for x in phones(a) {
        for y in phones(b) {
            let found = phone(x, y);
            if found < out.levels[Phone as usize] {
                out.put(Phone, (found, share(found, x, y)));
            }
        }
    }
    out
}

fn phones<'a>(side: &Side<'a>) -> impl Iterator<Item = &'a Value> {
    [side[Field::Phone as usize], side[SECOND_PHONE]].into_iter().flatten()
}

impl Comparison {
    fn put(&mut self, field: Field, (level, share_ln): (u8, f32)) {
        self.levels[field as usize] = level;
        self.share_ln[field as usize] = share_ln;
    }
}

fn pair(a: &Side<'_>, b: &Side<'_>, field: Field, rule: fn(&Value, &Value) -> u8) -> (u8, f32) {
    match (a[field as usize], b[field as usize]) {
        (Some(x), Some(y)) => {
            let level = rule(x, y);
            (level, if field.has_shares() { share(level, x, y) } else { 0.0 })
        }
        _ => (level::MISSING, 0.0),
    }
}

/// The more common of two values decides: what is misspelt is always rare.
fn share(level: u8, x: &Value, y: &Value) -> f32 {
    if level <= level::NEAR { x.share_ln.max(y.share_ln) } else { 0.0 }
}

/// Given name and surname, straight or crossed, whichever agrees more; straight when both do alike.
fn names(a: &Side<'_>, b: &Side<'_>, out: &mut Comparison) {
    let (ag, asn, bg, bs) = (a[0], a[1], b[0], b[1]);
    let rate = |x: Option<&Value>, y: Option<&Value>, rule: fn(&Value, &Value) -> u8| match (x, y) {
        (Some(x), Some(y)) => rule(x, y),
        _ => level::MISSING,
    };
    let mut g = rate(ag, bg, given);
    let mut s = rate(asn, bs, surname);
    let mut order = if g == level::MISSING || s == level::MISSING { level::MISSING } else { level::SAME };
    let agrees = |l: u8| l <= level::NEAR;
    if !agrees(g) && !agrees(s) {
        let (cg, cs) = (rate(ag, bs, given), rate(asn, bg, surname));
        let both = agrees(cg) && agrees(cs);
        // A lone name that stands in the other column counts as crossed only when it is the very name.
        let one = (cg <= level::SPELLING && cs == level::MISSING) || (cs <= level::SPELLING && cg == level::MISSING);
        if both || one {
            order = level::DIFFERENT;
            (g, s) = (cg, cs);
            let first = ag.zip(bs).map_or(0.0, |(x, y)| share(g, x, y));
            let last = asn.zip(bg).map_or(0.0, |(x, y)| share(s, x, y));
            out.put(Field::Given, (g, first));
            out.put(Field::Surname, (s, last));
            out.put(Field::Order, (order, 0.0));
            return;
        }
    }
    out.put(Field::Given, (g, ag.zip(bg).map_or(0.0, |(x, y)| share(g, x, y))));
    out.put(Field::Surname, (s, asn.zip(bs).map_or(0.0, |(x, y)| share(s, x, y))));
    out.put(Field::Order, (order, 0.0));
}

/// Levels by letters alone: the same, the same sounds, one mistake, alike.
fn spelling(x: &Value, y: &Value) -> u8 {
    if x.text == y.text {
        return level::SAME;
    }
    if !x.skeleton.is_empty() && x.skeleton == y.skeleton {
        return level::SPELLING;
    }
    let (a, b) =
        if x.skeleton.is_empty() || y.skeleton.is_empty() { (&x.text, &y.text) } else { (&x.skeleton, &y.skeleton) };
    let long = a.len().max(b.len());
    let most = if long >= 12 {
        4
    } else if long >= 8 {
        3
    } else {
        2
    };
    let mut found = edits(a, b, most);
    if found > 1 && x.cyrillic == y.cyrillic {
        found = found.min(edits(&x.text, &y.text, most));
    }
    let short = a.len().min(b.len());
    match found {
        0 | 1 if short >= 3 => level::CLOSE,
        n if n <= most && short >= 5 && n * 4 <= long + 1 => level::NEAR,
        _ if short >= 4 && jaro_winkler(a, b) >= 0.9 => level::NEAR,
        _ => level::DIFFERENT,
    }
}

fn initial(x: &Value, y: &Value) -> bool {
    (x.is_initial() || y.is_initial()) && !x.skeleton.is_empty() && x.skeleton.first() == y.skeleton.first()
}

fn has_part(x: &Value, y: &Value) -> bool {
    let within = |one: &Value, parts: &Value| parts.parts.iter().any(|p| p.len() > 2 && **p == *one.skeleton);
    within(x, y) || within(y, x) || x.parts.iter().any(|p| p.len() > 2 && y.parts.contains(p))
}

/// Given names.
fn given(x: &Value, y: &Value) -> u8 {
    let letters = if x.text == y.text {
        level::SAME
    } else if x.skeleton == y.skeleton {
        level::SPELLING
    } else {
        level::DIFFERENT
    };
    if letters < level::DIFFERENT {
        return letters;
    }
    let full = |v: &Value, name: &u16| v.names[..usize::from(v.formal)].contains(name);
    let common = x.names.iter().filter(|n| y.names.contains(n));
    let mut level = level::DIFFERENT;
    for name in common {
        level = level.min(if full(x, name) && full(y, name) { level::VARIANT } else { level::PART });
    }
    if level < level::DIFFERENT {
        return level;
    }
    if initial(x, y) {
        return level::INITIAL;
    }
    // Different names that we know are no misspellings of each other: `Марина`, `Марія`.
    if x.formal > 0 && y.formal > 0 {
        return if has_part(x, y) { level::PART } else { level::DIFFERENT };
    }
    match spelling(x, y) {
        level::NEAR | level::DIFFERENT if has_part(x, y) => level::PART,
        found => found,
    }
}

fn surname(x: &Value, y: &Value) -> u8 {
    let found = spelling(x, y);
    if found <= level::SPELLING {
        return found;
    }
    if x.stem > 2 && x.skeleton[..usize::from(x.stem)] == y.skeleton[..usize::from(y.stem).min(y.skeleton.len())] {
        return level::VARIANT;
    }
    match found {
        level::NEAR | level::DIFFERENT if has_part(x, y) => level::PART,
        level::DIFFERENT if initial(x, y) => level::INITIAL,
        found => found,
    }
}

fn patronymic(x: &Value, y: &Value) -> u8 {
    let found = spelling(x, y);
    if found <= level::SPELLING {
        return found;
    }
    if x.formal > 0 && x.names == y.names {
        return level::VARIANT;
    }
    if x.stem > 1 && x.skeleton[..usize::from(x.stem)] == y.skeleton[..usize::from(y.stem).min(y.skeleton.len())] {
        return level::VARIANT;
    }
    if initial(x, y) {
        return level::INITIAL;
    }
    // The ending is common to all: only the father's name counts.
    if x.formal > 0 && y.formal > 0 && found > level::CLOSE { level::DIFFERENT } else { found }
}

fn city(x: &Value, y: &Value) -> u8 {
    match spelling(x, y) {
        found @ (level::SAME | level::SPELLING) => found,
        _ if x.formal > 0 && x.names == y.names => level::VARIANT,
        _ if x.formal > 0 && y.formal > 0 => level::DIFFERENT,
        level::NEAR | level::DIFFERENT if has_part(x, y) => level::PART,
        found => found,
    }
}

/// Streets, regions and other words.
fn words(x: &Value, y: &Value) -> u8 {
    match spelling(x, y) {
        level::NEAR | level::DIFFERENT
            if has_part(x, y) && (x.parts.len() < 2 || y.parts.len() < 2 || !x.parts.last().eq(&y.parts.last())) =>
        {
            level::PART
        }
        found => found,
    }
}

fn birth(x: &Value, y: &Value) -> u8 {
    let (a, b) = (&x.text, &y.text);
    if a == b {
        return level::SAME;
    }
    let found = edits(a, b, 2);
    if a.len() == 8 && b.len() == 8 {
        if a[..4] == b[..4] && a[4..6] == b[6..] && a[6..] == b[4..6] {
            return level::PART;
        }
        if found <= 1 {
            return level::CLOSE;
        }
        let parts = [0..4, 4..6, 6..8].into_iter().filter(|r| a[r.clone()] == b[r.clone()]).count();
        return if parts == 2 || found == 2 && parts > 0 { level::NEAR } else { level::DIFFERENT };
    }
    match found {
        0 | 1 => level::CLOSE,
        2 => level::NEAR,
        _ => level::DIFFERENT,
    }
}

fn phone(x: &Value, y: &Value) -> u8 {
    if x.text == y.text {
        return level::SAME;
    }
    let tail = |v: &Value| v.text.len().min(9);
    let (a, b) = (&x.text[x.text.len() - tail(x)..], &y.text[y.text.len() - tail(y)..]);
    if a == b && a.len() >= 7 {
        return level::SPELLING;
    }
    match edits(a, b, 2) {
        1 => level::CLOSE,
        2 if a.len() >= 8 => level::NEAR,
        _ => level::DIFFERENT,
    }
}

fn email(x: &Value, y: &Value) -> u8 {
    if x.text == y.text {
        return level::SAME;
    }
    let (a, b) = (x.parts.first(), y.parts.first());
    if a == b && a.is_some_and(|l| l.len() >= 3) {
        return level::VARIANT;
    }
    match edits(&x.text, &y.text, 2) {
        1 => level::CLOSE,
        2 if x.text.len() >= 10 => level::NEAR,
        _ => level::DIFFERENT,
    }
}

fn id(x: &Value, y: &Value) -> u8 {
    match edits(&x.text, &y.text, 2) {
        0 => level::SAME,
        1 => level::CLOSE,
        2 if x.text.len() >= 6 => level::NEAR,
        _ => level::DIFFERENT,
    }
}

/// Short numbers: postcodes, houses, flats.
fn digits(x: &Value, y: &Value) -> u8 {
    if x.text == y.text || !x.skeleton.is_empty() && x.skeleton == y.skeleton {
        return level::SAME;
    }
    match edits(&x.text, &y.text, 1) {
        1 => level::CLOSE,
        _ => level::DIFFERENT,
    }
}
