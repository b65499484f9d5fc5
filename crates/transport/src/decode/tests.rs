use super::{Coding, Sniffed, named, sniff};
use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};

#[test]
fn codings_named_by_headers() {
    let cases = [
        (&[][..], Ok(None)),
        (&["identity"], Ok(None)),
        (&["gzip"], Ok(Some(Coding::Gzip))),
        (&["X-GZIP"], Ok(Some(Coding::Gzip))),
        (&["deflate"], Ok(Some(Coding::Zlib))),
        (&["br"], Ok(Some(Coding::Brotli))),
        (&[" zstd , identity"], Ok(Some(Coding::Zstd))),
        (&["gzip, gzip"], Err(())),
        (&["gzip", "br"], Err(())),
        (&["compress"], Err(())),
    ];
    for (values, expected) in cases {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        assert_eq!(named(&headers).map_err(|_| ()), expected, "{values:?}");
    }
}

#[test]
fn codings_sniffed() {
    let cases = [
        (&b""[..], Sniffed::MoreNeeded),
        (b"\x1f", Sniffed::MoreNeeded),
        (b"\x1f\x8b", Sniffed::Compressed(Coding::Gzip)),
        (b"\x1fx", Sniffed::Plain),
        (b"\x28\xb5\x2f", Sniffed::MoreNeeded),
        (b"\x28\xb5\x2f\xfd", Sniffed::Compressed(Coding::Zstd)),
        (b"(x", Sniffed::Plain),
        (b"{", Sniffed::Plain),
        (b"event: x", Sniffed::Plain),
    ];
    for (start, expected) in cases {
        assert_eq!(sniff(start), expected, "{start:?}");
    }
}
