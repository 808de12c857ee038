//! Oblasts and larger cities of Ukraine: names, codes (ISO 3166-2:UA) and coordinates of centres, two decimals.

/// An oblast, or a city with that rank.
pub(super) struct Oblast {
    pub code: &'static str,
    pub name: &'static str,
    /// How tables in Latin letters begin its name, letters only, lower case.
    latin: &'static [&'static str],
}

const fn entry(code: &'static str, name: &'static str, latin: &'static [&'static str]) -> Oblast {
    Oblast { code, name, latin }
}

pub(super) const OBLASTS: &[Oblast] = &[
    entry("UA-05", "Вінницька область", &["vinny", "vinni"]),
    entry("UA-07", "Волинська область", &["volyn", "volin"]),
    entry("UA-09", "Луганська область", &["luhansk", "lugansk"]),
    entry("UA-12", "Дніпропетровська область", &["dnipropetrovs", "dnepropetrovs", "dnipro"]),
    entry("UA-14", "Донецька область", &["donet", "donec"]),
    entry("UA-18", "Житомирська область", &["zhytomyr", "zhitomir"]),
    entry("UA-21", "Закарпатська область", &["zakarpat", "transcarpath"]),
    entry("UA-23", "Запорізька область", &["zapor"]),
    entry("UA-26", "Івано-Франківська область", &["ivano"]),
    entry("UA-30", "Київ", &["kyivcity", "kyivmisto", "kyyivmisto", "cityofkyiv", "misto", "kievcity"]),
    entry("UA-32", "Київська область", &["kyiv", "kyyiv", "kiev"]),
    entry("UA-35", "Кіровоградська область", &["kirovo", "kropyv"]),
    entry("UA-40", "Севастополь", &["sevast", "cityofsevast"]),
    entry("UA-43", "Автономна Республіка Крим", &["crimea", "krym", "avtonom", "autonom", "republicofcrimea"]),
    entry("UA-46", "Львівська область", &["lviv", "lvov"]),
    entry("UA-48", "Миколаївська область", &["mykola", "nikola"]),
    entry("UA-51", "Одеська область", &["odes"]),
    entry("UA-53", "Полтавська область", &["poltav"]),
    entry("UA-56", "Рівненська область", &["rivn", "rovno"]),
    entry("UA-59", "Сумська область", &["sumy", "sums"]),
    entry("UA-61", "Тернопільська область", &["ternop"]),
    entry("UA-63", "Харківська область", &["khark", "hark"]),
    entry("UA-65", "Херсонська область", &["kherson", "herson"]),
    entry("UA-68", "Хмельницька область", &["khmel", "hmel"]),
    entry("UA-71", "Черкаська область", &["cherka"]),
    entry("UA-74", "Чернігівська область", &["chernih", "chernig"]),
    entry("UA-77", "Чернівецька область", &["cherniv"]),
];

/// An oblast by the name that a table gives it, in Latin or Ukrainian.
pub(super) fn oblast_of(letters: &str) -> Option<&'static Oblast> {
    // The city of Kyiv before the oblast around it.
    let latin = |o: &&Oblast| o.latin.iter().any(|l| letters.starts_with(l));
    OBLASTS.iter().find(|o| o.code == "UA-30" && latin(o)).or_else(|| OBLASTS.iter().find(latin))
}

pub(super) fn oblast(name: &str) -> Option<&'static Oblast> {
    if let Some(known) = OBLASTS.iter().find(|o| o.name == name || o.code == name) {
        return Some(known);
    }
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    oblast_of(&letters)
}

/// A city with its centre, in degrees.
pub(super) struct City {
    pub name: &'static str,
    latin: &'static str,
    pub oblast: &'static str,
    pub lat: f64,
    pub lon: f64,
}

/// The Ukrainian name of a city by its Latin one.
pub(super) fn city_name(latin: &str) -> Option<&'static str> {
    let letters =
        |t: &str| -> String { t.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect() };
    let wanted = match letters(latin).as_str() {
        "kiev" | "kyyiv" => "kyiv".to_string(),
        "kharkov" => "kharkiv".into(),
        "lvov" => "lviv".into(),
        "odessa" => "odesa".into(),
        "nikolaev" | "nikolayev" => "mykolaiv".into(),
        "dnepr" | "dnipropetrovsk" | "dnepropetrovsk" => "dnipro".into(),
        "zaporozhye" | "zaporizhia" | "zaporizhzhya" => "zaporizhzhia".into(),
        "vinnitsa" | "vinnytsya" => "vinnytsia".into(),
        "chernigov" => "chernihiv".into(),
        "rovno" => "rivne".into(),
        "krivoyrog" | "kryvyyrih" => "kryvyirih".into(),
        other => other.to_string(),
    };
    if wanted.is_empty() {
        return None;
    }
    CITIES.iter().find(|c| letters(c.latin) == wanted).map(|c| c.name)
}

const fn city(name: &'static str, latin: &'static str, oblast: &'static str, lat: f64, lon: f64) -> City {
    City { name, latin, oblast, lat, lon }
}

pub(super) const CITIES: &[City] = &[
    city("Київ", "Kyiv", "UA-30", 50.45, 30.52),
    city("Харків", "Kharkiv", "UA-63", 49.99, 36.23),
    city("Одеса", "Odesa", "UA-51", 46.48, 30.73),
    city("Дніпро", "Dnipro", "UA-12", 48.46, 35.05),
    city("Донецьк", "Donetsk", "UA-14", 48.00, 37.80),
    city("Запоріжжя", "Zaporizhzhia", "UA-23", 47.84, 35.14),
    city("Львів", "Lviv", "UA-46", 49.84, 24.03),
    city("Кривий Ріг", "Kryvyi Rih", "UA-12", 47.91, 33.39),
    city("Миколаїв", "Mykolaiv", "UA-48", 46.97, 32.00),
    city("Севастополь", "Sevastopol", "UA-40", 44.62, 33.53),
    city("Маріуполь", "Mariupol", "UA-14", 47.10, 37.54),
    city("Луганськ", "Luhansk", "UA-09", 48.57, 39.31),
    city("Вінниця", "Vinnytsia", "UA-05", 49.23, 28.47),
    city("Сімферополь", "Simferopol", "UA-43", 44.95, 34.10),
    city("Херсон", "Kherson", "UA-65", 46.64, 32.61),
    city("Полтава", "Poltava", "UA-53", 49.59, 34.55),
    city("Чернігів", "Chernihiv", "UA-74", 51.50, 31.29),
    city("Черкаси", "Cherkasy", "UA-71", 49.44, 32.06),
    city("Хмельницький", "Khmelnytskyi", "UA-68", 49.42, 26.99),
    city("Житомир", "Zhytomyr", "UA-18", 50.25, 28.66),
    city("Чернівці", "Chernivtsi", "UA-77", 48.29, 25.94),
    city("Суми", "Sumy", "UA-59", 50.91, 34.80),
    city("Рівне", "Rivne", "UA-56", 50.62, 26.25),
    city("Івано-Франківськ", "Ivano-Frankivsk", "UA-26", 48.92, 24.71),
    city("Кропивницький", "Kropyvnytskyi", "UA-35", 48.51, 32.26),
    city("Тернопіль", "Ternopil", "UA-61", 49.55, 25.59),
    city("Луцьк", "Lutsk", "UA-07", 50.75, 25.34),
    city("Ужгород", "Uzhhorod", "UA-21", 48.62, 22.29),
    city("Біла Церква", "Bila Tserkva", "UA-32", 49.80, 30.12),
    city("Кременчук", "Kremenchuk", "UA-53", 49.07, 33.42),
    city("Кам'янське", "Kamianske", "UA-12", 48.51, 34.61),
    city("Горлівка", "Horlivka", "UA-14", 48.30, 38.05),
    city("Краматорськ", "Kramatorsk", "UA-14", 48.72, 37.56),
    city("Слов'янськ", "Sloviansk", "UA-14", 48.85, 37.61),
    city("Мелітополь", "Melitopol", "UA-23", 46.85, 35.37),
    city("Бердянськ", "Berdiansk", "UA-23", 46.76, 36.79),
    city("Нікополь", "Nikopol", "UA-12", 47.57, 34.40),
    city("Павлоград", "Pavlohrad", "UA-12", 48.53, 35.87),
    city("Бровари", "Brovary", "UA-32", 50.51, 30.79),
    city("Бориспіль", "Boryspil", "UA-32", 50.35, 30.95),
    city("Ірпінь", "Irpin", "UA-32", 50.52, 30.25),
    city("Фастів", "Fastiv", "UA-32", 50.08, 29.92),
    city("Умань", "Uman", "UA-71", 48.75, 30.22),
    city("Мукачево", "Mukachevo", "UA-21", 48.44, 22.72),
    city("Дрогобич", "Drohobych", "UA-46", 49.35, 23.51),
    city("Стрий", "Stryi", "UA-46", 49.26, 23.85),
    city("Червоноград", "Chervonohrad", "UA-46", 50.39, 24.23),
    city("Калуш", "Kalush", "UA-26", 49.04, 24.36),
    city("Коломия", "Kolomyia", "UA-26", 48.53, 25.04),
    city("Ковель", "Kovel", "UA-07", 51.22, 24.71),
    city("Кам'янець-Подільський", "Kamianets-Podilskyi", "UA-68", 48.68, 26.58),
    city("Шепетівка", "Shepetivka", "UA-68", 50.18, 27.06),
    city("Бердичів", "Berdychiv", "UA-18", 49.90, 28.58),
    city("Коростень", "Korosten", "UA-18", 50.95, 28.64),
    city("Ніжин", "Nizhyn", "UA-74", 51.05, 31.88),
    city("Прилуки", "Pryluky", "UA-74", 50.59, 32.39),
    city("Конотоп", "Konotop", "UA-59", 51.24, 33.20),
    city("Шостка", "Shostka", "UA-59", 51.86, 33.47),
    city("Лубни", "Lubny", "UA-53", 50.02, 33.00),
    city("Ізмаїл", "Izmail", "UA-51", 45.35, 28.84),
    city("Чорноморськ", "Chornomorsk", "UA-51", 46.30, 30.66),
    city("Первомайськ", "Pervomaisk", "UA-48", 48.05, 30.85),
    city("Олександрія", "Oleksandriia", "UA-35", 48.67, 33.12),
    city("Лозова", "Lozova", "UA-63", 48.89, 36.32),
    city("Ізюм", "Izium", "UA-63", 49.21, 37.25),
    city("Лисичанськ", "Lysychansk", "UA-09", 48.90, 38.43),
    city("Керч", "Kerch", "UA-43", 45.36, 36.47),
    city("Нова Каховка", "Nova Kakhovka", "UA-65", 46.75, 33.37),
    city("Чортків", "Chortkiv", "UA-61", 49.02, 25.80),
    city("Могилів-Подільський", "Mohyliv-Podilskyi", "UA-05", 48.45, 27.80),
];
