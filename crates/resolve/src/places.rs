//! Cities whose Ukrainian and other names differ by more than the alphabet, and words of addresses that say nothing.
use base::names::skeleton;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One city a line: what it is called, also before it was renamed.
const CITIES: &str = "київ киев kyiv kiev kiew
львів львов lviv lvov lwow
харків харьков kharkiv kharkov
дніпро днепр днепропетровск дніпропетровськ dnipro dnepr
одеса одесса odesa odessa
запоріжжя запорожье zaporizhzhia zaporozhye
миколаїв николаев mykolaiv nikolaev
чернівці черновцы chernivtsi chernovtsy
чернігів чернигов chernihiv chernigov
тернопіль тернополь ternopil
рівне ровно rivne rovno
вінниця винница vinnytsia vinnitsa
кропивницький кировоград кіровоград кропивницкий kropyvnytskyi
кременчук кременчуг kremenchuk
кривий_ріг кривой_рог kryvyi_rih krivoy_rog
біла_церква белая_церковь bila_tserkva
камянське днепродзержинск дніпродзержинськ каменское kamianske
камянець_подільський каменец_подольский kamianets_podilskyi
івано_франківськ ивано_франковск ivano_frankivsk ivano_frankovsk
хмельницький хмельницкий khmelnytskyi
житомир zhytomyr
черкаси черкассы cherkasy
ужгород uzhhorod uzhgorod
бахмут артемівськ артемовск bakhmut
маріуполь мариуполь mariupol
краматорськ краматорск kramatorsk
словянськ славянск sloviansk
мелітополь мелитополь melitopol
бердянськ бердянск berdiansk
нікополь никополь nikopol
дрогобич дрогобыч drohobych
бровари бровары brovary
бориспіль борисполь boryspil
ірпінь ирпень irpin
шептицький червоноград sheptytskyi chervonohrad
самар новомосковськ новомосковск samar
";

/// The number of a city of our list, by the skeleton of its name without blanks.
pub fn city(key: &str) -> Option<u16> {
    static KNOWN: LazyLock<HashMap<String, u16>> = LazyLock::new(|| {
        let name = |word: &str| word.split('_').map(skeleton).collect::<String>();
        let line = |(number, line): (u16, &'static str)| {
            line.split_whitespace().map(move |word| (name(word), number)).collect::<Vec<_>>()
        };
        (0u16..).zip(CITIES.lines()).flat_map(line).collect()
    });
    KNOWN.get(key).copied()
}

/// What a word of an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Street,
    House,
    Flat,
    City,
    Region,
    Country,
}

/// Reads a word (lower case, without its full stop) as a sign of what follows or stands before it.
pub fn sign(word: &str) -> Option<Sign> {
    Some(match word {
        "вул"
        | "вулиця"
        | "ул"
        | "улица"
        | "vul"
        | "vulytsia"
        | "vulitsa"
        | "ul"
        | "ulitsa"
        | "ulica"
        | "просп"
        | "проспект"
        | "пр"
        | "prospekt"
        | "prosp"
        | "бул"
        | "бульвар"
        | "бульв"
        | "bulvar"
        | "бр"
        | "пров"
        | "провулок"
        | "пер"
        | "переулок"
        | "provulok"
        | "площа"
        | "пл"
        | "площадь"
        | "шосе"
        | "ш"
        | "шоссе"
        | "набережна"
        | "наб"
        | "узвіз"
        | "мкр"
        | "мікрорайон"
        | "str"
        | "проезд"
        | "проїзд"
        | "вулю"
        | "пркт" => Sign::Street,
        "буд" | "будинок" | "д" | "дом" | "bud" | "budynok" | "dom" | "б" => Sign::House,
        "кв" | "квартира" | "kv" | "kvartyra" | "kvartira" | "apt" | "flat" | "apartment" | "оф" | "офіс"
        | "office" => Sign::Flat,
        "м" | "місто" | "город" | "г" | "misto" | "смт" | "смт." | "пгт" | "с" | "село" | "selo" => {
            Sign::City
        }
        "обл" | "область" | "obl" | "oblast" => Sign::Region,
        "україна" | "украина" | "ukraine" | "ukraina" => Sign::Country,
        _ => return None,
    })
}
