//! Who may do what: one pure function over a table. docs/roles.md is printed from it.
use serde::{Deserialize, Serialize};

/// What somebody is in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Segments, messages, imports; sees no plain contacts.
    Marketer,
    /// Talks with customers without seeing how they are reached.
    Agent,
    /// Serves the customers of their own stores.
    ShopAssistant,
    /// Sees figures and no person; the least that there is.
    Planner,
    /// Reads everything except users, keys and the audit; writes nothing.
    Analyst,
}

impl Role {
    /// All roles, in the order of the printed table.
    pub const ALL: [Role; 6] =
        [Role::Owner, Role::Marketer, Role::Agent, Role::ShopAssistant, Role::Planner, Role::Analyst];

    /// The role's name, as it is stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Marketer => "marketer",
            Role::Agent => "agent",
            Role::ShopAssistant => "shop_assistant",
            Role::Planner => "planner",
            Role::Analyst => "analyst",
        }
    }
    /// The inverse of [`Role::as_str`]. A role that this program does not know may as little as there is.
    pub fn parse(text: &str) -> Role {
        Role::ALL.into_iter().find(|r| r.as_str() == text).unwrap_or(Role::Planner)
    }
    /// Whether somebody of this role sees only the customers of their stores.
    pub fn keeps_to_stores(self) -> bool {
        self == Role::ShopAssistant
    }
}

/// A part of the back office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// The first page: counts and figures of the shop.
    Home,
    /// Customers, their pages and timelines, notes.
    Customers,
    /// Which identifiers are one person: the graph, joins, cuts, reviews.
    Identity,
    /// The ledger of consents.
    Consents,
    /// Segments, their members and counts.
    Segments,
    /// Templates, rules, caps, the outbox.
    Messages,
    /// The stream of events and rejects, the debugger, the tracking plan.
    Events,
    /// Where events come from and their keys.
    Sources,
    /// Bringing data in.
    Imports,
    /// Taking data out.
    Exports,
    /// Access and erasure requests, retention, the register of purposes.
    Privacy,
    /// The shop's settings, stores, webhooks, computed traits.
    Settings,
    /// Users, invitations, API keys.
    Accounts,
    /// Who did and saw what.
    Audit,
    /// Long work and its progress.
    Jobs,
    /// Purchases and returns, online and at the till.
    Orders,
    /// Contacts and complaints.
    Service,
    /// Reviews of products and stores.
    Reviews,
    /// Products, families, categories, brands, channels, feeds.
    Catalog,
    /// Places, what lies there, movements, transfers, counts, purchases.
    Stock,
    /// Price lists, promotions, points, rules of law.
    Prices,
}

impl Area {
    /// All areas, in the order of the printed table.
    pub const ALL: [Area; 21] = [
        Area::Home,
        Area::Customers,
        Area::Identity,
        Area::Consents,
        Area::Segments,
        Area::Messages,
        Area::Events,
        Area::Sources,
        Area::Imports,
        Area::Exports,
        Area::Privacy,
        Area::Settings,
        Area::Accounts,
        Area::Audit,
        Area::Jobs,
        Area::Orders,
        Area::Service,
        Area::Reviews,
        Area::Catalog,
        Area::Stock,
        Area::Prices,
    ];

    /// The area's name, as it is stored in scopes and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Area::Home => "home",
            Area::Customers => "customers",
            Area::Identity => "identity",
            Area::Consents => "consents",
            Area::Segments => "segments",
            Area::Messages => "messages",
            Area::Events => "events",
            Area::Sources => "sources",
            Area::Imports => "imports",
            Area::Exports => "exports",
            Area::Privacy => "privacy",
            Area::Settings => "settings",
            Area::Accounts => "accounts",
            Area::Audit => "audit",
            Area::Jobs => "jobs",
            Area::Orders => "orders",
            Area::Service => "service",
            Area::Reviews => "reviews",
            Area::Catalog => "catalog",
            Area::Stock => "stock",
            Area::Prices => "prices",
        }
    }
    /// The inverse of [`Area::as_str`].
    pub fn parse(text: &str) -> Option<Area> {
        Area::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Look at an area.
    Read(Area),
    /// Change something in an area.
    Write(Area),
    /// One's own session, password and second factor.
    Own,
    /// See phones and e-mails plainly, everywhere.
    SeeContacts,
    /// See one customer's contacts plainly, with a reason, noted in the audit.
    RevealContact,
    /// Begin a call or a message to a customer without seeing where it goes.
    Contact,
    /// Be the second person for somebody else's large export.
    ApproveExport,
    /// See what goods cost the shop.
    SeeCosts,
}

impl Act {
    /// Every act, in the order of the printed table.
    pub fn all() -> Vec<Act> {
        let of_area = Area::ALL.into_iter().flat_map(|a| [Act::Read(a), Act::Write(a)]);
        let others = [Act::Own, Act::SeeContacts, Act::RevealContact, Act::Contact, Act::ApproveExport, Act::SeeCosts];
        of_area.chain(others).collect()
    }
    /// The act's name, as in scopes and in the printed table: `customers:read`, `contacts:reveal`.
    pub fn name(self) -> String {
        match self {
            Act::Read(area) => format!("{}:read", area.as_str()),
            Act::Write(area) => format!("{}:write", area.as_str()),
            Act::Own => "own".into(),
            Act::SeeContacts => "contacts:see".into(),
            Act::RevealContact => "contacts:reveal".into(),
            Act::Contact => "contacts:use".into(),
            Act::ApproveExport => "exports:approve".into(),
            Act::SeeCosts => "costs:see".into(),
        }
    }
    /// The inverse of [`Act::name`].
    pub fn parse(name: &str) -> Option<Act> {
        Act::all().into_iter().find(|a| a.name() == name)
    }
}

/// Whether `role` may `act`. What is not allowed here is forbidden.
pub fn allows(role: Role, act: Act) -> bool {
    use Area::*;
    match (role, act) {
        (Role::Owner, _) | (_, Act::Own) => true,
        (_, Act::SeeContacts | Act::ApproveExport) => false,
        (role, Act::SeeCosts) => matches!(role, Role::Planner | Role::Analyst),
        (Role::Marketer, Act::Read(area)) => !matches!(area, Privacy | Accounts | Audit),
        (Role::Marketer, Act::Write(area)) => {
            matches!(
                area,
                Customers
                    | Identity
                    | Consents
                    | Segments
                    | Messages
                    | Imports
                    | Exports
                    | Jobs
                    | Reviews
                    | Catalog
                    | Prices
            )
        }
        (Role::Marketer, Act::RevealContact | Act::Contact) => true,
        (Role::Agent, Act::Read(area)) => {
            matches!(
                area,
                Home | Customers
                    | Identity
                    | Consents
                    | Segments
                    | Messages
                    | Privacy
                    | Orders
                    | Service
                    | Reviews
                    | Catalog
                    | Stock
                    | Prices
            )
        }
        (Role::Agent, Act::Write(area)) => matches!(area, Customers | Consents | Service | Orders | Reviews),
        (Role::Agent, Act::RevealContact | Act::Contact) => true,
        (Role::ShopAssistant, Act::Read(area)) => {
            matches!(area, Customers | Consents | Orders | Service | Catalog | Stock | Prices)
        }
        (Role::ShopAssistant, Act::Write(area)) => matches!(area, Customers | Consents | Stock | Orders),
        (Role::ShopAssistant, Act::RevealContact) => false,
        (Role::ShopAssistant, Act::Contact) => true,
        (Role::Planner, Act::Read(area)) => matches!(area, Home | Jobs | Catalog | Stock | Prices),
        (Role::Planner, Act::Write(area)) => area == Stock,
        (Role::Planner, Act::RevealContact | Act::Contact) => false,
        (Role::Analyst, Act::Read(area)) => !matches!(area, Accounts | Audit),
        (Role::Analyst, Act::Write(_) | Act::RevealContact | Act::Contact) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as people agreed on it, written down a second time in another form: r reads, w writes, b both.
    #[test]
    fn the_table_is_the_agreed_one() {
        let agreed = [
            // home customers identity consents segments messages events sources imports exports privacy settings
            // accounts audit jobs orders service reviews catalog stock prices
            (Role::Owner, "bbbbbbbbbbbbbbbbbbbbb"),
            (Role::Marketer, "rbbbbbrrbb-r--brrbbrb"),
            (Role::Agent, "rbrbrr----r----bbbrrr"),
            (Role::ShopAssistant, "-b-b-----------br-rbr"),
            (Role::Planner, "r-------------r---rbr"),
            (Role::Analyst, "rrrrrrrrrrrr--rrrrrrr"),
        ];
        for (role, marks) in agreed {
            let found: String = Area::ALL
                .map(|a| match (allows(role, Act::Read(a)), allows(role, Act::Write(a))) {
                    (true, true) => 'b',
                    (true, false) => 'r',
                    (false, true) => 'w',
                    (false, false) => '-',
                })
                .iter()
                .collect();
            assert_eq!(found, marks, "{role:?}");
        }
        let who = |act: Act| Role::ALL.into_iter().filter(|r| allows(*r, act)).collect::<Vec<_>>();
        assert_eq!(who(Act::Own), Role::ALL);
        assert_eq!(who(Act::SeeContacts), [Role::Owner]);
        assert_eq!(who(Act::ApproveExport), [Role::Owner]);
        assert_eq!(who(Act::SeeCosts), [Role::Owner, Role::Planner, Role::Analyst]);
        assert_eq!(who(Act::RevealContact), [Role::Owner, Role::Marketer, Role::Agent]);
        assert_eq!(who(Act::Contact), [Role::Owner, Role::Marketer, Role::Agent, Role::ShopAssistant]);
    }

    #[test]
    fn nobody_writes_what_they_cannot_read() {
        for (role, area) in Role::ALL.into_iter().flat_map(|r| Area::ALL.map(|a| (r, a))) {
            assert!(!allows(role, Act::Write(area)) || allows(role, Act::Read(area)), "{role:?} {area:?}");
        }
    }

    #[test]
    fn names_come_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), role);
        }
        assert_eq!(Role::parse("root"), Role::Planner);
        for area in Area::ALL {
            assert_eq!(Area::parse(area.as_str()), Some(area));
        }
        for act in Act::all() {
            assert_eq!(Act::parse(&act.name()), Some(act));
        }
        assert_eq!((Area::parse("x"), Act::parse("customers:own")), (None, None));
    }
}
