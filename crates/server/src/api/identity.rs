//! `/identity`: the rules by which people are told apart, values that many share, pairs to look at, and what was joined and
//! separated.
pub mod changes;
pub mod listed;
pub mod review;
pub mod rules;
pub mod stitch;
pub mod suspects;

use crate::access::{Act, allows};
use crate::caller::Caller;

/// A contact as somebody may see it: whoever may not see contacts gets it masked.
pub fn shown(caller: &Caller, kind: &str, value: &str) -> String {
    match kind {
        _ if allows(caller.role, Act::SeeContacts) => value.to_string(),
        "email" => base::mask_email(value),
        "phone" => base::mask_phone(value),
        _ => value.to_string(),
    }
}
