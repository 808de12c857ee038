//! An identity provider that does what the documents say (OpenID Connect Core and Discovery 1.0, RFC 7636) and lies on demand.
//!
//! It keeps one person signed in, checks client, redirect, code and PKCE as a real one does, and signs with RS256, or with
//! ES256 after [`FakeProvider::rotate`]. Its keys are public; nothing else may trust them.
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use reqwest::Url;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use ring::{digest, hmac};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

const RSA_PEM: &[u8] = include_bytes!("provider.key");

/// How the provider lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trick {
    /// The document names another issuer.
    IssuerInDocument,
    /// The document is a page of HTML.
    DocumentIsHtml,
    /// The document sends the browser's secrets over plain http elsewhere.
    PlainEndpoint,
    /// Only `plain` challenges are known.
    NoS256,
    /// The person says no.
    Denied,
    /// The redirect names another issuer (RFC 9207).
    IssuerInRedirect,
    /// The token is of another issuer.
    IssuerInToken,
    /// The token is for another client.
    Audience,
    /// The token is for us and for somebody else.
    MoreAudiences,
    /// The token was given to another party.
    Party,
    /// The token has expired.
    Expired,
    /// The token is from the future.
    Future,
    /// The token has another attempt's nonce.
    Nonce,
    /// The token has none.
    NoNonce,
    /// `alg` is `none`, and there is no signature.
    AlgNone,
    /// `alg` is `HS256`, signed with the public key, which everybody has.
    Hs256,
    /// The token names a key that is not published.
    UnknownKey,
    /// The signature is of something else.
    Signature,
    /// The token endpoint answers 500.
    Token500,
    /// The token endpoint says nothing.
    TokenHangs,
    /// The token endpoint talks without end.
    TokenHuge,
    /// The token endpoint sends us elsewhere.
    TokenRedirects,
    /// The address stands on the person's page only.
    EmailOnPage,
    /// The person's page is somebody else's.
    PageOfAnother,
    /// The secret stands in the form.
    SecretInForm,
}

/// Who is signed in at the provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Names them for ever.
    pub subject: String,
    /// Their address.
    pub email: String,
    /// Whether it was verified.
    pub verified: bool,
    /// As they are shown.
    pub name: String,
}

enum Signer {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

struct Code {
    challenge: String,
    nonce: String,
    redirect_uri: String,
}

struct Inner {
    issuer: String,
    client: (String, String),
    person: Person,
    tricks: HashSet<Trick>,
    key: (String, Signer),
    codes: HashMap<String, Code>,
    asked: HashMap<String, usize>,
    drawn: u64,
}

/// A provider on a real port; ends when it is dropped.
pub struct FakeProvider {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    stop: Arc<AtomicBool>,
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeProvider {
    /// Listens on this machine; the client is `braid` with the secret `a secret+/&`, and nobody lies.
    pub fn start() -> Self {
        Self::listen(None)
    }
    /// The same over TLS, for `localhost`, signed by [`super::CA_PEM`]; [`Self::visit`] does not work with it.
    pub fn start_tls() -> Self {
        Self::listen(Some(super::listener::server_config()))
    }
    fn listen(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("has one");
        let der = PrivatePkcs8KeyDer::from_pem_slice(RSA_PEM).expect("a key");
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key");
        let person = Person {
            subject: "sub-1".into(),
            email: "ann@example.com".into(),
            verified: true,
            name: "Ann of the provider".into(),
        };
        let inner = Arc::new(Mutex::new(Inner {
            issuer: match tls {
                Some(_) => format!("https://localhost:{}", address.port()),
                None => format!("http://{address}"),
            },
            client: ("braid".into(), "a secret+/&".into()),
            person,
            tricks: HashSet::new(),
            key: ("key-1".into(), Signer::Rsa(Box::new(key))),
            codes: HashMap::new(),
            asked: HashMap::new(),
            drawn: 0,
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, told) = (inner.clone(), stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                let (shared, told, tls) = (shared.clone(), told.clone(), tls.clone());
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                    let Some(tls) = tls else { return drop(serve(stream, &shared, &told)) };
                    let connection = ServerConnection::new(tls).expect("a sound configuration");
                    drop(serve(StreamOwned::new(connection, stream), &shared, &told));
                });
            }
        });
        Self { address, inner, stop }
    }
    /// The issuer.
    pub fn issuer(&self) -> String {
        lock(&self.inner).issuer.clone()
    }
    /// The client's name and secret.
    pub fn client(&self) -> (String, String) {
        lock(&self.inner).client.clone()
    }
    /// Makes somebody be signed in.
    pub fn set_person(&self, change: impl FnOnce(&mut Person)) {
        change(&mut lock(&self.inner).person);
    }
    /// Lies in these ways, and in no other.
    pub fn lie(&self, tricks: impl IntoIterator<Item = Trick>) {
        lock(&self.inner).tricks = tricks.into_iter().collect();
    }
    /// Signs with a new key of ES256 from now on and publishes that one alone.
    pub fn rotate(&self) {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &random).expect("a key");
        let mut inner = lock(&self.inner);
        inner.drawn += 1;
        inner.key = (format!("key-of-rotation-{}", inner.drawn), Signer::P256(Box::new(key)));
    }
    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        lock(&self.inner).asked.get(path).copied().unwrap_or(0)
    }
    /// Does what a browser does with an address of the provider, and gives where it is sent back to.
    pub fn visit(&self, url: &str) -> String {
        let path = url.strip_prefix(&format!("http://{}", self.address)).expect("an address of this provider");
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("writes");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("reads");
        let location = text.lines().find_map(|l| l.strip_prefix("location: "));
        location.unwrap_or_else(|| panic!("no redirect: {text}")).to_string()
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The listener wakes up for this connection and sees the stop.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: impl Read + Write, inner: &Mutex<Inner>, stop: &AtomicBool) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_string();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match &*name.to_ascii_lowercase() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => authorization = value.trim().into(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let url = Url::parse(&format!("http://x{target}")).expect("a path");
    let mut inner = lock(inner);
    *inner.asked.entry(url.path().to_string()).or_default() += 1;
    let reply = match url.path() {
        "/.well-known/openid-configuration" => inner.document(),
        "/authorize" => inner.authorize(&pairs(url.query().unwrap_or_default())),
        "/token" => inner.token(&pairs(&String::from_utf8_lossy(&body)), &authorization),
        "/keys" => Reply::Json(200, inner.keys()),
        "/userinfo" => inner.page(&authorization),
        _ => Reply::Json(404, json!({})),
    };
    drop(inner);
    answer(reader.into_inner(), reply, stop)
}

fn pairs(text: &str) -> HashMap<String, String> {
    let url = Url::parse(&format!("http://x/?{text}")).expect("a query");
    url.query_pairs().into_owned().collect()
}

enum Reply {
    Json(u16, Value),
    Text(&'static str),
    To(String),
    Hang,
    Huge,
}

fn answer(mut stream: impl Write, reply: Reply, stop: &AtomicBool) -> std::io::Result<()> {
    let mut send = |status: u16, more: &str, body: &str| {
        let length = body.len();
        write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\n{more}content-length: {length}\r\n\r\n{body}")
    };
    match reply {
        Reply::Json(status, body) => send(status, "content-type: application/json\r\n", &body.to_string()),
        Reply::Text(text) => send(200, "content-type: text/html\r\n", text),
        Reply::To(location) => send(302, &format!("location: {location}\r\n"), ""),
        Reply::Hang => {
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Reply::Huge => {
            write!(stream, "HTTP/1.1 200 X\r\nconnection: close\r\n\r\n{{\"id_token\": \"")?;
            while !stop.load(Ordering::Relaxed) {
                stream.write_all(&[b'a'; 8192])?;
            }
            Ok(())
        }
    }
}

impl Inner {
    fn lies(&self, trick: Trick) -> bool {
        self.tricks.contains(&trick)
    }
    fn draw(&mut self) -> String {
        self.drawn += 1;
        format!("drawn-{}", self.drawn)
    }
    fn document(&self) -> Reply {
        if self.lies(Trick::DocumentIsHtml) {
            return Reply::Text("<!doctype html><title>Hello</title>");
        }
        let issuer = &self.issuer;
        let token = if self.lies(Trick::PlainEndpoint) { "http://elsewhere.example/token" } else { "" };
        let token = Some(token.to_string()).filter(|t| !t.is_empty()).unwrap_or(format!("{issuer}/token"));
        let methods = if self.lies(Trick::SecretInForm) { "client_secret_post" } else { "client_secret_basic" };
        let named = if self.lies(Trick::IssuerInDocument) { format!("{issuer}/other") } else { issuer.clone() };
        Reply::Json(
            200,
            json!({
                "issuer": named,
                "authorization_endpoint": format!("{issuer}/authorize?ui=1"),
                "token_endpoint": token,
                "jwks_uri": format!("{issuer}/keys"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                "token_endpoint_auth_methods_supported": [methods],
                "code_challenge_methods_supported": if self.lies(Trick::NoS256) { ["plain"] } else { ["S256"] },
                "authorization_response_iss_parameter_supported": true,
            }),
        )
    }
    fn authorize(&mut self, asked: &HashMap<String, String>) -> Reply {
        let text = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        let sound = text("response_type") == "code"
            && text("client_id") == self.client.0
            && text("code_challenge_method") == "S256"
            && text("code_challenge").len() == 43
            && text("scope").split(' ').any(|s| s == "openid")
            && text("ui") == "1";
        if !sound {
            return Reply::Json(400, json!({"error": "invalid_request"}));
        }
        let issuer = if self.lies(Trick::IssuerInRedirect) { "https://other.example" } else { &self.issuer };
        let mut back = Url::parse(text("redirect_uri")).expect("an address");
        back.query_pairs_mut().append_pair("state", text("state")).append_pair("iss", issuer);
        if self.lies(Trick::Denied) {
            back.query_pairs_mut().append_pair("error", "access_denied");
            return Reply::To(back.into());
        }
        let code = self.draw();
        back.query_pairs_mut().append_pair("code", &code);
        let kept = Code {
            challenge: text("code_challenge").into(),
            nonce: text("nonce").into(),
            redirect_uri: text("redirect_uri").into(),
        };
        self.codes.insert(code, kept);
        Reply::To(back.into())
    }
    fn is_client(&self, form: &HashMap<String, String>, authorization: &str) -> bool {
        let (id, secret) = &self.client;
        if self.lies(Trick::SecretInForm) {
            return form.get("client_id") == Some(id) && form.get("client_secret") == Some(secret);
        }
        let given = authorization.strip_prefix("Basic ").and_then(|b| STANDARD.decode(b).ok()).unwrap_or_default();
        let given = String::from_utf8_lossy(&given).into_owned();
        let Some((name, word)) = given.split_once(':') else { return false };
        let plain = |text: &str| pairs(&format!("v={text}")).remove("v").unwrap_or_default();
        plain(name) == *id && plain(word) == *secret
    }
    fn token(&mut self, form: &HashMap<String, String>, authorization: &str) -> Reply {
        for (trick, reply) in [
            (Trick::Token500, Reply::Json(500, json!({"error": "server_error"}))),
            (Trick::TokenHangs, Reply::Hang),
            (Trick::TokenHuge, Reply::Huge),
            (Trick::TokenRedirects, Reply::To("https://elsewhere.example/".into())),
        ] {
            if self.lies(trick) {
                return reply;
            }
        }
        let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if !self.is_client(form, authorization) {
            return Reply::Json(401, json!({"error": "invalid_client", "error_description": "secret words"}));
        }
        let challenge = BASE64.encode(digest::digest(&digest::SHA256, text("code_verifier").as_bytes()));
        // A code works once, whatever becomes of it.
        let code = self.codes.remove(text("code"));
        let code = code.filter(|c| c.challenge == challenge && c.redirect_uri == text("redirect_uri"));
        let Some(code) = code.filter(|_| text("grant_type") == "authorization_code") else {
            return Reply::Json(400, json!({"error": "invalid_grant"}));
        };
        let id_token = self.id_token(&code.nonce);
        let access = format!("access-{}", self.person.subject);
        Reply::Json(
            200,
            json!({"token_type": "Bearer", "access_token": access, "expires_in": 60, "id_token": id_token}),
        )
    }
    fn page(&self, authorization: &str) -> Reply {
        let Person { subject, email, verified, name } = &self.person;
        if authorization != format!("Bearer access-{subject}") {
            return Reply::Json(401, json!({"error": "invalid_token"}));
        }
        let subject = if self.lies(Trick::PageOfAnother) { "somebody-else" } else { subject };
        Reply::Json(200, json!({"sub": subject, "email": email, "email_verified": verified, "name": name}))
    }
    fn keys(&self) -> Value {
        let (id, signer) = &self.key;
        let strange = json!({"kty": "OKP", "crv": "Ed25519", "kid": "strange", "x": "AAAA"});
        let own = match signer {
            Signer::Rsa(key) => {
                let public: RsaPublicKeyComponents<Vec<u8>> = key.public().into();
                let (n, e) = (BASE64.encode(public.n), BASE64.encode(public.e));
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": n, "e": e})
            }
            Signer::P256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": x, "y": y})
            }
        };
        json!({"keys": [strange, own]})
    }
    fn id_token(&self, nonce: &str) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        let Person { subject, email, verified, name } = &self.person;
        let mut claims = json!({"iss": self.issuer, "sub": subject, "aud": self.client.0, "azp": self.client.0,
            "exp": now + 300, "iat": now, "nonce": nonce});
        if !self.lies(Trick::EmailOnPage) {
            claims["email"] = json!(email);
            claims["email_verified"] = json!(verified);
            claims["name"] = json!(name);
        }
        for (trick, claim, value) in [
            (Trick::IssuerInToken, "iss", json!("https://other.example")),
            (Trick::Audience, "aud", json!("another-client")),
            (Trick::MoreAudiences, "aud", json!([self.client.0, "another-client"])),
            (Trick::Party, "azp", json!("another-client")),
            (Trick::Expired, "exp", json!(now - 3600)),
            (Trick::Future, "iat", json!(now + 3600)),
            (Trick::Nonce, "nonce", json!("of-another-attempt")),
            (Trick::NoNonce, "nonce", Value::Null),
        ] {
            if self.lies(trick) {
                claims[claim] = value;
            }
        }
        self.sign(&claims)
    }
    fn sign(&self, claims: &Value) -> String {
        let (id, signer) = &self.key;
        let own = match signer {
            Signer::Rsa(_) => "RS256",
            Signer::P256(_) => "ES256",
        };
        let algorithm = match () {
            () if self.lies(Trick::AlgNone) => "none",
            () if self.lies(Trick::Hs256) => "HS256",
            () => own,
        };
        let id = if self.lies(Trick::UnknownKey) { "nobody-knows" } else { id };
        let head = BASE64.encode(json!({"alg": algorithm, "typ": "JWT", "kid": id}).to_string());
        let signed = format!("{head}.{}", BASE64.encode(claims.to_string()));
        let other = format!("{signed} ");
        let text = if self.lies(Trick::Signature) { other.as_bytes() } else { signed.as_bytes() };
        let random = SystemRandom::new();
        let signature = match signer {
            _ if self.lies(Trick::AlgNone) => Vec::new(),
            _ if self.lies(Trick::Hs256) => {
                let public = self.keys()["keys"][1]["n"].to_string();
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), text).as_ref().to_vec()
            }
            Signer::Rsa(key) => {
                let mut out = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut out).expect("signs");
                out
            }
            Signer::P256(key) => key.sign(&random, text).expect("signs").as_ref().to_vec(),
        };
        format!("{signed}.{}", BASE64.encode(signature))
    }
}
