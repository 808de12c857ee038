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

/// Whether a text can name a topic: small letters, digits, `-` and `_`, at most 64.
pub fn is_word(topic: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    (1..=64).contains(&topic.len()) && topic.bytes().all(fits)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn choice(channel: &str, topic: &str, wanted: bool, at: i64) -> Choice {
        let (channel, topic, at) = (channel.into(), topic.into(), Timestamp::from_micros(at));
        Choice { channel, topic, wanted, at, actor: String::new() }
    }

    #[test]
    fn the_most_exact_choice_decides() {
        let all = [
            choice("*", "*", false, 9),
            choice("email", "*", true, 8),
            choice("*", "news", false, 7),
            choice("email", "sale", true, 1),
        ];
        let asked = |channel, topic| decides(&all, channel, topic).map(|c| c.wanted);
        assert_eq!(asked("email", "sale"), Some(true), "both");
        assert_eq!(asked("email", "news"), Some(false), "the topic anywhere before the channel as such");
        assert_eq!(asked("email", ""), Some(true), "the channel as such");
        assert_eq!(asked("sms", "sale"), Some(false), "everything");
        assert_eq!(decides(&all[3..], "sms", "sale"), None);
        // Profiles that were joined may have chosen differently: the newest, and a no of the same moment.
        let two = [choice("email", "*", true, 5), choice("email", "*", false, 6)];
        assert_eq!(decides(&two, "email", "news").map(|c| c.wanted), Some(false));
        let same = [choice("email", "*", true, 5), choice("email", "*", false, 5)];
        assert_eq!(decides(&same, "email", "").map(|c| c.wanted), Some(false));
    }

    proptest! {
        /// The order in which choices are read decides nothing.
        #[test]
        fn order_decides_nothing(picks in prop::collection::vec((0usize..3, 0usize..3, any::<bool>(), 0i64..3), 0..8), turn in 0usize..8) {
            let (channels, topics) = (["email", "sms", "*"], ["news", "sale", "*"]);
            let mut all: Vec<Choice> = picks.iter().map(|(c, t, w, at)| choice(channels[*c], topics[*t], *w, *at)).collect();
            let said = decides(&all, "email", "news").map(|c| c.wanted);
            let by = turn % all.len().max(1);
            all.rotate_left(by);
            prop_assert_eq!(decides(&all, "email", "news").map(|c| c.wanted), said);
        }
    }
}
