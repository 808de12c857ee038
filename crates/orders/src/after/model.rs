//! The nouns of what comes after the sale.
use crate::model::Contact;
use crate::states::after::Case as CaseState;
use crate::states::payment::refund::Refund as RefundState;
use crate::states::returns::claim::Claim as ClaimState;
use crate::states::returns::exchange::Exchange as ExchangeState;
use crate::states::returns::goods::Return as ReturnState;
use base::{Quantity, Timestamp};
use serde::{Deserialize, Serialize};

/// Declares an enum whose words stand in API, files and rows.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$inner])* #[serde(rename = $text)] $variant),+ }
        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
            /// The one of this word.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|w| w.as_str() == text)
            }
        }
    };
}

named! {
    /// Why goods come back, or are complained of.
    Reason {
        TooSmall = "too_small",
        TooLarge = "too_large",
        /// It fits and works, and is not wanted.
        NotLiked = "not_liked",
        /// Bought to choose from, or no longer needed.
        ChangedMind = "changed_mind",
        NotAsDescribed = "not_as_described",
        Defect = "defect",
        /// Broken on its way.
        Damaged = "damaged",
        WrongItem = "wrong_item",
        Late = "late",
        /// Nobody took the parcel.
        NotCollected = "not_collected",
        Other = "other",
    }
}

impl Reason {
    /// Whether we, the carrier or the maker did it: then it comes back longer, whatever it is, and delivery is paid back.
    pub fn is_our_fault(self) -> bool {
        matches!(self, Reason::NotAsDescribed | Reason::Defect | Reason::Damaged | Reason::WrongItem | Reason::Late)
    }
}

named! {
    /// What a piece that came back is good for.
    Grade {
        /// As new: on sale at once, where it lies.
        Sellable = "sellable",
        /// To be sold cheaper: it lies with the damaged goods until somebody does.
        Outlet = "outlet",
        WriteOff = "write_off",
    }
}

/// Pieces of a return's line that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// The teller's own id of it, so that telling it twice counts once; empty: none.
    pub key: String,
    pub milli: i64,
    /// `None`: somebody has to look; it lies in quarantine.
    pub grade: Option<Grade>,
    pub location_no: i64,
    pub lot: String,
    pub at: Timestamp,
    pub by: String,
}

/// Pieces that shall come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// The order's line; `None` without an order.
    pub line: Option<usize>,
    pub variant_no: i64,
    pub sku: String,
    /// Asked for, in thousandths.
    pub milli: i64,
    pub reason: Reason,
    pub arrived: Vec<Arrived>,
    /// Why the rules do not allow it; `None`: they do.
    pub denied: Option<String>,
    /// What one is worth where there is no order.
    pub unit_minor: i64,
    /// What goes back for it, once that is decided.
    pub refund_minor: i64,
    pub refund_tax_minor: i64,
    /// Points that go with it: burned ones to the customer, earned ones from them.
    #[serde(default)]
    pub points_back: i64,
    #[serde(default)]
    pub points_taken: i64,
    /// What those that go back had paid, where points are a way of paying.
    #[serde(default)]
    pub points_minor: i64,
    /// Pieces for which that is.
    pub refunded_milli: i64,
}

impl ReturnLine {
    /// Writes down what all that came is worth.
    pub fn is_worth(&mut self, worth: &loyalty::refunds::Refund) {
        self.refund_minor = worth.total_minor;
        self.refund_tax_minor = worth.tax_minor;
        self.points_back = worth.points_back;
        self.points_taken = worth.points_taken;
        self.points_minor = worth.points_minor;
        self.refunded_milli = self.arrived_milli();
    }
    /// What came.
    pub fn arrived_milli(&self) -> i64 {
        self.arrived.iter().map(|a| a.milli).sum()
    }
    /// Whether somebody looked at all that came.
    pub fn is_graded(&self) -> bool {
        self.arrived.iter().all(|a| a.grade.is_some())
    }
}

/// Where a return or exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Return(ReturnState),
    Exchange(ExchangeState),
}

impl Stage {
    pub fn kind(self) -> &'static str {
        match self {
            Stage::Return(_) => "return",
            Stage::Exchange(_) => "exchange",
        }
    }
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Return(state) => state.as_str(),
            Stage::Exchange(state) => state.as_str(),
        }
    }
    pub fn parse(kind: &str, state: &str) -> Option<Self> {
        match kind {
            "return" => ReturnState::parse(state).map(Stage::Return),
            "exchange" => ExchangeState::parse(state).map(Stage::Exchange),
            _ => None,
        }
    }
    /// Whether its pieces are no longer awaited: it came to an end or to nothing.
    pub fn is_over(self) -> bool {
        match self {
            Stage::Return(state) => matches!(state, ReturnState::Refunded | ReturnState::Cancelled),
            Stage::Exchange(state) => matches!(state, ExchangeState::Fulfilled | ExchangeState::Cancelled),
        }
    }
}

/// Goods that the customer wants instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instead {
    /// The return's line that it replaces.
    pub of: usize,
    pub variant_no: i64,
    pub milli: i64,
}

/// How money is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To the payments from which it came.
    #[default]
    Payments,
    /// As store credit, which the customer chose.
    Credit,
}

/// A return or an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    pub no: i64,
    /// 0: by a receipt alone.
    pub order_no: i64,
    pub stage: Stage,
    pub request_key: String,
    pub receipt: String,
    /// Who, where there is no order that says so.
    pub contact: Contact,
    /// In the customer's words.
    pub note: String,
    /// In ours, for the customer.
    pub answer: String,
    /// References of media.
    pub photos: Vec<String>,
    pub opened_at: Timestamp,
    /// By when somebody has to do the next step: we answer, or the customer brings the goods.
    pub due_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
    pub body: ReturnBody,
}

/// What of a return is not personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnBody {
    pub lines: Vec<ReturnLine>,
    /// Where it was asked.
    pub channel: String,
    pub currency: String,
    pub opened_by: String,
    pub decided_by: String,
    pub way: Way,
    /// Kept back, because the goods are not as they were.
    pub withheld_minor: i64,
    pub shipping_minor: i64,
    /// All that goes back, goods and delivery, less what is kept back.
    pub total_minor: i64,
    pub refunds: Vec<i64>,
    /// Less than its share goes back, as what stays lost discounts.
    #[serde(default)]
    pub lost_discount_minor: i64,
    /// Store credit without an order.
    pub credit_no: Option<i64>,
    pub exchange: Option<Exchange>,
}

/// The other side of an exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub instead: Vec<Instead>,
    /// What keeps the others, until they are an order.
    pub reservation_no: Option<i64>,
    /// The order of the others.
    pub order_no: Option<i64>,
    /// Of the first order's money, so much pays for it.
    pub moved_minor: i64,
}

named! {
    /// What a claim brings.
    Resolution {
        Refund = "refund",
        Replacement = "replacement",
        /// Other goods, and some money for the trouble.
        Both = "both",
    }
}

/// Pieces that something was wrong with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimLine {
    pub line: usize,
    pub milli: i64,
    pub reason: Reason,
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub no: i64,
    pub order_no: i64,
    pub state: ClaimState,
    pub request_key: String,
    pub note: String,
    pub answer: String,
    pub photos: Vec<String>,
    pub opened_at: Timestamp,
    /// By when we answer; after a denial, until when the customer may bring more.
    pub due_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
    pub body: ClaimBody,
}

/// What of a claim is not personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimBody {
    pub lines: Vec<ClaimLine>,
    pub channel: String,
    pub owner: String,
    pub resolution: Option<Resolution>,
    /// All money of its pieces was given back or moved; they stay with the customer.
    pub settled: bool,
    /// What is given back in money.
    pub refund_minor: i64,
    pub refunds: Vec<i64>,
    /// The order of the replacement, paid with so much of the first order's money.
    pub replacement_no: Option<i64>,
    pub moved_minor: i64,
    pub decided_by: String,
}

named! {
    /// What is done after the sale.
    CaseKind {
        /// By the guarantee.
        Warranty = "warranty",
        /// Whoever pays for it.
        Repair = "repair",
        /// How to use it: somebody explains.
        Instructions = "instructions",
        /// Somebody asks how it went.
        CheckIn = "check_in",
    }
}

/// Something of ours that the customer has meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    pub variant_no: i64,
    pub milli: i64,
    pub from_no: i64,
    pub lot: String,
    pub out_at: Timestamp,
    pub back_at: Option<Timestamp>,
}

/// A case after the sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub no: i64,
    pub order_no: i64,
    pub kind: CaseKind,
    pub state: CaseState,
    pub serial: String,
    /// Who looks after it; empty: nobody yet.
    pub owner: String,
    pub note: String,
    /// What came of it, for the customer.
    pub outcome: String,
    pub opened_at: Timestamp,
    pub due_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
    pub body: CaseBody,
}

/// What of a case is not personal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseBody {
    pub line: Option<usize>,
    pub variant_no: i64,
    pub sku: String,
    /// The end of the guarantee, where there is one.
    pub warranty_until: Option<Timestamp>,
    /// The customer pays, and agreed to that.
    pub paid_by_customer: bool,
    pub loans: Vec<Loan>,
}

impl Case {
    /// Whether something of ours is with the customer.
    pub fn lends(&self) -> bool {
        self.body.loans.iter().any(|loan| loan.back_at.is_none())
    }
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub no: i64,
    pub order_no: i64,
    pub cause: Cause,
    pub provider: String,
    pub payment_id: String,
    pub amount_minor: i64,
    pub currency: String,
    pub state: RefundState,
    /// The provider's own id of it.
    pub external_id: String,
    pub why: String,
    pub actor: String,
    pub at: Timestamp,
    pub settled_at: Option<Timestamp>,
}

/// What money goes back for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Return(i64),
    Claim(i64),
    /// A kindness, with a reason.
    Goodwill(i64),
}

impl Cause {
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, no) = text.split_once(':')?;
        let no = no.parse().ok()?;
        match kind {
            "return" => Some(Cause::Return(no)),
            "claim" => Some(Cause::Claim(no)),
            "goodwill" => Some(Cause::Goodwill(no)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cause::Return(no) => write!(f, "return:{no}"),
            Cause::Claim(no) => write!(f, "claim:{no}"),
            Cause::Goodwill(no) => write!(f, "goodwill:{no}"),
        }
    }
}

/// What of an order is spoken for after the sale. Lists are by the order's lines, in thousandths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Pieces whose money was given back or moved to another order.
    pub settled: Vec<i64>,
    /// Pieces of open returns that did not come yet.
    pub coming: Vec<i64>,
    /// Pieces that stay with the customer although their money was given back or moved.
    pub kept: Vec<i64>,
    /// Money that was given for pieces that may still come back, in minor units: taken off what goes back for them.
    #[serde(default)]
    pub reduced: Vec<i64>,
    /// Pieces that came back and whose worth is in `let_go_minor`.
    #[serde(default)]
    pub valued: Vec<i64>,
    /// Of what the order cost, so much need not be paid any more: see [`crate::owing::Decided`].
    #[serde(default)]
    pub let_go_minor: i64,
    /// Pieces that came back and for which the rest was priced again, with what went back for them.
    #[serde(default)]
    pub repriced: Vec<i64>,
    #[serde(default)]
    pub repriced_minor: i64,
    /// Delivery that was given back.
    pub shipping_minor: i64,
    /// Given as store credit instead of to a payment.
    pub credited_minor: i64,
    /// Paid for another order.
    pub moved_minor: i64,
    pub returns: Vec<i64>,
    pub claims: Vec<i64>,
    pub cases: Vec<i64>,
    pub refunds: Vec<i64>,
}

impl Account {
    fn at(list: &[i64], line: usize) -> i64 {
        list.get(line).copied().unwrap_or(0)
    }
    pub fn settled(&self, line: usize) -> i64 {
        Self::at(&self.settled, line)
    }
    pub fn coming(&self, line: usize) -> i64 {
        Self::at(&self.coming, line)
    }
    pub fn kept(&self, line: usize) -> i64 {
        Self::at(&self.kept, line)
    }
    pub fn reduced(&self, line: usize) -> i64 {
        Self::at(&self.reduced, line)
    }
    pub fn repriced(&self, line: usize) -> i64 {
        Self::at(&self.repriced, line)
    }
    /// What of it changes what is to pay.
    pub fn decided(&self) -> crate::owing::Decided {
        let last = self.valued.iter().rposition(|milli| *milli != 0).map_or(0, |at| at + 1);
        crate::owing::Decided {
            came_back: self.valued[..last].to_vec(),
            let_go_minor: self.let_go_minor,
            away_minor: self.credited_minor + self.moved_minor,
        }
    }
    /// Adds to a list; what it sums to is never below nothing.
    pub fn add(list: &mut Vec<i64>, line: usize, milli: i64) {
        if list.len() <= line {
            list.resize(line + 1, 0);
        }
        list[line] += milli;
        assert!(list[line] >= 0, "an order's account after the sale is below nothing");
    }
}

/// An account of store credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditAccount {
    pub no: i64,
    /// What the customer types.
    pub code: String,
    pub currency: String,
    pub email: String,
    pub phone: String,
    pub balance_minor: i64,
    pub opened_at: Timestamp,
}

/// Pieces that are asked back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The order's line; `None` without an order.
    pub line: Option<usize>,
    /// Without an order: what it is.
    pub variant_no: i64,
    pub quantity: Quantity,
    pub reason: Reason,
}
