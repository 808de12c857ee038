use super::*;

/// The URL as shown, its host, and user and password.
type Parts = (&'static str, &'static str, Option<(&'static str, &'static str)>);

fn check(text: &str, expected: Result<Parts, SmtpUrlError>) {
    let parsed = text.parse::<SmtpUrl>();
    let seen = parsed.as_ref().map_err(|error| *error).map(|url| {
        let login = url.login.as_ref().map(|login| (login.user.as_str(), login.password.expose()));
        (url.to_string(), url.host.clone(), login)
    });
    let expected = expected.map(|(shown, host, login)| (shown.to_owned(), host.to_owned(), login));
    assert_eq!(seen, expected, "{text}");
}

#[test]
fn parses_each_scheme_and_refuses_the_rest_with_its_reason() {
    use SmtpUrlError::*;
    check("smtp://mail.example.com", Ok(("smtp://mail.example.com:25", "mail.example.com", None)));
    check("smtps://mail.example.com/", Ok(("smtps://mail.example.com:465", "mail.example.com", None)));
    check("SMTP+StartTLS://h", Ok(("smtp+starttls://h:587", "h", None)));
    check("smtp://127.0.0.1:2525", Ok(("smtp://127.0.0.1:2525", "127.0.0.1", None)));
    check("smtp://[::1]:2525", Ok(("smtp://[::1]:2525", "::1", None)));
    check("smtp://[::1]", Ok(("smtp://[::1]:25", "::1", None)));
    check("smtps://u:p@h:1", Ok(("smtps://h:1", "h", Some(("u", "p")))));
    check("smtps://shop@example.com:p:w%40%25@h", Ok(("smtps://h:465", "h", Some(("shop@example.com", "p:w@%")))));
    check("smtps://%D1%96:p@h", Ok(("smtps://h:465", "h", Some(("і", "p")))));
    check("", Err(Scheme));
    check("mail.example.com:25", Err(Scheme));
    check("http://mail.example.com", Err(Scheme));
    check("smtp://", Err(NoHost));
    check("smtp://u:p@", Err(NoHost));
    check("smtp://:25", Err(NoHost));
    check("smtp://a b", Err(BadHost));
    check("smtp://[::1", Err(BadHost));
    check("smtp://[nonsense]", Err(BadHost));
    check("smtp://::1", Err(NoHost));
    check("smtp://h:0", Err(BadPort));
    check("smtp://h:65536", Err(BadPort));
    check("smtp://h:+25", Err(BadPort));
    check("smtp://h:", Err(BadPort));
    check("smtp://[::1]25", Err(BadPort));
    check("smtp://h/inbox", Err(Trailing));
    check("smtp://h?tls=no", Err(Trailing));
    check("smtp://u@h", Err(HalfLogin));
    check("smtp://u:@h", Err(HalfLogin));
    check("smtp://:p@h", Err(HalfLogin));
    check("smtp://u:100%@h", Err(BadEscape));
    check("smtp://u:%FF@h", Err(BadEscape));
    check("smtp://u:%0D%0AQUIT@h", Err(ControlCharacter));
}

#[test]
fn shows_no_password() {
    let url: SmtpUrl = "smtps://user:hunter2@h".parse().expect("valid");
    let shown = format!("{url:?} {url}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("[redacted]"), "{shown}");
}
