//! The steps of the exchange as text: what a request asks, what an answer says. Pure.
use exchange::encoding::windows_1251;

/// The cookie of an exchange.
pub const COOKIE: &str = "braid_exchange";
/// The version of the exchange that is spoken.
pub const VERSION: &str = "2.10";

/// What a request asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `type`: `catalog`, `sale`, others.
    pub kind: String,
    pub mode: String,
    pub filename: String,
    pub version: String,
    pub timestamp: String,
}

/// Reads the parameters of an address or a form; the first of a name counts.
pub fn parse(query: &str, form: &str) -> Asked {
    let mut out = Asked::default();
    for pair in query.split('&').chain(form.split('&')) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value);
        let field = match name {
            "type" => &mut out.kind,
            "mode" => &mut out.mode,
            "filename" => &mut out.filename,
            "version" => &mut out.version,
            "timestamp" => &mut out.timestamp,
            _ => continue,
        };
        if field.is_empty() {
            *field = value;
        }
    }
    out
}

/// Percent signs resolved; what is no UTF-8 is Windows-1251.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|e| e.into_bytes().iter().map(|b| windows_1251(*b)).collect())
}

/// The place of a file below the working folder. Servers leak parts of their own paths (`/tmp/`, `upload/1c/webdata/`), archives
/// of Windows use back-slashes. What would leave the folder is refused.
pub fn clean_name(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    let mut parts: Vec<&str> = name.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    for leaked in [&["tmp"][..], &["upload", "1c", "webdata"], &["webdata"]] {
        if parts.len() > leaked.len() && parts.starts_with(leaked) {
            parts.drain(..leaked.len());
        }
    }
    let sound = |p: &&str| {
        p.len() <= 200
            && *p != ".."
            && !p.contains(|c: char| c.is_control() || matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|'))
    };
    let whole = !parts.is_empty() && parts.len() <= 8 && parts.iter().all(sound);
    whole.then(|| parts.join("/"))
}

/// A name within an archive: UTF-8, or cp866 as Windows writes it.
pub fn archive_name(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(text) => text.into(),
        Err(_) => raw.iter().map(|b| cp866(*b)).collect(),
    }
}

fn cp866(byte: u8) -> char {
    let letter = match byte {
        0..=0x7f => u32::from(byte),
        0x80..=0xaf => 0x410 + u32::from(byte - 0x80),
        0xe0..=0xef => 0x440 + u32::from(byte - 0xe0),
        0xf0 => 0x401,
        0xf1 => 0x451,
        0xf2 => 0x404,
        0xf3 => 0x454,
        0xf4 => 0x407,
        0xf5 => 0x457,
        0xf6 => 0x40e,
        0xf7 => 0x45e,
        0xfc => 0x2116,
        // Lines and boxes: no name of a file has them.
        _ => u32::from('_'),
    };
    char::from_u32(letter).unwrap_or('_')
}

/// An answer that a step was done, with more lines.
pub fn success(lines: &[String]) -> String {
    std::iter::once("success").chain(lines.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
}
/// An answer that there is more to do: the same request comes again.
pub fn progress(what: &str) -> String {
    format!("progress\n{what}")
}
/// An answer that it was not done, and why, on one line.
pub fn failure(why: &str) -> String {
    format!("failure\n{}", why.replace(['\r', '\n'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_by_address_or_form_in_two_encodings() {
        let asked = parse("type=catalog&mode=file&filename=import0_1.xml", "mode=query");
        assert_eq!((&asked.kind[..], &asked.mode[..], &asked.filename[..]), ("catalog", "file", "import0_1.xml"));
        assert_eq!(parse("", "type=sale&mode=query").mode, "query");
        assert_eq!(parse("filename=%D0%B0%20b+c.xml", "").filename, "а b c.xml");
        assert_eq!(parse("filename=%E0.xml", "").filename, "а.xml");
        assert_eq!(parse("filename=%zz%", "").filename, "%zz%");
    }

    #[test]
    fn names_of_files_stay_in_the_folder() {
        let clean = |name: &str| clean_name(name);
        assert_eq!(clean("import_files/aa/x.jpg").as_deref(), Some("import_files/aa/x.jpg"));
        assert_eq!(clean("import_files\\aa\\x.jpg").as_deref(), Some("import_files/aa/x.jpg"));
        assert_eq!(clean("/tmp/v8_3B8F_3e.zip").as_deref(), Some("v8_3B8F_3e.zip"));
        assert_eq!(clean("upload/1c/webdata/import.xml").as_deref(), Some("import.xml"));
        for name in
            ["", "/", "..", "../../etc/passwd", "a/../../b", "a\\..\\..\\b", "c:\\x", "a\0b", "a/b/c/d/e/f/g/h/i"]
        {
            assert_eq!(clean(name), None, "{name:?}");
        }
    }

    #[test]
    fn names_in_archives_are_read_in_both_encodings() {
        assert_eq!(archive_name("фото.jpg".as_bytes()), "фото.jpg");
        assert_eq!(archive_name(&[0xe4, 0xae, 0xe2, 0xae, b'.', b'j']), "фото.j");
        assert_eq!(archive_name(&[0xf2, 0xf5, 0xff]), "Єї_");
    }
}
