//! The register of processing purposes as a page to print, in the shop's two languages. It loads nothing and runs nothing.
use super::purposes::Register;
use crate::app::App;
use crate::personal::Language;
use crate::problem::{BAD_QUERY, Problem};
use base::Timestamp;
use jiff::tz::TimeZone;

/// The language that is asked for, or else the shop's.
pub fn language(asked: Option<&str>, app: &App) -> Result<Language, Problem> {
    match asked {
        Some("en") => Ok(Language::En),
        Some("uk") => Ok(Language::Uk),
        Some(_) => Err(BAD_QUERY.because("language is en or uk")),
        None => Ok(Language::of(&app.config.locale)),
    }
}

/// Headings, words of ours, and the register's first lines as they stand until the shop writes its own: English, Ukrainian.
#[rustfmt::skip]
const WORDS: &[(&str, &str)] = &[
    ("Register of processing purposes", "Реєстр цілей обробки персональних даних"),
    ("As of", "Станом на"), ("People erased so far", "Вилучено людей дотепер"),
    ("Purposes", "Цілі"), ("Purpose", "Мета"), ("Legal ground", "Правова підстава"), ("Categories", "Категорії"),
    ("Retention", "Строк зберігання"), ("Recipients", "Одержувачі"),
    ("Documents kept after an erasure", "Документи, що лишаються після вилучення"),
    ("Document", "Документ"), ("Ground", "Підстава"), ("Days", "Днів"), ("Kept now", "Зберігається зараз"),
    ("Requests", "Запити"), ("Kind", "Вид"), ("State", "Стан"), ("Overdue", "Прострочено"),
    ("access", "доступ"), ("erasure", "вилучення"), ("rectification", "виправлення"), ("objection", "заперечення"),
    ("received", "отримано"), ("verified", "особу підтверджено"), ("running", "виконується"), ("done", "виконано"), ("refused", "відмовлено"),
    ("Order Completed", "Замовлення виконано"), ("Order Refunded", "Замовлення повернено"),
    ("Fulfilment of orders", "Виконання замовлень"), ("Contract (GDPR art. 6.1.b)", "Договір (GDPR, ст. 6.1.b)"),
    ("Buyers: name, contacts, address, order", "Покупці: ім’я, контакти, адреса, замовлення"),
    ("3 years after the order", "3 роки після замовлення"), ("Carriers, payment services", "Перевізники, платіжні сервіси"),
    ("Bookkeeping and taxes", "Бухгалтерія та податки"),
    ("Legal duty (GDPR art. 6.1.c; Tax Code of Ukraine, art. 44.3)", "Обов’язок за законом (GDPR, ст. 6.1.c; Податковий кодекс України, ст. 44.3)"),
    ("Tax Code of Ukraine, art. 44.3", "Податковий кодекс України, ст. 44.3"),
    ("Buyers: receipts and amounts", "Покупці: чеки та суми"), ("1095 days after the document", "1095 днів після документа"), ("Tax office", "Податкова служба"),
    ("Marketing messages", "Рекламні повідомлення"), ("Consent (GDPR art. 6.1.a)", "Згода (GDPR, ст. 6.1.a)"),
    ("Subscribers: contacts, purchases, visits", "Підписники: контакти, покупки, відвідування"),
    ("Until the consent is withdrawn", "До відкликання згоди"), ("Mail service", "Поштовий сервіс"),
    ("Service of customers", "Обслуговування клієнтів"), ("Legitimate interest (GDPR art. 6.1.f)", "Законний інтерес (GDPR, ст. 6.1.f)"),
    ("Customers: contacts, conversations, purchases", "Клієнти: контакти, розмови, покупки"),
    ("3 years after the last contact", "3 роки після останнього контакту"), ("None", "Немає"),
    ("Statistics of the shop", "Статистика магазину"), ("Visitors: events without contacts", "Відвідувачі: події без контактів"),
    ("13 months", "13 місяців"),
];

/// A text in a language; what the shop wrote itself stays as it is.
fn say(language: Language, text: &str) -> &str {
    match language {
        Language::En => text,
        Language::Uk => WORDS.iter().find(|(en, _)| *en == text).map_or(text, |(_, uk)| uk),
    }
}

/// A moment as people of the language write it.
fn moment(language: Language, at: Timestamp, zone: &TimeZone) -> String {
    let form = match language {
        Language::En => "%Y-%m-%d %H:%M",
        Language::Uk => "%d.%m.%Y %H:%M",
    };
    let local = jiff::Timestamp::from_microsecond(at.micros()).map(|t| t.to_zoned(zone.clone()));
    local.map_or_else(|_| at.to_string(), |t| t.strftime(form).to_string())
}

/// A text as HTML.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A table as HTML; every cell is escaped.
fn table(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let mut out = format!("<h2>{}</h2>\n<table>\n<tr>", escape(title));
    for cell in head {
        out.push_str(&format!("<th>{}</th>", escape(cell)));
    }
    out.push_str("</tr>\n");
    for row in rows {
        let cells: String = row.iter().map(|c| format!("<td>{}</td>", escape(c))).collect();
        out.push_str(&format!("<tr>{cells}</tr>\n"));
    }
    out.push_str("</table>\n");
    out
}

/// A whole page around what it says.
fn document(language: Language, title: &str, inside: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{1}\"><head><meta charset=\"utf-8\"><title>{0}</title>\n<style>\
         body{{font:14px/1.4 sans-serif;margin:2em;max-width:70em}}table{{border-collapse:collapse;width:100%}}\
         th,td{{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top;word-break:break-word}}\
         th{{background:#eee}}</style></head>\n<body><h1>{0}</h1>\n{inside}</body></html>\n",
        escape(title),
        language.as_str()
    )
}

/// The register as a page.
pub fn register(register: &Register, language: Language, (now, zone): (Timestamp, &TimeZone)) -> String {
    let say = |text: &str| say(language, text).to_string();
    let listed = |title: &str, heads: &[&str], rows: Vec<Vec<String>>| {
        let heads: Vec<String> = heads.iter().map(|h| say(h)).collect();
        table(&say(title), &heads.iter().map(String::as_str).collect::<Vec<_>>(), &rows)
    };
    let purposes = register.items.iter().filter(|p| !p.archived);
    let purposes =
        purposes.map(|p| [&p.purpose, &p.ground, &p.categories, &p.retention, &p.recipients].map(|t| say(t)).to_vec());
    let retained = register.retained.iter().filter(|r| r.enabled);
    let retained = retained.map(|r| vec![say(&r.event), say(&r.ground), r.term_days.to_string(), r.kept.to_string()]);
    let requests = register.requests.iter();
    let requests = requests.map(|r| vec![say(&r.kind), say(&r.state), r.count.to_string(), r.overdue.to_string()]);
    let lead = format!(
        "{} {}. {}: {}.",
        say("As of"),
        moment(language, now, zone),
        say("People erased so far"),
        register.erasures
    );
    let inside = [
        format!("<p>{}</p>\n", escape(&lead)),
        listed("Purposes", &["Purpose", "Legal ground", "Categories", "Retention", "Recipients"], purposes.collect()),
        listed("Documents kept after an erasure", &["Document", "Ground", "Days", "Kept now"], retained.collect()),
        listed("Requests", &["Kind", "State", "Requests", "Overdue"], requests.collect()),
    ];
    document(language, &say("Register of processing purposes"), &inside.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use customers::privacy::purposes::PRESETS;
    use customers::privacy::requests::{Kind, State};

    /// Whatever a new shop's register says of itself is said in Ukrainian too; what a shop wrote stays.
    #[test]
    fn every_word_of_ours_has_its_ukrainian() {
        let ours = PRESETS.iter().flatten().copied();
        let words = Kind::ALL.map(Kind::as_str).into_iter().chain(State::ALL.map(State::as_str));
        for text in ours.chain(words).chain(["Order Completed", "Tax Code of Ukraine, art. 44.3"]) {
            assert_ne!(say(Language::Uk, text), text, "{text} has no Ukrainian");
            assert_eq!(say(Language::En, text), text);
        }
        assert_eq!(say(Language::Uk, "Доставка"), "Доставка");
    }

    #[test]
    fn a_page_speaks_one_language_and_hides_markup() {
        let purpose = super::super::purposes::Purpose::of_tests("<b>Own</b>", "Consent (GDPR art. 6.1.a)");
        let shown = Register::of_tests(vec![purpose]);
        let at = Timestamp::parse("2026-11-22T12:32:10Z").expect("a time");
        let zone = TimeZone::get("Europe/Kyiv").expect("a zone");
        let page = register(&shown, Language::Uk, (at, &zone));
        assert!(
            page.starts_with("<!doctype html>\n<html lang=\"uk\">") && page.contains("Станом на 22.11.2026 14:32.")
        );
        assert!(page.contains("<td>Згода (GDPR, ст. 6.1.a)</td>") && page.contains("&lt;b&gt;Own&lt;/b&gt;"), "{page}");
        assert!(!page.contains("Legal ground") && register(&shown, Language::En, (at, &zone)).contains("Legal ground"));
    }
}
