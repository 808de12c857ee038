//! Documents as they come back.
use super::model::{Discount, Document, Item, Line, Partner};
use super::numbers::{amount, flag, quantity};
use super::tree::Node;
use base::{Decimal, Quantity};

/// A document, or why it cannot be read.
pub fn document(node: &Node) -> Item {
    match read(node) {
        Ok(document) => Item::Document(document),
        Err(why) => {
            let subject = node.said("Номер").or_else(|| node.said("Ид")).unwrap_or_default();
            Item::Bad { what: "document", subject: crate::rows::short(&subject), why }
        }
    }
}

fn number(node: &Node, name: &str) -> Result<Decimal, String> {
    match node.text_of(name) {
        "" => Ok(Decimal::ZERO),
        text => amount(text).map_err(|why| format!("{name}: {why}")),
    }
}

fn read(node: &Node) -> Result<Document, String> {
    let (id, num) = (node.text_of("Ид").to_string(), node.text_of("Номер").to_string());
    if id.is_empty() && num.is_empty() {
        return Err("it has neither Ид nor Номер".into());
    }
    let partners = node.child("Контрагенты").map_or(&[][..], |list| &list.children[..]);
    let buyer = partners.iter().find(|p| p.text_of("Роль") == "Покупатель").or_else(|| partners.first());
    let lines = node.listed("Товары", "Товар").map(line).collect::<Result<Vec<_>, _>>()?;
    Ok(Document {
        id,
        number: num,
        date: node.text_of("Дата").into(),
        time: node.text_of("Время").into(),
        operation: node.text_of("ХозОперация").into(),
        currency: node.text_of("Валюта").into(),
        total: number(node, "Сумма")?,
        version: node.text_of("НомерВерсии").into(),
        comment: node.text_of("Комментарий").into(),
        partner: buyer.map(partner),
        lines,
        requisites: node.requisites(),
    })
}

fn partner(node: &Node) -> Partner {
    let mut out = Partner {
        id: node.text_of("Ид").into(),
        name: node.said("ПолноеНаименование").or_else(|| node.said("Наименование")).unwrap_or_default(),
        role: node.text_of("Роль").into(),
        ..Partner::default()
    };
    for list in ["Контакты", "Представители"] {
        for contact in node.listed(list, "Контакт") {
            let (kind, value) = (contact.text_of("Тип").to_lowercase(), contact.text_of("Значение").to_string());
            if kind.contains("почта") || kind.contains("mail") {
                out.email = value;
            } else if kind.contains("телефон") {
                out.phone = value;
            }
        }
    }
    let address = ["Адрес", "АдресРегистрации"].iter().find_map(|name| node.child(name));
    out.address = address.map(|a| a.text_of("Представление").to_string()).unwrap_or_default();
    out
}

fn line(node: &Node) -> Result<Line, String> {
    let discounts = node.listed("Скидки", "Скидка").map(|d| {
        Ok(Discount {
            name: d.text_of("Наименование").into(),
            total: number(d, "Сумма")?,
            included: flag(d.text_of("УчтеноВСумме")) == Some(true),
        })
    });
    let requisites = node.requisites();
    let is_service = requisites.iter().any(|(n, v)| n == "ТипНоменклатуры" && v == "Услуга");
    let held = match node.text_of("Количество") {
        "" => Quantity::ZERO,
        text => quantity(text)?,
    };
    Ok(Line {
        id: node.text_of("Ид").into(),
        name: node.text_of("Наименование").into(),
        unit: node.child("БазоваяЕдиница").and_then(|u| u.attribute("Код")).unwrap_or_default().into(),
        price: number(node, "ЦенаЗаЕдиницу")?,
        quantity: held,
        total: number(node, "Сумма")?,
        discounts: discounts.collect::<Result<_, String>>()?,
        is_service,
    })
}
