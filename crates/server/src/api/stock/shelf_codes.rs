//! Price tags' codes to print: a sheet of A4 with a code for each of a shop's goods (P3).
use super::check_place;
use crate::app::App;
use crate::caller::ReadStock;
use crate::input::Params;
use crate::problem::{BAD_QUERY, NOT_FOUND, Problem};
use crate::shop_api::qr;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use catalog::variants;
use serde::Deserialize;
use std::sync::Arc;

/// Labels beside each other, and rows, of a sheet; millimetres of a label and of the sheet's edge.
const COLUMNS: usize = 3;
const ROWS: usize = 8;
const WIDE: f64 = 66.0;
const HIGH: f64 = 34.0;
const EDGE: (f64, f64) = (6.0, 12.5);
/// Characters of a line beside a code, and its lines.
const LINE: usize = 20;
const LINES: usize = 3;

/// Which goods.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShelfCodesQuery {
    /// SKUs with commas between them, 24 at most; without it what lies there, in the order of SKUs.
    skus: Option<String>,
    /// Only SKUs behind this one: the next sheet.
    after: Option<String>,
}

const THERE: &str = "SELECT v.sku, p.name FROM stock_positions s JOIN variants v ON v.no = s.variant_no JOIN products p ON p.no = v.product_no \
                     WHERE s.location_no = $1 AND s.sellable > 0 AND v.sku > $2 ORDER BY v.sku LIMIT $3";

/// Draws a sheet of codes for the shelves of a shop; each opens the page of its goods there.
#[utoipa::path(get, path = "/api/v1/locations/{id}/shelf-codes", tag = "stock", params(("id" = String, Path), ShelfCodesQuery),
    responses((status = 200, body = String, content_type = "image/svg+xml")))]
pub async fn shelf_codes(
    State(app): State<Arc<App>>,
    ReadStock(caller): ReadStock,
    Path(id): Path<String>,
    Params(query): Params<ShelfCodesQuery>,
) -> Result<Response, Problem> {
    let most = COLUMNS * ROWS;
    let named: Option<Vec<String>> =
        query.skus.as_ref().map(|s| s.split(',').map(|s| s.trim().to_string()).filter(|s| !s.is_empty()).collect());
    if named.as_ref().is_some_and(|named| named.is_empty() || named.len() > most) {
        return Err(BAD_QUERY.because(format!("name 1 to {most} SKUs")));
    }
    let after = query.after.unwrap_or_default();
    let asked = id.clone();
    let goods = app
        .read(move |tx| {
            let places = stock::commands::places(tx)?;
            let no = places.find(&asked).map(|l| l.no);
            let no = no.ok_or_else(|| NOT_FOUND.because(format!("there is no location {asked:.60}")))?;
            check_place(&caller, &places, no)?;
            let mut out: Vec<(String, String)> = Vec::new();
            match &named {
                Some(named) => {
                    for sku in named {
                        let found = variants::find(tx, sku)?;
                        let variant = found.ok_or_else(|| BAD_QUERY.because(format!("there is no SKU {sku:.60}")))?;
                        let known = variants::get(tx, variant)?.map_or_else(|| sku.clone(), |v| v.sku.to_string());
                        out.push((known, crate::api::consultations::name_of(tx, variant)?));
                    }
                }
                None => {
                    for row in tx.rows(THERE, &[no.into(), (&after).into(), (most as i64).into()])? {
                        out.push((row.text(0)?.into(), row.text(1)?.into()));
                    }
                }
            }
            Ok(out)
        })
        .await?;
    let base = format!("{}/i/{}", app.public_url.trim_end_matches('/'), part(&id));
    let sheet = sheet(&base, &goods)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], sheet).into_response())
}

/// A part of an address: what is no letter, digit or one of `-._~` is written by its bytes.
fn part(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A text within a drawing.
fn text(out: &mut String, (x, y): (f64, f64), size: f64, words: &str) {
    let safe = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let safe: String = safe.chars().filter(|c| !c.is_control()).collect();
    out.push_str(&format!("<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\">{safe}</text>"));
}

/// A name in a few lines, cut where it is too long.
fn wrapped(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in name.split_whitespace() {
        let word: String = word.chars().take(LINE).collect();
        let last = lines.last_mut().map(|l| l.chars().count()).unwrap_or(0);
        if last > 0 && last + 1 + word.chars().count() > LINE {
            lines.push(word);
        } else if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
}

/// A sheet of A4.
fn sheet(base: &str, goods: &[(String, String)]) -> Result<String, Problem> {
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\" viewBox=\"0 0 210 297\" font-family=\"sans-serif\">\
         <path fill=\"#fff\" d=\"M0 0h210v297H0z\"/>",
    );
    for (at, (sku, name)) in goods.iter().take(COLUMNS * ROWS).enumerate() {
        let (x, y) = (EDGE.0 + (at % COLUMNS) as f64 * WIDE, EDGE.1 + (at / COLUMNS) as f64 * HIGH);
        out.push_str(&format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{WIDE}\" height=\"{HIGH}\" fill=\"none\" stroke=\"#ccc\" stroke-width=\"0.1\"/>"
        ));
        out.push_str(&qr::placed(&format!("{base}/{}", part(sku)), (x + 1.0, y + 1.0), HIGH - 2.0)?);
        for (line, words) in wrapped(name).iter().enumerate() {
            text(&mut out, (x + HIGH, y + 8.0 + line as f64 * 4.2), 3.2, words);
        }
        text(&mut out, (x + HIGH, y + HIGH - 4.0), 2.6, sku);
    }
    out.push_str("</svg>");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_a_code_and_a_name_for_each_and_no_foreign_tags() {
        let goods = vec![(
            "shoe-42".to_string(),
            "Khmara <b>boots</b> for winter & spring in the mountains of Verkhovyna".to_string(),
        )];
        let svg = sheet("https://shop.example/i/lviv-1", &goods).expect("it is drawn");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
        assert!(svg.contains("shoe-42") && svg.contains("Khmara") && svg.contains("&lt;b&gt;") && !svg.contains("<b>"));
        assert_eq!(svg.matches("<rect").count(), 1);
        assert_eq!(part("Львів 1/a"), "%D0%9B%D1%8C%D0%B2%D1%96%D0%B2%201%2Fa");
        assert!(wrapped("a very long name of something that goes on and on and on").len() <= LINES);
    }
}
