//! Whether goods may come back, and until when: the law of the country, and what the shop promises beyond it.
use super::model::Reason;
use loyalty::law::{Day, Law};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When the customer gets back what delivery cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShippingBack {
    Never,
    /// When everything of the order came back and some of it was our fault.
    #[default]
    OurFault,
    /// When everything of the order came back.
    AllBack,
}

/// What the shop promises. Nothing here takes from the customer what the law gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Days to return goods without a fault; the law's where that is longer.
    pub days: i64,
    /// Days to complain of a fault; the law's where that is longer.
    pub fault_days: i64,
    /// Days within which the customer gets an answer to a request or claim.
    pub answer_days: i64,
    /// Days for which an approved return waits for its goods.
    pub bring_days: i64,
    /// Days after the delivery until somebody asks how it went; 0: nobody asks.
    pub check_in_days: i64,
    /// Months of guarantee of goods that name none.
    pub warranty_months: i64,
    /// Whether goods come back by a receipt alone, for store credit.
    pub without_order: bool,
    /// Whether what the rules allow is approved without a person.
    pub approve_by_rule: bool,
    pub shipping: ShippingBack,
    /// The attribute in which products name the class that the law speaks of.
    pub class_attribute: String,
    /// The class of all goods of a category, by the category's code.
    pub class_of_category: BTreeMap<String, String>,
    /// The attribute by which sizes are told apart.
    pub size_attribute: String,
    /// The attribute that holds the months of guarantee.
    pub warranty_attribute: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            days: 14,
            fault_days: 0,
            answer_days: 3,
            bring_days: 14,
            check_in_days: 3,
            warranty_months: 12,
            without_order: false,
            approve_by_rule: true,
            shipping: ShippingBack::default(),
            class_attribute: "return_class".into(),
            class_of_category: BTreeMap::new(),
            size_attribute: "size".into(),
            warranty_attribute: "warranty_months".into(),
        }
    }
}

impl Policy {
    /// Checks what somebody wrote; gives the pointer and what is wrong.
    pub fn check(&self) -> Result<(), (String, String)> {
        let spans = [
            ("days", self.days, 3650),
            ("fault_days", self.fault_days, 3650),
            ("answer_days", self.answer_days, 365),
            ("bring_days", self.bring_days, 365),
            ("check_in_days", self.check_in_days, 365),
            ("warranty_months", self.warranty_months, 600),
        ];
        for (name, value, max) in spans {
            if !(0..=max).contains(&value) {
                return Err((format!("/{name}"), format!("it lies between 0 and {max}")));
            }
        }
        let texts = [&self.class_attribute, &self.size_attribute, &self.warranty_attribute];
        let mut texts = texts.into_iter().chain(self.class_of_category.values()).chain(self.class_of_category.keys());
        if texts.any(|text| text.is_empty() || text.len() > 100) || self.class_of_category.len() > 1000 {
            return Err((String::new(), "codes have from 1 to 100 bytes".into()));
        }
        Ok(())
    }
}

/// What is asked about goods that somebody wants to bring back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    pub reason: Reason,
    /// The day on which the customer got them.
    pub got: Day,
    pub today: Day,
    /// The class of the goods; empty: none.
    pub class: &'a str,
}

/// Why goods are not taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("it could be returned until {until}: {source_of}")]
    TooLate { until: Day, source_of: String },
    #[error("{words} are not taken back unless they have a fault: {source_of}")]
    NotTakenBack { words: String, source_of: String },
}

/// The last day on which goods that were got on a day can be brought back; the day itself does not count. With the source.
pub fn last_day(law: Option<&Law>, policy: &Policy, got: Day, fault: bool) -> (Day, String) {
    let of_shop = if fault { policy.fault_days } else { policy.days };
    let of_law = law.and_then(|law| law.returns(got));
    let by_law = of_law.map_or(0, |(r, _)| if fault { r.fault_days } else { r.days });
    match of_law {
        Some((_, source)) if by_law >= of_shop => (got.plus(by_law), source.to_string()),
        _ => (got.plus(of_shop), "what the shop promises".into()),
    }
}

/// Whether goods may come back; gives the last day on which they may.
///
/// The list of goods that are not taken back is the law's of the day on which the customer got them; it never holds against a fault.
pub fn may_return(law: Option<&Law>, policy: &Policy, asked: Asked<'_>) -> Result<Day, Denied> {
    let fault = asked.reason.is_our_fault();
    let (until, source_of) = last_day(law, policy, asked.got, fault);
    if let Some((returns, source)) = law.and_then(|law| law.returns(asked.got))
        && !fault
        && let Some(found) = returns.except.iter().find(|e| e.class == asked.class)
    {
        return Err(Denied::NotTakenBack { words: found.words.clone(), source_of: source.into() });
    }
    if asked.today > until {
        return Err(Denied::TooLate { until, source_of });
    }
    Ok(until)
}
