//! Who may do what: one pure function.
use serde::{Deserialize, Serialize};

/// What somebody is in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Reads everything except accounts and the audit; writes nothing.
    Analyst,
}

impl Role {
    /// The role's name, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Analyst => "analyst",
        }
    }
    /// The inverse of [`Role::as_str`]. A role that we do not know may as little as possible.
    pub fn parse(text: &str) -> Role {
        if text == "owner" { Role::Owner } else { Role::Analyst }
    }
}

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Look at customers, segments, messages, events.
    Read,
    /// Change any of them.
    Write,
    /// See or change users, keys and the audit.
    Govern,
}

/// Whether `role` may `act`.
pub fn allows(role: Role, act: Act) -> bool {
    match (role, act) {
        (Role::Owner, _) | (Role::Analyst, Act::Read) => true,
        (Role::Analyst, Act::Write | Act::Govern) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_analyst_only_reads() {
        let all = [Act::Read, Act::Write, Act::Govern];
        assert_eq!(all.map(|a| allows(Role::Owner, a)), [true, true, true]);
        assert_eq!(all.map(|a| allows(Role::Analyst, a)), [true, false, false]);
        assert_eq!([Role::Owner, Role::Analyst].map(|r| Role::parse(r.as_str())), [Role::Owner, Role::Analyst]);
        assert_eq!(Role::parse("root"), Role::Analyst);
    }
}
