//! Writes orders for the accounting system.
use super::model::{Document, Line, Partner};
use base::Timestamp;
use std::io::{self, Write};

/// What delivery is called among the lines of an order.
pub const DELIVERY: &str = "ORDER_DELIVERY";

/// Writes documents, each in a `Контейнер` of its own (newer programs see nothing without it). UTF-8 with the mark, as the
/// programs of both ages take it. `made_at` is local time without a zone.
pub fn write(out: &mut dyn Write, documents: &[Document], made_at: &str) -> io::Result<()> {
    out.write_all(crate::encoding::MARK)?;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<КоммерческаяИнформация ВерсияСхемы=\"2.08\" ДатаФормирования=\"{}\">", escaped(made_at))?;
    for document in documents {
        writeln!(out, "<Контейнер>")?;
        one(out, document)?;
        writeln!(out, "</Контейнер>")?;
    }
    writeln!(out, "</КоммерческаяИнформация>")
}

fn one(out: &mut dyn Write, d: &Document) -> io::Result<()> {
    writeln!(out, "<Документ>")?;
    for (name, text) in [("Ид", &d.id), ("Номер", &d.number), ("Дата", &d.date), ("Время", &d.time)] {
        leaf(out, name, text)?;
    }
    leaf(out, "ХозОперация", &d.operation)?;
    leaf(out, "Роль", "Продавец")?;
    leaf(out, "Валюта", &d.currency)?;
    leaf(out, "Курс", "1")?;
    leaf(out, "Сумма", &d.total.to_string())?;
    leaf(out, "НомерВерсии", &d.version)?;
    leaf(out, "Комментарий", &d.comment)?;
    if let Some(partner) = &d.partner {
        writeln!(out, "<Контрагенты>")?;
        somebody(out, partner)?;
        writeln!(out, "</Контрагенты>")?;
    }
    writeln!(out, "<Товары>")?;
    for each in &d.lines {
        line(out, each)?;
    }
    writeln!(out, "</Товары>")?;
    requisites(out, d.requisites.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    writeln!(out, "</Документ>")
}

fn somebody(out: &mut dyn Write, p: &Partner) -> io::Result<()> {
    writeln!(out, "<Контрагент>")?;
    for (name, text) in [("Ид", &p.id), ("Наименование", &p.name), ("Роль", &p.role), ("ПолноеНаименование", &p.name)]
    {
        leaf(out, name, text)?;
    }
    if !p.address.is_empty() {
        writeln!(out, "<АдресРегистрации>")?;
        leaf(out, "Представление", &p.address)?;
        writeln!(out, "</АдресРегистрации>")?;
    }
    writeln!(out, "<Контакты>")?;
    for (kind, value) in [("Почта", &p.email), ("ТелефонРабочий", &p.phone)] {
        if !value.is_empty() {
            writeln!(out, "<Контакт>")?;
            leaf(out, "Тип", kind)?;
            leaf(out, "Значение", value)?;
            writeln!(out, "</Контакт>")?;
        }
    }
    writeln!(out, "</Контакты>")?;
    writeln!(out, "</Контрагент>")
}

fn line(out: &mut dyn Write, l: &Line) -> io::Result<()> {
    writeln!(out, "<Товар>")?;
    leaf(out, "Ид", &l.id)?;
    leaf(out, "Наименование", &l.name)?;
    let unit = if l.unit.is_empty() { "796" } else { &l.unit };
    writeln!(out, "<БазоваяЕдиница Код=\"{}\" НаименованиеПолное=\"Штука\">шт</БазоваяЕдиница>", escaped(unit))?;
    leaf(out, "ЦенаЗаЕдиницу", &l.price.to_string())?;
    leaf(out, "Количество", &l.quantity.to_string())?;
    leaf(out, "Сумма", &l.total.to_string())?;
    if !l.discounts.is_empty() {
        writeln!(out, "<Скидки>")?;
        for d in &l.discounts {
            writeln!(out, "<Скидка>")?;
            leaf(out, "Наименование", &d.name)?;
            leaf(out, "Сумма", &d.total.to_string())?;
            leaf(out, "УчтеноВСумме", if d.included { "true" } else { "false" })?;
            writeln!(out, "</Скидка>")?;
        }
        writeln!(out, "</Скидки>")?;
    }
    let kind = if l.is_service { "Услуга" } else { "Товар" };
    requisites(out, [("ВидНоменклатуры", kind), ("ТипНоменклатуры", kind)].into_iter())?;
    writeln!(out, "</Товар>")
}

fn requisites<'a>(out: &mut dyn Write, all: impl Iterator<Item = (&'a str, &'a str)>) -> io::Result<()> {
    writeln!(out, "<ЗначенияРеквизитов>")?;
    for (name, value) in all {
        writeln!(out, "<ЗначениеРеквизита>")?;
        leaf(out, "Наименование", name)?;
        leaf(out, "Значение", value)?;
        writeln!(out, "</ЗначениеРеквизита>")?;
    }
    writeln!(out, "</ЗначенияРеквизитов>")
}

fn leaf(out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "<{name}>{}</{name}>", escaped(text))
}

/// Text that XML can hold: marks escaped, letters that XML has no place for left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(letter),
            '\r' => out.push_str("&#13;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => out.push(c),
        }
    }
    out
}

/// Date and time of a moment in a zone, as documents write them.
pub fn local(at: Timestamp, zone: &jiff::tz::TimeZone) -> (String, String) {
    let moment = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let civil = zone.to_datetime(moment);
    (civil.strftime("%Y-%m-%d").to_string(), civil.strftime("%H:%M:%S").to_string())
}
