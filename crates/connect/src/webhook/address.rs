//! Where webhooks may go. Whoever may enter a URL must not thereby reach what only this machine can reach (SSRF).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far webhooks reach beside the open internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Public addresses over https only.
    #[default]
    Public,
    /// Also this machine, over plain http too: for development and for a receiver beside Braid.
    Loopback,
    /// Also private networks, over plain http too.
    Private,
}

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Routed on the internet.
    Public,
    /// This machine.
    Loopback,
    /// RFC 1918, RFC 4193, RFC 6598.
    Private,
    /// Link-local, multicast, documentation, benchmarks, reserved: never a receiver. Clouds answer with their machines'
    /// secrets at 169.254.169.254.
    Never,
}

/// What an address is (IANA special-purpose registries, RFC 6890). Addresses of IPv6 that carry one of IPv4 are what that
/// one is: otherwise they would be a way around.
pub fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(v4) => place_v4(v4),
        IpAddr::V6(v6) => place_v6(v6),
    }
}

fn place_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        [127, ..] => Place::Loopback,
        [10, ..] | [192, 168, ..] => Place::Private,
        [172, b, ..] if b & 0xf0 == 16 => Place::Private,
        [100, b, ..] if b & 0xc0 == 64 => Place::Private,
        [0 | 224..=255, ..] | [169, 254, ..] => Place::Never,
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Place::Never
        }
        _ => Place::Public,
    }
}

fn place_v6(address: Ipv6Addr) -> Place {
    let s = address.segments();
    let carried = |high: u16, low: u16| place_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match s {
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Loopback,
        [0, 0, 0, 0, 0, 0xffff, high, low] => carried(high, low),
        // NAT64 (RFC 6052) and 6to4 (RFC 3056).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => carried(high, low),
        [0x2002, high, low, ..] => carried(high, low),
        // Documentation, Teredo and the other special parts of 2001::/23.
        [0x2001, 0xdb8, ..] | [0x2001, 0..=0x1ff, ..] | [0x3fff, 0..=0xfff, ..] => Place::Never,
        [first, ..] if first & 0xfe00 == 0xfc00 => Place::Private,
        [first, ..] if first & 0xe000 == 0x2000 => Place::Public,
        _ => Place::Never,
    }
}

/// Whether a request may go to an address. Plain http never leaves the own networks: signatures prove who speaks, and hide
/// nothing.
pub fn allows(reach: Reach, https: bool, address: IpAddr) -> bool {
    match place(address) {
        Place::Public => https,
        Place::Loopback => reach != Reach::Public,
        Place::Private => reach == Reach::Private,
        Place::Never => false,
    }
}

/// Why a URL cannot be an endpoint's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It cannot be read.
    #[error("this is no address such as https://example.com/hooks: {0}")]
    Unreadable(String),
    /// Another scheme.
    #[error("webhooks go over https")]
    Scheme,
    /// Plain http, and nothing allows it.
    #[error("webhooks go over https; plain http is for the own networks and needs webhooks.reach in braid.toml")]
    Plain,
    /// `user:password@`.
    #[error("an address holds no password: the signature says who speaks")]
    Password,
    /// An address that is refused as it stands.
    #[error("{0} is not on the internet; webhooks.reach in braid.toml says what else may be reached")]
    Address(IpAddr),
}

/// Checks what somebody enters, as far as it can be said before the name is resolved. The URL is read as the client reads
/// it (WHATWG), so that both see the same host.
pub fn check_url(reach: Reach, text: &str) -> Result<reqwest::Url, UrlError> {
    let url = reqwest::Url::parse(text).map_err(|e| UrlError::Unreadable(e.to_string()))?;
    let https = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(UrlError::Scheme),
    };
    if !https && reach == Reach::Public {
        return Err(UrlError::Plain);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Password);
    }
    match literal(&url) {
        Some(address) if !allows(reach, https, address) => Err(UrlError::Address(address)),
        _ => Ok(url),
    }
}

/// The address that a URL names without a name.
pub fn literal(url: &reqwest::Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}
