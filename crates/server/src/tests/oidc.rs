//! Signing in at an identity provider: a whole provider on a real port, which keeps the rules and breaks them on demand.
use super::harness::{Answer, Ask, Shop, shops};
use crate::oidc::ticket::{self, Begun};
use connect::fake::{FakeProvider, Trick};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A shop with its provider, and a browser from an address of its own.
struct Door<'a> {
    shop: &'a Shop,
    provider: &'a FakeProvider,
    address: String,
}

/// An attempt that began: where the browser goes, and what it carries.
struct Attempt {
    url: String,
    cookie: String,
}

impl<'a> Door<'a> {
    fn new(shop: &'a Shop, provider: &'a FakeProvider) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        // Attempts are counted by address; the proxy on this machine is believed about it.
        Self { shop, provider, address: format!("10.9.{}.{}", n / 250, n % 250 + 1) }
    }
    fn ask<'b>(&self, method: &'b str, path: &'b str, cookie: &str) -> Ask<'b> {
        self.shop.ask(method, path).header("x-forwarded-for", &self.address).header("cookie", cookie)
    }
    fn begin(&self) -> Attempt {
        let answer =
            self.ask("POST", "/api/v1/session/provider", "").json(&json!({"return_to": "/live?status=x"})).send();
        assert_eq!(answer.status, 200, "{}", answer.text);
        let set = &answer.headers["set-cookie"];
        assert!(set.contains("; HttpOnly; SameSite=Lax; Max-Age=600"), "{set}");
        let url = answer.json()["url"].as_str().unwrap_or_default().to_string();
        Attempt { url, cookie: set.split(';').next().unwrap_or_default().into() }
    }
    /// The browser goes to the provider; gives the path with which it comes back.
    fn visit(&self, attempt: &Attempt) -> String {
        let back = self.provider.visit(&attempt.url);
        let home = format!("http://{}", self.shop.address);
        back.strip_prefix(&home).unwrap_or_else(|| panic!("{back} leads elsewhere")).to_string()
    }
    fn come_back(&self, path: &str, cookie: &str) -> Answer {
        let answer = self.ask("GET", path, cookie).send();
        assert_eq!((answer.status, answer.headers["cache-control"].as_str()), (303, "no-store"), "{}", answer.text);
        answer
    }
    fn go(&self) -> Answer {
        let attempt = self.begin();
        self.come_back(&self.visit(&attempt), &attempt.cookie)
    }
    /// Signs in, or says why not.
    fn enter(&self) -> Result<Value, String> {
        let answer = self.go();
        let to = &answer.headers["location"];
        if let Some(reason) = to.strip_prefix("/?signin=") {
            assert!(!answer.headers["set-cookie"].contains("braid_session"), "a session for {reason}");
            return Err(reason.into());
        }
        assert_eq!(to, "/live?status=x");
        Ok(self.me(&answer))
    }
    fn me(&self, answer: &Answer) -> Value {
        let cookie = session(answer);
        let me = self.shop.ask("GET", "/api/v1/session").header("cookie", &cookie).send();
        assert_eq!(me.status, 200, "{}", me.text);
        me.json()
    }
}

fn session(answer: &Answer) -> String {
    let cookie = answer.headers["set-cookie"].split(';').next().unwrap_or_default();
    assert!(cookie.starts_with("braid_session="), "{cookie}");
    cookie.into()
}

fn settings(provider: &FakeProvider, change: &Value) -> Value {
    let (client_id, client_secret) = provider.client();
    let mut body = json!({"enabled": true, "issuer": provider.issuer(), "client_id": client_id,
        "client_secret": client_secret, "label": "Example", "domains": ["example.com"], "create": false, "role": "agent"});
    for (name, value) in change.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

fn put(shop: &Shop, body: &Value) -> Answer {
    shop.owner("PUT", "/api/v1/settings/sign-in").json(body).send()
}

fn set(shop: &Shop, provider: &FakeProvider, change: Value) {
    let answer = put(shop, &settings(provider, &change));
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn add(shop: &Shop, email: &str, role: &str) -> String {
    // Staff sees e-mails masked, its own too: people are told apart by name here.
    let name = email.split('@').next().unwrap_or_default();
    let body = json!({"email": email, "name": name, "role": role, "password": "long enough"});
    let made = shop.owner("POST", "/api/v1/users").json(&body).send();
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().unwrap_or_default().to_string()
}

fn user(shop: &Shop, email: &str) -> Value {
    let users = shop.owner("GET", "/api/v1/users").send().json();
    users["items"].as_array().and_then(|u| u.iter().find(|u| u["email"] == email)).cloned().unwrap_or_default()
}

fn newest(shop: &Shop, action: &str) -> Value {
    shop.owner("GET", &format!("/api/v1/audit?action={action}")).send().json()["items"][0].clone()
}

fn count(shop: &Shop, sql: &'static str) -> i64 {
    let found = shop.app().domain.store().query(move |db| db.first(sql, &[])?.map_or(Ok(0), |r| r.int(0)));
    found.expect("reads")
}

const SESSIONS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM sessions";

#[test]
fn a_user_is_linked_by_address_and_known_by_subject_ever_after() {
    for shop in shops() {
        let provider = FakeProvider::start();
        let ways = shop.ask("GET", "/api/v1/session/ways").send().json();
        assert_eq!(ways, json!({"provider": null, "passwords": "everyone"}));
        let off = shop.ask("POST", "/api/v1/session/provider").json(&json!({})).send();
        assert_eq!(off.code(), (403, "sign_in_refused".into()));
        set(&shop, &provider, json!({}));
        let ways = shop.ask("GET", "/api/v1/session/ways").send().json();
        assert_eq!(ways, json!({"provider": "Example", "passwords": "everyone"}));
        let id = add(&shop, "ann@example.com", "marketer");
        let door = Door::new(&shop, &provider);
        let answer = door.go();
        let me = door.me(&answer);
        assert_eq!((&me["name"], &me["role"]), (&json!("ann"), &json!("marketer")));
        let cookie = session(&answer);
        let sessions = shop.ask("GET", "/api/v1/sessions").header("cookie", &cookie).send().json();
        assert_eq!(
            (&sessions["items"][0]["via"], &sessions["items"][0]["address"]),
            (&json!("provider"), &json!(door.address))
        );
        assert_eq!(
            (&newest(&shop, "link")["subject"], &newest(&shop, "sign_in")["after"]["via"]),
            (&json!(id), &json!("provider"))
        );
        assert_eq!(user(&shop, "ann@example.com")["linked"]["email"], "ann@example.com");
        // The address changes at the provider, and is not even vouched for: the subject says who it is.
        provider.set_person(|p| (p.email, p.verified) = ("ann.married@example.com".into(), false));
        assert_eq!(door.enter().expect("comes in")["name"], "ann");
        assert_eq!(user(&shop, "ann@example.com")["linked"]["email"], "ann.married@example.com");
        // Somebody else gets the old address there: they are not Ann.
        provider.set_person(|p| (p.email, p.subject, p.verified) = ("ann@example.com".into(), "sub-2".into(), true));
        assert_eq!(door.enter(), Err("linked_elsewhere".into()));
        // An owner unlinks: signed out where they came in so, and only there.
        let password = json!({"email": "ann@example.com", "password": "long enough"});
        let by_password = shop.ask("POST", "/api/v1/session").json(&password).send();
        let unlinked = shop.owner("POST", &format!("/api/v1/users/{id}/reset")).json(&json!({"what": "link"})).send();
        assert_eq!((unlinked.status, &user(&shop, "ann@example.com")["linked"]), (204, &Value::Null));
        let status = |cookie: &str| shop.ask("GET", "/api/v1/session").header("cookie", cookie).send().status;
        assert_eq!((status(&cookie), status(&session(&by_password))), (401, 200));
        assert_eq!(newest(&shop, "unlink")["subject"], json!(id));
        assert_eq!(door.enter().expect("is linked anew")["name"], "ann");
        shop.assert_clean();
    }
}

#[test]
fn nobody_comes_in_by_a_lie() {
    for shop in shops() {
        let provider = FakeProvider::start();
        set(&shop, &provider, json!({}));
        add(&shop, "ann@example.com", "agent");
        shop.app().oidc.client().expect("a client").set_patience(Duration::from_millis(400));
        let cases: &[(Trick, &str, &str)] = &[
            (Trick::Denied, "cancelled", "access_denied"),
            (Trick::IssuerInRedirect, "not_believed", "from another provider"),
            (Trick::IssuerInToken, "not_believed", "from another issuer"),
            (Trick::Audience, "not_believed", "for another client"),
            (Trick::MoreAudiences, "not_believed", "for another client"),
            (Trick::Party, "not_believed", "another party"),
            (Trick::Expired, "not_believed", "has expired"),
            (Trick::Future, "not_believed", "from the future"),
            (Trick::Nonce, "not_believed", "another attempt"),
            (Trick::NoNonce, "not_believed", "does not say nonce"),
            (Trick::AlgNone, "not_believed", "signed with none"),
            (Trick::Hs256, "not_believed", "signed with HS256"),
            (Trick::UnknownKey, "not_believed", "does not publish"),
            (Trick::Signature, "not_believed", "signature of the ID token is wrong"),
            (Trick::Token500, "provider_away", "answered 500 (token): server_error"),
            (Trick::TokenHangs, "provider_away", "did not answer within"),
            (Trick::TokenHuge, "provider_away", "larger than 256 KiB (token)"),
            (Trick::TokenRedirects, "provider_away", "sends us elsewhere (token)"),
        ];
        for (trick, reason, detail) in cases {
            provider.lie([*trick]);
            refused(&shop, &provider, (reason, detail));
        }
        provider.lie([Trick::EmailOnPage, Trick::PageOfAnother]);
        refused(&shop, &provider, ("not_believed", "another person"));
        provider.lie([]);
        let lies: [(&str, bool, &str); 4] = [
            ("ann@example.com", false, "unverified"),
            ("ann@example.com.evil.example", true, "domain"),
            ("nobody@example.com", true, "no_account"),
            ("", true, "no_email"),
        ];
        for (email, verified, reason) in lies {
            provider.set_person(|p| (p.email, p.verified) = (email.into(), verified));
            refused(&shop, &provider, (reason, ""));
        }
        let id = user(&shop, "ann@example.com")["id"].as_str().unwrap_or_default().to_string();
        let off = json!({"name": "Ann", "role": "agent", "active": false});
        assert_eq!(shop.owner("PUT", &format!("/api/v1/users/{id}")).json(&off).send().status, 200);
        provider.set_person(|p| (p.email, p.verified) = ("ann@example.com".into(), true));
        refused(&shop, &provider, ("blocked", "ann@example.com may not sign in"));
        assert_eq!(newest(&shop, "refuse_sign_in")["subject"], json!(id));
        assert_eq!(count(&shop, "SELECT CAST(COUNT(*) AS BIGINT) FROM oidc_links"), 0);
        // The document lies: nobody is even sent there.
        for trick in [Trick::IssuerInDocument, Trick::DocumentIsHtml, Trick::PlainEndpoint, Trick::NoS256] {
            shop.app().oidc.forget();
            provider.lie([trick]);
            let door = Door::new(&shop, &provider);
            let answer = door.ask("POST", "/api/v1/session/provider", "").json(&json!({})).send();
            assert_eq!(answer.code(), (403, "sign_in_refused".into()), "{trick:?}");
        }
        assert_eq!(count(&shop, SESSIONS), 0);
        shop.assert_clean();
    }
}

/// Somebody is refused for a reason, with a line in the audit that says it.
fn refused(shop: &Shop, provider: &FakeProvider, (reason, detail): (&str, &str)) {
    let door = Door::new(shop, provider);
    assert_eq!(door.enter(), Err(reason.to_string()));
    let line = newest(shop, "refuse_sign_in");
    let said = line["after"]["detail"].as_str().unwrap_or_default();
    assert!(line["after"]["reason"] == reason && said.contains(detail), "{reason}: {line}");
    assert!(!said.is_empty() && line["after"]["address"] == door.address, "{line}");
    assert_eq!(count(shop, SESSIONS), 0, "{reason}");
}

#[test]
fn an_attempt_comes_back_once_and_to_its_own_browser() {
    for shop in shops() {
        let provider = FakeProvider::start();
        set(&shop, &provider, json!({}));
        add(&shop, "ann@example.com", "agent");
        let door = || Door::new(&shop, &provider);
        let why = |answer: &Answer| answer.headers["location"].clone();
        let (one, other) = (door().begin(), door().begin());
        let path = door().visit(&one);
        // Another browser, a browser that began nothing, one that made its cookie itself, one that comes back without state.
        for cookie in [&*other.cookie, "", "braid_signin=v1.x.AAAA"] {
            assert_eq!(why(&door().come_back(&path, cookie)), "/?signin=not_begun");
        }
        assert_eq!(why(&door().come_back("/signin/oidc?code=x", &one.cookie)), "/?signin=not_begun");
        assert_eq!(why(&door().come_back("/signin/oidc?state=a&state=b", &one.cookie)), "/?signin=not_begun");
        assert_eq!(why(&door().come_back(&path, &one.cookie)), "/live?status=x");
        assert_eq!(why(&door().come_back(&path, &one.cookie)), "/?signin=replayed");
        assert_eq!(newest(&shop, "refuse_sign_in")["after"]["reason"], "replayed");
        // An attempt of long ago, sealed by this shop.
        let app = shop.app();
        let old = Begun {
            state: "old".into(),
            nonce: "n".into(),
            verifier: "v".into(),
            issuer: provider.issuer(),
            return_to: "/".into(),
            until: app.now().micros() - 1,
        };
        let cookie = ticket::give(&app.vault, &old, app.now(), false).expect("sealed");
        let cookie = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default().to_string();
        assert_eq!(why(&door().come_back("/signin/oidc?code=x&state=old", &cookie)), "/?signin=too_late");
        // Whoever comes back in vain again and again has to wait, and fills no audit.
        let (stubborn, before) = (door(), audit_lines(&shop));
        let whys: Vec<String> = (0..7).map(|_| why(&stubborn.come_back("/signin/oidc", ""))).collect();
        assert_eq!(
            (&*whys[4], &*whys[5], &*whys[6]),
            ("/?signin=not_begun", "/?signin=too_often", "/?signin=too_often")
        );
        assert_eq!(audit_lines(&shop) - before, 5);
        let answer = stubborn.ask("POST", "/api/v1/session/provider", "").json(&json!({})).send();
        assert_eq!(answer.code(), (429, "too_many_attempts".into()));
    }
}

fn audit_lines(shop: &Shop) -> i64 {
    count(shop, "SELECT CAST(COUNT(*) AS BIGINT) FROM audit")
}

#[test]
fn a_new_key_of_the_provider_is_asked_for_once_a_minute() {
    let (shop, provider) = (Shop::new(), FakeProvider::start());
    set(&shop, &provider, json!({}));
    add(&shop, "ann@example.com", "agent");
    let enter = || Door::new(&shop, &provider).enter().map(|me| me["name"].clone());
    assert_eq!((enter(), enter()), (Ok(json!("ann")), Ok(json!("ann"))));
    assert_eq!((provider.asked("/keys"), provider.asked("/.well-known/openid-configuration")), (1, 1));
    provider.rotate();
    assert_eq!((enter(), provider.asked("/keys")), (Ok(json!("ann")), 2));
    provider.rotate();
    assert_eq!((enter(), provider.asked("/keys")), (Err("not_believed".into()), 2), "not again within a minute");
}

#[test]
fn people_of_the_domain_are_added_where_the_shop_wants_it() {
    for shop in shops() {
        let provider = FakeProvider::start();
        set(&shop, &provider, json!({"create": true, "role": "analyst"}));
        let door = Door::new(&shop, &provider);
        let me = door.enter().expect("comes in");
        assert_eq!(
            (&me["name"], &me["role"], &me["has_password"]),
            (&json!("Ann of the provider"), &json!("analyst"), &json!(false))
        );
        assert_eq!(user(&shop, "ann@example.com")["linked"]["email"], "ann@example.com");
        assert_eq!(newest(&shop, "create")["after"]["role"], "analyst");
        // Nobody signs in as them with a password, not even with an empty one.
        for password in ["", "long enough"] {
            let body = json!({"email": "ann@example.com", "password": password});
            assert_eq!(shop.ask("POST", "/api/v1/session").json(&body).send().code(), (401, "bad_credentials".into()));
        }
        let cookie = session(&door.go());
        let ask =
            shop.ask("POST", "/api/v1/session/second-factor").header("cookie", &cookie).header("x-braid-csrf", "1");
        assert_eq!(ask.json(&json!({"password": ""})).send().code(), (409, "conflict".into()));
        // An invitation says more than the setting.
        let invitation = json!({"email": "bob@example.com", "name": "Bob", "role": "marketer"});
        assert_eq!(shop.owner("POST", "/api/v1/invitations").json(&invitation).send().status, 201);
        set(&shop, &provider, json!({}));
        provider.set_person(|p| (p.email, p.subject) = ("Bob@Example.com".into(), "sub-bob".into()));
        let me = door.enter().expect("was invited");
        assert_eq!((&me["name"], &me["role"]), (&json!("Bob"), &json!("marketer")));
        assert_eq!(shop.owner("GET", "/api/v1/invitations").send().json()["items"], json!([]));
        provider.set_person(|p| (p.email, p.subject) = ("eve@example.com".into(), "sub-eve".into()));
        assert_eq!(door.enter(), Err("no_account".into()));
        shop.assert_clean();
    }
}

#[test]
fn a_second_factor_is_asked_for_unless_the_provider_does() {
    for shop in shops() {
        let provider = FakeProvider::start();
        set(&shop, &provider, json!({}));
        add(&shop, "ann@example.com", "owner");
        let body = json!({"email": "ann@example.com", "password": "long enough"});
        let cookie = session(&shop.ask("POST", "/api/v1/session").json(&body).send());
        let post = |path: &str, body: Value| {
            shop.ask("POST", path).header("cookie", &cookie).header("x-braid-csrf", "1").json(&body).send().json()
        };
        let begun = post("/api/v1/session/second-factor", json!({"password": "long enough"}));
        let secret = crate::totp::from_base32(begun["secret"].as_str().unwrap_or_default()).expect("base 32");
        let code = |steps: i64| {
            let step = shop.app().now().micros() / base::SECOND_US / crate::totp::STEP_S + steps;
            crate::totp::code(&secret, step as u64, 6)
        };
        let codes = post("/api/v1/session/second-factor/confirm", json!({"code": code(-1)}));
        let spare = codes["recovery_codes"][0].as_str().unwrap_or_default().to_string();
        let door = Door::new(&shop, &provider);
        let answer = door.go();
        assert_eq!(answer.headers["location"], "/?signin=code");
        let ticket = answer.headers["set-cookie"].split(';').next().unwrap_or_default().to_string();
        assert!(ticket.starts_with("braid_signin=v1."), "{ticket}");
        assert_eq!(user(&shop, "ann@example.com")["linked"], Value::Null, "nobody is linked before the code");
        let finish = |cookie: &str, code: &str| {
            door.ask("POST", "/api/v1/session/provider/code", cookie).json(&json!({"code": code})).send()
        };
        assert_eq!(finish(&ticket, "000000").code(), (401, "second_factor_needed".into()));
        assert_eq!(finish(&ticket, "").code(), (401, "second_factor_needed".into()));
        assert_eq!(finish("", &code(0)).code(), (401, "not_signed_in".into()));
        let done = finish(&ticket, &code(0));
        assert_eq!((done.status, &done.json()["return_to"]), (200, &json!("/live?status=x")), "{}", done.text);
        assert_eq!(door.me(&done)["name"], "ann");
        assert_eq!(user(&shop, "ann@example.com")["linked"]["email"], "ann@example.com");
        assert_eq!(finish(&ticket, &spare).code(), (403, "sign_in_refused".into()), "the ticket was used");
        // The shop asks owners for a second factor; the provider's counts where the shop says so.
        let mut policy = shop.owner("GET", "/api/v1/settings/security").send().json();
        policy["owners_need_second_factor"] = json!(true);
        assert_eq!(shop.owner("PUT", "/api/v1/settings/security").json(&policy).send().status, 200);
        set(&shop, &provider, json!({"provider_second_factor": true}));
        assert_eq!(door.enter().expect("comes in")["second_factor_owed"], false);
        add(&shop, "boss@example.com", "owner");
        provider.set_person(|p| (p.email, p.subject) = ("boss@example.com".into(), "sub-boss".into()));
        assert_eq!(door.enter().expect("comes in")["second_factor_owed"], false);
        set(&shop, &provider, json!({"provider_second_factor": false}));
        assert_eq!(door.enter().expect("comes in")["second_factor_owed"], true);
        shop.assert_clean();
    }
}

#[test]
fn passwords_may_be_for_owners_alone_and_owners_keep_theirs() {
    for shop in shops() {
        let provider = FakeProvider::start();
        add(&shop, "ann@example.com", "agent");
        set(&shop, &provider, json!({"passwords": "owners"}));
        let ways = shop.ask("GET", "/api/v1/session/ways").send().json();
        assert_eq!(ways["passwords"], "owners");
        let go = |email: &str, password: &str| {
            shop.ask("POST", "/api/v1/session").json(&json!({"email": email, "password": password})).send().code()
        };
        assert_eq!(go("ann@example.com", "long enough"), (403, "password_off".into()));
        assert_eq!(go("ann@example.com", "wrong password"), (401, "bad_credentials".into()), "nobody learns more");
        assert_eq!(go("owner@example.com", &shop.keys.password).0, 200);
        // An owner without a password is no way in when the provider is away.
        let me = Door::new(&shop, &provider).enter().expect("comes in");
        assert_eq!(me["name"], "ann");
        let owner = user(&shop, "owner@example.com")["id"].as_str().unwrap_or_default().to_string();
        set(&shop, &provider, json!({"create": true, "passwords": "owners"}));
        provider.set_person(|p| (p.email, p.subject) = ("new@example.com".into(), "sub-new".into()));
        Door::new(&shop, &provider).enter().expect("is added");
        let new = user(&shop, "new@example.com")["id"].as_str().unwrap_or_default().to_string();
        let to = |id: &str, role: &str| {
            let body = json!({"name": "N", "role": role, "active": true});
            shop.owner("PUT", &format!("/api/v1/users/{id}")).json(&body).send().code()
        };
        assert_eq!(to(&new, "owner").0, 200);
        assert_eq!(to(&owner, "agent"), (409, "conflict".into()));
        assert_eq!(to(&new, "agent").0, 200);
        set(&shop, &provider, json!({"passwords": "owners", "enabled": false}));
        assert_eq!(go("ann@example.com", "long enough").0, 200, "a provider that is off locks nobody out");
    }
}

#[test]
fn the_settings_keep_their_secret() {
    for shop in shops() {
        let provider = FakeProvider::start();
        let (_, secret) = provider.client();
        set(&shop, &provider, json!({}));
        let shown = shop.owner("GET", "/api/v1/settings/sign-in").send();
        assert_eq!(shown.json()["has_secret"], true);
        assert_eq!(shown.json()["redirect_uri"], format!("http://{}/signin/oidc", shop.address));
        let audit = shop.owner("GET", "/api/v1/audit?subject_kind=sign_in").send();
        assert_eq!(audit.json()["items"][0]["after"]["secret_changed"], true);
        let stored = shop.app().domain.store().query(|db| db::settings::get(db, "access.oidc")).expect("reads");
        for text in [&shown.text, &audit.text, &stored.unwrap_or_default()] {
            assert!(!text.contains(&secret) && !text.contains("a secret"), "{text}");
        }
        // It stays while it is not named, goes to no other provider, and survives a new key.
        let mut kept = settings(&provider, &json!({}));
        kept["client_secret"] = Value::Null;
        assert_eq!(put(&shop, &kept).status, 200);
        add(&shop, "ann@example.com", "agent");
        assert!(Door::new(&shop, &provider).enter().is_ok());
        let mut elsewhere = kept.clone();
        elsewhere["issuer"] = json!("https://evil.example");
        let answer = put(&shop, &elsewhere);
        assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (422, &json!("/client_secret")));
        let trial = json!({"issuer": "https://evil.example", "client_id": "braid"});
        assert_eq!(shop.owner("POST", "/api/v1/settings/sign-in/check").json(&trial).send().status, 422);
        let key = crate::vault::Vault::open(&shop.place.folder).expect("opens");
        let before = shop.app().accounts().oidc.clone();
        let sealed = shop.app().domain.store().write(move |tx| crate::oidc::settings::reseal(tx.engine(), &key));
        assert_eq!(sealed.expect("runs").expect("opens"), 0, "it is sealed with the newest key already");
        assert_eq!(before.open_secret(&shop.app().vault).expect("opens"), secret);
        for (change, place) in [
            (json!({"issuer": "http://login.example.com"}), "/issuer"),
            (json!({"label": ""}), "/label"),
            (json!({"domains": ["@example.com"]}), "/domains"),
            (json!({"create": true, "domains": []}), "/domains"),
            (json!({"role": "owner"}), "/role"),
            (json!({"client_secret": "a\nb"}), "/client_secret"),
        ] {
            let answer = put(&shop, &settings(&provider, &change));
            assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (422, &json!(place)), "{change}");
        }
    }
}

#[test]
fn a_new_key_of_the_vault_reseals_the_secret() {
    let (mut shop, provider) = (Shop::new(), FakeProvider::start());
    set(&shop, &provider, json!({}));
    add(&shop, "ann@example.com", "agent");
    let mut vault = crate::vault::Vault::open(&shop.place.folder).expect("opens");
    vault.add_key().expect("adds");
    let sealed = shop.app().domain.store().write(move |tx| crate::oidc::settings::reseal(tx.engine(), &vault));
    assert_eq!(sealed.expect("runs").expect("opens"), 1);
    let mut vault = crate::vault::Vault::open(&shop.place.folder).expect("opens");
    vault.drop_old_keys().expect("drops");
    shop.restart();
    assert!(Door::new(&shop, &provider).enter().is_ok());
}

#[test]
fn trying_the_provider_says_what_is_wrong() {
    let (shop, provider) = (Shop::new(), FakeProvider::start());
    let (id, secret) = provider.client();
    let check = |issuer: &str, secret: &str| -> Vec<(String, String, String)> {
        let body = json!({"issuer": issuer, "client_id": id, "client_secret": secret});
        let answer = shop.owner("POST", "/api/v1/settings/sign-in/check").json(&body).send();
        assert_eq!(answer.status, 200, "{}", answer.text);
        let steps = answer.json()["steps"].as_array().cloned().unwrap_or_default();
        let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
        steps.iter().map(|s| (text(&s["step"]), text(&s["state"]), text(&s["detail"]))).collect()
    };
    let states = |steps: &[(String, String, String)]| -> Vec<String> {
        steps.iter().map(|(step, state, _)| format!("{step} {state}")).collect()
    };
    let issuer = provider.issuer();
    let good = check(&issuer, &secret);
    assert_eq!(states(&good), ["redirect_uri unknown", "issuer good", "discovery good", "keys good", "client good"]);
    let wrong = check(&issuer, "another");
    assert_eq!(wrong.last().map(|s| &*s.2), Some("the provider does not take this client id with this secret"));
    let plain = check("http://login.example.com", &secret);
    assert_eq!(states(&plain), ["redirect_uri unknown", "issuer bad"]);
    let slash = check(&format!("{issuer}/"), &secret);
    assert!(slash.last().is_some_and(|s| s.1 == "bad" && s.2.contains("calls itself")), "{slash:?}");
    provider.lie([Trick::NoS256]);
    assert!(check(&issuer, &secret).last().is_some_and(|s| s.2.contains("code_challenge_methods_supported")));
    provider.lie([Trick::Token500]);
    assert!(check(&issuer, &secret).last().is_some_and(|s| s.1 == "unknown"));
    let away = check("http://127.0.0.1:9", &secret);
    assert!(away.last().is_some_and(|s| s.0 == "discovery" && s.2.contains("cannot be reached")), "{away:?}");
}
