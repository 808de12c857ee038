//! People who are erased in the middle of a life: somebody of the town, whose values others go on using, or a guest, of whom
//! nothing may be found afterwards, whatever comes late.
use crate::ledger::Erased;
use crate::run::{Run, told};
use customers::profiles::Profiles;
use db::{DbError, Tx};
use pipeline::erasure::{self, EraseError};

/// Transactions until an erasure must have happened.
const ATTEMPTS: u32 = 12;

impl Run {
    /// Erases somebody of the town, or the guest.
    pub(crate) fn erase(&mut self) -> Result<(), String> {
        if self.town.guest_is_known() && self.town.rng.below(2) == 0 {
            return self.erase_guest();
        }
        let n = self.town.rng.below(14);
        let value = match self.town.rng.below(4) {
            0 => ("user_id", format!("u{n}")),
            1 => ("user_id", format!("solo{}", n % 5)),
            2 => ("email", format!("p{n}@example.com")),
            _ => ("anonymous_id", format!("a{n}")),
        };
        self.settle_open()?;
        self.erase_all(&[(value.0.into(), value.1)]).map(drop)
    }

    /// Erases the guest, under whatever values it is known, and lets the next one come.
    pub(crate) fn erase_guest(&mut self) -> Result<(), String> {
        self.settle_open()?;
        self.town.guest_is_named(false);
        let values = self.erase_all(&self.town.guest_values())?;
        if !values.is_empty() {
            self.reached.note("guests erased");
            let gone = self.town.guest_goes(values, self.world.now());
            self.ledger.guests.push(gone);
        }
        Ok(())
    }

    /// Requests without an answer may be from before the erasure: they are sent again first, so that it is known what is in
    /// the log.
    fn settle_open(&mut self) -> Result<(), String> {
        while !self.ledger.unanswered.is_empty() {
            self.send_again()?;
        }
        Ok(())
    }

    /// Erases whoever owns any of the values; gives all values that went.
    fn erase_all(&mut self, values: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
        let mut gone = Vec::new();
        for _ in 0..ATTEMPTS {
            let asked = values.to_vec();
            let found = self.world.read(move |tx| {
                for (kind, value) in &asked {
                    if let Some((person, _)) = customers::lookup(tx, kind, value, base::Country::find("UA"))? {
                        return Ok(Some(person));
                    }
                }
                Ok(None)
            });
            match found.map_err(told)? {
                None => return Ok(gone),
                Some(person) => gone.extend(self.erase_person(person)?),
            }
        }
        Err(format!("{values:?} cannot be erased"))
    }

    /// Erases one person; a crash may come between. Gives the values that the person owned, if it is gone.
    fn erase_person(&mut self, person: i64) -> Result<Vec<(String, String)>, String> {
        let before = self.world.write(move |tx| {
            let members = customers::commands::members_of(tx, person)?;
            let counters = segments::runtime::definitions::current(tx)?.counters.clone();
            let named = customers::person(tx, person, &counters)?.is_some_and(|v| v.state.display_name().is_some());
            Ok::<_, DbError>((owned(tx, &members)?, named, others(tx, &members)?, members))
        });
        let (values, named, before, members) = before.map_err(told)?;
        let point = match self.town.rng.below(8) {
            0 => Some("crash-after-body"),
            1 => Some("crash-before-commit"),
            2 => Some("crash-after-commit"),
            _ => None,
        };
        if let Some(point) = point {
            self.arm(point)?;
        }
        let preparer = self.world.core().preparer.clone();
        let begun = self.world.write(move |tx| match erasure::begin(tx, &preparer, person) {
            Ok(_) => Ok(()),
            Err(EraseError::Store(error)) => Err(error),
            Err(error) => Err(DbError::damaged("the simulation", error)),
        });
        if point.is_some() {
            self.reached.note("crashes while somebody is erased");
            self.reopen()?;
        } else {
            begun.map_err(told)?;
        }
        let buried = self.world.read(move |tx| Ok(tx.get::<Profiles>(person)?.is_some_and(|row| row.person == 0)));
        if !buried.map_err(told)? {
            return match point {
                Some("crash-after-commit") => Err("a committed erasure is gone after a crash".into()),
                Some(_) => Ok(Vec::new()),
                None => Err(format!("person {person} is there after the erasure")),
            };
        }
        let after = self.world.write(move |tx| others(tx, &members)).map_err(told)?;
        if before != after {
            let differs = before.iter().zip(&after).find(|(b, a)| b != a);
            return Err(format!("the erasure of person {person} changed others: {differs:#?}"));
        }
        self.reached.note("people erased");
        if named {
            self.town.guest_is_named(true);
        }
        self.ledger.erase(&values);
        Ok(values)
    }

    /// Nothing of guests who were erased is found anywhere.
    pub(crate) fn end_erasures(&mut self) -> Result<(), String> {
        let traces: Vec<String> = self.ledger.guests.iter().flat_map(Erased::traces).collect();
        if traces.is_empty() {
            return Ok(());
        }
        if self.world.read(erasure::is_waiting).map_err(told)? {
            return Err("an erasure does not end".into());
        }
        // Somebody of the town comes back under the same values, so what it finds of those says nothing.
        erasure::scrub(self.world.core(), true).map_err(told)?;
        match self.world.traces(&traces).map_err(told)?.first() {
            Some(found) => Err(format!("something of an erased person is left: {found}")),
            None => {
                self.reached.note("searches for erased people");
                Ok(())
            }
        }
    }
}

/// What the profiles of a person own.
fn owned(tx: &mut Tx, members: &[i64]) -> Result<Vec<(String, String)>, DbError> {
    let mut out = Vec::new();
    for member in members {
        let sql = "SELECT kind, value FROM identifiers WHERE profile_id = $1 ORDER BY kind, value";
        for row in tx.rows(sql, &[(*member).into()])? {
            out.push((row.text(0)?.to_string(), row.text(1)?.to_string()));
        }
    }
    Ok(out)
}

/// What everybody else is: profiles, identifiers, traits, totals, segments.
fn others(tx: &mut Tx, without: &[i64]) -> Result<Vec<String>, DbError> {
    let counters = segments::runtime::definitions::current(tx)?.counters.clone();
    let mut out = Vec::new();
    for id in 1..=tx.last_profile_id() {
        let is_person = tx.get::<Profiles>(id)?.is_some_and(|row| row.person == id);
        if !is_person || without.contains(&id) {
            continue;
        }
        let Some(view) = customers::person(tx, id, &counters)? else { continue };
        let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
        let own: Vec<_> = view.identifiers.iter().map(|i| (&i.kind, &i.value, &i.evidence)).collect();
        let lists = segments::runtime::read_person(tx, id)?;
        out.push(format!("{id} {members:?} {own:?} {:?} {:?} {lists:?}", view.state.traits, view.state.totals));
    }
    Ok(out)
}
