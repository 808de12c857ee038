//! Which provider, for whom, and whether passwords are still taken.
use crate::access::Role;
use crate::vault::{Vault, VaultError};
use connect::oidc::check_issuer;
use db::{DbError, Engine, settings};
use serde::{Deserialize, Serialize};

const NAME: &str = "access.oidc";
/// What the sealed secret is bound to.
const BOUND_TO: &str = "oidc/client_secret";
/// Domains, at most.
const DOMAINS_MAX: usize = 50;

/// Who may still sign in with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PasswordsFor)]
pub enum Passwords {
    /// Everybody who has one.
    #[default]
    Everyone,
    /// Owners alone: a way in when the provider is away.
    Owners,
}

/// The settings as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether anybody may sign in so.
    pub enabled: bool,
    /// The provider's name, letter by letter.
    pub issuer: String,
    /// What the provider calls Braid.
    pub client_id: String,
    /// Sealed; empty for a client without a secret.
    pub secret: String,
    /// What the button says the provider is.
    pub label: String,
    /// Domains of addresses that are taken; empty: all.
    pub domains: Vec<String>,
    /// Whether people of these domains who are not here yet are added.
    pub create: bool,
    /// As what.
    pub role: Role,
    /// Whether the provider asks for a second factor, so that ours is not asked for.
    pub provider_second_factor: bool,
    /// Who may use a password.
    pub passwords: Passwords,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: false,
            issuer: String::new(),
            client_id: String::new(),
            secret: String::new(),
            label: String::new(),
            domains: Vec::new(),
            create: false,
            role: Role::Planner,
            provider_second_factor: false,
            passwords: Passwords::Everyone,
        }
    }
}

impl Settings {
    /// What is wrong with them, with the place.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self.enabled || !self.issuer.is_empty() {
            check_issuer(&self.issuer).map_err(|e| ("/issuer", e.to_string()))?;
        }
        let plain = |t: &str, most: usize| t.chars().count() <= most && !t.contains(char::is_control);
        if !plain(&self.client_id, 300) || (self.enabled && self.client_id.is_empty()) {
            return Err(("/client_id", "a client id has 1 to 300 characters".into()));
        }
        if !plain(&self.label, 40) || (self.enabled && self.label.is_empty()) {
            return Err(("/label", "the name on the button has 1 to 40 characters".into()));
        }
        let odd = |d: &String| {
            !d.contains('.') || base::normalise_email(&format!("a@{d}")).as_deref() != Some(&format!("a@{d}"))
        };
        if self.domains.len() > DOMAINS_MAX || self.domains.iter().any(odd) {
            return Err(("/domains", format!("at most {DOMAINS_MAX} domains such as example.com, in small letters")));
        }
        if self.create && self.domains.is_empty() {
            return Err((
                "/domains",
                "name the domains whose people are added; else anybody at the provider would be".into(),
            ));
        }
        if self.role == Role::Owner {
            return Err(("/role", "nobody becomes an owner by signing in; choose another role".into()));
        }
        Ok(())
    }
    /// Whether somebody may sign in with a password.
    pub fn takes_password(&self, role: Role) -> bool {
        !self.enabled || self.passwords == Passwords::Everyone || role == Role::Owner
    }
    /// Reads them; what was never set is off.
    pub fn load(db: &mut Engine) -> Result<Self, DbError> {
        let text = settings::get(db, NAME)?;
        let read = |t: String| serde_json::from_str(&t).map_err(|e| DbError::damaged("settings", e));
        text.map_or_else(|| Ok(Self::default()), read)
    }
    /// Writes them.
    pub fn store(&self, db: &mut Engine) -> Result<(), DbError> {
        let text = serde_json::to_string(self).map_err(|e| DbError::damaged("settings", e))?;
        settings::set(db, NAME, &text)
    }
    /// The client's secret; empty for none.
    pub fn open_secret(&self, vault: &Vault) -> Result<String, VaultError> {
        if self.secret.is_empty() { Ok(String::new()) } else { vault.open_text(BOUND_TO, &self.secret) }
    }
    /// What the audit keeps of them: everything but the secret.
    pub fn audited(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(map) = value.as_object_mut() {
            map.remove("secret");
            map.insert("has_secret".into(), (!self.secret.is_empty()).into());
        }
        value
    }
}

/// Seals a client's secret; an empty one stays empty.
pub fn seal(vault: &Vault, secret: &str) -> Result<String, VaultError> {
    if secret.is_empty() { Ok(String::new()) } else { vault.seal(BOUND_TO, secret) }
}

/// Seals the secret with the newest key if it was sealed with an older one; says how many values there were.
pub fn reseal(db: &mut Engine, vault: &Vault) -> Result<Result<u64, VaultError>, DbError> {
    let mut own = Settings::load(db)?;
    if own.secret.is_empty() || vault.is_newest(&own.secret) {
        return Ok(Ok(0));
    }
    match own.open_secret(vault).and_then(|text| seal(vault, &text)) {
        Ok(sealed) => own.secret = sealed,
        Err(error) => return Ok(Err(error)),
    }
    own.store(db)?;
    Ok(Ok(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_let_in_too_many_are_refused() {
        let sound = Settings {
            enabled: true,
            issuer: "https://login.example.com".into(),
            client_id: "braid".into(),
            label: "Example".into(),
            domains: vec!["example.com".into()],
            create: true,
            ..Settings::default()
        };
        assert_eq!(sound.check(), Ok(()));
        assert_eq!(Settings::default().check(), Ok(()));
        let cases: [(Settings, &str); 8] = [
            (Settings { issuer: "http://login.example.com".into(), ..sound.clone() }, "/issuer"),
            (Settings { issuer: String::new(), ..sound.clone() }, "/issuer"),
            (Settings { client_id: String::new(), ..sound.clone() }, "/client_id"),
            (Settings { label: String::new(), ..sound.clone() }, "/label"),
            (Settings { domains: vec!["Example.com".into()], ..sound.clone() }, "/domains"),
            (Settings { domains: vec!["@example.com".into()], ..sound.clone() }, "/domains"),
            (Settings { domains: Vec::new(), ..sound.clone() }, "/domains"),
            (Settings { role: Role::Owner, ..sound.clone() }, "/role"),
        ];
        for (bad, place) in cases {
            assert_eq!(bad.check().expect_err("refused").0, place);
        }
    }

    #[test]
    fn owners_can_always_use_a_password_and_others_while_they_may() {
        let on = Settings { enabled: true, passwords: Passwords::Owners, ..Settings::default() };
        assert!(on.takes_password(Role::Owner) && !on.takes_password(Role::Agent));
        assert!(
            Settings { enabled: false, ..on.clone() }.takes_password(Role::Agent),
            "a provider that is off locks nobody out"
        );
        assert!(Settings { passwords: Passwords::Everyone, ..on }.takes_password(Role::Agent));
    }
}
