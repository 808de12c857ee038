//! What an import is asked to do: the payload of its job.
use crate::problem::{BAD_INPUT, CONFLICT, Problem};
use crate::sources::{self, Source, SourceKind};
use base::Timestamp;
use db::jobs::{self, New, State};
use db::{DbError, Tx, settings};
use exchange::convert::Context;
use exchange::mapping::{Kind, Mapping, Plan};
use exchange::rows::Layout;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Jobs that bring files in.
pub const KIND: &str = "import";
/// When opt-outs were imported last.
const OPT_OUTS: &str = "import.opt_outs_at";

/// An import of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The file on this machine.
    pub path: PathBuf,
    /// As people call it.
    pub name: String,
    /// What the file is, to its last byte: of another one nothing may be resumed.
    pub sha256: String,
    /// Lines, at least as many as rows.
    pub lines: u64,
    pub layout: Layout,
    pub mapping: Mapping,
    /// Name of the source that the events belong to.
    pub source: String,
    /// How old rows are that do not say it themselves.
    pub file_time: Timestamp,
    /// Reads and reports, writes nothing.
    pub dry_run: bool,
}

/// What a file is, and how many lines it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    pub sha256: String,
    pub lines: u64,
}

/// Opens a file for reading, unpacked.
pub fn open(path: &Path) -> std::io::Result<Box<dyn BufRead + Send>> {
    let file = BufReader::with_capacity(256 << 10, std::fs::File::open(path)?);
    exchange::rows::unpacked(Box::new(file))
}

/// Reads a whole file once.
pub fn fingerprint(path: &Path) -> std::io::Result<Fingerprint> {
    let (mut input, mut hash, mut lines) = (open(path)?, Sha256::new(), 1u64);
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        hash.update(chunk);
        lines += chunk.iter().filter(|b| **b == b'\n').count() as u64;
        let length = chunk.len();
        input.consume(length);
    }
    if is_parquet(path)? {
        // Bytes that happen to be line breaks say nothing there.
        lines = exchange::rows::parquet::count(std::fs::File::open(path)?).unwrap_or(0);
    }
    Ok(Fingerprint { sha256: crate::secrets::hex(&hash.finalize()), lines })
}

fn is_parquet(path: &Path) -> std::io::Result<bool> {
    let mut first = Vec::new();
    std::fs::File::open(path)?.take(4).read_to_end(&mut first)?;
    Ok(first == exchange::rows::parquet::MAGIC)
}

impl Spec {
    /// What rows are read against.
    pub fn context(&self, shop: &pipeline::Settings, now: Timestamp) -> Context {
        Context {
            zone: shop.zone.clone(),
            country: shop.country,
            currency: shop.currency.clone(),
            file_time: self.file_time,
            now,
            source: self.source.clone(),
        }
    }
    /// The checked mapping.
    pub fn plan(&self) -> Result<Plan, Problem> {
        Plan::new(self.mapping.clone(), &self.layout.columns).map_err(|e| BAD_INPUT.at("/mapping", e.to_string()))
    }
    /// A number that is the same for the same file read in the same way.
    fn subject(&self) -> i64 {
        let mut hash = Sha256::new();
        let told = serde_json::json!([self.sha256, self.mapping, self.source, self.layout, self.dry_run]);
        hash.update(told.to_string());
        let digest = hash.finalize();
        i64::from_le_bytes(digest[..8].try_into().unwrap_or_default()) >> 1 & i64::MAX
    }
}

/// Begins an import, or goes on with the same one that was stopped, killed or failed. Gives the job.
pub fn begin(tx: &mut Tx, spec: &Spec, without_opt_outs: bool, actor: &str) -> Result<i64, Problem> {
    let plan = spec.plan()?;
    if spec.file_time > tx.now() {
        return Err(BAD_INPUT.at("/file_time", "the file cannot be from the future"));
    }
    if plan.brings_grants() && !without_opt_outs && !spec.dry_run && settings::get(tx.engine(), OPT_OUTS)?.is_none() {
        return Err(CONFLICT.because(
            "these rows let people be written to, and no opt-outs were imported yet: import the old system's unsubscribed and \
             blacklisted addresses first (kind consents), or say without_opt_outs",
        ));
    }
    if let Some(job) = jobs::newest(tx, KIND, spec.subject())? {
        match job.state {
            State::Queued | State::Running => return Ok(job.id),
            State::Stopped | State::Failed if job.retryable => {
                jobs::resume(tx, job.id).map_err(|e| CONFLICT.because(e.to_string()))?;
                return Ok(job.id);
            }
            _ => {}
        }
    }
    source(tx, &spec.source)?;
    let payload = serde_json::to_string(spec).map_err(|e| crate::problem::internal(&e))?;
    let new = New { subject: spec.subject(), total: spec.lines as i64, actor, ..New::of(KIND, &payload) };
    Ok(jobs::add(tx, &new)?)
}

/// Notes that opt-outs are in.
pub fn note_opt_outs(tx: &mut Tx, kind: Kind) -> Result<(), DbError> {
    if kind == Kind::Consents {
        let now = tx.now().to_string();
        settings::set(tx.engine(), OPT_OUTS, &now)?;
    }
    Ok(())
}

/// The source of a file, made when it is new.
pub fn source(tx: &mut Tx, name: &str) -> Result<Source, Problem> {
    let found = super::ensure_source(tx, name)?;
    if found.kind != SourceKind::Import {
        return Err(
            CONFLICT.because(format!("{name:?} is a source of another kind; give the import a name of its own"))
        );
    }
    Ok(found)
}

/// The source's number, once the import has begun.
pub fn source_id(tx: &mut Tx, name: &str) -> Result<i64, DbError> {
    let found = sources::find(tx, name)?;
    found.map(|s| s.id).ok_or_else(|| DbError::damaged("sources", format!("the source {name:?} of an import is gone")))
}
