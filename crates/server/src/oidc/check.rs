//! "Try it": whether a provider answers as it should, step by step, before anybody depends on it.
use super::provider::Provider;
use connect::oidc::{Exchange, OidcFailure, check_issuer};
use serde::Serialize;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignInCheckStepName)]
pub enum StepName {
    /// Whether browsers can come back to this shop.
    RedirectUri,
    /// The issuer as it was entered.
    Issuer,
    /// The provider's document.
    Discovery,
    /// Its keys.
    Keys,
    /// Whether it knows the client and its secret.
    Client,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignInCheckState)]
pub enum StepState {
    /// As it should.
    Good,
    /// Not as it should; nothing after it was tried.
    Bad,
    /// The provider does not say.
    Unknown,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = SignInCheckStep)]
pub struct Step {
    /// What.
    pub step: StepName,
    /// How it went.
    pub state: StepState,
    /// A sentence about it.
    pub detail: String,
}

/// Tries everything until something is wrong. The client is tried with a code that the provider never gave: it says
/// `invalid_grant` to a client that it knows, and `invalid_client` to one that it does not (RFC 6749, 5.2).
pub async fn check(provider: &Provider, issuer: &str, (id, secret): (&str, &str), redirect_uri: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut say = |step, state, detail: String| steps.push(Step { step, state, detail });
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|h| redirect_uri.starts_with(h));
    match (redirect_uri.starts_with("https://"), here) {
        (true, _) => say(StepName::RedirectUri, StepState::Good, "browsers come back over https".into()),
        (false, true) => say(StepName::RedirectUri, StepState::Unknown, REDIRECT_HERE.into()),
        (false, false) => say(StepName::RedirectUri, StepState::Bad, REDIRECT_PLAIN.into()),
    }
    if let Err(error) = check_issuer(issuer) {
        say(StepName::Issuer, StepState::Bad, error.to_string());
        return steps;
    }
    say(StepName::Issuer, StepState::Good, "the address can be asked".into());
    let tried = async {
        let client = provider.client().map_err(|e| (StepName::Discovery, e))?;
        let metadata = client.discover(issuer).await.map_err(|e| (StepName::Discovery, e))?;
        let keys = client.keys(&metadata).await.map_err(|e| (StepName::Keys, e))?;
        Ok::<_, (StepName, OidcFailure)>((client, metadata, keys))
    };
    let (client, metadata, keys) = match tried.await {
        Ok(all) => all,
        Err((step, failure)) => {
            if step == StepName::Keys {
                say(StepName::Discovery, StepState::Good, "the provider says where its doors are".into());
            }
            say(step, StepState::Bad, failure.to_string());
            return steps;
        }
    };
    say(StepName::Discovery, StepState::Good, "the provider says where its doors are".into());
    say(StepName::Keys, StepState::Good, format!("keys that can be used: {}", keys.len()));
    if id.is_empty() {
        return steps;
    }
    let exchange =
        Exchange { code: "braid-check", verifier: &"0".repeat(43), redirect_uri, client_id: id, client_secret: secret };
    let (state, detail) = match client.exchange(&metadata, exchange).await {
        Err(OidcFailure::Status { error: Some(error), .. }) if error == "invalid_grant" => {
            (StepState::Good, "the provider knows the client and its secret".to_string())
        }
        Err(OidcFailure::Status { error: Some(error), .. }) if error.ends_with("_client") => {
            (StepState::Bad, "the provider does not take this client id with this secret".into())
        }
        Err(OidcFailure::Status { .. }) | Ok(_) => {
            (StepState::Unknown, "whether the client id and the secret are right shows when somebody signs in".into())
        }
        Err(failure) => (StepState::Bad, failure.to_string()),
    };
    say(StepName::Client, state, detail);
    steps
}

const REDIRECT_HERE: &str = "browsers come back to this machine only; set http.public_url for anybody else";
const REDIRECT_PLAIN: &str =
    "browsers come back over plain http, which most providers refuse; set http.public_url to an https address";
