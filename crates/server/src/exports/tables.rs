//! Kinds whose rows are rows of a table: each is a list of columns and one statement over both engines.
use super::browse::{Browse, Page};
use super::kinds::Kind;
use super::spool::Row;
use db::DbError;
use exchange::table::{Cell, Type};

/// Rows of one page.
const ROWS: i64 = 2_000;

/// A kind that a table has.
pub struct Table {
    pub columns: &'static [(&'static str, Type, &'static str)],
    /// Key, columns in their order, then profiles and people that the row is about. `$1`: after which key; `$2`: how many.
    sql: &'static str,
}

static CONSENTS: Table = Table {
    columns: &[
        ("consent_id", Type::Int, "Number; rises with the order of recording."),
        ("channel", Type::Text, "email, sms, viber, push, …; * is everything."),
        ("address", Type::Text, "The contact point; # and a number is a profile as a whole."),
        ("purpose", Type::Text, "marketing, service, or one of the shop's own."),
        ("state", Type::Text, "granted or denied."),
        ("time", Type::Time, "The moment that decides: of recording, for imports what the file claims."),
        ("recorded_at", Type::Time, "When it was recorded."),
        ("wording", Type::Text, "What the person agreed to, as it was shown."),
        ("wording_version", Type::Text, "Version of the wording."),
        ("person_id", Type::Int, "Whose address it is now; empty for nobody."),
        ("message_id", Type::Text, "The event that said it, if one did."),
        ("source", Type::Text, "Name of the source."),
        ("actor", Type::Text, "Who recorded it, if a person did."),
        ("imported", Type::Bool, "Whether it came from a file."),
    ],
    sql: "SELECT c.id, c.id, c.channel, c.address, c.purpose, \
            CASE WHEN c.granted = 1 THEN 'granted' ELSE 'denied' END, \
            CASE WHEN c.imported = 1 AND c.claimed_at < c.at THEN c.claimed_at ELSE c.at END, c.at, \
            c.wording, c.wording_version, COALESCE(l.person, m.person, o.person), c.message_id, COALESCE(s.name, ''), c.actor, c.imported, \
            e.profile_id, p.profile_id, c.profile_id, l.person, m.person, o.person \
          FROM consents c LEFT JOIN sources s ON s.id = c.source \
          LEFT JOIN identifiers e ON e.kind = 'email' AND e.value = c.address \
          LEFT JOIN identifiers p ON p.kind = 'phone' AND p.value = c.address \
          LEFT JOIN profile_list l ON l.profile_id = e.profile_id LEFT JOIN profile_list m ON m.profile_id = p.profile_id \
          LEFT JOIN profile_list o ON o.profile_id = c.profile_id \
          WHERE c.id > $1 ORDER BY c.id LIMIT $2",
};

static MEMBERS: Table = Table {
    columns: &[
        ("segment_id", Type::Int, "Number of the segment."),
        ("segment", Type::Text, "Its name."),
        ("person_id", Type::Int, "The person."),
        ("since", Type::Time, "Since when."),
        ("leaves_at", Type::Time, "When it ends if nothing happens, as far as known."),
        ("cause", Type::Text, "Why it began: event, timer, initial, merge, unmerge."),
        ("user_id", Type::Text, "The account that was seen last."),
        ("email", Type::Text, "The address that was seen last."),
        ("phone", Type::Text, "The number that was seen last."),
        ("name", Type::Text, "As it is shown."),
    ],
    sql: "",
};

static MESSAGES: Table = Table {
    columns: &[
        ("message_number", Type::Int, "Number of the message."),
        ("rule_id", Type::Int, "The rule that intended it."),
        ("rule", Type::Text, "Its name."),
        ("person_id", Type::Int, "To whom; empty for who was erased."),
        ("profile_id", Type::Int, "The profile."),
        ("channel", Type::Text, "email, …"),
        ("purpose", Type::Text, "marketing, service."),
        ("status", Type::Text, "pending, stopped, sending, sent, refused, unknown."),
        ("reason", Type::Text, "Why it was not sent."),
        ("why", Type::Text, "Every question that was asked before it was sent, with the answer, as JSON text."),
        ("address", Type::Text, "Where it went."),
        ("subject", Type::Text, "As it was sent."),
        ("template_id", Type::Int, "The template."),
        ("template_version", Type::Int, "Its version."),
        ("attempts", Type::Int, "How often it was tried."),
        ("event_id", Type::Text, "The event that caused it."),
        ("intended_at", Type::Time, "When the rule wanted it."),
        ("first_attempt_at", Type::Time, "When it was tried first."),
        ("settled_at", Type::Time, "When its end was known."),
    ],
    sql: "SELECT m.id, m.id, m.rule_id, COALESCE(r.name, ''), l.person, m.profile_id, m.channel, m.purpose, m.status, m.reason, m.why, \
            m.address, m.subject, m.template_id, m.template_version, m.attempts, m.event_id, m.intended_at, \
            m.first_attempt_at, m.settled_at, m.profile_id, l.person \
          FROM messages m LEFT JOIN message_rules r ON r.id = m.rule_id LEFT JOIN profile_list l ON l.profile_id = m.profile_id \
          WHERE m.id > $1 ORDER BY m.id LIMIT $2",
};

static REJECTED: Table = Table {
    columns: &[
        ("reject_id", Type::Int, "Number."),
        ("source", Type::Text, "Who sent it."),
        ("received_at", Type::Time, "When it came."),
        ("code", Type::Text, "Why it was not accepted."),
        ("pointer", Type::Text, "Where in the body, as a JSON Pointer."),
        ("detail", Type::Text, "Why, in words."),
        ("event", Type::Text, "What its event is called, if that could be read."),
        ("message_id", Type::Text, "What it calls itself, if that could be read."),
        ("raw", Type::Text, "As it came, perhaps cut."),
    ],
    sql: "SELECT r.id, r.id, COALESCE(s.name, ''), r.received_at, r.code, r.pointer, r.detail, r.event, r.message_id, r.raw \
          FROM rejects r LEFT JOIN sources s ON s.id = r.source WHERE r.id > $1 ORDER BY r.id LIMIT $2",
};

static JOINS: Table = Table {
    columns: &[
        ("edge_id", Type::Int, "Number of the edge."),
        ("profile_a", Type::Int, "One profile."),
        ("profile_b", Type::Int, "The other."),
        ("rule", Type::Text, "By what: same identifier, alias, by hand, …"),
        ("kind", Type::Text, "Kind of the identifier that says so."),
        ("value", Type::Text, "Its value."),
        ("message_id", Type::Text, "The event that says so."),
        ("at", Type::Time, "When that was said."),
        ("actor", Type::Text, "Who joined them, if a person did."),
        ("removed_at", Type::Time, "When it was taken away."),
    ],
    sql: "SELECT id, id, a, b, rule, kind, value, message_id, at, actor, removed_at, a, b FROM edges \
          WHERE id > $1 ORDER BY id LIMIT $2",
};

static SUPPRESSIONS: Table = Table {
    columns: &[
        ("channel", Type::Text, "email, sms, …"),
        ("address", Type::Text, "The contact point; of who was erased a keyed hash."),
        ("reason", Type::Text, "unsubscribed, hard bounce, complaint, …"),
        ("time", Type::Time, "Since when."),
        ("state", Type::Text, "Always blocked, so that an import as consents means the same."),
    ],
    sql: "SELECT n, channel, address, reason, at, 'blocked' FROM (SELECT ROW_NUMBER() OVER (ORDER BY channel, address) AS n, \
            channel, address, reason, at FROM suppressions) AS numbered WHERE n > $1 ORDER BY n LIMIT $2",
};

static SEGMENTS: Table = Table {
    columns: &[
        ("segment_id", Type::Int, "Number."),
        ("name", Type::Text, "As it is shown."),
        ("expression", Type::Text, "The condition."),
        ("version", Type::Int, "Version of the condition."),
        ("created_at", Type::Time, "When it was made."),
        ("updated_at", Type::Time, "When it was changed last."),
        ("archived_at", Type::Time, "When it was put away."),
    ],
    sql: "SELECT id, id, name, expression, version, created_at, updated_at, archived_at FROM segments \
          WHERE id > $1 ORDER BY id LIMIT $2",
};

static SOURCES: Table = Table {
    columns: &[
        ("source_id", Type::Int, "Number."),
        ("name", Type::Text, "As it is shown."),
        ("kind", Type::Text, "What kind of place it is."),
        ("created_at", Type::Time, "When it was made."),
    ],
    sql: "SELECT id, id, name, kind, created_at FROM sources WHERE id > $1 ORDER BY id LIMIT $2",
};

/// The table of a kind.
pub fn of(kind: Kind) -> &'static Table {
    match kind {
        Kind::Members => &MEMBERS,
        Kind::Messages => &MESSAGES,
        Kind::Rejected => &REJECTED,
        Kind::Joins => &JOINS,
        Kind::Suppressions => &SUPPRESSIONS,
        Kind::Segments => &SEGMENTS,
        Kind::Sources => &SOURCES,
        _ => &CONSENTS,
    }
}

/// The next rows of a table.
pub fn page(browse: &mut Browse, kind: Kind, after: i64) -> Result<Page, DbError> {
    let table = of(kind);
    let (mut out, mut place) = (Vec::new(), None);
    for row in browse.tx.rows(table.sql, &[after.into(), ROWS.into()])? {
        place = Some(row.int(0)?);
        let mut cells = Vec::with_capacity(table.columns.len());
        for (at, (name, kind, _)) in table.columns.iter().enumerate() {
            let at = at + 1;
            cells.push(match kind {
                Type::Int => match row.opt_int(at)? {
                    // A person or profile that is gone.
                    Some(0) if name.ends_with("_id") => Cell::None,
                    found => found.map_or(Cell::None, Cell::Int),
                },
                Type::Time => Cell::moment(row.opt_int(at)?.unwrap_or(0)),
                Type::Bool => Cell::Bool(row.opt_int(at)?.unwrap_or(0) != 0),
                _ => Cell::maybe(row.opt_text(at)?),
            });
        }
        let mut people = Vec::new();
        for at in table.columns.len() + 1..row.0.len() {
            people.extend(row.opt_int(at)?);
        }
        out.push(Row::of(&people, cells));
    }
    Ok((out, place))
}

/// The next memberships, people after people: a page ends between two people.
pub fn members(browse: &mut Browse, after: i64) -> Result<Page, DbError> {
    const PEOPLE: i64 = 500;
    let segment = browse.filter.segment_id.unwrap_or(0);
    let sql = "SELECT MAX(person_id) FROM (SELECT DISTINCT person_id FROM memberships WHERE person_id > $1 \
               AND ($3 = 0 OR segment_id = $3) ORDER BY person_id LIMIT $2) AS page";
    let last = browse.tx.first(sql, &[after.into(), PEOPLE.into(), segment.into()])?;
    let Some(last) = last.map(|r| r.opt_int(0)).transpose()?.flatten() else { return Ok((Vec::new(), None)) };
    let sql = "SELECT segment_id, person_id, since, leaves_at, cause FROM memberships WHERE person_id > $1 AND person_id <= $2 \
               AND ($3 = 0 OR segment_id = $3) ORDER BY person_id, segment_id";
    let mut out = Vec::new();
    for row in browse.tx.rows(sql, &[after.into(), last.into(), segment.into()])? {
        let (segment, person) = (row.int(0)?, row.int(1)?);
        let Some(name) = browse.segments.get(&segment).cloned() else { continue };
        let contacts = browse.contacts(person)?;
        let mut people = contacts.profiles.clone();
        people.push(person);
        let cells = vec![
            Cell::Int(segment),
            Cell::text(name),
            Cell::Int(person),
            Cell::moment(row.int(2)?),
            Cell::moment(row.int(3)?),
            Cell::text(row.text(4)?),
            Cell::maybe(contacts.user_id.clone()),
            Cell::maybe(contacts.email.clone()),
            Cell::maybe(contacts.phone.clone()),
            Cell::maybe(contacts.name.clone()),
        ];
        out.push(Row::of(&people, cells));
    }
    Ok((out, Some(last)))
}
