//! The proxies under test.

use crate::{client, process::Process};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A proxy that runs.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) process: Process,
    /// Whether it can translate.
    pub(crate) translates: bool,
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// nginx with one worker and kept connections; `None` where it is not installed.
pub(crate) async fn nginx(room: &Path, upstream: SocketAddr) -> Result<Option<Target>> {
    if Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_err() {
        return Ok(None);
    }
    let port = free_port()?;
    let directory = room.join("nginx");
    fs::create_dir_all(&directory)?;
    let config = format!(
        "daemon off; worker_processes 1; pid {d}/pid; error_log {d}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_max_body_size 64m; client_body_buffer_size 8m;
  client_body_temp_path {d}/body; proxy_temp_path {d}/proxy; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  upstream sim {{ server {upstream}; keepalive 1024; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} reuseport; keepalive_requests 1000000;
    location / {{ proxy_pass http://sim; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; proxy_request_buffering on; proxy_read_timeout 600s; }}
  }}
}}",
        d = directory.display(),
    );
    let file = directory.join("nginx.conf");
    fs::write(&file, config)?;
    let process = Process::start(
        Command::new("nginx").arg("-c").arg(&file).arg("-p").arg(&directory).stderr(Stdio::null()),
    )?;
    let target = Target {
        name: "nginx",
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        process,
        translates: false,
    };
    ready(&target).await?;
    Ok(Some(target))
}

/// The bare forwarder.
pub(crate) async fn forwarder(upstream: SocketAddr) -> Result<Target> {
    let (process, address) = Process::role(&["--role=forwarder", &upstream.to_string()]).await?;
    Ok(Target { name: "forwarder", address, process, translates: false })
}

/// The key that clients show to byok.
pub(crate) const CLIENT_KEY: &str = "byok-bench-0123456789abcdefghijklmnopqrstuv";

/// byok as people run it: keys checked, requests recorded, SQLite on disk.
pub(crate) async fn byok(room: &Path, upstream: SocketAddr) -> Result<Target> {
    let (target, _) = byok_timed(room, upstream).await?;
    Ok(target)
}

/// byok, and how long it took from the start of the process to the first right answer.
pub(crate) async fn byok_timed(room: &Path, upstream: SocketAddr) -> Result<(Target, Duration)> {
    let directory = room.join("byok");
    fs::create_dir_all(&directory)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
    }
    let port = free_port()?;
    let file = directory.join("config.yaml");
    fs::write(
        &file,
        format!(
            "port: {port}
log: error
api_keys: [{CLIENT_KEY}]
providers:
  codex: {{ api_key: sk-bench-0123456789abcdef, base_url: 'http://{upstream}/v1' }}
  claude: {{ api_key: sk-ant-api03-bench-0123456789, base_url: 'http://{upstream}' }}
  gemini: {{ api_key: AIza-bench-0123456789abcdef, base_url: 'http://{upstream}' }}
"
        ),
    )?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_byok"));
    command.arg("serve").arg("--config").arg(&file).arg("--db").arg(directory.join("tokens.db"));
    command.env("HOME", room).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let process = Process::start(&mut command)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let target = Target { name: "byok", address, process, translates: true };
    ready(&target).await?;
    Ok((target, started.elapsed()))
}

/// Asks until the first right answer.
async fn ready(target: &Target) -> Result<()> {
    let request =
        client::request(target.address, "/v1/chat/completions", &crate::cases::small("gpt-4o", false, 1, 0));
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(mut connection) = client::Connection::open(target.address).await {
            let answer = connection.exchange(&request).await.context("first answer")?;
            if answer.status == 200 {
                return Ok(());
            }
            bail!("{} answered {}", target.name, answer.status);
        }
        if Instant::now() > end {
            bail!("{} does not come up", target.name);
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}
