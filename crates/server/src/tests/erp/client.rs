//! A client as 1C is: it signs in, asks what it may send, sends files in pieces or as one archive, and has each taken in.
use super::Shop;
use base64::Engine as _;
use std::io::{Cursor, Write};

/// How this one behaves.
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    pub zip: bool,
    pub piece: usize,
    pub windows_1251: bool,
    pub offers_first: bool,
    pub slice_ms: i64,
}

impl Default for Ways {
    fn default() -> Self {
        Self { zip: true, piece: 10 << 20, windows_1251: false, offers_first: false, slice_ms: 20_000 }
    }
}

/// One request; the answer is always 200.
pub fn ask(
    shop: &Shop,
    connection: &str,
    query: &str,
    login: Option<(&str, &str)>,
    cookie: &str,
    body: &[u8],
) -> String {
    let path = format!("/exchange/1c/{connection}?{query}");
    let mut ask = shop.ask(if body.is_empty() { "GET" } else { "POST" }, &path).body(body);
    if let Some((name, password)) = login {
        let text = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        ask = ask.header("authorization", &format!("Basic {text}"));
    }
    if !cookie.is_empty() {
        ask = ask.header("cookie", cookie);
    }
    let answer = ask.send();
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.text
}

pub struct Client<'a> {
    shop: &'a Shop,
    connection: &'a str,
    password: &'a str,
    ways: Ways,
    cookie: String,
    /// Whether it was ever asked to come again.
    pub said_progress: bool,
}

impl<'a> Client<'a> {
    pub fn new(shop: &'a Shop, connection: &'a str, password: &'a str, ways: Ways) -> Self {
        Self { shop, connection, password, ways, cookie: String::new(), said_progress: false }
    }
    /// A request with the cookie.
    pub fn step(&self, query: &str) -> String {
        ask(self.shop, self.connection, query, None, &self.cookie, b"")
    }
    fn send(&self, query: &str, body: &[u8]) -> String {
        ask(self.shop, self.connection, query, None, &self.cookie, body)
    }
    pub fn sign_in(&mut self, kind: &str) {
        let query = format!("type={kind}&mode=checkauth");
        let begun = ask(self.shop, self.connection, &query, Some((self.connection, self.password)), "", b"");
        let lines: Vec<&str> = begun.lines().collect();
        assert_eq!(lines[0], "success", "{begun}");
        self.cookie = format!("{}={}", lines[1], lines[2]);
    }
    /// Sends a file in pieces.
    pub fn upload(&self, kind: &str, name: &str, bytes: &[u8], limit: usize) -> Result<(), String> {
        for piece in bytes.chunks(limit) {
            let said = self.send(&format!("type={kind}&mode=file&filename={name}"), piece);
            if said.lines().next() != Some("success") {
                return Err(said);
            }
        }
        Ok(())
    }
    /// Has a file taken in; comes again as long as it is asked to.
    pub fn import(&mut self, kind: &str, name: &str) -> Result<String, String> {
        for _ in 0..2_000 {
            let said = self.step(&format!("type={kind}&mode=import&filename={name}"));
            match said.lines().next() {
                Some("progress") => {
                    self.said_progress = true;
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                Some("success") => return Ok(said),
                _ => return Err(said),
            }
        }
        Err("it never ends".into())
    }
    /// Everything from signing in to the last file.
    pub fn exchange(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), String> {
        self.sign_in("catalog");
        let may = self.step("type=catalog&mode=init");
        let lines: Vec<&str> = may.lines().collect();
        let zip = lines[0] == "zip=yes" && self.ways.zip;
        let limit: usize = lines[1].trim_start_matches("file_limit=").parse().expect("a number");
        let limit = limit.min(self.ways.piece);
        let written = |bytes: &[u8]| -> Vec<u8> {
            if !self.ways.windows_1251 {
                return bytes.to_vec();
            }
            let text = String::from_utf8_lossy(bytes).replace("encoding=\"UTF-8\"", "encoding=\"windows-1251\"");
            text.chars().map(exchange::encoding::to_windows_1251).collect()
        };
        let mut files: Vec<(String, Vec<u8>)> = files.iter().map(|(n, b)| (n.clone(), written(b))).collect();
        if self.ways.offers_first {
            files.reverse();
        }
        if zip {
            let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
            for (name, bytes) in &files {
                out.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).expect("memory");
                out.write_all(bytes).expect("memory");
            }
            let bytes = out.finish().expect("memory").into_inner();
            self.upload("catalog", "v8_3B8F_3e.zip", &bytes, limit)?;
        } else {
            for (name, bytes) in &files {
                self.upload("catalog", name, bytes, limit)?;
            }
        }
        for (name, _) in &files {
            self.import("catalog", name)?;
        }
        Ok(())
    }
}
