//! What all machines share.
use std::fmt::{Debug, Display};

/// A word of a machine: a state, an action or a guard.
pub trait Word: Copy + Eq + Debug + Display + 'static {
    /// All of them.
    const ALL: &'static [Self];
    /// As it stands in API, files and diagrams: `snake_case`.
    fn word(self) -> &'static str;
}

/// Declares an enum of words with their texts and meanings.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$inner])* #[serde(rename = $text)] $variant),+ }
        impl $crate::states::machine::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::states::machine::Word::word(*self))
            }
        }
        impl $name {
            /// The one of this text.
            pub fn parse(text: &str) -> Option<Self> {
                <Self as $crate::states::machine::Word>::ALL.iter().copied().find(|w| $crate::states::machine::Word::word(*w) == text)
            }
            /// Its text.
            pub fn as_str(self) -> &'static str {
                $crate::states::machine::Word::word(self)
            }
        }
    };
}
pub(super) use words;

/// One line of a machine's table.
#[derive(Debug, Clone, Copy)]
pub struct Row<S: 'static, A: 'static, G: 'static> {
    /// Before.
    pub from: S,
    /// What is done.
    pub by: A,
    /// What must hold, all of it.
    pub if_all: &'static [G],
    /// After.
    pub to: S,
}

/// A row: from, by, guards, to.
pub(super) const fn row<S, A, G>(from: S, by: A, if_all: &'static [G], to: S) -> Row<S, A, G> {
    Row { from, by, if_all, to }
}

/// A machine; its states are the type that implements it.
pub trait Machine: Word {
    /// What can be done.
    type Action: Word;
    /// What may have to hold.
    type Guard: Word;
    /// What it is called.
    const NAME: &'static str;
    /// Where a life begins.
    const START: &'static [Self];
    /// All steps.
    const TABLE: &'static [Row<Self, Self::Action, Self::Guard>];

    /// Whether a life ends here.
    fn is_end(self) -> bool {
        !Self::TABLE.iter().any(|row| row.from == self && row.to != self)
    }
}

/// Why a step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// In this state that is never done.
    NotHere,
    /// It would be done, but this does not hold; of several the first.
    Missing(&'static str),
    /// The life is over.
    Over,
}

/// A step that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{machine} is {state} and cannot {action}: {}", words_of(.why, .possible))]
pub struct Refusal {
    /// Which machine.
    pub machine: &'static str,
    /// Where it is.
    pub state: &'static str,
    /// What was asked.
    pub action: &'static str,
    /// Why not.
    pub why: Why,
    /// What would be possible, with what has to hold.
    pub possible: Vec<(&'static str, Vec<&'static str>)>,
}

fn words_of(why: &Why, possible: &[(&'static str, Vec<&'static str>)]) -> String {
    let spaced = |word: &str| word.replace('_', " ");
    let reason = match why {
        Why::NotHere => "that is not done in this state".to_string(),
        Why::Missing(guard) => format!("it needs that {}", spaced(guard)),
        Why::Over => "nothing is done any more".to_string(),
    };
    let mut can: Vec<String> = possible.iter().map(|(action, _)| spaced(action)).collect();
    can.dedup();
    if can.is_empty() { reason } else { format!("{reason}; possible: {}", can.join(", ")) }
}

/// The state after an action, if `holds` has what a row needs.
pub fn step<M: Machine>(state: M, action: M::Action, holds: &[M::Guard]) -> Result<M, Refusal> {
    let mut missing = None;
    for row in M::TABLE.iter().filter(|row| row.from == state && row.by == action) {
        match row.if_all.iter().find(|guard| !holds.contains(guard)) {
            None => return Ok(row.to),
            Some(guard) => missing = missing.or(Some(guard.word())),
        }
    }
    let why = match missing {
        Some(guard) => Why::Missing(guard),
        None if state.is_end() => Why::Over,
        None => Why::NotHere,
    };
    Err(Refusal { machine: M::NAME, state: state.word(), action: action.word(), why, possible: possible(state) })
}

/// What can be done in a state, with what has to hold.
pub fn possible<M: Machine>(state: M) -> Vec<(&'static str, Vec<&'static str>)> {
    let of_state = M::TABLE.iter().filter(|row| row.from == state);
    of_state.map(|row| (row.by.word(), row.if_all.iter().map(|g| g.word()).collect())).collect()
}

/// The machine as a Mermaid state diagram.
pub fn mermaid<M: Machine>() -> String {
    let mut out = String::from("stateDiagram-v2\n");
    for start in M::START {
        out.push_str(&format!("    [*] --> {start}\n"));
    }
    for row in M::TABLE {
        let guards: Vec<&str> = row.if_all.iter().map(|g| g.word()).collect();
        let guards = if guards.is_empty() { String::new() } else { format!(" [{}]", guards.join(", ")) };
        out.push_str(&format!("    {} --> {}: {}{guards}\n", row.from, row.to, row.by));
    }
    for end in M::ALL.iter().filter(|state| state.is_end()) {
        out.push_str(&format!("    {end} --> [*]\n"));
    }
    out
}
