//! What comes after the sale as rows: changed in memory, written once a group.
use super::model::*;
use crate::model::Contact;
use crate::states::after::Case as CaseState;
use crate::states::payment::refund::Refund as RefundState;
use crate::states::returns::claim::Claim as ClaimState;
use base::Timestamp;
use db::{Bulk, DbError, Engine, Owned, Row, Table, Value};
use std::sync::Arc;

fn json<T: serde::Serialize>(body: &T) -> Result<String, DbError> {
    serde_json::to_string(body).map_err(|e| DbError::damaged("returns", e))
}

fn read<T: serde::de::DeserializeOwned>(table: &'static str, text: &str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|e| DbError::damaged(table, e))
}

fn at(row: &Row, column: usize) -> Result<Timestamp, DbError> {
    row.int(column).map(Timestamp::from_micros)
}

/// A cached table whose rows are written whole: its columns, how a row is read and how it is written.
macro_rules! rows {
    ($(#[$doc:meta])* $table:ident of $row:ty, $name:literal, $bulk:ident [$($column:literal: $kind:literal),+], $sql:literal, $from:ident, $into:ident) => {
        $(#[$doc])*
        pub struct $table;
        static $bulk: Bulk = Bulk { table: $name, columns: &[$(($column, $kind)),+], key: 1, insert_only: false };
        impl Table for $table {
            type Key = i64;
            type Row = Arc<$row>;
            const NAME: &'static str = $name;
            const LAZY: bool = false;
            const EAGER: bool = true;

            fn slice(key: i64) -> i64 {
                key >> 10
            }
            fn weight(_: &Arc<$row>) -> usize {
                size_of::<$row>() + 512
            }
            fn load(db: &mut Engine, key: i64) -> Result<Option<Arc<$row>>, DbError> {
                db.first($sql, &[key.into()])?.map(|row| $from(key, &row).map(Arc::new)).transpose()
            }
            fn flush(db: &mut Engine, rows: &[(i64, &Arc<$row>)], _: i64) -> Result<(), DbError> {
                let owned = rows.iter().map(|(key, row)| $into(*key, row)).collect::<Result<Vec<_>, _>>()?;
                let values: Vec<Vec<Value<'_>>> = owned.iter().map(|r| r.iter().map(Owned::as_value).collect()).collect();
                let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
                db.bulk(&$bulk, &refs)
            }
        }
    };
}

rows! {
    /// Returns and exchanges by number.
    ReturnTable of Return, "returns", RETURNS [
        "no": 'i', "order_no": 'i', "kind": 't', "state": 't', "request_key": 't', "receipt": 't', "email": 't', "phone": 't',
        "name": 't', "note": 't', "answer": 't', "photos": 't', "opened_at": 'i', "due_at": 'i', "updated_at": 'i', "version": 'i',
        "body": 't'
    ],
    "SELECT order_no, kind, state, request_key, receipt, email, phone, name, note, answer, photos, opened_at, due_at, updated_at, version, body FROM returns WHERE no = $1",
    return_of, of_return
}

fn return_of(no: i64, row: &Row) -> Result<Return, DbError> {
    let stage = Stage::parse(row.text(1)?, row.text(2)?);
    Ok(Return {
        no,
        order_no: row.int(0)?,
        stage: stage.ok_or_else(|| DbError::damaged("returns", "an unknown state"))?,
        request_key: row.text(3)?.into(),
        receipt: row.text(4)?.into(),
        contact: Contact {
            email: row.text(5)?.into(),
            phone: row.text(6)?.into(),
            name: row.text(7)?.into(),
            ..Contact::default()
        },
        note: row.text(8)?.into(),
        answer: row.text(9)?.into(),
        photos: read("returns", row.text(10)?)?,
        opened_at: at(row, 11)?,
        due_at: at(row, 12)?,
        updated_at: at(row, 13)?,
        version: row.int(14)?,
        body: read("returns", row.text(15)?)?,
    })
}

fn of_return(no: i64, r: &Return) -> Result<Vec<Owned>, DbError> {
    Ok(vec![
        no.into(),
        r.order_no.into(),
        r.stage.kind().into(),
        r.stage.as_str().into(),
        r.request_key.as_str().into(),
        r.receipt.as_str().into(),
        r.contact.email.as_str().into(),
        r.contact.phone.as_str().into(),
        r.contact.name.as_str().into(),
        r.note.as_str().into(),
        r.answer.as_str().into(),
        json(&r.photos)?.into(),
        r.opened_at.micros().into(),
        r.due_at.micros().into(),
        r.updated_at.micros().into(),
        r.version.into(),
        json(&r.body)?.into(),
    ])
}

rows! {
    /// Claims by number.
    ClaimTable of Claim, "claims", CLAIMS [
        "no": 'i', "order_no": 'i', "state": 't', "request_key": 't', "note": 't', "answer": 't', "photos": 't', "opened_at": 'i',
        "due_at": 'i', "updated_at": 'i', "version": 'i', "body": 't'
    ],
    "SELECT order_no, state, request_key, note, answer, photos, opened_at, due_at, updated_at, version, body FROM claims WHERE no = $1",
    claim_of, of_claim
}

fn claim_of(no: i64, row: &Row) -> Result<Claim, DbError> {
    let state = ClaimState::parse(row.text(1)?);
    Ok(Claim {
        no,
        order_no: row.int(0)?,
        state: state.ok_or_else(|| DbError::damaged("claims", "an unknown state"))?,
        request_key: row.text(2)?.into(),
        note: row.text(3)?.into(),
        answer: row.text(4)?.into(),
        photos: read("claims", row.text(5)?)?,
        opened_at: at(row, 6)?,
        due_at: at(row, 7)?,
        updated_at: at(row, 8)?,
        version: row.int(9)?,
        body: read("claims", row.text(10)?)?,
    })
}

fn of_claim(no: i64, c: &Claim) -> Result<Vec<Owned>, DbError> {
    Ok(vec![
        no.into(),
        c.order_no.into(),
        c.state.as_str().into(),
        c.request_key.as_str().into(),
        c.note.as_str().into(),
        c.answer.as_str().into(),
        json(&c.photos)?.into(),
        c.opened_at.micros().into(),
        c.due_at.micros().into(),
        c.updated_at.micros().into(),
        c.version.into(),
        json(&c.body)?.into(),
    ])
}

rows! {
    /// Cases after the sale by number.
    CaseTable of Case, "after_sale", CASES [
        "no": 'i', "order_no": 'i', "kind": 't', "state": 't', "serial": 't', "owner": 't', "note": 't', "outcome": 't',
        "opened_at": 'i', "due_at": 'i', "updated_at": 'i', "version": 'i', "body": 't'
    ],
    "SELECT order_no, kind, state, serial, owner, note, outcome, opened_at, due_at, updated_at, version, body FROM after_sale WHERE no = $1",
    case_of, of_case
}

fn case_of(no: i64, row: &Row) -> Result<Case, DbError> {
    let (kind, state) = (CaseKind::parse(row.text(1)?), CaseState::parse(row.text(2)?));
    let (Some(kind), Some(state)) = (kind, state) else {
        return Err(DbError::damaged("after_sale", "an unknown kind or state"));
    };
    Ok(Case {
        no,
        order_no: row.int(0)?,
        kind,
        state,
        serial: row.text(3)?.into(),
        owner: row.text(4)?.into(),
        note: row.text(5)?.into(),
        outcome: row.text(6)?.into(),
        opened_at: at(row, 7)?,
        due_at: at(row, 8)?,
        updated_at: at(row, 9)?,
        version: row.int(10)?,
        body: read("after_sale", row.text(11)?)?,
    })
}

fn of_case(no: i64, c: &Case) -> Result<Vec<Owned>, DbError> {
    Ok(vec![
        no.into(),
        c.order_no.into(),
        c.kind.as_str().into(),
        c.state.as_str().into(),
        c.serial.as_str().into(),
        c.owner.as_str().into(),
        c.note.as_str().into(),
        c.outcome.as_str().into(),
        c.opened_at.micros().into(),
        c.due_at.micros().into(),
        c.updated_at.micros().into(),
        c.version.into(),
        json(&c.body)?.into(),
    ])
}

rows! {
    /// Refunds by number.
    RefundTable of Refund, "refunds", REFUNDS [
        "no": 'i', "order_no": 'i', "cause": 't', "provider": 't', "payment_id": 't', "amount_minor": 'i', "currency": 't',
        "state": 't', "external_id": 't', "why": 't', "actor": 't', "at": 'i', "settled_at": 'i'
    ],
    "SELECT order_no, cause, provider, payment_id, amount_minor, currency, state, external_id, why, actor, at, settled_at FROM refunds WHERE no = $1",
    refund_of, of_refund
}

/// A refund of a row whose columns stand in this order.
pub(super) fn refund_of(no: i64, row: &Row) -> Result<Refund, DbError> {
    let (cause, state) = (Cause::parse(row.text(1)?), RefundState::parse(row.text(6)?));
    let (Some(cause), Some(state)) = (cause, state) else {
        return Err(DbError::damaged("refunds", "an unknown cause or state"));
    };
    Ok(Refund {
        no,
        order_no: row.int(0)?,
        cause,
        provider: row.text(2)?.into(),
        payment_id: row.text(3)?.into(),
        amount_minor: row.int(4)?,
        currency: row.text(5)?.into(),
        state,
        external_id: row.text(7)?.into(),
        why: row.text(8)?.into(),
        actor: row.text(9)?.into(),
        at: at(row, 10)?,
        settled_at: Some(at(row, 11)?).filter(|at| at.micros() > 0),
    })
}

fn of_refund(no: i64, r: &Refund) -> Result<Vec<Owned>, DbError> {
    Ok(vec![
        no.into(),
        r.order_no.into(),
        r.cause.to_string().into(),
        r.provider.as_str().into(),
        r.payment_id.as_str().into(),
        r.amount_minor.into(),
        r.currency.as_str().into(),
        r.state.as_str().into(),
        r.external_id.as_str().into(),
        r.why.as_str().into(),
        r.actor.as_str().into(),
        r.at.micros().into(),
        r.settled_at.map_or(0, Timestamp::micros).into(),
    ])
}

rows! {
    /// What of an order is spoken for after the sale, by the order's number.
    AccountTable of Account, "after_orders", ACCOUNTS ["order_no": 'i', "body": 't'],
    "SELECT body FROM after_orders WHERE order_no = $1",
    account_of, of_account
}

fn account_of(_: i64, row: &Row) -> Result<Account, DbError> {
    read("after_orders", row.text(0)?)
}

fn of_account(no: i64, account: &Account) -> Result<Vec<Owned>, DbError> {
    Ok(vec![no.into(), json(account)?.into()])
}

rows! {
    /// Accounts of store credit by number.
    CreditTable of CreditAccount, "credit_accounts", CREDITS [
        "no": 'i', "code": 't', "currency": 't', "email": 't', "phone": 't', "balance_minor": 'i', "opened_at": 'i'
    ],
    "SELECT code, currency, email, phone, balance_minor, opened_at FROM credit_accounts WHERE no = $1",
    credit_of, of_credit
}

fn credit_of(no: i64, row: &Row) -> Result<CreditAccount, DbError> {
    Ok(CreditAccount {
        no,
        code: row.text(0)?.into(),
        currency: row.text(1)?.into(),
        email: row.text(2)?.into(),
        phone: row.text(3)?.into(),
        balance_minor: row.int(4)?,
        opened_at: at(row, 5)?,
    })
}

fn of_credit(no: i64, c: &CreditAccount) -> Result<Vec<Owned>, DbError> {
    Ok(vec![
        no.into(),
        c.code.as_str().into(),
        c.currency.as_str().into(),
        c.email.as_str().into(),
        c.phone.as_str().into(),
        c.balance_minor.into(),
        c.opened_at.micros().into(),
    ])
}
