//! The ways to damage a store, and what is found then.
use super::*;

pub(super) const CASES: &[Case] = &[
    // The log itself.
    case(
        "a row of the log is gone",
        &["log"],
        |db| sql(db, "DELETE FROM log WHERE first_seq = 3"),
        &[
            // It was the one that joined two profiles.
            "counts",
            "hours",
            "identity.edge",
            "identity.person",
            "index",
            "log.contiguous",
            "state",
        ],
    ),
    case(
        "the newest row of the log is gone",
        &["log"],
        |db| sql(db, &format!("DELETE FROM log WHERE first_seq = ({LAST})")),
        &["counts", "hours", "index", "log.contiguous", "state", "subscriptions"],
    ),
    case(
        "a row of the log is shifted",
        &["log"],
        |db| sql(db, &format!("UPDATE log SET first_seq = first_seq + 1 WHERE first_seq = ({LAST})")),
        &["index", "log.contiguous"],
    ),
    case(
        "the writer goes on too early",
        &["writers"],
        |db| sql(db, "UPDATE writers SET next_seq = next_seq - 1"),
        &["log.contiguous"],
    ),
    case(
        "a row is of a group that never was",
        &["log"],
        |db| sql(db, &format!("UPDATE log SET group_id = group_id + 1000 WHERE first_seq = ({LAST})")),
        &[
            // Such a row is folded once more into what has it already.
            "index",
            "log.group",
            "state",
            "state.flushed",
        ],
    ),
    case(
        "a row counts another number of items",
        &["log"],
        |db| sql(db, "UPDATE log SET count = count + 1 WHERE first_seq = 3"),
        &["log.ids"],
    ),
    case(
        "a body cannot be unpacked",
        &["log"],
        |db| sql(db, "UPDATE log SET body = ids WHERE first_seq = 3"),
        &["damaged"],
    ),
    // Ids.
    case(
        "an id is struck out of the log",
        &["log"],
        |db| change_ids(db, |ids| ids[..16].fill(0)),
        &["counts", "hours", "index", "state"],
    ),
    case("an id stands in the log twice", &["log"], |db| change_ids(db, |ids| ids.copy_within(16..32, 0)), &["ids"]),
    case(
        "a run knows an id that the log does not",
        &["dedup_runs", "dedup_pages"],
        |db| run_of_ids(db, &[7u128.to_le_bytes()], 1),
        &["ids"],
    ),
    case("a run has lost an id", &["dedup_runs", "dedup_pages"], |db| run_of_ids(db, &[], 1), &["ids"]),
    // Identity.
    case(
        "an identifier moved to another profile",
        &["identifiers"],
        |db| sql(db, "UPDATE identifiers SET profile_id = 3 WHERE value = 'u1'"),
        &["identity.owner", "state"],
    ),
    case(
        "an identifier is gone",
        &["identifiers"],
        |db| sql(db, "DELETE FROM identifiers WHERE value = 'u1'"),
        &["identity.owner", "state"],
    ),
    case(
        "an identifier came from nowhere",
        &["identifiers"],
        |db| {
            sql(
                db,
                "INSERT INTO identifiers (kind, value, profile_id, seq, message_id, at) VALUES ('user_id', 'stranger', 1, 1, 'm', 0)",
            );
        },
        &["identity.owner", "state"],
    ),
    case(
        "two profiles hold one value",
        &["profiles", "profile_list"],
        |db| {
            change(db, 3, |profile| {
                let key = Key {
                    kind: "user_id".into(),
                    value: "u1".into(),
                    evidence: Some(Evidence { seq: 1, message_id: "m".into(), at: noon() }),
                };
                Arc::make_mut(&mut profile.state.identifiers.keys).push(key);
                profile.state.identifiers.seen.push(Seen { first: noon(), last: noon() });
            })
        },
        &["state"],
    ),
    case(
        "a profile belongs to somebody else",
        &["profiles", "profile_list"],
        |db| change(db, 1, |profile| profile.person = 3),
        &["counts", "identity.person", "memberships", "segments.count"],
    ),
    case(
        "a joined profile stands alone",
        &["profiles", "profile_list"],
        |db| {
            let (joined, _) = joined(db);
            change(db, joined, |profile| profile.person = joined_id(profile));
        },
        &["counts", "identity.person", "memberships"],
    ),
    case("an edge is gone", &["edges"], |db| sql(db, "DELETE FROM edges"), &["identity.edge"]),
    case(
        "an edge came from nowhere",
        &["edges"],
        |db| {
            sql(
                db,
                "INSERT INTO edges (id, a, b, rule, kind, value, seq, message_id, at, removed_at) VALUES (1, 1, 3, 'same_event', 'user_id', 'u1', 1, 'm', 0, 0)",
            );
        },
        &["identity.edge"],
    ),
    case(
        "a list shows a profile with another person",
        &["profile_list"],
        |db| sql(db, "UPDATE profile_list SET person = 3 WHERE profile_id = 1"),
        &["lists"],
    ),
    case(
        "a list does not show a profile",
        &["profile_list"],
        |db| sql(db, "DELETE FROM profile_list WHERE profile_id = 1"),
        &["lists"],
    ),
    // States and indexes.
    case(
        "a row of a profile is gone",
        &["profiles"],
        |db| sql(db, "DELETE FROM profiles WHERE profile_id = 3"),
        &[
            // It is folded again from the log's beginning, which a start would not do.
            "state.flushed",
        ],
    ),
    case(
        "a row of a profile is cut",
        &["profiles"],
        |db| sql(db, "UPDATE profiles SET state = (SELECT ids FROM log WHERE first_seq = 1) WHERE profile_id = 3"),
        &["damaged"],
    ),
    case(
        "a row says that it has less than it has",
        &["profiles", "profile_list"],
        |db| sql(db, "UPDATE profiles SET folded_to = 0 WHERE profile_id = 1"),
        &["index", "state", "state.flushed"],
    ),
    case(
        "totals are wrong",
        &["profiles", "profile_list"],
        |db| change(db, 1, |p| p.state.totals.events += 1),
        &["state"],
    ),
    case(
        "revenue is wrong",
        &["profiles", "profile_list"],
        |db| {
            change(db, 1, |p| p.state.totals.revenue.add(Currency::parse("UAH").expect("a code"), 1));
        },
        &["state"],
    ),
    case(
        "a trait is wrong",
        &["profiles", "profile_list"],
        |db| {
            change(db, 1, |p| Arc::make_mut(&mut p.state.traits.0)[0].value = Some("\"Kyiv\"".into()));
        },
        &["state"],
    ),
    case(
        "counters are gone",
        &["profiles", "profile_list"],
        |db| change(db, 1, |p| p.state.counters = Default::default()),
        &["state"],
    ),
    case(
        "an index entry is gone",
        &["profiles", "profile_list"],
        |db| change(db, 1, |p| change_tail(p, |e| e.truncate(e.len() - 1))),
        &["index"],
    ),
    case(
        "an index entry is of another event",
        &["profiles", "profile_list"],
        |db| {
            change(db, 1, |p| {
                change_tail(p, |e| {
                    let last = e.last_mut().expect("it has events");
                    last.timestamp = last.timestamp.plus(1);
                })
            })
        },
        &["index"],
    ),
    case(
        "an index entry came from nowhere",
        &["profiles", "profile_list"],
        |db| {
            change(db, 1, |p| {
                change_tail(p, |e| {
                    let last = *e.last().expect("it has events");
                    e.push(Entry { seq: last.seq + 1, ..last });
                })
            })
        },
        &["index"],
    ),
    case("a chunk of an index is gone", &["profile_index"], |db| sql(db, "DELETE FROM profile_index"), &["index"]),
    case(
        "a chunk of an index is another's",
        &["profile_index"],
        |db| sql(db, "UPDATE profile_index SET profile_id = 3"),
        &["index"],
    ),
    case(
        "a chunk of an index is nobody's",
        &["profile_index"],
        |db| {
            sql(
                db,
                "INSERT INTO profile_index (profile_id, chunk, entries) SELECT 999, chunk, entries FROM profile_index",
            );
        },
        &["index"],
    ),
    // Segments.
    case(
        "a membership is gone",
        &["memberships"],
        |db| sql(db, "DELETE FROM memberships WHERE person_id = 1"),
        &["memberships", "segments.count"],
    ),
    case(
        "a membership came from nowhere",
        &["memberships"],
        |db| {
            sql(
                db,
                "INSERT INTO memberships (person_id, segment_id, since, leaves_at, cause) \
                 SELECT 3, id, 0, 0, 'event' FROM segments WHERE name = 'Views'",
            );
        },
        &["memberships", "segments.count"],
    ),
    case(
        "a membership is of no person",
        &["memberships"],
        |db| {
            sql(
                db,
                "INSERT INTO memberships (person_id, segment_id, since, leaves_at, cause) \
                 SELECT 999, id, 0, 0, 'event' FROM segments WHERE name = 'Views'",
            );
        },
        &["memberships"],
    ),
    case(
        "a timer rings too late",
        &["timers"],
        |db| sql(db, "UPDATE timers SET due_at = due_at + 86400000000"),
        &["timers"],
    ),
    case("a timer is gone", &["timers"], |db| sql(db, "DELETE FROM timers"), &["timers"]),
    case(
        "a segment counts one too many",
        &["segment_counts"],
        |db| sql(db, "UPDATE segment_counts SET count = count + 1"),
        &["segments.count"],
    ),
    // Books.
    case("events are counted wrong", &["writers"], |db| sql(db, "UPDATE writers SET events = events + 1"), &["counts"]),
    case(
        "own events are counted wrong",
        &["writers"],
        |db| sql(db, "UPDATE writers SET derived = derived + 1"),
        &["counts"],
    ),
    case(
        "profiles are counted wrong",
        &["writers"],
        |db| sql(db, "UPDATE writers SET profiles = profiles + 1"),
        &["counts"],
    ),
    case(
        "joined profiles are counted wrong",
        &["writers"],
        |db| sql(db, "UPDATE writers SET absorbed = absorbed + 1"),
        &["counts"],
    ),
    case(
        "numbers of profiles begin again",
        &["writers"],
        |db| sql(db, "UPDATE writers SET next_profile = 1"),
        &["sequences"],
    ),
    case("numbers begin again", &["writers"], |db| sql(db, "UPDATE writers SET next_id = 1"), &["sequences"]),
    case(
        "a version of a plan is gone",
        &["source_plans"],
        |db| sql(db, "INSERT INTO source_plans (source, version, text, actor, created_at) VALUES (9, 2, '', 'x', 1)"),
        &["sources.plans"],
    ),
    case(
        "profiles wait for a job that has ended",
        &["reread_profiles"],
        |db| sql(db, "INSERT INTO reread_profiles (job, profile_id) VALUES (99, 1)"),
        &["sources.reread"],
    ),
    case(
        "a source is observed twice",
        &["observations"],
        |db| {
            sql(db, "INSERT INTO observations (source, from_seq, to_seq, since, until) VALUES (9, 1, 0, 1, 0)");
            sql(db, "INSERT INTO observations (source, from_seq, to_seq, since, until) VALUES (9, 2, 0, 1, 0)")
        },
        &["sources.observed"],
    ),
    case("an hour is lost", &["hours"], |db| sql(db, "DELETE FROM hours"), &["hours"]),
    case(
        "a reader is ahead of the log",
        &["subscriptions"],
        |db| sql(db, "UPDATE subscriptions SET position = position + 1000"),
        &["subscriptions"],
    ),
    // Messages.
    case(
        "messages are counted wrong",
        &["message_counts"],
        |db| sql(db, "UPDATE message_counts SET pending = pending + 1"),
        &["message_counts"],
    ),
    case(
        "a message changed its status by itself",
        &["messages"],
        |db| sql(db, "UPDATE messages SET status = 'sent'"),
        &["cap_ledger", "message_counts", "message_state"],
    ),
    case("a message is gone", &["messages"], |db| sql(db, "DELETE FROM messages"), &["message_counts"]),
    case(
        "a message has a status that there is not",
        &["messages"],
        |db| sql(db, "UPDATE messages SET status = 'lost'"),
        &["message_counts", "message_state", "message_status"],
    ),
    case(
        "a message waits for no moment",
        &["messages"],
        |db| sql(db, "UPDATE messages SET due_at = 0"),
        &["message_state"],
    ),
    case(
        "caps count what was never sent",
        &["sends"],
        |db| {
            sql(
                db,
                "INSERT INTO sends (message_id, profile_id, channel, purpose, address, at) VALUES (1, 1, 'email', 'marketing', 'a@b.c', 0)",
            );
        },
        &["cap_ledger"],
    ),
    case(
        "a template lost its text",
        &["template_versions"],
        |db| sql(db, "DELETE FROM template_versions"),
        &["template_version"],
    ),
    case(
        "a rule's template was archived behind its back",
        &["templates"],
        |db| sql(db, "UPDATE templates SET archived_at = 1"),
        &["rule_template"],
    ),
];
