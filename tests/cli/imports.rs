//! Logins of other programs: found, followed, taken over; and files that are none.

use crate::support::{Home, Vendor, private};
use byok_simulator::{GoogleClient, Plan};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink, path::Path};

fn now() -> i64 {
    i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}

fn accounts(home: &Home) -> Vec<(String, String)> {
    let list = home.run(&["accounts", "list", "--json"]);
    let providers: Value = serde_json::from_str(&list.out).unwrap();
    let accounts = providers.as_array().unwrap().iter().flat_map(|provider| {
        let name = provider["name"].as_str().unwrap();
        let accounts = provider["accounts"].as_array().unwrap();
        accounts.iter().map(move |account| {
            (
                format!("{name}: {}", account["label"].as_str().unwrap()),
                account["state"].as_str().unwrap().to_owned(),
            )
        })
    });
    let mut accounts: Vec<_> = accounts.collect();
    accounts.sort();
    accounts
}

/// The file of Claude Code.
fn claude_code(access: &str, refresh: &str) -> String {
    json!({"claudeAiOauth": {"accessToken": access, "refreshToken": refresh, "expiresAt": (now() + 3600) * 1000, "scopes": ["user:inference"], "subscriptionType": "max"}})
        .to_string()
}

fn cliproxy(more: &Value) -> String {
    let mut file = json!({"type": "claude", "access_token": "sk-ant-oat01-c", "refresh_token": "sk-ant-ort01-c", "email": "ada@example.org", "expires_at": now() + 3600});
    file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    file.to_string()
}

/// Puts a login of every program into its usual place.
fn furnish(home: &Home) {
    let kiro = |refresh: &str| json!({"accessToken": "aoa", "refreshToken": refresh, "expiresAt": "2099-01-01T00:00:00Z", "authMethod": "social"});
    private(home, ".claude/.credentials.json", claude_code("sk-ant-oat01-a", "sk-ant-ort01-a").as_bytes());
    private(home, ".cli-proxy-api/claude-ada.json", cliproxy(&json!({"prefix": "work"})).as_bytes());
    private(
        home,
        ".cli-proxy-api/team/other.json",
        json!({"type": "somebody-elses", "access_token": "x"}).to_string().as_bytes(),
    );
    private(home, ".cli-proxy-api/notes.json", b"{}");
    let auth = json!({"type": "oauth", "refresh": "sk-ant-ort01-d", "access": "sk-ant-oat01-d", "expires": (now() + 3600) * 1000});
    private(home, ".ccproxy/auth.json", auth.to_string().as_bytes());
    let token = private(home, "tokens/manual-1.json", kiro("aor-1").to_string().as_bytes());
    let config =
        json!({"accounts": [{"id": "a1b2c3d4", "name": "Ada", "token_path": token, "enabled": true}]});
    private(home, ".kiro-proxy/config.json", config.to_string().as_bytes());
    let byokey = database(home, ".byokey/tokens.db");
    byokey
        .execute_batch("CREATE TABLE accounts (provider TEXT, account_id TEXT, label TEXT, is_active INTEGER, token_json TEXT); INSERT INTO accounts VALUES ('copilot', 'default', NULL, 1, '{\"access_token\":\"gho_x\"}'), ('amp', 'default', NULL, 1, '{\"access_token\":\"x\"}')")
        .unwrap();
    let octo = database(home, ".config/octo-proxy/data/octo-proxy.db");
    octo.execute_batch("CREATE TABLE providers (id INTEGER, uuid TEXT, name TEXT, region TEXT, credentials TEXT, is_disabled INTEGER)").unwrap();
    octo.execute("INSERT INTO providers VALUES (1, 'u-1', 'Bob', NULL, ?1, 1)", [kiro("aor-2").to_string()])
        .unwrap();
}

fn database(home: &Home, name: &str) -> Connection {
    let file = private(home, name, b"");
    Connection::open(file).unwrap()
}

/// All files below a folder with their content.
fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true if entry.file_name() == ".byok" => {}
                true => open.push(entry.path()),
                false => files.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap())),
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_file_of_gemini_cli_is_no_trouble_of_antigravity() {
    let home = Home::new();
    let login =
        json!({"access_token": "ya29.a", "refresh_token": "1//a", "expiry_date": (now() + 3600) * 1000});
    private(&home, ".gemini/oauth_creds.json", login.to_string().as_bytes());
    let scan = home.run(&["accounts", "scan"]);
    assert!(scan.out.contains("Gemini CLI") && !scan.err.contains("warning"), "{} {}", scan.out, scan.err);
}

#[test]
fn a_login_that_comes_without_a_refresh_token_says_when_it_ends() {
    let home = Home::new();
    let mut login: Value = serde_json::from_str(&cliproxy(&json!({}))).unwrap();
    login.as_object_mut().unwrap().remove("refresh_token");
    let file = private(&home, "claude-ada.json", login.to_string().as_bytes());
    let import = home.run(&["accounts", "import", &file]);
    assert!(import.err.contains("nothing to renew this login with: it ends in"), "{}", import.err);
}

#[test]
fn a_key_that_comes_beside_a_login_is_said_to_be_billed() {
    let home = Home::new();
    home.write_config("providers: { claude: { api_key: sk-ant-api03-0123456789 } }\n");
    private(&home, ".claude/.credentials.json", claude_code("sk-ant-oat01-a", "sk-ant-ort01-a").as_bytes());
    let auto = home.run(&["accounts", "scan", "--auto"]);
    assert!(auto.err.contains("an API key is configured for claude: byok prefers it"), "{}", auto.err);
    let key = json!({"anthropic": {"type": "api", "key": "sk-ant-api03-5555555555"}});
    let file = private(&home, "auth.json", key.to_string().as_bytes());
    let import = home.run(&["accounts", "import", &file]);
    assert!(import.err.contains("byok has a key and a login of claude now"), "{}", import.err);
}

#[test]
fn a_scan_finds_the_logins_of_all_programs_and_takes_them_over_on_request() {
    let home = Home::new();
    let nothing = home.run(&["accounts", "scan"]);
    assert_eq!(
        (nothing.code, &*nothing.err),
        (0, "no program keeps a login on this machine that byok can read\n")
    );
    furnish(&home);
    let before = snapshot(home.path());
    let scan = home.run(&["accounts", "scan"]);
    assert_eq!(scan.code, 0, "{}", scan.err);
    let rows: Vec<Vec<&str>> = scan
        .out
        .lines()
        .skip(1)
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>())
        .map(|mut cells| {
            let end = cells.remove(3);
            assert!(end.ends_with(" left") || (end == "-" && cells[0] == "copilot"), "{}", scan.out);
            cells
        })
        .collect();
    let shared = "one program at a time";
    assert_eq!(
        rows,
        [
            ["claude", "Claude Code", "-", shared, "HOME/.claude/.credentials.json"],
            ["claude", "CLIProxyAPI", "ada@example.org", shared, "HOME/.cli-proxy-api/claude-ada.json"],
            ["copilot", "BYOKEY", "-", "safe", "HOME/.byokey/tokens.db"],
            ["claude", "CCProxy", "-", shared, "HOME/.ccproxy/auth.json"],
            ["kiro", "KiroProxy", "Ada", shared, "HOME/tokens/manual-1.json"],
            ["kiro", "OctoProxy", "Bob (off)", shared, "HOME/.config/octo-proxy/data/octo-proxy.db"],
        ],
        "{}",
        scan.out
    );
    for said in [
        "warning: claude ada@example.org: not taken over: prefix",
        "warning: left out: somebody-elses: byok has no login for this provider",
        "warning: left out: amp: default: byok has no login for this provider",
        "`byok accounts scan --auto` uses them all and follows those that two programs cannot share",
    ] {
        assert!(scan.err.contains(said), "{said}: {}", scan.err);
    }
    assert!(!home.file("").exists(), "looking makes nothing");

    let auto = home.run(&["accounts", "scan", "--auto"]);
    assert_eq!(auto.code, 0, "{}", auto.err);
    assert!(
        auto.err.find("byok follows").unwrap() < auto.err.find("followed for").unwrap(),
        "said before: {}",
        auto.err
    );
    assert_eq!(auto.err.matches("byok follows this login:").count(), 1, "{}", auto.err);
    for said in [
        "followed for claude: claude (of Claude Code)\nfor claude byok does not send the claim `claude-code-prompt`; `byok \
         accounts claims claude --account claude --accept claude-code-prompt` changes that\n",
        "taken over for copilot: copilot\n",
        "followed for kiro: Bob (of OctoProxy); it is switched off, `byok accounts enable kiro --account Bob` switches it on\n",
    ] {
        assert!(auto.err.contains(said), "{said}: {}", auto.err);
    }
    assert!(auto.err.contains("byok is logged in to claude with another account, too"), "{}", auto.err);
    let status = home.run(&["status"]).out;
    let why = "it came over switched off, because it is switched off in OctoProxy; `byok accounts enable kiro --account Bob` switches it on.";
    assert!(status.contains(why), "{status}");
    let ready = |name: &str| (name.to_owned(), "ready".to_owned());
    let lacks = |name: &str| (name.to_owned(), "needs_consent".to_owned());
    let all = [
        lacks("claude: ada@example.org"),
        lacks("claude: claude"),
        lacks("claude: claude 2"),
        ready("copilot: copilot"),
        ("kiro: Bob".to_owned(), "disabled".to_owned()),
        ready("kiro: Ada"),
    ];
    let mut expected = all.to_vec();
    expected.sort();
    assert_eq!(accounts(&home), expected, "{}", auto.err);
    let again = home.run(&["accounts", "scan"]);
    assert_eq!(again.out.matches("(known)").count(), 6, "{}", again.out);
    assert_eq!(home.run(&["accounts", "scan", "--auto"]).code, 0);
    assert_eq!(accounts(&home), expected, "nothing is added a second time");
    // Whichever program they are of: each is found again where it lives, and its renewal is left to that program.
    for (provider, name) in
        [("claude", "claude"), ("claude", "claude 2"), ("claude", "ada@example.org"), ("kiro", "Ada")]
    {
        let refresh = home.run(&["accounts", "refresh", provider, "--account", name]);
        let says = format!("{name} ({provider}) is followed: the program that it belongs to renews it");
        assert_eq!((refresh.code, refresh.err.contains(&says)), (0, true), "{}", refresh.err);
    }
    assert_eq!(snapshot(home.path()), before, "nothing of them is changed");
}

#[test]
fn the_login_of_a_vendors_own_program() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let none = home.run(&["login", "claude", "--import"]);
    assert_eq!(
        (none.code, none.err.contains("no program on this machine keeps a login of `claude`")),
        (77, true),
        "{}",
        none.err
    );

    let grant = vendor.simulator.grant();
    let text = claude_code(&grant.access_token, grant.refresh_token.as_deref().unwrap());
    private(&home, ".claude/.credentials.json", text.as_bytes());
    let followed = home.run(&["login", "claude", "--import", "--account", "followed"]);
    assert_eq!(followed.code, 0, "{}", followed.err);
    assert!(
        followed.err.contains("found a login of Claude Code in HOME/.claude/.credentials.json"),
        "{}",
        followed.err
    );
    assert!(
        followed.err.find("byok follows this login").unwrap()
            < followed.err.find("logged in to claude").unwrap(),
        "{}",
        followed.err
    );
    let again = home.run(&["login", "claude", "--import"]);
    assert_eq!((again.code, accounts(&home).len()), (0, 1), "{}", again.err);
    // byok leaves the renewal to the program that made it.
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    let says = "followed (claude) is followed: the program that it belongs to renews it; its token is good until then";
    assert_eq!((refresh.code, refresh.err.contains(says)), (0, true), "{}", refresh.err);
    let out = home.run(&["logout", "claude"]);
    assert!(out.err.contains("that program stays logged in"), "{}", out.err);
    let counts = vendor.simulator.oauth_counts();
    assert_eq!((counts.token_posts, counts.revocations), (0, 0));

    let file = private(&home, "copy.json", text.as_bytes());
    let taken =
        home.run(&["login", "claude", &format!("--import={file}"), "--take-over", "--account", "taken"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    assert!(
        taken.err.find("this vendor uses refresh tokens up").unwrap()
            < taken.err.find("logged in to claude").unwrap(),
        "{}",
        taken.err
    );
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!((refresh.code, &*refresh.err), (0, "renewed: taken (claude)\n"));
    assert_eq!(fs::read_to_string(home.path().join("copy.json")).unwrap(), text, "the file is only read");
    let alone = home.run(&["login", "claude", "--take-over"]);
    assert_eq!((alone.code, alone.err.contains("--import")), (2, true), "{}", alone.err);
}

#[test]
fn the_modes_of_an_import() {
    let (home, vendor) = (Home::new(), Vendor::start());
    // A vendor that does not say whose it is.
    home.write_config(&vendor.config().replace("/api/oauth/profile", "/nowhere"));
    let grant = vendor.simulator.grant();
    let text = cliproxy(
        &json!({"access_token": grant.access_token, "refresh_token": grant.refresh_token, "email": ""}),
    );
    let file = private(&home, "claude-ada.json", text.as_bytes());

    let planned = home.run(&["accounts", "import", &file, "--dry-run"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    assert!(
        planned.err.ends_with("nothing was changed; without --dry-run byok uses them\n"),
        "{}",
        planned.err
    );
    assert!(!home.file("tokens.db").exists());
    assert!(!planned.out.contains("sk-ant"), "{}", planned.out);
    let rule = planned.err.find("Anthropic's published rules").expect("the rule is told");
    assert!(rule < planned.err.find("byok follows").unwrap(), "{}", planned.err);

    let followed = home.run(&["accounts", "import", &file]);
    assert_eq!(followed.code, 0, "{}", followed.err);
    assert!(followed.err.contains("followed for claude: claude (of CLIProxyAPI)\n"), "{}", followed.err);
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!((refresh.code, refresh.err.contains("is followed")), (0, true), "{}", refresh.err);
    // What the program has renewed is read.
    fs::write(
        &file,
        cliproxy(&json!({"access_token": "sk-ant-oat01-renewed", "refresh_token": grant.refresh_token, "email": ""})),
    )
    .unwrap();
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!((refresh.code, &*refresh.err), (0, "renewed: claude (claude)\n"));

    let same = home.run(&["accounts", "import", &file]);
    assert!(
        same.err.ends_with("known already: claude: claude; what byok has is not older\n"),
        "{}",
        same.err
    );
    // The place says that it is the same, even when the program has made all tokens anew; what is switched off stays so.
    assert_eq!(home.run(&["accounts", "disable", "claude"]).code, 0);
    let anew = json!({"access_token": "sk-ant-oat01-anew", "refresh_token": grant.refresh_token, "expires_at": now() + 7200, "email": ""});
    fs::write(&file, cliproxy(&anew)).unwrap();
    let newer = home.run(&["accounts", "import", &file]);
    assert!(
        newer.err.contains("followed for claude: claude (of CLIProxyAPI); it is switched off, `byok accounts enable claude --account claude`"),
        "{}",
        newer.err
    );
    assert_eq!(accounts(&home), [("claude: claude".to_owned(), "disabled".to_owned())]);
    assert_eq!(home.run(&["accounts", "enable", "claude"]).code, 0);
    let taken = home.run(&["accounts", "import", &file, "--take-over"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    assert!(
        taken.err.find("Stop CLIProxyAPI now").unwrap() < taken.err.find("taken over for").unwrap(),
        "{}",
        taken.err
    );
    assert_eq!(vendor.simulator.oauth_counts().token_posts, 0, "nothing is renewed by an import");
    let refresh = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!((refresh.code, vendor.simulator.oauth_counts().refreshes), (0, 1), "{}", refresh.err);
    assert_eq!(accounts(&home).len(), 1);
}

#[test]
fn copies_folders_and_settings() {
    let home = Home::new();
    // A copy cannot be followed.
    let kiro = json!({"accessToken": "aoa", "refreshToken": "aor", "expiresAt": "2099-01-01T00:00:00Z", "authMethod": "social"});
    let export = private(
        &home,
        "export.json",
        json!({"version": "1.0", "accounts": [{"name": "Ada", "enabled": true, "credentials": kiro}]})
            .to_string()
            .as_bytes(),
    );
    let copy = home.run(&["accounts", "import", &export]);
    assert_eq!(copy.code, 77, "{}", copy.err);
    assert!(
        copy.err.contains("left out: kiro Ada: this file is a copy, which byok cannot follow; `--take-over`"),
        "{}",
        copy.err
    );
    assert_eq!(home.run(&["accounts", "import", &export, "--take-over"]).code, 0);

    // A folder; what the settings of the program hold.
    private(
        &home,
        "auths/a.json",
        cliproxy(&json!({"email": "bob@example.org", "refresh_token": "r-b", "disabled": true})).as_bytes(),
    );
    private(
        &home,
        "auths/deep/b.json",
        json!({"type": "github-copilot", "access_token": "gho_x", "username": "bob"}).to_string().as_bytes(),
    );
    let folder = home.run(&["accounts", "import", home.path().join("auths").to_str().unwrap()]);
    assert_eq!(folder.code, 0, "{}", folder.err);
    let settings = private(
        &home,
        "config.yaml",
        b"auth-dir: ./auths\nclaude-api-key:\n  - api-key: sk-ant-api03-x\napi-keys: [a-client-key]\n",
    );
    let keys = home.run(&["accounts", "import", &settings]);
    assert_eq!(keys.code, 0, "{}", keys.err);
    assert!(keys.err.contains("left out: api-keys: client keys are not taken over"), "{}", keys.err);
    let (ready, off) = ("ready".to_owned(), "disabled".to_owned());
    assert_eq!(
        accounts(&home),
        [
            ("claude: bob@example.org".to_owned(), off),
            ("claude: claude".to_owned(), ready.clone()),
            ("copilot: bob".to_owned(), ready.clone()),
            ("kiro: Ada".to_owned(), ready),
        ]
    );
}

#[test]
fn files_that_are_none() {
    let home = Home::new();
    let file = |name: &str, content: &[u8]| private(&home, name, content);
    let good = cliproxy(&json!({}));
    let folder = home.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let dangling = home.path().join("dangling");
    symlink(home.path().join("gone"), &dangling).unwrap();
    let large = format!("{{\"type\":\"claude\",\"access_token\":\"{}\"}}", "x".repeat(5 << 20));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let codex = json!({"tokens": {"access_token": "canary"}}).to_string();
    let kiro_cli = database(&home, "kiro.sqlite3");
    kiro_cli.execute_batch("CREATE TABLE auth_kv (key TEXT, value TEXT)").unwrap();
    let notes = database(&home, "notes.db");
    notes.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    let whole = fs::read(home.path().join("notes.db")).unwrap();

    // The file, then what `accounts import` says, and what helps.
    let cases = [
        (file("empty", b""), 65, "the file is damaged: it is empty", "stop the program that writes it"),
        (
            file("truncated", &good.as_bytes()[..good.len() - 9]),
            65,
            "the file is damaged: it is JSON that was cut off",
            "stop the program",
        ),
        (
            file("text", b"canary"),
            65,
            "byok does not know this kind of file",
            "CLIProxyAPI, BYOKEY, CCProxy, KiroProxy, OctoProxy and opencode",
        ),
        (
            file("large", large.as_bytes()),
            65,
            "is too large for a login",
            "name the file that holds the login",
        ),
        (
            file("codex.json", codex.as_bytes()),
            65,
            "it is that of Codex CLI",
            "use `byok login codex --import FILE`",
        ),
        (
            path(&home.path().join("kiro.sqlite3")),
            65,
            "it is that of kiro-cli",
            "use `byok login kiro --import FILE`",
        ),
        (
            path(&home.path().join("notes.db")),
            65,
            "it is a database of another program",
            "it reads its own export",
        ),
        (
            file("torn.db", &whole[..whole.len() - 100]),
            65,
            "the file is damaged: the database was cut off",
            "stop the program",
        ),
        (path(&folder), 65, "no file in `HOME/folder` holds a login", "name the folder of CLIProxyAPI"),
        (path(&dangling), 65, "the file `HOME/dangling` cannot be read", ""),
        (path(&home.path().join("gone")), 65, "the file `HOME/gone` cannot be read", ""),
        ("/dev/null".to_owned(), 65, "`/dev/null` is not a file", "name the file that holds the login"),
    ];
    for (file, code, what, hint) in cases {
        let output = home.run(&["accounts", "import", &file]);
        assert_eq!(output.code, code, "{file}: {}", output.err);
        assert!(output.err.contains(what) && output.err.contains(hint), "{file}: {}", output.err);
        assert!(!output.err.contains("canary") && output.out.is_empty(), "{file}: {}", output.err);
    }
    assert_eq!(accounts(&home), []);
}

#[test]
fn files_that_are_none_of_a_vendors_own_program() {
    let home = Home::new();
    let file = |name: &str, content: &[u8]| private(&home, name, content);
    let good = cliproxy(&json!({}));
    let folder = home.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let dangling = home.path().join("dangling");
    symlink(home.path().join("gone"), &dangling).unwrap();
    let large = "x".repeat(5 << 20);
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let code = claude_code("sk-ant-oat01-canary", "r");
    let cases = [
        (file("empty-claude", b""), 65, "the file is empty", "log in there again"),
        (
            file("truncated-claude", &code.as_bytes()[..code.len() - 3]),
            65,
            "the file is cut off: its JSON has no end",
            "copy it again as a whole",
        ),
        (file("large-claude", large.as_bytes()), 65, "is too large for a login", "name the file"),
        (
            file("wrong-kind", good.as_bytes()),
            65,
            "there is no login in the file",
            "it is one of CLIProxyAPI; use `byok accounts import FILE`",
        ),
        (
            file("of-codex", br#"{"OPENAI_API_KEY": null, "tokens": {"access_token": "canary"}}"#),
            65,
            "the file holds no login of `claude`: it is that of Codex CLI",
            "use `byok login codex --import FILE`",
        ),
        (path(&folder), 65, "`HOME/folder` is not a file", "name the file"),
        (path(&dangling), 65, "the file `HOME/dangling` cannot be read", "name the file"),
    ];
    for (file, code, what, hint) in cases {
        let output = home.run(&["login", "claude", &format!("--import={file}")]);
        assert_eq!(output.code, code, "{file}: {}", output.err);
        assert!(output.err.contains(what) && output.err.contains(hint), "{file}: {}", output.err);
        assert!(!output.err.contains("canary"), "{file}: {}", output.err);
    }
    // In its usual place, too, it is said what was found and why it is of no use.
    file(".claude/.credentials.json", &code.as_bytes()[..code.len() - 3]);
    let broken = home.run(&["login", "claude", "--import"]);
    assert_eq!(broken.code, 65, "{}", broken.err);
    let told = "error: `HOME/.claude/.credentials.json` of Claude Code cannot be taken over\n  caused by: the file is cut off: \
                its JSON has no end\n";
    assert!(broken.err.contains(told), "{}", broken.err);
    fs::remove_file(home.path().join(".claude/.credentials.json")).unwrap();
    // The file of gh, whose token lies in the keyring of the system: it is had from gh.
    let gh =
        file("hosts.yml", b"github.com:\n    users:\n        ada:\n    user: ada\n    git_protocol: https\n");
    let output = home.run(&["login", "copilot", &format!("--import={gh}")]);
    let words = "run `gh auth token | byok login copilot --method token`";
    assert_eq!((output.code, output.err.contains(words)), (65, true), "{}", output.err);
    assert!(!output.err.contains("canary"), "{}", output.err);
    let nothing = home.run(&["login", "copilot", "--import"]);
    assert!(nothing.err.contains("`gh auth token`"), "{}", nothing.err);
    assert_eq!(accounts(&home), []);
}

/// Who names the provider of a service that has ended wants it; who takes everything does not.
#[test]
fn logins_of_services_that_have_ended_come_over_switched_off() {
    let home = Home::new();
    let tokens = json!({"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "resource_url": "portal.qwen.ai", "expiry_date": (now() + 3600) * 1000});
    private(&home, ".qwen/oauth_creds.json", tokens.to_string().as_bytes());
    private(
        &home,
        ".cli-proxy-api/qwen-eve.json",
        json!({"type": "qwen", "access_token": "b", "refresh_token": "s", "email": "eve@example.org", "expired": "2099-01-01T00:00:00Z"}).to_string().as_bytes(),
    );
    let auto = home.run(&["accounts", "scan", "--auto"]);
    assert_eq!(auto.code, 0, "{}", auto.err);
    let off = |name: &str| (format!("qwen: {name}"), "disabled".to_owned());
    assert_eq!(accounts(&home), [off("eve@example.org"), off("qwen")], "{}", auto.err);
    let status: Value = serde_json::from_str(&home.run(&["status", "--json"]).out).unwrap();
    let qwen = &status["providers"][0];
    assert!(qwen["ended"].as_str().unwrap().contains("ended the free Qwen service"), "{status}");
    for account in qwen["accounts"].as_array().unwrap() {
        let reason = account["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("it came over switched off, because its service ended on 2026-04-15"),
            "{status}"
        );
    }
    // What its owner switches on stays on, and what its owner switches off says so.
    assert_eq!(home.run(&["accounts", "enable", "qwen", "--account", "qwen"]).code, 0);
    assert_eq!(home.run(&["accounts", "scan", "--auto"]).code, 0);
    assert!(accounts(&home).contains(&("qwen: qwen".to_owned(), "ready".to_owned())));
    assert_eq!(home.run(&["logout", "qwen", "--account", "qwen"]).code, 0);
    let named = home.run(&["login", "qwen", "--import"]);
    assert!(named.err.contains("ended the free Qwen service"), "{}", named.err);
    assert!(accounts(&home).contains(&("qwen: qwen".to_owned(), "ready".to_owned())), "{}", named.err);
}

#[test]
fn links_and_files_that_others_can_read_are_taken_with_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let open = private(&home, "open.json", cliproxy(&json!({})).as_bytes());
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let link = home.path().join("link.json");
    symlink(&open, &link).unwrap();
    let output = home.run(&["accounts", "import", link.to_str().unwrap()]);
    assert_eq!(output.code, 0, "{}", output.err);
    assert!(output.err.contains("`HOME/link.json` is a link to `HOME/open.json`"), "{}", output.err);
    assert!(
        output.err.contains(
            "`HOME/link.json` can be read by others on this machine; `chmod 600` keeps the login to yourself"
        ),
        "{}",
        output.err
    );
    let mode = fs::metadata(&open).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644, "the file is left as it is");
    // The same for the file of a vendor's own program.
    let code = private(&home, "code.json", claude_code("sk-ant-oat01-x", "r").as_bytes());
    fs::set_permissions(&code, fs::Permissions::from_mode(0o640)).unwrap();
    let output = home.run(&["login", "claude", &format!("--import={code}")]);
    assert!(output.err.contains("`HOME/code.json` can be read by others"), "{}", output.err);
}

/// One file of `CLIProxyAPI` a provider, with tokens that the simulated vendors know: what is stored of each is all that its
/// renewal needs.
#[test]
fn what_is_taken_over_can_be_renewed() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let (base, simulator) = (vendor.simulator.base_url(), &vendor.simulator);
    let google = format!(
        "token: {base}/google/token\n      profile: {base}/google/oauth2/v2/userinfo\n      projects: {base}/google/v1internal:loadCodeAssist"
    );
    home.write_config(&format!(
        "{}  codex:\n    urls:\n      token: {base}/openai-auth/oauth/token\n  xai:\n    urls:\n      token: {base}/xai-auth/oauth2/token\n  \
         kiro:\n    urls:\n      social: {base}/kiro/social\n  gemini:\n    client_secret: sim-client-secret\n    urls:\n      {google}\n  \
         antigravity:\n    client_secret: sim-client-secret\n    urls:\n      {google}\n  vertex:\n    urls:\n      token: {base}/google/token\n  \
         copilot:\n    urls:\n      profile: {base}/github/user\n      exchange: {base}/github/copilot_internal/v2/token\n      inference: {base}/copilot\n",
        vendor.config()
    ));
    let ended = "2026-01-01T00:00:00Z";
    let claude = simulator.grant();
    let codex = simulator.plan_grant(Plan::Codex, "ada@example.org");
    let xai = simulator.plan_grant(Plan::Xai, "ada@example.org");
    let (kiro, kiro_refresh) = simulator.kiro_grant();
    let gemini = simulator.google_grant(GoogleClient::Gemini);
    let antigravity = simulator.google_grant(GoogleClient::Antigravity);
    let robot: Value = serde_json::from_str(&simulator.service_account("sim-project").unwrap().json).unwrap();
    let files = [
        ("claude", json!({"access_token": claude.access_token, "refresh_token": claude.refresh_token})),
        (
            "codex",
            json!({"id_token": codex.id_token, "access_token": codex.access_token, "refresh_token": codex.refresh_token}),
        ),
        (
            "xai",
            json!({"id_token": xai.id_token, "access_token": xai.access_token, "refresh_token": xai.refresh_token}),
        ),
        ("kiro", json!({"access_token": kiro, "refresh_token": kiro_refresh, "auth_method": "social"})),
        (
            "gemini",
            json!({"token": {"access_token": gemini.access_token, "refresh_token": gemini.refresh_token}, "project_id": "sim-project"}),
        ),
        (
            "antigravity",
            json!({"access_token": antigravity.access_token, "refresh_token": antigravity.refresh_token, "project_id": "sim-project"}),
        ),
        ("vertex", json!({"service_account": robot, "location": "us-central1"})),
        ("github-copilot", json!({"access_token": simulator.github_grant(), "username": "ada"})),
    ];
    for (kind, mut file) in files {
        file["type"] = kind.into();
        file["expired"] = ended.into();
        private(&home, &format!("auths/{kind}.json"), file.to_string().as_bytes());
    }
    // Requests that were written down are no logins.
    let written_down = json!({"type": "claude", "access_token": "sk-ant-oat01-of-a-request", "email": "of-a-request@example.org"});
    private(&home, "auths/logs/request.json", written_down.to_string().as_bytes());
    let folder = home.path().join("auths");
    let import = home.run(&["accounts", "import", folder.to_str().unwrap(), "--take-over"]);
    assert!(!import.err.contains("of-a-request") && !import.out.contains("of-a-request"), "{}", import.err);
    assert_eq!(import.code, 0, "{}", import.err);
    assert_eq!(accounts(&home).len(), 8, "{}", import.err);
    let counts = simulator.oauth_counts();
    assert_eq!(
        (counts.token_posts, simulator.google_counts().refreshes),
        (0, 2),
        "nothing is renewed by an import but tokens of Google, of which nothing is used up, to ask whose they are"
    );
    let refresh = home.run(&["accounts", "refresh", "--all"]);
    assert_eq!((refresh.code, refresh.err.matches("renewed: ").count()), (0, 8), "{}", refresh.err);
}
