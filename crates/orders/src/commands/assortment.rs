//! Whether a channel offers goods at all: the assortment that the catalogue keeps for it is obeyed by carts too. [L6]
use crate::error::OrderError;
use catalog::assortment::{Sold, sells};
use catalog::{products, schema, variants};
use db::Tx;

/// Refuses goods that the assortment of a channel keeps out of it. A channel of which the catalogue knows no rules sells everything.
pub(super) fn check(tx: &mut Tx, channel: &str, variant_no: i64) -> Result<(), OrderError> {
    let schema = schema::held(tx)?;
    let Some(rules) = schema.channel(channel).filter(|c| c.root_no != 0 || !c.assortment.is_empty()) else {
        return Ok(());
    };
    let Some(variant) = variants::get(tx, variant_no)? else { return Ok(()) };
    let Some(product) = products::by_no(tx, variant.product_no)? else { return Ok(()) };
    let Some(of) = product.variants.iter().find(|v| v.no == variant_no) else { return Ok(()) };
    match sells(&schema, rules, &product, of) {
        Sold::Yes => Ok(()),
        Sold::NotOffered => Err(OrderError::field("/sku", "it is not sold now")),
        Sold::OtherTree => Err(OrderError::field("/sku", format!("{channel} sells goods of other categories"))),
        Sold::Rule(at) => {
            let detail = format!("the assortment of {channel} leaves it out, by its rule {}", at + 1);
            Err(OrderError::field("/sku", detail))
        }
    }
}
