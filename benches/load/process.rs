//! Processes under test, and what the operating system says of them.

use anyhow::{Context, Result, bail};
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::io::{AsyncBufReadExt, BufReader};

/// A child that is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("{command:?}"))?;
        Ok(Self { child })
    }

    /// This program again in another role; returns the address that it prints.
    pub(crate) async fn role(arguments: &[&str]) -> Result<(Self, SocketAddr)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdout(Stdio::piped());
        let mut process = Self::start(&mut command)?;
        let stdout = process.child.stdout.take().context("no output")?;
        let stdout = tokio::process::ChildStdout::from_std(stdout)?;
        let mut line = String::new();
        tokio::time::timeout(Duration::from_secs(10), BufReader::new(stdout).read_line(&mut line)).await??;
        Ok((process, line.trim().parse().with_context(|| format!("{arguments:?} printed {line:?}"))?))
    }

    /// The process and its children (nginx works in a child).
    fn family(&self) -> Vec<u32> {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(id).chain(children).collect()
    }

    /// CPU time so far, user and system, of all threads.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut total = Duration::ZERO;
        for id in self.family() {
            let tasks = Path::new("/proc").join(id.to_string()).join("task");
            for task in fs::read_dir(tasks)? {
                // The first number of `schedstat` is the time on a CPU in nanoseconds.
                let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
                let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
                total += Duration::from_nanos(nanos);
            }
        }
        Ok(total)
    }

    /// A line of `/proc/PID/status` in KiB, summed over the family.
    pub(crate) fn memory_kib(&self, line: &str) -> Result<u64> {
        let mut total = 0;
        for id in self.family() {
            let status = fs::read_to_string(format!("/proc/{id}/status"))?;
            let Some(found) = status.lines().find_map(|l| l.strip_prefix(line)) else { bail!("no {line}") };
            total += found.trim().trim_end_matches(" kB").trim().parse::<u64>()?;
        }
        Ok(total)
    }

    /// Sets the peak of resident memory back to what is resident now.
    pub(crate) fn reset_peak(&self) {
        for id in self.family() {
            // Refused by some kernels; the peak then includes what came before.
            let _ = fs::write(format!("/proc/{id}/clear_refs"), "5");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for id in self.family().into_iter().skip(1) {
            let _ = Command::new("kill").arg(id.to_string()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
