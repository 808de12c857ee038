//! Codes that cameras read, drawn as SVG.
use crate::problem::{BAD_INPUT, Problem};
use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around a code (ISO/IEC 18004, 9.1): less, and cameras do not find it.
const QUIET: usize = 4;

/// The dark modules of a text as one path, in a square whose side is given with it. Middle correction: a scratched tag is still read.
fn path(text: &str) -> Result<(usize, String), Problem> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M);
    let code = code.map_err(|_| BAD_INPUT.because("the text is too long for one code"))?;
    let (width, colors) = (code.width(), code.to_colors());
    let mut out = String::with_capacity(width * width * 6);
    for y in 0..width {
        let mut x = 0;
        while x < width {
            let dark = |x: usize| colors[y * width + x] == Color::Dark;
            if !dark(x) {
                x += 1;
                continue;
            }
            let from = x;
            while x < width && dark(x) {
                x += 1;
            }
            out.push_str(&format!("M{} {}h{}v1h-{}z", from + QUIET, y + QUIET, x - from, x - from));
        }
    }
    Ok((width + 2 * QUIET, out))
}

/// A code as an image: black on white in both schemes, since scanners want it so.
pub fn svg(text: &str) -> Result<String, Problem> {
    let (side, path) = path(text)?;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>"
    ))
}

/// A code within a larger drawing, in a square of so many units at a point.
pub fn placed(text: &str, (x, y): (f64, f64), units: f64) -> Result<String, Problem> {
    let (side, path) = path(text)?;
    let scale = units / side as f64;
    Ok(format!("<path transform=\"translate({x:.2} {y:.2}) scale({scale:.5})\" d=\"{path}\"/>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_white_around() {
        let (side, path) = path("https://shop.example/o/o1-0123456789abcdef?code=123456").expect("it fits");
        assert!((29 + 8..=45 + 8).contains(&side), "{side}");
        // The top row of the first corner: seven dark modules, four from the edge.
        assert!(path.starts_with("M4 4h7v1h-7z"), "{}", &path[..40]);
        assert!(path.contains(&format!("M{} 4h7v1h-7z", side - 11)));
        assert!(path.contains(&format!("M4 {}h7v1h-7z", side - 5)));
        assert!(svg(&"x".repeat(4_000)).is_err());
    }
}
