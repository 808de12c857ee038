//! A Ukrainian shop's list: families, namesakes, two alphabets, three ways to write a name.
use super::damage::{capital, latin, typo};
use super::data::{CITIES, ENDINGS, MAIL, MEN, Name, ROOTS, STREETS, SURNAMES, WOMEN};
use super::{Row, shuffle};
use crate::person::{Column, Raw};
use base::Rng;

/// What the list is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ukraine {
    /// People; about 1.9 rows each.
    pub people: u32,
    pub seed: u64,
    /// Part of people who have the very name of somebody else, besides those by chance.
    pub namesakes: f64,
    /// How often a cell of a repeated row is damaged, missing or out of date; 1 is usual.
    pub damage: f64,
}

impl Default for Ukraine {
    fn default() -> Self {
        Self { people: 5_000, seed: 1, namesakes: 0.02, damage: 1.0 }
    }
}

#[derive(Clone)]
struct Home {
    city: usize,
    postcode: String,
    street: &'static str,
    house: String,
    flat: Option<u64>,
    phone: String,
}

#[derive(Clone)]
struct Someone {
    woman: bool,
    name: usize,
    father: usize,
    surname: String,
    birth: (u64, u64, u64),
    phone: Option<String>,
    email: Option<String>,
    home: Home,
}

/// Makes the list.
pub fn ukraine(options: &Ukraine) -> Vec<Row> {
    let mut rng = Rng::new(options.seed);
    let mut people: Vec<Someone> = Vec::new();
    while people.len() < options.people as usize {
        family(&mut people, &mut rng);
    }
    people.truncate(options.people as usize);
    for at in 0..people.len() {
        if rng.unit() < options.namesakes {
            let other = people[rng.below(at as u64 + 1) as usize].clone();
            let me = &mut people[at];
            (me.woman, me.name, me.father, me.surname) = (other.woman, other.name, other.father, other.surname);
        }
    }
    let mut rows = Vec::new();
    for (number, person) in people.iter().enumerate() {
        rows.push(Row { raw: Writer::new(person, None, &mut rng).write(), person: number as u32 });
        let mut more = 0;
        while more < 5 && rng.unit() < if more == 0 { 0.5 } else { 0.4 } {
            more += 1;
            rows.push(Row { raw: Writer::new(person, Some(options.damage), &mut rng).write(), person: number as u32 });
        }
    }
    shuffle(&mut rows, &mut rng);
    rows
}

/// A number below `count`, small ones more often.
fn skewed(count: usize, rng: &mut Rng) -> usize {
    let x = rng.unit();
    ((x * x * count as f64) as usize).min(count - 1)
}

fn mobile(rng: &mut Rng) -> String {
    let operator = rng.pick(&["50", "66", "67", "68", "73", "93", "95", "96", "97", "98", "99", "63"]);
    format!("{operator}{:07}", rng.below(10_000_000))
}

fn home(rng: &mut Rng) -> Home {
    let city = skewed(CITIES.len(), rng);
    let letter = if rng.below(10) == 0 { ["а", "б", "в"][rng.below(3) as usize] } else { "" };
    Home {
        city,
        postcode: format!("{}{:03}", CITIES[city].3, rng.below(60) * 5),
        street: STREETS[skewed(STREETS.len(), rng)],
        house: format!("{}{letter}", 1 + rng.below(120)),
        flat: (rng.below(5) > 0).then(|| 1 + rng.below(160)),
        phone: mobile(rng),
    }
}

fn surname(rng: &mut Rng) -> String {
    if rng.below(4) == 0 {
        SURNAMES[skewed(SURNAMES.len(), rng)].to_string()
    } else {
        format!("{}{}", rng.pick(ROOTS), rng.pick(ENDINGS))
    }
}

/// One to five people of one home.
fn family(people: &mut Vec<Someone>, rng: &mut Rng) {
    let home = home(rng);
    let surname = surname(rng);
    let size = *rng.pick(&[1usize, 1, 1, 2, 2, 3, 3, 4, 5]);
    let parent_born = 1945 + rng.below(50);
    let father = skewed(MEN.len(), rng);
    for at in 0..size {
        let child = at >= 2;
        let woman = if at == 0 && size > 1 {
            false
        } else if at == 1 {
            true
        } else {
            rng.below(2) == 0
        };
        let year = if child { parent_born + 20 + rng.below(14) } else { parent_born + rng.below(6) };
        let name = if at == 0 && !woman { father } else { skewed(if woman { WOMEN.len() } else { MEN.len() }, rng) };
        let own = rng.below(10);
        let mut person = Someone {
            woman,
            name,
            father: if child { father } else { skewed(MEN.len(), rng) },
            surname: surname.clone(),
            birth: (year.min(2008), 1 + rng.below(12), 1 + rng.below(28)),
            phone: if own < 7 {
                Some(mobile(rng))
            } else if own < 9 {
                Some(home.phone.clone())
            } else {
                None
            },
            email: None,
            home: home.clone(),
        };
        if rng.below(3) > 0 {
            person.email = Some(email(&person, rng));
        }
        people.push(person);
    }
}

fn email(person: &Someone, rng: &mut Rng) -> String {
    let name = latin(names_of(person).uk, 0).to_lowercase();
    let surname = latin(&person.surname, 0).to_lowercase();
    let year = person.birth.0;
    let local = match rng.below(5) {
        0 => format!("{name}.{surname}"),
        1 => format!("{surname}{}", year % 100),
        2 => format!("{}{surname}{}", &name[..1], rng.below(1000)),
        3 => format!("{name}{}", rng.below(100_000)),
        _ => format!("{surname}_{name}{}", rng.below(100)),
    };
    format!("{local}@{}", rng.pick(MAIL))
}

fn names_of(person: &Someone) -> &'static Name {
    if person.woman { &WOMEN[person.name] } else { &MEN[person.name] }
}

#[derive(Clone, Copy, PartialEq)]
enum Script {
    Ukrainian,
    Russian,
    Latin(u64),
}

/// Writes one row about somebody.
struct Writer<'a> {
    person: &'a Someone,
    damage: f64,
    script: Script,
    rng: &'a mut Rng,
    raw: Raw,
}

impl<'a> Writer<'a> {
    /// `damage` is `None` for a row as it should be.
    fn new(person: &'a Someone, damage: Option<f64>, rng: &'a mut Rng) -> Self {
        let style = rng.unit();
        let script = match style {
            _ if damage.is_none() && style < 0.8 => Script::Ukrainian,
            s if s < 0.5 => Script::Ukrainian,
            s if s < 0.7 => Script::Russian,
            _ => Script::Latin(rng.below(4)),
        };
        Self { person, damage: damage.unwrap_or(0.0), script, rng, raw: Raw::default() }
    }

    fn happens(&mut self, chance: f64) -> bool {
        self.rng.unit() < chance * self.damage
    }

    fn put(&mut self, column: Column, text: &str, typos: f64) {
        let text = if self.happens(typos) { typo(text, self.rng) } else { text.to_string() };
        self.raw.put(column, &text);
    }

    fn in_script(&self, uk: &str, ru: &str) -> String {
        match self.script {
            Script::Ukrainian => uk.to_string(),
            Script::Russian => ru.to_string(),
            Script::Latin(2) => latin(ru, 2),
            Script::Latin(style) => latin(uk, style),
        }
    }

    fn write(mut self) -> Raw {
        self.names();
        self.contacts();
        self.birth();
        self.address();
        self.raw
    }

    fn names(&mut self) {
        let name = names_of(self.person);
        let pet = self.happens(0.12).then(|| *self.rng.pick(name.pet));
        let given = pet.map_or_else(|| self.in_script(name.uk, name.ru), |pet| self.in_script(pet, pet));
        let surname = self.surname();
        let patronymic = self.patronymic();
        let patronymic = if self.happens(0.4) {
            String::new()
        } else if self.happens(0.1) {
            format!("{}.", patronymic.chars().next().unwrap_or('О'))
        } else {
            patronymic
        };
        match self.rng.below(20) {
            0 if self.damage > 0.0 => {
                self.put(Column::Name, &format!("{surname} {given} {patronymic}"), 0.1);
            }
            1 if self.damage > 0.0 => {
                self.put(Column::Given, &surname, 0.0);
                self.put(Column::Surname, &given, 0.0);
                self.put(Column::Patronymic, &patronymic, 0.0);
            }
            _ => {
                self.put(Column::Given, &given, 0.07);
                self.put(Column::Surname, &surname, 0.1);
                self.put(Column::Patronymic, &patronymic, 0.07);
            }
        }
    }

    /// A woman's surname ends as a woman's; in Russian letters endings and vowels change.
    fn surname(&self) -> String {
        let base = &self.person.surname;
        let uk = match base.strip_suffix("ський") {
            Some(stem) if self.person.woman => format!("{stem}ська"),
            _ => base.clone(),
        };
        let ru = uk
            .replace("ський", "ский")
            .replace("ська", "ская")
            .replace("ець", "ец")
            .replace(['і', 'ї'], "и")
            .replace('є', "е");
        self.in_script(&uk, &ru)
    }

    fn patronymic(&self) -> String {
        let (uk, ru) = MEN[self.person.father].father.unwrap_or_default();
        let soft = uk.ends_with("йо");
        let uk = match (self.person.woman, soft) {
            (true, true) => format!("{}ївна", uk.trim_end_matches("йо")),
            (true, false) => format!("{}івна", uk.trim_end_matches('о')),
            (false, true) => format!("{uk}вич"),
            (false, false) => format!("{}ович", uk.trim_end_matches('о')),
        };
        let ru = match ru.chars().last() {
            Some('е' | 'о') => format!("{ru}{}", if self.person.woman { "вна" } else { "вич" }),
            _ => format!("{ru}{}", if self.person.woman { "овна" } else { "ович" }),
        };
        self.in_script(&uk, &ru)
    }

    fn contacts(&mut self) {
        let phone = if self.happens(0.12) { Some(mobile(self.rng)) } else { self.person.phone.clone() };
        if let Some(phone) = phone.filter(|_| !self.happens(0.2)) {
            let phone = if self.happens(0.03) { typo(&phone, self.rng) } else { phone };
            let cut = |from: usize, to: usize| phone.get(from..to.min(phone.len())).unwrap_or_default();
            let text = match self.rng.below(5) {
                0 => format!("+380{phone}"),
                1 => format!("0{phone}"),
                2 => format!("+38 (0{}) {}-{}-{}", cut(0, 2), cut(2, 5), cut(5, 7), cut(7, 12)),
                3 => format!("380{phone}"),
                _ => format!("0{} {} {}", cut(0, 2), cut(2, 5), cut(5, 12)),
            };
            self.put(Column::Phone, &text, 0.0);
        }
        if let Some(usual) = self.person.email.clone().filter(|_| !self.happens(0.35)) {
            let text = if self.happens(0.08) { email(self.person, self.rng) } else { usual };
            self.put(Column::Email, &text, 0.04);
        }
    }

    fn birth(&mut self) {
        if self.happens(0.25) {
            return;
        }
        let (year, mut month, mut day) = self.person.birth;
        if self.happens(0.02) {
            (month, day) = if day <= 12 { (day, month) } else { (month, day) };
        }
        let text = match self.rng.below(3) {
            0 => format!("{year}-{month:02}-{day:02}"),
            1 => format!("{day:02}.{month:02}.{year}"),
            _ => format!("{day:02}/{month:02}/{year}"),
        };
        self.put(Column::Birth, &text, 0.04);
    }

    fn address(&mut self) {
        if self.happens(0.2) {
            return;
        }
        let home = if self.happens(0.15) { home(self.rng) } else { self.person.home.clone() };
        let (uk, ru, region, _) = CITIES[home.city];
        let city = self.in_script(uk, ru);
        let street = self.in_script(home.street, home.street);
        let street = match (self.script, self.rng.below(3)) {
            (Script::Ukrainian, 0) => format!("вул. {street}"),
            (Script::Ukrainian, 1) => format!("вулиця {street}"),
            (Script::Russian, 0 | 1) => format!("ул. {street}"),
            (Script::Latin(_), 0 | 1) => format!("vul. {street}"),
            _ => street,
        };
        let flat = home.flat.map_or(String::new(), |f| f.to_string());
        if self.rng.below(4) == 0 {
            let mut line = format!("{street}, {}", home.house);
            if home.flat.is_some() {
                line.push_str(&format!(", кв. {flat}"));
            }
            self.put(Column::Address1, &line, 0.05);
        } else {
            self.put(Column::Street, &street, 0.06);
            self.put(Column::House, &home.house, 0.02);
            self.put(Column::Flat, &flat, 0.02);
        }
        self.put(Column::City, &capital(&city), 0.03);
        if self.rng.below(3) > 0 {
            let region = self.in_script(region, region);
            self.put(Column::Region, &format!("{region} обл."), 0.02);
        }
        if self.rng.below(2) == 0 {
            self.put(Column::Postcode, &home.postcode, 0.03);
        }
    }
}
