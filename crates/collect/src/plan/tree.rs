//! Properties as a tree that is opened only where a rule looks: everything else keeps its text, numbers above all.
use super::{Action, Path, Segment};
use serde_json::value::RawValue;

/// Elements of a list that rules are applied to.
const ELEMENTS_MAX: usize = 2_500;

/// A JSON value, opened or as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    Text(String),
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
}

/// Fields of an object in their order, repeated ones included.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut out: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    // Of a repeated name the last counts, as everywhere.
                    out.retain(|(n, _)| *n != name);
                    out.push((name, value));
                }
                Ok(Fields(out))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl Tree {
    pub(super) fn new(text: &str) -> Self {
        Tree::Text(text.to_string())
    }

    fn fields(&mut self) -> Option<&mut Vec<(String, Tree)>> {
        if let Tree::Text(text) = self
            && text.starts_with('{')
        {
            let Fields(fields) = serde_json::from_str(text).ok()?;
            *self = Tree::Object(
                fields.into_iter().map(|(n, v)| (n, Tree::Text(String::from(Box::<str>::from(v))))).collect(),
            );
        }
        match self {
            Tree::Object(fields) => Some(fields),
            _ => None,
        }
    }

    fn elements(&mut self) -> Option<&mut Vec<Tree>> {
        if let Tree::Text(text) = self
            && text.starts_with('[')
        {
            let list: Vec<Box<RawValue>> = serde_json::from_str(text).ok()?;
            *self = Tree::List(list.into_iter().map(|v| Tree::Text(String::from(Box::<str>::from(v)))).collect());
        }
        match self {
            Tree::List(list) => Some(list),
            _ => None,
        }
    }

    fn get(&mut self, name: &str) -> Option<&mut Tree> {
        self.fields()?.iter_mut().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// Does an action at every place that its path names.
    pub(super) fn apply(&mut self, action: &Action) {
        match action {
            Action::Rename { from, to } => {
                let split = from.iter().rposition(|s| s.each).map_or(0, |at| at + 1);
                let (from_rest, to_rest) = (&from[split..], &to[split..]);
                self.each(&from[..split], &mut |node| node.rename(from_rest, to_rest));
            }
            Action::Set { path, value } => {
                let split = path.iter().rposition(|s| s.each).map_or(0, |at| at + 1);
                self.each(&path[..split], &mut |node| node.put(&path[split..], Tree::new(value)));
            }
            Action::Divide { path, by } => self.each(path, &mut |node| node.divide(*by)),
            Action::Lift { path } => self.lift(path),
        }
    }

    /// Visits the nodes that a path leads to.
    fn each(&mut self, path: &[Segment], visit: &mut dyn FnMut(&mut Tree)) {
        let Some((step, rest)) = path.split_first() else { return visit(self) };
        let Some(child) = self.get(&step.name) else { return };
        if !step.each {
            return child.each(rest, visit);
        }
        for element in child.elements().into_iter().flatten().take(ELEMENTS_MAX) {
            element.each(rest, visit);
        }
    }

    fn take(&mut self, path: &[Segment]) -> Option<Tree> {
        let (step, rest) = path.split_first()?;
        if rest.is_empty() {
            let fields = self.fields()?;
            let at = fields.iter().position(|(n, _)| *n == step.name)?;
            return Some(fields.remove(at).1);
        }
        self.get(&step.name)?.take(rest)
    }

    fn has(&mut self, path: &[Segment]) -> bool {
        let Some((step, rest)) = path.split_first() else { return true };
        self.get(&step.name).is_some_and(|child| child.has(rest))
    }

    /// A standard property that is there already stays; the other one keeps its name then.
    fn rename(&mut self, from: &[Segment], to: &[Segment]) {
        if !self.has(from) || self.has(to) {
            return;
        }
        if let Some(value) = self.take(from) {
            self.put(to, value);
        }
    }

    /// Puts a value where none is.
    fn put(&mut self, path: &[Segment], value: Tree) {
        let Some((step, rest)) = path.split_first() else { return };
        let Some(fields) = self.fields() else { return };
        match fields.iter_mut().find(|(n, _)| *n == step.name) {
            Some((_, child)) if !rest.is_empty() => child.put(rest, value),
            Some(_) => {}
            None => {
                let mut value = value;
                for step in rest.iter().rev() {
                    value = Tree::Object(vec![(step.name.clone(), value)]);
                }
                fields.push((step.name.clone(), value));
            }
        }
    }

    fn divide(&mut self, by: u16) {
        let Tree::Text(text) = self else { return };
        let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        if let Some(shifted) = shifted(inner.unwrap_or(text).trim(), by.ilog10() as usize) {
            *text = shifted;
        }
    }

    fn lift(&mut self, path: &Path) {
        let mut only: Option<Vec<(String, Tree)>> = None;
        self.each(path, &mut |node| {
            if let Some([element]) = node.elements().map(Vec::as_mut_slice) {
                only = element.fields().map(|f| f.clone());
            }
        });
        let Some(own) = self.fields() else { return };
        for (name, value) in only.into_iter().flatten() {
            if !own.iter().any(|(n, _)| *n == name) {
                own.push((name, value));
            }
        }
    }

    pub(super) fn write(&self, out: &mut String) {
        match self {
            Tree::Text(text) => out.push_str(text),
            Tree::Object(fields) => {
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.push_str(&serde_json::to_string(name).unwrap_or_else(|_| "\"\"".into()));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
            Tree::List(list) => {
                out.push('[');
                for (at, value) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
        }
    }
}

/// A decimal number with its point moved to the left: exact, since money must not pass through a float. `None` for what is
/// no plain decimal number.
fn shifted(number: &str, places: usize) -> Option<String> {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |d| ("-", d));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || number.len() > 40 {
        return None;
    }
    let padded = format!("{whole:0>width$}", width = places + 1);
    let (whole, moved) = padded.split_at(padded.len() - places);
    let whole = whole.trim_start_matches('0');
    let fraction = format!("{moved}{fraction}");
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}
