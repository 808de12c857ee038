//! Given names: which spellings and pet names belong to one name, as data.
use super::skeleton;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The names that a word may stand for, by their number in our list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Names that the word is a full form of, in some language.
    pub formal: Vec<u16>,
    /// Names that the word is a pet name of.
    pub pet: Vec<u16>,
}

impl Given {
    /// All names that the word may stand for.
    pub fn all(&self) -> impl Iterator<Item = u16> + '_ {
        self.formal.iter().chain(&self.pet).copied()
    }
    /// Whether the word is known at all.
    pub fn is_known(&self) -> bool {
        !self.formal.is_empty() || !self.pet.is_empty()
    }
}

/// What is known of a word, given as its [`skeleton`].
pub fn given(skeleton: &str) -> &'static Given {
    static NONE: Given = Given { formal: Vec::new(), pet: Vec::new() };
    NAMES.get(skeleton).unwrap_or(&NONE)
}

static NAMES: LazyLock<HashMap<String, Given>> = LazyLock::new(|| {
    let mut out: HashMap<String, Given> = HashMap::new();
    for (number, line) in
        (0u16..).zip(include_str!("given.txt").lines().filter(|l| !l.starts_with('#') && !l.is_empty()))
    {
        let (formal, pet) = line.split_once('|').unwrap_or((line, ""));
        for word in formal.split_whitespace() {
            let entry = out.entry(skeleton(&word.to_lowercase())).or_default();
            if !entry.formal.contains(&number) {
                entry.formal.push(number);
            }
        }
        for word in pet.split_whitespace() {
            let entry = out.entry(skeleton(&word.to_lowercase())).or_default();
            if !entry.formal.contains(&number) && !entry.pet.contains(&number) {
                entry.pet.push(number);
            }
        }
    }
    out
});
