//! What a customer is worth (A12 to A14), in the shop's currency.
use super::lifecycle::mean_interval;
use super::{Answer, Asked, Derived, Kind, Window};
use crate::facts::day_of;
use base::{DAY_US, Decimal, Timestamp, currency_exponent};
use db::event::Scalar;

/// The year over which income is added up.
const YEAR_DAYS: i32 = 365;

macro_rules! value {
    ($const:ident, $name:literal, $by_time:literal, $doc:literal, $function:expr) => {
        pub(super) const $const: Derived = Derived {
            name: $name,
            kind: Kind::Number,
            unit: "money",
            options: &[],
            doc: $doc,
            consents: &[],
            traits: &[],
            by_time: $by_time,
            function: $function,
        };
    };
}

value!(
    INCOME_YEAR,
    "clv.income_year",
    true,
    "Orders less returns of the last 365 days (whole days of UTC).",
    |asked| income(asked).answer(asked)
);
value!(
    EXPECTED_YEAR,
    "clv.expected_year",
    false,
    "The mean order times the orders that a year has at the customer's own interval; from 3 orders on.",
    expected
);
value!(
    SERVICE_COST_YEAR,
    "clv.service_cost_year",
    true,
    "The staff's time of the last 365 days (handling_seconds of closed conversations and calls) times what an hour costs.",
    |asked| cost(asked).map_or_else(|| unknown_cost(asked), |sum| sum.answer(asked))
);
value!(NET_YEAR, "clv.net_year", true, "Income of the year less the cost of service, where that is known.", net);
value!(AVERAGE_ORDER, "average_order", false, "Revenue by orders, returns not taken off.", average);

/// A sum over days, in minor units.
struct Sum {
    minor: i128,
    count: u64,
    until: Option<Timestamp>,
    what: &'static str,
}

impl Sum {
    fn answer(self, asked: &Asked<'_>) -> Answer {
        let Sum { minor, count, until, what } = self;
        Answer::of(money(asked, minor), Window::Days(i64::from(YEAR_DAYS)), count)
            .until(until)
            .because(asked, || format!("{count} {what} in the last {YEAR_DAYS} days"))
    }
}

fn money(asked: &Asked<'_>, minor: i128) -> Scalar {
    let places = currency_exponent(asked.rules.currency.as_str());
    Scalar::Number(Decimal::from_billionths(minor.saturating_mul(10i128.pow(9 - places.min(9)))))
}

/// When a day leaves the year.
fn leaves(day: i32) -> Timestamp {
    Timestamp::from_micros((i64::from(day) + i64::from(YEAR_DAYS)) * DAY_US)
}

fn income(asked: &Asked<'_>) -> Sum {
    let today = day_of(asked.now);
    let days = asked.state.facts.rare().days.iter();
    let mut sum = Sum { minor: 0, count: 0, until: None, what: "orders" };
    for day in days.filter(|d| d.currency == asked.rules.currency && d.day > today.saturating_sub(YEAR_DAYS)) {
        sum.minor += i128::from(day.income);
        sum.count += u64::from(day.orders);
        sum.until = sum.until.or(Some(leaves(day.day)));
    }
    sum
}

fn cost(asked: &Asked<'_>) -> Option<Sum> {
    let hour = asked.rules.thresholds.service_hour_minor;
    if hour == 0 {
        return None;
    }
    let today = day_of(asked.now);
    let mut sum = Sum { minor: 0, count: 0, until: None, what: "days with the staff's time" };
    let mut seconds = 0i128;
    let served = asked.state.facts.rare().served.iter();
    for (day, more) in served.filter(|(day, _)| *day > today.saturating_sub(YEAR_DAYS)) {
        seconds += i128::from(*more);
        sum.count += 1;
        sum.until = sum.until.or(Some(leaves(*day)));
    }
    sum.minor = (seconds * i128::from(hour) + 1_800) / 3_600;
    Some(sum)
}

fn unknown_cost(asked: &Asked<'_>) -> Answer {
    Answer::none(Window::Days(i64::from(YEAR_DAYS)))
        .because(asked, || "the shop has not said what an hour of service costs (service_hour_minor)".into())
}

fn net(asked: &Asked<'_>) -> Answer {
    let (income, cost) = (income(asked), cost(asked));
    let until = [income.until, cost.as_ref().and_then(|c| c.until)].into_iter().flatten().min();
    let spent = cost.as_ref().map_or(0, |c| c.minor);
    let known = cost.is_some();
    Answer::of(money(asked, income.minor - spent), Window::Days(i64::from(YEAR_DAYS)), income.count)
        .until(until)
        .because(asked, || {
            let orders = income.count;
            if known {
                format!("income of {orders} orders less the cost of service")
            } else {
                format!("income of {orders} orders; the cost of service is not known")
            }
        })
}

/// Lifetime revenue and orders in the shop's currency.
fn lifetime(asked: &Asked<'_>) -> (i128, i128) {
    let sales = asked.state.facts.rare().sales.iter().filter(|s| s.currency == asked.rules.currency);
    sales.fold((0, 0), |(revenue, orders), s| (revenue + i128::from(s.revenue), orders + i128::from(s.orders)))
}

fn average(asked: &Asked<'_>) -> Answer {
    match lifetime(asked) {
        (_, 0) => Answer::none(Window::Ever).because(asked, || "no order in the shop's currency".into()),
        (revenue, orders) => Answer::of(money(asked, revenue / orders), Window::Ever, orders as u64)
            .because(asked, || format!("{orders} orders")),
    }
}

fn expected(asked: &Asked<'_>) -> Answer {
    let totals = &asked.state.totals;
    let (revenue, orders) = lifetime(asked);
    let mean = mean_interval(totals.orders, asked.state.facts.rare().first_order, totals.last_order_at);
    let Some(mean) = mean.filter(|_| orders >= 3) else {
        return Answer::none(Window::Ever).because(asked, || "fewer than 3 orders".into());
    };
    let year = i128::from(YEAR_DAYS) * i128::from(DAY_US);
    let minor = revenue * year / (orders * i128::from(mean.max(1)));
    Answer::of(money(asked, minor), Window::Ever, orders as u64)
        .because(asked, || format!("{orders} orders, one every {} days", super::days(mean)))
}
