//! What it costs to price a basket of three lines: select its prices out of 10,000 entries, then 200 promotions in force.
use anyhow::anyhow;
use base::{Rng, Timestamp};
use catalog::prices::model::{Ask, BASE, Entry, Kind, NEVER, PriceList, Scope};
use catalog::prices::select::{Lists, order, quote};
use loyalty::Compiled;
use loyalty::amounts::{Quantity, Rate, UnitPrice};
use loyalty::model::{Basket, Condition, Context, Effect, Line, Promotion, Promotions, Selection};
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

/// How much of everything.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Price entries in force.
    #[arg(long, default_value_t = 10_000)]
    entries: usize,
    /// Promotions in force.
    #[arg(long, default_value_t = 200)]
    rules: usize,
    /// Lines of a basket.
    #[arg(long, default_value_t = 3)]
    lines: usize,
    /// Baskets that are priced.
    #[arg(long, default_value_t = 20_000)]
    baskets: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// What was measured; times are of one basket.
#[derive(Debug, Serialize)]
pub struct Report {
    pub entries: usize,
    pub rules: usize,
    pub lines: usize,
    pub baskets: usize,
    pub median_us: f64,
    pub p99_us: f64,
    /// Of the median, what selecting the prices takes.
    pub select_median_us: f64,
    /// The same where every rule is asked why it does not apply.
    pub explained_median_us: f64,
    /// Promotions that applied to a basket, on average: an idle index would be fast too.
    pub applied_per_basket: f64,
}

/// Entries of one variant stand in several lists, as in a shop with regions and a loyalty tier.
const LISTS: i64 = 5;

/// Runs it.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let mut rng = Rng::new(options.seed);
    let variants = (options.entries as i64 / (LISTS + 1)).max(1);
    let lists = Lists::new((1..=LISTS).map(list).collect());
    let entries: Vec<Vec<Entry>> = (0..variants).map(|v| entries_of(v, &mut rng)).collect();
    let promotions = Promotions { promotions: (0..options.rules).map(promotion).collect(), ..Promotions::default() };
    let compiled = Compiled::new(promotions).map_err(|e| anyhow!("the bench's own promotions: {e}"))?;
    let context = Context { channel: Some("site".into()), at: Timestamp::from_micros(1), ..Context::default() };
    let explained = Context { explain: true, ..context.clone() };
    let (mut all, mut select, mut slow, mut applied) = (Vec::new(), Vec::new(), Vec::new(), 0usize);
    for _ in 0..options.baskets.max(1) {
        let picked: Vec<i64> = (0..options.lines).map(|_| rng.below(variants as u64) as i64).collect();
        let mut basket =
            Basket { currency: "UAH".into(), lines: picked.iter().map(|v| line(*v)).collect(), ..Basket::default() };
        for (nth, line) in basket.lines.iter_mut().enumerate() {
            line.id = nth.to_string();
        }
        let begun = Instant::now();
        for (line, variant) in basket.lines.iter_mut().zip(&picked) {
            let ask = Ask {
                variant: *variant,
                currency: "UAH".into(),
                quantity: 1000,
                channel: Some("site".into()),
                region: Some("r1".into()),
                segments: vec!["vip".into()],
                at: Timestamp::from_micros(1),
                ..Ask::default()
            };
            if let Some(found) = quote(&lists, &entries[*variant as usize], &ask) {
                line.price = UnitPrice::minor(found.minor);
                line.sale = found.sale;
            }
        }
        let selected = begun.elapsed();
        let priced = black_box(loyalty::price(&basket, &compiled, &context));
        all.push(begun.elapsed());
        select.push(selected);
        applied += priced.applied.len();
        let begun = Instant::now();
        black_box(loyalty::price(&basket, &compiled, &explained));
        slow.push(begun.elapsed());
    }
    let at = |times: &mut Vec<std::time::Duration>, share: f64| {
        times.sort_unstable();
        let place = ((times.len() - 1) as f64 * share) as usize;
        times[place].as_secs_f64() * 1e6
    };
    Ok(Report {
        entries: entries.iter().map(Vec::len).sum(),
        rules: compiled.len(),
        lines: options.lines,
        baskets: all.len(),
        median_us: at(&mut all, 0.5),
        p99_us: at(&mut all, 0.99),
        select_median_us: at(&mut select, 0.5),
        explained_median_us: at(&mut slow, 0.5),
        applied_per_basket: applied as f64 / all.len() as f64,
    })
}

fn list(id: i64) -> PriceList {
    let some = |text: &str| vec![text.to_string()];
    let scope = match id {
        1 => Scope { channels: some("app"), ..Scope::default() },
        2 => Scope { regions: some("r1"), ..Scope::default() },
        3 => Scope { segments: some("vip"), ..Scope::default() },
        4 => Scope { stores: some("s1"), ..Scope::default() },
        _ => Scope::default(),
    };
    PriceList {
        id,
        name: format!("list {id}"),
        currency: "UAH".into(),
        kind: Kind::Regular,
        position: id,
        scope,
        reason: String::new(),
        starts_at: Timestamp::from_micros(0),
        ends_at: NEVER,
        version: 1,
    }
}

fn entries_of(variant: i64, rng: &mut Rng) -> Vec<Entry> {
    let mut out: Vec<Entry> = (BASE..=LISTS)
        .map(|list| Entry {
            id: variant * (LISTS + 1) + list + 1,
            variant,
            list,
            currency: "UAH".into(),
            min_quantity: 0,
            minor: Some(1000 + rng.below(100_000) as i64),
            compare_at: None,
            starts_at: Timestamp::from_micros(0),
            ends_at: NEVER,
            change: 1,
        })
        .collect();
    out.sort_by(order);
    out
}

/// Four kinds of promotions in equal parts: of categories, of single goods, over the order, and by coupon.
fn promotion(at: usize) -> Promotion {
    let percent = Rate::percent(5 + (at % 20) as i64);
    let of = |selection: Selection| Effect::Percent { percent, on: Some(selection) };
    let category = Selection { categories: vec![format!("c{}", at % 50)], ..Selection::default() };
    let (conditions, effects, coupons) = match at % 4 {
        0 => (Vec::new(), vec![of(category)], Vec::new()),
        1 => {
            let skus = (0..20).map(|n| format!("SKU-{}", at * 20 + n)).collect();
            let on = Selection { skus, ..Selection::default() };
            (
                Vec::new(),
                vec![Effect::CheapestFree { every: 3, free: 1, percent: Rate::percent(100), on: Some(on) }],
                Vec::new(),
            )
        }
        2 => {
            let condition = Condition::Amount {
                on: Selection::default(),
                min_minor: Some(10_000 * at as i64),
                max_minor: None,
                of: loyalty::model::Of::Remaining,
            };
            (vec![condition], vec![Effect::FixedPerOrder { minor: 500, on: None }], Vec::new())
        }
        _ => (Vec::new(), vec![of(Selection::default())], vec![format!("CODE{at}")]),
    };
    let lane = ["pre", "default", "post"][at % 3];
    Promotion { id: format!("p{at}"), lane: Some(lane.into()), conditions, effects, coupons, ..Promotion::default() }
}

fn line(variant: i64) -> Line {
    Line {
        sku: format!("SKU-{variant}"),
        quantity: Quantity::pieces(1 + variant % 3),
        categories: vec![format!("c{}/sub", variant % 60)],
        tags: vec!["new".into()],
        brand: Some("brand".into()),
        rates: loyalty::tax::Rates { vat: Rate::percent(20), excise: Rate(0) },
        ..Line::default()
    }
}
