//! `braid bench catalog`: a file of products in, searches over them, and how long a changed SKU takes to reach a feed. The limit of
//! the machine stands beside the import: reading the same file and writing each of its rows with bare SQL in groups of a thousand.
use anyhow::Context;
use base::SystemClock;
use catalog::feeds::{self, Feed, Format};
use catalog::model::ProductInput;
use catalog::schema::{Channel, ChannelKind, Labels};
use db::{DbError, Location, Sync, Tx};
use search::{Asked, Follower, Index};
use serde::Serialize;
use server::domain::{Domain, Start};
use server::goods::files::{KIND, Spec, drive};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// SKUs, three of each product.
    #[arg(long, default_value_t = 300_000)]
    pub skus: u64,
    /// Searches.
    #[arg(long, default_value_t = 5_000)]
    pub searches: usize,
    /// SKUs that are changed one after the other.
    #[arg(long, default_value_t = 50)]
    pub changes: usize,
    /// A PostgreSQL database, empty. Without it a SQLite file.
    #[arg(long)]
    pub database: Option<String>,
    /// Folder for the store; a temporary one if absent.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What came out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub engine: &'static str,
    pub sync: &'static str,
    pub skus: u64,
    pub attributes: usize,
    pub import_seconds: f64,
    /// Reading the file's rows and nothing else.
    pub read_seconds: f64,
    /// Writing each row of the file as one row of a table, a thousand in a transaction.
    pub bare_rows_seconds: f64,
    pub index_seconds: f64,
    pub search_p50_ms: f64,
    pub search_p99_ms: f64,
    /// With facets counted.
    pub facets_p50_ms: f64,
    pub facets_p99_ms: f64,
    pub feed_seconds: f64,
    /// From the command to the rendered item in the feed.
    pub changed_to_feed_p50_ms: f64,
    pub changed_to_feed_p99_ms: f64,
    pub items_written_per_change: f64,
}

const NOUNS: [&str; 12] = [
    "Кросівки",
    "Сукня",
    "Сорочка",
    "Куртка",
    "Футболка",
    "Светр",
    "Чашка",
    "Ковдра",
    "Ліхтар",
    "Навушники",
    "Рюкзак",
    "Годинник",
];
const WORDS: [&str; 16] = [
    "літня",
    "зимова",
    "чоловіча",
    "жіноча",
    "дитяча",
    "спортивна",
    "класична",
    "легка",
    "тепла",
    "синя",
    "червона",
    "біла",
    "чорна",
    "зелена",
    "бавовняна",
    "шкіряна",
];
const BRANDS: [&str; 10] =
    ["Acme", "Nike", "Samsung", "Lumo", "Svitlytsia", "Bosch", "Philips", "Adidas", "Puma", "Tefal"];

fn line(out: &mut impl Write, product: u64, variant: u64) -> std::io::Result<()> {
    let pick = |list: &'static [&'static str], salt: u64| {
        list[((product.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17) ^ salt.wrapping_mul(2_654_435_761))
            % list.len() as u64) as usize]
    };
    let (noun, word, brand) = (pick(&NOUNS, 1), pick(&WORDS, 2), pick(&BRANDS, 3));
    write!(
        out,
        "p{product},{noun} {word} {product},{brand},Дім > {noun},size,P{product}-{variant},{}.{:02},UAH,{}",
        100 + product % 900,
        product % 100,
        36 + variant
    )?;
    for n in 0..19u64 {
        write!(out, ",{} {}", pick(&WORDS, n + 7), (product >> n) % 40)?;
    }
    writeln!(out)
}

fn percentile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(((times.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or_default()
}

/// Measures.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let kept = options.dir.clone();
    let dir = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("braid_bench_catalog_{}", std::process::id())));
    std::fs::create_dir_all(&dir).with_context(|| format!("the folder {} cannot be made", dir.display()))?;
    let outcome = run_in(options, &dir);
    if kept.is_none() {
        let _ = std::fs::remove_dir_all(&dir);
    }
    outcome
}

fn run_in(options: &Options, dir: &Path) -> anyhow::Result<Report> {
    let file = dir.join("goods.csv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file)?);
    write!(out, "id,name,brand,categories,axes,sku,price,currency,size")?;
    (0..19).try_for_each(|n| write!(out, ",attribute {n}"))?;
    writeln!(out)?;
    for sku in 0..options.skus {
        line(&mut out, sku / 3, sku % 3)?;
    }
    out.flush()?;
    drop(out);
    let layout = exchange::rows::Layout::of_file(&file, "goods.csv")?;
    let begun = Instant::now();
    let mut rows = layout.rows_of_file(&file)?;
    while rows.next_row()?.is_some() {}
    let read_seconds = begun.elapsed().as_secs_f64();
    let bare_rows_seconds = bare(dir, &layout, &file)?;

    let location = match &options.database {
        Some(url) => Location::parse(url, dir)?,
        None => Location::Sqlite { path: dir.join("braid.db"), vfs: None },
    };
    let config = server::config::Effective::load(None, &Default::default(), &[])?.config(dir);
    let domain =
        Domain::open(Start::new(&config, location.clone(), Sync::Full, Arc::new(SystemClock), "braid bench catalog"))?;
    let spec = Spec {
        path: file.clone(),
        name: "goods.csv".into(),
        sha256: server::imports::spec::fingerprint(&file)?.sha256,
        layout,
        preset: exchange::goods::Layout::Braid,
        currency: "UAH".into(),
    };
    let payload = serde_json::to_string(&spec)?;
    let job = domain.store().write(move |tx: &mut Tx| {
        let id = db::jobs::add(tx, &db::jobs::New::of(KIND, &payload))?;
        db::jobs::find(tx, id)
    })?;
    let job = job.context("the job is gone")?;
    let begun = Instant::now();
    let tally = drive(&domain, dir, &job, &AtomicBool::new(false))?.context("the import was stopped")?;
    let import_seconds = begun.elapsed().as_secs_f64();
    anyhow::ensure!(tally.rows == options.skus && tally.rejected == 0, "the import took {tally:?}");

    let mut reading = location.open(Sync::Full, true)?;
    let index = Arc::new(Index::open(&dir.join("search"))?);
    let mut follower = Follower::new(index.clone())?;
    let begun = Instant::now();
    while follower.step(&mut reading, base::Clock::now(&base::SystemClock))? > 0 {}
    let index_seconds = begun.elapsed().as_secs_f64();
    let (mut plain, mut counted) = (Vec::new(), Vec::new());
    for n in 0..options.searches.max(1) {
        let text = match n % 5 {
            0 => format!("{} {}", NOUNS[n % 12], WORDS[n % 16]),
            1 => NOUNS[n % 12].chars().enumerate().filter(|(at, _)| *at != 3).map(|(_, c)| c).collect(),
            2 => format!("P{}-1", n as u64 * 7 % (options.skus / 3).max(1)),
            3 => format!("{} {}", NOUNS[n % 12].to_lowercase(), BRANDS[n % 10].to_lowercase()),
            _ => format!("{} {}", WORDS[n % 16], n * 13 % 1_000),
        };
        let asked = Asked { text, limit: 50, facets: n % 2 == 0, ..Asked::default() };
        let begun = Instant::now();
        index.search(&asked)?;
        let ms = begun.elapsed().as_secs_f64() * 1e3;
        if asked.facets { counted.push(ms) } else { plain.push(ms) }
    }

    let feed = domain.store().write(feed)?;
    let follow = || {
        domain.store().write(move |tx: &mut Tx| {
            feeds::advance(tx, feed, "https://shop.example/media", &mut |tx, feed, channel, _, variant| {
                feeds::follow::shown_offer(tx, feed, channel, variant, None)
            })
        })
    };
    let begun = Instant::now();
    while follow()?.products > 0 {}
    let feed_seconds = begun.elapsed().as_secs_f64();
    let (mut changed, mut written) = (Vec::new(), 0);
    for n in 0..options.changes.max(1) as u64 {
        let product = n * 97 % (options.skus / 3).max(1);
        let begun = Instant::now();
        domain.store().write(move |tx: &mut Tx| {
            let price = catalog::model::Price { minor: 77_700 + n as i64, currency: "UAH".into() };
            let variant =
                catalog::model::VariantInput { sku: format!("P{product}-0"), price: Some(price), ..Default::default() };
            let input = ProductInput { id: format!("p{product}"), variants: vec![variant], ..ProductInput::default() };
            catalog::commands::put_products(tx, &[input])
        })?;
        written += follow()?.written;
        changed.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    domain.close();
    Ok(Report {
        engine: if options.database.is_some() { "postgres" } else { "sqlite" },
        sync: "full",
        skus: options.skus,
        attributes: 20,
        import_seconds,
        read_seconds,
        bare_rows_seconds,
        index_seconds,
        search_p50_ms: percentile(&mut plain, 0.5),
        search_p99_ms: percentile(&mut plain, 0.99),
        facets_p50_ms: percentile(&mut counted, 0.5),
        facets_p99_ms: percentile(&mut counted, 0.99),
        feed_seconds,
        items_written_per_change: written as f64 / changed.len() as f64,
        changed_to_feed_p50_ms: percentile(&mut changed, 0.5),
        changed_to_feed_p99_ms: percentile(&mut changed, 0.99),
    })
}

/// A channel and its feed.
fn feed(tx: &mut Tx) -> Result<i64, DbError> {
    let channel = Channel {
        no: tx.next_id(),
        code: "site".into(),
        kind: ChannelKind::Site,
        labels: Labels::new(),
        root_no: 0,
        locales: vec!["uk".into()],
        currencies: vec!["UAH".into()],
        assortment: Vec::new(),
        version: 1,
    };
    let feed = Feed {
        no: tx.next_id(),
        name: "Bench".into(),
        format: Format::Yml,
        channel_no: channel.no,
        locale: "uk".into(),
        currency: "UAH".into(),
        link: "https://shop.example/p/{id}".into(),
        region: String::new(),
        token: "bench".into(),
        active: true,
        position: 0,
        priced_to: 0,
        followed_at: base::Timestamp::default(),
        version: 1,
    };
    catalog::schema::put(tx, &[catalog::schema::Thing::Channel(channel)])?;
    feeds::put(tx, &feed)?;
    Ok(feed.no)
}

/// What the disk takes: every row of the file as one row of a bare table, full sync.
fn bare(dir: &Path, layout: &exchange::rows::Layout, file: &Path) -> anyhow::Result<f64> {
    let mut engine = Location::Sqlite { path: dir.join("bare.db"), vfs: None }.open(Sync::Full, false)?;
    engine.batch("CREATE TABLE bare (line BIGINT PRIMARY KEY, body TEXT NOT NULL)")?;
    let begun = Instant::now();
    let mut rows = layout.rows_of_file(file)?;
    let mut waiting = 0;
    engine.batch("BEGIN")?;
    while let Some(row) = rows.next_row()? {
        let Ok(row) = row else { continue };
        let body: Vec<&str> = (0..row.len()).map(|at| row.get(at)).collect();
        engine.execute(
            "INSERT INTO bare (line, body) VALUES ($1, $2)",
            &[(row.line as i64).into(), body.join(",").as_str().into()],
        )?;
        waiting += 1;
        if waiting == 1_000 {
            engine.batch("COMMIT")?;
            engine.batch("BEGIN")?;
            waiting = 0;
        }
    }
    engine.batch("COMMIT")?;
    Ok(begun.elapsed().as_secs_f64())
}
