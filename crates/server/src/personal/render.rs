//! The two forms of an export, written as the rows come: JSON, and a page that loads nothing and runs nothing.
use super::VERSION;
use super::gather::Section;
use super::words::{Language, title};
use crate::api::privacy::print::escape;
use base::Timestamp;
use customers::PersonView;
use pipeline::timeline::StoredEvent;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::io::{self, Write};

/// A form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For programs.
    Json,
    /// For people.
    Html,
}

impl Form {
    /// The ending of a file.
    pub fn as_str(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Html => "html",
        }
    }
}

const EVENT_FIELDS: [&str; 4] = ["timestamp", "event", "source", "details"];

#[derive(Serialize)]
struct EventLine<'a> {
    message_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    event: Option<&'a str>,
    timestamp: Timestamp,
    received_at: Timestamp,
    source: &'a str,
    profile_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traits: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a RawValue>,
}

/// An export that is being written.
pub struct Page<'o, 'w> {
    out: &'o mut (dyn Write + 'w),
    form: Form,
    language: Language,
    /// Whether an event was written: what stands before the next.
    more: bool,
}

impl<'o, 'w> Page<'o, 'w> {
    /// Writes the head.
    pub fn begin(
        out: &'o mut (dyn Write + 'w),
        form: Form,
        language: Language,
        view: &PersonView,
        now: Timestamp,
    ) -> io::Result<Self> {
        let (name, id) = (view.state.display_name(), view.person_id.to_string());
        match form {
            Form::Json => {
                let profiles: Vec<String> = view.members.iter().map(|m| m.profile_id.to_string()).collect();
                let head = json!({"person_id": id, "name": name, "profile_ids": profiles});
                write!(
                    out,
                    "{{\"format\":\"braid.person\",\"version\":{VERSION},\"exported_at\":\"{now}\",\"person\":{head}"
                )?;
            }
            Form::Html => {
                let heading = escape(&format!("{}: {}", title(language, "title"), name.as_deref().unwrap_or(&id)));
                let lead = escape(&format!("{} {now}.", title(language, "lead")));
                write!(
                    out,
                    "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{heading}</title>\n<style>{STYLE}</style>\
                     </head>\n<body><h1>{heading}</h1>\n<p>{lead}</p>\n",
                    language.as_str()
                )?;
            }
        }
        Ok(Self { out, form, language, more: false })
    }

    /// Writes a table.
    pub fn section(&mut self, section: &Section) -> io::Result<()> {
        match self.form {
            Form::Json => {
                write!(self.out, ",\n\"{}\":", section.key)?;
                serde_json::to_writer(&mut *self.out, &section.rows).map_err(io::Error::from)
            }
            Form::Html => {
                self.table(section.key, section.fields)?;
                for row in &section.rows {
                    let cells = section.fields.iter().map(|f| row.get(*f).unwrap_or(&Value::Null));
                    let cells: String = cells.map(|v| format!("<td>{}</td>", cell(v))).collect();
                    writeln!(self.out, "<tr>{cells}</tr>")?;
                }
                if section.rows.is_empty() {
                    let none = escape(title(self.language, "none"));
                    writeln!(self.out, "<tr><td colspan=\"{}\">{none}</td></tr>", section.fields.len())?;
                }
                self.out.write_all(b"</table>\n")
            }
        }
    }

    fn table(&mut self, key: &str, fields: &[&str]) -> io::Result<()> {
        let head: String = fields.iter().map(|f| format!("<th>{}</th>", escape(title(self.language, f)))).collect();
        writeln!(self.out, "<h2>{}</h2>\n<table>\n<tr>{head}</tr>", escape(title(self.language, key)))
    }

    /// Writes what stands before the events.
    pub fn begin_events(&mut self) -> io::Result<()> {
        match self.form {
            Form::Json => self.out.write_all(b",\n\"events\":["),
            Form::Html => self.table("events", &EVENT_FIELDS),
        }
    }

    /// Writes an event.
    pub fn event(&mut self, event: &StoredEvent, profile: i64, source: &str) -> io::Result<()> {
        let raw = |text: &Option<String>| text.clone().and_then(|t| RawValue::from_string(t).ok());
        let (properties, traits, context) = (raw(&event.properties), raw(&event.traits), raw(&event.context));
        let line = EventLine {
            message_id: &event.message_id,
            kind: event.kind.as_str(),
            event: Some(&*event.name).filter(|n| !n.is_empty()),
            timestamp: event.timestamp,
            received_at: event.received_at,
            source,
            profile_id: profile.to_string(),
            properties: properties.as_deref(),
            traits: traits.as_deref(),
            context: context.as_deref(),
        };
        match self.form {
            Form::Json => {
                self.out.write_all(if self.more { b",\n" } else { b"\n" })?;
                serde_json::to_writer(&mut *self.out, &line)?;
            }
            Form::Html => {
                let mut details = serde_json::to_value(&line)?;
                if let Some(map) = details.as_object_mut() {
                    for shown in ["timestamp", "event", "type", "source"] {
                        map.remove(shown);
                    }
                }
                let name = line.event.unwrap_or(line.kind);
                let cells =
                    [&event.timestamp.to_string(), name, source].map(|c| format!("<td>{}</td>", escape(c))).concat();
                writeln!(self.out, "<tr>{cells}<td>{}</td></tr>", cell(&details))?;
            }
        }
        self.more = true;
        Ok(())
    }

    /// Writes what stands after the events.
    pub fn end_events(&mut self) -> io::Result<()> {
        self.out.write_all(match self.form {
            Form::Json => b"]",
            Form::Html => b"</table>\n",
        })
    }

    /// Writes the end.
    pub fn end(self) -> io::Result<()> {
        self.out.write_all(match self.form {
            Form::Json => b"}\n",
            Form::Html => b"</body></html>\n",
        })?;
        self.out.flush()
    }
}

const STYLE: &str = "body{font:14px/1.4 sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse;width:100%}\
    th,td{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
    th{background:#eee}pre{margin:0;white-space:pre-wrap;font-size:12px}";

/// A value as a person reads it. Everything is escaped.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escape(text),
        Value::Array(_) | Value::Object(_) => {
            format!("<pre>{}</pre>", escape(&serde_json::to_string_pretty(value).unwrap_or_default()))
        }
        plain => escape(&plain.to_string()),
    }
}
