//! A coarse place: country, oblast, city. From an offline table of addresses, or from coordinates that an app sent.
//!
//! Never finer than a city: what a shop needs is which of its stores is near, and whose weather it is.
mod table;
mod ukraine;

use serde::Deserialize;
use std::sync::Arc;
pub use table::{Loading, Places, TableError};

/// A coarse place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// ISO 3166-1, two letters.
    pub country: Arc<str>,
    /// As it is shown; Ukrainian for oblasts, else as the table has it. Empty when it is not known.
    pub region: Arc<str>,
    /// ISO 3166-2 where it is known.
    pub region_code: Arc<str>,
    pub city: Arc<str>,
    /// What it was found by.
    pub by: By,
}

/// What a place was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    Address,
    Coordinates,
}

impl Place {
    /// Its part of a derived context: `"location":{…}`.
    pub fn json(&self) -> String {
        let mut out = String::from("\"location\":{");
        let by = match self.by {
            By::Address => "ip",
            By::Coordinates => "device",
        };
        let fields = [
            ("country", &*self.country),
            ("region", &*self.region),
            ("region_code", &*self.region_code),
            ("city", &*self.city),
            ("by", by),
        ];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            if !out.ends_with('{') {
                out.push(',');
            }
            out.push_str(&format!("\"{name}\":{}", serde_json::to_string(value).unwrap_or_else(|_| "\"\"".into())));
        }
        out.push('}');
        out
    }

    /// A place by what a table calls it.
    fn named(country: &str, region: &str, city: &str) -> Self {
        let oblast = if country == "UA" { ukraine::oblast(region) } else { None };
        let city = if country == "UA" { ukraine::city_name(city).unwrap_or(city) } else { city };
        let (region, code) = oblast.map_or((region, ""), |o| (o.name, o.code));
        Self {
            country: country.into(),
            region: region.into(),
            region_code: code.into(),
            city: city.into(),
            by: By::Address,
        }
    }
}

/// The largest distance at which a point still belongs to a city, and to a city's oblast. Kilometres.
const CITY_KM: f64 = 25.0;
const OBLAST_KM: f64 = 60.0;

/// The place of coordinates, in degrees; `None` far from every city of the table.
pub fn nearest((lat, lon): (f64, f64)) -> Option<Place> {
    let (city, km) = ukraine::CITIES
        .iter()
        .map(|c| (c, distance_km((lat, lon), (c.lat, c.lon))))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, km)| *km <= OBLAST_KM)?;
    let oblast = ukraine::OBLASTS.iter().find(|o| o.code == city.oblast);
    Some(Place {
        country: "UA".into(),
        region: oblast.map_or("", |o| o.name).into(),
        region_code: city.oblast.into(),
        city: if km <= CITY_KM { city.name } else { "" }.into(),
        by: By::Coordinates,
    })
}

/// Great-circle distance by the haversine formula (R. W. Sinnott, "Virtues of the Haversine", 1984), Earth's mean radius.
fn distance_km((lat1, lon1): (f64, f64), (lat2, lon2): (f64, f64)) -> f64 {
    let (phi1, phi2) = (lat1.to_radians(), lat2.to_radians());
    let (d_phi, d_lambda) = (phi2 - phi1, (lon2 - lon1).to_radians());
    let h = (d_phi / 2.0).sin().powi(2) + phi1.cos() * phi2.cos() * (d_lambda / 2.0).sin().powi(2);
    2.0 * 6371.0088 * h.sqrt().min(1.0).asin()
}

/// `location.latitude` and `location.longitude` of a context.
pub(crate) fn point(context: &str) -> Option<(f64, f64)> {
    #[derive(Deserialize)]
    struct Context {
        location: Point,
    }
    #[derive(Deserialize)]
    struct Point {
        latitude: f64,
        longitude: f64,
    }
    let Context { location } = serde_json::from_str(context).ok()?;
    let inside = location.latitude.abs() <= 90.0 && location.longitude.abs() <= 180.0;
    inside.then_some((location.latitude, location.longitude))
}
