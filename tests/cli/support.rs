//! A home directory of its own for each test, a running byok, and a simulated vendor.

use assert_cmd::Command;
use byok_simulator::{SimOptions, Simulator};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Longer than anything takes on a slow machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a command left behind.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A home directory in which byok has never run.
pub(crate) struct Home(TempDir);

/// No test asks a real vendor: the way to their hosts leads nowhere.
const NO_VENDOR: (&str, &str) = ("HTTPS_PROXY", "http://127.0.0.1:1");

impl Home {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(".byok").join(name)
    }

    /// Writes the settings file.
    pub(crate) fn write_config(&self, text: &str) {
        let file = self.file("config.yaml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::set_permissions(file.parent().unwrap(), std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// Runs byok to its end, without a terminal.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[], "")
    }

    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Output {
        let mut command = Command::cargo_bin("byok").unwrap();
        command.env_clear().env("HOME", self.path()).envs([NO_VENDOR]).envs(env.iter().copied());
        let output = command.args(args).write_stdin(stdin).timeout(PATIENCE).output().unwrap();
        Output {
            code: output.status.code().expect("byok ends by itself"),
            out: self.tidy(&output.stdout),
            err: self.tidy(&output.stderr),
        }
    }

    /// Without the name of the temporary directory.
    fn tidy(&self, text: &[u8]) -> String {
        String::from_utf8(text.to_vec()).unwrap().replace(self.path().to_str().unwrap(), "HOME")
    }

    /// Starts byok and leaves it running.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        self.start_with(args, &[])
    }

    pub(crate) fn start_with(&self, args: &[&str], env: &[(&str, &str)]) -> Running {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("byok"));
        command.env_clear().env("HOME", self.path()).envs([NO_VENDOR]).envs(env.iter().copied()).args(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Running { stdin: child.stdin.take(), child, lines, said: Vec::new() }
    }
}

/// Writes a file below the home that only its owner can read, and returns its path.
pub(crate) fn private(home: &Home, name: &str, content: &[u8]) -> String {
    let file = home.path().join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, content).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Who may read a file.
pub(crate) fn exposed(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

/// A byok that runs. Killed when the test ends.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    pub(crate) said: Vec<String>,
}

impl Running {
    /// Waits for a line on stderr that contains `part`.
    pub(crate) fn line(&mut self, part: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(error) => panic!("`{part}` was never said ({error}), only:\n{}", self.said.join("\n")),
            }
        }
    }

    /// The address in `… listens on http://ADDRESS`.
    pub(crate) fn base_url(&mut self) -> String {
        let line = self.line("listens on http://");
        line[line.find("http://").unwrap()..].trim().to_owned()
    }

    pub(crate) fn write_line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end. Returns the rest of stderr, too.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        drop(self.stdin.take());
        let status = self.child.wait().unwrap();
        self.said.extend(self.lines.iter());
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(out, "", "nothing that is talk goes to stdout");
        (status, self.said.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A simulated vendor and a client, both on a runtime of their own.
pub(crate) struct Vendor {
    pub(crate) runtime: Runtime,
    pub(crate) simulator: Simulator,
    client: reqwest::Client,
}

impl Vendor {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let simulator = runtime.block_on(Simulator::start(SimOptions::default())).unwrap();
        Self { runtime, simulator, client: client() }
    }

    /// Settings whose Claude login lives here.
    pub(crate) fn config(&self) -> String {
        let base = self.simulator.base_url();
        format!(
            "providers:\n  claude:\n    base_url: {base}\n    urls:\n      authorize: {base}/cai/oauth/authorize\n      \
             token: {base}/v1/oauth/token\n      revoke: {base}/v1/oauth/token/revoke\n      \
             profile: {base}/api/oauth/profile\n"
        )
    }

    /// What a browser would show in the end.
    pub(crate) fn browse(&self, url: &str) -> String {
        self.runtime.block_on(async { self.client.get(url).send().await.unwrap().text().await.unwrap() })
    }
}

/// A client that follows redirects and knows no proxy.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
