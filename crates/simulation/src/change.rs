//! What staff change in a life: people taken apart, segments, computed traits, rules of identity.
use crate::run::{Run, told};
use crate::story::{Act, CONDITIONS, FORMULAS, VIEWS};
use customers::counters::Kind;
use customers::rules::{self, LimitData, Mode};
use db::DbError;
use pipeline::cuts::{self, Cut};
use segments::runtime::commands;
use segments::runtime::computed::{self, Wanted};

impl Run {
    pub(crate) fn cut(&mut self, act: Act) -> Result<(), String> {
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
        let erased = !self.ledger.erased.is_empty();
        let preparer = self.world.core().preparer.clone();
        let done = self.world.write(move |tx| match cuts::cut(tx, &preparer, person, &cut, "simulation") {
            Ok(_) => Ok(true),
            // A segment fills, or there is nothing to detach from: refused, and nothing was written.
            Err(customers::cuts::CutError::Store(error)) if !matches!(error, DbError::Busy(_)) => Err(error),
            Err(_) => Ok(false),
        });
        if done.map_err(told)? {
            self.reached.note(name);
            self.reached.add("cuts after an erasure", u64::from(erased));
        }
        Ok(())
    }

    pub(crate) fn make_segment(&mut self) -> Result<(), String> {
        self.made += 1;
        let expression = *self.town.rng.pick(CONDITIONS);
        let name = format!("Segment {}", self.made);
        let made = self.world.write(move |tx| commands::create(tx, &name, expression));
        self.segments.push(made.map_err(|e| e.to_string())?.id);
        self.reached.note("segments made");
        Ok(())
    }

    pub(crate) fn change_segment(&mut self) -> Result<(), String> {
        if self.segments.is_empty() {
            return Ok(());
        }
        let (id, expression) = (*self.town.rng.pick(&self.segments), *self.town.rng.pick(CONDITIONS));
        let name = format!("Segment of {id}");
        self.world.write(move |tx| commands::update(tx, id, &name, expression)).map_err(|e| e.to_string())?;
        self.reached.note("segments changed");
        Ok(())
    }

    pub(crate) fn archive_segment(&mut self) -> Result<(), String> {
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

    /// The first trait, whose value the ledger knows.
    pub(crate) fn make_traits(&mut self) -> Result<(), String> {
        let wanted = wanted("views", VIEWS);
        let made = self.world.write(move |tx| computed::create(tx, &wanted)).map_err(|e| e.to_string())?;
        self.traits.push(made.id);
        self.reached.note("traits made");
        Ok(())
    }

    /// Makes a computed trait, gives one another formula, or archives one.
    pub(crate) fn change_trait(&mut self) -> Result<(), String> {
        let formula = *self.town.rng.pick(FORMULAS);
        let others = self.traits.len() as u64 - 1;
        if others == 0 || (others < 6 && self.town.rng.below(2) == 0) {
            self.made += 1;
            let wanted = wanted(&format!("trait_{}", self.made), formula);
            let made = self.world.write(move |tx| computed::create(tx, &wanted)).map_err(|e| e.to_string())?;
            self.traits.push(made.id);
            self.reached.note("traits made");
            return Ok(());
        }
        let at = 1 + self.town.rng.below(others) as usize;
        let id = self.traits[at];
        if self.town.rng.below(2) == 0 {
            self.world.write(move |tx| computed::archive(tx, id)).map_err(|e| e.to_string())?;
            self.traits.remove(at);
            self.reached.note("traits archived");
            return Ok(());
        }
        let wanted = wanted(&format!("trait_{id}_again"), formula);
        self.world.write(move |tx| computed::update(tx, id, &wanted)).map_err(|e| e.to_string())?;
        self.reached.note("traits changed");
        Ok(())
    }

    /// Lists a value that identifies nobody, lets one in again, or sets another limit. The past is decided again by it.
    pub(crate) fn change_rules(&mut self) -> Result<(), String> {
        self.reached.note("rules of identity changed");
        let country = base::Country::find("UA");
        let rng = &mut self.town.rng;
        if rng.below(3) == 0 {
            let (kind, count) = (rng.next_u64() as usize, 1 + rng.below(4) as u32);
            let window_days = [None, Some(2), Some(365)][rng.below(3) as usize];
            let set = move |tx: &mut db::Tx| {
                let mut data = rules::newest(tx.engine())?.rules;
                let at = kind % data.kinds.len();
                data.kinds[at].limits = vec![LimitData { count, window_days }];
                rules::set(tx, &data, "simulation").map(drop)
            };
            return self.world.write(set).map_err(told);
        }
        let value = match rng.below(3) {
            0 => ("email", format!("p{}@example.com", rng.below(14))),
            1 => ("phone", format!("06712345{:02}", rng.below(14))),
            _ => ("anonymous_id", format!("a{}", rng.below(24))),
        };
        let mode = if rng.below(2) == 0 { Mode::Block } else { Mode::Demote };
        let again = rng.below(2) == 0;
        self.world
            .write(move |tx| {
                let listed = rules::blocked_list(tx.engine(), None, 1)?;
                if let Some(first) = listed.first().filter(|_| again) {
                    return rules::unblock(tx, &first.kind, &first.value, country).map(drop).map_err(Into::into);
                }
                rules::block(tx, (value.0, &value.1), mode, "", "simulation", country).map(drop)
            })
            .map_err(|e: rules::ListError| e.to_string())
    }
}

fn wanted(name: &str, expression: &str) -> Wanted {
    Wanted { name: name.into(), title: String::new(), expression: expression.into(), kind: Kind::Number }
}

fn column(tx: &mut db::Tx, sql: &str, params: &[db::Value<'_>]) -> Result<Vec<i64>, DbError> {
    tx.rows(sql, params)?.iter().map(|row| row.int(0)).collect()
}
