//! From the customer's word to the ledger.
use super::shop::*;
use crate::OrderError;
use crate::after::commands::{self, Ask, CaseAsk, CaseStep, ClaimAsk, Pay, Taken};
use crate::after::credit;
use crate::after::model::*;
use crate::after::policy::{Policy, ShippingBack};
use crate::commands as orders;
use crate::model::Contact;
use crate::states::order::Status;
use crate::states::payment::Action as PayAction;
use stock::commands::Shortage;
use stock::model::{CUSTOMER, Condition, DocumentKind};

#[test]
fn what_was_sent_home_is_returned_in_a_shop_piece_by_piece() {
    // [Q1]
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 3), (p.hat, 1)]);
        let asked = ask(world, sold.no, vec![wanted(0, 3, Reason::TooSmall), wanted(1, 1, Reason::Defect)]);
        let asked = asked.expect("it is asked");
        assert_eq!(stage(&asked), "approved", "the rules allow it");
        let more = ask(world, sold.no, vec![wanted(0, 1, Reason::TooSmall)]);
        assert!(matches!(more, Err(OrderError::Field { pointer, .. }) if pointer == "/lines/0/quantity"));
        let some = receive(world, asked.no, p.lviv, vec![got(0, 2, Some(Grade::Sellable))]).expect("some came");
        assert_eq!((stage(&some), lies(world, p.small, p.lviv, Condition::Sellable)), ("partly_received", 2000));
        assert_eq!(order(world, sold.no).status(), Status::PartlyReturned);
        let early = refund(world, asked.no, Pay::default());
        assert!(matches!(early, Err(OrderError::Refused(_))), "some is still awaited");
        let last = vec![got(0, 1, None), got(1, 1, Some(Grade::WriteOff))];
        let ungraded = receive(world, asked.no, p.hub, last).expect("the rest came elsewhere");
        assert_eq!((stage(&ungraded), lies(world, p.small, p.hub, Condition::Quarantine)), ("partly_received", 1000));
        assert_eq!(lies(world, p.hat, p.hub, Condition::Damaged), 0, "it was written off");
        let no = asked.no;
        let graded = world.write(move |tx| commands::grade(tx, no, (0, 1), Grade::Outlet, "clerk"));
        assert_eq!(stage(&graded.expect("somebody looked")), "received");
        assert_eq!(lies(world, p.small, p.hub, Condition::Damaged), 1000);
        world.crash();
        let on_its_way = refund(world, asked.no, Pay::default()).expect("money goes back");
        // Everything came back and some was our fault: delivery too.
        assert_eq!((on_its_way.body.total_minor, on_its_way.body.shipping_minor), (sold.body.total_minor, 9900));
        assert_eq!(stage(&on_its_way), "received", "the bank has not told yet");
        let again = refund(world, asked.no, Pay::default());
        assert!(matches!(again, Err(OrderError::Field { .. })));
        let refund_no = on_its_way.body.refunds[0];
        settle(world, refund_no);
        settle(world, refund_no);
        let done = order(world, sold.no);
        assert_eq!(
            (stage(&row(world, no)), done.sums().refunded, done.status()),
            ("refunded", sold.body.total_minor, Status::Returned)
        );
        let history = world.write(move |tx| Ok(orders::history_of(tx, sold.no)?)).expect("it is read");
        assert!(history.iter().filter(|h| h.what == "goods came back").count() == 2);
    });
}

#[test]
fn money_that_the_provider_gave_back_by_itself_goes_back_once() {
    each(|world, p| {
        let sold = delivered(world, &[(p.hat, 2)]);
        let (order_no, paid) = (sold.no, sold.body.total_minor);
        let no = ask(world, order_no, vec![wanted(0, 1, Reason::NotLiked)]).expect("it is asked").no;
        receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("it came");
        let asked = refund(world, no, Pay::default()).expect("money goes back");
        // Meanwhile somebody gave back all but a part of it in the provider's own cabinet.
        let before = paid - 10_000;
        world.pay(order_no, PayAction::Refund, "cabinet-1", before).expect("it is told");
        let settled = settle(world, asked.body.refunds[0]);
        assert_eq!((settled.state.as_str(), &*settled.why), ("settled", "20000 of it had gone back before"));
        assert_eq!((stage(&row(world, no)), order(world, order_no).sums().refundable()), ("refunded", 0));
    });
}

#[test]
fn parts_of_a_line_come_back_to_the_last_kopeck() {
    // [LESSONS commerce 23]
    each(|world, p| {
        // 3 × 1000.01 less nothing: each third part is its own.
        let sold = delivered(world, &[(p.small, 3)]);
        put_policy(world, Policy { shipping: ShippingBack::AllBack, ..Policy::default() });
        let mut given = 0;
        for n in 0..3 {
            let no = ask(world, sold.no, vec![wanted(0, 1, Reason::NotLiked)]).expect("it is asked").no;
            receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("it came");
            let paid = refund(world, no, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out");
            assert_eq!((stage(&paid), paid.body.shipping_minor), ("refunded", if n == 2 { 9900 } else { 0 }));
            given += paid.body.total_minor;
        }
        assert_eq!((given, order(world, sold.no).sums().refundable()), (sold.body.total_minor, 0));
    });
}

#[test]
fn the_rules_speak_before_anybody_carries_anything() {
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 1), (p.hat, 1)]);
        put_policy(world, Policy { class_of_category: [("c".into(), "underwear".into())].into(), ..Policy::default() });
        world
            .write(|tx| {
                let input = catalog::model::ProductInput {
                    id: "p-hat".into(),
                    attributes: [("return_class".to_string(), serde_json::json!("underwear"))].into(),
                    ..Default::default()
                };
                assert_eq!(catalog::commands::put_products(tx, &[input])?.1, []);
                Ok(())
            })
            .expect("it is said");
        let by_customer = |lines: Vec<Wanted>| {
            let ask = Ask { order_no: Some(sold.no), lines, key: "k".into(), ..Ask::default() };
            world.write(move |tx| commands::request_by_customer(tx, &shop(), &ask))
        };
        let refused = by_customer(vec![wanted(1, 1, Reason::NotLiked)]).expect_err("it is on the list").to_string();
        assert!(refused.contains("underwear") && refused.contains("172"), "{refused}");
        let fault = ask(world, sold.no, vec![wanted(1, 1, Reason::Defect)]).expect("a fault is another matter");
        assert_eq!(stage(&fault), "approved");
        pass_days(world, 15);
        let late = by_customer(vec![wanted(0, 1, Reason::NotLiked)]).expect_err("it is too late").to_string();
        assert!(late.contains("2026-12-06") && late.contains("article 9"), "{late}");
        let kind = ask(world, sold.no, vec![wanted(0, 1, Reason::NotLiked)]).expect("a colleague writes it down");
        assert_eq!(stage(&kind), "requested");
        let no = kind.no;
        let plain = world.write(move |tx| commands::approve(tx, &shop(), no, "", "boss"));
        assert!(matches!(plain, Err(OrderError::Refused(r)) if r.to_string().contains("it may be returned")));
        let kindly = world.write(move |tx| commands::approve(tx, &shop(), no, "an old customer", "boss"));
        assert_eq!(kindly.expect("with a reason").answer, "an old customer");
        let gone = world.write(move |tx| commands::cancel(tx, no, "agent")).expect("they keep it");
        assert_eq!(stage(&gone), "cancelled");
        ask(world, sold.no, vec![wanted(0, 1, Reason::NotLiked)]).expect("and may ask again");
    });
}

#[test]
fn asking_and_telling_twice_count_once() {
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 2)]);
        let ask = Ask {
            order_no: Some(sold.no),
            lines: vec![wanted(0, 1, Reason::TooSmall)],
            key: "tap-1".into(),
            photos: vec!["media:1".into()],
            ..Ask::default()
        };
        let again = ask.clone();
        let first = world.write(move |tx| commands::request_by_customer(tx, &shop(), &ask)).expect("it is asked");
        world.crash();
        let second = world.write(move |tx| commands::request_by_customer(tx, &shop(), &again)).expect("it is told");
        assert_eq!(first.no, second.no);
        for _ in 0..2 {
            let (no, lines) = (first.no, vec![got(0, 1, Some(Grade::Sellable))]);
            let taken = Taken { location_no: p.lviv, key: "till:r-1".into(), lines };
            let row = world.write(move |tx| commands::receive(tx, &shop(), no, &taken, "till")).expect("it came");
            assert_eq!((stage(&row), row.body.lines[0].arrived.len()), ("received", 1));
        }
        assert_eq!(lies(world, p.small, p.lviv, Condition::Sellable), 1000);
    });
}

#[test]
fn short_returns_damaged_goods_and_money_that_does_not_arrive() {
    each(|world, p| {
        let sold = delivered(world, &[(p.hat, 3)]);
        let no = ask(world, sold.no, vec![wanted(0, 3, Reason::NotLiked)]).expect("it is asked").no;
        receive(world, no, p.lviv, vec![got(0, 2, Some(Grade::Outlet))]).expect("two came");
        let short = world.write(move |tx| commands::close_short(tx, no, "clerk")).expect("the third stays");
        assert_eq!(stage(&short), "received");
        let worn = refund(world, no, Pay { withheld_minor: 5_000, ..Pay::default() });
        assert!(matches!(worn, Err(OrderError::Field { pointer, .. }) if pointer == "/withheld"), "say why");
        let worn = Pay { withheld_minor: 5_000, why: "worn".into(), ..Pay::default() };
        let asked = refund(world, no, worn).expect("less goes back");
        assert_eq!(asked.body.total_minor, 55_000);
        let refund_no = asked.body.refunds[0];
        let failed = world.write(move |tx| commands::fail_refund(tx, refund_no, "the card is closed"));
        assert_eq!(failed.expect("the bank says no").state.as_str(), "failed");
        let alone = world.write(move |tx| commands::credit_refund(tx, refund_no, false, "agent"));
        assert!(matches!(alone, Err(OrderError::Refused(_))), "the customer has to agree");
        let given = world.write(move |tx| commands::credit_refund(tx, refund_no, true, "agent")).expect("they agree");
        assert_eq!((given.state.as_str(), stage(&row(world, no))), ("credited", "refunded"));
        let contact = Contact { email: "olena@example.com".into(), ..Contact::default() };
        let found = world.write(move |tx| credit::of_contact(tx, &contact, "UAH")).expect("there is credit");
        assert_eq!((found.balance_minor, found.code.len()), (55_000, 16));
        let (account, code) = (found.no, found.code.to_ascii_lowercase());
        let much = world.write(move |tx| credit::spend(tx, account, 55_001, "o-1", "order", "site"));
        assert!(matches!(much, Err(OrderError::Field { .. })));
        for _ in 0..2 {
            world.write(move |tx| credit::spend(tx, account, 50_000, "o-1", "order", "site")).expect("it pays once");
        }
        let left = world.write(move |tx| credit::by_code(tx, &code)).expect("by its code");
        assert_eq!(left.balance_minor, 5_000);
        let last = ask(world, sold.no, vec![wanted(0, 1, Reason::NotLiked)]).expect("the third may come still").no;
        receive(world, last, p.hub, vec![got(0, 1, Some(Grade::Sellable))]).expect("it came");
        let credit = Pay { way: Way::Credit, ..Pay::default() };
        assert_eq!(stage(&refund(world, last, credit).expect("as credit")), "refunded");
        let order_no = sold.no;
        let account = world.write(move |tx| Ok(commands::account_of(tx, order_no)?)).expect("it is read");
        assert_eq!(account.credited_minor, 85_000);
        let kindness = world.write(move |tx| commands::goodwill(tx, order_no, 1_000, ("k-1", "sorry"), "agent"));
        kindness.expect("a kindness is no part of what was paid");
        let why = world.write(|tx| {
            let row = tx.first("SELECT why FROM credit_postings ORDER BY no DESC LIMIT 1", &[])?;
            Ok(row.map(|row| row.text(0).map(str::to_string)).transpose()?)
        });
        assert_eq!(why.expect("it is read").as_deref(), Some("sorry"));
    });
}

#[test]
fn another_size_costs_what_was_paid_and_can_come_back_itself() {
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 2)]);
        let first = Ask {
            order_no: Some(sold.no),
            lines: vec![wanted(0, 1, Reason::TooSmall)],
            instead: vec![Instead { of: 0, variant_no: p.large, milli: 1000 }],
            ..Ask::default()
        };
        let asked = world.write(move |tx| commands::request_by_customer(tx, &shop(), &first)).expect("it is asked");
        assert_eq!((asked.stage.kind(), stage(&asked), world.available(p.large)), ("exchange", "approved", q(19)));
        let (no, other) = (asked.no, |row: &Return| row.body.exchange.as_ref().and_then(|e| e.order_no));
        let back = receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("the first is back");
        let new = order(world, other(&back).expect("the other is an order"));
        assert_eq!((new.body.total_minor, new.owed_minor(), new.sums().captured), (100_001, 100_001, 100_001));
        assert_eq!((new.status(), &new.body.number), (Status::Confirmed, &format!("{}-E{no}", sold.body.number)));
        let done = world.write(move |tx| commands::fulfil(tx, no, true, "clerk")).expect("they have it");
        assert_eq!((stage(&done), order(world, new.no).status()), ("fulfilled", Status::Delivered));
        world.crash();
        // The other one comes back too: its money goes to the card that paid for the first.
        let no = ask(world, new.no, vec![wanted(0, 1, Reason::TooLarge)]).expect("it is asked").no;
        receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("it is back");
        let on_its_way = refund(world, no, Pay::default()).expect("money goes back");
        let refund_no = on_its_way.body.refunds[0];
        let to = world.write(move |tx| commands::refund_of(tx, refund_no)).expect("it is there");
        assert_eq!((to.order_no, &*to.provider, to.amount_minor), (sold.no, "test", 100_001));
        settle(world, refund_no);
        assert_eq!((stage(&row(world, no)), order(world, sold.no).sums().refunded), ("refunded", 100_001));
    });
}

#[test]
fn a_dearer_thing_is_paid_and_a_cheaper_one_gives_back() {
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 1), (p.hat, 1)]);
        let exchange = |line, variant_no| {
            let ask = Ask {
                order_no: Some(sold.no),
                lines: vec![wanted(line, 1, Reason::NotLiked)],
                instead: vec![Instead { of: 0, variant_no, milli: 1000 }],
                ..Ask::default()
            };
            let no = world.write(move |tx| commands::request(tx, &shop(), &ask, "agent")).expect("it is asked").no;
            receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("it is back")
        };
        let cheaper = exchange(0, p.hat);
        assert_eq!((cheaper.body.total_minor, cheaper.body.refunds.len()), (70_001, 1));
        let no = cheaper.no;
        let early = world.write(move |tx| commands::fulfil(tx, no, true, "clerk"));
        assert!(matches!(early, Err(OrderError::Refused(r)) if r.to_string().contains("the difference is settled")));
        settle(world, cheaper.body.refunds[0]);
        world.write(move |tx| commands::fulfil(tx, no, true, "clerk")).expect("now");
        let dearer = exchange(1, p.large);
        let (no, other) = (dearer.no, dearer.body.exchange.clone().and_then(|e| e.order_no).expect("an order"));
        assert_eq!(order(world, other).status(), Status::AwaitingPayment);
        assert!(world.write(move |tx| commands::fulfil(tx, no, true, "clerk")).is_err());
        world.pay(other, PayAction::Capture, "more", 70_001).expect("the rest is paid");
        world.write(move |tx| commands::fulfil(tx, no, true, "clerk")).expect("now");
        // Back it goes: what was paid beside to its card, the rest to the first order's.
        let no = ask(world, other, vec![wanted(0, 1, Reason::NotLiked)]).expect("it is asked").no;
        receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("it is back");
        let paid = refund(world, no, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out");
        assert_eq!((stage(&paid), paid.body.refunds.len()), ("refunded", 2));
        assert_eq!(order(world, sold.no).sums().refunded, 100_001);
        assert_eq!(order(world, other).sums().refundable(), 0);
    });
}

#[test]
fn an_exchange_whose_goods_are_gone_becomes_a_return() {
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 1)]);
        let mut ask = Ask {
            order_no: Some(sold.no),
            lines: vec![wanted(0, 1, Reason::TooSmall)],
            instead: vec![Instead { of: 0, variant_no: p.large, milli: 21_000 }],
            ..Ask::default()
        };
        let much = ask.clone();
        let waits = world.write(move |tx| commands::request(tx, &shop(), &much, "agent")).expect("it is asked");
        assert_eq!(stage(&waits), "requested", "there are not so many");
        let no = waits.no;
        world.write(move |tx| commands::deny(tx, no, "not to be had", "agent")).expect("it is denied");
        ask.instead[0].milli = 1000;
        let no = world.write(move |tx| commands::request(tx, &shop(), &ask, "agent")).expect("it is asked").no;
        // A till sells all of them, the kept one too.
        let sale = vec![crate::tests::world::line(p.large, p.hub, CUSTOMER, 20)];
        world.post(DocumentKind::Sale, sale, Shortage::Record);
        let back = receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("the first is back");
        assert_eq!((stage(&back), back.body.exchange.clone().and_then(|e| e.order_no)), ("received", None));
        let turned = world.write(move |tx| commands::turn_into_return(tx, no, "clerk")).expect("it becomes a return");
        assert_eq!((turned.stage.kind(), stage(&turned)), ("return", "received"));
        let paid = refund(world, no, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out");
        assert_eq!((stage(&paid), paid.body.total_minor), ("refunded", 100_001));
    });
}

#[test]
fn an_exchange_that_is_called_off_late_gives_the_same_money() {
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 3)]);
        let ask_for = Ask {
            order_no: Some(sold.no),
            lines: vec![wanted(0, 1, Reason::TooSmall)],
            instead: vec![Instead { of: 0, variant_no: p.large, milli: 1000 }],
            ..Ask::default()
        };
        let no = world.write(move |tx| commands::request(tx, &shop(), &ask_for, "agent")).expect("it is asked").no;
        let back = receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("the first is back");
        let other = back.body.exchange.clone().and_then(|e| e.order_no).expect("an order");
        let rest = ask(world, sold.no, vec![wanted(0, 2, Reason::NotLiked)]).expect("the others too").no;
        receive(world, rest, p.lviv, vec![got(0, 2, Some(Grade::Sellable))]).expect("they are back");
        let others = refund(world, rest, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out");
        world.write(move |tx| commands::turn_into_return(tx, no, "clerk")).expect("the other broke");
        assert_eq!(order(world, other).status(), Status::Cancelled);
        let last = refund(world, no, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out");
        assert_eq!(others.body.total_minor + last.body.total_minor, 300_003);
        assert_eq!(world.available(p.large), q(20));
    });
}

#[test]
fn claims_bring_money_goods_or_both_and_nothing_comes_back() {
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 2), (p.hat, 2)]);
        let claim = |line, units: i64, reason, key: &str| {
            let lines = vec![ClaimLine { line, milli: units * 1000, reason }];
            let ask = ClaimAsk { order_no: sold.no, lines, key: key.into(), ..ClaimAsk::default() };
            world.write(move |tx| commands::claim_by_customer(tx, &shop(), &ask))
        };
        let first = claim(0, 1, Reason::Defect, "a").expect("it is told");
        assert_eq!(claim(0, 1, Reason::Defect, "a").expect("told twice").no, first.no);
        let no = first.no;
        let mute = world.write(move |tx| commands::deny_claim(tx, &shop(), no, " ", "agent"));
        assert!(matches!(mute, Err(OrderError::Refused(_))), "the customer is told why");
        world.write(move |tx| commands::deny_claim(tx, &shop(), no, "no picture", "agent")).expect("it is denied");
        let photos = vec!["media:7".to_string()];
        let open = world.write(move |tx| commands::reopen_claim(tx, &shop(), no, ("look", &photos), "customer"));
        assert_eq!(open.expect("here is one").photos.len(), 1);
        // A part of the money: the piece can still come back, for the rest.
        let some = (Resolution::Refund, Some(20_000));
        let some = world.write(move |tx| commands::approve_claim(tx, no, some, "sorry", "agent")).expect("it is right");
        assert_eq!((some.state.as_str(), some.body.refund_minor), ("approved", 20_000));
        settle(world, some.body.refunds[0]);
        let state = world.write(move |tx| commands::claim_of(tx, no)).expect("it is there").state;
        assert_eq!(state.as_str(), "resolved");
        let back = ask(world, sold.no, vec![wanted(0, 2, Reason::Defect)]).expect("both come back after all").no;
        receive(world, back, p.lviv, vec![got(0, 2, Some(Grade::WriteOff))]).expect("they came");
        let paid = refund(world, back, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out");
        assert_eq!(paid.body.total_minor, 180_002);
        // Another piece, and something for the trouble.
        let no = claim(1, 2, Reason::Damaged, "b").expect("it is told").no;
        let both = (Resolution::Both, Some(5_000));
        let both = world.write(move |tx| commands::approve_claim(tx, no, both, "sorry", "agent")).expect("it is right");
        let other = both.body.replacement_no.expect("another one");
        assert_eq!((both.body.moved_minor, order(world, other).status()), (60_000, Status::Confirmed));
        settle(world, both.body.refunds[0]);
        let early = world.write(move |tx| commands::resolve_claim(tx, no, "agent"));
        assert!(matches!(early, Err(OrderError::Refused(_))), "it has not left");
        hand_over(world, other);
        world.write(move |tx| commands::resolve_claim(tx, no, "agent")).expect("now");
        assert!(claim(1, 1, Reason::Damaged, "c").is_err(), "those pieces are settled");
        assert!(ask(world, sold.no, vec![wanted(1, 1, Reason::Defect)]).is_err());
        pass_days(world, 731);
        let late = claim(0, 1, Reason::Defect, "d");
        assert!(late.is_err());
    });
}

#[test]
fn a_claim_comes_in_time_or_not_at_all() {
    each(|world, p| {
        let sold = delivered(world, &[(p.hat, 1)]);
        pass_days(world, 731);
        let lines = vec![ClaimLine { line: 0, milli: 1000, reason: Reason::Defect }];
        let ask = ClaimAsk { order_no: sold.no, lines, ..ClaimAsk::default() };
        let late = world.write(move |tx| commands::open_claim(tx, &shop(), &ask, "agent")).expect_err("two years");
        assert!(late.to_string().contains("article 8"), "{late}");
    });
}

#[test]
fn a_receipt_alone_brings_store_credit_where_the_shop_says_so() {
    each(|world, p| {
        let ask = Ask {
            receipt: "till 3, 184240".into(),
            contact: Contact { phone: "+380501112233".into(), ..Contact::default() },
            lines: vec![Wanted { line: None, variant_no: p.hat, quantity: q(2), reason: Reason::NotLiked }],
            ..Ask::default()
        };
        let again = ask.clone();
        let no = world.write(move |tx| commands::request(tx, &shop(), &ask, "clerk"));
        assert!(matches!(no, Err(OrderError::Field { pointer, .. }) if pointer == "/order_id"));
        put_policy(world, Policy { without_order: true, ..Policy::default() });
        let row = world.write(move |tx| commands::request(tx, &shop(), &again, "clerk")).expect("it is asked");
        let no = row.no;
        assert_eq!(stage(&row), "requested", "a person looks");
        world.write(move |tx| commands::approve(tx, &shop(), no, "", "boss")).expect("yes");
        receive(world, no, p.lviv, vec![got(0, 2, Some(Grade::Sellable))]).expect("it is here");
        let paid = refund(world, no, Pay::default()).expect("as credit");
        let account = paid.body.credit_no.expect("an account");
        let credit = world.write(move |tx| credit::account(tx, account)).expect("it is there");
        assert_eq!((stage(&paid), credit.balance_minor), ("refunded", 60_000));
    });
}

#[test]
fn a_parcel_that_nobody_took_comes_back() {
    each(|world, p| {
        let cart = world.cart(&[(p.hat, 1)], crate::model::Delivery::Ship { option: "post".into(), price_minor: 0 });
        let no = world.checkout(cart).expect("it is ordered").no;
        world.pay(no, PayAction::Capture, "c", 30_000).expect("it is paid");
        let serving = order(world, no).body.fulfilments[0].no;
        world.write(move |tx| orders::accept(tx, no, serving, "hub")).expect("the hub takes it");
        world.write(move |tx| orders::dispatch(tx, no, serving, "2045", "hub")).expect("it is sent");
        assert!(ask(world, no, vec![wanted(0, 1, Reason::NotLiked)]).is_err(), "they do not have it");
        let back = ask(world, no, vec![wanted(0, 1, Reason::NotCollected)]).expect("it comes back").no;
        receive(world, back, p.hub, vec![got(0, 1, Some(Grade::Sellable))]).expect("it is here");
        assert_eq!((order(world, no).status(), world.available(p.hat)), (Status::Returned, q(20)));
        refund(world, back, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out");
    });
}

#[test]
fn repair_with_a_loan_by_its_serial_number() {
    // [Q4]
    each(|world, p| {
        let sold = delivered(world, &[(p.small, 1)]);
        let (sold_no, small, lviv) = (sold.no, p.small, p.lviv);
        for _ in 0..2 {
            world.write(move |tx| commands::note_serial(tx, sold_no, 0, " sn-1 ", "clerk")).expect("it is noted");
        }
        let other = delivered(world, &[(p.small, 1)]).no;
        assert!(world.write(move |tx| commands::note_serial(tx, other, 0, "SN-1", "clerk")).is_err(), "sold once");
        let ask = |kind, serial: &str| CaseAsk {
            kind,
            order_no: None,
            line: None,
            serial: serial.into(),
            note: "the sole came off".into(),
            owner: String::new(),
            due_at: None,
            paid_by_customer: false,
        };
        let unknown = ask(CaseKind::Warranty, "SN-9");
        assert!(world.write(move |tx| commands::open_case(tx, &shop(), &unknown, "clerk")).is_err());
        let known = ask(CaseKind::Warranty, "sn-1");
        let case = world.write(move |tx| commands::open_case(tx, &shop(), &known, "clerk")).expect("it is known");
        assert_eq!(case.order_no, sold_no);
        let until = case.body.warranty_until.expect("a guarantee").to_string();
        assert!(until.starts_with("2027-11-22T14:32"), "{until}");
        let no = case.no;
        let take = |what| world.write(move |tx| commands::step_case(tx, no, what, "master"));
        take(CaseStep::Accept).expect("it is covered");
        world.write(move |tx| commands::assign(tx, no, "master", None, None)).expect("somebody looks after it");
        world.receive(small, lviv, 1);
        let lent = world.write(move |tx| commands::lend(tx, no, (small, lviv, ""), q(1), "clerk")).expect("meanwhile");
        assert!(lent.lends() && lies(world, small, lviv, Condition::Sellable) == 0);
        take(CaseStep::Work).expect("work");
        take(CaseStep::Wait).expect("for a sole");
        take(CaseStep::Work).expect("it came");
        take(CaseStep::Finish).expect("done");
        let early = world.write(move |tx| commands::close_case(tx, no, "new sole", "clerk"));
        assert!(matches!(early, Err(OrderError::Refused(r)) if r.to_string().contains("what was lent is back")));
        world.write(move |tx| commands::take_back(tx, no, 0, (lviv, Grade::Outlet), "clerk")).expect("it is back");
        let mute = world.write(move |tx| commands::close_case(tx, no, "", "clerk"));
        assert!(matches!(mute, Err(OrderError::Refused(_))));
        let done = world.write(move |tx| commands::close_case(tx, no, "new sole", "clerk")).expect("it is over");
        assert_eq!((done.state.as_str(), &*done.owner, &*done.outcome), ("closed", "master", "new sole"));
        assert_eq!(lies(world, small, lviv, Condition::Damaged), 1000);
        pass_days(world, 366);
        let late = ask(CaseKind::Warranty, "SN-1");
        let late = world.write(move |tx| commands::open_case(tx, &shop(), &late, "clerk")).expect("it is written down");
        let no = late.no;
        let bare = world.write(move |tx| commands::step_case(tx, no, CaseStep::Accept, "master"));
        assert!(matches!(bare, Err(OrderError::Refused(r)) if r.to_string().contains("covered or paid")));
        world.write(move |tx| commands::assign(tx, no, "master", None, Some(true))).expect("the customer pays");
        world.write(move |tx| commands::step_case(tx, no, CaseStep::Accept, "master")).expect("now");
    });
}

#[test]
fn somebody_asks_once_how_it_went() {
    each(|world, p| {
        let sold = delivered(world, &[(p.hat, 1)]).no;
        let plan = || world.write(move |tx| commands::check_in(tx, &shop(), sold, "hub")).expect("it is planned");
        let case = plan().expect("once");
        assert!(case.due_at.to_string().starts_with("2026-11-25T22:00"), "{}", case.due_at);
        assert!(plan().is_none());
        let no = case.no;
        world.write(move |tx| commands::close_case(tx, no, "all is well", "agent")).expect("they said so");
        put_policy(world, Policy { check_in_days: 0, ..Policy::default() });
        let other = delivered(world, &[(p.hat, 1)]).no;
        let none = world.write(move |tx| commands::check_in(tx, &shop(), other, "hub")).expect("nobody asks");
        assert!(none.is_none());
    });
}

#[test]
fn points_go_back_with_the_goods() {
    use loyalty::points::commands as points;
    each(|world, p| {
        let sold = delivered(world, &[(p.hat, 3)]).no;
        let document = format!("order:{sold}");
        let earn = document.clone();
        world
            .write(move |tx| {
                let cause = points::Cause { document: "welcome", actor: "test" };
                points::earn(tx, 5, 50, None, cause).expect("earned");
                let cause = points::Cause { document: &earn, actor: "test" };
                points::burn(tx, &[5], 30, cause).expect("burned");
                points::earn(tx, 5, 91, None, cause).expect("earned");
                Ok(())
            })
            .expect("points moved");
        let no = ask(world, sold, vec![wanted(0, 1, Reason::NotLiked)]).expect("it is asked").no;
        receive(world, no, p.lviv, vec![got(0, 1, Some(Grade::Sellable))]).expect("it came");
        let row = refund(world, no, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out");
        assert_eq!((row.body.lines[0].points_back, row.body.lines[0].points_taken), (10, 31));
        let balance = world.write(|tx| Ok(points::balance(tx, &[5])?)).expect("it is read");
        assert_eq!(balance, 50 - 30 + 91 + 10 - 31);
        let found = world.store().query(loyalty::points::doctor::check).expect("it is read");
        assert!(found.is_empty(), "{found:?}");
    });
}
