//! The rules over tokens and documents, and the client against a provider on a real port that lies on demand.
use super::flow::{Asked, authorization_url, challenge, verifier};
use super::id_token::{AGE_MAX_S, LEEWAY_S};
use super::*;
use crate::fake::{FakeProvider, Trick};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn client() -> OidcClient {
    let answer = Duration::from_millis(500);
    OidcClient::new(OidcOptions { answer, ..OidcOptions::default() }).expect("a client")
}

/// One whole way: discovery, the browser's visit, the code, the token, its check.
fn go(provider: &FakeProvider) -> Result<Claims, String> {
    let said = |e: &dyn std::fmt::Display| e.to_string();
    let client = client();
    run(async {
        let metadata = client.discover(&provider.issuer()).await.map_err(|e| said(&e))?;
        let keys = client.keys(&metadata).await.map_err(|e| said(&e))?;
        let (client_id, client_secret) = provider.client();
        let (redirect_uri, verifier) = ("http://127.0.0.1:9/signin/oidc", verifier([7; 32]));
        let asked = Asked { client_id: &client_id, redirect_uri, state: "s", nonce: "n", verifier: &verifier };
        let back = provider.visit(&authorization_url(&metadata, asked));
        let back = reqwest::Url::parse(&back).expect("an address");
        let of = |name: &str| back.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        assert_eq!(of("state").as_deref(), Some("s"));
        let code = of("code").expect("a code");
        let exchange = Exchange {
            code: &code,
            verifier: &verifier,
            redirect_uri,
            client_id: &client_id,
            client_secret: &client_secret,
        };
        let tokens = client.exchange(&metadata, exchange).await.map_err(|e| said(&e))?;
        let again = client.exchange(&metadata, exchange).await;
        assert!(again.is_err_and(|e| e.to_string().contains("invalid_grant")), "a code works once");
        let now_s =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        let expected = Expected { issuer: &metadata.issuer, client_id: &client_id, nonce: "n", now_s };
        let claims = id_token::check(&tokens.id_token, &keys, expected).map_err(|e| said(&e))?;
        if claims.email.is_some() {
            return Ok(claims);
        }
        let access = tokens.access_token.expect("one");
        client.person(&metadata, &access, &claims.subject).await.map_err(|e| said(&e))
    })
}

#[test]
fn somebody_signs_in_with_either_algorithm_and_either_place_of_the_secret() {
    let provider = FakeProvider::start();
    let ann = Claims {
        subject: "sub-1".into(),
        email: Some("ann@example.com".into()),
        email_verified: true,
        name: Some("Ann of the provider".into()),
    };
    assert_eq!(go(&provider), Ok(ann.clone()));
    provider.rotate();
    assert_eq!(go(&provider), Ok(ann.clone()));
    provider.lie([Trick::SecretInForm]);
    assert_eq!(go(&provider), Ok(ann.clone()));
    provider.lie([Trick::EmailOnPage]);
    assert_eq!(go(&provider), Ok(ann), "the address stands on the person's page");
}

#[test]
fn every_lie_is_seen_and_named() {
    let provider = FakeProvider::start();
    for (trick, wanted) in [
        (Trick::IssuerInDocument, "the provider calls itself"),
        (Trick::DocumentIsHtml, "cannot be read (discovery)"),
        (Trick::PlainEndpoint, "token_endpoint is no address that may be asked"),
        (Trick::NoS256, "code_challenge_methods_supported"),
        (Trick::IssuerInToken, "is from another issuer: https://other.example"),
        (Trick::Audience, "for another client"),
        (Trick::MoreAudiences, "for another client"),
        (Trick::Party, "given to another party"),
        (Trick::Expired, "has expired"),
        (Trick::Future, "from the future"),
        (Trick::Nonce, "belongs to another attempt"),
        (Trick::NoNonce, "does not say nonce"),
        (Trick::AlgNone, "signed with none"),
        (Trick::Hs256, "signed with HS256"),
        (Trick::UnknownKey, "does not publish"),
        (Trick::Signature, "signature of the ID token is wrong"),
        (Trick::Token500, "answered 500 (token): server_error"),
        (Trick::TokenHangs, "did not answer within 0 seconds (token)"),
        (Trick::TokenHuge, "larger than 256 KiB (token)"),
        (Trick::TokenRedirects, "sends us elsewhere (token)"),
    ] {
        provider.lie([trick]);
        let began = Instant::now();
        let said = go(&provider).expect_err("refused");
        assert!(said.contains(wanted), "{trick:?}: {said}");
        assert!(began.elapsed() < Duration::from_secs(5), "{trick:?} waits without end");
    }
    provider.lie([Trick::EmailOnPage, Trick::PageOfAnother]);
    assert!(go(&provider).expect_err("refused").contains("another person"));
}

#[test]
fn a_provider_of_a_private_authority_is_trusted_where_its_certificate_is_named() {
    let provider = FakeProvider::start_tls();
    let ask = |pem: Option<&[u8]>| {
        let options = OidcOptions { root_certificates_pem: pem.map(<[u8]>::to_vec), ..OidcOptions::default() };
        let client = OidcClient::new(options).expect("a client");
        run(async { client.keys(&client.discover(&provider.issuer()).await?).await.map(|keys| keys.len()) })
    };
    assert_eq!(ask(Some(crate::fake::CA_PEM)), Ok(1));
    let said = ask(None).expect_err("refused").to_string();
    assert!(said.starts_with("the provider cannot be reached (discovery)") && said.contains("certificate"), "{said}");
    assert!(
        OidcClient::new(OidcOptions { root_certificates_pem: Some(b"x".to_vec()), ..OidcOptions::default() }).is_err()
    );
}

#[test]
fn a_wrong_secret_is_told_by_its_name_and_nothing_else() {
    let provider = FakeProvider::start();
    let client = client();
    let exchange =
        Exchange { code: "x", verifier: "v", redirect_uri: "r", client_id: "braid", client_secret: "another" };
    let said = run(async {
        let metadata = client.discover(&provider.issuer()).await.expect("answers");
        client.exchange(&metadata, exchange).await.map(|_| ()).expect_err("refused").to_string()
    });
    assert_eq!(said, "the provider answered 401 (token): invalid_client");
}

#[test]
fn an_issuer_is_asked_over_https_or_is_this_machine() {
    for good in
        ["https://login.example.com", "https://x.example/realms/shop/", "http://localhost:8080", "http://[::1]:1"]
    {
        assert!(check_issuer(good).is_ok(), "{good}");
    }
    let well_known = check_issuer("https://x.example/realms/shop/").map(String::from);
    assert_eq!(well_known, Ok("https://x.example/realms/shop/.well-known/openid-configuration".into()));
    for (bad, why) in [
        ("login.example.com", IssuerError::Unreadable),
        ("ftp://x.example", IssuerError::Unreadable),
        ("http://login.example.com", IssuerError::Plain),
        ("http://10.0.0.1", IssuerError::Plain),
        ("https://a:b@x.example", IssuerError::Parts),
        ("https://x.example/?a=b", IssuerError::Parts),
        ("https://x.example/#a", IssuerError::Parts),
        ("https://169.254.169.254", IssuerError::Address),
    ] {
        assert_eq!(check_issuer(bad), Err(why), "{bad}");
    }
}

#[test]
fn the_challenge_is_the_one_of_the_specification() {
    // RFC 7636, appendix B.
    assert_eq!(challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_eq!(verifier([0; 32]).len(), 43);
}

/// A signer of any claims, for the borders that no provider shows.
struct Signer(EcdsaKeyPair, KeySet);

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &random).expect("a key");
        let point = key.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        let keys = KeySet::parse(&json!({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y}]})).expect("a set");
        Self(key, keys)
    }
    fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).expect("signs");
        format!("{signed}.{}", BASE64.encode(signature))
    }
    fn check(&self, change: Value) -> Result<Claims, TokenError> {
        self.check_as("https://x.example", change)
    }
    fn check_as(&self, issuer: &str, change: Value) -> Result<Claims, TokenError> {
        let mut claims = json!({"iss": issuer, "aud": "c", "sub": "s", "nonce": "n", "iat": 10_000, "exp": 10_300});
        for (name, value) in change.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        let token = self.token(&json!({"alg": "ES256"}), &claims);
        id_token::check(&token, &self.1, Expected { issuer, client_id: "c", nonce: "n", now_s: 10_010 })
    }
}

#[test]
fn times_have_a_small_leeway_and_no_more() {
    let signer = Signer::new();
    for (claims, wanted) in [
        (json!({"exp": 10_010 - LEEWAY_S + 1}), Ok(())),
        (json!({"exp": 10_010 - LEEWAY_S}), Err(TokenError::Expired)),
        (json!({"iat": 10_010 + LEEWAY_S}), Ok(())),
        (json!({"iat": 10_010 + LEEWAY_S + 1}), Err(TokenError::Future)),
        (json!({"nbf": 10_010 + LEEWAY_S + 1}), Err(TokenError::Future)),
        (json!({"iat": 10_010 - AGE_MAX_S}), Ok(())),
        (json!({"iat": 10_010 - AGE_MAX_S - 1}), Err(TokenError::Old)),
        (json!({"exp": 1e300, "iat": 10_000.5}), Ok(())),
        (json!({"exp": "10300"}), Err(TokenError::Missing("exp"))),
        (json!({"iat": null}), Err(TokenError::Missing("iat"))),
        (json!({"aud": []}), Err(TokenError::Audience)),
        (json!({"aud": ["c"]}), Ok(())),
        (json!({"aud": ["c", "d"], "azp": "c"}), Err(TokenError::Audience)),
        (json!({"azp": null}), Err(TokenError::Party)),
        (json!({"sub": ""}), Err(TokenError::Missing("sub"))),
        (json!({"sub": "x".repeat(256)}), Err(TokenError::Missing("sub"))),
    ] {
        assert_eq!(signer.check(claims.clone()).map(drop), wanted, "{claims}");
    }
}

#[test]
fn an_address_counts_where_the_provider_answers_for_it() {
    let signer = Signer::new();
    let google = "https://accounts.google.com";
    for (issuer, claims, wanted) in [
        ("https://x.example", json!({"email": "a@shop.ua", "email_verified": true}), true),
        ("https://x.example", json!({"email": "a@shop.ua", "email_verified": "true"}), true),
        ("https://x.example", json!({"email": "a@shop.ua", "xms_edov": 1}), true),
        ("https://x.example", json!({"email": "a@shop.ua", "xms_edov": 1, "email_verified": false}), false),
        ("https://x.example", json!({"email": "a@shop.ua"}), false),
        ("https://x.example", json!({"email": "a@shop.ua", "email_verified": "false"}), false),
        (google, json!({"email": "a@shop.ua", "email_verified": true}), false),
        (google, json!({"email": "a@shop.ua", "email_verified": true, "hd": "shop.ua"}), true),
        (google, json!({"email": "a@Gmail.com", "email_verified": true}), true),
    ] {
        let found = signer.check_as(issuer, claims.clone()).expect("believed");
        assert_eq!(found.email_verified, wanted, "{issuer} {claims}");
    }
}

#[test]
fn torn_tokens_and_strange_heads_are_refused() {
    let signer = Signer::new();
    let claims = json!({"iss": "i"});
    let check = |token: &str| {
        let expected = Expected { issuer: "i", client_id: "c", nonce: "n", now_s: 0 };
        id_token::check(token, &signer.1, expected).expect_err("refused")
    };
    let sound = signer.token(&json!({"alg": "ES256"}), &claims);
    assert_eq!(check(&sound), TokenError::Audience, "signature and issuer hold");
    for torn in ["", "a.b", "..", "a.b.c.d", &sound[1..], &format!("{sound}="), &format!("{}.x", "e".repeat(40_000))] {
        assert_eq!(check(torn), TokenError::Shape, "{torn:.30}");
    }
    assert_eq!(check(&signer.token(&json!({"alg": "ES256", "crit": ["b64"]}), &claims)), TokenError::Critical);
    assert_eq!(check(&signer.token(&json!({"alg": "ES384"}), &claims)), TokenError::Algorithm("ES384".into()));
    assert_eq!(check(&signer.token(&json!({}), &claims)), TokenError::Algorithm(String::new()));
    // A key of one kind never checks a signature of another.
    assert_eq!(check(&signer.token(&json!({"alg": "RS256"}), &claims)), TokenError::UnknownKey);
    let other = Signer::new();
    assert_eq!(check(&other.token(&json!({"alg": "ES256"}), &claims)), TokenError::Signature);
}

#[test]
fn keys_of_other_kinds_are_passed_over() {
    let none = |keys: Value| KeySet::parse(&json!({"keys": keys}));
    assert_eq!(KeySet::parse(&json!({})), Err(KeysError::Shape));
    for odd in [
        json!([]),
        json!([{"kty": "oct", "k": "AAAA"}]),
        json!([{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}]),
        json!([{"kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc"}]),
        json!([{"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS512"}]),
    ] {
        assert_eq!(none(odd.clone()), Err(KeysError::Empty), "{odd}");
    }
    let two = json!([{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"}, {"kty": "RSA", "n": "AAEB", "e": "AQAB", "kid": "b"}]);
    let set = none(two).expect("two keys");
    assert!(set.find(Some("b"), Algorithm::Rs256).is_some() && set.find(Some("c"), Algorithm::Rs256).is_none());
    assert!(set.find(None, Algorithm::Rs256).is_none(), "a token without a name could be of either");
    assert!(set.find(Some("a"), Algorithm::Es256).is_none());
}
