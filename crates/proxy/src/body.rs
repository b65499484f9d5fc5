//! Reading the body of a request: with a limit, in time, and decompressed with a cap.

use axum::body::Body;
use byok_types::{Blame, Failure, FailureKind};
use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, EXPECT},
};
use http_body_util::BodyExt;
use std::{io::Read, time::Duration};

/// How often a compressed body may grow.
const RATIO: usize = 100;
/// How long, and how much of, a body that is too large is read and forgotten.
const FORGET: (Duration, usize) = (Duration::from_secs(10), 256 << 20);

/// The whole body.
pub(crate) async fn read(
    body: Body,
    headers: &HeaderMap,
    limit: usize,
    within: Duration,
) -> Result<Bytes, Failure> {
    let mut body = body;
    let raw = tokio::time::timeout(within, collect(&mut body, limit)).await.map_err(|_| {
        Failure::new(
            FailureKind::Timeout,
            Blame::Client,
            format!(
                "the request body did not arrive within {} s (`timeouts.body_read` in the config).",
                within.as_secs()
            ),
        )
        .with_status(408)
    })?;
    // A client that is told to send nothing more (`expect: 100-continue`) has sent nothing yet.
    if raw.as_ref().is_err_and(|failure| failure.kind == FailureKind::PayloadTooLarge)
        && !headers.contains_key(EXPECT)
    {
        // Reading on for the client's sake is all that this is for: how it ends does not matter.
        let _ = tokio::time::timeout(FORGET.0, forget(&mut body)).await;
    }
    let raw = raw?;
    match headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => Ok(raw),
        Some("gzip" | "x-gzip") => inflate(flate2::read::MultiGzDecoder::new(&raw[..]), raw.len(), limit),
        Some("deflate") => inflate(flate2::read::ZlibDecoder::new(&raw[..]), raw.len(), limit),
        Some("zstd") => match zstd::stream::read::Decoder::new(&raw[..]) {
            Ok(decoder) => inflate(decoder, raw.len(), limit),
            Err(_) => Err(undecodable()),
        },
        Some(other) => Err(Failure::bad_request(
            "content-encoding",
            format!("`content-encoding: {}` is not supported. Send the body as it is, or as gzip, deflate or zstd.", other.chars().take(40).collect::<String>()),
        )
        .with_status(415)),
    }
}

/// Reads on without keeping anything. A client that still writes does not read: without this it would find a torn connection
/// in place of the answer.
async fn forget(body: &mut Body) {
    let mut left = FORGET.1;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

async fn collect(body: &mut Body, limit: usize) -> Result<Bytes, Failure> {
    let announced = http_body::Body::size_hint(body).lower();
    if usize::try_from(announced).unwrap_or(usize::MAX) > limit {
        return Err(too_large(limit));
    }
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Failure::new(
                FailureKind::ClientGone,
                Blame::Client,
                "the request body broke off. Send the whole body.",
            )
            .with_status(400)
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + first.as_ref().map_or(0, Bytes::len) + data.len() > limit {
            return Err(too_large(limit));
        }
        match (first.take(), all.is_empty()) {
            // Most bodies are one piece; only the second makes a copy necessary.
            (None, true) => first = Some(data),
            (Some(one), _) => {
                let expected = usize::try_from(announced).unwrap_or(0).clamp(one.len() + data.len(), limit);
                all.reserve(expected);
                all.extend_from_slice(&one);
                all.extend_from_slice(&data);
            }
            (None, false) => all.extend_from_slice(&data),
        }
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

fn inflate(reader: impl Read, compressed: usize, limit: usize) -> Result<Bytes, Failure> {
    let most = compressed.saturating_mul(RATIO).max(64 << 10);
    let mut out = Vec::new();
    reader.take(limit.min(most) as u64 + 1).read_to_end(&mut out).map_err(|_| undecodable())?;
    if out.len() > limit {
        Err(too_large(limit))
    } else if out.len() > most {
        Err(Failure::new(
            FailureKind::PayloadTooLarge,
            Blame::Client,
            format!("the compressed request body grows more than {RATIO} times. Send it uncompressed."),
        ))
    } else {
        Ok(out.into())
    }
}

fn undecodable() -> Failure {
    Failure::bad_request(
        "body",
        "the request body cannot be decompressed by its `content-encoding`. Send it as it is.",
    )
}

fn too_large(limit: usize) -> Failure {
    Failure::new(
        FailureKind::PayloadTooLarge,
        Blame::Client,
        format!("the request body is larger than {limit} bytes (`limits.body` in the config)."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn bodies_are_read_with_a_limit() {
        let second = Duration::from_secs(1);
        let encoded = |kind: &'static str| HeaderMap::from_iter([(CONTENT_ENCODING, kind.parse().unwrap())]);
        let bomb = gzip(&vec![0; 50 << 20]);
        let text = b"{\"model\":\"m\"}".repeat(100);
        let cases = [
            ("plain", text.clone(), HeaderMap::new(), Ok(text.len())),
            ("gzip", gzip(&text), encoded("gzip"), Ok(text.len())),
            ("zstd", zstd::encode_all(&text[..], 3).unwrap(), encoded("zstd"), Ok(text.len())),
            ("bomb", bomb, encoded("gzip"), Err(413)),
            ("not gzip", text.clone(), encoded("gzip"), Err(400)),
            ("nested", text.clone(), encoded("gzip, gzip"), Err(415)),
            ("too large", vec![b'x'; (1 << 20) + 1], HeaderMap::new(), Err(413)),
        ];
        for (name, body, headers, expected) in cases {
            let found = read(Body::from(body), &headers, 1 << 20, second).await;
            assert_eq!(found.map(|b| b.len()).map_err(|f| f.status), expected, "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let body = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        let failure = read(body, &HeaderMap::new(), 10, Duration::from_mins(2)).await.unwrap_err();
        assert_eq!(failure.status, 408);
    }
}
