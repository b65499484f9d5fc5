//! Logins that belong to another program, which byok follows.

use crate::support::{Home, Vendor, private};
use byok_simulator::{Grant, Plan};
use serde_json::{Value, json};
use std::{
    fs,
    time::{Duration, SystemTime},
};

const FILE: &str = ".claude/.credentials.json";

/// The file of Claude Code with this login, whose token ends in `left` seconds.
fn write(home: &Home, grant: &Grant, left: i64) {
    let now = i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let file = json!({"claudeAiOauth": {"accessToken": grant.access_token, "refreshToken": grant.refresh_token,
        "expiresAt": (now + left) * 1000, "scopes": ["user:inference", "user:profile"], "subscriptionType": "max"}});
    private(home, FILE, file.to_string().as_bytes());
}

fn log_out(home: &Home) {
    let file = json!({"claudeAiOauth": {"accessToken": "", "refreshToken": "", "expiresAt": 0}});
    private(home, FILE, file.to_string().as_bytes());
}

/// A home whose byok follows the login of Claude Code.
fn world(left: i64) -> (Home, Vendor, Grant) {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&format!("port: 0\n{}", vendor.config()));
    let grant = vendor.simulator.grant_to("ada@example.org");
    write(&home, &grant, left);
    let import = home.run(&["login", "claude", "--import", "--account", "ada"]);
    assert_eq!(import.code, 0, "{}", import.err);
    (home, vendor, grant)
}

/// State and reason of the only account.
fn state(home: &Home) -> (String, String) {
    let list = home.run(&["accounts", "list", "--json"]);
    let providers: Value = serde_json::from_str(&list.out).unwrap();
    let account = &providers[0]["accounts"][0];
    let text = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("reason"))
}

/// Waits until the only account needs no login any more.
fn until_it_serves(home: &Home) {
    for _ in 0..600 {
        if state(home).0 != "needs_login" {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came back: {:?}", state(home));
}

#[test]
fn a_login_whose_program_has_logged_out_says_so_before_it_ends() {
    let problem = |home: &Home| {
        let list = home.run(&["accounts", "list", "--json"]);
        let providers: Value = serde_json::from_str(&list.out).unwrap();
        let text = |name: &str| providers[0]["accounts"][0][name].as_str().unwrap_or_default().to_owned();
        (
            text("state"),
            text("reason").contains("has logged out, or its file is not there; log in there again"),
        )
    };
    let (home, vendor, grant) = world(3600);
    home.run(&["accounts", "claims", "claude", "--accept", "claude-code-prompt"]);
    let told = |state: &str, lost| (state.to_owned(), lost);
    assert_eq!(problem(&home), told("ready", false));
    assert!(home.run(&["status"]).out.contains("login, followed"));
    assert!(home.run(&["accounts", "list", "--json"]).out.contains("\"followed\": true"));
    log_out(&home);
    assert_eq!(problem(&home), told("ready", true), "its token is good: it serves");
    let status = home.run(&["status"]).out;
    assert!(
        status.contains("ada (claude): the program that this login belongs to has logged out"),
        "{status}"
    );
    write(&home, &grant, 3600);
    assert_eq!(problem(&home), told("ready", false), "it is back");
    // Not looked at by a server any more, and its token has ended.
    let (home, _vendor, _) = world(1);
    home.run(&["accounts", "claims", "claude", "--accept", "claude-code-prompt"]);
    log_out(&home);
    while problem(&home).0 == "ready" {}
    assert_eq!(problem(&home), told("needs_login", true));
    drop(vendor);
}

#[test]
fn a_file_that_is_away_for_a_moment_costs_nothing() {
    let (home, vendor, grant) = world(120);
    let away = home.path().join("away");
    fs::rename(home.path().join(FILE), &away).unwrap();
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!(refresh.code, 77, "{}", refresh.err);
    assert!(refresh.err.contains("its file is not there; log in there again"), "{}", refresh.err);
    assert!(refresh.err.contains("goes on to be used"), "{}", refresh.err);
    assert_eq!(state(&home).0, "needs_consent", "it serves as before");
    fs::rename(&away, home.path().join(FILE)).unwrap();
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert!(refresh.err.contains("ada (claude) is followed: the program"), "{}", refresh.err);

    write(&home, &vendor.simulator.grant_to("ada@example.org"), 3600);
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert!(refresh.err.contains("renewed: ada (claude)"), "{}", refresh.err);
    assert_eq!(vendor.simulator.oauth_counts().refreshes, 0, "{} is never renewed here", grant.scope);
}

#[test]
fn a_login_that_was_given_up_goes_on_when_its_program_has_a_new_one() {
    /// Who sees that there is one.
    #[derive(PartialEq)]
    enum By {
        Command(&'static [&'static str]),
        Server,
        Restart,
    }
    let commands: [&[&str]; 2] = [&["accounts", "refresh", "claude"], &["accounts", "scan", "--auto"]];
    for by in commands.map(By::Command).into_iter().chain([By::Server, By::Restart]) {
        let (home, vendor, _) = world(-1);
        let server = (by == By::Server).then(|| home.start(&["serve"])).map(|mut server| {
            server.base_url();
            server
        });
        log_out(&home);
        let refresh = home.run(&["accounts", "refresh", "claude"]);
        assert_eq!(refresh.code, 77, "{}", refresh.err);
        let (named, reason) = state(&home);
        assert_eq!(named, "needs_login");
        assert!(reason.contains("log in there again, and byok goes on by itself"), "{reason}");

        write(&home, &vendor.simulator.grant_to("ada@example.org"), 3600);
        match by {
            By::Command(command) => {
                let done = home.run(command);
                assert_eq!(done.code, 0, "{}", done.err);
                assert!(done.err.contains("renewed: ada (claude)"), "{}", done.err);
                assert_eq!(state(&home).0, "needs_consent");
            }
            By::Server => until_it_serves(&home),
            By::Restart => {
                let _server = home.start(&["serve"]);
                until_it_serves(&home);
            }
        }
        drop(server);
    }
}

#[test]
fn another_persons_login_in_the_file_is_not_taken_over() {
    let (home, vendor, ada) = world(120);
    let bob = vendor.simulator.grant_to("bob@example.org");
    write(&home, &bob, 3600);
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!(refresh.code, 77, "{}", refresh.err);
    assert!(refresh.err.contains("logged in to another account now"), "{}", refresh.err);
    assert!(refresh.err.contains("goes on to be used"), "{}", refresh.err);

    // When the token has ended, the account waits for its own.
    write(&home, &ada, -1);
    let import = home.run(&["login", "claude", "--import", "--account", "ada"]);
    assert_eq!(import.code, 0, "{}", import.err);
    write(&home, &bob, 3600);
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!(refresh.code, 77, "{}", refresh.err);
    let (named, reason) = state(&home);
    let command = "`byok login claude --import=HOME/.claude/.credentials.json`";
    assert!(named == "needs_login" && reason.contains(command), "{named}: {reason}");

    // What the sentence says: the other one becomes an account of its own, and the first one comes back.
    let import = home.run(&["login", "claude", "--import"]);
    assert!(import.err.contains("logged in to claude as bob@example.org"), "{}", import.err);
    write(&home, &vendor.simulator.grant_to("ada@example.org"), 3600);
    let refresh = home.run(&["accounts", "refresh", "claude", "--account", "ada"]);
    assert!(refresh.err.contains("renewed: ada (claude)"), "{}", refresh.err);
}

#[test]
fn an_export_says_what_becomes_of_followed_logins_elsewhere() {
    let (home, _, _) = world(3600);
    let file = home.path().join("backup.age");
    let phrase = private(&home, "phrase", b"several words of mine\n");
    let export = home.run(&["accounts", "export", file.to_str().unwrap(), "--passphrase-file", &phrase]);
    assert!(export.err.contains("other programs of this machine: ada (claude)"), "{}", export.err);

    let import = |more: &[&str]| {
        let elsewhere = Home::new();
        let sealed = private(&elsewhere, "backup.age", &fs::read(&file).unwrap());
        let mut command = vec!["accounts", "import", &sealed, "--passphrase-file", &phrase];
        command.extend(more);
        let import = elsewhere.run(&command);
        assert_eq!(import.code, 0, "{}", import.err);
        (elsewhere, import.err)
    };
    let renewed = |home: &Home, vendor: &Vendor| {
        home.write_config(&vendor.config());
        home.run(&["accounts", "refresh", "claude"]).err
    };

    // The file is here: it is the same machine.
    let (again, said) = import(&[]);
    assert!(said.contains("it is followed: the program that it belongs to keeps it in"), "{said}");
    let (_, said) = import(&["--dry-run"]);
    assert!(said.contains("would be imported to claude: ada; it is followed"), "{said}");
    let (_, said) = import(&["--take-over"]);
    assert!(said.contains("it was followed: this is a copy that is renewed here"), "{said}");
    let vendor = Vendor::start();
    assert!(renewed(&again, &vendor).contains("is followed"));

    fs::remove_file(home.path().join(FILE)).unwrap();
    let (elsewhere, said) = import(&[]);
    assert!(said.contains("the file of its program is not here: this is a copy"), "{said}");
    // A vendor that does not know the token: byok asked it, and did not look for a file.
    let said = renewed(&elsewhere, &vendor);
    assert!(said.contains("log in again with `byok login claude`"), "{said}");
    assert_eq!(vendor.simulator.oauth_counts().token_posts, 1);
}

#[test]
fn an_older_file_does_not_replace_a_newer_login() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    write(&home, &vendor.simulator.grant_to("ada@example.org"), 200);
    let take_over: &[&str] = &["login", "claude", "--import", "--take-over"];
    let first = home.run(take_over);
    assert!(first.code == 0 && first.err.contains("logged in to claude"), "{}", first.err);
    let renew = || home.run(&["accounts", "refresh", "claude"]);
    assert_eq!(renew().code, 0);
    for again in [take_over, &["login", "claude", "--import"]] {
        let kept = home.run(again);
        let says =
            "that byok has is newer than the one in the file, and stays; `byok logout claude --account ";
        assert_eq!((kept.code, kept.err.contains(says)), (0, true), "{}", kept.err);
        assert!(!kept.err.contains("logged in to claude"), "{}", kept.err);
    }
    let renewed = renew();
    assert_eq!((renewed.code, renewed.err.contains("renewed: ")), (0, true), "{}", renewed.err);
    // A file that its program has renewed since is taken.
    write(&home, &vendor.simulator.grant_to("ada@example.org"), 400_000_000);
    let newer = home.run(take_over);
    assert!(newer.err.contains("it replaces the login that was there"), "{}", newer.err);
}

#[test]
fn a_file_without_a_refresh_token_does_not_replace_a_login_that_is_renewed() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let base = vendor.simulator.base_url();
    home.write_config(&format!(
        "providers: {{ codex: {{ urls: {{ token: '{base}/openai-auth/oauth/token' }} }} }}\n"
    ));
    let write = |refresh: Option<&str>| {
        let grant = vendor.simulator.plan_grant(Plan::Codex, "ada@example.org");
        let refresh = refresh.map_or(grant.refresh_token, str::to_owned);
        let file = json!({"tokens": {"id_token": grant.id_token, "access_token": grant.access_token, "refresh_token": refresh}});
        private(&home, ".codex/auth.json", file.to_string().as_bytes());
    };
    let import = || home.run(&["login", "codex", "--import", "--take-over"]);
    write(None);
    let first = import();
    assert_eq!((first.code, first.err.contains("logged in to codex")), (0, true), "{}", first.err);
    write(Some(""));
    let kept = import();
    let says = "that byok has is renewed when it ends, unlike the one in the file, and stays; `byok logout codex --account ";
    assert_eq!((kept.code, kept.err.contains(says)), (0, true), "{}", kept.err);
    let renewed = home.run(&["accounts", "refresh", "codex"]);
    assert_eq!((renewed.code, renewed.err.contains("renewed: ")), (0, true), "{}", renewed.err);
}
