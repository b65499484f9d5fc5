use super::refused;
use std::net::IpAddr;

fn what(address: &str) -> Option<&'static str> {
    refused(address.parse::<IpAddr>().unwrap())
}

#[test]
fn first_and_last_of_every_range_and_their_neighbours() {
    // first and last of the range, the neighbours before and after it ("" where that is another refused range)
    let ranges = [
        ["0.0.0.0", "0.255.255.255", "", "1.0.0.0"],
        ["10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
        ["100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"],
        ["127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"],
        ["168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"],
        ["169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"],
        ["172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"],
        ["192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"],
        ["192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"],
        ["192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"],
        ["192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"],
        ["198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"],
        ["198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"],
        ["203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"],
        ["224.0.0.0", "239.255.255.255", "223.255.255.255", ""],
        ["240.0.0.0", "255.255.255.255", "", ""],
        ["::", "::ffff", "", ""],
        ["::7f00:1", "::ffff:ffff", "", ""],
        ["::ffff:0.0.0.0", "::ffff:255.255.255.255", "", ""],
        ["64:ff9b::", "64:ff9b::255.255.255.255", "", ""],
        ["64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "", ""],
        ["100::", "100::1", "", ""],
        ["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2000:ffff::", "2001:200::"],
        ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db9::"],
        ["2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:ffff::", "2003::"],
        ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff::", "3fff:1000::"],
        ["4000::", "5fff::", "3fff:ffff::", ""],
        ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""],
        ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""],
        ["fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""],
        ["ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""],
    ];
    for [first, last, before, after] in ranges {
        for inside in [first, last] {
            assert!(what(inside).is_some(), "{inside} is not public");
        }
        for outside in [before, after].into_iter().filter(|address| !address.is_empty()) {
            assert_eq!(what(outside), None, "{outside} is public");
        }
    }
}

#[test]
fn what_an_address_is_said_to_be() {
    for (address, expected) in [
        ("0.0.0.0", super::NO_ADDRESS),
        ("127.0.0.1", super::THIS_MACHINE),
        ("10.1.2.3", super::PRIVATE),
        ("169.254.169.254", super::LINK_LOCAL),
        ("255.255.255.255", super::RESERVED),
        ("::", super::NO_ADDRESS),
        ("::1", super::THIS_MACHINE),
        ("::2", super::TUNNEL),
        ("::ffff:8.8.8.8", super::TUNNEL),
        ("64:ff9b::8.8.8.8", super::TUNNEL),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", super::TUNNEL),
        ("2002:808:808::1", super::TUNNEL),
        ("2001:2:0:6c::430", super::MEASURING),
        ("fd12:3456:789a:1::1", super::PRIVATE),
        ("fe80::1", super::LINK_LOCAL),
        ("ff02::1", super::MULTICAST),
        ("5f00::1", super::RESERVED),
    ] {
        assert_eq!(what(address), Some(expected), "{address}");
    }
    for public in ["8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450::1"] {
        assert_eq!(what(public), None, "{public}");
    }
}
