use super::*;
use proptest::prelude::*;

fn folded(word: &str) -> String {
    skeleton(&words(word).concat())
}

#[test]
fn spellings_of_one_name_have_one_skeleton() {
    for group in [
        &["Щербак", "Shcherbak", "Scherbak", "ЩЕРБАК", "Sherbak"][..],
        &["Яценко", "Yatsenko", "Iatsenko", "Jacenko"],
        &["Кравчук", "Kravchuk", "Kravčuk", "Krawczuk"],
        &["Хоменко", "Khomenko", "Homenko"],
        &["Ґалаґан", "Galagan", "Halahan", "Галаган"],
        &["Жук", "Zhuk", "Žuk"],
        &["Лисенко", "Лысенко", "Lysenko", "Lisenko"],
        &["Юрій", "Юрий", "Yurii", "Yuriy", "Yuri", "Iurii"],
        &["Мар'яненко", "Мар’яненко", "Марьяненко", "Marianenko", "Maryanenko"],
        &["Ковальський", "Kovalskyi", "Kovalskiy", "Kovalsky", "Ковальский"],
        &["Згурський", "Zghurskyi"],
        &["Ковальська", "Ковальская", "Kovalska", "Kovalskaya"],
        &["Євтушенко", "Yevtushenko", "Ievtushenko", "Евтушенко", "Evtushenko"],
    ] {
        for other in group {
            assert_eq!(folded(other), folded(group[0]), "{other} and {}", group[0]);
        }
    }
    assert_ne!(folded("Бондар"), folded("Бондаренко"));
    assert_ne!(folded("Мельник"), folded("Мельничук"));
}

#[test]
fn kmu_2010_as_in_its_table() {
    // Examples of the resolution's annex.
    for (cyrillic, latin) in [
        ("алушта", "alushta"),
        ("борщагівка", "borshchahivka"),
        ("вінниця", "vinnytsia"),
        ("гадяч", "hadiach"),
        ("згорани", "zghorany"),
        ("ґалаґан", "galagan"),
        ("єнакієве", "yenakiieve"),
        ("гаєвич", "haievych"),
        ("житомир", "zhytomyr"),
        ("їжакевич", "yizhakevych"),
        ("кадиївка", "kadyivka"),
        ("йосипівка", "yosypivka"),
        ("стрий", "stryi"),
        ("харків", "kharkiv"),
        ("біла", "bila"),
        ("щербухи", "shcherbukhy"),
        ("юрій", "yurii"),
        ("корюківка", "koriukivka"),
        ("яготин", "yahotyn"),
        ("костянтин", "kostiantyn"),
        ("розгон", "rozghon"),
    ] {
        assert_eq!(romanise(cyrillic), latin);
    }
}

#[test]
fn given_names_across_languages_and_pet_names() {
    use Likeness::*;
    for (a, b, likeness) in [
        ("Сергій", "СЕРГІЙ", Same),
        ("Сергій", "Serhii", Spelling),
        ("Сергій", "Sergiy", Spelling),
        ("Сергій", "Сергей", Language),
        ("Serhii", "Sergey", Language),
        ("Олександр", "Alexander", Language),
        ("Oleksandr", "Олександр", Spelling),
        ("Олександр", "Саша", Diminutive),
        ("Sasha", "Александра", Diminutive),
        ("Саша", "Шура", Diminutive),
        ("Ольга", "Оля", Diminutive),
        ("Olya", "Ольга", Diminutive),
        ("Іван", "Ваня", Diminutive),
        ("Robert", "Bob", Diminutive),
        ("Bill", "William", Diminutive),
        ("Микола", "Nikolai", Language),
        ("Наталія", "Наталья", Spelling),
        ("Ольга", "Олег", Different),
        ("Марія", "Марина", Different),
        ("Oлeнa", "Олена", Same),
        ("Bob", "Bill", Different),
    ] {
        assert_eq!(compare_given(a, b), likeness, "{a} and {b}");
        assert_eq!(compare_given(b, a), likeness, "{b} and {a}");
    }
}

#[test]
fn patronymics_name_the_father() {
    for (a, b) in [
        ("іванович", "Ivanovych"),
        ("іванівна", "Ивановна"),
        ("сергійович", "Сергеевич"),
        ("олександрівна", "александровна"),
        ("миколайович", "николаевич"),
        ("Mykolaivna", "миколаївна"),
        ("петрівна", "петрович"),
        ("олексіївна", "Алексеевна"),
    ] {
        let father = |word: &str| {
            patronymic(&words(word).concat())
                .unwrap_or_else(|| panic!("{word} is a patronymic"))
                .father
                .unwrap_or_else(|| panic!("{word}: a known father"))
        };
        assert_eq!(father(a), father(b), "{a} and {b}");
    }
    for surname in ["Шевченко", "Бондар", "Smith", "Ткачук"] {
        assert_eq!(patronymic(&words(surname).concat()), None, "{surname}");
    }
}

#[test]
fn womens_and_mens_surnames_share_a_stem() {
    for (a, b) in [
        ("Ковальський", "Ковальська"),
        ("Іванов", "Іванова"),
        ("Ільїн", "Ільїна"),
        ("Білий", "Біла"),
        ("Ivanov", "Иванова"),
    ] {
        assert_eq!(surname_stem(&folded(a)), surname_stem(&folded(b)), "{a} and {b}");
    }
    assert_ne!(surname_stem(&folded("Коваль")), surname_stem(&folded("Ковальчук")));
}

proptest! {
    #[test]
    fn any_text_has_words_and_skeletons(text in "\\PC{0,40}") {
        for word in words(&text) {
            let once = skeleton(&word);
            prop_assert!(once.len() <= 3 * word.len());
        }
    }

    #[test]
    fn official_romanisation_keeps_the_skeleton(word in "([бвгджзклмнпрстфхцчшщ][аеиіоу]){1,6}[влмнр]?") {
        // Two consonants in Latin letters may read as one (`тс` and `ц`, `зх` and `ж`): only syllables are told apart for certain.
        prop_assert_eq!(skeleton(&romanise(&word)), skeleton(&word));
    }
}
