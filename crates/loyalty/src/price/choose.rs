//! Which lines a selection names, and how coupon codes are compared.
use crate::model::{Line, Selection};

/// A coupon code as it is kept and compared: without blanks at the ends, in capitals.
pub fn coupon(code: &str) -> String {
    code.trim().to_uppercase()
}

/// Whether a selection names goods; one that does not takes every line, less those of its `not`.
pub fn selects(selection: &Selection) -> bool {
    let Selection { skus, products, categories, tags, brands, .. } = selection;
    [skus, products, categories, tags, brands].into_iter().any(|keys| !keys.is_empty())
}

/// Whether a sorted selection names a line.
pub fn names(selection: &Selection, line: &Line) -> bool {
    let has = |keys: &[String], key: &str| !keys.is_empty() && keys.binary_search_by(|k| k.as_str().cmp(key)).is_ok();
    let one_of = || {
        has(&selection.skus, &line.sku)
            || line.product.as_deref().is_some_and(|p| has(&selection.products, p))
            || line.brand.as_deref().is_some_and(|b| has(&selection.brands, b))
            || line.tags.iter().any(|t| has(&selection.tags, t))
            || (!selection.categories.is_empty()
                && line.categories.iter().any(|path| {
                    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
                    ends.into_iter().any(|end| has(&selection.categories, &path[..end]))
                }))
    };
    (!selects(selection) || one_of()) && !selection.not.as_deref().is_some_and(|not| names(not, line))
}
