//! Settings as a folder of TOML files, and back: one file a setting, in folders by kind, with names that people can read.
//!
//! What names a setting stands in the file (`name`), not in the file's name, so files may be renamed freely. The state of the
//! last pull lies beside them in `.pulled.json`.
use anyhow::{Context, anyhow, bail};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The kind of a setting and its name.
pub type Key = (String, String);

/// Where the state of the last pull lies.
const PULLED: &str = ".pulled.json";

/// Kinds of which a shop has one, with their files.
const SINGLE: [(&str, &str); 6] = [
    ("shop", "shop.toml"),
    ("security", "security.toml"),
    ("profile", "profile.toml"),
    ("identity", "identity.toml"),
    ("caps", "caps.toml"),
    ("quiet_hours", "quiet-hours.toml"),
];

/// Kinds of which a shop has many, with their folders.
const MANY: [(&str, &str); 5] = [
    ("source", "sources"),
    ("segment", "segments"),
    ("template", "templates"),
    ("message_rule", "message-rules"),
    ("purpose", "purposes"),
];

/// A setting in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Filed {
    /// Relative to the folder.
    pub path: PathBuf,
    pub value: Map<String, Value>,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Folder {
    pub settings: BTreeMap<Key, Filed>,
    /// What the shop had when the folder was written last: hash and file.
    pub pulled: BTreeMap<Key, Pulled>,
}

/// A setting as it was pulled.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pulled {
    pub kind: String,
    pub name: String,
    /// The server's name of that state.
    pub hash: String,
    /// The text that was written.
    pub text: String,
}

/// A setting as TOML.
pub fn text(name: &str, value: &Map<String, Value>) -> String {
    let mut table = toml::Table::new();
    if !name.is_empty() {
        table.insert("name".into(), toml::Value::String(name.into()));
    }
    table.extend(value.iter().filter_map(|(k, v)| Some((k.clone(), to_toml(v)?))));
    toml::to_string_pretty(&table).unwrap_or_default()
}

/// Null is an absent key: TOML has none.
fn to_toml(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(b) => toml::Value::Boolean(*b),
        Value::Number(n) => match n.as_i64() {
            Some(n) => toml::Value::Integer(n),
            None => toml::Value::Float(n.as_f64()?),
        },
        Value::String(s) => toml::Value::String(s.clone()),
        Value::Array(items) => toml::Value::Array(items.iter().filter_map(to_toml).collect()),
        Value::Object(map) => {
            toml::Value::Table(map.iter().filter_map(|(k, v)| Some((k.clone(), to_toml(v)?))).collect())
        }
    })
}

fn from_toml(value: toml::Value) -> anyhow::Result<Value> {
    Ok(match value {
        toml::Value::String(s) => Value::String(s),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(n) => serde_json::Number::from_f64(n).context("a number without end")?.into(),
        toml::Value::Boolean(b) => Value::Bool(b),
        toml::Value::Datetime(d) => bail!("write {d} in quotes"),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(from_toml).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => Value::Object(object(table)?),
    })
}

fn object(table: toml::Table) -> anyhow::Result<Map<String, Value>> {
    table.into_iter().map(|(k, v)| Ok((k, from_toml(v)?))).collect()
}

/// The name of a file from the name of a thing: letters of any alphabet and digits, the rest dashes.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().flat_map(char::to_lowercase).take(60) {
        match c {
            c if c.is_alphanumeric() => out.push(c),
            _ if !out.ends_with('-') && !out.is_empty() => out.push('-'),
            _ => {}
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "unnamed".into() } else { out.into() }
}

/// Where a setting goes that has no file yet; `taken` are the files that others have.
pub fn place(key: &Key, taken: &BTreeSet<PathBuf>) -> anyhow::Result<PathBuf> {
    let (kind, name) = key;
    if let Some((_, file)) = SINGLE.iter().find(|(k, _)| k == kind) {
        return Ok(PathBuf::from(file));
    }
    let (_, folder) = MANY.iter().find(|(k, _)| k == kind).with_context(|| newer(kind))?;
    let slug = slug(name);
    let numbered = (2..).map(|n| format!("{slug}-{n}.toml"));
    let mut names = std::iter::once(format!("{slug}.toml")).chain(numbered).map(|n| Path::new(folder).join(n));
    names.find(|path| !taken.contains(path)).context("there are numbers enough")
}

fn newer(kind: &str) -> String {
    format!(
        "the server has settings of the kind {kind}, which this program does not know: use the server's version of it"
    )
}

/// Reads a folder.
pub fn read(folder: &Path) -> anyhow::Result<Folder> {
    let mut out = Folder::default();
    for (kind, file) in SINGLE {
        let path = folder.join(file);
        if path.exists() {
            let value = parse(&path)?;
            out.settings.insert((kind.into(), String::new()), Filed { path: file.into(), value });
        }
    }
    for (kind, inner) in MANY {
        let Ok(entries) = std::fs::read_dir(folder.join(inner)) else { continue };
        let mut paths: Vec<PathBuf> = entries.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
        paths.sort();
        for path in paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "toml")) {
            let mut value = parse(&path)?;
            let Some(Value::String(name)) = value.remove("name") else {
                bail!("{}: it has no name: write name = \"…\"", path.display());
            };
            let relative = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
            if let Some(other) = out.settings.get(&(kind.to_string(), name.clone())) {
                bail!("{} and {} are both {kind} {name:?}", folder.join(&other.path).display(), path.display());
            }
            out.settings.insert((kind.into(), name), Filed { path: relative, value });
        }
    }
    let state = folder.join(PULLED);
    if state.exists() {
        let text = std::fs::read_to_string(&state).with_context(|| format!("cannot read {}", state.display()))?;
        let all: Vec<Pulled> =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", state.display()))?;
        out.pulled = all.into_iter().map(|p| ((p.kind.clone(), p.name.clone()), p)).collect();
    }
    Ok(out)
}

fn parse(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // The message has the line, the text and a mark under the place.
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| anyhow!("{}: {e}", path.display()))?;
    object(table).with_context(|| path.display().to_string())
}

/// Writes a file of a folder, whole or not at all.
pub fn write(folder: &Path, path: &Path, text: &str) -> anyhow::Result<()> {
    let full = folder.join(path);
    let parent = full.parent().unwrap_or(folder);
    let failed = || format!("cannot write {}", full.display());
    std::fs::create_dir_all(parent).with_context(failed)?;
    let beside = full.with_extension("toml.new");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &full)).with_context(failed)
}

/// Writes the state of a pull.
pub fn remember(folder: &Path, pulled: &[Pulled]) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(pulled)?;
    write(folder, Path::new(PULLED), &(text + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn values_come_back_from_files_as_they_were() {
        let value = map(json!({
            "expression": "count(\"A\") >= 2\n  and \"quo'tes\" and '''more'''", "once": true, "limit": -3, "factor": 3.0, "none": null,
            "list": [{"id": "a", "deep": {"x": [1, 2]}}, {"id": "b", "window": null}], "empty": [], "text": "", "emoji": "🛒\u{7}\\"
        }));
        let text = text("Імʼя", &value);
        let mut back = object(text.parse().expect("it is TOML")).expect("values");
        assert_eq!(back.remove("name"), Some(json!("Імʼя")));
        let mut wanted = value;
        wanted.remove("none");
        wanted["list"][1] = json!({"id": "b"});
        assert_eq!(back, wanted);
    }

    #[test]
    fn files_have_names_that_people_can_read() {
        assert_eq!(slug("Купили двічі — Львів!"), "купили-двічі-львів");
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("—"), "unnamed");
        let key = ("segment".to_string(), "A".to_string());
        let mut taken = BTreeSet::new();
        assert_eq!(place(&key, &taken).expect("a place"), Path::new("segments/a.toml"));
        taken.insert(PathBuf::from("segments/a.toml"));
        assert_eq!(place(&key, &taken).expect("a place"), Path::new("segments/a-2.toml"));
        assert!(place(&("journey".into(), "x".into()), &taken).expect_err("unknown").to_string().contains("journey"));
    }
}
