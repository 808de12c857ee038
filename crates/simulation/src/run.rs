//! One life: commands drawn from a seed, done to a store, and what must hold afterwards.
use crate::ledger::{Ledger, Unanswered};
use crate::reached::Reached;
use crate::story::{Act, Body, CONDITIONS, Town, draw};
use crate::world::World;
use base::{HOUR_US, MINUTE_US};
use db::testing::Place;
use db::{DbError, Location};
use messaging::model::{RuleDraft, Shop, TemplateDraft};
use messaging::outbox::{self, ClaimOptions, Claimed, Outcome};
use pipeline::cuts::{self, Cut};
use pipeline::facts::Facts;
use pipeline::step;
use segments::runtime::{Cause, Filling, commands, definitions};

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
}

/// How often the same thing is refused before it counts as broken.
const TRIES: u32 = 3;

struct Run {
    life: Life,
    world: World,
    town: Town,
    ledger: Ledger,
    reached: Reached,
    segments: Vec<i64>,
    archived: Vec<i64>,
    template: Option<i64>,
    /// Handed over, and no answer settled yet.
    under_way: Vec<Claimed>,
    made: u64,
}

/// Lives one life. An error says what is broken.
pub fn run(place: Place, life: Life) -> Result<Reached, String> {
    let power = matches!(place.location, Location::Sqlite { .. }) && life.seed.is_multiple_of(8);
    let world = World::new(place, power).map_err(|e| format!("the store does not open: {e}"))?;
    let mut run = Run {
        life,
        world,
        town: Town::new(life.seed),
        ledger: Ledger::default(),
        reached: Reached::default(),
        segments: Vec::new(),
        archived: Vec::new(),
        template: None,
        under_way: Vec::new(),
        made: 0,
    };
    for _ in 0..4 {
        run.make_segment()?;
    }
    run.make_rule()?;
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
        if run.world.is_alive() && run.town.rng.below(4) > 0 {
            run.due(40)?;
        }
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
            Act::Check => self.check(),
        }
    }

    fn draw_body(&mut self, import: bool) -> Body {
        let body = self.town.body(self.world.now(), import);
        body.solo.iter().for_each(|(user, id)| self.ledger.draw_solo(user, id));
        self.reached.add("events late", body.late);
        self.reached.add("events of one moment", body.equal);
        self.reached.add("events of a skewed clock", u64::from(body.skewed));
        body
    }

    fn batch(&mut self, import: bool) -> Result<(), String> {
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
        match answer {
            Ok(ingested) => {
                let new = |id: &String| !self.ledger.acknowledged.contains(id);
                let fresh = body.ids.iter().all(new) && ingested.duplicates.is_empty();
                let repeats = self.ledger.acknowledge(&body.ids, &ingested.duplicates)?;
                self.town.taken(&body.ids, import);
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
                let addresses: Vec<String> = body.said.into_iter().map(|(address, _)| address).collect();
                addresses.iter().for_each(|address| self.ledger.forget_denial(address));
                self.ledger.lose(Unanswered { body: body.text, import, ids: body.ids, addresses });
            }
        }
        Ok(())
    }

    fn send_again(&mut self) -> Result<(), String> {
        if self.ledger.unanswered.is_empty() {
            return Ok(());
        }
        let at = self.town.rng.below(self.ledger.unanswered.len() as u64) as usize;
        let lost = self.ledger.unanswered.swap_remove(at);
        self.reached.note("requests sent again");
        match self.world.send(&lost.body, lost.import) {
            Ok(ingested) => {
                self.town.taken(&lost.ids, lost.import);
                lost.addresses.iter().for_each(|address| self.ledger.forget_denial(address));
                self.ledger.acknowledge(&lost.ids, &ingested.duplicates).map(drop)
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
    fn arm(&mut self, point: &'static str) -> Result<(), String> {
        self.world
            .read(move |tx| {
                tx.fail_at(point);
                Ok(())
            })
            .map_err(told)
    }

    fn reopen(&mut self) -> Result<(), String> {
        let power = self.world.durable && self.town.rng.below(2) == 0;
        if power {
            self.reached.note("power cuts");
            let mut rng = base::Rng::new(self.town.rng.next_u64());
            self.world.crash(Some(&mut rng)).map_err(told)?;
        } else {
            self.world.crash(None).map_err(told)?;
        }
        // The program that handed messages over is gone; what it did not settle has no answer.
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
        let (go, wait) = std::sync::mpsc::channel::<()>();
        // A command holds the writer until the others are queued, so that they make one group; it began before they came,
        // else it might be one of them.
        let (begin, began) = std::sync::mpsc::channel::<()>();
        self.world.core().store.write_with(
            move |_| {
                let _ = begin.send(());
                let _ = wait.recv();
                Ok::<_, DbError>(())
            },
            |_| {},
        );
        let _ = began.recv();
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
        drop(go);
        for (body, answer) in bodies.into_iter().zip(answers) {
            let answer = answer.recv().unwrap_or(Err(DbError::Stopped));
            self.answered(body, false, answer)?;
        }
        match self.world.is_alive() {
            true => Ok(()),
            false => Err("the writer ended over a fault that passes".into()),
        }
    }

    fn cut(&mut self, act: Act) -> Result<(), String> {
        let people = "SELECT a FROM edges WHERE removed_at = 0 ORDER BY id";
        let joined = self.world.write(move |tx| column(tx, people, &[])).map_err(told)?;
        if joined.is_empty() {
            return Ok(());
        }
        let profile = *self.town.rng.pick(&joined);
        let person = self.world.read(move |tx| customers::commands::person_of(tx, profile)).map_err(told)?;
        let members = self.world.read(move |tx| customers::commands::members_of(tx, person)).map_err(told)?;
        let cut = match act {
            Act::RemoveEdges => {
                let all = "SELECT id FROM edges WHERE removed_at = 0 AND (a = $1 OR b = $1) ORDER BY id";
                let edges = self.world.write(move |tx| column(tx, all, &[profile.into()])).map_err(told)?;
                Cut::Edges(vec![*self.town.rng.pick(&edges)])
            }
            _ => {
                let member = *self.town.rng.pick(&members);
                let sql = "SELECT kind, value FROM identifiers WHERE profile_id = $1 ORDER BY kind, value";
                let own = self.world.write(move |tx| {
                    let rows = tx.rows(sql, &[member.into()])?;
                    rows.iter()
                        .map(|r| Ok((r.text(0)?.to_string(), r.text(1)?.to_string())))
                        .collect::<Result<Vec<_>, DbError>>()
                });
                let own = own.map_err(told)?;
                if own.is_empty() {
                    return Ok(());
                }
                Cut::Detach(vec![self.town.rng.pick(&own).clone()])
            }
        };
        let name = if act == Act::Detach { "values detached" } else { "edges removed" };
        let preparer = self.world.core().preparer.clone();
        let done = self.world.write(move |tx| match cuts::cut(tx, &preparer, person, &cut, "simulation") {
            Ok(_) => Ok(true),
            // A segment fills, or there is nothing to detach from: refused, and nothing was written.
            Err(customers::cuts::CutError::Store(error)) if !matches!(error, DbError::Busy(_)) => Err(error),
            Err(_) => Ok(false),
        });
        if done.map_err(told)? {
            self.reached.note(name);
        }
        Ok(())
    }

    fn make_segment(&mut self) -> Result<(), String> {
        self.made += 1;
        let expression = *self.town.rng.pick(CONDITIONS);
        let name = format!("Segment {}", self.made);
        let made = self.world.write(move |tx| commands::create(tx, &name, expression));
        self.segments.push(made.map_err(|e| e.to_string())?.id);
        self.reached.note("segments made");
        Ok(())
    }

    fn change_segment(&mut self) -> Result<(), String> {
        if self.segments.is_empty() {
            return Ok(());
        }
        let (id, expression) = (*self.town.rng.pick(&self.segments), *self.town.rng.pick(CONDITIONS));
        let name = format!("Segment of {id}");
        self.world.write(move |tx| commands::update(tx, id, &name, expression)).map_err(|e| e.to_string())?;
        self.reached.note("segments changed");
        Ok(())
    }

    fn archive_segment(&mut self) -> Result<(), String> {
        // One that rules hang on is refused; the first is theirs.
        if let Some(id) = self.archived.pop() {
            return self
                .world
                .write(move |tx| commands::restore(tx, id))
                .map(|_| self.segments.push(id))
                .map_err(|e| e.to_string());
        }
        if self.segments.len() < 3 {
            return Ok(());
        }
        let at = 1 + self.town.rng.below(self.segments.len() as u64 - 1) as usize;
        let id = self.segments[at];
        if self.world.write(move |tx| commands::archive(tx, id)).is_ok() {
            self.segments.swap_remove(at);
            self.archived.push(id);
            self.reached.note("segments archived");
        }
        Ok(())
    }

    fn make_rule(&mut self) -> Result<(), String> {
        let Some(segment_id) = self.segments.first().copied() else { return Ok(()) };
        let template_id = match self.template {
            Some(id) => id,
            None => {
                let draft = TemplateDraft {
                    name: "News".into(),
                    channel: "email".into(),
                    subject: "Новини".into(),
                    body_html: String::new(),
                    body_text: "Вітаємо, {{ customer.name | default('друже') }}".into(),
                };
                let made = self.world.write(move |tx| messaging::commands::create_template(tx, &draft));
                *self.template.insert(made.map_err(|e| e.to_string())?.after.id)
            }
        };
        let draft = RuleDraft {
            name: format!("Rule {}", self.made),
            segment_id,
            template_id,
            channel: "email".into(),
            purpose: "marketing".into(),
            topic: String::new(),
            once: self.town.rng.below(2) == 0,
            enabled: true,
        };
        let preparer = self.world.core().preparer.clone();
        self.world
            .write(move |tx| messaging::commands::create_rule(tx, &mut Facts { preparer: &preparer }, &draft))
            .map(drop)
            .map_err(|e| e.to_string())
    }

    /// The mail loop: settles what it handed over, and claims what is due.
    fn mail(&mut self) -> Result<(), String> {
        for claimed in std::mem::take(&mut self.under_way) {
            if self.town.rng.below(6) == 0 {
                // Still under way; its lease may end meanwhile.
                self.under_way.push(claimed);
                continue;
            }
            let reason = "simulated".to_string();
            let outcome = match self.town.rng.below(5) {
                0 => Outcome::Retry { reason, after_us: 5 * MINUTE_US },
                1 => Outcome::Refused { reason },
                2 => Outcome::Unknown { reason },
                _ => Outcome::Sent { reply: "250 OK".into() },
            };
            let again = matches!(outcome, Outcome::Retry { .. });
            self.reached.add("messages unknown", u64::from(matches!(outcome, Outcome::Unknown { .. })));
            let (id, attempt) = (claimed.message_id, claimed.attempt);
            let preparer = self.world.core().preparer.clone();
            let settled = self.world.write(move |tx| {
                let (settled, derived) = outbox::settle(tx, id, attempt, &outcome)?;
                pipeline::append_derived(tx, &preparer, derived.into_iter().map(step::new_event).collect())?;
                Ok::<_, DbError>(settled)
            });
            settled.map_err(told)?;
            if again {
                self.ledger.may_repeat(id);
            }
        }
        let preparer = self.world.core().preparer.clone();
        let claimed = self.world.write(move |tx| {
            let shop = shop();
            let options = ClaimOptions { shop: &shop, limit: 5, lease_us: 10 * MINUTE_US };
            let batch = outbox::claim_due(tx, &mut Facts { preparer: &preparer }, options)?;
            pipeline::append_derived(tx, &preparer, batch.derived.into_iter().map(step::new_event).collect())?;
            Ok::<_, DbError>(batch.claimed)
        });
        for message in claimed.map_err(told)? {
            self.reached.note("messages handed over");
            self.ledger.hand_over(message.message_id, &message.to)?;
            self.under_way.push(message);
        }
        Ok(())
    }

    fn staff_consent(&mut self) -> Result<(), String> {
        let address: Box<str> = format!("p{}@example.com", self.town.rng.below(14)).into();
        let granted = self.town.rng.below(2) == 0;
        let written = address.clone();
        let preparer = self.world.core().preparer.clone();
        self.world
            .write(move |tx| {
                let known = customers::lookup(tx, "email", &written, base::Country::find("UA"))?;
                let new = customers::consent::NewConsent {
                    channel: "email".into(),
                    address: written.clone(),
                    purpose: "marketing".into(),
                    granted,
                    at: tx.now(),
                    claimed_at: tx.now(),
                    wording: "by telephone".into(),
                    wording_version: "".into(),
                    profile_id: known.map_or(0, |(_, profile)| profile),
                    message_id: "".into(),
                    source: 0,
                    actor: "simulation".into(),
                    imported: false,
                };
                customers::consent::record_consent(tx, &new)?;
                let Some((person, _)) = known else { return Ok(()) };
                let moved = segments::runtime::reevaluate(tx, &[person], Cause::Event, &[])?;
                let appended = step::moved(tx, &preparer, &moved, "consent")?;
                pipeline::append_derived(tx, &preparer, appended)
            })
            .map_err(told)?;
        if granted {
            self.ledger.forget_denial(&address);
        } else {
            self.reached.note("consents revoked");
            self.ledger.denied.insert(address.into());
        }
        Ok(())
    }

    fn due(&mut self, pieces: u32) -> Result<(), String> {
        let done = self.world.tick(pieces).map_err(told)? + self.decide_again()?;
        if self.life.verbose && done > 0 {
            eprintln!("  {done} pieces of what was due");
        }
        self.reached.add("timers worked off", u64::from(done));
        Ok(())
    }

    /// The past decided again by changed rules, which the server does beside the writer.
    fn decide_again(&mut self) -> Result<u32, String> {
        let Some(job) = self.world.read(pipeline::rerun::waiting).map_err(told)? else { return Ok(0) };
        let core = self.world.core();
        let (store, preparer, settings) = (&core.store, &core.preparer, &core.settings);
        let work = pipeline::rerun::Work { store, preparer, settings, now: self.world.now() };
        pipeline::rerun::run(&work, job, &|| true).map_err(told)?;
        self.reached.note("identities decided again");
        Ok(1)
    }

    fn check(&mut self) -> Result<(), String> {
        self.reached.note("checks by doctor");
        self.world.check().map(drop)
    }

    /// The end: everything unanswered is sent again, everything due is done, and all must be as the ledger has it.
    fn end(mut self) -> Result<Reached, String> {
        while !self.ledger.unanswered.is_empty() {
            self.send_again()?;
        }
        self.reopen()?;
        for _ in 0..TRIES {
            self.due(2000)?;
        }
        if let Some(bug) = self.life.bug {
            self.damage(bug)?;
        }
        self.check()?;
        let filling = self.world.read(|tx| {
            let compiled = definitions::current(tx)?;
            Ok(compiled.segments.iter().filter(|s| s.filling != Filling::Live).count())
        });
        if filling.map_err(told)? > 0 {
            return Err("a segment is never filled".into());
        }
        for (user, views) in self.ledger.solo.clone() {
            self.count_views(&user, views.len() as i64)?;
        }
        self.world.stop();
        let report = self.world.check()?;
        let acknowledged = self.ledger.acknowledged.len() as i64;
        if report.counts.events != acknowledged {
            return Err(format!("{acknowledged} events were acknowledged, {} are there", report.counts.events));
        }
        self.reached.add("merges", (report.counts.profiles - report.counts.people).max(0) as u64);
        self.reached.note("checks by doctor");
        Ok(self.reached)
    }

    /// Views of a customer as the timeline has them, against the ledger's.
    fn count_views(&self, user: &str, views: i64) -> Result<(), String> {
        let name = user.to_string();
        let found = self.world.read(move |tx| {
            let country = base::Country::find("UA");
            let Some((person, _)) = customers::lookup(tx, "user_id", &name, country)? else { return Ok(None) };
            let members = customers::commands::members_of(tx, person)?;
            let viewed =
                db::names::all(tx.engine())?.into_iter().find(|(_, n)| &**n == "Product Viewed").map(|(id, _)| id);
            let entries = customers::commands::timeline_entries(tx, &members)?;
            Ok(Some(entries.iter().filter(|e| Some(e.name) == viewed).count() as i64))
        });
        match found.map_err(told)? {
            Some(found) if found == views => Ok(()),
            found => Err(format!("{user} viewed {views} times, the store has {found:?}")),
        }
    }

    /// Does what a bug would have done.
    fn damage(&mut self, bug: Bug) -> Result<(), String> {
        let statement = match bug {
            Bug::LoseRequest => "DELETE FROM log WHERE first_seq = (SELECT MAX(first_seq) FROM log WHERE origin = 0)",
            Bug::ForgetIds => return self.ledger_says_new(),
            Bug::SkipRefold => {
                "UPDATE profiles SET state = (SELECT state FROM profiles WHERE profile_id = 1) WHERE profile_id = 2"
            }
            Bug::LoseMembership => "DELETE FROM memberships WHERE person_id = (SELECT MAX(person_id) FROM memberships)",
            Bug::LoseEdge => "DELETE FROM edges WHERE id = (SELECT MAX(id) FROM edges WHERE removed_at = 0)",
            Bug::RepeatUnknown => {
                "UPDATE messages SET status = 'pending', due_at = 1 WHERE status IN ('sent', 'unknown', 'refused')"
            }
        };
        self.world.stop();
        let mut engine = self.world.place.location.open(db::Sync::UnsafeFast, false).map_err(told)?;
        engine.execute(statement, &[]).map_err(told)?;
        drop(engine);
        self.world.restart().map_err(told)?;
        for _ in 0..20 {
            self.mail()?;
        }
        Ok(())
    }

    /// An id that was acknowledged is called new.
    fn ledger_says_new(&mut self) -> Result<(), String> {
        let Some(id) = self.ledger.acknowledged.first().cloned() else { return Ok(()) };
        self.ledger.acknowledge(&[id], &[]).map(drop)
    }
}

fn column(tx: &mut db::Tx, sql: &str, params: &[db::Value<'_>]) -> Result<Vec<i64>, DbError> {
    tx.rows(sql, params)?.iter().map(|row| row.int(0)).collect()
}

fn shop() -> Shop {
    Shop {
        name: "Shop".into(),
        time_zone: "Europe/Kyiv".into(),
        currency: "UAH".into(),
        locale: "uk".into(),
        country: "UA".into(),
        public_url: "https://shop.example".into(),
        mail_domain: "shop.example".into(),
        quiet_hours: None,
    }
}

fn told(error: DbError) -> String {
    error.to_string()
}
