//! Addresses that are not the public internet, by the special-purpose registries of IANA.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const THIS_MACHINE: &str = "an address of this machine";
const PRIVATE: &str = "a private address";
const LINK_LOCAL: &str = "a link-local address";
const TUNNEL: &str = "an address that stands for another one";
const EXAMPLE: &str = "an address for examples";
const MEASURING: &str = "an address for measurements";
const MULTICAST: &str = "a multicast address";
const RESERVED: &str = "a reserved address";
const NO_ADDRESS: &str = "no address of one machine";

/// Network, length of its prefix, and what it is. The first row that matches names it.
const REFUSED_V4: [(Ipv4Addr, u32, &str); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8, NO_ADDRESS),
    (Ipv4Addr::new(10, 0, 0, 0), 8, PRIVATE),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "an address inside a carrier's network"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, THIS_MACHINE),
    // In no registry: the machines of one large cloud ask here for their own settings.
    (Ipv4Addr::new(168, 63, 129, 16), 32, PRIVATE),
    (Ipv4Addr::new(169, 254, 0, 0), 16, LINK_LOCAL),
    (Ipv4Addr::new(172, 16, 0, 0), 12, PRIVATE),
    (Ipv4Addr::new(192, 0, 0, 0), 24, RESERVED),
    (Ipv4Addr::new(192, 0, 2, 0), 24, EXAMPLE),
    (Ipv4Addr::new(192, 88, 99, 0), 24, TUNNEL),
    (Ipv4Addr::new(192, 168, 0, 0), 16, PRIVATE),
    (Ipv4Addr::new(198, 18, 0, 0), 15, MEASURING),
    (Ipv4Addr::new(198, 51, 100, 0), 24, EXAMPLE),
    (Ipv4Addr::new(203, 0, 113, 0), 24, EXAMPLE),
    (Ipv4Addr::new(224, 0, 0, 0), 4, MULTICAST),
    (Ipv4Addr::new(240, 0, 0, 0), 4, RESERVED),
];

/// The same for IPv6. IPv4 addresses in the clothes of IPv6 are refused whatever is inside.
const REFUSED_V6: [(Ipv6Addr, u32, &str); 16] = [
    (Ipv6Addr::UNSPECIFIED, 128, NO_ADDRESS),
    (Ipv6Addr::LOCALHOST, 128, THIS_MACHINE),
    // IPv4-mapped, IPv4-compatible, NAT64 (the well-known and the local prefix), Teredo, 6to4.
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, TUNNEL),
    (Ipv6Addr::UNSPECIFIED, 96, TUNNEL),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, TUNNEL),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, TUNNEL),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, TUNNEL),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, TUNNEL),
    (Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0), 48, MEASURING),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, RESERVED),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, EXAMPLE),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, EXAMPLE),
    // The unique local addresses, and the site-local ones that came before them.
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, PRIVATE),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, PRIVATE),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, LINK_LOCAL),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, MULTICAST),
];

/// All of IPv6 that is given out to the public internet so far.
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What an address is if it does not belong to the public internet, as the end of "… leads to".
pub(super) fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            REFUSED_V4.iter().find(|(network, prefix, _)| in_v4(address, *network, *prefix)).map(|row| row.2)
        }
        IpAddr::V6(address) => {
            let row = REFUSED_V6.iter().find(|(network, prefix, _)| in_v6(address, *network, *prefix));
            let public = in_v6(address, PUBLIC_V6.0, PUBLIC_V6.1);
            row.map(|row| row.2).or((!public).then_some(RESERVED))
        }
    }
}

const fn in_v4(address: Ipv4Addr, network: Ipv4Addr, prefix: u32) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0
}

const fn in_v6(address: Ipv6Addr, network: Ipv6Addr, prefix: u32) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0
}

#[cfg(test)]
mod tests;
