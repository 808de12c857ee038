//! Files that staff put to customers. They lie in the database: what backs up and what erases reaches them there.
use db::{DbError, Engine, Row, Tx};

/// A file without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub id: i64,
    /// The profile that it was put to.
    pub profile_id: i64,
    pub name: String,
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    pub sha256: String,
    pub author: String,
    pub created_at: i64,
}

const COLUMNS: &str = "id, profile_id, name, media_type, size, sha256, author, created_at";

fn read(row: &Row) -> Result<File, DbError> {
    Ok(File {
        id: row.int(0)?,
        profile_id: row.int(1)?,
        name: row.text(2)?.into(),
        media_type: row.text(3)?.into(),
        size: row.int(4)?,
        sha256: row.text(5)?.into(),
        author: row.text(6)?.into(),
        created_at: row.int(7)?,
    })
}

/// A name that is safe to show and to save under: no path, no control characters.
pub fn clean_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control() && !"<>:\"|?*".contains(*c)).take(120).collect();
    let kept = kept.trim().trim_start_matches('.').trim().to_string();
    (!kept.is_empty()).then_some(kept)
}

/// The type under which a file is given back: one that a browser shows without running it, or plain bytes.
pub fn clean_type(said: &str) -> &'static str {
    const KNOWN: [&str; 5] = ["application/pdf", "image/png", "image/jpeg", "image/webp", "image/gif"];
    let said = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    KNOWN.into_iter().find(|k| *k == said).unwrap_or("application/octet-stream")
}

/// Files of a person's profiles, newest first.
pub fn list(db: &mut Engine, profiles: &[i64]) -> Result<Vec<File>, DbError> {
    let places: Vec<String> = (1..=profiles.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM customer_files WHERE profile_id IN ({}) ORDER BY id DESC LIMIT 500",
        places.join(", ")
    );
    let params: Vec<db::Value<'_>> = profiles.iter().map(|p| (*p).into()).collect();
    db.rows(&sql, &params)?.iter().map(read).collect()
}

/// The file with its bytes.
pub fn content(db: &mut Engine, id: i64) -> Result<Option<(File, Vec<u8>)>, DbError> {
    let sql = format!("SELECT {COLUMNS}, content FROM customer_files WHERE id = $1");
    db.first(&sql, &[id.into()])?.map(|r| Ok((read(&r)?, r.blob(8)?.to_vec()))).transpose()
}

/// Adds a file.
pub fn add(tx: &mut Tx, file: &File, content: &[u8]) -> Result<(), DbError> {
    let sql = "INSERT INTO customer_files (id, profile_id, name, media_type, size, sha256, content, author, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let params = [
        file.id.into(),
        file.profile_id.into(),
        (&file.name).into(),
        (&file.media_type).into(),
        file.size.into(),
        (&file.sha256).into(),
        content.into(),
        (&file.author).into(),
        file.created_at.into(),
    ];
    tx.execute(sql, &params).map(drop)
}

/// Deletes a file of one of the profiles; gives whether it was there.
pub fn delete(tx: &mut Tx, id: i64, profiles: &[i64]) -> Result<Option<File>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM customer_files WHERE id = $1");
    let found = tx.first(&sql, &[id.into()])?.map(|r| read(&r)).transpose()?;
    let Some(found) = found.filter(|f| profiles.contains(&f.profile_id)) else { return Ok(None) };
    tx.execute("DELETE FROM customer_files WHERE id = $1", &[id.into()])?;
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path_and_a_type_runs_nothing() {
        assert_eq!(clean_name("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(clean_name("C:\\Users\\о\\Чек №1.pdf").as_deref(), Some("Чек №1.pdf"));
        assert_eq!(clean_name(".htaccess").as_deref(), Some("htaccess"));
        assert_eq!((clean_name(""), clean_name("../"), clean_name("\u{1}")), (None, None, None));
        assert_eq!(clean_type("Application/PDF; charset=x"), "application/pdf");
        for odd in ["text/html", "image/svg+xml", "", "application/javascript"] {
            assert_eq!(clean_type(odd), "application/octet-stream");
        }
    }
}
