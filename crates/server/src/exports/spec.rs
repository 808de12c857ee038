//! What an export is asked to do, whether it may, and how many rows it will be about.
use super::kinds::{Chosen, Kind, all_columns};
use super::{JOB, store};
use crate::access::{Act, Area};
use crate::approvals;
use crate::caller::Caller;
use crate::policy::Policy;
use crate::problem::{BAD_INPUT, NOT_ALLOWED, Problem, internal};
use base::{DAY_US, Timestamp};
use db::jobs::{self, New};
use db::{DbError, Engine, Tx};
use exchange::mapping::Kind as FileKind;
use exchange::write::Format;
use segments::runtime::definitions;
use serde::{Deserialize, Serialize};

/// How long a file is kept.
pub const KEPT_US: i64 = 3 * DAY_US;
/// Traits with columns of their own, at most.
const TRAITS_MAX: usize = 200;

/// Which rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only the people of a segment.
    #[serde(default)]
    pub segment_id: Option<i64>,
    /// Events at or after; of customers those seen last at or after.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// The same, before.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether a moment is within the times.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub kind: Kind,
    pub format: Format,
    pub filter: Filter,
    pub chosen: Chosen,
    /// Phones and e-mails plainly.
    pub contacts: bool,
}

/// The payload of an export's job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Number of the export.
    pub export: i64,
    pub kind: Kind,
    pub format: Format,
    pub filter: Filter,
    pub chosen: Chosen,
    pub contacts: bool,
    pub mark: String,
    pub canary: String,
    pub actor: String,
    /// Rows that were permitted.
    pub most: i64,
}

impl Wish {
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), Problem> {
        let kind = self.kind;
        if kind == Kind::Everything && self.format == Format::Xlsx {
            return Err(BAD_INPUT.at("/format", "everything goes as csv, ndjson or parquet"));
        }
        self.check_preset()?;
        let filter = &self.filter;
        if filter.segment_id.is_some() && !kind.takes_segment() {
            return Err(BAD_INPUT.at("/filter/segment_id", format!("a segment does not narrow {}", kind.as_str())));
        }
        if (filter.since.is_some() || filter.until.is_some()) && !kind.takes_times() {
            return Err(BAD_INPUT.at("/filter/since", format!("times do not narrow {}", kind.as_str())));
        }
        if filter.since.zip(filter.until).is_some_and(|(since, until)| since >= until) {
            return Err(BAD_INPUT.at("/filter/until", "the end lies before the beginning"));
        }
        let known = all_columns(kind);
        if let Some(name) = self.chosen.columns.iter().find(|name| !known.iter().any(|c| c.name == **name)) {
            return Err(BAD_INPUT.at("/columns", format!("{} have no column {name:.80}", kind.as_str())));
        }
        let traits = &self.chosen.traits;
        if !traits.is_empty() && kind != Kind::Customers {
            return Err(BAD_INPUT.at("/traits", "only customers have traits"));
        }
        if traits.len() > TRAITS_MAX
            || traits.iter().any(|t| t.is_empty() || t.len() > 200 || t.contains(char::is_control))
        {
            return Err(BAD_INPUT.at("/traits", format!("at most {TRAITS_MAX} names of 1 to 200 characters")));
        }
        let computed: Vec<String> = self.chosen.computed.iter().map(|c| c.name.clone()).collect();
        if !computed.is_empty() && kind != Kind::Customers {
            return Err(BAD_INPUT.at("/computed", "only customers have computed traits"));
        }
        if computed.len() > TRAITS_MAX {
            return Err(BAD_INPUT.at("/computed", format!("at most {TRAITS_MAX} computed traits")));
        }
        let mut names = [traits.as_slice(), self.chosen.columns.as_slice(), &computed].map(<[String]>::to_vec);
        if names.iter_mut().any(|list| {
            list.sort_unstable();
            list.windows(2).any(|pair| pair[0] == pair[1])
        }) {
            return Err(BAD_INPUT.at("/columns", "a column is named twice"));
        }
        Ok(())
    }

    /// An old tool's file is what the tool reads: its own columns as CSV, with contacts.
    fn check_preset(&self) -> Result<(), Problem> {
        let preset = self.chosen.preset.as_deref();
        if self.kind != Kind::WayBack {
            return match preset {
                Some(_) => Err(BAD_INPUT.at("/preset", "only the way back (way_back) takes a preset")),
                None => Ok(()),
            };
        }
        if self.chosen.format().is_none() {
            let known: Vec<&str> = exchange::back::presets().map(|p| p.id).collect();
            return Err(BAD_INPUT.at("/preset", format!("the old tool's format is one of {}", known.join(", "))));
        }
        if self.format != Format::Csv {
            return Err(BAD_INPUT.at("/format", "an old tool's file is csv"));
        }
        if !self.contacts {
            return Err(
                BAD_INPUT.at("/contacts", "an old tool can do nothing with masked contacts; ask for them plainly")
            );
        }
        Ok(())
    }

    /// What must be readable, besides exports.
    fn areas(&self) -> Vec<(Area, &'static str)> {
        match self.chosen.format().map(|p| p.kind) {
            None => self.kind.sections().into_iter().map(|s| (s.area(), s.as_str())).collect(),
            Some(FileKind::Orders) => vec![(Area::Customers, "customers"), (Area::Events, "orders")],
            Some(FileKind::Consents) => vec![(Area::Consents, "consents")],
            Some(_) => vec![(Area::Customers, "customers"), (Area::Consents, "consents")],
        }
    }

    /// The export as approvals and the audit name it.
    pub fn what(&self, caller: &Caller) -> String {
        let mut out = self.kind.as_str().to_string();
        if let Some(preset) = &self.chosen.preset {
            out.push_str(&format!("/{preset}"));
        }
        if let Some(segment) = self.filter.segment_id {
            out.push_str(&format!("/segment/{segment}"));
        }
        if self.contacts && !caller.may(Act::SeeContacts) {
            out.push_str(" with contacts");
        }
        out
    }

    /// How many rows somebody may take out alone: none with contacts that they do not see.
    pub fn alone(&self, caller: &Caller, policy: &Policy) -> i64 {
        let harmless = matches!(self.kind, Kind::Segments | Kind::Sources);
        // Whoever works on the machine itself has the database at hand.
        if harmless || caller.is_local() {
            i64::MAX
        } else if self.contacts && !caller.may(Act::SeeContacts) {
            -1
        } else {
            policy.export_rows
        }
    }

    /// Whether somebody may take such a thing out at all.
    pub fn allowed(&self, caller: &Caller) -> Result<(), Problem> {
        if caller.stores.is_some() {
            return Err(NOT_ALLOWED.because("an export is of the whole shop, and you work in some of its stores"));
        }
        for (area, holds) in self.areas() {
            if !caller.may(Act::Read(area)) {
                let name = area.as_str();
                return Err(NOT_ALLOWED.because(format!("this holds {holds}, and you may not read {name}")));
            }
        }
        Ok(())
    }
}

/// Rows that an export will have, roughly: what filters leave out is not taken off.
pub fn estimate(db: &mut Engine, kind: Kind, filter: &Filter, chosen: &Chosen) -> Result<i64, DbError> {
    let one = |db: &mut Engine, sql: &str| db.first(sql, &[])?.map_or(Ok(0), |r| r.int(0));
    if let (Some(segment), true) = (filter.segment_id, matches!(kind, Kind::Customers | Kind::Members)) {
        let sql = "SELECT COUNT(*) FROM memberships WHERE segment_id = $1";
        return db.first(sql, &[segment.into()])?.map_or(Ok(0), |r| r.int(0));
    }
    match kind {
        Kind::Customers => one(db, "SELECT COUNT(*) FROM profile_list WHERE person = profile_id"),
        Kind::Events => Ok(db::store::read_row(db)?.counts.events),
        Kind::Derived => Ok(db::store::read_row(db)?.counts.derived),
        Kind::Orders => one(db, "SELECT CAST(COALESCE(SUM(orders), 0) AS BIGINT) FROM profile_list WHERE orders > 0"),
        Kind::Consents => one(db, "SELECT COUNT(*) FROM consents"),
        Kind::Members => one(db, "SELECT COUNT(*) FROM memberships"),
        Kind::Messages => one(db, "SELECT COUNT(*) FROM messages"),
        Kind::Rejected => one(db, "SELECT COUNT(*) FROM rejects"),
        Kind::Joins => one(db, "SELECT COUNT(*) FROM edges"),
        Kind::Suppressions => one(db, "SELECT COUNT(*) FROM suppressions"),
        Kind::Segments => one(db, "SELECT COUNT(*) FROM segments"),
        Kind::Sources => one(db, "SELECT COUNT(*) FROM sources"),
        Kind::WayBack => {
            let of = match chosen.format().map(|p| p.kind) {
                Some(FileKind::Orders) => Kind::Orders,
                Some(FileKind::Consents) => Kind::Consents,
                _ => Kind::Customers,
            };
            estimate(db, of, filter, chosen)
        }
        Kind::Everything => {
            let mut all = 0;
            for section in kind.sections() {
                all += estimate(db, section, filter, chosen)?;
            }
            Ok(all)
        }
    }
}

/// Begins an export of about `rows` rows: permit, audit, job and its row, in one transaction. Refuses before its first write.
pub fn begin(
    tx: &mut Tx,
    (caller, policy): (&Caller, &Policy),
    wish: &Wish,
    rows: i64,
    approval: Option<i64>,
) -> Result<store::Export, Problem> {
    wish.check()?;
    wish.allowed(caller)?;
    if let Some(segment) = wish.filter.segment_id {
        let found = tx.first("SELECT id FROM segments WHERE id = $1", &[segment.into()])?;
        found.ok_or_else(|| BAD_INPUT.at("/filter/segment_id", "there is no such segment"))?;
    }
    let mut chosen = wish.chosen.clone();
    if !chosen.computed.is_empty() {
        let known = definitions::current(tx)?;
        for one in &mut chosen.computed {
            let found = known.computed.iter().find(|c| c.name == one.name);
            let found = found
                .ok_or_else(|| BAD_INPUT.at("/computed", format!("there is no computed trait {:.80}", one.name)))?;
            one.kind = definitions::kind_text(found.kind).into();
        }
    }
    let alone = wish.alone(caller, policy);
    let policy = Policy { export_rows: alone, ..*policy };
    let permit = approvals::permit(tx, caller, &policy, (&wish.what(caller), rows), approval)?;
    let most = match permit.approval {
        Some(id) => approvals::find(tx, id)?.map_or(alone, |a| a.rows),
        None => alone,
    };
    let id = tx.next_id();
    let spec = Spec {
        export: id,
        kind: wish.kind,
        format: wish.format,
        filter: wish.filter.clone(),
        chosen,
        contacts: wish.contacts,
        mark: permit.mark(),
        canary: permit.canary(),
        actor: caller.actor.clone(),
        most,
    };
    let payload = serde_json::to_string(&spec).map_err(|e| internal(&e))?;
    let job = jobs::add(tx, &New { subject: id, total: rows, actor: &caller.actor, ..New::of(JOB, &payload) })?;
    Ok(store::add(tx, &spec, job, permit.approval.unwrap_or(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    fn wish(kind: Kind) -> Wish {
        Wish { kind, format: Format::Csv, filter: Filter::default(), chosen: Chosen::default(), contacts: false }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let said = |wish: Wish| wish.check().map_err(|p| p.detail).err().unwrap_or_default();
        assert_eq!(said(wish(Kind::Customers)), "");
        let segment = Filter { segment_id: Some(1), ..Filter::default() };
        assert!(said(Wish { filter: segment, ..wish(Kind::Consents) }).contains("a segment does not narrow consents"));
        assert!(said(Wish { format: Format::Xlsx, ..wish(Kind::Everything) }).contains("csv, ndjson or parquet"));
        let back = |preset: &str| Chosen { preset: Some(preset.into()), ..Chosen::default() };
        assert!(
            said(Wish { chosen: back("shopify-customers"), ..wish(Kind::Customers) }).contains("only the way back")
        );
        assert!(said(wish(Kind::WayBack)).contains("one of shopify-customers"));
        let masked = Wish { chosen: back("shopify-customers"), ..wish(Kind::WayBack) };
        assert!(said(masked.clone()).contains("ask for them plainly"));
        assert_eq!(said(Wish { contacts: true, ..masked.clone() }), "");
        assert!(said(Wish { contacts: true, format: Format::Xlsx, ..masked }).contains("an old tool's file is csv"));
        let chosen = Chosen { columns: vec!["nothing".into()], ..Chosen::default() };
        assert!(said(Wish { chosen, ..wish(Kind::Customers) }).contains("customers have no column nothing"));
        let chosen = Chosen { traits: vec!["a".into(), "a".into()], ..Chosen::default() };
        assert!(said(Wish { chosen, ..wish(Kind::Customers) }).contains("named twice"));
    }

    /// [issue 3, 8] Whoever sees no contacts takes not one of them out alone.
    #[test]
    fn contacts_that_one_does_not_see_need_a_second_person() {
        let policy = Policy::default();
        let (owner, marketer) = (Caller::of_role("o", Role::Owner), Caller::of_role("m", Role::Marketer));
        let plain = Wish { contacts: true, ..wish(Kind::Customers) };
        assert_eq!((plain.alone(&owner, &policy), plain.alone(&marketer, &policy)), (500, -1));
        assert_eq!((plain.what(&owner), plain.what(&marketer)), ("customers".into(), "customers with contacts".into()));
        assert_eq!(wish(Kind::Customers).alone(&marketer, &policy), 500);
        assert_eq!(wish(Kind::Segments).alone(&marketer, &policy), i64::MAX);
        let assistant = Caller::of_role("s", Role::ShopAssistant);
        assert!(
            wish(Kind::Customers).allowed(&assistant).is_err() && wish(Kind::Everything).allowed(&marketer).is_ok()
        );
    }

    #[test]
    fn times_are_half_open() {
        let at = Timestamp::from_micros;
        let filter = Filter { segment_id: None, since: Some(at(10)), until: Some(at(20)) };
        assert_eq!([9, 10, 19, 20].map(|t| filter.holds(at(t))), [false, true, true, false]);
    }
}
