//! Real processes: this test program starts itself again as [`child`].

use crate::support::{Home, account, id, loaded, tokens};
use byok_store::{CommitOutcome, Store, StoreOptions};
use byok_types::Credential;
use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

const ROLE: &str = "BYOK_STORE_TEST_ROLE";
const DATABASE: &str = "BYOK_STORE_TEST_DATABASE";
/// What a child says begins with this, since the test harness talks too.
const SAYS: &str = "child says ";

/// Not a test: what the other process does. Run by the tests below with a role.
#[tokio::test]
#[ignore = "run by other tests in a process of its own"]
async fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let options = StoreOptions { path: std::env::var_os(DATABASE).unwrap().into(), key_file: None };
    let store = Store::open(&options).unwrap();
    match role.as_str() {
        "refresh" => println!("{SAYS}{}", refresh(&store, 40).await),
        "hold" => {
            let _lock = store.lock_account(&id("account-1")).await.unwrap();
            println!("{SAYS}held");
            std::future::pending::<()>().await;
        }
        "write" => {
            for n in 0u64.. {
                store.secrets.put(&id("account-1"), Credential::Oauth(tokens(&n.to_string()))).await.unwrap();
                println!("{SAYS}{n}");
            }
        }
        "create" => {
            store.accounts.insert(account(1), Credential::Oauth(tokens("0"))).await.unwrap();
            let _lock = store.lock_account(&id("account-1")).await.unwrap();
            println!("{SAYS}{}", modes(options.path.parent().unwrap()).join(" "));
        }
        other => panic!("no such role: {other}"),
    }
}

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(role: &str, database: &Path) -> Self {
        // A shell sets the umask, since a test must not change its own: the other tests share it.
        let mut child = Command::new("sh")
            .args(["-c", r#"umask 000; exec "$0" "$@""#])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "processes::child", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env(DATABASE, database)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next thing that the child says; `None` when it has ended.
    fn says(&mut self) -> Option<String> {
        self.lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            line.find(SAYS).map(|at| line[at + SAYS.len()..].to_owned())
        })
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exchanges tokens as a refresh does; how many times the tokens were not those that were read under the lock.
async fn refresh(store: &Store, rounds: usize) -> usize {
    let one = id("account-1");
    let mut surprises = 0;
    for _ in 0..rounds {
        let _lock = store.lock_account(&one).await.unwrap();
        let Some(Credential::Oauth(stored)) = store.secrets.load(&one).await.unwrap() else { panic!() };
        let mark = store.secrets.begin_refresh(&one, stored.hash()).await.unwrap();
        let count: u64 = stored.access.expose().trim_start_matches("access-").parse().unwrap();
        let next = tokens(&(count + 1).to_string());
        let outcome = store.secrets.commit_if(&one, stored.hash(), &next).await.unwrap();
        if mark.earlier.is_some() || !matches!(outcome, CommitOutcome::Committed) {
            surprises += 1;
        }
    }
    surprises
}

async fn with_account(home: &Home) -> Store {
    let store = home.open();
    store.accounts.insert(account(1), Credential::Oauth(tokens("0"))).await.unwrap();
    store
}

#[tokio::test]
async fn two_processes_refresh_one_account_without_a_collision() {
    let home = Home::new();
    let store = with_account(&home).await;
    let mut other = Process::start("refresh", &home.path("tokens.db"));
    assert_eq!(refresh(&store, 40).await, 0);
    assert_eq!(other.says().as_deref(), Some("0"));
    store.accounts.generation();
    let end = loaded(&store, &id("account-1")).await.unwrap();
    assert!(end.starts_with("tokens access-80 "), "{end}");
}

#[tokio::test]
async fn the_lock_dies_with_its_holder() {
    let home = Home::new();
    let store = with_account(&home).await;
    let mut holder = Process::start("hold", &home.path("tokens.db"));
    assert_eq!(holder.says().as_deref(), Some("held"));
    let one = id("account-1");
    let waiting = store.lock_account(&one);
    holder.kill();
    let _lock = waiting.await.unwrap();
}

#[tokio::test]
async fn what_a_killed_process_said_to_have_written_is_there() {
    let home = Home::new();
    drop(with_account(&home).await);
    for round in 0..5 {
        let mut writer = Process::start("write", &home.path("tokens.db"));
        for _ in 0..=round * 3 {
            writer.says().unwrap();
        }
        writer.kill();
        let mut last = 0;
        while let Some(number) = writer.says() {
            last = number.parse().unwrap_or(last);
        }
        let stored = loaded(&home.open(), &id("account-1")).await.unwrap();
        let number = stored.trim_start_matches("tokens access-").split(' ').next().unwrap();
        assert!(number.parse::<u64>().unwrap() >= last, "round {round}: {number} is older than {last}");
    }
}

#[test]
fn every_file_is_private_whatever_the_umask() {
    let home = Home::new();
    let mut process = Process::start("create", &home.path("new/state/tokens.db"));
    let expected = [
        "d700 .",
        "-600 key",
        "d700 locks",
        "-600 locks/*.lock",
        "-600 locks/open.lock",
        "-600 locks/usage.lock",
        "-600 tokens.db",
        "-600 tokens.db-reserve",
        "-600 tokens.db-shm",
        "-600 tokens.db-wal",
        "-600 usage.db",
        "-600 usage.db-shm",
        "-600 usage.db-wal",
    ];
    assert_eq!(process.says().unwrap(), expected.join(" "));
    let parent = fs::metadata(home.path("new")).unwrap().permissions().mode() & 0o777;
    assert_eq!(parent, 0o700, "directories on the way are private too");
}

/// Kind, mode and name of everything below a directory, the names of account locks hidden.
fn modes(root: &Path) -> Vec<String> {
    let mut paths: Vec<PathBuf> = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(path) = paths.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let mut name = path.strip_prefix(root).unwrap().display().to_string();
        if name.starts_with("locks/") && name.len() > 60 {
            "locks/*.lock".clone_into(&mut name);
        }
        let kind = if metadata.is_dir() { 'd' } else { '-' };
        let mode = metadata.permissions().mode() & 0o777;
        found.push((if name.is_empty() { ".".to_owned() } else { name }, format!("{kind}{mode:o}")));
        if metadata.is_dir() {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found.sort();
    found.into_iter().map(|(name, mode)| format!("{mode} {name}")).collect()
}
