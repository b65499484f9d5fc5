//! The real `byok` binary in a home of its own, on a free port.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{
    fs::{File, Permissions},
    net::SocketAddr,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::net::UnixStream;

/// Longest time for anything that a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Pause between two looks at something that gives no signal.
const LOOK: Duration = Duration::from_millis(5);

/// How a server is started.
pub struct Setup {
    config: String,
    arguments: Vec<String>,
    umask: Option<u32>,
    database: Option<PathBuf>,
    environment: Vec<(&'static str, String)>,
}

impl Setup {
    /// A server with this configuration.
    pub fn new(config: impl Into<String>) -> Self {
        Self {
            config: config.into(),
            arguments: Vec::new(),
            umask: None,
            database: None,
            environment: Vec::new(),
        }
    }

    pub fn argument(mut self, text: &str) -> Self {
        self.arguments.push(text.to_owned());
        self
    }

    /// Sets a variable of its environment, which is empty otherwise.
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Uses the database of another server.
    pub fn database_of(mut self, other: &Byok) -> Self {
        self.database = Some(other.state().join("tokens.db"));
        self
    }

    pub fn umask(mut self, mask: u32) -> Self {
        self.umask = Some(mask);
        self
    }

    /// Starts it and waits until it answers.
    pub async fn start(self) -> Byok {
        let mut byok = self.spawn();
        byok.wait_until_ready().await;
        byok
    }

    /// Starts it and does not wait.
    pub fn spawn(self) -> Byok {
        let home = tempfile::Builder::new().prefix("byok-e2e-").tempdir().unwrap();
        let state = home.path().join("state");
        let file = home.path().join("config.yaml");
        std::fs::write(&file, &self.config).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let log = File::create(home.path().join("log")).unwrap();
        let mut command = match self.umask {
            None => Command::new(env!("CARGO_BIN_EXE_byok")),
            Some(mask) => {
                let mut shell = Command::new("sh");
                shell
                    .arg("-c")
                    .arg(format!("umask {mask:03o}; exec \"$0\" \"$@\""))
                    .arg(env!("CARGO_BIN_EXE_byok"));
                shell
            }
        };
        command
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .arg("--db")
            .arg(self.database.unwrap_or_else(|| state.join("tokens.db")))
            .args(["--port", "0"])
            .args(&self.arguments)
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        let child = command.spawn().unwrap();
        Byok { child, home, address: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }
}

/// A running server. Dropping it kills it; a failing test shows the end of its log.
pub struct Byok {
    child: Child,
    home: TempDir,
    address: SocketAddr,
}

impl Byok {
    pub async fn start(config: impl Into<String>) -> Self {
        Setup::new(config).start().await
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// The directory of the database.
    pub fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    pub fn config_file(&self) -> PathBuf {
        self.home.path().join("config.yaml")
    }

    pub fn control_socket(&self) -> PathBuf {
        self.state().join("control.sock")
    }

    /// Everything it has printed and logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.home.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// Waits until the log contains `text`.
    pub async fn logged(&self, text: &str) {
        until(&format!("`{text}` in the log"), || self.log().contains(text)).await;
    }

    async fn wait_until_ready(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("byok ended at its start with {status}:\n{}", self.log());
            }
            if let Some(address) = self
                .ask_control("GET", "/status")
                .await
                .and_then(|s| s["address"].as_str().and_then(|text| text.parse::<SocketAddr>().ok()))
            {
                self.address = address;
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("byok did not come up:\n{}", self.log());
    }

    /// What the control socket says of the server.
    pub async fn status(&self) -> Value {
        self.ask_control("GET", "/status").await.expect("the control socket answers")
    }

    async fn ask_control(&self, method: &str, path: &str) -> Option<Value> {
        let stream = UnixStream::connect(self.control_socket()).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.ok()?;
        let task = tokio::spawn(connection);
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "byok")
            .body(Empty::new())
            .ok()?;
        let answer = sender.send_request(request).await.ok()?;
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        task.abort();
        serde_json::from_slice(&body).ok()
    }

    /// Asks it to stop, as a service manager does.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits until it has stopped.
    pub async fn stopped(&mut self) -> ExitStatus {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("byok did not stop:\n{}", self.log());
    }

    /// Largest resident memory so far, in bytes.
    pub fn peak_memory(&self) -> usize {
        self.memory_line("VmHWM:")
    }

    /// Resident memory now, in bytes.
    pub fn memory(&self) -> usize {
        self.memory_line("VmRSS:")
    }

    fn memory_line(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()).unwrap_or(0) << 10
    }
}

impl Drop for Byok {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- end of byok's log\n{}\n---", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}

/// Waits until something that gives no signal is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(LOOK).await;
    }
}
