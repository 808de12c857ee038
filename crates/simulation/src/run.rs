//! One life: commands drawn from a seed, done to a store, and what must hold afterwards.
use crate::ledger::{Ledger, Unanswered};
use crate::reached::Reached;
use crate::story::{Act, Body, Town, draw};
use crate::world::World;
use base::{HOUR_US, MINUTE_US};
use db::testing::prepared::Prepared;
use db::{DbError, Dialect, Step};
use messaging::outbox::{self, Claimed};

/// How a life is lived.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    pub seed: u64,
    /// Things that happen.
    pub commands: usize,
    /// A bug to be found, for the test of the test.
    pub bug: Option<Bug>,
    /// Each command is told on standard error.
    pub verbose: bool,
    /// What the store holds at the end is hashed, which costs as much as a check.
    pub hashed: bool,
}

/// Damage that a real bug could do; each must be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// An acknowledged request is gone after a crash.
    LoseRequest,
    /// A repeat is taken for new after a restart.
    ForgetIds,
    /// A profile that was not flushed is not folded again.
    SkipRefold,
    /// A membership change is not written down.
    LoseMembership,
    /// An edge between two profiles is lost.
    LoseEdge,
    /// A message whose outcome is unknown is sent again.
    RepeatUnknown,
    /// Nobody remembers who was erased.
    ForgetErasures,
    /// Something of an erased person is left in a text.
    LeaveTrace,
    /// A movement of goods is not written down.
    LoseMovement,
    /// A claim on goods is forgotten.
    ForgetClaim,
    /// A paper of a till counts twice.
    PaperTwice,
}

/// How often the same thing is refused before it counts as broken.
pub(crate) const TRIES: u32 = 3;

/// One life in eight lies on a file system that forgets what was not synced, or really closes its connections to PostgreSQL.
const THOROUGH: u64 = 8;

/// A life that ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lived {
    pub reached: Reached,
    /// A hash over everything that the store holds at the end, if [`Life::hashed`]: one seed gives the same each time.
    pub state: u64,
}

pub(crate) struct Run {
    pub(crate) life: Life,
    pub(crate) world: World,
    pub(crate) town: Town,
    pub(crate) ledger: Ledger,
    pub(crate) reached: Reached,
    pub(crate) segments: Vec<i64>,
    pub(crate) archived: Vec<i64>,
    /// Computed traits; the first counts what the ledger counts too.
    pub(crate) traits: Vec<i64>,
    pub(crate) template: Option<i64>,
    /// Handed over, and no answer settled yet.
    pub(crate) under_way: Vec<Claimed>,
    pub(crate) made: u64,
    pub(crate) goods: crate::goods::Goods,
}

/// Lives one life. An error says what is broken.
pub fn run(prepared: &Prepared, life: Life) -> Result<Lived, String> {
    let thorough = life.seed.is_multiple_of(THOROUGH);
    let world = World::new(prepared.begin(!thorough), thorough).map_err(|e| format!("the store does not open: {e}"))?;
    let mut run = Run {
        life,
        world,
        town: Town::new(life.seed),
        ledger: Ledger::default(),
        reached: Reached::default(),
        segments: Vec::new(),
        archived: Vec::new(),
        traits: Vec::new(),
        template: None,
        under_way: Vec::new(),
        made: 0,
        goods: crate::goods::Goods::new(life.seed),
    };
    run.make_traits()?;
    for _ in 0..4 {
        run.make_segment()?;
    }
    run.make_rule()?;
    run.open_shops()?;
    for at in 0..life.commands {
        let act = draw(&mut run.town.rng);
        if life.verbose {
            eprintln!("{at}: {act:?} at {}", run.world.now());
        }
        if let Err(e) = run.act(act) {
            if life.verbose {
                run.tell_consents();
            }
            return Err(format!("command {at}, {act:?}: {e}"));
        }
        // Now and then only a few pieces: whatever takes several is met in its middle.
        if run.world.is_alive() && run.town.rng.below(4) > 0 {
            let pieces = if run.town.rng.below(3) == 0 { 1 + run.town.rng.below(5) as u32 } else { 40 };
            run.due(pieces)?;
        }
        run.goods().map_err(|e| format!("goods after command {at}: {e}"))?;
    }
    run.end()
}

impl Run {
    /// The ledger of consents, for whoever looks into a failed life.
    fn tell_consents(&self) {
        let sql = "SELECT id, address, purpose, granted, at, claimed_at, imported, message_id, channel, profile_id FROM consents ORDER BY id";
        let rows = self.world.write(move |tx| {
            let rows = tx.rows(sql, &[])?;
            let mut out = Vec::new();
            for row in &rows {
                out.push(format!(
                    "{} {}:{} {} {} at {} claimed {} imported {} by {} of #{}",
                    row.int(0)?,
                    row.text(8)?,
                    row.text(1)?,
                    row.text(2)?,
                    row.int(3)?,
                    row.int(4)?,
                    row.int(5)?,
                    row.int(6)?,
                    row.text(7)?,
                    row.int(9)?
                ));
            }
            Ok::<_, DbError>(out)
        });
        rows.unwrap_or_default().iter().for_each(|row| eprintln!("{row}"));
    }

    fn act(&mut self, act: Act) -> Result<(), String> {
        match act {
            Act::Batch => self.batch(false),
            Act::Import => {
                self.reached.note("imports");
                self.batch(true)
            }
            Act::SendAgain => self.send_again(),
            Act::Pass => {
                let us = self.town.rng.below(30 * 60) as i64 * MINUTE_US / 4;
                self.world.clock.advance(us);
                Ok(())
            }
            Act::ClockJump => self.clock_jump(),
            Act::Crash => self.crash(),
            Act::Restart => {
                self.reached.note("clean restarts");
                self.world.restart().map_err(told)
            }
            Act::Group => self.group(),
            Act::RemoveEdges | Act::Detach => self.cut(act),
            Act::MakeSegment => self.make_segment(),
            Act::ChangeSegment => self.change_segment(),
            Act::ArchiveSegment => self.archive_segment(),
            Act::MakeRule => self.make_rule(),
            Act::Mail => self.mail(),
            Act::StaffConsent => self.staff_consent(),
            Act::Flush => {
                self.world.flush();
                Ok(())
            }
            Act::ReadAhead => {
                self.reached.note("pieces read ahead");
                self.world.core().store.step(Step::Warm);
                Ok(())
            }
            Act::ChangeRules => self.change_rules(),
            Act::ChangeTrait => self.change_trait(),
            Act::Erase => self.erase(),
            Act::Backup => self.restore_backup(),
            Act::Check => self.check(),
        }
    }

    /// The store as a backup brings it back, taken beside the running program; life goes on with that.
    fn restore_backup(&mut self) -> Result<(), String> {
        // PostgreSQL restores into a database of its own, which takes as long as the rest of a life.
        if self.world.dialect() == Dialect::Postgres || self.town.rng.below(4) > 0 {
            return Ok(());
        }
        self.world.restore_backup()?;
        self.reached.note("backups restored");
        self.end_under_way()
    }

    fn draw_body(&mut self, import: bool) -> Body {
        let body = self.town.body(self.world.now(), import);
        self.reached.add("events late", body.late);
        self.reached.add("events of one moment", body.equal);
        self.reached.add("events of a skewed clock", u64::from(body.skewed));
        body
    }

    pub(crate) fn batch(&mut self, import: bool) -> Result<(), String> {
        let body = self.draw_body(import);
        let answer = self.world.send(&body.text, import);
        self.answered(body, import, answer)
    }

    /// Notes an answer about a body.
    fn answered(
        &mut self,
        body: Body,
        import: bool,
        answer: Result<pipeline::Ingested, DbError>,
    ) -> Result<(), String> {
        let addresses: Vec<String> = body.said.iter().map(|(address, _)| address.clone()).collect();
        let (text, ids, gone, solo) = (body.text, body.ids, body.gone, body.solo);
        let sent = Unanswered { body: text, import, ids, gone, solo, addresses };
        match answer {
            Ok(ingested) => {
                let new = |id: &String| !self.ledger.acknowledged.contains(id);
                let fresh = sent.ids.iter().all(new) && ingested.duplicates.is_empty() && ingested.erased.is_empty();
                let repeats = self.acknowledge(&sent, &ingested)?;
                self.reached.add("events repeated", repeats);
                self.reached.add("events accepted", u64::from(ingested.kept));
                for (address, granted) in body.said {
                    // Which of several words counts depends on repeats and, for imports, on their own times.
                    if granted || import || !fresh {
                        self.ledger.forget_denial(&address);
                    } else {
                        self.reached.note("consents revoked");
                        self.ledger.denied.insert(address);
                    }
                }
            }
            Err(_) => {
                self.reached.note("answers lost");
                sent.addresses.iter().for_each(|address| self.ledger.forget_denial(address));
                self.ledger.lose(sent);
            }
        }
        Ok(())
    }

    /// Notes which items of a body are in the log now; gives how many were repeats.
    fn acknowledge(&mut self, sent: &Unanswered, ingested: &pipeline::Ingested) -> Result<u64, String> {
        let (ids, import) = (&sent.ids, sent.import);
        self.ledger.check_erased(&sent.body, &sent.gone, &ingested.erased)?;
        let repeats = self.ledger.acknowledge(ids, &sent.solo, &ingested.duplicates, &ingested.erased)?;
        let taken = ids.iter().enumerate().filter(|(at, _)| !ingested.erased.contains(&(*at as u32)));
        let taken: Vec<String> = taken.map(|(_, id)| id.clone()).collect();
        self.town.taken(&taken, import);
        self.reached.add("events of erased people refused", ingested.erased.len() as u64);
        Ok(repeats)
    }

    pub(crate) fn send_again(&mut self) -> Result<(), String> {
        if self.ledger.unanswered.is_empty() {
            return Ok(());
        }
        let at = self.town.rng.below(self.ledger.unanswered.len() as u64) as usize;
        let lost = self.ledger.unanswered.swap_remove(at);
        self.reached.note("requests sent again");
        match self.world.send(&lost.body, lost.import) {
            Ok(ingested) => {
                lost.addresses.iter().for_each(|address| self.ledger.forget_denial(address));
                self.acknowledge(&lost, &ingested).map(drop)
            }
            Err(error) => Err(format!("a request that was sent again is refused: {error}")),
        }
    }

    fn clock_jump(&mut self) -> Result<(), String> {
        self.reached.note("clock jumps");
        let us = (self.town.rng.below(8) as i64 - 4) * HOUR_US;
        self.world.clock.advance(us);
        Ok(())
    }

    fn crash(&mut self) -> Result<(), String> {
        let point = match self.town.rng.below(6) {
            0 => Some(("crash-after-body", "crashes after the body")),
            1 => Some(("crash-before-commit", "crashes before COMMIT")),
            2 | 3 => Some(("crash-after-commit", "crashes after COMMIT")),
            _ => None,
        };
        self.reached.note(point.map_or("crashes at rest", |(_, name)| name));
        if let Some((point, _)) = point {
            // The next transaction of the writer ends there: a batch's, or its own work's.
            self.arm(point)?;
            if self.town.rng.below(3) == 0 {
                self.world.clock.advance(HOUR_US);
                let _ = self.world.tick(1);
            }
            if self.world.is_alive() {
                self.batch(false)?;
            }
        }
        self.reopen()
    }

    /// Makes a point of the next transaction fail.
    pub(crate) fn arm(&mut self, point: &'static str) -> Result<(), String> {
        self.world
            .read(move |tx| {
                tx.fail_at(point);
                Ok(())
            })
            .map_err(told)
    }

    pub(crate) fn reopen(&mut self) -> Result<(), String> {
        let power = self.world.durable && self.town.rng.below(2) == 0;
        if power {
            self.reached.note("power cuts");
            let mut rng = base::Rng::new(self.town.rng.next_u64());
            self.world.crash(Some(&mut rng)).map_err(told)?;
        } else {
            self.world.crash(None).map_err(told)?;
        }
        self.end_under_way()
    }

    /// The program that handed messages over is gone; what it did not settle has no answer.
    fn end_under_way(&mut self) -> Result<(), String> {
        self.under_way.clear();
        let open = self.world.write(|tx| outbox::expire_all(tx, 500)).map_err(told)?;
        self.reached.add("messages unknown", open as u64);
        Ok(())
    }

    /// Several requests in one transaction, in which something may go wrong.
    fn group(&mut self) -> Result<(), String> {
        let bodies: Vec<Body> = (0..2 + self.town.rng.below(3)).map(|_| self.draw_body(false)).collect();
        let fault = match self.town.rng.below(5) {
            0 => Some(("before-commit", "connections lost before COMMIT")),
            1 => Some(("after-commit", "connections lost after COMMIT")),
            2 => Some(("panic", "panics of a command")),
            _ => None,
        };
        let mut answers = Vec::new();
        let mut first = true;
        for (at, body) in bodies.iter().enumerate() {
            answers.push(self.world.push(&body.text, false));
            if let (0, Some((point, name))) = (at, fault) {
                self.reached.note(name);
                self.world.core().store.write_with(
                    move |tx| {
                        if std::mem::take(&mut first) {
                            match point {
                                "panic" => panic!("a bug of a command"),
                                point => tx.fail_at(point),
                            }
                        }
                        Ok::<_, DbError>(())
                    },
                    |_| {},
                );
            }
        }
        self.world.work();
        for (body, answer) in bodies.into_iter().zip(answers) {
            let answer = answer.recv().unwrap_or(Err(DbError::Stopped));
            self.answered(body, false, answer)?;
        }
        match self.world.is_alive() {
            true => Ok(()),
            false => Err("the writer ended over a fault that passes".into()),
        }
    }

    pub(crate) fn due(&mut self, pieces: u32) -> Result<(), String> {
        let done = self.world.tick(pieces).map_err(told)? + self.decide_again()?;
        if self.life.verbose && done > 0 {
            eprintln!("  {done} pieces of what was due");
        }
        self.reached.add("timers worked off", u64::from(done));
        Ok(())
    }

    /// The past decided again by changed rules, which the server does beside the writer.
    fn decide_again(&mut self) -> Result<u32, String> {
        let waiting = |tx: &mut db::Tx| {
            // It would wait for a segment that is filled, which nobody does meanwhile.
            let job = pipeline::rerun::waiting(tx)?;
            Ok(if pipeline::backfill::is_waiting(tx)? { None } else { job })
        };
        let Some(job) = self.world.read(waiting).map_err(told)? else { return Ok(0) };
        let core = self.world.core();
        let (store, preparer, settings) = (&core.store, &core.preparer, &core.settings);
        let work = pipeline::rerun::Work { store, preparer, settings, now: self.world.now() };
        pipeline::rerun::run(&work, job, &|| true).map_err(told)?;
        self.reached.note("identities decided again");
        Ok(1)
    }

    pub(crate) fn check(&mut self) -> Result<(), String> {
        self.reached.note("checks by doctor");
        self.world.check().map(drop)
    }
}

pub(crate) fn told(error: DbError) -> String {
    error.to_string()
}
