//! Changing what can be said of products: attributes, families, categories, brands, channels. Each change is checked whole
//! before anything is written; what it costs is done by [`crate::recount`].
use crate::check::{Wrong, category_code};
use crate::recount;
use crate::schema::{
    self, ATTRIBUTES_MAX, Attribute, Brand, Category, Channel, Family, Kind, Labels, Schema, THINGS_MAX, Thing,
    brand_code,
};
use crate::units;
use crate::values::{clean, is_code, is_currency, is_locale};
use db::{DbError, Tx};
use std::collections::HashSet;

/// Why something is not changed.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// Something in it cannot be.
    #[error("{}", .0.1)]
    Wrong(Wrong),
    /// Somebody changed it meanwhile.
    #[error("you have version {wanted}, the newest is {newest}")]
    Version { wanted: i64, newest: i64 },
    #[error("there is no such thing")]
    NotFound,
    #[error(transparent)]
    Store(#[from] DbError),
}

fn wrong<T>(pointer: &str, detail: impl Into<String>) -> Result<T, DescribeError> {
    Err(DescribeError::Wrong((pointer.into(), detail.into())))
}

/// The number and version under which a thing is written: those of the one with this code, or new ones.
fn place(
    tx: &mut Tx,
    known: Option<(i64, i64)>,
    wanted: Option<i64>,
    count: usize,
    most: usize,
) -> Result<(i64, i64), DescribeError> {
    match (known, wanted) {
        (Some((_, newest)), Some(wanted)) if wanted != newest => Err(DescribeError::Version { wanted, newest }),
        (Some((no, newest)), _) => Ok((no, newest + 1)),
        (None, Some(_)) => Err(DescribeError::NotFound),
        (None, None) if count >= most => wrong("", format!("there are {most} already, which is the most")),
        (None, None) => Ok((tx.next_id(), 1)),
    }
}

fn check_code(code: &str) -> Result<(), DescribeError> {
    if is_code(code) {
        Ok(())
    } else {
        wrong("/code", "a code has 1 to 64 characters, none of them @, # or |, and no blanks around")
    }
}

fn check_labels(labels: &Labels) -> Result<(), DescribeError> {
    let sound = |(locale, text): (&String, &String)| {
        (locale.is_empty() || is_locale(locale)) && !text.is_empty() && text.chars().count() <= 200
    };
    if labels.iter().all(sound) {
        return Ok(());
    }
    wrong("/labels", "labels are texts of 1 to 200 characters by language, such as uk")
}

fn tidy(labels: &mut Labels) {
    for text in labels.values_mut() {
        *text = clean(text);
    }
    labels.retain(|_, text| !text.is_empty());
}

/// Makes or changes an attribute, by code. Its kind and unit family stay once there are products with it; so do localisable
/// and scopable from yes to no.
pub fn put_attribute(tx: &mut Tx, mut new: Attribute, wanted: Option<i64>) -> Result<Attribute, DescribeError> {
    check_code(&new.code)?;
    tidy(&mut new.labels);
    check_labels(&new.labels)?;
    if let Some(family) = &new.unit_family {
        if new.kind != Kind::Number {
            return wrong("/unit_family", "only a number has units");
        }
        if !units::is_family(family) {
            return wrong("/unit_family", format!("there is no family of units {family:?}"));
        }
    }
    if !new.options.is_empty() && !matches!(new.kind, Kind::Select | Kind::MultiSelect) {
        return wrong("/options", "only a choice has options");
    }
    let mut seen = HashSet::new();
    for option in &mut new.options {
        option.code = clean(&option.code);
        tidy(&mut option.labels);
        if option.code.is_empty() || option.code.chars().count() > 200 || !seen.insert(option.code.clone()) {
            return wrong("/options", "each option has a code of its own with 1 to 200 characters");
        }
    }
    if new.options.len() > 5_000 {
        return wrong("/options", "an attribute has at most 5,000 options");
    }
    if new.unique && (new.localisable || new.scopable || new.kind != Kind::Text) {
        return wrong("/unique", "only a text that is the same everywhere can be unique");
    }
    let schema = schema::held(tx)?;
    let known = schema.attribute(&new.code).cloned();
    if let Some(old) = &known {
        let other_kind = old.kind != new.kind || old.unit_family != new.unit_family;
        let narrower = (old.localisable && !new.localisable) || (old.scopable && !new.scopable);
        if (other_kind || narrower || (new.unique && !old.unique)) && old.used {
            return wrong("/kind", "products have values of it: make another attribute and bring the values over");
        }
    }
    let at = known.as_ref().map(|k| (k.no, k.version));
    (new.no, new.version) = place(tx, at, wanted, schema.attributes.len(), ATTRIBUTES_MAX)?;
    new.learned = false;
    new.used = known.as_ref().is_some_and(|k| k.used);
    if new.position == 0 {
        new.position = known.map_or(new.no, |k| k.position);
    }
    let families: Vec<i64> =
        schema.families.iter().filter(|f| f.attributes.iter().any(|a| a.code == new.code)).map(|f| f.no).collect();
    drop(schema);
    schema::put(tx, &[Thing::Attribute(new.clone())])?;
    recount::begin(tx, &families)?;
    Ok(new)
}

/// Makes or changes a family, by code. What it wants of each channel is counted anew for its products.
pub fn put_family(tx: &mut Tx, mut new: Family, wanted: Option<i64>) -> Result<Family, DescribeError> {
    check_code(&new.code)?;
    tidy(&mut new.labels);
    check_labels(&new.labels)?;
    let schema = schema::held(tx)?;
    let mut seen = HashSet::new();
    for (at, attribute) in new.attributes.iter().enumerate() {
        if schema.attribute(&attribute.code).is_none() {
            return wrong(&format!("/attributes/{at}/code"), format!("there is no attribute {:?}", attribute.code));
        }
        if !seen.insert(attribute.code.clone()) {
            return wrong(&format!("/attributes/{at}/code"), format!("{:?} stands here twice", attribute.code));
        }
        if let Some(channel) = attribute.required.iter().find(|c| *c != "*" && schema.channel(c).is_none()) {
            return wrong(&format!("/attributes/{at}/required"), format!("there is no channel {channel:?}"));
        }
    }
    if let Some(code) = new.axes.iter().find(|c| schema.attribute(c).is_none()) {
        return wrong("/axes", format!("there is no attribute {code:?}"));
    }
    if !new.label_attribute.is_empty() && schema.attribute(&new.label_attribute).is_none() {
        return wrong("/label_attribute", format!("there is no attribute {:?}", new.label_attribute));
    }
    let known = schema.family_of(&new.code).cloned();
    let at = known.as_ref().map(|k| (k.no, k.version));
    (new.no, new.version) = place(tx, at, wanted, schema.families.len(), THINGS_MAX)?;
    drop(schema);
    schema::put(tx, &[Thing::Family(new.clone())])?;
    if known.is_some_and(|k| k.attributes != new.attributes) {
        recount::begin(tx, &[new.no])?;
    }
    Ok(new)
}

/// Makes or changes a category, by code. Its parent may be anything that is not below it.
pub fn put_category(tx: &mut Tx, mut new: Category, wanted: Option<i64>) -> Result<Category, DescribeError> {
    new.code = category_code(&new.code);
    if new.code.is_empty() || new.code.chars().count() > 500 {
        return wrong("/code", "a code has 1 to 500 characters");
    }
    tidy(&mut new.labels);
    check_labels(&new.labels)?;
    let schema = schema::held(tx)?;
    let known = schema.category_of(&new.code).cloned();
    let at = known.as_ref().map(|k| (k.no, k.version));
    if new.parent_no != 0 && schema.category(new.parent_no).is_none() {
        return wrong("/parent", "there is no such category");
    }
    if let Some(old) = &known
        && new.parent_no != 0
        && schema.below(old.no).contains(&new.parent_no)
    {
        return wrong("/parent", "a category cannot stand below itself");
    }
    (new.no, new.version) = place(tx, at, wanted, schema.categories.len(), THINGS_MAX)?;
    if new.position == 0 {
        new.position = known.map_or(new.no, |k| k.position);
    }
    drop(schema);
    schema::put(tx, &[Thing::Category(new.clone())])?;
    recount::touch_all(tx)?;
    Ok(new)
}

/// Makes or changes a brand; its code is its name in small letters.
pub fn put_brand(tx: &mut Tx, mut new: Brand, wanted: Option<i64>) -> Result<Brand, DescribeError> {
    new.name = clean(&new.name);
    if new.code.is_empty() {
        new.code = brand_code(&new.name);
    }
    if new.name.is_empty() || new.name.chars().count() > 200 {
        return wrong("/name", "a name has 1 to 200 characters");
    }
    new.aliases = new.aliases.iter().map(|a| clean(a)).filter(|a| !a.is_empty()).collect();
    if new.aliases.len() > 50 || new.aliases.iter().any(|a| a.chars().count() > 200) {
        return wrong("/aliases", "at most 50 other names of 200 characters");
    }
    let schema = schema::held(tx)?;
    let known = schema.brand_of(&new.code).cloned();
    let at = known.as_ref().map(|k| (k.no, k.version));
    (new.no, new.version) = place(tx, at, wanted, schema.brands.len(), THINGS_MAX)?;
    drop(schema);
    schema::put(tx, &[Thing::Brand(new.clone())])?;
    recount::touch_brand(tx, new.no)?;
    Ok(new)
}

/// Makes or changes a channel, by code. Its languages change what families want of their products.
pub fn put_channel(tx: &mut Tx, mut new: Channel, wanted: Option<i64>) -> Result<Channel, DescribeError> {
    check_code(&new.code)?;
    tidy(&mut new.labels);
    check_labels(&new.labels)?;
    if new.locales.is_empty() || new.locales.len() > 20 || !new.locales.iter().all(|l| is_locale(l)) {
        return wrong("/locales", "a channel has 1 to 20 languages, such as uk");
    }
    if new.currencies.is_empty() || !new.currencies.iter().all(|c| is_currency(c)) {
        return wrong("/currencies", "a channel has a currency, such as UAH");
    }
    let schema = schema::held(tx)?;
    if new.root_no != 0 && schema.category(new.root_no).is_none() {
        return wrong("/root", "there is no such category");
    }
    if new.assortment.len() > 500 {
        return wrong("/assortment", "a channel has at most 500 rules");
    }
    for (at, rule) in new.assortment.iter().enumerate() {
        let here = |field: &str| format!("/assortment/{at}/{field}");
        if let Some(code) = rule.categories.iter().find(|c| schema.category_of(c).is_none()) {
            return wrong(&here("categories"), format!("there is no category {code:?}"));
        }
        if let Some(name) = rule.brands.iter().find(|b| schema.brand_of(b).is_none()) {
            return wrong(&here("brands"), format!("there is no brand {name:?}"));
        }
        if let Some(code) = rule.families.iter().find(|f| schema.family_of(f).is_none()) {
            return wrong(&here("families"), format!("there is no family {code:?}"));
        }
        if let Some((code, _)) = rule.attribute.as_ref().filter(|(c, _)| schema.attribute(c).is_none()) {
            return wrong(&here("attribute"), format!("there is no attribute {code:?}"));
        }
    }
    let known = schema.channel(&new.code).cloned();
    let at = known.as_ref().map(|k| (k.no, k.version));
    (new.no, new.version) = place(tx, at, wanted, schema.channels.len(), 200)?;
    let families: Vec<i64> = wanting(&schema, &new.code);
    drop(schema);
    schema::put(tx, &[Thing::Channel(new.clone())])?;
    if known.as_ref().is_none_or(|k| k.locales != new.locales) {
        recount::begin(tx, &families)?;
    }
    recount::touch_all(tx)?;
    Ok(new)
}

/// Families that want something of a channel.
fn wanting(schema: &Schema, channel: &str) -> Vec<i64> {
    let wants =
        |f: &&std::sync::Arc<Family>| f.attributes.iter().any(|a| a.required.iter().any(|c| c == "*" || c == channel));
    schema.families.iter().filter(wants).map(|f| f.no).collect()
}
