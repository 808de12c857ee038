//! Where a provider's doors are: `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
use crate::webhook::address::{Place, literal, place};
use reqwest::Url;
use serde_json::Value;

/// What stands behind the issuer's address.
pub const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// The longest address that is taken.
const URL_MAX: usize = 2000;

/// Why a text cannot be an issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// No address.
    #[error("this is no address such as https://login.example.com")]
    Unreadable,
    /// Plain http to elsewhere.
    #[error("a provider is asked over https; plain http is for this machine only")]
    Plain,
    /// What an issuer never has.
    #[error("an issuer has no password, no ? and no #")]
    Parts,
    /// An address at which no provider is.
    #[error("nothing that may be asked is at this address")]
    Address,
}

/// Reads an address that may be asked: https, or http to this machine.
fn check_url(text: &str) -> Result<Url, IssuerError> {
    let url = Url::parse(text).ok().filter(|u| text.len() <= URL_MAX && u.has_host());
    let url = url.ok_or(IssuerError::Unreadable)?;
    let at = literal(&url).map(place);
    let here = url.host_str() == Some("localhost") || at == Some(Place::Loopback);
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => return Err(IssuerError::Plain),
        _ => return Err(IssuerError::Unreadable),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(IssuerError::Parts);
    }
    if at == Some(Place::Never) { Err(IssuerError::Address) } else { Ok(url) }
}

/// Checks what somebody enters as an issuer; gives the address of its document. The issuer itself stays as it was entered:
/// it is compared letter by letter.
pub fn check_issuer(issuer: &str) -> Result<Url, IssuerError> {
    if check_url(issuer)?.query().is_some() {
        return Err(IssuerError::Parts);
    }
    check_url(&format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/')))
}

/// How a client shows the token endpoint who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// The secret stands in `Authorization: Basic`.
    Basic,
    /// The secret stands in the form.
    Post,
}

/// What a provider says of itself, as far as it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Letter by letter what was entered.
    pub issuer: String,
    /// Where browsers go.
    pub authorization_endpoint: Url,
    /// Where a code becomes a token.
    pub token_endpoint: Url,
    /// Where the keys are.
    pub jwks_uri: Url,
    /// Where more about a person is told.
    pub userinfo_endpoint: Option<Url>,
    /// How the token endpoint wants the secret.
    pub client_auth: ClientAuth,
    /// Whether every answer names the issuer (RFC 9207).
    pub names_issuer: bool,
}

/// Why what a provider says of itself cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Another issuer.
    #[error("the provider calls itself {found:.200}, not {wanted:.200}; enter its name letter by letter")]
    Issuer {
        /// What the document says.
        found: String,
        /// What was entered.
        wanted: String,
    },
    /// A field that must be there.
    #[error("the provider does not say {0}")]
    Missing(&'static str),
    /// An address that may not be asked.
    #[error("the provider's {name} is no address that may be asked: {source}")]
    Address {
        /// Which.
        name: &'static str,
        /// Why.
        source: IssuerError,
    },
    /// Nothing that is understood on both sides.
    #[error("the provider has no {what} that Braid knows; it wants {wanted}")]
    Lacks {
        /// What of.
        what: &'static str,
        /// One of these.
        wanted: &'static str,
    },
}

/// Reads a provider's document; `issuer` is what was entered.
pub fn parse(issuer: &str, document: &Value) -> Result<Metadata, MetadataError> {
    let text = |name: &'static str| document[name].as_str().ok_or(MetadataError::Missing(name));
    let found = text("issuer")?;
    if found != issuer {
        return Err(MetadataError::Issuer { found: found.into(), wanted: issuer.into() });
    }
    // A provider that is asked over https does not send anybody over plain http.
    let secure = issuer.starts_with("https:");
    let read = |name: &'static str, text: &str| match check_url(text) {
        Ok(url) if secure && url.scheme() != "https" => {
            Err(MetadataError::Address { name, source: IssuerError::Plain })
        }
        Ok(url) => Ok(url),
        Err(source) => Err(MetadataError::Address { name, source }),
    };
    let url = |name: &'static str| read(name, text(name)?);
    lists(document, "response_types_supported", &["code"], "code", None)?;
    let algorithms = "RS256 or ES256";
    lists(document, "id_token_signing_alg_values_supported", &["RS256", "ES256"], algorithms, Some("RS256"))?;
    // Some providers know S256 and do not say so; one that lists only others would ignore it.
    if document.get("code_challenge_methods_supported").is_some() {
        lists(document, "code_challenge_methods_supported", &["S256"], "S256", None)?;
    }
    let (name, both) = ("token_endpoint_auth_methods_supported", "client_secret_basic or client_secret_post");
    let known = ["client_secret_basic", "client_secret_post", "none"];
    let method = lists(document, name, &known, both, Some("client_secret_basic"))?;
    Ok(Metadata {
        issuer: found.into(),
        authorization_endpoint: url("authorization_endpoint")?,
        token_endpoint: url("token_endpoint")?,
        jwks_uri: url("jwks_uri")?,
        userinfo_endpoint: document["userinfo_endpoint"].as_str().map(|u| read("userinfo_endpoint", u)).transpose()?,
        client_auth: if method == "client_secret_post" { ClientAuth::Post } else { ClientAuth::Basic },
        names_issuer: document["authorization_response_iss_parameter_supported"].as_bool().unwrap_or(false),
    })
}

/// The first of `known` that a list names; `absent` is what a missing list means.
fn lists<'a>(
    document: &Value,
    what: &'static str,
    known: &[&'a str],
    wanted: &'static str,
    absent: Option<&'a str>,
) -> Result<&'a str, MetadataError> {
    let Some(items) = document[what].as_array() else { return absent.ok_or(MetadataError::Missing(what)) };
    let found = known.iter().find(|k| items.iter().any(|i| i.as_str() == Some(k)));
    found.copied().ok_or(MetadataError::Lacks { what, wanted })
}
