//! From elements to items. Says what is wrong with one that cannot be used.
use super::model::{Group, Item, OfferId, OfferItem, OfferPrice, PriceType, ProductItem, Property, Warehouse};
use super::numbers::{amount, flag, quantity};
use super::tree::Node;

/// Levels of groups.
const GROUPS_DEEP: usize = 32;

fn bad(what: &'static str, node: &Node, why: impl Into<String>) -> Item {
    let subject = node.said("Ид").or_else(|| node.said("Наименование")).unwrap_or_default();
    Item::Bad { what, subject: crate::rows::short(&subject), why: why.into() }
}

/// Whether a program marked it for deletion.
fn is_deleted(node: &Node) -> bool {
    flag(node.text_of("ПометкаУдаления")) == Some(true)
        || node.attribute("Статус").is_some_and(|s| s.eq_ignore_ascii_case("Удален") || s == "Удалён")
        || flag(node.attribute("ПометкаУдаления").unwrap_or_default()) == Some(true)
}

/// All groups of a tree, parents first.
pub fn groups(node: &Node, out: &mut Vec<Item>) {
    let mut open: Vec<(&Node, String, usize)> = node.all("Группа").map(|g| (g, String::new(), 0)).collect();
    open.reverse();
    while let Some((group, parent, depth)) = open.pop() {
        let Some(id) = group.said("Ид") else {
            out.push(bad("group", group, "it has no Ид"));
            continue;
        };
        if depth >= GROUPS_DEEP {
            out.push(bad("group", group, format!("it lies more than {GROUPS_DEEP} levels deep")));
            continue;
        }
        let name = group.text_of("Наименование").to_string();
        out.push(Item::Group(Group { id: id.clone(), parent, name, deleted: is_deleted(group) }));
        let below: Vec<&Node> = group.listed("Группы", "Группа").collect();
        open.extend(below.into_iter().rev().map(|g| (g, id.clone(), depth + 1)));
    }
}

pub fn property(node: &Node) -> Item {
    let Some(id) = node.said("Ид") else { return bad("property", node, "it has no Ид") };
    let listed = node.child("ВариантыЗначений").map(|list| list.children.iter()).into_iter().flatten();
    let values = listed.filter_map(|v| {
        let id = v.said("ИдЗначения").or_else(|| v.said("Ид"))?;
        Some((id, v.text_of("Значение").to_string()))
    });
    let kind = node.text_of("ТипЗначений").to_string();
    Item::Property(Property {
        id, name: node.text_of("Наименование").into(), kind, values: values.collect()
    })
}

pub fn price_type(node: &Node) -> Item {
    let Some(id) = node.said("Ид") else { return bad("price type", node, "it has no Ид") };
    let (name, currency) = (node.text_of("Наименование").into(), node.text_of("Валюта").into());
    Item::PriceType(PriceType { id, name, currency })
}

pub fn warehouse(node: &Node) -> Item {
    let Some(id) = node.said("Ид") else { return bad("warehouse", node, "it has no Ид") };
    let address = node.child("Адрес").map_or("", |a| a.text_of("Представление")).to_string();
    Item::Warehouse(Warehouse { id, name: node.text_of("Наименование").into(), address })
}

pub fn product(node: &Node) -> Item {
    let Some(id) = node.said("Ид") else { return bad("goods", node, "it has no Ид") };
    let requisites = node.requisites();
    let requisite = |name: &str| {
        requisites.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).filter(|v| !v.trim().is_empty())
    };
    let kilograms = node.said("Вес").or_else(|| requisite("Вес"));
    // A weight that cannot be read is not worth refusing goods for.
    let weight_g = kilograms.and_then(|w| amount(&w).ok()).and_then(|w| w.to_minor(3)).filter(|g| *g > 0);
    let values = node.listed("ЗначенияСвойств", "ЗначенияСвойства").filter_map(|v| {
        let texts = v.all("Значение").map(|t| t.text.trim().to_string()).filter(|t| !t.is_empty()).collect();
        Some((v.said("Ид")?, texts))
    });
    let taxes = node.listed("СтавкиНалогов", "СтавкаНалога");
    let kind = requisite("ТипНоменклатуры").or_else(|| requisite("ВидНоменклатуры")).unwrap_or_default();
    Item::Product(ProductItem {
        name: node.said("Наименование").or_else(|| requisite("Полное наименование")),
        article: node.said("Артикул"),
        code: node.said("Код").or_else(|| requisite("Код")),
        barcode: node.said("Штрихкод"),
        unit: node.child("БазоваяЕдиница").and_then(|u| u.attribute("Код")).map(str::to_string),
        groups: node.listed("Группы", "Ид").map(|g| g.text.trim().to_string()).filter(|g| !g.is_empty()).collect(),
        description: requisite("ОписаниеВФорматеHTML").or_else(|| node.said("Описание")),
        pictures: node.all("Картинка").map(|p| p.text.trim().to_string()).filter(|p| !p.is_empty()).collect(),
        brand: node
            .child("Изготовитель")
            .or_else(|| node.child("ТорговаяМарка"))
            .and_then(|b| b.said("Наименование").or_else(|| Some(b.text.trim().to_string()).filter(|t| !t.is_empty()))),
        values: values.collect(),
        taxes: taxes.map(|t| (t.text_of("Наименование").into(), t.text_of("Ставка").into())).collect(),
        is_service: kind.trim().eq_ignore_ascii_case("Услуга") || kind.trim() == "Услуга",
        weight_g,
        deleted: is_deleted(node),
        requisites,
        id,
    })
}

pub fn offer(node: &Node) -> Item {
    let Some(id) = node.said("Ид").as_deref().and_then(OfferId::parse) else {
        return bad("offer", node, "it has no Ид of goods");
    };
    let mut out = OfferItem {
        name: node.said("Наименование"),
        article: node.said("Артикул"),
        barcode: node.said("Штрихкод"),
        deleted: is_deleted(node),
        id,
        ..OfferItem::default()
    };
    for c in node.listed("ХарактеристикиТовара", "ХарактеристикаТовара") {
        if let Some(value) = c.said("Значение") {
            let name = c.said("Наименование").unwrap_or_else(|| "Характеристика".into());
            out.characteristics.push((name, value));
        }
    }
    for price in node.listed("Цены", "Цена") {
        let Some(price_type) = price.said("ИдТипаЦены") else {
            return bad("offer", node, "a price names no type");
        };
        let per = match price.said("Коэффициент").map(|c| amount(&c)) {
            None => 1_000_000_000,
            Some(Ok(k)) if k.billionths() > 0 => k.billionths(),
            Some(_) => return bad("offer", node, "the factor of a price is no number above nothing"),
        };
        match amount(price.text_of("ЦенаЗаЕдиницу")) {
            Ok(sum) if sum.billionths() < 0 => return bad("offer", node, "a price is less than nothing"),
            Ok(sum) => {
                // A price of a pack of twelve is a twelfth a piece.
                let one = if per == 1_000_000_000 { sum } else { divided(sum, per) };
                let currency = price.text_of("Валюта").to_string();
                out.prices.push(OfferPrice { price_type, amount: one, currency });
            }
            Err(why) => return bad("offer", node, why),
        }
    }
    if let Err(why) = stock_of(node, &mut out) {
        return bad("offer", node, why);
    }
    Item::Offer(out)
}

fn divided(sum: base::Decimal, per_billionths: i128) -> base::Decimal {
    let scaled = sum.billionths().saturating_mul(1_000_000_000);
    base::Decimal::from_billionths((scaled + per_billionths / 2) / per_billionths)
}

/// Three ways of saying how many there are: a total, warehouses with attributes, `Остатки`.
fn stock_of(node: &Node, out: &mut OfferItem) -> Result<(), String> {
    if let Some(total) = node.said("Количество") {
        out.total = Some(quantity(&total)?);
    }
    for place in node.all("Склад") {
        let id = place.attribute("ИдСклада").unwrap_or_default();
        let held = place.attribute("КоличествоНаСкладе").unwrap_or_default();
        if !id.is_empty() && !held.is_empty() {
            out.stock.push((id.into(), quantity(held)?));
        }
    }
    for rest in node.listed("Остатки", "Остаток") {
        let mut placed = false;
        for place in rest.all("Склад") {
            let Some(id) = place.said("Ид") else { continue };
            let held = place.said("Количество").or_else(|| rest.said("Количество")).unwrap_or_default();
            out.stock.push((id, quantity(&held)?));
            placed = true;
        }
        if !placed && let Some(total) = rest.said("Количество") {
            out.total = Some(quantity(&total)?);
        }
    }
    // The same warehouse twice: its parts add up.
    let mut merged: Vec<(String, base::Quantity)> = Vec::with_capacity(out.stock.len());
    for (id, held) in out.stock.drain(..) {
        match merged.iter_mut().find(|(known, _)| *known == id) {
            Some((_, sum)) => *sum += held,
            None => merged.push((id, held)),
        }
    }
    out.stock = merged;
    Ok(())
}
