//! What can be said of products: `/attributes`, `/families`, `/categories`, `/brands`, `/sales-channels`.
use crate::app::App;
use crate::caller::{ReadCatalog, WriteCatalog};
use crate::change::Done;
use crate::input::{Input, List, if_match};
use crate::problem::{BAD_INPUT, CHANGED_MEANWHILE, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use catalog::assortment::Rule;
use catalog::describe::{self, DescribeError};
use catalog::schema::{
    self, Attribute, Brand, Category, Channel, ChannelKind, Choice, Family, FamilyAttribute, Kind, Labels, Schema,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a description is not changed, as a problem.
pub fn described(error: DescribeError) -> Problem {
    match error {
        DescribeError::Wrong((pointer, detail)) => BAD_INPUT.at(&pointer, detail),
        DescribeError::Version { wanted, newest } => {
            CHANGED_MEANWHILE.because(format!("you have version {wanted}, the newest is {newest}"))
        }
        DescribeError::NotFound => NOT_FOUND.because("there is no such thing"),
        DescribeError::Store(error) => error.into(),
    }
}

/// What an attribute's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AttributeKind)]
pub enum KindWire {
    Text,
    Number,
    Boolean,
    Select,
    MultiSelect,
    Date,
    Money,
    Image,
}

/// One choice of a select.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AttributeOption)]
pub struct OptionWire {
    pub code: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Something that can be said of a product.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductAttribute)]
pub struct AttributeWire {
    #[serde(default)]
    pub code: String,
    pub kind: KindWire,
    /// Names by language.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The heading under which it stands.
    #[serde(default)]
    pub part: String,
    /// For numbers: length, mass, volume, area, power, voltage, charge, frequency, data, time.
    #[serde(default)]
    pub unit_family: Option<String>,
    /// Differs by language.
    #[serde(default)]
    pub localisable: bool,
    /// Differs by channel.
    #[serde(default)]
    pub scopable: bool,
    /// No two products have the same.
    #[serde(default)]
    pub unique: bool,
    /// Offered as a filter.
    #[serde(default)]
    pub facet: bool,
    /// Shown when products are compared.
    #[serde(default)]
    pub compared: bool,
    /// What a select may be; none: anything.
    #[serde(default)]
    pub options: Vec<OptionWire>,
    #[serde(default)]
    pub position: i64,
    /// Made by itself from what came in.
    #[serde(default)]
    pub learned: bool,
    #[serde(default)]
    pub version: i64,
}

fn kind(kind: KindWire) -> Kind {
    match kind {
        KindWire::Text => Kind::Text,
        KindWire::Number => Kind::Number,
        KindWire::Boolean => Kind::Boolean,
        KindWire::Select => Kind::Select,
        KindWire::MultiSelect => Kind::MultiSelect,
        KindWire::Date => Kind::Date,
        KindWire::Money => Kind::Money,
        KindWire::Image => Kind::Image,
    }
}

fn kind_wire(kind: Kind) -> KindWire {
    match kind {
        Kind::Text => KindWire::Text,
        Kind::Number => KindWire::Number,
        Kind::Boolean => KindWire::Boolean,
        Kind::Select => KindWire::Select,
        Kind::MultiSelect => KindWire::MultiSelect,
        Kind::Date => KindWire::Date,
        Kind::Money => KindWire::Money,
        Kind::Image => KindWire::Image,
    }
}

impl AttributeWire {
    fn of(a: &Attribute) -> Self {
        Self {
            code: a.code.clone(),
            kind: kind_wire(a.kind),
            labels: a.labels.clone(),
            part: a.part.clone(),
            unit_family: a.unit_family.clone(),
            localisable: a.localisable,
            scopable: a.scopable,
            unique: a.unique,
            facet: a.facet,
            compared: a.compared,
            options: a.options.iter().map(|o| OptionWire { code: o.code.clone(), labels: o.labels.clone() }).collect(),
            position: a.position,
            learned: a.learned,
            version: a.version,
        }
    }
    fn into_attribute(self, code: &str) -> Attribute {
        Attribute {
            no: 0,
            code: code.into(),
            kind: kind(self.kind),
            labels: self.labels,
            part: self.part.trim().chars().take(100).collect(),
            unit_family: self.unit_family.filter(|f| !f.is_empty()),
            localisable: self.localisable,
            scopable: self.scopable,
            unique: self.unique,
            facet: self.facet,
            compared: self.compared,
            options: self.options.into_iter().map(|o| Choice { code: o.code, labels: o.labels }).collect(),
            position: self.position,
            learned: false,
            used: false,
            version: 0,
        }
    }
}

/// Lists attributes in their order.
#[utoipa::path(get, path = "/api/v1/attributes", tag = "catalog",
    responses((status = 200, body = inline(List<AttributeWire>))))]
pub async fn list_attributes(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
) -> Result<Json<List<AttributeWire>>, Problem> {
    let schema = app.query(|db| Ok(Schema::load(db)?)).await?;
    Ok(Json(List::whole(schema.attributes.iter().map(|a| AttributeWire::of(a)).collect())))
}

/// Makes or changes an attribute. Its kind stays once products have values of it.
#[utoipa::path(put, path = "/api/v1/attributes/{code}", tag = "catalog", params(("code" = String, Path)),
    request_body = AttributeWire, responses((status = 200, body = AttributeWire)))]
pub async fn put_attribute(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(code): Path<String>,
    headers: HeaderMap,
    input: Input<AttributeWire>,
) -> Result<Response, Problem> {
    let wanted = if_match(&headers)?;
    let new = input.value.into_attribute(&code);
    app.change(&caller, input.request, move |tx| {
        let before = schema::held(tx)?.attribute(&new.code).map(|a| audit(&AttributeWire::of(a)));
        let put = describe::put_attribute(tx, new.clone(), wanted).map_err(described)?;
        let (after, version) = (AttributeWire::of(&put), put.version);
        let noted = audit(&after);
        Ok(Done::ok(after).versioned(version).noted(("update", "attribute"), &put.code, before, Some(noted)))
    })
    .await
}

fn audit(thing: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(thing).unwrap_or_default()
}

/// An attribute of a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FamilyAttribute)]
pub struct FamilyAttributeWire {
    pub code: String,
    /// Codes of channels that want it filled; `*` = every channel.
    #[serde(default)]
    pub required: Vec<String>,
}

/// A kind of products.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Family)]
pub struct FamilyWire {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The attribute that names a product; `name` if empty.
    #[serde(default)]
    pub label_attribute: String,
    pub attributes: Vec<FamilyAttributeWire>,
    /// By what variants differ.
    #[serde(default)]
    pub axes: Vec<String>,
    #[serde(default)]
    pub version: i64,
}

impl FamilyWire {
    fn of(f: &Family) -> Self {
        let attribute =
            |a: &FamilyAttribute| FamilyAttributeWire { code: a.code.clone(), required: a.required.clone() };
        Self {
            code: f.code.clone(),
            labels: f.labels.clone(),
            label_attribute: f.label_attribute.clone(),
            attributes: f.attributes.iter().map(attribute).collect(),
            axes: f.axes.clone(),
            version: f.version,
        }
    }
}

/// Lists families.
#[utoipa::path(get, path = "/api/v1/families", tag = "catalog", responses((status = 200, body = inline(List<FamilyWire>))))]
pub async fn list_families(State(app): State<Arc<App>>, _: ReadCatalog) -> Result<Json<List<FamilyWire>>, Problem> {
    let schema = app.query(|db| Ok(Schema::load(db)?)).await?;
    Ok(Json(List::whole(schema.families.iter().map(|f| FamilyWire::of(f)).collect())))
}

/// Makes or changes a family; completeness of its products is counted anew.
#[utoipa::path(put, path = "/api/v1/families/{code}", tag = "catalog", params(("code" = String, Path)),
    request_body = FamilyWire, responses((status = 200, body = FamilyWire)))]
pub async fn put_family(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(code): Path<String>,
    headers: HeaderMap,
    input: Input<FamilyWire>,
) -> Result<Response, Problem> {
    let (wanted, f) = (if_match(&headers)?, input.value);
    let attribute = |a: FamilyAttributeWire| FamilyAttribute { code: a.code, required: a.required };
    let new = Family {
        no: 0,
        code,
        labels: f.labels,
        label_attribute: f.label_attribute,
        attributes: f.attributes.into_iter().map(attribute).collect(),
        axes: f.axes,
        version: 0,
    };
    app.change(&caller, input.request, move |tx| {
        let before = schema::held(tx)?.family_of(&new.code).map(|f| audit(&FamilyWire::of(f)));
        let put = describe::put_family(tx, new.clone(), wanted).map_err(described)?;
        let (after, version) = (FamilyWire::of(&put), put.version);
        let noted = audit(&after);
        Ok(Done::ok(after).versioned(version).noted(("update", "family"), &put.code, before, Some(noted)))
    })
    .await
}

/// A node of a tree of categories.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductCategory)]
pub struct CategoryWire {
    #[serde(default)]
    pub code: String,
    /// Code of the one above; null = the root of a tree.
    #[serde(default)]
    pub parent: Option<String>,
    /// Names by language.
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub position: i64,
    #[serde(default)]
    pub archived: bool,
    #[serde(default)]
    pub version: i64,
}

impl CategoryWire {
    fn of(c: &Category, schema: &Schema) -> Self {
        Self {
            code: c.code.clone(),
            parent: schema.category(c.parent_no).map(|p| p.code.clone()),
            labels: c.labels.clone(),
            position: c.position,
            archived: c.archived,
            version: c.version,
        }
    }
}

/// Lists categories of all trees, each after the one above it is known by code.
#[utoipa::path(get, path = "/api/v1/categories", tag = "catalog", responses((status = 200, body = inline(List<CategoryWire>))))]
pub async fn list_categories(State(app): State<Arc<App>>, _: ReadCatalog) -> Result<Json<List<CategoryWire>>, Problem> {
    let schema = app.query(|db| Ok(Schema::load(db)?)).await?;
    Ok(Json(List::whole(schema.categories.iter().map(|c| CategoryWire::of(c, &schema)).collect())))
}

/// Makes, moves or changes a category.
#[utoipa::path(put, path = "/api/v1/categories/{code}", tag = "catalog", params(("code" = String, Path)),
    request_body = CategoryWire, responses((status = 200, body = CategoryWire)))]
pub async fn put_category(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(code): Path<String>,
    headers: HeaderMap,
    input: Input<CategoryWire>,
) -> Result<Response, Problem> {
    let (wanted, c) = (if_match(&headers)?, input.value);
    app.change(&caller, input.request, move |tx| {
        let schema = schema::held(tx)?;
        let parent_no = match c.parent.as_deref().filter(|p| !p.is_empty()) {
            None => 0,
            Some(parent) => {
                let found = schema.category_of(parent).map(|p| p.no);
                found.ok_or_else(|| BAD_INPUT.at("/parent", format!("there is no category {parent:?}")))?
            }
        };
        let before = schema.category_of(&code).map(|c| audit(&CategoryWire::of(c, &schema)));
        drop(schema);
        let new = Category {
            no: 0,
            code: code.clone(),
            parent_no,
            labels: c.labels.clone(),
            position: c.position,
            archived: c.archived,
            version: 0,
        };
        let put = describe::put_category(tx, new, wanted).map_err(described)?;
        let after = CategoryWire::of(&put, &*schema::held(tx)?);
        let (noted, version) = (audit(&after), put.version);
        Ok(Done::ok(after).versioned(version).noted(("update", "category"), &put.code, before, Some(noted)))
    })
    .await
}

/// A brand.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Brand)]
pub struct BrandWire {
    #[serde(default)]
    pub code: String,
    pub name: String,
    /// Other ways to write it, for searches.
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default)]
    pub version: i64,
}

impl BrandWire {
    fn of(b: &Brand) -> Self {
        Self { code: b.code.clone(), name: b.name.clone(), aliases: b.aliases.clone(), version: b.version }
    }
}

/// Lists brands by name.
#[utoipa::path(get, path = "/api/v1/brands", tag = "catalog", responses((status = 200, body = inline(List<BrandWire>))))]
pub async fn list_brands(State(app): State<Arc<App>>, _: ReadCatalog) -> Result<Json<List<BrandWire>>, Problem> {
    let schema = app.query(|db| Ok(Schema::load(db)?)).await?;
    Ok(Json(List::whole(schema.brands.iter().map(|b| BrandWire::of(b)).collect())))
}

/// Makes or changes a brand.
#[utoipa::path(put, path = "/api/v1/brands/{code}", tag = "catalog", params(("code" = String, Path)),
    request_body = BrandWire, responses((status = 200, body = BrandWire)))]
pub async fn put_brand(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(code): Path<String>,
    headers: HeaderMap,
    input: Input<BrandWire>,
) -> Result<Response, Problem> {
    let (wanted, b) = (if_match(&headers)?, input.value);
    let new = Brand { no: 0, code: schema::brand_code(&code), name: b.name, aliases: b.aliases, version: 0 };
    app.change(&caller, input.request, move |tx| {
        let before = schema::held(tx)?.brand_of(&new.code).map(|b| audit(&BrandWire::of(b)));
        let put = describe::put_brand(tx, new.clone(), wanted).map_err(described)?;
        let (after, version) = (BrandWire::of(&put), put.version);
        let noted = audit(&after);
        Ok(Done::ok(after).versioned(version).noted(("update", "brand"), &put.code, before, Some(noted)))
    })
    .await
}

/// What kind of place a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SalesChannelKind)]
pub enum ChannelKindWire {
    Site,
    App,
    Marketplace,
    Store,
    Other,
}

/// A rule of which goods a channel sells: the first that fits decides; without one they are sold. [L6]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AssortmentRule)]
pub struct RuleWire {
    /// Whether what fits is sold.
    pub sell: bool,
    /// Codes; those below them fit too.
    #[serde(default)]
    pub categories: Vec<String>,
    #[serde(default)]
    pub brands: Vec<String>,
    #[serde(default)]
    pub families: Vec<String>,
    #[serde(default)]
    pub skus: Vec<String>,
    /// Code of an attribute.
    #[serde(default)]
    pub attribute: Option<String>,
    /// Its values that fit.
    #[serde(default)]
    pub values: Vec<String>,
}

/// Where products are shown and sold.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SalesChannel)]
pub struct ChannelWire {
    #[serde(default)]
    pub code: String,
    pub kind: ChannelKindWire,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Code of the category whose tree it shows; null = all.
    #[serde(default)]
    pub root: Option<String>,
    pub locales: Vec<String>,
    pub currencies: Vec<String>,
    #[serde(default)]
    pub assortment: Vec<RuleWire>,
    #[serde(default)]
    pub version: i64,
}

impl ChannelWire {
    fn of(c: &Channel, schema: &Schema) -> Self {
        let kind = match c.kind {
            ChannelKind::Site => ChannelKindWire::Site,
            ChannelKind::App => ChannelKindWire::App,
            ChannelKind::Marketplace => ChannelKindWire::Marketplace,
            ChannelKind::Store => ChannelKindWire::Store,
            ChannelKind::Other => ChannelKindWire::Other,
        };
        let rule = |r: &Rule| RuleWire {
            sell: r.sell,
            categories: r.categories.clone(),
            brands: r.brands.clone(),
            families: r.families.clone(),
            skus: r.skus.clone(),
            attribute: r.attribute.as_ref().map(|a| a.0.clone()),
            values: r.attribute.as_ref().map(|a| a.1.clone()).unwrap_or_default(),
        };
        Self {
            code: c.code.clone(),
            kind,
            labels: c.labels.clone(),
            root: schema.category(c.root_no).map(|r| r.code.clone()),
            locales: c.locales.clone(),
            currencies: c.currencies.clone(),
            assortment: c.assortment.iter().map(rule).collect(),
            version: c.version,
        }
    }
}

/// Lists the channels of sale.
#[utoipa::path(get, path = "/api/v1/sales-channels", tag = "catalog", responses((status = 200, body = inline(List<ChannelWire>))))]
pub async fn list_sales_channels(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
) -> Result<Json<List<ChannelWire>>, Problem> {
    let schema = app.query(|db| Ok(Schema::load(db)?)).await?;
    Ok(Json(List::whole(schema.channels.iter().map(|c| ChannelWire::of(c, &schema)).collect())))
}

/// Makes or changes a channel of sale with its assortment.
#[utoipa::path(put, path = "/api/v1/sales-channels/{code}", tag = "catalog", params(("code" = String, Path)),
    request_body = ChannelWire, responses((status = 200, body = ChannelWire)))]
pub async fn put_sales_channel(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(code): Path<String>,
    headers: HeaderMap,
    input: Input<ChannelWire>,
) -> Result<Response, Problem> {
    let (wanted, c) = (if_match(&headers)?, input.value);
    app.change(&caller, input.request, move |tx| {
        let schema = schema::held(tx)?;
        let root_no = match c.root.as_deref().filter(|r| !r.is_empty()) {
            None => 0,
            Some(root) => {
                let found = schema.category_of(root).map(|r| r.no);
                found.ok_or_else(|| BAD_INPUT.at("/root", format!("there is no category {root:?}")))?
            }
        };
        let before = schema.channel(&code).map(|c| audit(&ChannelWire::of(c, &schema)));
        drop(schema);
        let rule = |r: &RuleWire| Rule {
            sell: r.sell,
            categories: r.categories.clone(),
            brands: r.brands.clone(),
            families: r.families.clone(),
            skus: r.skus.clone(),
            attribute: r.attribute.clone().filter(|a| !a.is_empty()).map(|a| (a, r.values.clone())),
        };
        let labels: Labels = c.labels.clone();
        let new = Channel {
            no: 0,
            code: code.clone(),
            kind: match c.kind {
                ChannelKindWire::Site => ChannelKind::Site,
                ChannelKindWire::App => ChannelKind::App,
                ChannelKindWire::Marketplace => ChannelKind::Marketplace,
                ChannelKindWire::Store => ChannelKind::Store,
                ChannelKindWire::Other => ChannelKind::Other,
            },
            labels,
            root_no,
            locales: c.locales.clone(),
            currencies: c.currencies.clone(),
            assortment: c.assortment.iter().map(rule).collect(),
            version: 0,
        };
        let put = describe::put_channel(tx, new, wanted).map_err(described)?;
        let after = ChannelWire::of(&put, &*schema::held(tx)?);
        let (noted, version) = (audit(&after), put.version);
        Ok(Done::ok(after).versioned(version).noted(("update", "sales channel"), &put.code, before, Some(noted)))
    })
    .await
}
