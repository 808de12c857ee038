//! `/table-downloads`: leave to take a table out of the console as a file.
//!
//! The file is made where the table is shown, of rows that were masked on their way there. What it needs of the server is
//! leave, by the same rule as other exports, the line in the audit, and the mark that leads back to it.
use crate::app::App;
use crate::caller::WriteExports;
use crate::change::Done;
use crate::input::Input;
use crate::problem::{BAD_INPUT, Problem};
use axum::extract::State;
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Rows of a table that the console holds, at most; more are exported as a job.
const ROWS_MAX: i64 = 10_000;

/// A table to take out.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TableDownloadInput {
    /// As the console names it, such as `customers`.
    table: String,
    /// Rows that the file will have.
    rows: i64,
}

/// Leave, with what marks the file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TableDownload {
    /// Stands in the file and in the audit.
    mark: String,
    /// An address that belongs to nobody: mail to it tells that this file got out.
    canary: String,
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Gives leave to take a table out; beyond the rows that one person may export alone it is refused.
#[utoipa::path(post, path = "/api/v1/table-downloads", tag = "exports", request_body = TableDownloadInput,
    responses((status = 201, body = TableDownload)))]
pub async fn download_table(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    input: Input<TableDownloadInput>,
) -> Result<Response, Problem> {
    let new = input.value;
    let named =
        |t: &str| !t.is_empty() && t.len() <= 64 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !named(&new.table) {
        return Err(BAD_INPUT.at("/table", "the name of a table of the console"));
    }
    if !(1..=ROWS_MAX).contains(&new.rows) {
        return Err(BAD_INPUT.at("/rows", format!("1 to {ROWS_MAX} rows; take more on the page Exports")));
    }
    let (who, policy) = (caller.clone(), app.accounts().policy);
    app.change(&caller, input.request, move |tx| {
        let what = format!("table/{}", new.table);
        let permit = crate::approvals::permit(tx, &who, &policy, (&what, new.rows), None)?;
        let body =
            TableDownload { mark: permit.mark(), canary: permit.canary(), actor: who.actor.clone(), at: permit.at };
        Ok(Done::created(body))
    })
    .await
}
