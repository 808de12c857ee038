//! Lives of a shop that sells: carts, orders of every kind, payments, places that serve and fail, tills that were offline, returns,
//! exchanges and complaints, with everything that goes wrong in a long life around and inside each command.
//!
//! Beside it stand plain sums that know no claims, parts or fulfilments: what came in less what customers have, and what providers
//! said of money. In the end every order is at its end, every claim too, and [`crate::checker`] replays what was written down.
mod after;
mod buying;
mod finish;
mod goods;
mod places;

use crate::checker;
use crate::reached::Reached;
use crate::run::Lived;
use crate::world::World;
use base::{HOUR_US, MINUTE_US, Quantity, Rng};
use db::testing::prepared::Prepared;
use db::{DbError, Step, Tx};
use orders::OrderError;
use orders::commands::Shop;
use orders::model::Order;
use std::collections::BTreeMap;
use std::sync::Arc;
use stock::model::Document;

/// What was written down of the orders that disagree, for whoever looks into a failed life.
fn lives_of(
    engine: &mut db::Engine,
    tables: &checker::Tables,
    found: &[checker::Disagreement],
) -> Result<String, DbError> {
    let mut out = String::new();
    for order in
        tables.orders.iter().filter(|o| found.iter().any(|d| d.detail.contains(&format!("order {}:", o.number))))
    {
        out.push_str(&format!("{order:?}\n"));
        let sql = "SELECT at, actor, what, detail FROM order_history WHERE order_no = $1 ORDER BY no";
        for row in engine.rows(sql, &[order.no.into()])? {
            out.push_str(&format!("  {} {} {} {}\n", row.int(0)?, row.text(1)?, row.text(2)?, row.text(3)?));
        }
    }
    Ok(out)
}

/// How such a life is lived.
#[derive(Debug, Clone, Copy)]
pub struct Trading {
    pub seed: u64,
    /// Things that happen.
    pub commands: usize,
    pub defect: Option<Defect>,
    pub verbose: bool,
    /// What the store holds at the end is hashed.
    pub hashed: bool,
}

/// Damage that a real bug could do; each must be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A movement is not written down.
    MovementLost,
    /// Goods of an order are handed over twice.
    SoldTwice,
    /// More goes back than came for goods that stay with the customer.
    RefundTooMany,
    /// A claim of an order is never ended.
    ClaimKept,
    /// Nobody remembers the claims for which goods were handed over.
    ClaimForgotten,
    /// An order that was called off is said to be with its customer.
    WrongStatus,
    /// A payment that nobody told of.
    PaidByItself,
    /// The customers' log knows nothing of an order.
    NotTold,
}

impl Defect {
    pub const ALL: [Defect; 8] = [
        Defect::MovementLost,
        Defect::SoldTwice,
        Defect::RefundTooMany,
        Defect::ClaimKept,
        Defect::ClaimForgotten,
        Defect::WrongStatus,
        Defect::PaidByItself,
        Defect::NotTold,
    ];
}

/// One life in eight lies on a file system that forgets what was not synced.
const THOROUGH: u64 = 8;

/// Something that is sold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Good {
    pub no: i64,
}

pub(crate) struct Trade {
    life: Trading,
    world: World,
    rng: Rng,
    reached: Reached,
    /// Two shops and a warehouse.
    places: Vec<i64>,
    goods: Vec<Good>,
    /// Carts, and the order that each became.
    carts: BTreeMap<i64, Option<i64>>,
    orders: Vec<i64>,
    returns: Vec<i64>,
    claims: Vec<i64>,
    /// Papers of tills that are offline, to be told later, and those that were told.
    offline: Vec<Document>,
    told: Vec<Document>,
    /// By variant, what came in less what left: so much lies somewhere of ours.
    ours: BTreeMap<i64, Quantity>,
    /// By order, what we let providers say: captured and refunded.
    money: BTreeMap<i64, (i64, i64)>,
    /// Sums that a provider keeps for us: order, provider, payment.
    kept: Vec<(i64, &'static str, String, i64)>,
    /// What pieces cost that came back unopened.
    unopened: BTreeMap<i64, i64>,
    /// A fault waits for the next transaction.
    armed: bool,
    number: u64,
}

type Done = Result<(), String>;

/// Lives one life. An error says what is broken.
pub fn run(prepared: &Prepared, life: Trading) -> Result<Lived, String> {
    let thorough = life.seed.is_multiple_of(THOROUGH);
    let world = World::new(prepared.begin(!thorough), thorough).map_err(|e| format!("the store does not open: {e}"))?;
    let mut trade = Trade {
        life,
        world,
        rng: Rng::new(life.seed ^ 0x0de5_0de5_0de5_0de5),
        reached: Reached::default(),
        places: Vec::new(),
        goods: Vec::new(),
        carts: BTreeMap::new(),
        orders: Vec::new(),
        returns: Vec::new(),
        claims: Vec::new(),
        offline: Vec::new(),
        told: Vec::new(),
        ours: BTreeMap::new(),
        money: BTreeMap::new(),
        kept: Vec::new(),
        unopened: BTreeMap::new(),
        armed: false,
        number: 0,
    };
    trade.open_shop()?;
    for at in 0..life.commands {
        let what = trade.rng.below(56);
        if life.verbose {
            eprintln!("{at}: {what} at {}", trade.world.now());
        }
        trade.step(what).map_err(|e| format!("command {at} ({what}): {e}"))?;
        if at > 0 && at.is_multiple_of(60) {
            trade.compare().map_err(|e| format!("after command {at}: {e}"))?;
        }
    }
    trade.end()
}

impl Trade {
    fn step(&mut self, what: u64) -> Done {
        match what {
            0..=2 => self.receive(),
            3..=8 => self.fill_cart(),
            9..=12 => self.checkout_some(),
            13..=15 => self.pay_some(),
            16..=27 => self.work(),
            28 | 29 => self.sell_at_till(),
            30 => self.tell_late(),
            31 => self.tell_again(),
            32 => self.edit(),
            33 => self.cancel(),
            34 | 35 => self.pass(),
            36 => self.count(),
            37 => self.write_off(),
            38 => self.request_transfer(),
            39 | 40 => self.go_on_with_transfers(),
            41 => self.place_goes_down(),
            42..=52 => self.after_sale(),
            53 => self.source_again(),
            54 => self.refund_surplus_of_some(),
            _ => self.fault_at_rest(),
        }
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.below(n as u64) as usize
    }
    fn any<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(of[self.below(of.len())].clone()) }
    }
    fn good(&mut self) -> Good {
        self.goods[self.rng.below(self.goods.len() as u64) as usize]
    }
    fn id(&mut self, kind: &str) -> String {
        self.number += 1;
        format!("{kind}{}", self.number)
    }

    /// Does something as the server does it: the command, and what it tells the customers' log, in one transaction. Now and then the
    /// program ends or the connection is lost in it; then the answer is lost and it is asked again. Now and then it is asked twice.
    /// What a rule refuses gives `None`.
    fn ask<T, F>(&mut self, what: &'static str, f: F) -> Result<Option<T>, String>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx, &Shop) -> Result<T, OrderError> + Send + Clone + 'static,
    {
        if self.rng.below(30) == 0 {
            let points = ["crash-before-commit", "crash-after-commit", "before-commit", "after-commit"];
            let point = points[self.below(4)];
            self.arm(point)?;
        }
        let twice = self.rng.below(12) == 0;
        let mut done = self.once(f.clone());
        if let (Err(OrderError::Store(_)), true) = (&done, self.armed) {
            self.recover()?;
            self.reached.note("orders' answers lost");
            done = self.once(f.clone());
        }
        if twice && done.is_ok() {
            self.reached.note("requests repeated");
            match self.once(f) {
                Ok(again) => done = Ok(again),
                Err(OrderError::Store(_)) if self.armed => self.recover()?,
                Err(OrderError::Store(e)) => return Err(format!("{what}, told twice: {e}")),
                Err(_) => {}
            }
        }
        // What a rule refuses writes nothing, so that the fault waits for whatever is written next.
        if self.armed {
            self.tick()?;
            self.disarm()?;
        }
        match done {
            Ok(answer) => {
                if self.life.verbose {
                    eprintln!("  {what}");
                }
                self.reached.note(what);
                Ok(Some(answer))
            }
            Err(OrderError::Store(e)) => Err(format!("{what}: {e}: {:?}", std::error::Error::source(&e))),
            Err(refusal) => {
                if self.life.verbose {
                    eprintln!("  {what} is refused: {refusal}");
                }
                self.reached.note("steps refused by a rule");
                Ok(None)
            }
        }
    }

    fn once<T, F>(&mut self, mut f: F) -> Result<T, OrderError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx, &Shop) -> Result<T, OrderError> + Send + 'static,
    {
        let preparer = self.world.core().preparer.clone();
        self.world.write(move |tx| {
            let shop = pipeline::orders::shop(&preparer);
            let answer = f(tx, &shop)?;
            pipeline::orders::tell(tx, &preparer)?;
            Ok(answer)
        })
    }

    fn arm(&mut self, point: &'static str) -> Done {
        self.armed = true;
        let armed = self.world.read(move |tx| {
            tx.fail_at(point);
            Ok(())
        });
        armed.map_err(|e| e.to_string())
    }

    /// A fault that had nothing to happen to does not happen to who only looks.
    fn disarm(&mut self) -> Done {
        self.armed = false;
        let disarmed = self.world.read(|tx| {
            tx.fail_at("never");
            Ok(())
        });
        disarmed.map_err(|e| e.to_string())
    }

    /// What was armed happened.
    fn recover(&mut self) -> Done {
        self.armed = false;
        self.reached.note("faults amid orders");
        if self.world.is_alive() { Ok(()) } else { self.reopen() }
    }

    fn reopen(&mut self) -> Done {
        self.armed = false;
        let mut rng = Rng::new(self.rng.next_u64());
        let power = self.world.durable && self.rng.below(2) == 0;
        self.world.crash(power.then_some(&mut rng)).map_err(|e| e.to_string())
    }

    fn fault_at_rest(&mut self) -> Done {
        match self.rng.below(3) {
            0 => {
                self.reached.note("crashes between orders");
                self.reopen()
            }
            1 => {
                self.armed = false;
                self.reached.note("restarts between orders");
                self.world.restart().map_err(|e| e.to_string())
            }
            _ => {
                self.reached.note("clock jumps between orders");
                let us = (self.rng.below(8) as i64 - 4) * HOUR_US;
                self.world.clock.advance(us);
                Ok(())
            }
        }
    }

    /// Time passes: customers who did not come, places that did not answer, holds that end.
    fn pass(&mut self) -> Done {
        let us = if self.rng.below(3) == 0 { 120 * HOUR_US } else { 240 * MINUTE_US };
        self.world.clock.advance(self.rng.below(us as u64) as i64);
        let came = self.ask("looks for customers who did not come", |tx, _| orders::commands::no_shows(tx, 100))?;
        self.reached.add("customers who did not come", came.unwrap_or(0) as u64);
        let silent =
            self.ask("looks for places that did not answer", |tx, shop| orders::commands::unanswered(tx, shop, 100))?;
        self.reached.add("places that did not answer", silent.unwrap_or(0) as u64);
        self.tick()
    }

    fn tick(&mut self) -> Done {
        for _ in 0..3 {
            self.world.core().store.step(Step::Tick);
            if !self.world.is_alive() {
                if !self.armed {
                    return Err("the writer ended by itself".into());
                }
                self.recover()?;
            }
        }
        Ok(())
    }

    fn order(&self, no: i64) -> Result<Arc<Order>, String> {
        let order = self.world.read(move |tx| Ok(tx.get::<orders::OrderTable>(no)?.cloned()));
        order.map_err(|e| e.to_string())?.ok_or_else(|| format!("order {no} is gone"))
    }

    fn column(&self, sql: &'static str) -> Result<Vec<i64>, String> {
        let rows = self.world.write(move |tx| {
            tx.flush_table::<orders::OrderTable>()?;
            tx.rows(sql, &[])?.iter().map(|row| row.int(0)).collect::<Result<Vec<i64>, DbError>>()
        });
        rows.map_err(|e: DbError| e.to_string())
    }

    /// Everything that must hold at any moment.
    fn compare(&mut self) -> Done {
        self.sums()?;
        self.world.check()?;
        let at = checker::When::At(self.world.read(|tx| Ok(tx.now().micros())).map_err(|e| e.to_string())?);
        self.replay(at)?;
        self.reached.note("logs replayed in the middle of a life");
        Ok(())
    }

    /// The independent checker over what is stored now.
    fn replay(&self, when: checker::When) -> Done {
        let mut engine = self.world.engine().map_err(|e| e.to_string())?;
        let read = |engine: &mut db::Engine| Ok((checker::read::log(engine)?, checker::read::tables(engine)?));
        let (log, tables) = read(&mut engine).map_err(|e: DbError| format!("the log cannot be read: {e}"))?;
        let found = checker::check(&log, &tables, when);
        match found.is_empty() {
            true => Ok(()),
            false => {
                let lives = lives_of(&mut engine, &tables, &found).unwrap_or_default();
                Err(format!("the checker disagrees: {found:#?}\n{lives}"))
            }
        }
    }

    /// What came and did not leave lies somewhere; what providers told is what was let them tell.
    fn sums(&self) -> Done {
        for good in &self.goods {
            let no = good.no;
            let lies = self.world.read(move |tx| {
                let stock = stock::commands::stock(tx, no)?.unwrap_or_default();
                Ok(stock.positions.iter().flat_map(|p| p.on_hand).sum::<Quantity>())
            });
            let (lies, ours) = (lies.map_err(|e| e.to_string())?, self.ours.get(&no).copied().unwrap_or_default());
            if lies != ours {
                return Err(format!("variant {no}: {lies} lie there, {ours} came and did not leave"));
            }
        }
        let sql = "SELECT order_no, CAST(SUM(CASE WHEN action = 'capture' THEN amount_minor ELSE -amount_minor END) AS BIGINT) \
                   FROM payment_facts WHERE provider IN ('test', 'on_delivery') AND action IN ('capture', 'refund') \
                   AND SUBSTR(external_id, 1, 1) = 'm' GROUP BY order_no ORDER BY order_no";
        let rows = self.world.write(move |tx| {
            let read = |row: &db::Row| Ok((row.int(0)?, row.int(1)?));
            tx.rows(sql, &[])?.iter().map(read).collect::<Result<BTreeMap<i64, i64>, DbError>>()
        });
        let told = rows.map_err(|e: DbError| e.to_string())?;
        let mut let_tell: BTreeMap<i64, i64> = self.money.iter().map(|(no, (c, r))| (*no, c - r)).collect();
        let_tell.retain(|no, minor| *minor != 0 || told.contains_key(no));
        if told != let_tell {
            return Err(format!("providers told {told:?}, they were let tell {let_tell:?}"));
        }
        Ok(())
    }
}
