//! Files go: when their time is over, when somebody deletes them, when a person in one of them is erased.
//!
//! A file names the profiles in it by a bit each, kept beside it. An erased profile stands in the store without a person, for
//! ever, so that looking again is always right, also after a restore. (ADR 0012, 0024)
use super::pack::People;
use super::store::{self, Export};
use super::{folder, people_file, spool_folder};
use crate::app::App;
use base::Timestamp;
use db::{DbError, Engine};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often files are looked at.
const EVERY: Duration = Duration::from_millis(500);

/// Profiles of people who were erased.
pub fn erased(db: &mut Engine) -> Result<HashSet<i64>, DbError> {
    let mut out = HashSet::new();
    db.each("SELECT profile_id FROM profile_list WHERE person = 0", &[], &mut |row| {
        out.insert(row.int(0)?);
        Ok(true)
    })?;
    Ok(out)
}

/// Why an export's file is to go now, if it is. `since`: when the newest erasure was.
pub fn verdict(
    export: &Export,
    now: Timestamp,
    erased: &HashSet<i64>,
    newest: Option<Timestamp>,
    people: &dyn Fn() -> std::io::Result<People>,
) -> Option<&'static str> {
    let ready = export.ready_at?;
    if export.expires_at <= now {
        return Some("expired");
    }
    if erased.is_empty() {
        return None;
    }
    // Rows that do not say whom they are about may be about anybody.
    let anybody = export.kind.sections().iter().any(|k| k.is_about_anybody());
    if anybody && newest.is_some_and(|at| at >= export.created_at.min(ready)) {
        return Some("erasure");
    }
    match people() {
        Ok(people) if erased.iter().any(|p| people.holds(*p)) => Some("erasure"),
        Ok(_) => None,
        // Nobody knows any more who is in it.
        Err(_) => Some("erasure"),
    }
}

/// Removes whatever lies in the folder of an export.
pub fn remove(shop: &Path, export: &Export) {
    let _ = std::fs::remove_dir_all(spool_folder(shop, export.id));
    let _ = std::fs::remove_file(people_file(shop, export.id));
    for end in ["zip", export.format.as_str()] {
        let _ = std::fs::remove_file(folder(shop).join(format!("{}.{end}", export.id)));
        let _ = std::fs::remove_file(folder(shop).join(format!("{}.{end}.part", export.id)));
    }
}

/// When somebody was erased last.
fn newest_erasure(db: &mut Engine) -> Result<Option<Timestamp>, DbError> {
    let row = db.first("SELECT MAX(at) FROM erased", &[])?;
    Ok(row.map(|r| r.opt_int(0)).transpose()?.flatten().map(Timestamp::from_micros))
}

/// Looks at every file once; gives how many went.
pub async fn look(app: &Arc<App>) -> Result<usize, crate::problem::Problem> {
    let now = app.now();
    let (living, erased, newest) = app.query(|db| Ok((store::living(db)?, erased(db)?, newest_erasure(db)?))).await?;
    let mut gone = 0;
    for export in living {
        let shop = app.folder.clone();
        let people = || People::load(&people_file(&shop, export.id));
        let Some(why) = verdict(&export, now, &erased, newest, &people) else { continue };
        let id = export.id;
        let ended = app
            .write(move |tx| {
                let ended = store::end(tx, id, why)?;
                if ended {
                    let after = serde_json::json!({"reason": why});
                    crate::audit::note(tx, "Braid", ("delete", "export"), &id.to_string(), None, Some(&after))?;
                }
                Ok(ended)
            })
            .await?;
        remove(&app.folder, &export);
        gone += usize::from(ended);
    }
    Ok(gone)
}

/// Runs until the server stops.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    orphans(&app).await;
    let mut last = (0, 0, 0);
    loop {
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        // Three counts say whether anything can have changed; time does so by the minute.
        let seen = app.query(|db| {
            let one = |db: &mut Engine, sql: &str| db.first(sql, &[])?.map_or(Ok(0), |r| r.int(0));
            let there = one(db, "SELECT COUNT(*) FROM exports WHERE ended = '' AND ready_at > 0")?;
            let erased = if there > 0 { one(db, "SELECT COUNT(*) FROM erased")? } else { 0 };
            Ok((there, erased))
        });
        let Ok((there, erased)) = seen.await else { continue };
        let now = (there, erased, app.now().micros() / base::MINUTE_US);
        if there == 0 || now == last {
            continue;
        }
        match look(&app).await {
            Ok(_) => last = now,
            Err(problem) => tracing::warn!(detail = %problem.detail, "exports that are to go could not be looked at"),
        }
    }
}

/// Removes files that no living export owns: what a kill left between a row and its file.
async fn orphans(app: &Arc<App>) {
    let Ok(living) = app.query(|db| Ok(store::living(db)?)).await else { return };
    let known: HashSet<String> = living.iter().map(|e| e.id.to_string()).collect();
    let Ok(found) = std::fs::read_dir(folder(&app.folder)) else { return };
    for entry in found.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let own = name.split('.').next().unwrap_or_default();
        let ours = !own.is_empty() && own.bytes().all(|b| b.is_ascii_digit());
        if ours && !known.contains(own) {
            let path = entry.path();
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kinds::Kind;
    use super::*;

    #[test]
    fn a_file_goes_with_the_first_person_in_it() {
        let at = Timestamp::from_micros;
        let export = |kind| Export {
            id: 1,
            job_id: 1,
            kind,
            format: exchange::write::Format::Csv,
            actor: String::new(),
            mark: String::new(),
            canary: String::new(),
            approval: 0,
            contacts: true,
            file: "1.csv".into(),
            rows: 1,
            bytes: 1,
            sha256: String::new(),
            created_at: at(10),
            ready_at: Some(at(20)),
            expires_at: at(100),
            ended_at: None,
            ended: String::new(),
            link_hash: String::new(),
            link_until: 0,
            link_used: 0,
            downloads: 0,
        };
        let mut people = People::default();
        people.add(7);
        let say = |kind, now, erased: &[i64], newest: Option<i64>| {
            let erased: HashSet<i64> = erased.iter().copied().collect();
            verdict(&export(kind), at(now), &erased, newest.map(at), &|| Ok(people.clone()))
        };
        assert_eq!(say(Kind::Customers, 50, &[], None), None);
        assert_eq!(say(Kind::Customers, 50, &[8], Some(40)), None);
        assert_eq!(say(Kind::Customers, 50, &[8, 7], Some(40)), Some("erasure"));
        assert_eq!(say(Kind::Customers, 100, &[], None), Some("expired"));
        assert_eq!(say(Kind::Rejected, 50, &[8], Some(5)), None);
        assert_eq!(say(Kind::Rejected, 50, &[8], Some(40)), Some("erasure"));
        let lost = verdict(&export(Kind::Events), at(50), &HashSet::from([9]), Some(at(5)), &|| {
            Err(std::io::Error::other("gone"))
        });
        assert_eq!(lost, Some("erasure"));
    }
}
