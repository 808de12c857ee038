//! Addresses of the network, and what is kept of them.
use memchr::memmem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
    let mut out: Option<String> = None;
    for at in memmem::find_iter(text.as_bytes(), "\"ip\"") {
        let Some((from, value)) = string_of(text, at + 4) else { continue };
        let Ok(ip) = value.trim().parse::<IpAddr>() else { continue };
        let mut shown = truncated(ip).to_string();
        if shown.len() > value.len() {
            // Only odd spellings are shorter than the network's own; nothing of them is kept.
            shown.clear();
        }
        let padded = format!("{shown}\"{}", " ".repeat(value.len() - shown.len()));
        // The closing quote moves to the front of the blanks.
        out.get_or_insert_with(|| text.to_string()).replace_range(from..from + value.len() + 1, &padded);
    }
    out
}

/// The plain string behind a name that ends at `at`: where it begins, and the string.
fn string_of(text: &str, at: usize) -> Option<(usize, &str)> {
    let rest = text.get(at..)?.trim_ascii_start().strip_prefix(':')?.trim_ascii_start().strip_prefix('"')?;
    let end = memchr::memchr2(b'"', b'\\', rest.as_bytes())?;
    (rest.as_bytes()[end] == b'"').then(|| (text.len() - rest.len(), &rest[..end]))
}
