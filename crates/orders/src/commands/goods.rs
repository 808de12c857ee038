//! What rules ask of goods beside their SKU: categories with all above them, and the brand. Read from the catalogue only where a
//! rule names such a thing, since orders are many and such rules few.
use crate::settings::SourcingSettings;
use catalog::{products, schema};
use db::{DbError, Engine, Memory, Tx};
use loyalty::rules::Rules;
use std::sync::Arc;

/// What the catalogue says of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct About {
    /// Codes from the root to the category itself, for each of its categories.
    pub paths: Vec<Vec<String>>,
    pub brand: Option<String>,
}

impl About {
    /// Every category that it is in, and those above.
    pub fn categories(&self) -> Vec<String> {
        let mut out: Vec<String> = self.paths.iter().flatten().cloned().collect();
        out.sort_unstable();
        out.dedup();
        out
    }
    /// As promotions name categories: `shoes/boots`.
    pub fn joined(&self) -> Vec<String> {
        self.paths.iter().map(|path| path.join("/")).collect()
    }
}

/// Reads what the catalogue says of a product.
pub(super) fn about(tx: &mut Tx, product_no: i64) -> Result<About, DbError> {
    let Some(product) = products::by_no(tx, product_no)? else { return Ok(About::default()) };
    let schema = schema::held(tx)?;
    let path = |no: &i64| schema.path(*no).iter().map(|category| category.code.clone()).collect();
    let brand = schema.brand(product.brand_no).map(|brand| brand.name.clone());
    Ok(About { paths: product.categories.iter().map(path).collect(), brand })
}

/// The categories of a product, if a rule of sourcing asks for any.
pub(super) fn categories(tx: &mut Tx, settings: &SourcingSettings, product_no: i64) -> Result<Vec<String>, DbError> {
    let asked = settings.rules.iter().any(|rule| !rule.when.categories.is_empty());
    if asked { Ok(about(tx, product_no)?.categories()) } else { Ok(vec![]) }
}

/// Whether any promotion names categories or brands, known by the rules' place in memory.
#[derive(Default)]
struct Asked {
    of: Option<(Arc<Rules>, bool)>,
}

impl Memory for Asked {
    fn load(_: &mut Engine) -> Result<Self, DbError> {
        Ok(Self::default())
    }
    fn commit(&mut self) {}
    fn rollback(&mut self) {}
}

/// Whether promotions ask for what the catalogue says of a product.
pub(super) fn promotions_ask(tx: &mut Tx, rules: &Arc<Rules>) -> Result<bool, DbError> {
    let held = tx.memory::<Asked>()?;
    if let Some((known, asked)) = &held.of
        && Arc::ptr_eq(known, rules)
    {
        return Ok(*asked);
    }
    // A selection writes down only what it names.
    let text = serde_json::to_string(&rules.promotions).map_err(|e| DbError::damaged("promotions", e))?;
    let asked = text.contains("\"categories\":[") || text.contains("\"brands\":[");
    held.of = Some((rules.clone(), asked));
    Ok(asked)
}
