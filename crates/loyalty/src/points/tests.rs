use super::commands::{Cause, PointsError, Posted, balance, burn, earn, expire, give_back, lots, take_back};
use super::doctor;
use super::plan::Shortfall;
use crate::tests::stored::Stored;
use base::{DAY_US, Rng, Timestamp};
use db::testing::Place;

impl Stored {
    fn post(
        &self,
        f: impl Fn(&mut db::Tx, Cause) -> Result<Posted, PointsError> + Send + 'static,
        document: &str,
    ) -> Result<Posted, PointsError> {
        let document = document.to_string();
        self.write(move |tx| f(tx, Cause { document: &document, actor: "olena" }))
    }
    fn earn(&self, account: i64, points: i64, days: i64, document: &str) -> Result<Posted, PointsError> {
        let end = self.now().plus(days * DAY_US);
        self.post(move |tx, cause| earn(tx, account, points, Some(end), cause), document)
    }
    fn burn(&self, accounts: &[i64], points: i64, document: &str) -> Result<Posted, PointsError> {
        let accounts = accounts.to_vec();
        self.post(move |tx, cause| burn(tx, &accounts, points, cause), document)
    }
    fn take_back(
        &self,
        account: i64,
        of: &str,
        points: i64,
        how: Shortfall,
        document: &str,
    ) -> Result<Posted, PointsError> {
        let of = of.to_string();
        self.post(move |tx, cause| take_back(tx, &[account], &of, points, how, cause), document)
    }
    fn give_back(&self, of: &str, points: i64, document: &str) -> Result<Posted, PointsError> {
        let (of, late) = (of.to_string(), self.now().plus(30 * DAY_US));
        self.post(move |tx, cause| give_back(tx, &of, points, Some(late), cause), document)
    }
    fn balance(&self, accounts: &[i64]) -> i64 {
        let accounts = accounts.to_vec();
        self.store.read(move |tx| balance(tx, &accounts)).expect("a balance")
    }
    /// What is left in each lot, by the document that earned it.
    fn left(&self, account: i64) -> Vec<(String, i64)> {
        let found = self.store.read(move |tx| lots(tx, &[account])).expect("lots");
        found.into_iter().map(|lot| (lot.document, lot.remaining)).collect()
    }
    fn assert_clean(&self) {
        assert_eq!(self.store.query(doctor::check).expect("doctor reads"), []);
    }
}

fn left(of: &[(&str, i64)]) -> Vec<(String, i64)> {
    of.iter().map(|(document, points)| (document.to_string(), *points)).collect()
}

#[test]
fn lesson_17_a_retried_receipt_never_doubles_points() {
    for shop in Stored::each() {
        let first = shop.earn(1, 100, 30, "receipt 1").expect("points");
        let again = shop.earn(1, 100, 30, "receipt 1").expect("the same");
        assert_eq!((again.id, again.replayed, shop.balance(&[1])), (first.id, true, 100));
        let other = shop.earn(1, 101, 30, "receipt 1").expect_err("another amount");
        assert_eq!(other.to_string(), "\"receipt 1\" moved 100 points already, not 101");
        shop.burn(&[1], 40, "receipt 2").expect("points");
        assert!(shop.burn(&[1], 40, "receipt 2").expect("the same").replayed);
        assert_eq!(shop.balance(&[1]), 60);
        shop.assert_clean();
    }
}

#[test]
fn what_ends_first_is_burned_first_and_what_ended_is_not_there() {
    for shop in Stored::each() {
        shop.earn(1, 100, 90, "late").expect("points");
        shop.earn(1, 50, 10, "soon").expect("points");
        shop.earn(2, 30, 20, "other profile").expect("points");
        shop.burn(&[1, 2], 60, "order").expect("both profiles are one person");
        assert_eq!(shop.left(1), left(&[("late", 100), ("soon", 0)]));
        assert_eq!(shop.left(2), left(&[("other profile", 20)]));
        shop.clock.advance(20 * DAY_US);
        assert_eq!(shop.balance(&[1, 2]), 100, "right before its end is booked");
        assert_eq!(shop.store.write(|tx| expire(tx, 10)).expect("it is booked"), 1);
        assert_eq!((shop.balance(&[1, 2]), shop.left(2)), (100, left(&[("other profile", 0)])));
        let much = shop.burn(&[1, 2], 101, "much").expect_err("too much");
        assert_eq!(much.to_string(), "the customer has 100 points, not 101");
        assert!(matches!(shop.burn(&[1], 0, "none"), Err(PointsError::Nothing)));
        shop.assert_clean();
    }
}

#[test]
fn a_return_takes_from_the_lot_that_was_earned_then_goes_below_zero_by_policy() {
    for shop in Stored::each() {
        shop.earn(1, 100, 90, "order 1").expect("points");
        shop.earn(1, 50, 10, "order 2").expect("points");
        shop.take_back(1, "order 1", 30, Shortfall::Debt, "return 1").expect("it goes back");
        assert_eq!(
            shop.left(1),
            left(&[("order 1", 70), ("order 2", 50)]),
            "its own lot, though the other ends sooner"
        );
        assert!(shop.take_back(1, "order 1", 30, Shortfall::Debt, "return 1").expect("the same").replayed);
        let much = shop.take_back(1, "order 1", 71, Shortfall::Debt, "return 2").expect_err("more than was earned");
        assert_eq!(much.to_string(), "\"order 1\" moved 100 points, of which 30 went back: 71 more cannot");
        shop.burn(&[1], 110, "order 3").expect("points");
        shop.take_back(1, "order 1", 70, Shortfall::Debt, "return 3").expect("it goes back");
        assert_eq!(shop.balance(&[1]), -60);
        assert!(matches!(shop.burn(&[1], 1, "order 4"), Err(PointsError::NotEnough { balance: -60, .. })));
        shop.earn(1, 80, 30, "order 5").expect("points");
        assert_eq!(
            (shop.balance(&[1]), shop.left(1).last().cloned()),
            (20, Some(("order 5".into(), 20))),
            "debts are paid first"
        );
        shop.take_back(1, "order 2", 50, Shortfall::Forgive, "return 4").expect("it goes back");
        assert_eq!(shop.balance(&[1]), 0, "what is missing is forgiven");
        shop.assert_clean();
    }
}

#[test]
fn burned_points_come_back_to_their_lots_part_by_part() {
    for shop in Stored::each() {
        shop.earn(1, 50, 10, "soon").expect("points");
        shop.earn(1, 100, 90, "late").expect("points");
        shop.burn(&[1], 80, "order").expect("points");
        assert_eq!(shop.left(1), left(&[("soon", 0), ("late", 70)]));
        shop.give_back("order", 20, "return 1").expect("they come back");
        assert_eq!(shop.left(1), left(&[("soon", 0), ("late", 90)]));
        shop.clock.advance(20 * DAY_US);
        shop.give_back("order", 60, "return 2").expect("they come back");
        assert_eq!(
            shop.left(1),
            left(&[("soon", 0), ("late", 100), ("return 2", 50)]),
            "a lot that ended gives a new one"
        );
        assert_eq!(shop.balance(&[1]), 150);
        let much = shop.give_back("order", 1, "return 3").expect_err("all of it came back");
        assert!(matches!(much, PointsError::TooMany { moved: 80, back: 80, .. }));
        shop.assert_clean();
    }
}

/// Random lives against a plain list of movements: the balance is their sum, whatever lots do.
#[test]
fn the_ledger_sums_to_zero_and_balances_are_lots() {
    let places = [Some(Place::sqlite()), Some(Place::sqlite()), Place::postgres()];
    for (seed, place) in places.into_iter().enumerate().filter_map(|(n, p)| p.map(|p| (n as u64, p))) {
        let shop = Stored::at(place);
        let mut rng = Rng::new(seed + 9);
        let mut earned: Vec<(String, i64)> = Vec::new();
        let mut burned: Vec<(String, i64)> = Vec::new();
        // Without ends, so that the model needs no lots.
        let far = 100_000;
        let mut wanted = 0;
        for step in 0..80 {
            let n = 1 + rng.below(50) as i64;
            let document = format!("d{step}");
            match rng.below(4) {
                0 => {
                    wanted += shop.earn(1, n, far, &document).expect("points").points;
                    earned.push((document, n));
                }
                1 => match shop.burn(&[1], n, &document) {
                    Ok(_) => {
                        wanted -= n;
                        burned.push((document, n));
                    }
                    Err(PointsError::NotEnough { balance, .. }) => assert!(balance == wanted && wanted < n),
                    Err(e) => panic!("{e}"),
                },
                2 if !earned.is_empty() => {
                    let at = rng.below(earned.len() as u64) as usize;
                    let back = n.min(earned[at].1);
                    if back > 0 {
                        shop.take_back(1, &earned[at].0.clone(), back, Shortfall::Debt, &document)
                            .expect("it goes back");
                        earned[at].1 -= back;
                        wanted -= back;
                    }
                }
                _ if !burned.is_empty() => {
                    let at = rng.below(burned.len() as u64) as usize;
                    let back = n.min(burned[at].1);
                    if back > 0 {
                        shop.give_back(&burned[at].0.clone(), back, &document).expect("they come back");
                        burned[at].1 -= back;
                        wanted += back;
                    }
                }
                _ => {}
            }
            assert_eq!(shop.balance(&[1]), wanted, "seed {seed}, step {step}");
        }
        shop.assert_clean();
    }
}

#[test]
fn seeded_bugs_in_the_ledger_are_found_by_doctor() {
    for (broken, wanted) in [
        ("UPDATE points_lots SET remaining = remaining + 1", "points are left, its lines sum to"),
        ("UPDATE points_lines SET points = points + 1 WHERE account = 0", "its lines sum to 1, not to zero"),
        ("DELETE FROM points_lines WHERE account >= 0", "without a line"),
    ] {
        for shop in Stored::each() {
            shop.earn(1, 100, 30, "a").expect("points");
            shop.write(move |tx| tx.execute(broken, &[]).map(drop)).expect("it is broken");
            let found = shop.store.query(doctor::check).expect("doctor reads");
            assert!(found.iter().any(|f| f.detail.contains(wanted)), "{broken}: {found:?}");
        }
    }
}

#[test]
fn a_lot_lives_until_its_end() {
    let lot = super::plan::Lot {
        id: 1,
        account: 1,
        document: "d".into(),
        remaining: 5,
        expires_at: Timestamp::from_micros(10),
    };
    assert!(lot.lives(Timestamp::from_micros(9)) && !lot.lives(Timestamp::from_micros(10)));
}
