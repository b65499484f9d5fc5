use super::*;
use std::{io, path::PathBuf};

fn host() -> byok_transport::Host {
    byok_transport::Host::of(&url::Url::parse("https://example.org").unwrap()).unwrap()
}

/// One row for each error of a library: the exit code and the whole text.
fn cases() -> Vec<(Trouble, Exit, &'static str)> {
    let path = PathBuf::from("/home/ada/.byok/tokens.db");
    let address = "127.0.0.1:8018".parse().unwrap();
    let refused = || io::Error::other("Permission denied");
    vec![
        (
            ConfigError::Missing { path: PathBuf::from("byok.yaml") }.into(),
            Exit::Config,
            "error: byok.yaml: no such file\n\nhint: create it, or leave out `--config` and `BYOK_CONFIG` to run without one",
        ),
        (
            StoreError::NotOwner { path: path.clone() }.into(),
            Exit::NotAllowed,
            "error: /home/ada/.byok/tokens.db belongs to another user\n\n\
             hint: run byok as that user, or choose a place of your own with `--db`",
        ),
        (
            StoreError::NotAFile { path: PathBuf::from("/dev/null") }.into(),
            Exit::CannotCreate,
            "error: /dev/null is no regular file\n\nhint: the database needs a file of its own, name one with `--db`",
        ),
        (
            StoreError::Io { action: "create", path: path.clone(), source: refused() }.into(),
            Exit::CannotCreate,
            "error: cannot create /home/ada/.byok/tokens.db\n  caused by: Permission denied\n\n\
             hint: check its permissions and the free space of the disk",
        ),
        (
            StoreError::Damaged { path: path.clone() }.into(),
            Exit::BadData,
            "error: /home/ada/.byok/tokens.db is damaged and was left as it is\n\n\
             hint: restore a backup (/home/ada/.byok/tokens.db.v*.bak), or move it away and log in again",
        ),
        (
            StoreError::Busy { path }.into(),
            Exit::TryAgain,
            "error: another process holds /home/ada/.byok/tokens.db\n\n\
             hint: try again, and look for a byok that hangs",
        ),
        (
            ServeError::InUse(address).into(),
            Exit::CannotCreate,
            "error: 127.0.0.1:8018 is in use\n\nhint: if it is another byok, stop it, else choose a port with `--port`",
        ),
        (
            ServeError::Bind { address, source: refused() }.into(),
            Exit::CannotCreate,
            "error: 127.0.0.1:8018 cannot be listened on: Permission denied\n\n\
             hint: choose another with `--host` and `--port`",
        ),
        (
            ControlError::NotRunning.into(),
            Exit::Unavailable,
            "error: no byok is running here\n\nhint: start it with `byok serve`",
        ),
        (
            LoginError::CodeRefused { why: "401 invalid_grant".to_owned() }.into(),
            Exit::NotAllowed,
            "error: the vendor did not accept the login code (401 invalid_grant)\n\nhint: start again with `byok login`",
        ),
        (
            LoginError::Busy { why: "503".to_owned() }.into(),
            Exit::Unavailable,
            "error: the vendor cannot answer now (503)\n\nhint: try again in a moment",
        ),
        (
            LoginError::TimedOut(std::time::Duration::from_secs(30)).into(),
            Exit::TryAgain,
            "error: nobody finished the login within 30 seconds\n\nhint: start again with `byok login`",
        ),
        (
            LoginError::Transport(TransportError::TooLarge { host: host(), limit: 65536 }).into(),
            Exit::Unavailable,
            "error: the vendor's answer cannot be used\n  caused by: the answer of https://example.org is larger than 65536 \
             bytes, which is no answer of an API\n\nhint: try again, and if it stays so, check the provider's addresses \
             (`base_url`, `urls`) in the settings",
        ),
        (
            LoginError::Store(StoreError::LabelTaken).into(),
            Exit::Failure,
            "error: the login could not be stored\n  caused by: another account of this provider has that label\n\n\
             hint: choose another label",
        ),
        (
            LoginError::Transport(TransportError::BadUrl { why: "it has no host" }).into(),
            Exit::Config,
            "error: the vendor could not be reached\n  caused by: the URL cannot be used: it has no host\n\n\
             hint: correct it in the configuration",
        ),
    ]
}

#[test]
fn errors_of_the_libraries_become_one_form_with_an_exit_code() {
    for (trouble, exit, text) in cases() {
        assert_eq!(trouble.to_string(), text);
        assert_eq!(trouble.exit(), exit, "{text}");
    }
}

#[test]
fn a_cause_is_told_once() {
    #[derive(Debug)]
    struct Outer(io::Error);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "outer ({})", self.0)
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let trouble = Trouble::new(Exit::Failure, "it failed").because(&Outer(io::Error::other("inner")));
    assert_eq!(trouble.to_string(), "error: it failed\n  caused by: outer (inner)");
    // Not even with another one in between.
    let middle = Outer(io::Error::other("refused"));
    let trouble = Trouble::new(Exit::Failure, "no connection: refused").because(&middle).because(&middle.0);
    assert_eq!(trouble.to_string(), "error: no connection: refused\n  caused by: outer (refused)");
}
