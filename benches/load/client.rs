//! A small HTTP/1.1 client: the load must cost less than what it measures.

use anyhow::{Context, Result, bail};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request as bytes.
pub(crate) fn request(host: SocketAddr, path: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        crate::target::CLIENT_KEY,
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An answer as far as it matters.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Time from the request to the first byte of the body.
    pub(crate) first: Duration,
    pub(crate) bytes: usize,
}

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the connection was closed");
        }
        Ok(())
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        let started = Instant::now();
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
        let status = text.split(' ').nth(1).context("no status")?.parse()?;
        let length =
            text.lines().find_map(|l| l.strip_prefix("content-length:")).map(|n| n.trim().parse::<usize>());
        while self.buffer.len() == head && !matches!(length, Some(Ok(0))) {
            self.more().await?;
        }
        let first = started.elapsed();
        let mut bytes = self.buffer.len() - head;
        if let Some(length) = length {
            let length = length?;
            while bytes < length {
                self.buffer.clear();
                self.more().await?;
                bytes += self.buffer.len();
            }
        } else {
            // The last chunk is `0`, and it ends what was read: nothing is sent ahead here.
            let mut tail = self.buffer.split_off(head);
            while !tail.ends_with(b"0\r\n\r\n") {
                self.buffer.clear();
                self.more().await?;
                bytes += self.buffer.len();
                tail.extend_from_slice(&self.buffer);
                let keep = tail.len().saturating_sub(16);
                tail.drain(..keep);
            }
        }
        Ok(Answer { status, first, bytes })
    }

    /// Sends a request and reads on until the task is dropped.
    pub(crate) async fn listen(mut self, request: Vec<u8>, began: Arc<AtomicUsize>) -> Result<()> {
        self.stream.write_all(&request).await?;
        self.more().await?;
        began.fetch_add(1, Ordering::Relaxed);
        loop {
            self.buffer.clear();
            self.more().await?;
        }
    }
}

/// Sends `count` requests over `connections` connections; returns the times to the first byte.
pub(crate) async fn load(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    count: usize,
) -> Result<Vec<Duration>> {
    let left = Arc::new(AtomicUsize::new(count));
    let request: Arc<[u8]> = request.into();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (left, request) = (left.clone(), request.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut times = Vec::new();
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                    let answer = connection.exchange(&request).await?;
                    if answer.status != 200 || answer.bytes == 0 {
                        bail!("status {} with {} bytes", answer.status, answer.bytes);
                    }
                    times.push(answer.first);
                }
                Ok(times)
            })
        })
        .collect();
    let mut times = Vec::with_capacity(count);
    for task in tasks {
        times.extend(task.await??);
    }
    Ok(times)
}
