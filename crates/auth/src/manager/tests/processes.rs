//! Several processes on one store: two real ones, and where a test has to look into them, each played by a store and a
//! manager of its own over the same files.

use super::{AuthError, TestClock, TokenServer, manager, stored, tokens};
use crate::testing::add_account;
use crate::{FailPoint, FailPoints, Fate};
use byok_store::{Store, StoreOptions};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use parking_lot::Mutex;
use std::{
    io::{BufRead, BufReader, Lines, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Instant,
};

/// Tells the test that plays the other process where the files and the vendor are.
const FILES: &str = "BYOK_TEST_FILES";
const VENDOR: &str = "BYOK_TEST_VENDOR";
const ROUNDS: usize = 500;

fn open(dir: &tempfile::TempDir) -> Store {
    open_in(dir.path())
}

fn open_in(dir: &Path) -> Store {
    Store::open(&StoreOptions { path: dir.join("tokens.db"), key_file: None }).unwrap()
}

/// A process that asks for the token of the account `a` whenever it is told to.
struct Process {
    child: Child,
    orders: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(files: &Path, server: &TokenServer) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "manager::tests::processes::the_other_process", "--ignored", "--nocapture"])
            .env(FILES, files)
            .env(VENDOR, server.address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, replies) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, orders, replies: BufReader::new(replies).lines() }
    }

    fn ask(&mut self) {
        self.orders.write_all(b"\n").unwrap();
    }

    fn reply(&mut self) -> String {
        // The harness of the other process talks in between.
        let token = |line: String| line.rsplit_once("token ").map(|(_, token)| token.to_owned());
        self.replies.by_ref().find_map(|line| token(line.unwrap())).expect("the other process has died")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_five_hundred_rounds_one_refresh_each() {
    let dir = tempfile::tempdir().unwrap();
    let server = TokenServer::start().await;
    add_account(&open(&dir), "a", tokens(-1)).await;
    let mut pair = [Process::start(dir.path(), &server), Process::start(dir.path(), &server)];
    for round in 1..=ROUNDS {
        pair.iter_mut().for_each(Process::ask);
        let replies = pair.each_mut().map(Process::reply);
        assert_eq!(replies, [format!("access-{round}"), format!("access-{round}")]);
        assert_eq!(server.posts(), round);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "is started by `two_processes_five_hundred_rounds_one_refresh_each`"]
async fn the_other_process() {
    let files = std::env::var_os(FILES).expect("only that test can start it");
    let server = TokenServer::at(std::env::var(VENDOR).unwrap().parse().unwrap());
    let (store, clock) = (open_in(Path::new(&files)), TestClock::start());
    let id = store.accounts.list(None).await.unwrap().remove(0).id;
    let manager = manager(&server, &store, &clock);
    for order in std::io::stdin().lines() {
        order.unwrap();
        println!("token {}", manager.access(&id).await.unwrap().token.expose());
        clock.pass(28_800);
    }
}

#[tokio::test]
async fn a_login_by_another_process_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let (server, clock) = (TokenServer::start().await, TestClock::start());
    let (daemon_store, cli_store) = (open(&dir), open(&dir));
    let id = add_account(&daemon_store, "a", tokens(3600)).await;
    let daemon = manager(&server, &daemon_store, &clock);
    daemon.access(&id).await.unwrap();
    let new = OauthTokens { access: Secret::new("by-the-cli"), ..tokens(7200) };
    cli_store.secrets.put(&id, Credential::Oauth(new)).await.unwrap();
    let deadline = Instant::now() + std::time::Duration::from_secs(1);
    while daemon.access(&id).await.unwrap().token.expose() != "by-the-cli" {
        assert!(Instant::now() < deadline, "not seen within a second");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_restart_after_a_kill_tries_the_spent_token_once() {
    let dir = tempfile::tempdir().unwrap();
    let (server, clock) = (TokenServer::start().await, TestClock::start());
    let id = {
        let store = open(&dir);
        let id = add_account(&store, "a", tokens(-1)).await;
        let die = |point| if point == FailPoint::BeforeCommit { Fate::Die } else { Fate::GoOn };
        let killed = manager(&server, &store, &clock).with_fail_points(FailPoints(Arc::new(die)));
        killed.access(&id).await.unwrap_err();
        id
    };
    for _ in 0..3 {
        let store = open(&dir);
        let error = manager(&server, &store, &clock).access(&id).await.unwrap_err();
        assert!(matches!(error, AuthError::NeedsLogin { .. }), "{error:?}");
        assert_eq!(stored(&store, &id).await.refresh.unwrap().expose(), "refresh-0");
        let state = store.accounts.get(&id).await.unwrap().unwrap().state;
        assert!(matches!(state, AccountState::NeedsLogin { .. }), "{state:?}");
    }
    assert_eq!(server.posts(), 2);
}

/// A process is killed again and again, anywhere but between the vendor's answer and the commit.
#[tokio::test]
async fn two_hundred_kills_lose_no_login() {
    let dir = tempfile::tempdir().unwrap();
    let (server, clock) = (TokenServer::start().await, TestClock::start());
    let id = add_account(&open(&dir), "a", tokens(-1)).await;
    for round in 0..200 {
        let point = if round % 2 == 0 { FailPoint::BeforeRequest } else { FailPoint::AfterCommit };
        let posts = server.posts();
        {
            let store = open(&dir);
            let die = move |reached| if reached == point { Fate::Die } else { Fate::GoOn };
            let killed = manager(&server, &store, &clock).with_fail_points(FailPoints(Arc::new(die)));
            let error = killed.access(&id).await.unwrap_err();
            assert!(matches!(error, AuthError::Interrupted { .. }), "{round}: {error:?}");
        }
        // The next process finds the tokens of the last answer and goes on from them.
        let store = open(&dir);
        let token = manager(&server, &store, &clock).access(&id).await.unwrap();
        assert_eq!(server.posts(), posts + 1, "{round}: one request");
        assert_eq!(token.token.expose(), format!("access-{}", posts + 1), "{round}");
        let state = store.accounts.get(&id).await.unwrap().unwrap().state;
        assert_eq!(state, AccountState::Ready, "{round}");
        clock.pass(28_800);
    }
}

/// How long the window is in which a kill costs a login: printed by `cargo test -p byok-auth window -- --nocapture`.
#[tokio::test]
async fn the_window_between_answer_and_commit_is_one_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (server, clock) = (TokenServer::start().await, TestClock::start());
    let store = open(&dir);
    let id = add_account(&store, "a", tokens(-1)).await;
    let (opened, windows) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(Vec::new())));
    let hook = {
        let (opened, windows) = (Arc::clone(&opened), Arc::clone(&windows));
        move |reached| {
            match reached {
                FailPoint::BeforeRequest => {}
                FailPoint::BeforeCommit => *opened.lock() = Some(Instant::now()),
                FailPoint::AfterCommit => {
                    windows.lock().extend(opened.lock().take().map(|at: Instant| at.elapsed()));
                }
            }
            Fate::GoOn
        }
    };
    let manager = manager(&server, &store, &clock).with_fail_points(FailPoints(Arc::new(hook)));
    for _ in 0..100 {
        manager.access(&id).await.unwrap();
        clock.pass(28_800);
    }
    let mut windows = windows.lock().clone();
    windows.sort_unstable();
    assert_eq!(windows.len(), 100, "one window a refresh");
    println!("window: median {:?}, longest {:?}", windows[50], windows[99]);
}
