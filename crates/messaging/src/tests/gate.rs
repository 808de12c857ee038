//! The gate as a pure function: its order, its choice of an address, its words.
use super::world::{rule_draft, shop};
use crate::facts::PersonFacts;
use crate::gate::{AddressFacts, CapUse, GateInput, TemplateFacts, Verdict, verdict};
use crate::model::{Cap, QuietHours, Rule};
use crate::preferences::Choice;
use crate::templates::{Compiled, Source, compile};
use base::Timestamp;
use proptest::prelude::*;

/// Which of the gate's questions are answered with "no".
#[derive(Debug, Clone, Copy, Default)]
struct Nos {
    rule: bool,
    person: bool,
    segment: bool,
    once: bool,
    address: bool,
    consent: bool,
    preference: bool,
    suppression: bool,
    quiet: bool,
    cap: bool,
    template: bool,
}

fn rule() -> Rule {
    let d = rule_draft(1);
    let t = Timestamp::from_micros(1);
    Rule {
        id: 1,
        name: d.name,
        segment_id: 1,
        template_id: 1,
        channel: d.channel,
        purpose: d.purpose,
        topic: d.topic,
        once: true,
        enabled: true,
        version: 1,
        created_at: t,
        updated_at: t,
        archived: false,
    }
}

fn template(text: &str) -> Compiled {
    compile(Source { subject: "S", body_html: "", body_text: text }).expect("a template")
}

fn address(address: &str, consent: Option<bool>, suppressed: bool) -> AddressFacts {
    AddressFacts { address: address.into(), consent, suppressed: suppressed.then(|| "bounced".into()) }
}

fn ask_with(nos: Nos, addresses: &[AddressFacts]) -> Verdict {
    let mut shop = shop();
    if nos.quiet {
        shop.quiet_hours = Some(QuietHours { from_minute: 0, to_minute: 1439 });
    }
    let rule = Rule { enabled: !nos.rule, ..rule() };
    let person = PersonFacts { person_id: 1, members: vec![1, 2], ..PersonFacts::default() };
    let cap = Cap { channel: "email".into(), purpose: "marketing".into(), limit: 3, window: "7d".into() };
    let at = Timestamp::from_micros(1);
    let no = [Choice { channel: "email".into(), topic: "*".into(), wanted: false, at, actor: String::new() }];
    let compiled = template(if nos.template { "{{ customer.name }}" } else { "x" });
    verdict(&GateInput {
        now: Timestamp::from_civil(2026, 11, 22, 12, 0, 0),
        shop: &shop,
        message_id: 9,
        rule: Some(&rule),
        person: (!nos.person).then_some(&person),
        member: !nos.segment,
        reached_by: nos.once.then_some(4),
        addresses,
        choices: if nos.preference { &no } else { &[] },
        caps: &[CapUse { cap, used: if nos.cap { 3 } else { 2 } }],
        template: Some(TemplateFacts { name: "T", version: 1, compiled: Ok(&compiled) }),
        event: None,
        unsubscribe: &|address| format!("https://shop.example/u/{address}"),
    })
}

fn ask(nos: Nos) -> Verdict {
    let own = address("a@example.com", Some(!nos.consent), nos.suppression);
    ask_with(nos, if nos.address { &[] } else { std::slice::from_ref(&own) })
}

proptest! {
    /// The first "no" in the fixed order is the answer, the lines end with it, and all before it passed.
    #[test]
    fn the_first_no_is_the_answer(bits in 0u32..2048) {
        let bit = |at: u32| bits & (1 << at) != 0;
        let nos = Nos {
            rule: bit(0), person: bit(1), segment: bit(2), once: bit(3), address: bit(4), consent: bit(5), suppression: bit(6),
            quiet: bit(7), cap: bit(8), template: bit(9), preference: bit(10),
        };
        let order = [
            ("rule", "rule_disabled"), ("person", "person_erased"), ("segment", "left_segment"), ("once", "once"), ("address", "no_address"),
            ("consent", "no_consent"), ("preference", "not_wanted"), ("suppression", "suppressed"), ("quiet_hours", "later"), ("cap", "cap_reached"), ("template", "missing_value"),
        ];
        // Without an address there is nothing to be suppressed or denied, but that question comes later anyway.
        let bits = [0, 1, 2, 3, 4, 5, 10, 6, 7, 8, 9];
        let first = bits.iter().position(|at| bit(*at));
        let (said, why) = match ask(nos) {
            Verdict::Pass { why, address, .. } => { prop_assert_eq!(address, "a@example.com"); ("pass", why) }
            Verdict::Stop { reason, why, .. } => (reason, why),
            Verdict::Later { why, .. } => ("later", why),
        };
        match first {
            None => { prop_assert_eq!(said, "pass"); prop_assert_eq!(why.len(), 11); prop_assert!(why.iter().all(|l| l.passed)); }
            Some(at) => {
                prop_assert_eq!(said, order[at].1);
                prop_assert_eq!(why.len(), at + 1);
                prop_assert!(why[..at].iter().all(|l| l.passed) && !why[at].passed);
            }
        }
        prop_assert!(why.iter().zip(order).all(|(line, (gate, _))| line.gate == gate && !line.detail.is_empty()));
    }

    /// Consent: nothing goes to an address without a grant, nothing at all to a person who denied at any own address.
    #[test]
    fn no_address_is_written_to_without_its_grant(own in prop::collection::vec((0u8..4, prop::option::of(any::<bool>()), any::<bool>()), 0..5)) {
        let names = ["a@example.com", "b@example.com", "no address", "c@example.com"];
        let own: Vec<AddressFacts> = own.iter().map(|(n, c, s)| address(names[usize::from(*n)], *c, *s)).collect();
        let denied = own.iter().any(|a| a.consent == Some(false));
        let could = own.iter().any(|a| a.address.contains('@') && a.consent == Some(true) && a.suppressed.is_none());
        match ask_with(Nos::default(), &own) {
            Verdict::Pass { address, .. } => {
                prop_assert!(!denied);
                prop_assert!(own.iter().any(|a| a.address == address && a.consent == Some(true) && a.suppressed.is_none()));
            }
            _ => prop_assert!(denied || !could),
        }
    }
}

#[test]
fn each_line_speaks_with_data() {
    let Verdict::Pass { why, rendered, .. } = ask(Nos::default()) else { panic!("it passes") };
    let text: Vec<String> = why.iter().map(|l| format!("{}: {}", l.gate, l.detail)).collect();
    assert_eq!(
        text,
        [
            "rule: the rule \"Welcome\" is on (version 1)",
            "person: person 1 with 2 profiles",
            "segment: is in segment 1 now",
            "once: this rule has not reached the person before",
            "address: a@example.com",
            "consent: email for marketing is granted at a@example.com",
            "preference: the person chose nothing about email",
            "suppression: the address is not suppressed",
            "quiet_hours: no quiet hours are set",
            "cap: 2 of 3 (email marketing) in 7d used",
            "template: \"T\" version 1 renders",
        ]
    );
    assert!(rendered.text.contains("https://shop.example/u/a@example.com"));
    let Verdict::Stop { why, .. } = ask(Nos { cap: true, ..Nos::default() }) else { panic!("it is stopped") };
    assert_eq!(why.last().map(|l| l.detail.as_str()), Some("3 of 3 (email marketing) in 7d already used"));
}
