//! Where a request carries its write key.
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use db::message::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Hand-made clients often leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key in an `Authorization` header: the user of `Basic`, or the token of `Bearer`.
pub fn in_authorization(header: &str) -> Option<String> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let key = if scheme.eq_ignore_ascii_case("basic") {
        let text = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
        text.split(':').next().unwrap_or_default().to_owned()
    } else if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else {
        return None;
    };
    (!key.is_empty()).then_some(key)
}

/// The `writeKey` in a body: of the body itself, or else of the first item that states one. Bodies without the word, as
/// servers send them, cost one search for it; others are parsed.
pub fn in_body(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, default, rename = "writeKey")]
        write_key: Option<Text<'a>>,
        #[serde(borrow, default)]
        batch: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Keyed<'a> {
        #[serde(borrow, default, rename = "writeKey")]
        write_key: Option<Text<'a>>,
    }
    let text = std::str::from_utf8(body).ok()?;
    if !text.contains("\"writeKey\"") || !text.trim_start().starts_with('{') {
        return None;
    }
    let probe: Probe<'_> = serde_json::from_str(text).ok()?;
    let of_body = probe.write_key.map(|t| t.0.into_owned()).filter(|k| !k.is_empty());
    of_body.or_else(|| {
        let items: Vec<&RawValue> = serde_json::from_str(probe.batch?.get()).ok()?;
        let keyed = items.into_iter().filter(|i| i.get().contains("\"writeKey\""));
        let mut keys = keyed.filter_map(|i| serde_json::from_str::<Keyed<'_>>(i.get()).ok()?.write_key);
        keys.next().map(|t| t.0.into_owned()).filter(|k| !k.is_empty())
    })
}
