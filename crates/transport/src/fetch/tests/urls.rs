//! Addresses that must not be fetched. Every one of them is refused before anything is dialled.

use super::{FetchError, Fetcher, Rules, names};
use byok_types::{Blame, Fault, Retry};
use std::sync::Arc;

/// How an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// By its text.
    Url,
    /// By where it leads to.
    Network,
    /// There is no such name.
    Name,
}

use Refused::{Name, Network, Url};

const TABLE: &[(&str, Refused)] = &[
    // not a URL that is fetched at all
    ("", Url),
    ("pictures.test/a.png", Url),
    ("//pictures.test/a.png", Url),
    ("https://", Url),
    ("https:///", Url),
    ("http://pictures.test/a.png", Url),
    ("HTTP://pictures.test/a.png", Url),
    ("file:///etc/passwd", Url),
    ("file://localhost/etc/passwd", Url),
    ("ftp://pictures.test/a.png", Url),
    ("gopher://127.0.0.1:6379/_INFO", Url),
    ("dict://127.0.0.1:11211/stats", Url),
    ("jar:https://pictures.test!/a", Url),
    ("unix:///var/run/docker.sock", Url),
    ("ws://pictures.test/", Url),
    ("javascript:alert(1)", Url),
    ("gs://bucket/a.png", Url),
    ("data:text/plain,a", Url),
    // ports
    ("https://pictures.test:22/", Url),
    ("https://pictures.test:8443/", Url),
    ("https://pictures.test:0/", Url),
    ("https://pictures.test:65536/", Url),
    ("https://127.0.0.1:6379/", Url),
    // names and passwords
    ("https://ada@pictures.test/", Url),
    ("https://ada:secret@pictures.test/", Url),
    ("https://:secret@pictures.test/", Url),
    ("https://public.test@127.0.0.1/", Url),
    ("https://public.test:443@127.0.0.1/", Url),
    ("https://public.test%2f@127.0.0.1/", Url),
    ("https://127.0.0.1\\@public.test/", Network),
    ("https://127.0.0.1#@public.test/", Network),
    ("https://127.0.0.1?@public.test/", Network),
    // this machine in every spelling
    ("https://127.0.0.1/", Network),
    ("https://127.0.0.1:443/", Network),
    ("https://127.0.0.1:80/", Network),
    ("https://127.1/", Network),
    ("https://127.0.1/", Network),
    ("https://2130706433/", Network),
    ("https://017700000001/", Network),
    ("https://0177.0.0.1/", Network),
    ("https://0x7f.0.0.1/", Network),
    ("https://0x7f000001/", Network),
    ("https://0X7F.1/", Network),
    ("https://127.0.0.1./", Network),
    ("https://%31%32%37.0.0.1/", Network),
    ("https://127。0。0。1/", Network),
    ("https://①②⑦.0.0.1/", Network),
    ("https://1２7.0.0.1/", Network),
    ("https:127.0.0.1/", Network),
    ("https:\\\\127.0.0.1\\", Network),
    ("\thttps://127.0.\n0.1/", Network),
    ("https://0/", Network),
    ("https://0.0.0.0/", Network),
    ("https://00000000/", Network),
    ("https://[::]/", Network),
    ("https://[::1]/", Network),
    ("https://[0:0:0:0:0:0:0:1]/", Network),
    ("https://[::ffff:127.0.0.1]/", Network),
    ("https://[::ffff:7f00:1]/", Network),
    ("https://[::127.0.0.1]/", Network),
    ("https://[::ffff:0:127.0.0.1]/", Network),
    ("https://localhost/", Network),
    ("https://LOCALHOST/", Network),
    ("https://localhost./", Network),
    ("https://ˡocalhost/", Network),
    ("https://loc\u{ad}alhost/", Network),
    // other networks
    ("https://10.0.0.1/", Network),
    ("https://172.16.0.1/", Network),
    ("https://192.168.1.1/", Network),
    ("https://3232235777/", Network),
    ("https://0xc0a80101/", Network),
    ("https://0300.0250.0.1/", Network),
    ("https://169.254.169.254/latest/meta-data/", Network),
    ("https://0xa9fea9fe/", Network),
    ("https://2852039166/", Network),
    ("https://[::ffff:169.254.169.254]/", Network),
    ("https://[fd00:ec2::254]/", Network),
    ("https://100.100.100.200/", Network),
    ("https://192.0.0.192/", Network),
    ("https://168.63.129.16/", Network),
    ("https://198.18.0.1/", Network),
    ("https://192.0.2.1/", Network),
    ("https://224.0.0.251/", Network),
    ("https://255.255.255.255/", Network),
    ("https://[fe80::1]/", Network),
    ("https://[fe80::1%25eth0]/", Url),
    ("https://[fc00::1]/", Network),
    ("https://[ff02::fb]/", Network),
    ("https://[64:ff9b::10.0.0.1]/", Network),
    ("https://[64:ff9b:1::a00:1]/", Network),
    ("https://[2002:7f00:1::]/", Network),
    ("https://[2001:0:7f00:1::]/", Network),
    ("https://[2001:db8::1]/", Network),
    // names
    ("https://metadata.google.internal/", Network),
    ("https://intranet.test/", Network),
    ("https://mixed.test/", Network),
    ("https://mixed6.test/", Network),
    ("https://mapped.test/", Network),
    ("https://bücher.test/", Network),
    ("https://xn--bcher-kva.test/", Network),
    ("https://empty.test/", Name),
    ("https://nobody.test/", Name),
    ("https://256.256.256.256/", Url),
    ("https://0x1ffffffff/", Url),
    ("https://127.0.0.1.nobody.test/", Name),
    ("https://[::1].public.test/", Url),
    ("https://public.test\u{0}.nobody.test/", Url),
    ("https://public test/", Url),
];

#[tokio::test]
async fn refused_before_anything_is_dialled() {
    assert!(TABLE.len() >= 60);
    let names = names(&[
        ("localhost", &["127.0.0.1 ::1"]),
        ("localhost.", &["127.0.0.1"]),
        ("metadata.google.internal", &["169.254.169.254"]),
        ("intranet.test", &["10.1.2.3"]),
        ("mixed.test", &["93.184.216.34 192.168.0.1"]),
        ("mixed6.test", &["2606:2800:220:1:248:1893:25c8:1946 fd00::1"]),
        ("mapped.test", &["::ffff:10.0.0.1"]),
        ("xn--bcher-kva.test", &["10.1.2.3"]),
        ("empty.test", &[""]),
    ]);
    // Were an address to get through, it would be dialled under the rules that hold in production.
    let fetcher = Fetcher { resolver: Arc::clone(&names) as _, rules: Rules::default() };
    for (url, expected) in TABLE {
        let asked = names.asked.lock().len();
        let error = fetcher.fetch(url, &[]).await.unwrap_err();
        let found = match error {
            FetchError::BadUrl { .. } => Url,
            FetchError::NotPublic { .. } => Network,
            FetchError::Dns { .. } => Name,
            ref other => panic!("{url:?}: {other}"),
        };
        assert_eq!(found, *expected, "{url:?}: {error}");
        let asked = names.asked.lock().len() - asked;
        assert!(asked <= usize::from(found != Url), "{url:?} was looked up {asked} times");
        match found {
            Name => assert_eq!(error.blame(), Blame::Upstream),
            Url | Network => assert_eq!((error.blame(), error.retry()), (Blame::Client, Retry::Never)),
        }
    }
}
