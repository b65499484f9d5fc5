//! `byok login` beside a running server.

#![expect(clippy::zombie_processes, reason = "what a test starts ends with it")]

use crate::support::{byok::PATIENCE, client::Call, world::World};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

/// A login that waits for its code.
pub struct Login {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
    /// The page to open.
    pub page: String,
}

/// A command beside the server that must succeed.
pub async fn byok(world: &World, args: &[&str]) -> String {
    let child = command(world, args);
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    said
}

fn spawn(world: &World, args: &[&str]) -> Child {
    command(world, &[&["login"], args].concat())
}

fn command(world: &World, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_byok"))
        .args(args)
        .arg("--config")
        .arg(world.byok.config_file())
        .arg("--db")
        .arg(world.byok.state().join("tokens.db"))
        .env_clear()
        .env("HOME", world.byok.home())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

impl Login {
    /// Starts a login in a browser whose code is pasted.
    pub async fn start(world: &World, args: &[&str]) -> Self {
        let mut child = spawn(world, &[args, &["--no-browser"]].concat());
        let stderr = child.stderr.take().unwrap();
        tokio::task::spawn_blocking(move || {
            let (mut stderr, mut said) = (BufReader::new(stderr), String::new());
            loop {
                let mut line = String::new();
                assert!(stderr.read_line(&mut line).unwrap() > 0, "no page was shown:\n{said}");
                said.push_str(&line);
                let text = line.trim();
                if text.starts_with("http://") && text.contains("client_id=") {
                    return Self { child, stderr, page: text.to_owned(), said };
                }
            }
        })
        .await
        .unwrap()
    }

    /// Opens the page and pastes what it shows. Returns how the login ended and what it said.
    pub async fn end(mut self, world: &World) -> (Option<i32>, String) {
        let path = self.page.split_once("://").unwrap().1;
        let path = &path[path.find('/').unwrap()..];
        let shown = Call::get(path).send(world.simulator.address()).await;
        assert_eq!(shown.status, 200, "{}", shown.text());
        let code = shown.text();
        tokio::task::spawn_blocking(move || {
            writeln!(self.child.stdin.take().unwrap(), "{code}").unwrap();
            self.stderr.read_to_string(&mut self.said).unwrap();
            (self.child.wait().unwrap().code(), self.said)
        })
        .await
        .unwrap()
    }

    /// The same for a login that must succeed.
    pub async fn paste(self, world: &World) -> String {
        let (code, said) = self.end(world).await;
        assert_eq!(code, Some(0), "{said}");
        said
    }

    /// A login without a page.
    pub async fn run(world: &World, args: &[&str]) -> String {
        byok(world, &[&["login"], args].concat()).await
    }
}

/// Waits until the running server knows an account of a provider.
pub async fn known(world: &World, provider: &str) {
    let begun = Instant::now();
    loop {
        let status = world.byok.status().await;
        let all = status["providers"].as_array().cloned().unwrap_or_default();
        let mine = all.iter().find(|known| known["id"] == provider || known["name"] == provider);
        if mine.is_some_and(|known| known["accounts"].as_array().is_some_and(|accounts| !accounts.is_empty()))
        {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{provider} is not known: {status}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
