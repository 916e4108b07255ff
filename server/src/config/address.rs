//! Network addresses: which proxies are believed, and how much of an address people are shown.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::value::Value;

/// An address, or all addresses that begin alike: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix_bits: u32,
}

const FORM: &str = "it is an address or a network, such as 10.0.0.7 or 10.0.0.0/8";

/// An IPv4 address that came over an IPv6 socket is the IPv4 address.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

impl Network {
    /// Whether `address` is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let ((base, base_width), (address, width)) = (bits(self.base), bits(plain(address)));
        let mask = u128::MAX.checked_shl(128 - self.prefix_bits).unwrap_or(0);
        base_width == width && (base & mask) == (address & mask)
    }
}

impl Value for Network {
    fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let base: IpAddr = address.parse().map_err(|_| FORM)?;
        let width = bits(base).1;
        let prefix_bits = prefix.map_or(Ok(width), |bits| bits.parse().map_err(|_| FORM))?;
        if prefix_bits > width {
            return Err(FORM.to_owned());
        }
        Ok(Self { base, prefix_bits })
    }

    fn show(&self) -> String {
        if self.prefix_bits == bits(self.base).1 {
            self.base.to_string()
        } else {
            format!("{}/{}", self.base, self.prefix_bits)
        }
    }
}

/// Whose request it is: the peer, or, where the peer is a trusted proxy, the last address of `X-Forwarded-For` that is
/// no trusted proxy itself. What stands before that address came from whoever sent it.
pub fn client_address<'h>(
    peer: IpAddr,
    forwarded_for: impl IntoIterator<Item = &'h str>,
    trusted: &[Network],
) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let hops: Vec<&str> = forwarded_for.into_iter().flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut client = plain(peer);
    for hop in hops.into_iter().rev() {
        let Some(address) = is_trusted(client).then(|| hop_address(hop)).flatten() else { break };
        client = address;
    }
    client
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.parse().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.or_else(with_port).or_else(in_brackets).map(plain)
}

/// What people are shown of an address: the last octet of IPv4, or the last 80 bits of IPv6, are blanked.
pub fn place(address: IpAddr) -> String {
    match plain(address) {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !0xff).to_string(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, Value, client_address, place};

    #[test]
    fn a_network_contains_what_begins_alike() {
        let holds = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.200.3.4"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7"));
        assert!(!holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("0.0.0.0/0", "8.8.8.8"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("fd00::/8", "fd12::1"));
        assert!(!holds("fd00::/8", "fe80::1"));
    }

    #[test]
    fn bad_networks_are_refused() {
        for text in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/x", "::/129", "example.com"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_trusted_proxies_say_whose_request_it_is() {
        let trusted = Vec::<Network>::parse("10.0.0.0/8").unwrap();
        let client = |peer: &str, forwarded: &[&str]| {
            client_address(peer.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
        };
        assert_eq!(client("203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.3"]), "10.0.0.3");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_place_is_coarse() {
        for (address, coarse) in [
            ("203.0.113.77", "203.0.113.0"),
            ("::ffff:203.0.113.77", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("::1", "::"),
        ] {
            assert_eq!(place(address.parse().unwrap()), coarse);
        }
    }
}
