use super::address::{Place, Reach, allows, check_url, place};
use super::schedule::{ATTEMPTS, RETRY_AFTER_MAX, WAITS_S, pause, retry_after, wait};
use super::sign::{Secret, SecretError, VerifyError, signatures, verify};
use super::*;
use crate::fake::{FakeReceiver, Reply};
use proptest::prelude::*;
use std::time::Duration;

/// The example of the specification's reference libraries (standard-webhooks/standard-webhooks, tests of each language).
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT_S: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

#[test]
fn the_published_vector_is_signed_as_published() {
    let secret = Secret::parse(SECRET).expect("a secret");
    assert_eq!(signatures(std::slice::from_ref(&secret), ID, AT_S, BODY), SIGNED);
    assert_eq!(verify(&secret, (ID, AT_S, SIGNED), BODY, (AT_S + 300, 300)), Ok(()));
    assert_eq!(secret.reveal(), SECRET);
    assert_eq!(format!("{secret:?}"), "Secret([redacted])");
}

#[test]
fn what_was_changed_is_not_believed() {
    let secret = Secret::parse(SECRET).expect("a secret");
    let no = Err(VerifyError::Signature);
    let now = (AT_S, 300);
    assert_eq!(verify(&secret, (ID, AT_S, SIGNED), br#"{"test": 2432232315}"#, now), no);
    assert_eq!(verify(&secret, ("msg_other", AT_S, SIGNED), BODY, now), no);
    assert_eq!(verify(&secret, (ID, AT_S + 1, SIGNED), BODY, now), no);
    assert_eq!(verify(&Secret::new([7; 32]), (ID, AT_S, SIGNED), BODY, now), no);
    for header in ["", "v1", "v1,", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,!!"] {
        assert_eq!(verify(&secret, (ID, AT_S, header), BODY, now), no, "{header}");
    }
    let late = Err(VerifyError::Time);
    assert_eq!(verify(&secret, (ID, AT_S, SIGNED), BODY, (AT_S + 301, 300)), late);
    assert_eq!(verify(&secret, (ID, AT_S, SIGNED), BODY, (AT_S - 301, 300)), late);
}

#[test]
fn during_a_rotation_both_secrets_are_good() {
    let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
    let header = signatures(&[new.clone(), old.clone()], ID, AT_S, BODY);
    assert_eq!(header.split(' ').count(), 2);
    for secret in [&old, &new] {
        assert_eq!(verify(secret, (ID, AT_S, &header), BODY, (AT_S, 300)), Ok(()));
    }
    assert!(verify(&Secret::new([3; 32]), (ID, AT_S, &header), BODY, (AT_S, 300)).is_err());
}

#[test]
fn a_secret_is_base64_of_24_to_64_bytes() {
    assert_eq!(Secret::parse("whsec_!"), Err(SecretError::Base64));
    assert_eq!(Secret::parse("whsec_c2hvcnQ="), Err(SecretError::Length(5)));
    assert!(Secret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_ok(), "without its beginning");
    assert_eq!(Secret::parse(&Secret::new([9; 32]).reveal()), Ok(Secret::new([9; 32])));
}

#[test]
fn an_answer_means_what_the_table_says() {
    let after = Some(Duration::from_secs(7));
    let retry = |server| Verdict::Retry { retry_after: after, server };
    for (status, verdict) in [
        (Some(200), Verdict::Delivered),
        (Some(204), Verdict::Delivered),
        (Some(299), Verdict::Delivered),
        (Some(301), retry(false)),
        (Some(307), retry(false)),
        (Some(400), retry(false)),
        (Some(404), retry(false)),
        (Some(410), Verdict::Gone),
        (Some(429), retry(true)),
        (Some(500), retry(false)),
        (Some(502), retry(true)),
        (Some(503), retry(true)),
        (Some(504), retry(true)),
        (None, retry(true)),
    ] {
        assert_eq!(judge(status, after), verdict, "{status:?}");
    }
}

#[test]
fn the_schedule_is_the_specifications_and_ends() {
    let total: u64 = WAITS_S.iter().sum();
    assert_eq!((ATTEMPTS, total), (10, 272_105), "three days and more");
    assert_eq!(wait(10, None, 1), None, "then it is dead");
    assert_eq!(wait(0, None, 0), wait(1, None, 1));
    assert!(wait(1, Some(Duration::from_secs(3600)), 1).is_some_and(|w| w.as_secs() >= 3600), "Retry-After is obeyed");
    let endless = wait(1, Some(Duration::from_secs(u64::MAX / 4)), 1).expect("there is a next");
    assert!(endless <= RETRY_AFTER_MAX * 6 / 5);
}

#[test]
fn retry_after_is_a_number_or_a_date() {
    let now = 784_111_777_000_000; // Sun, 06 Nov 1994 08:49:37 GMT
    assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Duration::from_secs(60)));
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now), Some(Duration::ZERO), "past");
    for none in ["", "-1", "soon", "1.5"] {
        assert_eq!(retry_after(none, now), None, "{none}");
    }
}

proptest! {
    #[test]
    fn a_wait_is_never_early_and_at_most_a_fifth_late(attempt in 1u32..10, chance: u64, asked in proptest::option::of(0u64..100_000)) {
        let least = WAITS_S[attempt as usize - 1].max(asked.unwrap_or(0).min(86_400));
        let waited = wait(attempt, asked.map(Duration::from_secs), chance).expect("there is a next");
        prop_assert!(waited >= Duration::from_secs(least) && waited <= Duration::from_millis(least * 1200));
        prop_assert_eq!(waited, wait(attempt, asked.map(Duration::from_secs), chance).expect("again"));
    }
    #[test]
    fn a_pause_grows_to_five_minutes(failures: u32, chance: u64) {
        let paused = pause(failures, None, chance);
        prop_assert!(paused >= Duration::from_secs(5) && paused <= Duration::from_secs(360));
    }
    #[test]
    fn what_is_signed_is_verified(key: [u8; 32], id in "[a-z_0-9]{1,40}", at in 0i64..4_000_000_000, body: Vec<u8>, flip: usize) {
        let secret = Secret::new(key);
        let header = signatures(std::slice::from_ref(&secret), &id, at, &body);
        prop_assert_eq!(verify(&secret, (&id, at, &header), &body, (at, 0)), Ok(()));
        let mut other = body.clone();
        if !other.is_empty() {
            let place = flip % other.len();
            other[place] ^= 1;
            prop_assert!(verify(&secret, (&id, at, &header), &other, (at, 0)).is_err());
        }
    }
    #[test]
    fn no_address_of_ipv4_gets_a_better_place_inside_ipv6(bits: u32) {
        let v4 = std::net::Ipv4Addr::from(bits);
        let [a, b, c, d] = v4.octets();
        let nat64: std::net::Ipv6Addr = format!("64:ff9b::{v4}").parse().expect("an address");
        let six: std::net::Ipv6Addr = format!("2002:{:x}:{:x}::1", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])).parse().expect("an address");
        for carried in [v4.to_ipv6_mapped(), nat64, six] {
            prop_assert_eq!(place(carried.into()), place(v4.into()));
        }
    }
}

#[test]
fn places_are_those_of_the_registries() {
    let at = |text: &str| place(text.parse().expect(text));
    for public in ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "2a00::1"] {
        assert_eq!(at(public), Place::Public, "{public}");
    }
    for loopback in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"] {
        assert_eq!(at(loopback), Place::Loopback, "{loopback}");
    }
    for private in
        ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"]
    {
        assert_eq!(at(private), Place::Private, "{private}");
    }
    for never in [
        "0.0.0.0",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "ff02::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "fec0::1",
    ] {
        assert_eq!(at(never), Place::Never, "{never}");
    }
    let local = "10.1.2.3".parse().expect("an address");
    assert!(!allows(Reach::Loopback, true, local) && allows(Reach::Private, false, local));
    let open = "8.8.8.8".parse().expect("an address");
    assert!(allows(Reach::Public, true, open) && !allows(Reach::Private, false, open), "plain http stays at home");
}

#[test]
fn urls_are_read_as_the_client_reads_them() {
    let public = |text: &str| check_url(Reach::Public, text);
    assert!(public("https://example.com/hooks?x=1").is_ok());
    // Forms of 127.0.0.1 and of the clouds' address for machines that other parsers do not know.
    for hidden in [
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://[::1]/",
        "https://0251.0376.0251.0376/",
        "https://①②⑦.0.0.1/",
    ] {
        assert!(matches!(public(hidden), Err(UrlError::Address(_))), "{hidden}: {:?}", public(hidden));
    }
    assert_eq!(public("http://example.com/"), Err(UrlError::Plain));
    assert_eq!(public("ftp://example.com/"), Err(UrlError::Scheme));
    assert_eq!(public("https://user:pass@example.com/"), Err(UrlError::Password));
    assert!(matches!(public("not a url"), Err(UrlError::Unreadable(_))));
    assert!(check_url(Reach::Loopback, "http://127.0.0.1:8080/").is_ok());
    assert!(check_url(Reach::Private, "https://169.254.169.254/latest").is_err(), "never");
}

fn quick(reach: Reach) -> WebhookClient {
    let options = WebhookOptions {
        reach,
        answer: Duration::from_millis(400),
        body: Duration::from_millis(200),
        ..WebhookOptions::default()
    };
    WebhookClient::new(options).expect("a client")
}

fn sent(client: &WebhookClient, url: &str) -> Result<Answer, Failure> {
    let secret = Secret::new([5; 32]);
    let now =
        std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
            as i64;
    let body = String::from_utf8_lossy(BODY).into_owned();
    let signature = signatures(&[secret], ID, now, BODY);
    let post = Post { url, id: ID, timestamp_s: now, signature: &signature, body };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    runtime.block_on(client.send(post, now * 1_000_000))
}

#[test]
fn a_receiver_gets_what_the_specification_says_and_fails_in_every_way() {
    let (fake, client) = (FakeReceiver::start(), quick(Reach::Loopback));
    let url = fake.url("/hooks?shop=1");
    assert_eq!(sent(&client, &url).map(|a| a.status), Ok(204));
    let got = &fake.received()[0];
    assert_eq!((&*got.path, &*got.id, got.body.as_bytes()), ("/hooks?shop=1", ID, BODY));
    assert!(got.is_signed_with(&Secret::new([5; 32]).reveal()) && !got.is_signed_with(SECRET));
    fake.then([
        Reply::SlowDown("90".into()),
        Reply::Redirect(fake.url("/elsewhere")),
        Reply::Words(500, "it broke"),
        Reply::SlowBody,
        Reply::Hang,
        Reply::Drop,
    ]);
    let answer = sent(&client, &url).expect("an answer");
    assert_eq!((answer.status, answer.retry_after), (429, Some(Duration::from_secs(90))));
    assert_eq!(sent(&client, &url).map(|a| a.status), Ok(302), "a redirect is an answer, not a way");
    assert_eq!(sent(&client, &url).map(|a| a.text), Ok("it broke".into()));
    assert_eq!(sent(&client, &url).map(|a| a.status), Ok(200), "the head decides");
    assert_eq!(sent(&client, &url), Err(Failure::Timeout(Duration::from_millis(400))));
    assert!(matches!(sent(&client, &url), Err(Failure::Connection(_))));
    assert_eq!(fake.received().len(), 7, "nothing was repeated, nothing followed");
    assert!(fake.received().iter().all(|r| r.path == "/hooks?shop=1"));
}

#[test]
fn nothing_goes_to_this_machine_unless_it_may() {
    let (fake, client) = (FakeReceiver::start(), quick(Reach::Public));
    let port = fake.url("").rsplit(':').next().map(str::to_string).expect("a port");
    // The name is innocent, its address is not: only the resolver can know.
    let named = sent(&client, &format!("https://localhost:{port}/")).expect_err("refused");
    assert!(named.to_string().contains("which webhooks may not reach"), "{named}");
    assert!(matches!(sent(&client, &format!("https://127.0.0.1:{port}/")), Err(Failure::Url(UrlError::Address(_)))));
    assert!(matches!(sent(&client, &fake.url("/")), Err(Failure::Url(UrlError::Plain))));
    assert_eq!(fake.received().len(), 0);
    // With the right to, the name works, so that the refusal above was the rule's.
    assert_eq!(sent(&quick(Reach::Loopback), &format!("http://localhost:{port}/")).map(|a| a.status), Ok(204));
}
