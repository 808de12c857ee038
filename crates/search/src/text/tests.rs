use super::*;
use proptest::prelude::*;

/// Forms of one word have one stem.
#[test]
fn forms_of_a_word_meet() {
    let families: &[&[&str]] = &[
        // Ukrainian.
        &["кросівки", "кросівок", "кросівкам", "кросівками", "кросівках"],
        &["сукня", "сукні", "суконь", "сукню", "сукнею", "сукнями"],
        &["сорочка", "сорочки", "сорочок", "сорочці", "сорочкою", "сорочками"],
        &["червоний", "червона", "червоне", "червоні", "червоного", "червоним", "червоних"],
        &["чоловічий", "чоловічі", "чоловіча", "чоловічих", "чоловічого"],
        &["футболка", "футболки", "футболок", "футболку"],
        &["светр", "светри", "светрів", "светром"],
        &["книга", "книги", "книзі", "книгою"],
        &["куртка", "куртки", "курток", "куртку", "куртками"],
        &["шкарпетки", "шкарпеток", "шкарпетками"],
        &["дитячий", "дитяча", "дитячі", "дитячого", "дитячих"],
        &["чашка", "чашок", "чашки", "чашкою"],
        &["навушники", "навушників", "навушниками"],
        // Russian.
        &["платье", "платья", "платьев", "платьями", "платью"],
        &["ботинки", "ботинок", "ботинками", "ботинках"],
        &["красивый", "красивая", "красивое", "красивые", "красивых", "красивого"],
        &["рубашка", "рубашки", "рубашек", "рубашку", "рубашкой"],
        &["кофта", "кофты", "кофту", "кофтой", "кофтами"],
        &["кружка", "кружек", "кружки", "кружкой"],
        // English.
        &["shoe", "shoes"],
        &["dress", "dresses"],
        &["blouse", "blouses"],
        &["box", "boxes"],
        &["watch", "watches"],
        &["battery", "batteries"],
    ];
    for family in families {
        let stems: Vec<String> = family.iter().map(|w| stem(w)).collect();
        assert!(stems.windows(2).all(|w| w[0] == w[1]), "{family:?} {stems:?}");
    }
    // Both languages meet where only letters differ.
    for (uk, ru) in [("синій", "синий"), ("ґумка", "гумка"), ("п'ять", "пять"), ("колір", "колир")]
    {
        assert_eq!(stem(uk), stem(ru), "{uk} {ru}");
    }
}

#[test]
fn words_that_differ_stay_apart() {
    let words = [
        "сукня",
        "сорочка",
        "светр",
        "чашка",
        "куртка",
        "книга",
        "рубашка",
        "платье",
        "shoe",
        "shirt",
        "dress",
        "box",
        "скло",
        "стіл",
    ];
    for (at, a) in words.iter().enumerate() {
        for b in &words[at + 1..] {
            assert_ne!(stem(a), stem(b), "{a} {b}");
        }
    }
}

#[test]
fn names_meet_in_either_script() {
    for (latin, cyrillic) in [
        ("samsung", "самсунг"),
        ("adidas", "адідас"),
        ("puma", "пума"),
        ("philips", "філіпс"),
        ("bosch", "бош"),
        ("lenovo", "леново"),
        ("tefal", "тефаль"),
        ("braun", "браун"),
    ] {
        assert_eq!(sound(latin), sound(cyrillic), "{latin} {cyrillic}");
    }
}

#[test]
fn a_wrong_keyboard_layout_is_read() {
    assert!(other_layout("rhjcsdrb").contains(&"кросівки".to_string()));
    assert!(other_layout("gkfnmt").contains(&"платье".to_string()));
    assert!(other_layout("фвшвфі").iter().any(|w| w == "adidas"));
}

#[test]
fn words_are_cut_where_words_end() {
    assert_eq!(words("Кросівки «Nike-Air», 42½ п'ята"), ["кросівки", "nike", "air", "42½", "п'ята"]);
    assert_eq!(article(" AB-12/34 "), "ab1234");
}

proptest! {
    #[test]
    fn nothing_that_people_type_breaks_it(text in ".{0,60}") {
        for word in words(&text) {
            let _ = (stem(&word), sound(&word), other_layout(&word));
        }
    }
}
