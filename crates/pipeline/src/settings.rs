//! What the pipeline needs to know of the shop.
use base::{Country, SECOND_US};
use jiff::tz::TimeZone;

/// Settings that hold for a whole store.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[shop] country`: national telephone numbers are read as its.
    pub country: Country,
    /// `[shop] time_zone`: calendar windows and quiet hours.
    pub zone: TimeZone,
    /// `[shop] currency`: orders that name none.
    pub currency: String,
    pub clock_tolerance_us: i64,
    pub max_body: usize,
    pub dedup_days: i64,
    /// `[collect] geo_file`, once it is read.
    pub places: Option<collect::enrich::place::Loading>,
    /// `[collect] keep_ip`.
    pub keep_ip: collect::KeepIp,
    /// `[http] public_url`: where links in messages lead.
    pub public_url: String,
    /// `[mail] from`.
    pub mail_from: String,
}

impl Default for Settings {
    /// A shop in Ukraine, as CONTRACTS 2 has it where nothing is said.
    fn default() -> Self {
        Self {
            country: Country::find("UA"),
            zone: TimeZone::get("Europe/Kyiv").unwrap_or(TimeZone::UTC),
            currency: "UAH".into(),
            clock_tolerance_us: 60 * SECOND_US,
            max_body: 500 << 10,
            dedup_days: 30,
            places: None,
            keep_ip: collect::KeepIp::Network,
            public_url: String::new(),
            mail_from: String::new(),
        }
    }
}
