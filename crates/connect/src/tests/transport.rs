//! TLS, sign-in, addresses and the check of a configuration.

use super::*;
use crate::OptionsError;
use crate::fake::{Failure, Point, Tls};
use crate::smtp::ServerInfo;

#[test]
fn sends_over_each_transport_with_each_sign_in() {
    for tls in [Tls::None, Tls::StartTls, Tls::Implicit] {
        for mechanisms in [vec!["PLAIN", "LOGIN"], vec!["LOGIN"], vec!["XOAUTH2", "PLAIN"]] {
            let script = Script { tls, auth_mechanisms: mechanisms, ..Script::default() };
            let (outcome, fake) = send(script.login("shop@example.com", "p:w@%і"), &mail());
            assert_eq!(brief(&outcome), "sent", "{outcome:?}");
            let taken = fake.accepted();
            assert_eq!(taken[0].tls, tls != Tls::None);
            assert_eq!(taken[0].user.as_deref(), Some("shop@example.com"));
        }
    }
}

/// Sends with a URL that does not fit the server; gives the reason of the `Retry`.
fn mismatch(script: Script, scheme: &str, login: &str) -> String {
    let fake = FakeSmtp::start(script);
    let url = format!("{scheme}://{login}{}", fake.addr).parse().expect("a URL");
    let client = SmtpClient::new(url, options(patient())).expect("a client");
    let outcome = block(client.send(&mail()));
    assert_eq!(brief(&outcome).split(' ').next(), Some("retry"), "{outcome:?}");
    assert!(fake.accepted().is_empty());
    assert!(!reason(&outcome).contains("wrong-password"), "{outcome:?}");
    reason(&outcome).to_owned()
}

#[test]
fn never_goes_on_without_what_the_configuration_wants() {
    let reason = mismatch(Script::default(), "smtp+starttls", "");
    assert!(reason.contains("check the configuration: the server offers no STARTTLS"), "{reason}");
    let reason = mismatch(Script::default(), "smtp", "u:p@");
    assert!(reason.contains("check the configuration: the server offers neither"), "{reason}");
    let reason = mismatch(Script::default().login("u", "p"), "smtp", "u:wrong-password@");
    assert!(reason.contains("check the configuration: 535"), "{reason}");
    let unknown = Script { auth_mechanisms: vec!["CRAM-MD5"], ..Script::default() }.login("u", "p");
    let reason = mismatch(unknown, "smtp", "u:p@");
    assert!(reason.contains("check the configuration: the server offers neither"), "{reason}");
}

#[test]
fn trusts_no_certificate_that_nobody_vouches_for() {
    let fake = FakeSmtp::start(Script { tls: Tls::Implicit, ..Script::default() });
    let client = client_with(&fake, Options { root_certificates_pem: None, ..options(patient()) });
    let outcome = block(client.send(&mail()));
    assert!(reason(&outcome).contains("TLS handshake: invalid peer certificate"), "{outcome:?}");
    assert_eq!(brief(&outcome), "retry");
}

#[test]
fn reaches_an_ipv6_literal() {
    // Some build machines have no IPv6 at all.
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let script = Script { ipv6: true, tls: Tls::StartTls, ..Script::default() };
    let fake = FakeSmtp::start(script);
    assert!(fake.url().contains("[::1]:"), "{}", fake.url());
    let client = client_with(&fake, Options { helo_name: None, ..options(patient()) });
    assert_eq!(brief(&block(client.send(&mail()))), "sent");
    assert_eq!(fake.commands(0)[0], "EHLO [IPv6:::1]");
}

#[test]
fn verify_signs_in_and_leaves() {
    let fake = FakeSmtp::start(Script { tls: Tls::StartTls, ..Script::default() }.login("u", "p"));
    let server = block(client(&fake).verify()).expect("a good server");
    let expected = ServerInfo {
        tls: true,
        smtputf8: false,
        eight_bit: true,
        size: Some(Some(10 << 20)),
        starttls: false,
        auth: vec!["PLAIN".to_owned(), "LOGIN".to_owned()],
    };
    assert_eq!(server, expected);
    assert_eq!(fake.commands(0).last().map(String::as_str), Some("QUIT"));
    assert!(fake.accepted().is_empty());
}

#[test]
fn verify_says_what_is_wrong() {
    let fake = FakeSmtp::start(Script::default().login("u", "p").connection(0, Failure::reply(Point::SignIn, 535)));
    let error = block(client(&fake).verify()).expect_err("refused");
    assert_eq!(error.code, Some(535));
    assert_eq!(error.to_string(), "AUTH: the server refuses us, check the configuration: 535 5.0.0 no");
    fake.set_listening(false);
    let error = block(client(&fake).verify()).expect_err("refused");
    assert!(error.to_string().starts_with("connecting: "), "{error}");
    fake.set_listening(true);
    block(client(&fake).verify()).expect("a good server");
}

#[test]
fn a_client_needs_sensible_options() {
    let new = |options| SmtpClient::new("smtp://127.0.0.1".parse().expect("a URL"), options).map(drop);
    let default = Options::default;
    assert!(new(default()).is_ok());
    assert!(matches!(new(Options { pool_size: 0, ..default() }), Err(OptionsError::PoolSize)));
    for bad in ["", "a b", "a\r\nQUIT"] {
        let options = Options { helo_name: Some(bad.to_owned()), ..default() };
        assert!(matches!(new(options), Err(OptionsError::HeloName)), "{bad:?}");
    }
    for bad in [&b""[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let options = Options { root_certificates_pem: Some(bad.to_vec()), ..default() };
        assert!(matches!(new(options), Err(OptionsError::RootCertificates)));
    }
}
