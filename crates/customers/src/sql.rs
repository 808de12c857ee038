//! Rows that are facts, as they are appended.
use crate::model::Evidence;
use crate::profiles::time;
use base::Timestamp;
use db::{Bulk, Owned, Tx};

static IDENTIFIERS: Bulk = Bulk {
    table: "identifiers",
    columns: &[("kind", 't'), ("value", 't'), ("profile_id", 'i'), ("seq", 'i'), ("message_id", 't'), ("at", 'i')],
    key: 2,
    insert_only: false,
};

/// An identifier's owner, with the event that brought it.
pub fn append_identifier(tx: &mut Tx, kind: &str, value: &str, profile_id: i64, evidence: &Evidence) {
    let message_id: &str = &evidence.message_id;
    tx.append(
        &IDENTIFIERS,
        vec![kind.into(), value.into(), profile_id.into(), evidence.seq.into(), message_id.into(), time(evidence.at)],
    );
}

static EDGES: Bulk = Bulk {
    table: "edges",
    columns: &[
        ("id", 'i'),
        ("a", 'i'),
        ("b", 'i'),
        ("rule", 't'),
        ("kind", 't'),
        ("value", 't'),
        ("seq", 'i'),
        ("message_id", 't'),
        ("at", 'i'),
        ("removed_at", 'i'),
        ("actor", 't'),
    ],
    key: 1,
    insert_only: false,
};

/// An edge to be stored.
pub struct NewEdge<'a> {
    pub a: i64,
    pub b: i64,
    pub rule: &'a str,
    pub kind: &'a str,
    pub value: &'a str,
    pub seq: i64,
    pub message_id: &'a str,
    pub at: Timestamp,
    /// Who made it; empty when events did.
    pub actor: &'a str,
}

/// Appends an edge; gives its id.
pub fn append_edge(tx: &mut Tx, edge: &NewEdge<'_>) -> i64 {
    let id = tx.next_id();
    let NewEdge { a, b, rule, kind, value, seq, message_id, at, actor } = *edge;
    let row = vec![
        id.into(),
        a.into(),
        b.into(),
        rule.into(),
        kind.into(),
        value.into(),
        seq.into(),
        message_id.into(),
        time(at),
        0.into(),
        actor.into(),
    ];
    tx.append(&EDGES, row);
    id
}

static REVIEW: Bulk = Bulk {
    table: "review_items",
    columns: &[
        ("a", 'i'),
        ("b", 'i'),
        ("kind", 't'),
        ("value", 't'),
        ("rule", 't'),
        ("seq", 'i'),
        ("message_id", 't'),
        ("at", 'i'),
        ("closed_at", 'i'),
    ],
    key: 2,
    // One item a pair: the first event that asked for it. Repeats say nothing new, and a closed one stays closed.
    insert_only: true,
};

/// Appends something for a person to look at; `a` and `b` of the edge are the pair that cannot be linked.
pub fn append_review(tx: &mut Tx, edge: &NewEdge<'_>) {
    let NewEdge { a, b, rule, kind, value, seq, message_id, at, .. } = *edge;
    let (a, b) = (a.min(b), a.max(b));
    let row = vec![
        a.into(),
        b.into(),
        kind.into(),
        value.into(),
        rule.into(),
        seq.into(),
        message_id.into(),
        time(at),
        0.into(),
    ];
    tx.append(&REVIEW, row);
}

static CUTS: Bulk = Bulk {
    table: "identity_cuts",
    columns: &[
        ("id", 'i'),
        ("seq", 'i'),
        ("rule", 't'),
        ("a", 'i'),
        ("b", 'i'),
        ("kind", 't'),
        ("value", 't'),
        ("at", 'i'),
        ("actor", 't'),
    ],
    key: 1,
    insert_only: false,
};

/// Appends a cut, made before the event that gets the next seq.
pub fn append_cut(tx: &mut Tx, rule: &str, (a, b): (i64, i64), (kind, value): (&str, &str), actor: &str) {
    let (id, seq, now) = (tx.next_id(), tx.next_seq(), tx.now());
    let row = vec![
        id.into(),
        seq.into(),
        rule.into(),
        a.into(),
        b.into(),
        kind.into(),
        value.into(),
        time(now),
        actor.into(),
    ];
    tx.append(&CUTS, row);
}

/// Appends that a re-run made a profile for the event of `seq`.
pub fn append_made(tx: &mut Tx, seq: i64, profile_id: i64) {
    let (id, now) = (tx.next_id(), tx.now());
    let none = || Owned::from("");
    let row =
        vec![id.into(), seq.into(), "made".into(), profile_id.into(), 0.into(), none(), none(), time(now), none()];
    tx.append(&CUTS, row);
}

static CANNOT_LINK: Bulk = Bulk {
    table: "cannot_link",
    columns: &[("id", 'i'), ("a", 'i'), ("b", 'i'), ("at", 'i'), ("actor", 't')],
    key: 1,
    insert_only: false,
};

/// Appends a pair that cannot be linked.
pub fn append_cannot_link(tx: &mut Tx, a: i64, b: i64, actor: &str) {
    let (id, now) = (tx.next_id(), tx.now());
    tx.append(&CANNOT_LINK, vec![id.into(), a.into(), b.into(), time(now), actor.into()]);
}

static NAME_WORDS: Bulk =
    Bulk { table: "name_words", columns: &[("word", 't'), ("profile_id", 'i')], key: 2, insert_only: true };

/// Appends a word of a profile's name.
pub fn append_name_word(tx: &mut Tx, word: &str, profile_id: i64) {
    tx.append(&NAME_WORDS, vec![word.into(), profile_id.into()]);
}
