//! Large exports need a second person: a request, decided by another owner, good once and for a day.
use crate::caller::Caller;
use crate::policy::Policy;
use crate::problem::{APPROVAL_NEEDED, Problem};
use base::{DAY_US, Timestamp};
use db::{DbError, Engine, Row, Tx};

/// How long a request and its approval are good.
pub const LIFE_US: i64 = DAY_US;

/// Somebody wants to take many rows out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Number.
    pub id: i64,
    /// Which export, as its route names it: `segment/12`, `customers`.
    pub what: String,
    /// Rows, at most.
    pub rows: i64,
    /// Why.
    pub reason: String,
    /// Who wants it.
    pub requested_by: String,
    /// Since when.
    pub requested_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// How.
    pub approved: bool,
    /// When the export was made.
    pub used_at: Option<Timestamp>,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has decided.
    Waiting,
    /// It may be used.
    Approved,
    /// It may not.
    Refused,
    /// It was used.
    Used,
    /// Nobody decided, or nobody used it, in time.
    Expired,
}

impl Approval {
    /// Where it stands.
    pub fn state(&self, now: Timestamp) -> State {
        match (self.used_at, self.decided_at, self.approved) {
            (Some(_), _, _) => State::Used,
            (None, Some(_), false) => State::Refused,
            _ if self.expires_at <= now => State::Expired,
            (None, Some(_), true) => State::Approved,
            (None, None, _) => State::Waiting,
        }
    }
}

/// Whether an export may be made, and why not. Pure: `alone` rows may go without an approval.
pub fn verdict(
    alone: i64,
    caller: &str,
    (what, rows): (&str, i64),
    approval: Option<&Approval>,
    now: Timestamp,
) -> Result<(), &'static str> {
    if rows <= alone {
        return Ok(());
    }
    let Some(approval) = approval else { return Err("so many rows need the approval of a second person") };
    match approval.state(now) {
        State::Waiting => return Err("nobody has approved this yet"),
        State::Refused => return Err("this was refused"),
        State::Used => return Err("this approval was used already"),
        State::Expired => return Err("this approval is too old"),
        State::Approved => {}
    }
    if approval.requested_by != caller {
        Err("this approval is somebody else's")
    } else if approval.decided_by == caller {
        Err("nobody approves their own export")
    } else if approval.what != what {
        Err("this approval is for another export")
    } else if approval.rows < rows {
        Err("there are more rows now than were approved")
    } else {
        Ok(())
    }
}

/// The right to make one export, with what marks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// Who exports.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The request's id, as in the audit and in the log.
    pub request: String,
    /// The approval, where one was needed.
    pub approval: Option<i64>,
}

impl Permit {
    /// The mark that stands in every row of the file: who, when, which request. Sixteen letters that lead back to the line
    /// in the audit which holds them in full; they say nothing by themselves.
    pub fn mark(&self) -> String {
        let text = format!("export/{}/{}/{}", self.actor, self.at.micros(), self.request);
        crate::secrets::hex(&crate::secrets::hash_key(&text)[..8])
    }
    /// An address that belongs to nobody. It stands in one row of the file, and mail to it, or its turning up anywhere,
    /// tells which file got out. The domain is reserved (RFC 2606).
    pub fn canary(&self) -> String {
        format!("c{}@canary.invalid", self.mark())
    }
    /// The permit as it stands in the audit.
    pub fn audited(&self, what: &str, rows: i64) -> serde_json::Value {
        serde_json::json!({
            "what": what, "rows": rows, "mark": self.mark(), "canary": self.canary(),
            "request": self.request, "approval": self.approval.map(|a| a.to_string()),
        })
    }
}

/// Gives leave for one export of `rows` rows of `what`, uses its approval up and writes the audit's line. Call it in the
/// transaction that begins the export.
pub fn permit(
    tx: &mut Tx,
    caller: &Caller,
    policy: &Policy,
    (what, rows): (&str, i64),
    approval: Option<i64>,
) -> Result<Permit, Problem> {
    let now = tx.now();
    let found = approval.map(|id| find(tx, id)).transpose()?.flatten();
    verdict(policy.export_rows, &caller.actor, (what, rows), found.as_ref(), now)
        .map_err(|why| APPROVAL_NEEDED.because(format!("{rows} rows of {what}: {why}")))?;
    let used = found.filter(|_| rows > policy.export_rows);
    if let Some(used) = &used {
        tx.execute("UPDATE export_approvals SET used_at = $1 WHERE id = $2", &[now.micros().into(), used.id.into()])?;
    }
    let request = crate::trace::current().unwrap_or_else(base::random_token);
    let permit = Permit { actor: caller.actor.clone(), at: now, request, approval: used.map(|a| a.id) };
    crate::audit::note(tx, &caller.actor, ("export", "rows"), what, None, Some(&permit.audited(what, rows)))?;
    Ok(permit)
}

const APPROVAL: &str = "SELECT id, what, export_rows, reason, requested_by, requested_at, expires_at, decided_by, \
                        decided_at, approved, used_at FROM export_approvals";

fn read(row: &Row) -> Result<Approval, DbError> {
    let time = |at: usize| row.int(at).map(Timestamp::from_micros);
    let some = |at: usize| time(at).map(|t| Some(t).filter(|t| t.micros() > 0));
    Ok(Approval {
        id: row.int(0)?,
        what: row.text(1)?.into(),
        rows: row.int(2)?,
        reason: row.text(3)?.into(),
        requested_by: row.text(4)?.into(),
        requested_at: time(5)?,
        expires_at: time(6)?,
        decided_by: row.text(7)?.into(),
        decided_at: some(8)?,
        approved: row.int(9)? != 0,
        used_at: some(10)?,
    })
}

/// Requests before a number, newest first.
pub fn list(db: &mut Engine, before: i64, limit: i64) -> Result<Vec<Approval>, DbError> {
    let sql = format!("{APPROVAL} WHERE id < $1 ORDER BY id DESC LIMIT $2");
    db.rows(&sql, &[before.into(), limit.into()])?.iter().map(read).collect()
}

/// A request by number.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Approval>, DbError> {
    tx.first(&format!("{APPROVAL} WHERE id = $1"), &[id.into()])?.map(|r| read(&r)).transpose()
}

/// Requests that wait for somebody.
pub fn waiting(db: &mut Engine, now: Timestamp) -> Result<i64, DbError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM export_approvals WHERE decided_at = 0 AND expires_at > $1";
    db.first(sql, &[now.micros().into()])?.map_or(Ok(0), |r| r.int(0))
}

/// Adds a request.
pub fn add(tx: &mut Tx, by: &str, what: &str, rows: i64, reason: &str) -> Result<Approval, DbError> {
    let (id, now) = (tx.next_id(), tx.now());
    tx.execute(
        "INSERT INTO export_approvals (id, what, export_rows, reason, requested_by, requested_at, expires_at, decided_by, \
         decided_at, approved, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0, 0, 0)",
        &[
            id.into(),
            what.into(),
            rows.into(),
            reason.into(),
            by.into(),
            now.micros().into(),
            now.plus(LIFE_US).micros().into(),
        ],
    )?;
    find(tx, id)?.ok_or_else(|| DbError::damaged("export_approvals", "a new row is not there"))
}

/// Decides a request.
pub fn decide(tx: &mut Tx, id: i64, by: &str, approve: bool) -> Result<(), DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE export_approvals SET decided_by = $1, decided_at = $2, approved = $3 WHERE id = $4";
    tx.execute(sql, &[by.into(), now.into(), i64::from(approve).into(), id.into()]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_is_for_one_export_of_one_person() {
        let at = |s: i64| Timestamp::from_micros(s * base::SECOND_US);
        let good = Approval {
            id: 1,
            what: "segment/1".into(),
            rows: 1000,
            reason: "r".into(),
            requested_by: "a".into(),
            requested_at: at(1),
            expires_at: at(100),
            decided_by: "b".into(),
            decided_at: Some(at(2)),
            approved: true,
            used_at: None,
        };
        let ask = |approval: Option<&Approval>, caller, what, rows, now| {
            verdict(500, caller, (what, rows), approval, at(now))
        };
        assert_eq!(ask(None, "a", "segment/1", 500, 10), Ok(()));
        assert!(ask(None, "a", "segment/1", 501, 10).is_err());
        assert_eq!(ask(Some(&good), "a", "segment/1", 1000, 10), Ok(()));
        for (approval, caller, what, rows, now) in [
            (good.clone(), "c", "segment/1", 1000, 10),
            (good.clone(), "a", "segment/2", 1000, 10),
            (good.clone(), "a", "segment/1", 1001, 10),
            (good.clone(), "a", "segment/1", 1000, 100),
            (Approval { used_at: Some(at(5)), ..good.clone() }, "a", "segment/1", 1000, 10),
            (Approval { approved: false, ..good.clone() }, "a", "segment/1", 1000, 10),
            (Approval { decided_at: None, approved: false, ..good.clone() }, "a", "segment/1", 1000, 10),
            (Approval { decided_by: "a".into(), ..good.clone() }, "a", "segment/1", 1000, 10),
        ] {
            assert!(
                ask(Some(&approval), caller, what, rows, now).is_err(),
                "{approval:?} {caller} {what} {rows} {now}"
            );
        }
    }

    #[test]
    fn every_export_has_a_mark_of_its_own() {
        let permit = |actor: &str, request: &str| Permit {
            actor: actor.into(),
            at: Timestamp::from_micros(1),
            request: request.into(),
            approval: None,
        };
        assert_ne!(permit("a", "1").mark(), permit("a", "2").mark());
        assert_ne!(permit("a", "1").mark(), permit("b", "1").mark());
        assert_eq!(permit("a", "1").mark().len(), 16);
    }
}
