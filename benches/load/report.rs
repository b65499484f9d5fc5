//! Running the cases and printing the table.

use crate::{
    cases, client,
    process::Process,
    target::{self, Target},
};
use anyhow::{Context, Result};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

const CHAT: &str = "/v1/chat/completions";
/// Chat to Chat: the bytes pass through.
const PASS: &str = "gpt-4o";
/// Chat to Messages.
const TRANSLATE: &str = "claude-sonnet-5";
const CONNECTIONS: usize = 256;
/// Streams that are open at the same time in the memory case.
const STREAMS: usize = 1_000;

/// A row of the table: what was measured for each target, in microseconds (or as the unit says).
struct Row {
    name: String,
    unit: &'static str,
    values: Vec<(String, f64)>,
    /// Largest allowed ratio to nginx, or (without nginx in the row) the largest value.
    limit: Limit,
}

#[derive(Clone, Copy)]
enum Limit {
    Ratio { pass: f64, translated: Option<f64> },
    Value { pass: f64, translated: Option<f64> },
}

struct Bench {
    room: PathBuf,
    upstream: std::net::SocketAddr,
    _upstream: Process,
    quick: bool,
    only: Option<String>,
    rows: Vec<Row>,
}

/// Everything.
pub(crate) async fn run(quick: bool, only: Option<&str>) -> Result<()> {
    let room = tempfile::Builder::new().prefix("byok-bench-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (process, upstream) = Process::role(&["--role=upstream"]).await?;
    let mut bench = Bench {
        room: room.path().to_owned(),
        upstream,
        _upstream: process,
        quick,
        only: only.map(str::to_owned),
        rows: Vec::new(),
    };
    bench
        .request(
            "request of 2 KB",
            &|m| cases::small(m, false, 1, 0),
            20_000,
            Limit::Ratio { pass: 3.0, translated: None },
        )
        .await?;
    bench
        .request(
            "stream of 2 chunks",
            &|m| cases::small(m, true, 2, 0),
            20_000,
            Limit::Ratio { pass: 3.0, translated: Some(4.0) },
        )
        .await?;
    bench.chunks().await?;
    bench
        .request(
            "request of 200 KB with 40 tools",
            &|m| cases::agent(m),
            3_000,
            Limit::Ratio { pass: 3.0, translated: Some(13.0) },
        )
        .await?;
    bench
        .request(
            "request of 5 MB with pictures",
            &|m| cases::pictures(m),
            200,
            Limit::Ratio { pass: 2.0, translated: Some(3.5) },
        )
        .await?;
    bench.first_token().await?;
    bench.memory().await?;
    bench.cold_start().await?;
    bench.print();
    Ok(())
}

impl Bench {
    fn wanted(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    fn count(&self, count: usize) -> usize {
        if self.quick { (count / 10).max(20) } else { count }
    }

    async fn targets(&self) -> Result<Vec<Target>> {
        let mut targets = Vec::new();
        targets.extend(target::nginx(&self.room, self.upstream).await?);
        targets.push(target::forwarder(self.upstream).await?);
        targets.push(target::byok(&fresh(&self.room)?, self.upstream).await?);
        Ok(targets)
    }

    /// CPU time for a request.
    async fn request(
        &mut self,
        name: &str,
        body: &dyn Fn(&str) -> Vec<u8>,
        count: usize,
        limit: Limit,
    ) -> Result<()> {
        if !self.wanted(name) {
            return Ok(());
        }
        let count = self.count(count);
        let connections = CONNECTIONS.min(count);
        let mut values = Vec::new();
        for target in self.targets().await? {
            for (way, model) in ways(&target, limit) {
                let request = client::request(target.address, CHAT, &body(model));
                client::load(target.address, &request, connections, (count / 5).max(connections))
                    .await
                    .context(way)?;
                let before = target.process.cpu()?;
                client::load(target.address, &request, connections, count).await?;
                values.push((
                    label(&target, way),
                    micros(target.process.cpu()?.saturating_sub(before)) / count as f64,
                ));
            }
        }
        self.rows.push(Row { name: name.to_owned(), unit: "µs CPU", values, limit });
        Ok(())
    }

    /// CPU time for a further chunk of a stream: in a burst, and alone.
    async fn chunks(&mut self) -> Result<()> {
        let (burst, alone) = ("further chunk in a burst", "chunk alone, 20 ms apart");
        if !self.wanted(burst) && !self.wanted(alone) {
            return Ok(());
        }
        let limits = [
            Limit::Ratio { pass: 1.0, translated: Some(1.5) },
            Limit::Ratio { pass: 1.5, translated: Some(1.8) },
        ];
        let (many, streams) = (1_000, self.count(500));
        let (slow, slow_streams) = (if self.quick { 50 } else { 150 }, 200);
        let mut rows = [Vec::new(), Vec::new()];
        for target in self.targets().await? {
            for (way, model) in ways(&target, limits[0]) {
                let measure = async |chunks, gap, connections, count| -> Result<f64> {
                    let request =
                        client::request(target.address, CHAT, &cases::small(model, true, chunks, gap));
                    let before = target.process.cpu()?;
                    client::load(target.address, &request, connections, count).await?;
                    Ok(micros(target.process.cpu()?.saturating_sub(before)) / count as f64)
                };
                measure(2, 0, 16, 500).await?;
                let short = measure(2, 0, 16, streams * 4).await?;
                let long = measure(2 + many, 0, 16, streams).await?;
                rows[0].push((label(&target, way), (long - short) / many as f64));
                let long = measure(2 + slow, 20, slow_streams, slow_streams).await?;
                rows[1].push((label(&target, way), (long - short) / slow as f64));
            }
        }
        for ((name, values), limit) in [burst, alone].into_iter().zip(rows).zip(limits) {
            self.rows.push(Row { name: name.to_owned(), unit: "µs CPU", values, limit });
        }
        Ok(())
    }

    /// Time that is added to the first token of a stream, at the median, with one request at a time.
    async fn first_token(&mut self) -> Result<()> {
        let name = "added time to the first token";
        if !self.wanted(name) {
            return Ok(());
        }
        let limit = Limit::Value { pass: 0.25, translated: Some(0.30) };
        let count = self.count(3_000);
        let median = async |address, model| -> Result<f64> {
            let request = client::request(address, CHAT, &cases::small(model, true, 2, 0));
            let mut times = client::load(address, &request, 1, count).await?;
            times.sort_unstable();
            Ok(times[times.len() / 2].as_secs_f64() * 1000.0)
        };
        let direct = median(self.upstream, PASS).await?;
        let mut values = Vec::new();
        for target in self.targets().await? {
            for (way, model) in ways(&target, limit) {
                values.push((label(&target, way), median(target.address, model).await? - direct));
            }
        }
        self.rows.push(Row { name: name.to_owned(), unit: "ms, p50", values, limit });
        Ok(())
    }

    /// Memory when idle, and with many slow streams open.
    async fn memory(&mut self) -> Result<()> {
        let name = "memory at 1,000 open slow streams";
        if !self.wanted(name) {
            return Ok(());
        }
        let limit = Limit::Value { pass: 45.0, translated: Some(45.0) };
        let (mut open, mut each, mut idle) = (Vec::new(), Vec::new(), Vec::new());
        for translated in [false, true] {
            for target in self.targets().await? {
                let Some((way, model)) = ways(&target, limit).get(usize::from(translated)).copied() else {
                    continue;
                };
                let before = target.process.memory_kib("VmRSS:")? as f64 / 1024.0;
                target.process.reset_peak();
                let request =
                    client::request(target.address, CHAT, &cases::small(model, true, 10_000, 1_000));
                let began = Arc::new(AtomicUsize::new(0));
                let mut tasks = Vec::new();
                for _ in 0..STREAMS {
                    let connection = client::Connection::open(target.address).await?;
                    tasks.push(tokio::spawn(connection.listen(request.clone(), began.clone())));
                }
                let end = Instant::now() + Duration::from_secs(30);
                while began.load(std::sync::atomic::Ordering::Relaxed) < STREAMS && Instant::now() < end {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                tokio::time::sleep(Duration::from_secs(if self.quick { 3 } else { 10 })).await;
                let peak = target.process.memory_kib("VmHWM:")? as f64 / 1024.0;
                tasks.iter().for_each(tokio::task::JoinHandle::abort);
                open.push((label(&target, way), peak));
                each.push((label(&target, way), (peak - before) * 1024.0 / STREAMS as f64));
                if !translated {
                    idle.push((label(&target, way), before));
                }
            }
        }
        self.rows.push(Row { name: name.to_owned(), unit: "MB", values: open, limit });
        let limit = Limit::Value { pass: 25.0, translated: Some(25.0) };
        self.rows.push(Row { name: "the same for each stream".to_owned(), unit: "KB", values: each, limit });
        let limit = Limit::Value { pass: 20.0, translated: None };
        self.rows.push(Row {
            name: "idle memory after the first answer".to_owned(),
            unit: "MB",
            values: idle,
            limit,
        });
        Ok(())
    }

    /// From the start of the process to the first right answer.
    async fn cold_start(&mut self) -> Result<()> {
        let name = "cold start to the first right answer";
        if !self.wanted(name) {
            return Ok(());
        }
        let mut times = Vec::new();
        let room = fresh(&self.room)?;
        for round in 0..if self.quick { 5 } else { 20 } {
            let (target, time) = target::byok_timed(&room, self.upstream).await?;
            drop(target);
            // The very first start makes the database.
            if round > 0 {
                times.push(time.as_secs_f64() * 1000.0);
            }
        }
        times.sort_by(f64::total_cmp);
        let values = vec![("byok".to_owned(), times[times.len() / 2])];
        self.rows.push(Row {
            name: name.to_owned(),
            unit: "ms, p50",
            values,
            limit: Limit::Value { pass: 25.0, translated: None },
        });
        Ok(())
    }

    fn print(&self) {
        println!(
            "\n| figure | nginx | forwarder | byok | byok translated | target | |\n| --- | ---: | ---: | ---: | ---: | --- | --- |"
        );
        for row in &self.rows {
            let value =
                |name: &str| row.values.iter().find(|(label, _)| label == name).map(|(_, value)| *value);
            let shown = |name: &str| {
                value(name)
                    .map_or("–".to_owned(), |v| if v < 10.0 { format!("{v:.2}") } else { format!("{v:.0}") })
            };
            let (target, verdict) = row.verdict(value("nginx"), value("byok"), value("byok translated"));
            println!(
                "| {} ({}) | {} | {} | {} | {} | {target} | {verdict} |",
                row.name,
                row.unit,
                shown("nginx"),
                shown("forwarder"),
                shown("byok"),
                shown("byok translated"),
            );
        }
    }
}

impl Row {
    fn verdict(&self, nginx: Option<f64>, pass: Option<f64>, translated: Option<f64>) -> (String, String) {
        let (base, limits, unit) = match self.limit {
            Limit::Ratio { pass, translated } => (nginx, (pass, translated), "× nginx"),
            Limit::Value { pass, translated } => (Some(1.0), (pass, translated), self.unit),
        };
        let target = match limits.1 {
            Some(translated) if (translated - limits.0).abs() > f64::EPSILON => {
                format!("≤ {} / {translated} {unit}", limits.0)
            }
            _ => format!("≤ {} {unit}", limits.0),
        };
        let Some(base) = base.filter(|base| *base > 0.0) else { return (target, "no nginx here".to_owned()) };
        let check = |value: Option<f64>, limit: Option<f64>| {
            let (value, limit) = (value? / base, limit?);
            let mark = if value <= limit { "met" } else { "MISSED" };
            Some(if matches!(self.limit, Limit::Ratio { .. }) {
                format!("{value:.2}× {mark}")
            } else {
                mark.to_owned()
            })
        };
        let found = [check(pass, Some(limits.0)), check(translated, limits.1)];
        (target, found.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

fn ways(target: &Target, limit: Limit) -> Vec<(&'static str, &'static str)> {
    let (Limit::Ratio { translated, .. } | Limit::Value { translated, .. }) = limit;
    let mut ways = vec![("", PASS)];
    if target.translates && translated.is_some() {
        ways.push(("translated", TRANSLATE));
    }
    ways
}

fn label(target: &Target, way: &str) -> String {
    format!("{} {way}", target.name).trim_end().to_owned()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn fresh(room: &Path) -> Result<PathBuf> {
    Ok(tempfile::Builder::new().prefix("home-").tempdir_in(room)?.keep())
}
