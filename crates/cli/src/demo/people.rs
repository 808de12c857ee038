//! Made-up people: names, numbers and addresses that belong to nobody.
use base::Rng;

/// Somebody made up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Somebody {
    pub first: &'static str,
    pub last: &'static str,
    pub phone: String,
    pub email: String,
    pub city: &'static str,
    /// Whether they agreed to be written to.
    pub agrees: bool,
}

/// First and last name in Ukrainian with their Latin spelling.
const FIRST: &[(&str, &str)] = &[
    ("Олена", "olena"),
    ("Андрій", "andrii"),
    ("Марія", "mariia"),
    ("Тарас", "taras"),
    ("Оксана", "oksana"),
    ("Іван", "ivan"),
    ("Наталія", "nataliia"),
    ("Богдан", "bohdan"),
    ("Ірина", "iryna"),
    ("Максим", "maksym"),
    ("Юлія", "yuliia"),
    ("Дмитро", "dmytro"),
    ("Софія", "sofiia"),
    ("Олег", "oleh"),
    ("Катерина", "kateryna"),
    ("Роман", "roman"),
    ("Анна", "anna"),
    ("Василь", "vasyl"),
    ("Христина", "khrystyna"),
    ("Петро", "petro"),
];
const LAST: &[(&str, &str)] = &[
    ("Шевченко", "shevchenko"),
    ("Коваленко", "kovalenko"),
    ("Бондаренко", "bondarenko"),
    ("Ткаченко", "tkachenko"),
    ("Кравченко", "kravchenko"),
    ("Олійник", "oliinyk"),
    ("Мельник", "melnyk"),
    ("Шевчук", "shevchuk"),
    ("Поліщук", "polishchuk"),
    ("Бойко", "boiko"),
    ("Лисенко", "lysenko"),
    ("Марченко", "marchenko"),
    ("Савченко", "savchenko"),
    ("Руденко", "rudenko"),
    ("Петренко", "petrenko"),
    ("Гончар", "honchar"),
    ("Мороз", "moroz"),
    ("Кравчук", "kravchuk"),
    ("Павленко", "pavlenko"),
    ("Литвин", "lytvyn"),
];
const CITIES: &[&str] = &["Київ", "Львів", "Одеса", "Харків", "Дніпро", "Вінниця", "Полтава", "Чернівці"];

/// The person number `at` of a seed: always the same.
pub fn somebody(seed: u64, at: usize) -> Somebody {
    let mut rng = Rng::new(seed ^ (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (first, first_latin) = *rng.pick(FIRST);
    let (last, last_latin) = *rng.pick(LAST);
    Somebody {
        first,
        last,
        // The number holds its position, so that no two people share one. 39 is of an operator that is no more.
        phone: format!("+38039{:07}", 1_000_000 + at * 7919 % 8_999_999),
        email: format!("{first_latin}.{last_latin}.{at}@example.com"),
        city: CITIES[rng.below(CITIES.len() as u64) as usize],
        agrees: rng.below(2) == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn people_are_the_same_for_a_seed_and_share_nothing() {
        let all: Vec<Somebody> = (0..500).map(|at| somebody(1, at)).collect();
        assert_eq!(all, (0..500).map(|at| somebody(1, at)).collect::<Vec<_>>());
        let phones: HashSet<&String> = all.iter().map(|p| &p.phone).collect();
        let emails: HashSet<&String> = all.iter().map(|p| &p.email).collect();
        assert_eq!((phones.len(), emails.len()), (500, 500));
        let ukraine = base::Country::find("UA");
        assert!(all.iter().all(|p| base::normalise_phone(&p.phone, ukraine).as_ref() == Some(&p.phone)));
        let agree = all.iter().filter(|p| p.agrees).count();
        assert!((200..300).contains(&agree), "{agree}");
    }
}
