//! table: addresses that belong to no host of the open internet: an application's identity provider is not there
//! unless its operator says so. Source: the special-purpose registries of IANA (RFC 6890 and its successors).

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Of IPv4, everything else is global unicast.
const NOT_GLOBAL_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    // carriers' networks, and metadata of some clouds
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    // link-local, and metadata of most clouds
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 31, 196, 0, 24),
    v4(192, 52, 193, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(192, 175, 48, 0, 24),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    // multicast, reserved, broadcast
    v4(224, 0, 0, 0, 3),
];

/// Of IPv6, only this may be global unicast …
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// … but for these: tunnels lead to addresses of IPv4 that nobody looked at.
const NOT_GLOBAL_V6: &[Ipv6Net] = &[
    v6(0x2001, 0, 0, 23),
    v6(0x2001, 0xdb8, 0, 32),
    v6(0x2002, 0, 0, 16),
    v6(0x2620, 0x4f, 0x8000, 48),
    v6(0x3fff, 0, 0, 20),
];

/// Whether a host of the open internet may have this address.
pub(crate) fn is_global(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !NOT_GLOBAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !NOT_GLOBAL_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// Whether one of these networks has the address, in whichever form it is written.
pub(crate) fn is_among(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|net| net.contains(&address) || net.contains(&address.to_canonical()))
}
