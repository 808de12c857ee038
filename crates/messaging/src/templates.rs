//! Templates: compiled when they are saved, rendered when they are sent.
//!
//! The language is MiniJinja 2 (CONTRACTS 7). A missing value stops the one message that misses it; HTML is escaped, text
//! and subject are not; a template can read no file, name no other template, and ends when its fuel does.
mod context;
mod filters;
mod html;

pub use context::{Context, MessageFacts};

use crate::error::FieldError;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use std::collections::HashSet;

/// Longest name and subject, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// Longest subject template in bytes.
pub const SUBJECT_BYTES_MAX: usize = 2_000;
/// Longest body template in bytes.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// Longest rendered part in bytes; mail servers refuse more than a few MiB.
pub const RENDERED_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Instructions that one part may take: a loop over a thousand products with a dozen fields fits, an endless one ends.
const FUEL: u64 = 200_000;

const SUBJECT: &str = "subject";
const HTML: &str = "body_html";
const TEXT: &str = "body_text";

/// A template's texts as they stand in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    pub subject: &'a str,
    pub body_html: &'a str,
    pub body_text: &'a str,
}

/// What a message says, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line without control characters.
    pub subject: String,
    /// `None` for a template without HTML.
    pub html: Option<String>,
    pub text: String,
}

/// Why one message cannot be rendered. The reason is what the message shows for ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The person or event lacks a value that the template wants.
    #[error("{name} is missing ({part}, line {line}); give it a default: {{{{ {name} | default(\"…\") }}}}")]
    MissingValue { name: String, part: &'static str, line: usize },
    /// The template called `abort`.
    #[error("the template stopped this message: {0}")]
    Aborted(String),
    /// The template is wrong for this person: a filter got something that it cannot take.
    #[error("{detail} ({part}, line {line})")]
    Failed { part: &'static str, line: usize, detail: String },
    /// The fuel or the space for one message is used up.
    #[error("the {part} grows beyond what one message may take: shorten its loops")]
    TooLarge { part: &'static str },
    /// Nothing is left of the subject.
    #[error("the subject is empty for this person")]
    EmptySubject,
}

impl RenderError {
    /// The stable word for it.
    pub fn reason(&self) -> &'static str {
        match self {
            RenderError::MissingValue { .. } => "missing_value",
            RenderError::Aborted(_) => "aborted",
            RenderError::Failed { .. } => "template_error",
            RenderError::TooLarge { .. } => "too_large",
            RenderError::EmptySubject => "empty_subject",
        }
    }
}

/// A template that compiled.
pub struct Compiled {
    env: Environment<'static>,
    has_html: bool,
    has_text: bool,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("has_html", &self.has_html).field("has_text", &self.has_text).finish()
    }
}

/// Compiles a template; gives every mistake with its line and column.
pub fn compile(source: Source<'_>) -> Result<Compiled, Vec<FieldError>> {
    let mut errors = Vec::new();
    if source.subject.trim().is_empty() {
        errors.push(FieldError::new("/subject", "a mail needs a subject"));
    }
    if source.body_html.trim().is_empty() && source.body_text.trim().is_empty() {
        errors.push(FieldError::new("/body_html", "a mail needs a body: write HTML, plain text or both"));
    }
    let mut env = environment();
    let parts = [
        (SUBJECT, source.subject, SUBJECT_BYTES_MAX),
        (HTML, source.body_html, BODY_BYTES_MAX),
        (TEXT, source.body_text, BODY_BYTES_MAX),
    ];
    for (part, text, most) in parts {
        if text.len() > most {
            errors.push(FieldError::new(
                &format!("/{part}"),
                format!("it is {} bytes long, {most} are allowed", text.len()),
            ));
        } else if let Err(error) = env.add_template_owned(part, text.to_string()) {
            errors.push(field_error(part, text, &error));
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let compiled =
        Compiled { env, has_html: !source.body_html.trim().is_empty(), has_text: !source.body_text.trim().is_empty() };
    // Names of filters, functions and other templates are looked up while rendering only, so a run without values finds
    // those that do not exist before the first customer does.
    for (part, text, _) in parts {
        if let Err(error) = compiled.dry_run(part) {
            errors.push(field_error(part, text, &error));
        }
    }
    if errors.is_empty() { Ok(compiled) } else { Err(errors) }
}

/// What a person should know of a template that compiles.
pub fn warnings(source: Source<'_>, compiled: &Compiled) -> Vec<FieldError> {
    let mut out = Vec::new();
    for (part, text) in [(HTML, source.body_html), (TEXT, source.body_text)] {
        if !text.trim().is_empty() && !compiled.names(part).contains("links.unsubscribe") {
            out.push(FieldError::new(
                &format!("/{part}"),
                "it has no {{ links.unsubscribe }}: marketing mail gets a line with the link at its end, because nobody may be \
                 held who wants to leave",
            ));
        }
    }
    if source.body_text.trim().is_empty() {
        out.push(FieldError::new(
            "/body_text",
            "there is no plain text: it is made of the HTML, without its pictures and tables",
        ));
    }
    out
}

impl Compiled {
    /// Renders all parts for one person.
    pub fn render(&self, context: &Context) -> Result<Rendered, RenderError> {
        let subject = one_line(&self.part(SUBJECT, context)?);
        if subject.is_empty() {
            return Err(RenderError::EmptySubject);
        }
        let html = if self.has_html { Some(self.part(HTML, context)?) } else { None };
        let text = match (self.has_text, &html) {
            (true, _) => self.part(TEXT, context)?,
            (false, Some(html)) => html::to_text(html),
            (false, None) => String::new(),
        };
        Ok(Rendered { subject, html, text })
    }

    fn part(&self, part: &'static str, context: &Context) -> Result<String, RenderError> {
        let template = self.env.get_template(part).map_err(|e| failed(part, &e))?;
        let mut out = Limited { bytes: Vec::new(), full: false };
        let ended = template.render_captured_to(&context.value, &mut out).map(drop);
        if out.full {
            return Err(RenderError::TooLarge { part });
        }
        ended.map_err(|e| failed(part, &e))?;
        String::from_utf8(out.bytes).map_err(|e| RenderError::Failed { part, line: 0, detail: e.to_string() })
    }

    /// Every value that a part names, such as `customer.first_name`.
    pub fn names(&self, part: &str) -> HashSet<String> {
        self.env.get_template(part).map_or_else(|_| HashSet::new(), |t| t.undeclared_variables(true))
    }

    fn dry_run(&self, part: &'static str) -> Result<(), Error> {
        let mut env = self.env.clone();
        env.set_undefined_behavior(UndefinedBehavior::Chainable);
        let mut out = Limited { bytes: Vec::new(), full: false };
        let ended = env.get_template(part)?.render_captured_to(minijinja::context! {}, &mut out).map(drop);
        match ended {
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::UnknownFilter
                        | ErrorKind::UnknownFunction
                        | ErrorKind::UnknownTest
                        | ErrorKind::TemplateNotFound
                        | ErrorKind::UnknownBlock
                        | ErrorKind::BadInclude
                ) =>
            {
                Err(e)
            }
            // Everything else depends on the values that a real person brings.
            _ => Ok(()),
        }
    }
}

/// The line that marketing mail gets at its end when its template has no link to leave: it is the law in the Union and in
/// Ukraine, and the large mailbox providers demand it.
pub fn ensure_unsubscribe(rendered: &mut Rendered, url: &str, locale: &str) {
    let word = if locale.starts_with("uk") { "Відписатися від розсилки" } else { "Unsubscribe" };
    if let Some(html) = &mut rendered.html
        && !html.contains(url)
    {
        html::append_footer(html, url, word);
    }
    if !rendered.text.contains(url) {
        let text = rendered.text.trim_end();
        rendered.text = format!("{text}\n\n-- \n{word}: {url}\n");
    }
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    // Errors tell their place in the source only with this on.
    env.set_debug(true);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(50);
    env.set_auto_escape_callback(|name| if name == HTML { AutoEscape::Html } else { AutoEscape::None });
    env.set_keep_trailing_newline(true);
    filters::register(&mut env);
    env
}

fn failed(part: &'static str, error: &Error) -> RenderError {
    let line = error.line().unwrap_or(1);
    if let Some(reason) = filters::abort_reason(error) {
        return RenderError::Aborted(reason);
    }
    match error.kind() {
        ErrorKind::UndefinedError => {
            let named =
                error.template_source().zip(error.range()).and_then(|(source, range)| missing_name(source, range));
            let name = named.unwrap_or("a value").chars().take(120).collect();
            RenderError::MissingValue { name, part, line }
        }
        ErrorKind::OutOfFuel => RenderError::TooLarge { part },
        _ => RenderError::Failed {
            part,
            line,
            detail: error.detail().map_or_else(|| error.kind().to_string(), str::to_string),
        },
    }
}

/// The value that was missing, as the template writes it, without braces and filters.
fn missing_name(source: &str, range: std::ops::Range<usize>) -> Option<&str> {
    let (before, inside) = (source.get(..range.start)?.trim_end(), source.get(range)?);
    // A filter that got nothing is blamed by its own name; what it was given stands before it.
    let expression = match before.strip_suffix('|') {
        Some(given) => &given[given.rfind("{{").max(given.rfind("{%"))? + 2..],
        None => inside.trim().trim_start_matches("{{").trim_end_matches("}}"),
    };
    let name = expression.split('|').next()?.trim_matches(|c: char| matches!(c, '-' | '+') || c.is_whitespace());
    name.split_whitespace().next_back()
}

fn field_error(part: &str, text: &str, error: &Error) -> FieldError {
    let line = error.line().unwrap_or(1);
    let column = error.range().and_then(|range| {
        let before = text.get(..range.start)?;
        Some(before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
    });
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_string);
    FieldError {
        pointer: format!("/{part}"),
        detail: format!("{detail} (line {line})"),
        line: u32::try_from(line).ok(),
        column: column.and_then(|c| u32::try_from(c).ok()),
    }
}

/// Longest rendered subject in characters; what follows is cut, as every mail program does.
const SUBJECT_CHARS_MAX: usize = 400;

/// One line without control characters: a line end in a subject would be a header field of its own.
fn one_line(text: &str) -> String {
    let blank = |c: char| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c };
    let cleaned: String = text.chars().map(blank).take(4 * SUBJECT_CHARS_MAX).collect();
    cleaned.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ").chars().take(SUBJECT_CHARS_MAX).collect()
}

struct Limited {
    bytes: Vec<u8>,
    full: bool,
}

impl std::io::Write for Limited {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + piece.len() > RENDERED_BYTES_MAX {
            self.full = true;
            return Err(std::io::Error::other("a message may not be longer"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
