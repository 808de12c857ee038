//! Every statement of the sources is understood by both engines, over the schema as the migrations leave it; and that schema
//! is what `testdata/schema` says, so that a change of it is seen.
//!
//! `BRAID_BLESS=1 cargo xtask postgres --exec cargo nextest run -p server -E 'test(schema)'` writes it anew.
mod sources;

use db::testing::schema::schema;
use db::testing::{Place, texts};
use db::{Bulk, Dialect, Engine, Lookup, Sync};
use sources::{Known, Source};
use std::collections::BTreeSet;
use std::path::Path;

/// Statements that are made while running, with each form that they may take.
const MADE: &[(&str, &[&str])] = &[
    // The simulation reads every table.
    ("SELECT * FROM {table}", &["SELECT * FROM settings"]),
    (
        "SELECT id, profile_id, name, media_type, size, sha256, author, created_at FROM customer_files WHERE profile_id IN ({})",
        &[
            "SELECT id, profile_id, name, media_type, size, sha256, author, created_at FROM customer_files WHERE profile_id IN ($1, $2) ORDER BY id DESC LIMIT 500",
        ],
    ),
    (
        "SELECT m.no, COALESCE(v.sku, ''), m.from_no, m.from_condition, m.to_no, m.to_condition, m.lot, m.quantity, m.reason, m.at, d.no, d.kind, d.source, d.external_id, d.reference, d.actor, d.recorded_at FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no LEFT JOIN variants v ON v.no = m.variant_no {clause}",
        &[
            "SELECT m.no, COALESCE(v.sku, ''), m.from_no, m.from_condition, m.to_no, m.to_condition, m.lot, m.quantity, m.reason, m.at, d.no, d.kind, d.source, d.external_id, d.reference, d.actor, d.recorded_at FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no LEFT JOIN variants v ON v.no = m.variant_no WHERE m.no < $1 AND CAST($2 AS BIGINT) = 0 ORDER BY m.no DESC LIMIT $3",
            "SELECT m.no, COALESCE(v.sku, ''), m.from_no, m.from_condition, m.to_no, m.to_condition, m.lot, m.quantity, m.reason, m.at, d.no, d.kind, d.source, d.external_id, d.reference, d.actor, d.recorded_at FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no LEFT JOIN variants v ON v.no = m.variant_no WHERE m.no < $1 AND m.variant_no = $2 ORDER BY m.no DESC LIMIT $3",
            "SELECT m.no, COALESCE(v.sku, ''), m.from_no, m.from_condition, m.to_no, m.to_condition, m.lot, m.quantity, m.reason, m.at, d.no, d.kind, d.source, d.external_id, d.reference, d.actor, d.recorded_at FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no LEFT JOIN variants v ON v.no = m.variant_no WHERE m.no < $1 AND m.document_no = $2 ORDER BY m.no DESC LIMIT $3",
        ],
    ),
    (
        "SELECT {COLUMNS}, r.raised,",
        &[
            "SELECT r.no, r.product_no, r.variant_no, r.order_no, r.line, r.source, r.source_id, r.state, r.reason, r.rating, r.title, r.text, r.name, r.lang, r.answer, r.answered_by, r.answered_at, r.decided_by, r.written_at, r.updated_at, r.version, r.raised, COALESCE(p.id, ''), COALESCE(p.name, ''), COALESCE(o.number, ''), COALESCE(v.sku, '') FROM product_reviews r LEFT JOIN products p ON p.no = r.product_no LEFT JOIN orders o ON o.no = r.order_no AND r.order_no > 0 LEFT JOIN variants v ON v.no = r.variant_no WHERE (r.raised < $1 OR (r.raised = $1 AND r.no < $2)) AND (CAST($3 AS TEXT) = '' OR r.state = $3) AND (CAST($4 AS TEXT) = '' OR r.source = $4) AND (CAST($5 AS BIGINT) = 0 OR r.rating = $5) AND (CAST($6 AS BIGINT) = 0 OR r.product_no = $6) AND (CAST($7 AS BIGINT) = 0 OR r.answer = '') ORDER BY r.raised DESC, r.no DESC LIMIT $8",
        ],
    ),
    (
        "SELECT {COLUMNS} FROM product_reviews r",
        &[
            "SELECT r.no, r.product_no, r.variant_no, r.order_no, r.line, r.source, r.source_id, r.state, r.reason, r.rating, r.title, r.text, r.name, r.lang, r.answer, r.answered_by, r.answered_at, r.decided_by, r.written_at, r.updated_at, r.version FROM product_reviews r WHERE r.product_no = $1 AND r.state = 'published' AND r.no < $2 AND (CAST($3 AS BIGINT) = 0 OR r.text <> '') ORDER BY r.no DESC LIMIT $4",
        ],
    ),
    (
        "SELECT {} FROM saved_mappings m JOIN",
        &[
            "SELECT m.id, v.version FROM saved_mappings m JOIN saved_mapping_versions v ON v.mapping_id = m.id WHERE m.id = $1 ORDER BY v.version DESC LIMIT 200",
        ],
    ),
    (
        "SELECT channel, address, granted, at, claimed_at, imported, id FROM consents WHERE channel IN ('email', 'sms', 'viber', 'whatsapp', 'call') AND purpose IN ('marketing', '*') AND address IN ({})",
        &[
            "SELECT channel, address, granted, at, claimed_at, imported, id FROM consents WHERE channel IN ('email', 'sms', 'viber', 'whatsapp', 'call') AND purpose IN ('marketing', '*') AND address IN ($1, $2)",
        ],
    ),
    (
        "INSERT INTO compare_differences (id, module_id, day, item, cause, there, here, why, counts, explained_at, explained_by, note) VALUES {}",
        &[
            "INSERT INTO compare_differences (id, module_id, day, item, cause, there, here, why, counts, explained_at, explained_by, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12), ($13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
        ],
    ),
    (
        "SELECT id, profile_id, body, author, created_at, updated_at, deleted_at FROM notes WHERE profile_id IN ({})",
        &[
            "SELECT id, profile_id, body, author, created_at, updated_at, deleted_at FROM notes WHERE profile_id IN ($1, $2) AND deleted_at = 0 ORDER BY id DESC LIMIT 200",
        ],
    ),
    (
        "SELECT id, page, name, owner, shared, state, version FROM saved_views WHERE page = $1 AND",
        &[
            "SELECT id, page, name, owner, shared, state, version FROM saved_views WHERE page = $1 AND (shared = 1 OR owner = $2) ORDER BY id LIMIT 200",
        ],
    ),
    (
        "SELECT d.id, d.endpoint_id, d.message_id, m.type, m.at, d.state, d.attempts, d.next_at, d.last_status, d.last_error, d.created_at, d.settled_at, m.body FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id WHERE d.endpoint_id = $1 AND d.id < $2 AND {one_state}",
        &[
            "SELECT d.id, d.endpoint_id, d.message_id, m.type, m.at, d.state, d.attempts, d.next_at, d.last_status, d.last_error, d.created_at, d.settled_at, m.body FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id WHERE d.endpoint_id = $1 AND d.id < $2 AND d.state = $3 AND ($4 = '' OR m.type = $4) ORDER BY d.id DESC LIMIT $5",
            "SELECT d.id, d.endpoint_id, d.message_id, m.type, m.at, d.state, d.attempts, d.next_at, d.last_status, d.last_error, d.created_at, d.settled_at, m.body FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id WHERE d.endpoint_id = $1 AND d.id < $2 AND $3 = '' AND ($4 = '' OR m.type = $4) ORDER BY d.id DESC LIMIT $5",
        ],
    ),
    (
        "SELECT id, {column} FROM webhook_endpoints",
        &[
            "SELECT id, secret FROM webhook_endpoints WHERE secret <> '' LIMIT 10000",
            "SELECT id, old_secret FROM webhook_endpoints WHERE old_secret <> '' LIMIT 10000",
        ],
    ),
    (
        "UPDATE webhook_endpoints SET {column} = $1",
        &[
            "UPDATE webhook_endpoints SET secret = $1 WHERE id = $2",
            "UPDATE webhook_endpoints SET old_secret = $1 WHERE id = $2",
        ],
    ),
    (
        "UPDATE webhook_endpoints SET name = $2, url = $3, filter = $4, version = version + 1, updated_at = $5{health}",
        &[
            "UPDATE webhook_endpoints SET name = $2, url = $3, filter = $4, version = version + 1, updated_at = $5 WHERE id = $1",
            "UPDATE webhook_endpoints SET name = $2, url = $3, filter = $4, version = version + 1, updated_at = $5, failures = 0, failing_since = 0, blocked_until = 0 WHERE id = $1",
        ],
    ),
    (
        "SELECT {} FROM log WHERE first_seq >= $1",
        &[
            "SELECT first_seq, group_id, source, origin, received_at, ids, times, profiles FROM log WHERE first_seq >= $1 ORDER BY first_seq LIMIT 1024",
        ],
    ),
    (
        "UPDATE sessions SET seen_at = $1 WHERE token IN ({})",
        &["UPDATE sessions SET seen_at = $1 WHERE token IN ($2, $3)"],
    ),
    ("UPDATE api_keys SET used_at = $1 WHERE id IN ({})", &["UPDATE api_keys SET used_at = $1 WHERE id IN ($2, $3)"]),
    (
        "SELECT id, name FROM {table} WHERE id IN ({})",
        &[
            "SELECT id, name FROM users WHERE id IN ($1, $2)",
            "SELECT id, name FROM api_keys WHERE id IN ($1)",
            "SELECT id, name FROM sources WHERE id IN ($1)",
            "SELECT id, name FROM segments WHERE id IN ($1)",
            "SELECT id, name FROM templates WHERE id IN ($1)",
        ],
    ),
    (
        "INSERT INTO recovery_codes (user_id, hash) VALUES {}",
        &["INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2), ($1, $3)"],
    ),
    (
        "SELECT id, {column} FROM users WHERE {column} <> '' LIMIT 10000",
        &[
            "SELECT id, totp FROM users WHERE totp <> '' LIMIT 10000",
            "SELECT id, totp_pending FROM users WHERE totp_pending <> '' LIMIT 10000",
        ],
    ),
    (
        "UPDATE users SET {column} = $1 WHERE id = $2",
        &["UPDATE users SET totp = $1 WHERE id = $2", "UPDATE users SET totp_pending = $1 WHERE id = $2"],
    ),
    (
        "INSERT INTO views (hour, actor, person_id, times) VALUES {}",
        &[
            "INSERT INTO views (hour, actor, person_id, times) VALUES ($1, $2, $3, $4), ($5, $6, $7, $8) ON CONFLICT (hour, actor, person_id) DO UPDATE SET times = views.times + excluded.times",
        ],
    ),
    (
        "SELECT a, b, rule, kind, value, seq, message_id, at, probability, evidence, decision, actor, closed_at FROM review_items WHERE {wanted}",
        &[
            "SELECT a, b FROM review_items WHERE closed_at = 0 AND later_until <= $5 AND (at < $1 OR (at = $1 AND (a < $2 OR (a = $2 AND b < $3)))) ORDER BY at DESC, a DESC, b DESC LIMIT $4",
            "SELECT a, b FROM review_items WHERE closed_at > 0 AND CAST($5 AS BIGINT) > 0 AND (at < $1 OR (at = $1 AND (a < $2 OR (a = $2 AND b < $3)))) ORDER BY at DESC, a DESC, b DESC LIMIT $4",
        ],
    ),
    (
        "SELECT id, at, actor, action, subject_kind, subject, before, after, chain, salt, digest FROM audit WHERE id < $1",
        &[
            "SELECT id, at, actor, action, subject_kind, subject, before, after, chain, salt, digest FROM audit WHERE id < $1 AND actor = $2 AND action = $3 AND subject_kind = $4 AND subject = $5 AND at >= $6 AND at < $7 ORDER BY id DESC LIMIT $8",
        ],
    ),
    // Any table of a backup: its own test goes through all of them.
    ("SELECT {} FROM {table}", &[]),
    ("DELETE FROM {table}", &[]),
];

/// Where texts are made of a [`Bulk`] or a [`Lookup`]; those are taken from the descriptions themselves.
const DESCRIBED: [&str; 2] = ["db/src/engine.rs", "db/src/engine/lookup.rs"];

fn is_statement(text: &str) -> bool {
    ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH "].iter().any(|verb| text.starts_with(verb))
}

/// The engine that a statement is for, if it is for one.
fn only_for(sql: &str) -> Option<Dialect> {
    if ["pg_", "current_setting", "information_schema"].iter().any(|w| sql.contains(w)) {
        Some(Dialect::Postgres)
    } else if ["sqlite_", "pragma_"].iter().any(|w| sql.contains(w)) {
        Some(Dialect::Sqlite)
    } else {
        None
    }
}

/// `"name"` after `label:` in a description.
fn field<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let from = text.find(&format!("{label}: \""))? + label.len() + 3;
    text[from..].split('"').next()
}

fn pairs(text: &str) -> Vec<(&'static str, char)> {
    let mut out = Vec::new();
    for piece in text.split("(\"").skip(1) {
        let mut parts = piece.split('"');
        let (Some(name), Some(rest)) = (parts.next(), parts.next()) else { continue };
        let code = rest.split('\'').nth(1).and_then(|c| c.chars().next()).expect("a column has a type");
        out.push((&*name.to_string().leak(), code));
    }
    out
}

/// The texts of every [`Bulk`] and [`Lookup`] in a file, by place.
fn described(source: &Source, dialect: Dialect) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (word, is_bulk) in [("Bulk", true), ("Lookup", false)] {
        for (at, found) in source.code.match_indices(&format!("{word} {{")) {
            let body = &source.code[at + found.len()..];
            let body = &body[..body.find("};").unwrap_or(body.len())];
            let head = &source.code[..at];
            let other = head.ends_with("struct ") || head.ends_with(char::is_alphanumeric);
            let Some(table) = field(body, "table").filter(|_| !other) else { continue };
            let table: &'static str = table.to_string().leak();
            let list = if is_bulk { "columns: &[" } else { "keys: &[" };
            let columns = body.split_once(list).map(|(_, rest)| pairs(rest.split(']').next().unwrap_or_default()));
            let columns: &'static [(&str, char)] = columns.expect("a description has columns").leak();
            assert!(!columns.is_empty(), "{}: columns that this test cannot read", source.place(at));
            let made = if is_bulk {
                let numbers =
                    body.match_indices("key: ").map(|(at, k)| body[at + k.len()..].split([',', ' ', '}']).next());
                let key = numbers.flatten().find_map(|n| n.trim().parse().ok());
                let key = key.unwrap_or_else(|| panic!("{}: a key that this test cannot read", source.place(at)));
                texts::bulk(&Bulk { table, columns, key, insert_only: body.contains("insert_only: true") }, dialect)
            } else {
                let word = |label| &*field(body, label).unwrap_or_default().to_string().leak();
                texts::lookup(&Lookup { table, keys: columns, columns: word("columns"), order: word("order") }, dialect)
            };
            out.extend(made.into_iter().map(|sql| (source.place(at), sql)));
        }
    }
    out
}

/// A place with the whole schema.
fn migrated(place: &Place) -> Engine {
    let mut db = place.location.open(Sync::UnsafeFast, false).expect("it opens");
    let mut all = pipeline::migrations();
    all.push(crate::accounts::MIGRATIONS);
    db::migrate::migrate(&mut db, &all, 1).expect("it is migrated");
    db
}

#[test]
fn every_statement_is_understood_by_both_engines() {
    let sources = sources::read();
    let known = Known::of(&sources);
    let mut statements: Vec<(String, String)> = Vec::new();
    let (mut left, mut used) = (Vec::new(), BTreeSet::new());
    for source in sources.iter().filter(|s| !DESCRIBED.contains(&s.name.as_str())) {
        for literal in &source.literals {
            let (text, place) = (known.complete(source, literal), source.place(literal.at));
            if !is_statement(&text) || source.is_in_macro(literal.at) {
                continue;
            }
            match MADE.iter().position(|(made, _)| text.starts_with(made)) {
                Some(at) => {
                    used.insert(at);
                    statements.extend(MADE[at].1.iter().map(|sql| (place.clone(), sql.to_string())));
                }
                None if text.contains('{') => left.push(format!("{place}: {text}")),
                None => statements.push((place, text)),
            }
        }
    }
    assert!(left.is_empty(), "made while running, and no form of it is in MADE:\n{}", left.join("\n"));
    let stale: Vec<&str> = (0..MADE.len()).filter(|at| !used.contains(at)).map(|at| MADE[at].0).collect();
    assert!(stale.is_empty(), "in MADE, but in no source: {stale:?}");
    assert!(statements.len() > 380, "only {} statements were found", statements.len());
    for place in Place::all() {
        let mut db = migrated(&place);
        let dialect = db.dialect();
        let made: Vec<_> = sources.iter().flat_map(|s| described(s, dialect)).collect();
        assert!(made.len() > 60, "only {} texts were made of descriptions", made.len());
        let mut wrong = Vec::new();
        for (place, sql) in statements.iter().chain(&made) {
            if only_for(sql).is_none_or(|only| only == dialect)
                && let Err(error) = db.prepare_only(sql)
            {
                wrong.push(format!("{place}: {error}\n    {sql}"));
            }
        }
        assert!(wrong.is_empty(), "{dialect:?} refuses {} statements:\n{}", wrong.len(), wrong.join("\n"));
        // The test of the test.
        assert!(db.prepare_only("SELECT no_such_column FROM writers").is_err());
        assert!(db.prepare_only("SELECT epoch FROM writers WHERE").is_err());
    }
}

#[test]
fn look_ups_use_every_key_that_they_are_asked_by() {
    // SQLite takes the first column of a clustered key before an index of all that is asked: it would read a table's half for each row.
    for place in Place::all() {
        let mut engine = migrated(&place);
        if engine.dialect() != Dialect::Sqlite {
            continue;
        }
        let (mut asked, mut slow) = (0, Vec::new());
        for source in sources::read() {
            for (place, sql) in
                described(&source, Dialect::Sqlite).into_iter().filter(|(_, sql)| sql.starts_with("SELECT "))
            {
                let keys = sql.matches(" = ?").count();
                let plan = engine.rows(&format!("EXPLAIN QUERY PLAN {}", unbound(&sql)), &[]).expect("it has a plan");
                let steps: Vec<&str> = plan.iter().map(|row| row.text(3).expect("a step")).collect();
                let found = steps.iter().any(|step| step.starts_with("SEARCH ") && step.matches("=?").count() == keys);
                if !found {
                    slow.push(format!("{place}: {sql}\n{steps:?}"));
                }
                asked += 1;
            }
        }
        assert!(slow.is_empty(), "{}", slow.join("\n"));
        assert!(asked > 20, "only {asked} look-ups were found");
    }
}

/// The text with a value in each place.
fn unbound(sql: &str) -> String {
    (1..10).fold(sql.to_string(), |sql, at| sql.replace(&format!("?{at}"), "NULL"))
}

#[test]
fn texts_are_found_in_sources() {
    let code = "// \"no\"\nconst A: &str = \"SELECT \\\n    1\"; let c = '\"'; fn f<'a>() { g(r#\"UPDATE \"x\"\"#, '\\''); h(\"b\\\"c\") }";
    let found: Vec<String> = sources::literals(code).into_iter().map(|l| l.text).collect();
    assert_eq!(found, ["SELECT 1", "UPDATE \"x\"", "b\"c"]);
}

/// `table.column` of each column, the same on both engines.
fn columns(schema: &str) -> BTreeSet<String> {
    let names = schema.lines().filter_map(|l| l.split(' ').next()).filter(|w| w.contains('.'));
    names.map(str::to_string).collect()
}

#[test]
fn the_schema_is_the_one_that_is_kept_on_sqlite_and_postgres() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/schema");
    let mut seen = Vec::new();
    for place in Place::all() {
        let mut db = migrated(&place);
        let file = folder.join(if db.dialect() == Dialect::Sqlite { "sqlite.txt" } else { "postgres.txt" });
        let found = schema(&mut db);
        if std::env::var_os("BRAID_BLESS").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&file, &found).expect("it is written");
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let (kept, new): (BTreeSet<&str>, BTreeSet<&str>) = (kept.lines().collect(), found.lines().collect());
        let gone: Vec<_> = kept.difference(&new).collect();
        let came: Vec<_> = new.difference(&kept).collect();
        assert!(
            gone.is_empty() && came.is_empty(),
            "{} differs: gone {gone:#?}, new {came:#?}; run: BRAID_BLESS=1 cargo xtask postgres --exec cargo nextest run -p server -E 'test(schema)'",
            file.display()
        );
        seen.push(columns(&found));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "both engines have the same columns");
}
