//! Patronymics: the father's name and an ending that tells a son from a daughter.
use super::{given, skeleton};

/// What a patronymic says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patronymic {
    /// The father's name without its ending, as a skeleton.
    pub stem: String,
    /// Number of the father's name among the known ones ([`super::Given::formal`]).
    pub father: Option<u16>,
}

/// Endings as skeletons, longest first; what is left is the father's name.
const ENDINGS: &[&str] = &["oviC", "eviC", "ovna", "evna", "ivna", "iniCna", "niCna", "iviC", "iC", "ovyC", "oviCna"];

/// Reads a word as a patronymic (`Іванович`, `Сергеевна`, `Ivanivna`); `None` when it has no such ending.
///
/// Some surnames end alike (`Пашкевич`): who calls this knows in which place the word stands.
pub fn patronymic(word: &str) -> Option<Patronymic> {
    let key = skeleton(word);
    let short = ["iliC", "kuzmiC", "lukiC", "iliniCna", "kuzmiviC"];
    let ending = ENDINGS.iter().find(|e| key.len() >= e.len() + 2 && key.ends_with(**e))?;
    if *ending == "iC" && !short.contains(&key.as_str()) {
        return None;
    }
    let stem = key[..key.len() - ending.len()].to_string();
    Some(Patronymic { father: father(&stem), stem })
}

/// The man's name that begins so: endings of names change before those of patronymics (`Микола`, `Миколайович`).
fn father(stem: &str) -> Option<u16> {
    let trimmed = stem.trim_end_matches(['i', 'e', 'o', 'a']);
    let tries = [
        stem.to_string(),
        format!("{trimmed}i"),
        format!("{trimmed}ai"),
        format!("{trimmed}ei"),
        format!("{trimmed}o"),
        format!("{trimmed}a"),
    ];
    let irregular = [
        ("mikolai", "mikola"),
        ("il", "ilia"),
        ("hrihor", "hrihori"),
        ("iakiv", "iakiv"),
        ("iakovl", "iakov"),
        ("lv", "lev"),
        ("pavl", "pavlo"),
    ];
    let known = irregular.iter().find(|(from, _)| *from == stem).map(|(_, to)| *to);
    known
        .into_iter()
        .chain(tries.iter().map(String::as_str))
        .chain([trimmed])
        .find_map(|name| given(name).formal.first().copied())
}
