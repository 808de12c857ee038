//! What people want to get: a choice per channel and topic, kept by profile and read over all profiles of a person.
use base::Timestamp;
use db::{DbError, Tx};

/// Stands for every channel, or every topic.
pub const ANY: &str = "*";
/// Choices of one profile, at most.
pub const CHOICES_MAX: usize = 200;

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub channel: String,
    pub topic: String,
    pub wanted: bool,
    pub at: Timestamp,
    /// The member of staff who entered it; empty when the person did.
    pub actor: String,
}

/// What decides about a channel and topic: the most exact choice (both, then the topic anywhere, then the channel as such,
/// then everything); of equally exact ones the newest, then a no. `None` when nothing was chosen.
///
/// A message without a topic is about nothing that can be chosen apart: only what was said of its channel counts.
pub fn decides<'a>(choices: &'a [Choice], channel: &str, topic: &str) -> Option<&'a Choice> {
    let exactness = |c: &Choice| -> Option<u8> {
        let of_topic = !topic.is_empty() && c.topic == topic;
        match (c.channel == channel, c.channel == ANY, of_topic, c.topic == ANY) {
            (true, _, true, _) => Some(3),
            (_, true, true, _) => Some(2),
            (true, _, _, true) => Some(1),
            (_, true, _, true) => Some(0),
            _ => None,
        }
    };
    choices
        .iter()
        .filter_map(|c| Some((exactness(c)?, c.at, !c.wanted, c)))
        .max_by_key(|(e, at, no, _)| (*e, *at, *no))
        .map(|f| f.3)
}

/// The choices of profiles, newest first.
pub fn of_profiles(tx: &mut Tx, profiles: &[i64]) -> Result<Vec<Choice>, DbError> {
    const SQL: &str =
        "SELECT channel, topic, wanted, at, actor FROM preferences WHERE profile_id = $1 ORDER BY channel, topic";
    let mut out = Vec::new();
    for profile in profiles {
        for r in tx.rows(SQL, &[(*profile).into()])? {
            out.push(Choice {
                channel: r.text(0)?.into(),
                topic: r.text(1)?.into(),
                wanted: r.int(2)? != 0,
                at: Timestamp::from_micros(r.int(3)?),
                actor: r.text(4)?.into(),
            });
        }
    }
    out.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| (&a.channel, &a.topic).cmp(&(&b.channel, &b.topic))));
    Ok(out)
}

/// Replaces all choices of a person: they stand on one profile from then on.
pub fn replace(tx: &mut Tx, profiles: &[i64], choices: &[Choice]) -> Result<(), DbError> {
    forget(tx, profiles)?;
    let Some(profile) = profiles.first() else { return Ok(()) };
    for c in choices {
        tx.execute(
            "INSERT INTO preferences (profile_id, channel, topic, wanted, at, actor) VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                (*profile).into(),
                (&c.channel).into(),
                (&c.topic).into(),
                i64::from(c.wanted).into(),
                c.at.micros().into(),
                (&c.actor).into(),
            ],
        )?;
    }
    Ok(())
}

/// Drops what profiles chose.
pub fn forget(tx: &mut Tx, profiles: &[i64]) -> Result<(), DbError> {
    for profile in profiles {
        tx.execute("DELETE FROM preferences WHERE profile_id = $1", &[(*profile).into()])?;
    }
    Ok(())
}
