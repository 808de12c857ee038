//! Addresses of the network, and what is kept of them.
use memchr::memmem::Finder;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"ip\""));

/// The network that an address belongs to: 24 bits of an IPv4 address, 48 of an IPv6 one.
pub fn truncated(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & 0xFFFF_FF00)),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => truncated(IpAddr::V4(v4)),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !((1u128 << 80) - 1))),
        },
    }
}

/// A JSON text in which every address under the name `ip` is replaced by its network; `None` when there is none. The text
/// keeps its length, so that places in it stay places.
pub fn mask(text: &str) -> Option<String> {
    let mut out: Option<Vec<u8>> = None;
    let mut shown = String::with_capacity(40);
    for at in NAME.find_iter(text.as_bytes()) {
        let Some((from, value)) = string_of(text, at + 4) else { continue };
        let Ok(ip) = value.trim().parse::<IpAddr>() else { continue };
        shown.clear();
        let _ = write!(shown, "{}", truncated(ip));
        if shown.len() > value.len() {
            // Only odd spellings are shorter than the network's own; nothing of them is kept.
            shown.clear();
        }
        // The closing quote moves to the front of the blanks.
        let place = &mut out.get_or_insert_with(|| text.as_bytes().to_vec())[from..=from + value.len()];
        place.fill(b' ');
        place[..shown.len()].copy_from_slice(shown.as_bytes());
        place[shown.len()] = b'"';
    }
    out.map(|bytes| String::from_utf8(bytes).unwrap_or_else(|e| panic!("only ASCII replaced whole strings: {e}")))
}

/// The plain string behind a name that ends at `at`: where it begins, and the string.
fn string_of(text: &str, at: usize) -> Option<(usize, &str)> {
    let rest = text.get(at..)?.trim_ascii_start().strip_prefix(':')?.trim_ascii_start().strip_prefix('"')?;
    let end = memchr::memchr2(b'"', b'\\', rest.as_bytes())?;
    (rest.as_bytes()[end] == b'"').then(|| (text.len() - rest.len(), &rest[..end]))
}
