//! From invoices to a plan: what the retailer sells, where, at which prices, and every step of every order with its moment.
use super::Invoice;
use base::{DAY_US, HOUR_US, MINUTE_US, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A place of the retailer: id, whether it is a shop, name, address, degrees × 10⁷.
pub type Place = (&'static str, bool, &'static str, &'static str, (i64, i64));

/// A warehouse and five shops.
pub const PLACES: [Place; 6] = [
    ("hub", false, "Центральний склад", "Київ, вул. Бориспільська 9", (504_201_000, 306_420_000)),
    ("kyiv", true, "Хрещатик", "Київ, вул. Хрещатик 21", (504_476_000, 305_230_000)),
    ("lviv", true, "Площа Ринок", "Львів, площа Ринок 14", (498_418_000, 240_316_000)),
    ("odesa", true, "Дерибасівська", "Одеса, вул. Дерибасівська 10", (464_846_000, 307_326_000)),
    ("kharkiv", true, "Сумська", "Харків, вул. Сумська 25", (499_988_000, 362_320_000)),
    ("dnipro", true, "Європейська площа", "Дніпро, вул. Європейська 5", (484_647_000, 350_462_000)),
];

/// Something that is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    pub code: String,
    /// The product whose variant it is: the number before the letters.
    pub product: String,
    pub name: String,
    pub category: &'static str,
    /// What one cost at first.
    pub first_minor: i64,
}

/// How an order reaches its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Courier,
    /// At the place of this index.
    Fetched(usize),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Goods come in for a week: place and goods by index, pieces.
    Receive { week: i64, place: usize, goods: Vec<(usize, i64)> },
    /// What things cost from now on.
    Prices { day: i64, prices: Vec<(usize, i64)> },
    /// An order by its index, and what happens to it.
    Order(usize, Act),
    /// An invoice of goods that came back, by its index.
    Back(usize),
}

/// What happens to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Place,
    Pay,
    Accept,
    Ready,
    /// It leaves with the carrier.
    Send,
    /// The customer has it.
    Have,
}

/// Everything that is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub goods: Vec<Goods>,
    /// Invoices of goods only, moved so that the last is of now.
    pub invoices: Vec<Invoice>,
    /// By moment.
    pub steps: Vec<(Timestamp, Step)>,
    /// Lines that are no goods: postage, discounts, corrections.
    pub left_out: usize,
}

/// Whether a code is of goods: five digits and perhaps letters.
pub fn is_goods(code: &str) -> bool {
    let (digits, rest) = code.split_at_checked(5).unwrap_or((code, ""));
    digits.len() == 5 && digits.bytes().all(|b| b.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The category of goods by words of their names; the first that fits.
pub fn category(name: &str) -> &'static str {
    const WORDS: [(&str, &[&str]); 8] = [
        ("Різдво", &["CHRISTMAS", "XMAS", "ADVENT", "SANTA", "REINDEER"]),
        ("Світло", &["LIGHT", "LANTERN", "CANDLE", "LAMP"]),
        ("Сумки", &["BAG", "PURSE", "SHOPPER"]),
        ("Кухня", &["MUG", "CUP", "PLATE", "BOWL", "TEA", "CAKE", "JUG", "KITCHEN", "BAKING", "JAM"]),
        ("Папір", &["CARD", "PAPER", "WRAP", "PEN", "NOTEBOOK", "STICKER"]),
        ("Іграшки", &["TOY", "GAME", "DOLL", "PUZZLE", "CHILD", "BABY"]),
        ("Прикраси", &["NECKLACE", "RING", "EARRING", "BRACELET"]),
        ("Оселя", &["HEART", "FRAME", "SIGN", "DECORATION", "CLOCK", "CUSHION", "HANGING", "BOX", "HOLDER"]),
    ];
    let words: BTreeSet<&str> = name.split(|c: char| !c.is_ascii_alphabetic()).collect();
    let of = |list: &[&str]| list.iter().any(|w| words.contains(w) || words.contains(format!("{w}S").as_str()));
    WORDS.iter().find(|(_, list)| of(list)).map_or("Різне", |(label, _)| label)
}

/// A number that an invoice always gives.
fn lot(number: &str, of: u64) -> u64 {
    let sum = number.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    (sum >> 17) % of
}

/// How an invoice was served: half by courier, half fetched at one of the shops.
pub fn way(invoice: &Invoice) -> Way {
    match lot(&invoice.number, 10) {
        0..=4 => Way::Courier,
        n => Way::Fetched(n as usize - 4),
    }
}

fn week(at: Timestamp) -> i64 {
    at.micros().div_euclid(7 * DAY_US)
}

/// Plans the last `wanted` invoices, the newest being of `now`.
pub fn plan(all: &[Invoice], wanted: usize, now: Timestamp) -> Plan {
    let mut out = Plan::default();
    let mut invoices: Vec<Invoice> = all.to_vec();
    invoices.sort_by(|a, b| (a.at, &a.number).cmp(&(b.at, &b.number)));
    let first = invoices.len().saturating_sub(wanted);
    let mut invoices = invoices.split_off(first);
    for invoice in &mut invoices {
        let before = invoice.lines.len();
        invoice.lines.retain(|line| is_goods(&line.code) && line.units > 0 && line.unit_minor > 0);
        out.left_out += before - invoice.lines.len();
        invoice.lines.truncate(100);
        // One line a code: an order has each article once.
        let mut once: Vec<super::Line> = Vec::new();
        for line in std::mem::take(&mut invoice.lines) {
            match once.iter_mut().find(|l| l.code == line.code) {
                Some(known) => known.units += line.units,
                None => once.push(line),
            }
        }
        invoice.lines = once;
    }
    invoices.retain(|invoice| !invoice.lines.is_empty());
    let Some(last) = invoices.last().map(|invoice| invoice.at) else { return out };
    let shift = now.micros() - last.micros();
    for invoice in &mut invoices {
        invoice.at = invoice.at.plus(shift);
    }
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    for line in invoices.iter().flat_map(|invoice| &invoice.lines) {
        index.entry(line.code.clone()).or_insert_with(|| {
            out.goods.push(Goods {
                code: line.code.clone(),
                product: line.code.chars().take(5).collect(),
                name: line.name.trim().to_string(),
                category: category(&line.name),
                first_minor: line.unit_minor,
            });
            out.goods.len() - 1
        });
    }
    for (at, invoice) in invoices.iter().enumerate() {
        steps_of(&mut out.steps, at, invoice);
    }
    receipts(&mut out.steps, &invoices, &index);
    prices(&mut out.steps, &invoices, &index, &out.goods);
    // What comes in and what is asked for it goes before who buys it; the rest stays as it was planned.
    let before = |step: &Step| !matches!(step, Step::Receive { .. } | Step::Prices { .. });
    out.steps.sort_by_key(|(at, step)| (*at, before(step)));
    out.steps.retain(|(at, _)| *at <= now);
    out.invoices = invoices;
    out
}

/// An order's life: minutes to be taken, half an hour to be packed, a day or two to arrive or be fetched.
fn steps_of(steps: &mut Vec<(Timestamp, Step)>, at: usize, invoice: &Invoice) {
    if invoice.back {
        return steps.push((invoice.at, Step::Back(at)));
    }
    let mut after = |us: i64, act| steps.push((invoice.at.plus(us), Step::Order(at, act)));
    after(0, Act::Place);
    after(MINUTE_US, Act::Pay);
    let wait = lot(&invoice.number, 9) as i64;
    after((5 + wait) * MINUTE_US, Act::Accept);
    after((20 + 3 * wait) * MINUTE_US, Act::Ready);
    match way(invoice) {
        Way::Courier => {
            after((3 + wait) * HOUR_US, Act::Send);
            after((26 + 4 * wait) * HOUR_US, Act::Have);
        }
        Way::Fetched(_) => after((2 + 5 * wait) * HOUR_US, Act::Have),
    }
}

/// Each week every place gets what it will need, and a little more at first.
fn receipts(steps: &mut Vec<(Timestamp, Step)>, invoices: &[Invoice], index: &BTreeMap<String, usize>) {
    let mut needs: BTreeMap<(i64, usize), BTreeMap<usize, i64>> = BTreeMap::new();
    let mut known: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut begins: BTreeMap<i64, Timestamp> = BTreeMap::new();
    for invoice in invoices {
        begins.entry(week(invoice.at)).or_insert(invoice.at);
        if invoice.back {
            continue;
        }
        let place = match way(invoice) {
            Way::Courier => 0,
            Way::Fetched(place) => place,
        };
        for line in &invoice.lines {
            let goods = index[&line.code];
            let spare = if known.insert((place, goods)) { 2 + line.units / 10 } else { 0 };
            *needs.entry((week(invoice.at), place)).or_default().entry(goods).or_default() += line.units + spare;
        }
    }
    for ((week, place), goods) in needs {
        let goods: Vec<(usize, i64)> = goods.into_iter().collect();
        for piece in goods.chunks(2_000) {
            steps.push((begins[&week], Step::Receive { week, place, goods: piece.to_vec() }));
        }
    }
}

/// Of a day: when it began, and how many lines said which price of which goods.
type Said = (Timestamp, BTreeMap<usize, BTreeMap<i64, usize>>);

/// A day's price of goods is what most of its lines say; it is set where it differs from the day before.
fn prices(steps: &mut Vec<(Timestamp, Step)>, invoices: &[Invoice], index: &BTreeMap<String, usize>, goods: &[Goods]) {
    let mut days: BTreeMap<i64, Said> = BTreeMap::new();
    for invoice in invoices.iter().filter(|invoice| !invoice.back) {
        let day = invoice.at.micros().div_euclid(DAY_US);
        let (_, seen) = days.entry(day).or_insert_with(|| (invoice.at, BTreeMap::new()));
        for line in &invoice.lines {
            *seen.entry(index[&line.code]).or_default().entry(line.unit_minor).or_default() += 1;
        }
    }
    let mut now: Vec<i64> = goods.iter().map(|g| g.first_minor).collect();
    for (day, (at, seen)) in days {
        let mut changed = Vec::new();
        for (goods, said) in seen {
            let most = said.iter().max_by_key(|(minor, times)| (**times, -**minor)).map(|(minor, _)| *minor);
            if let Some(minor) = most.filter(|minor| *minor != now[goods]) {
                now[goods] = minor;
                changed.push((goods, minor));
            }
        }
        if !changed.is_empty() {
            steps.push((at, Step::Prices { day, prices: changed }));
        }
    }
}
