//! Profiles that were once one person with somebody who was erased.
//!
//! What was decided about them followed from events and values that are gone: through the erased person two profiles may have
//! been one already when an event named both, or too much for a limit. The log that is left does not say it any more, so
//! deciding it again proves nothing for them. Only people who were taken apart before the erasure have such profiles left.
use crate::changes;
use db::{DbError, Engine};
use hashbrown::{HashMap, HashSet};

/// Changes of identity that are read at once.
const ROWS: i64 = 1000;

/// Sets of profiles that were one person at some time.
#[derive(Debug, Default)]
pub struct Kin {
    up: HashMap<i64, i64>,
    erased: HashSet<i64>,
}

impl Kin {
    /// Reads who was one person with whom. `people` are pairs of a profile and its person, as they are and as they were decided
    /// again; `tombstones` are the profiles of erased people.
    pub fn read(
        db: &mut Engine,
        tombstones: &HashSet<i64>,
        people: impl IntoIterator<Item = (i64, i64)>,
    ) -> Result<Self, DbError> {
        let mut kin = Self::default();
        people.into_iter().for_each(|(profile, person)| kin.join(profile, person));
        let mut position = 0;
        loop {
            let rows = changes::after(db, position, ROWS)?;
            let Some(last) = rows.last() else { break };
            position = last.id;
            for row in rows.iter().filter(|row| matches!(&*row.kind, "merged" | "split")) {
                let all: Vec<i64> = row
                    .before
                    .iter()
                    .chain(&row.after)
                    .flat_map(|side| side.profile_ids.iter().chain([&side.person_id]))
                    .filter_map(|id| id.parse().ok())
                    .collect();
                all.windows(2).for_each(|pair| kin.join(pair[0], pair[1]));
            }
        }
        kin.erased = tombstones.iter().map(|profile| kin.root(*profile)).collect();
        Ok(kin)
    }

    /// Whether any of the profiles was once one person with somebody who was erased. 0 is nobody.
    pub fn knew(&self, profiles: &[i64]) -> bool {
        profiles.iter().any(|profile| *profile != 0 && self.erased.contains(&self.root(*profile)))
    }

    fn root(&self, mut at: i64) -> i64 {
        while let Some(up) = self.up.get(&at) {
            at = *up;
        }
        at
    }

    fn join(&mut self, a: i64, b: i64) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.up.insert(a.max(b), a.min(b));
        }
    }
}
