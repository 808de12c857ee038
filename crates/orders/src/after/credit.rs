//! Store credit: accounts with a code, and a ledger in which every posting has two sides.
//!
//! A posting is done once for its key, such as `give:refund:7`. An account is never below zero. Whoever has the code can pay with it.
use super::CreditTable;
use super::model::CreditAccount;
use crate::error::OrderError;
use crate::model::Contact;
use db::{Bulk, Tx};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;
use std::sync::Arc;

/// The shop's side of every posting.
pub const SHOP: i64 = 0;
/// The provider under which credit pays for orders and takes refunds; the payment's id is the account's number.
pub const PROVIDER: &str = "store_credit";

static POSTINGS: Bulk = Bulk {
    table: "credit_postings",
    columns: &[("no", 'i'), ("key", 't'), ("what", 't'), ("why", 't'), ("actor", 't'), ("at", 'i')],
    key: 1,
    insert_only: true,
};
static LINES: Bulk = Bulk {
    table: "credit_lines",
    columns: &[("posting_no", 'i'), ("account_no", 'i'), ("minor", 'i')],
    key: 2,
    insert_only: true,
};

/// An account by number.
pub fn account(tx: &mut Tx, no: i64) -> Result<Arc<CreditAccount>, OrderError> {
    let found = tx.get::<CreditTable>(no)?.cloned();
    found.ok_or_else(|| OrderError::Unknown { what: "store credit", id: no.to_string() })
}

/// An account by its code, however it was typed.
pub fn by_code(tx: &mut Tx, code: &str) -> Result<Arc<CreditAccount>, OrderError> {
    let typed: String = code.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    tx.flush_table::<CreditTable>()?;
    let row =
        tx.first("SELECT no FROM credit_accounts WHERE code = $1", &[typed.to_ascii_uppercase().as_str().into()])?;
    let no = row.map(|row| row.int(0)).transpose()?;
    let no = no.ok_or_else(|| OrderError::Unknown { what: "store credit", id: typed.chars().take(4).collect() })?;
    account(tx, no)
}

/// The account of somebody in a currency, opened where there is none. Whoever left neither e-mail nor phone gets one of their own.
pub fn of_contact(tx: &mut Tx, contact: &Contact, currency: &str) -> Result<Arc<CreditAccount>, OrderError> {
    tx.flush_table::<CreditTable>()?;
    let by_email =
        "SELECT no FROM credit_accounts WHERE email = $1 AND email <> '' AND currency = $2 ORDER BY no LIMIT 1";
    let by_phone =
        "SELECT no FROM credit_accounts WHERE phone = $1 AND phone <> '' AND currency = $2 ORDER BY no LIMIT 1";
    for (sql, value) in [(by_email, &contact.email), (by_phone, &contact.phone)] {
        if !value.is_empty()
            && let Some(row) = tx.first(sql, &[value.into(), currency.into()])?
        {
            let no = row.int(0)?;
            return account(tx, no);
        }
    }
    let no = tx.next_id();
    let opened = Arc::new(CreditAccount {
        no,
        code: code_of(tx.hash_key(), no),
        currency: currency.into(),
        email: contact.email.clone(),
        phone: contact.phone.clone(),
        balance_minor: 0,
        opened_at: tx.now(),
    });
    tx.put::<CreditTable>(no, opened.clone());
    Ok(opened)
}

/// Sixteen characters that do not look alike: 80 bits of a keyed hash, so that nobody guesses one from another.
fn code_of(key: (u64, u64), no: i64) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(b"store_credit");
    hasher.write_i64(no);
    let hash = hasher.finish128().as_u128();
    (0..16).map(|at| char::from(LETTERS[(hash >> (at * 5)) as usize & 31])).collect()
}

/// Gives credit. The same key gives once.
pub fn give(tx: &mut Tx, no: i64, minor: i64, key: &str, why: &str, actor: &str) -> Result<(), OrderError> {
    post(tx, no, minor, ("give", key), why, actor)
}

/// Pays with credit. The same key pays once; more than there is is refused.
pub fn spend(tx: &mut Tx, no: i64, minor: i64, key: &str, why: &str, actor: &str) -> Result<(), OrderError> {
    let there = account(tx, no)?.balance_minor;
    if minor > there && !is_posted(tx, "spend", key)? {
        return Err(OrderError::field("/amount", format!("the credit is {there}, less than {minor}")));
    }
    post(tx, no, -minor, ("spend", key), why, actor)
}

fn is_posted(tx: &mut Tx, what: &str, key: &str) -> Result<bool, OrderError> {
    let key = format!("{what}:{key}");
    Ok(tx.first("SELECT no FROM credit_postings WHERE key = $1", &[(&key).into()])?.is_some())
}

fn post(
    tx: &mut Tx,
    account_no: i64,
    minor: i64,
    (what, key): (&str, &str),
    why: &str,
    actor: &str,
) -> Result<(), OrderError> {
    if minor == 0 || key.is_empty() || key.len() > 200 || why.len() > 500 {
        return Err(OrderError::field("/amount", "a posting is of more than nothing, under a key"));
    }
    account(tx, account_no)?;
    if is_posted(tx, what, key)? {
        return Ok(());
    }
    let (no, now) = (tx.next_id(), tx.now());
    let key = format!("{what}:{key}");
    tx.append(&POSTINGS, vec![no.into(), key.into(), what.into(), why.into(), actor.into(), now.micros().into()]);
    for (account_no, minor) in [(account_no, minor), (SHOP, -minor)] {
        tx.append(&LINES, vec![no.into(), account_no.into(), minor.into()]);
    }
    if let Some(row) = tx.get_mut::<CreditTable>(account_no)? {
        let row = Arc::make_mut(row);
        row.balance_minor += minor;
        assert!(row.balance_minor >= 0, "store credit is below nothing");
    }
    Ok(())
}
