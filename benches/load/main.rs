//! The load benchmark: byok, a bare forwarder and (where it is installed) nginx between the same load and the same
//! upstream, in one run. CPU time is what the operating system charges to the process under test.
//!
//! `cargo bench --bench load` prints the table of BENCHMARKS.md; `-- --quick` takes fewer requests.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a benchmark talks to a person")]
#![allow(clippy::cast_precision_loss, reason = "numbers for people")]

mod cases;
mod client;
mod forwarder;
mod process;
mod report;
mod target;

use anyhow::{Context, Result};
use std::{net::SocketAddr, time::Duration};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.first().map(String::as_str) {
        Some("--role=upstream") => runtime.block_on(upstream()),
        Some("--role=forwarder") => {
            let upstream: SocketAddr =
                arguments.get(1).context("the forwarder needs its upstream")?.parse()?;
            runtime.block_on(forwarder::run(upstream))
        }
        _ => {
            let quick = arguments.iter().any(|argument| argument == "--quick");
            let only =
                arguments.iter().find_map(|argument| argument.strip_prefix("--only=")).map(str::to_owned);
            runtime.block_on(report::run(quick, only.as_deref()))
        }
    }
}

/// The simulator as a process of its own, so that its CPU time is nobody else's.
async fn upstream() -> Result<()> {
    let options = byok_simulator::SimOptions { log_capacity: 0, pace: Duration::ZERO, ..Default::default() };
    let simulator = byok_simulator::Simulator::start(options).await?;
    println!("{}", simulator.address());
    std::future::pending::<()>().await;
    Ok(())
}
