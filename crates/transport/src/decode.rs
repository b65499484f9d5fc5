use crate::{Host, TransportError, body::RawBody};
use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, header};
use http_body_util::BodyDataStream;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

/// How much decoded data may come from one byte.
const MAX_RATIO: usize = 100;
/// Below this size the ratio is not looked at: small regular answers compress well beyond it.
const RATIO_FREE: usize = 1024 * 1024;
/// Size of the pieces that come out.
const CHUNK: usize = 16 * 1024;

/// A compression that byok can undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Zlib,
    Brotli,
    Zstd,
}

/// The compression that the headers name; `Err` with the reason when it is none that byok undoes.
pub(crate) fn named(headers: &HeaderMap) -> Result<Option<Coding>, String> {
    let mut found = None;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let Ok(value) = value.to_str() else { return Err("its encoding has no readable name".into()) };
        for name in value.split(',').map(str::trim) {
            let coding = match name.to_ascii_lowercase().as_str() {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "deflate" => Coding::Zlib,
                "br" => Coding::Brotli,
                "zstd" => Coding::Zstd,
                _ => return Err("its encoding is not one of gzip, deflate, br and zstd".into()),
            };
            if found.replace(coding).is_some() {
                return Err("it is compressed more than once".into());
            }
        }
    }
    Ok(found)
}

/// What the first bytes of a body say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// Too few to tell.
    MoreNeeded,
    Plain,
    Compressed(Coding),
}

/// Looks for the magic numbers of gzip and zstd. Neither JSON nor an event stream begins with one.
pub(crate) fn sniff(start: &[u8]) -> Sniffed {
    const MAGIC: [(&[u8], Coding); 2] =
        [(&[0x1f, 0x8b], Coding::Gzip), (&[0x28, 0xb5, 0x2f, 0xfd], Coding::Zstd)];
    for (magic, coding) in MAGIC {
        if start.starts_with(magic) {
            return Sniffed::Compressed(coding);
        }
        if magic.starts_with(start) {
            return Sniffed::MoreNeeded;
        }
    }
    Sniffed::Plain
}

/// A body that is decoded as it is read.
pub(crate) struct Decoding {
    output: ReaderStream<Pin<Box<dyn AsyncRead + Send>>>,
    host: Host,
    limit: usize,
    bytes_in: Arc<AtomicUsize>,
    bytes_out: usize,
}

impl Decoding {
    pub(crate) fn new(body: RawBody, coding: Coding) -> Self {
        let (host, limit) = (body.host.clone(), body.decode_limit);
        let bytes_in = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&bytes_in);
        let input = StreamReader::new(BodyDataStream::new(body).map(move |data| match data {
            Ok(data) => {
                counter.fetch_add(data.len(), Ordering::Relaxed);
                Ok(data)
            }
            Err(error) => Err(io::Error::other(error)),
        }));
        let reader: Pin<Box<dyn AsyncRead + Send>> = match coding {
            Coding::Gzip => {
                let mut decoder = GzipDecoder::new(input);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Coding::Zlib => Box::pin(ZlibDecoder::new(input)),
            Coding::Brotli => Box::pin(BrotliDecoder::new(input)),
            Coding::Zstd => {
                let mut decoder = ZstdDecoder::new(input);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
        };
        Self { output: ReaderStream::with_capacity(reader, CHUNK), host, limit, bytes_in, bytes_out: 0 }
    }

    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportError>>> {
        let Some(data) = ready!(Pin::new(&mut self.output).poll_next(cx)) else { return Poll::Ready(None) };
        Poll::Ready(Some(match data {
            Ok(data) => {
                self.bytes_out = self.bytes_out.saturating_add(data.len());
                self.check().map(|()| data)
            }
            Err(error) => Err(self.sort(error)),
        }))
    }

    fn check(&self) -> Result<(), TransportError> {
        let bytes_in = self.bytes_in.load(Ordering::Relaxed);
        let why = if self.bytes_out > self.limit {
            format!("it grows beyond {} bytes", self.limit)
        } else if self.bytes_out > RATIO_FREE && self.bytes_out / MAX_RATIO > bytes_in {
            format!("it grows to more than {MAX_RATIO} times its size")
        } else {
            return Ok(());
        };
        Err(TransportError::Decode { host: self.host.clone(), why })
    }

    /// An error of the connection travels through the decoder inside an I/O error.
    fn sort(&self, error: io::Error) -> TransportError {
        error.downcast::<TransportError>().unwrap_or_else(|error| TransportError::Decode {
            host: self.host.clone(),
            why: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests;
