//! `/exchange/1c/{connection}`: CommerceML's exchange over HTTP. The status is always 200; the first word of the body says how it
//! went. What takes long is a job: a request waits for it a while, answers `progress`, and comes again.
use super::connections::{self, Connection, Kind};
use super::folder::{Folder, FolderError};
use super::journal::{Level, Place, note};
use super::protocol::{Asked, COOKIE, VERSION, clean_name, failure, parse, progress, success};
use super::sale;
use super::vanish::{Vanished, deactivate};
use super::work::{self, Spec};
use crate::app::App;
use crate::caller::cookie_of;
use crate::problem::Problem;
use crate::secrets::{hash_key, hex};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base::{HOUR_US, Timestamp};
use base64::Engine as _;
use db::jobs;
use db::{DbError, Tx};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an exchange lasts without a word.
const LASTS_US: i64 = 12 * HOUR_US;
/// Exchanges of a connection that are kept.
const EXCHANGES_MAX: i64 = 2_000;

/// The route of exchanges.
pub fn routes() -> axum::Router<Arc<App>> {
    let limit = DefaultBodyLimit::max(40 << 20);
    axum::Router::new().route("/exchange/1c/{connection}", get(answer).post(answer).layer(limit))
}

/// An exchange that is under way.
#[derive(Debug, Clone)]
struct Exchange {
    id: i64,
    begun_at: Timestamp,
    version: String,
}

/// What is said back.
enum Said {
    Text(String),
    /// A file of orders.
    Orders(Vec<u8>),
}

impl From<Problem> for Said {
    fn from(problem: Problem) -> Self {
        Said::Text(failure(&problem.detail))
    }
}

async fn answer(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let is_form =
        method == Method::POST && form.starts_with("application/x-www-form-urlencoded") && body.len() < 64 << 10;
    let query = uri.query().unwrap_or_default();
    // Some clients call a file a form: what has its mode in the address has its bytes in the body.
    let text =
        if is_form && !query.contains("mode=") { String::from_utf8_lossy(&body).into_owned() } else { String::new() };
    let asked = parse(query, &text);
    let said = match speak(&app, &name, &asked, &headers, body).await {
        Ok(said) => said,
        Err(said) => said,
    };
    let (kind, body) = match said {
        Said::Text(text) => ("text/plain; charset=utf-8", text.into_bytes()),
        Said::Orders(file) => ("application/xml; charset=utf-8", file),
    };
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.split_once(':').map(|(login, password)| (login.to_string(), password.to_string()))
}

async fn speak(app: &Arc<App>, name: &str, asked: &Asked, headers: &HeaderMap, body: Bytes) -> Result<Said, Said> {
    let unknown = || Said::Text(failure("there is no such connection; the page ERP of Braid shows its address"));
    if !connections::is_name(name) {
        return Err(unknown());
    }
    let wanted = name.to_string();
    let connection = app.query(move |db| Ok(connections::find(db, &wanted)?)).await?.ok_or_else(unknown)?;
    if connection.kind != Kind::Commerceml {
        return Err(Said::Text(failure("this connection speaks REST, see docs/erp.md")));
    }
    let given = basic(headers);
    let admitted = given.as_ref().is_some_and(|(login, password)| connection.admits(login, password));
    if asked.mode == "checkauth" {
        if given.is_none() {
            let why = "no name and password came: enter them there; a proxy before Braid must pass the header Authorization on";
            return Err(Said::Text(failure(why)));
        }
        if !admitted {
            return Err(Said::Text(failure("name or password are not those of this connection")));
        }
        return begin(app, &connection, asked).await;
    }
    let direction = match asked.kind.as_str() {
        "catalog" | "sale" => asked.kind.clone(),
        other => {
            return Err(Said::Text(failure(&format!("type={other:.40} is not exchanged here, only catalog and sale"))));
        }
    };
    let cookie = cookie_of(headers, COOKIE);
    let exchange = under_way(app, &connection, &direction, cookie, admitted).await?;
    let exchange = exchange.ok_or_else(|| {
        Said::Text(failure("the exchange is not signed in or has ended: begin with mode=checkauth and send its cookie"))
    })?;
    let step = Step { app, connection: &connection, exchange: &exchange, direction: &direction };
    match asked.mode.as_str() {
        "init" => step.init(asked).await,
        "file" => step.file(asked, body).await,
        "import" => step.import(&asked.filename).await,
        "deactivate" => step.deactivate(asked).await,
        "complete" => step.complete().await,
        "query" if direction == "sale" => step.query().await,
        "success" if direction == "sale" => step.confirmed().await,
        other => Err(Said::Text(failure(&format!("mode={other:.40} is not known here")))),
    }
}

/// Signs in: a new exchange with a cookie of its own.
async fn begin(app: &Arc<App>, connection: &Connection, asked: &Asked) -> Result<Said, Said> {
    let token = base::random_token();
    let hash = hex(&hash_key(&token));
    let (id, direction) = (connection.id, if asked.kind == "sale" { "sale" } else { "catalog" });
    let shop = app.folder.clone();
    let now = app.now();
    app.query(move |db| Ok(work::sweep(&shop, db, id, now)?)).await?;
    app.write(move |tx| {
        let (exchange, now) = (tx.next_id(), tx.now().micros());
        let sql = "INSERT INTO erp_exchanges (id, connection_id, direction, session_hash, state, version, whole, asked, begun_at, \
                   heard_at) VALUES ($1, $2, $3, $4, 'open', '', 0, '', $5, $5)";
        tx.execute(sql, &[exchange.into(), id.into(), direction.into(), (&hash).into(), now.into()])?;
        let sql = "SELECT id FROM erp_exchanges WHERE connection_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
        if let Some(row) = tx.first(sql, &[id.into(), EXCHANGES_MAX.into()])? {
            let upto = row.int(0)?;
            for sql in [
                "DELETE FROM erp_journal WHERE connection_id = $1 AND exchange_id <= $2",
                "DELETE FROM erp_files WHERE exchange_id IN (SELECT id FROM erp_exchanges WHERE connection_id = $1 AND id <= $2)",
                "DELETE FROM erp_exchanges WHERE connection_id = $1 AND id <= $2",
            ] {
                tx.execute(sql, &[id.into(), upto.into()])?;
            }
        }
        tx.notify(db::Notice::Changed { what: "erp" });
        Ok(())
    })
    .await?;
    let stamp = app.now().micros() / base::SECOND_US;
    let lines = [
        COOKIE.to_string(),
        token.clone(),
        format!("sessid={}", &token[..16.min(token.len())]),
        format!("timestamp={stamp}"),
    ];
    Ok(Said::Text(success(&lines)))
}

/// The exchange of a cookie; with name and password and without one, the newest of its direction.
async fn under_way(
    app: &Arc<App>,
    connection: &Connection,
    direction: &str,
    cookie: Option<String>,
    admitted: bool,
) -> Result<Option<Exchange>, Said> {
    let (id, direction) = (connection.id, direction.to_string());
    let found = app.write(move |tx| {
        let since = tx.now().micros() - LASTS_US;
        let hash = cookie.as_deref().map(|c| hex(&hash_key(c)));
        let row = match &hash {
            Some(hash) => {
                let sql = "SELECT id, begun_at, version FROM erp_exchanges WHERE session_hash = $1 AND connection_id = $2 AND heard_at > $3";
                tx.first(sql, &[hash.into(), id.into(), since.into()])?
            }
            None => None,
        };
        let row = match row {
            None if admitted => {
                let sql = "SELECT id, begun_at, version FROM erp_exchanges WHERE connection_id = $1 AND direction = $2 \
                           AND heard_at > $3 ORDER BY id DESC LIMIT 1";
                tx.first(sql, &[id.into(), (&direction).into(), since.into()])?
            }
            row => row,
        };
        let Some(row) = row else { return Ok(None) };
        let exchange =
            Exchange { id: row.int(0)?, begun_at: Timestamp::from_micros(row.int(1)?), version: row.text(2)?.into() };
        let now = tx.now().micros();
        tx.execute("UPDATE erp_exchanges SET heard_at = $2 WHERE id = $1", &[exchange.id.into(), now.into()])?;
        Ok(Some(exchange))
    });
    Ok(found.await?)
}

/// One request of an exchange.
struct Step<'a> {
    app: &'a Arc<App>,
    connection: &'a Connection,
    exchange: &'a Exchange,
    direction: &'a str,
}

impl Step<'_> {
    fn folder(&self) -> Folder {
        Folder::new(&self.app.folder, self.connection.id, self.exchange.id)
    }
    fn place(&self, file: &str) -> Place {
        Place { connection_id: self.connection.id, exchange_id: self.exchange.id, file: file.into() }
    }

    /// Says what may be sent; what an earlier attempt of this exchange left is thrown away.
    async fn init(&self, asked: &Asked) -> Result<Said, Said> {
        let folder = self.folder();
        let wiped = tokio::task::spawn_blocking(move || folder.wipe()).await;
        if !wiped.is_ok_and(|w| w.is_ok()) {
            return Err(Said::Text(failure("the working folder cannot be emptied; the disk may be full")));
        }
        let (id, version) = (self.exchange.id, asked.version.chars().take(20).collect::<String>());
        let said = version.clone();
        self.app
            .write(move |tx| {
                tx.execute(
                    "UPDATE erp_exchanges SET version = $2, whole = 0 WHERE id = $1",
                    &[id.into(), (&version).into()],
                )?;
                tx.execute("DELETE FROM erp_files WHERE exchange_id = $1", &[id.into()])?;
                Ok(())
            })
            .await?;
        let settings = &self.connection.settings;
        let mut lines = vec![
            format!("zip={}", if settings.zip { "yes" } else { "no" }),
            format!("file_limit={}", settings.file_limit),
        ];
        if !said.is_empty() {
            lines.push(format!("version={VERSION}"));
        }
        Ok(Said::Text(lines.join("\n")))
    }

    /// Takes a piece of a file.
    async fn file(&self, asked: &Asked, body: Bytes) -> Result<Said, Said> {
        let Some(name) = clean_name(&asked.filename) else {
            return Err(Said::Text(failure("filename is missing or leads out of the exchange")));
        };
        if body.len() as i64 > self.connection.settings.file_limit.saturating_add(1024) {
            let limit = self.connection.settings.file_limit;
            return Err(Said::Text(failure(&format!("a piece has at most {limit} bytes, as init said"))));
        }
        let (id, wanted) = (self.exchange.id, name.clone());
        let sql = "SELECT job_id FROM erp_files WHERE exchange_id = $1 AND name = $2";
        let job = self
            .app
            .query(move |db| Ok(db.first(sql, &[id.into(), (&wanted).into()])?.map(|r| r.int(0)).transpose()?))
            .await?;
        let (folder, named, length) = (self.folder(), name.clone(), body.len() as i64);
        // A file that was taken in already is a new one now.
        let anew = job.is_some_and(|j| j > 0);
        let kept = tokio::task::spawn_blocking(move || folder.append(&named, &body, anew)).await;
        let bytes = match kept {
            Ok(Ok(bytes)) => bytes as i64,
            Ok(Err(FolderError::Refused(why))) => return Err(self.refuse(&name, &why).await),
            Ok(Err(error)) => return Err(self.refuse(&name, &error.to_string()).await),
            Err(_) => return Err(Said::Text(failure("the file could not be kept"))),
        };
        let named = name.clone();
        self.app
            .write(move |tx| {
                let sql = "INSERT INTO erp_files (exchange_id, name, bytes, job_id, tally, updated_at) VALUES ($1, $2, $3, 0, '', $4) \
                           ON CONFLICT (exchange_id, name) DO UPDATE SET bytes = excluded.bytes, job_id = 0, updated_at = excluded.updated_at";
                let now = tx.now().micros();
                Ok(tx.execute(sql, &[id.into(), (&named).into(), bytes.into(), now.into()])?)
            })
            .await?;
        // Old programs send orders and never ask for them to be taken in: the last piece does.
        let last = length < self.connection.settings.file_limit;
        if self.direction == "sale"
            && self.exchange.version.is_empty()
            && last
            && !name.to_lowercase().ends_with(".zip")
        {
            return match self.import(&name).await? {
                // It is kept and will be taken in; the journal says how it went.
                Said::Text(text) if text.starts_with("progress") => Ok(Said::Text(success(&[]))),
                said => Ok(said),
            };
        }
        Ok(Said::Text(success(&[])))
    }

    async fn refuse(&self, name: &str, why: &str) -> Said {
        let (place, name, what) = (self.place(name), name.to_string(), why.to_string());
        let noted = self.app.write(move |tx| {
            note(tx, &place, Level::Failed, 0, &name, &what);
            Ok(())
        });
        match noted.await {
            Ok(()) => Said::Text(failure(why)),
            Err(problem) => problem.into(),
        }
    }

    /// Takes a file in, or says how far that is.
    async fn import(&self, filename: &str) -> Result<Said, Said> {
        let Some(name) = clean_name(filename) else {
            return Err(Said::Text(failure("filename is missing or leads out of the exchange")));
        };
        let until = Instant::now() + Duration::from_millis(self.connection.settings.slice_ms.max(0) as u64);
        let (connection, exchange, named) = (self.connection.id, self.exchange.id, name.clone());
        let (job, fresh) = self.app.write(move |tx| Ok(job_of(tx, connection, exchange, &named)?)).await?;
        if fresh && self.connection.settings.slice_ms == 0 {
            return Ok(Said::Text(progress("it begins")));
        }
        loop {
            let found = self.app.query(move |db| Ok(jobs::committed(db, job)?)).await?;
            let Some(found) = found else { return Err(Said::Text(failure("the job is gone; send the file again"))) };
            match found.state {
                jobs::State::Done => {
                    let result: serde_json::Value = serde_json::from_str(&found.result).unwrap_or_default();
                    let of = |name: &str| result["tally"][name].as_u64().unwrap_or(0);
                    let text = format!("{} items, {} refused", of("items"), of("refused"));
                    return Ok(Said::Text(success(&[text])));
                }
                jobs::State::Failed | jobs::State::Stopped => {
                    let (id, named) = (self.exchange.id, name.clone());
                    // The same request again begins anew.
                    let sql = "UPDATE erp_files SET job_id = 0 WHERE exchange_id = $1 AND name = $2";
                    self.app.write(move |tx| Ok(tx.execute(sql, &[id.into(), (&named).into()])?)).await?;
                    let why =
                        if found.reason.is_empty() { "somebody stopped it in Braid".into() } else { found.reason };
                    return Err(Said::Text(failure(&why)));
                }
                _ if Instant::now() >= until => {
                    let note = if found.note.is_empty() { "it waits for its turn" } else { &found.note };
                    return Ok(Said::Text(progress(note)));
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Archives what a whole exchange no longer has.
    async fn deactivate(&self, asked: &Asked) -> Result<Said, Said> {
        let connection = self.connection.clone();
        let (id, begun) = (self.exchange.id, self.exchange.begun_at.micros());
        // What the client says is the second of checkauth; what was seen bears the microsecond of this exchange.
        let said = asked.timestamp.trim().parse::<i64>().ok().map(|s| s.saturating_mul(base::SECOND_US));
        let since = said.filter(|s| *s <= begun).unwrap_or(begun);
        match self.app.write(move |tx| Ok(deactivate(tx, &connection, id, since, false)?)).await? {
            Vanished::Archived(count) => Ok(Said::Text(success(&[format!("{count} archived")]))),
            Vanished::NotWhole => Ok(Said::Text(success(&["changes only: nothing is archived".into()]))),
            Vanished::Asked(gone, all) => {
                let why = format!("{gone} of {all} goods would be archived: confirm it on the page ERP of Braid");
                Err(Said::Text(failure(&why)))
            }
        }
    }

    async fn complete(&self) -> Result<Said, Said> {
        let id = self.exchange.id;
        let sql = "UPDATE erp_exchanges SET state = 'done' WHERE id = $1";
        self.app.write(move |tx| Ok(tx.execute(sql, &[id.into()])?)).await?;
        Ok(Said::Text(success(&[])))
    }

    /// Orders that the other side does not have yet.
    async fn query(&self) -> Result<Said, Said> {
        let zone = TimeZone::get(&self.app.config.time_zone).unwrap_or(TimeZone::UTC);
        let id = self.connection.id;
        let (moment, place) = (self.app.now(), self.place(""));
        let made_at = exchange::commerceml::local(moment, &zone);
        let orders = self
            .app
            .write(move |tx| {
                let Some(connection) = connections::get(tx.engine(), id)? else { return Ok(Vec::new()) };
                let orders = sale::sent(tx, &connection, &zone)?;
                note(tx, &place, Level::Note, 0, "orders", &format!("{} orders were sent", orders.len()));
                Ok(orders)
            })
            .await?;
        let mut file = Vec::new();
        let written = exchange::commerceml::write(&mut file, &orders, &format!("{}T{}", made_at.0, made_at.1));
        written.map_err(|e| Said::Text(failure(&e.to_string())))?;
        Ok(Said::Orders(file))
    }

    async fn confirmed(&self) -> Result<Said, Said> {
        let (id, place) = (self.connection.id, self.place(""));
        self.app
            .write(move |tx| {
                sale::confirmed(tx, id)?;
                note(tx, &place, Level::Note, 0, "orders", "the other side has them");
                Ok(())
            })
            .await?;
        Ok(Said::Text(success(&[])))
    }
}

/// The job that takes a file in, and whether it is new.
fn job_of(tx: &mut Tx, connection: i64, exchange: i64, name: &str) -> Result<(i64, bool), DbError> {
    let sql = "SELECT job_id FROM erp_files WHERE exchange_id = $1 AND name = $2";
    let known = tx.first(sql, &[exchange.into(), name.into()])?.map(|r| r.int(0)).transpose()?;
    if let Some(job) = known.filter(|j| *j > 0) {
        return Ok((job, false));
    }
    let spec = Spec::File { connection, exchange, name: name.into() };
    let text = serde_json::to_string(&spec).map_err(|e| DbError::damaged("jobs", e))?;
    let job = jobs::add(tx, &jobs::New { subject: connection, ..jobs::New::of(super::JOB, &text) })?;
    let sql = "INSERT INTO erp_files (exchange_id, name, bytes, job_id, tally, updated_at) VALUES ($1, $2, 0, $3, '', $4) \
               ON CONFLICT (exchange_id, name) DO UPDATE SET job_id = excluded.job_id, updated_at = excluded.updated_at";
    let now = tx.now().micros();
    tx.execute(sql, &[exchange.into(), name.into(), job.into(), now.into()])?;
    Ok((job, true))
}
