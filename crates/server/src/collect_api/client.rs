//! Where a browser is: the connection's other end, or what a trusted proxy says of it.
use axum::http::{HeaderMap, HeaderName, header};
use collect::Client;
use std::net::IpAddr;

/// Characters of an agent that are read.
const AGENT_MAX: usize = 1024;

/// Networks of proxies that are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<(IpAddr, u8)>);

impl Proxies {
    /// Reads `10.0.0.0/8, ::1`; `None` when something of it is no network.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
        let one = |part: &str| -> Option<(IpAddr, u8)> {
            let (ip, bits) = part.split_once('/').map_or((part, None), |(ip, bits)| (ip, Some(bits)));
            let ip: IpAddr = ip.parse().ok()?;
            let most = if ip.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(most), |b| b.parse().ok().filter(|b| *b <= most))?;
            Some((ip, bits))
        };
        parts.map(one).collect::<Option<Vec<_>>>().map(Self)
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|(network, bits)| match (network.to_canonical(), ip) {
            (IpAddr::V4(n), IpAddr::V4(ip)) => same(n.to_bits().into(), ip.to_bits().into(), 32, *bits),
            (IpAddr::V6(n), IpAddr::V6(ip)) => same(n.to_bits(), ip.to_bits(), 128, *bits),
            _ => false,
        })
    }

    /// The client of a request. Of `X-Forwarded-For` the last address counts that no trusted proxy has: everything before
    /// it was written by whoever sent it.
    pub(crate) fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Client {
        let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
        let agent = agent.filter(|a| a.len() <= AGENT_MAX).map(Into::into);
        let mut ip = peer.map(|p| p.to_canonical());
        if ip.is_some_and(|p| self.trusts(p)) {
            let lines = headers.get_all(HeaderName::from_static("x-forwarded-for")).iter();
            let all: Vec<&str> = lines.filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).collect();
            for hop in all.iter().rev() {
                let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
                ip = Some(hop.to_canonical());
                if !self.trusts(hop) {
                    break;
                }
            }
        }
        Client { ip, agent }
    }
}

fn same(a: u128, b: u128, width: u8, bits: u8) -> bool {
    bits == 0 || (a ^ b) >> (width - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_count_from_trusted_proxies_only() {
        let proxies = Proxies::parse("10.0.0.0/8, ::1").expect("networks");
        let ip = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append("x-forwarded-for", line.parse().expect("a header"));
            }
            proxies.client(peer.parse().ok(), &headers).ip.expect("an address").to_string()
        };
        assert_eq!(ip("203.0.113.5", &["192.0.2.1"]), "203.0.113.5");
        assert_eq!(ip("10.1.1.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(ip("::ffff:10.1.1.1", &["192.0.2.1"]), "192.0.2.1");
        // What the browser itself wrote stands first and counts nothing.
        assert_eq!(ip("10.1.1.1", &["1.1.1.1, 192.0.2.1", "10.2.2.2"]), "192.0.2.1");
        assert_eq!(ip("10.1.1.1", &["192.0.2.1, nonsense"]), "10.1.1.1");
        assert_eq!(ip("::1", &[]), "::1");
    }

    #[test]
    fn networks_are_read() {
        assert_eq!(Proxies::parse(""), Some(Proxies::default()));
        for bad in ["10.0.0.0/33", "x", "10.0.0.0/8 ::1", "::/129", "10.0.0.0/"] {
            assert_eq!(Proxies::parse(bad), None, "{bad}");
        }
        let all = Proxies::parse("0.0.0.0/0").expect("a network");
        assert!(all.trusts([1, 2, 3, 4].into()) && !all.trusts("::2".parse().expect("an address")));
    }
}
