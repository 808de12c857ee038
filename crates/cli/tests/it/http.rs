//! A client that says exactly what a test wants said, byte by byte if need be.
use base64::Engine as _;
use serde_json::Value;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
    /// The stable code of a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_string()
    }
}

/// A connection that is kept alive, made when it is needed.
pub struct Client {
    host: String,
    pub authorization: Option<String>,
    stream: Option<BufReader<TcpStream>>,
}

/// The header of a write key.
pub fn basic(key: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{key}:")))
}

impl Client {
    /// A client of a tracking API that signs with a write key.
    pub fn tracking(url: &str, write_key: &str) -> Self {
        Self::new(url, Some(basic(write_key)))
    }
    /// A client of the admin API.
    pub fn admin(url: &str, api_key: &str) -> Self {
        Self::new(url, Some(format!("Bearer {api_key}")))
    }
    pub fn new(url: &str, authorization: Option<String>) -> Self {
        let host = url.strip_prefix("http://").expect("the server speaks plain HTTP").to_string();
        Self { host, authorization, stream: None }
    }

    pub fn post(&mut self, path: &str, body: &[u8]) -> Result<Answer> {
        self.request("POST", path, &[], body)
    }
    pub fn post_json(&mut self, path: &str, body: &Value) -> Result<Answer> {
        self.post(path, body.to_string().as_bytes())
    }
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.request("GET", path, &[], b"")
    }

    pub fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", self.host, body.len());
        if let Some(authorization) = &self.authorization {
            head.push_str(&format!("authorization: {authorization}\r\n"));
        }
        if !headers.iter().any(|(n, _)| *n == "content-type") {
            head.push_str("content-type: application/json\r\n");
        }
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        head.push_str("\r\n");
        // A kept connection may have been closed meanwhile, as after an answer that came before the body was read.
        if let Some(stream) = self.stream.take()
            && let Ok(answer) = self.exchange(stream, &head, body)
        {
            return Ok(answer);
        }
        let stream = connect(&self.host)?;
        self.exchange(stream, &head, body)
    }

    fn exchange(&mut self, mut stream: BufReader<TcpStream>, head: &str, body: &[u8]) -> Result<Answer> {
        stream.get_mut().write_all(head.as_bytes())?;
        // A server that refuses by the head alone may close before it read the body; its answer is there all the same.
        let sent = stream.get_mut().write_all(body);
        let (answer, keep) = read_answer(&mut stream).map_err(|e| sent.err().unwrap_or(e))?;
        if keep {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

/// A bare connection.
pub fn connect(host: &str) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Reads an answer; the second value says whether the connection goes on.
pub fn read_answer(stream: &mut BufReader<TcpStream>) -> Result<(Answer, bool)> {
    let cut = || Error::new(ErrorKind::UnexpectedEof, "the answer was cut");
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(cut)?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(cut());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
    let find = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let keep = find("connection").is_none_or(|v| v != "close");
    let mut body = Vec::new();
    if find("transfer-encoding").is_some_and(|v| v == "chunked") {
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| cut())?;
            let at = body.len();
            body.resize(at + size, 0);
            stream.read_exact(&mut body[at..])?;
            line.clear();
            stream.read_line(&mut line)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = find("content-length").and_then(|v| v.parse().ok()) {
        body.resize(length, 0);
        stream.read_exact(&mut body)?;
    }
    Ok((Answer { status, headers, body }, keep))
}
