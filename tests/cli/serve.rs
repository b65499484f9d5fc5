use crate::support::{Home, Running, Vendor, client};
use rusqlite::Connection;
use rustix::{
    fs::{Mode, OFlags},
    process::Signal,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

fn status(home: &Home) -> Value {
    serde_json::from_str(&home.run(&["status", "--json"]).out).unwrap()
}

#[test]
fn it_serves_answers_the_cli_and_stops() {
    let home = Home::new();
    let mut byok = home.start(&["serve", "--port", "0"]);
    let base = byok.base_url();
    let health = Runtime::new().unwrap().block_on(async {
        client().get(format!("{base}/health")).send().await.unwrap().text().await.unwrap()
    });
    assert_eq!(health, r#"{"status":"ok","config":"ok"}"#);

    let report = status(&home);
    assert_eq!(report["running"], true);
    assert_eq!(report["address"], base.trim_start_matches("http://"));
    assert_eq!(report["keys_required"], false);

    let port = base.rsplit(':').next().unwrap();
    for (args, expected) in [
        (&["serve", "--port", port][..], "error: byok is already running on 127.0.0.1"),
        (&["serve", "--port", "0"], "error: another byok keeps its data in this directory"),
        (&["demo", "--port", port], "is in use\n\nhint: `byok demo --port 0` takes a free port"),
    ] {
        let other = home.run(args);
        assert_eq!(other.code, 73, "{args:?}");
        assert!(other.err.contains(expected), "{args:?}: {}", other.err);
    }

    for (path, mode) in
        [("", 0o700), ("tokens.db", 0o600), ("usage.db", 0o600), ("key", 0o600), ("control.sock", 0o600)]
    {
        let found = std::fs::metadata(home.file(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path}");
    }
    byok.signal(Signal::TERM);
    let (ended, said) = byok.end();
    assert_eq!(ended.code(), Some(0), "{said}");
    assert!(!home.file("control.sock").exists());
    assert_eq!(status(&home)["running"], false);
}

#[test]
fn a_change_of_settings_and_logins_is_seen_by_the_running_server() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let mut byok = home.start(&["serve", "--port", "0"]);
    byok.base_url();
    assert_eq!(status(&home)["providers"], json!([]));

    let mut login = home.start(&["login", "claude", "--no-browser"]);
    let url = login.line("/cai/oauth/authorize?").trim().to_owned();
    let code = vendor.browse(&url);
    login.write_line(&code);
    assert_eq!(login.end().0.code(), Some(0));
    // The server looks twice a second; each look here takes a process.
    let seen = (0..200).map(|_| status(&home)).find(|report| report["providers"] != json!([]));
    assert_eq!(seen.unwrap()["providers"][0]["accounts"][0]["email"], "ada@example.org");

    home.write_config("port: [broken\n");
    byok.signal(Signal::HUP);
    let stale = (0..200).map(|_| home.run(&["status"])).find(|status| status.out.contains("cannot be used"));
    let stale = stale.expect("the broken file is reported").out;
    assert!(stale.contains("config.yaml:"), "{stale}");
    assert!(stale.contains("ada@example.org"), "the accounts stay: {stale}");
}

#[test]
fn a_server_that_others_can_reach_has_a_key() {
    let home = Home::new();
    let mut byok = home.start(&["serve", "--port", "0", "--host", "0.0.0.0"]);
    let base = byok.base_url();
    let key = std::fs::read_to_string(home.file("client-key")).unwrap();
    let key = key.trim();
    let mode = std::fs::metadata(home.file("client-key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = byok.said.join("\n");
    assert!(said.contains("client-key (readable by this user only)"), "{said}");
    assert!(!said.contains(key), "without a terminal the key is only in the file");
    let codes: Vec<u16> = Runtime::new().unwrap().block_on(async {
        let ask = |key: Option<&str>| {
            let request = client().get(&base);
            let request = match key {
                Some(key) => request.bearer_auth(key),
                None => request,
            };
            async move { request.send().await.unwrap().status().as_u16() }
        };
        vec![ask(None).await, ask(Some("byok-wrong")).await, ask(Some(key)).await]
    });
    assert_eq!(codes, [401, 401, 200]);
    assert_eq!(status(&home)["keys_required"], true);

    byok.signal(Signal::INT);
    assert_eq!(byok.end().0.code(), Some(0));
    let mut again = home.start(&["serve", "--port", "0", "--host", "0.0.0.0"]);
    again.base_url();
    assert!(
        !again.said.join("\n").contains("every request needs a key"),
        "the key of the first start still holds"
    );
}

#[test]
fn one_that_waits_for_its_last_answers_is_said_to_be_ending() {
    let home = Home::new();
    let mut byok = home.start(&["serve", "--port", "0"]);
    let address = byok.base_url().replace("http://", "");
    // The half of a request is a connection in use.
    let mut client = TcpStream::connect(&address).unwrap();
    let head = format!("POST /v1/messages HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n");
    write!(client, "{head}content-length: 9\r\nexpect: 100-continue\r\n\r\n").unwrap();
    client.read_exact(&mut [0; 12]).unwrap();
    byok.signal(Signal::TERM);
    byok.line("a connection is still in use");
    let said = home.run(&["status"]);
    assert!(said.err.starts_with("byok is ending: "), "{}", said.err);
    let report = status(&home);
    assert_eq!((&report["running"], &report["ending"]), (&json!(false), &json!(true)));
    drop(client);
    let (ended, said) = byok.end();
    assert_eq!(ended.code(), Some(0), "{said}");
    assert!(home.run(&["status"]).err.starts_with("no byok is running"));
    assert_eq!(status(&home)["ending"], Value::Null);
    assert!(!home.file("ending.lock").exists());
}

/// Programs read stderr line by line: nothing that people would read stands between the events.
#[test]
fn with_a_log_in_json_every_line_is_json() {
    let home = Home::new();
    // A warning, and a level that keeps back whatever is no error.
    home.write_config("admin_secret: 0123456789abcdefghij\n");
    let env = [("BYOK_LOG_FORMAT", "json"), ("BYOK_LOG", "error")];
    let mut byok = home.start_with(&["serve", "--port", "0", "--host", "0.0.0.0"], &env);
    let said: Value = serde_json::from_str(&byok.line("listens on http://")).unwrap();
    let facts = &said["fields"];
    let listens = facts["listens"].as_str().unwrap();
    let port = listens.rsplit(':').next().unwrap();
    assert_eq!(facts["url"], format!("http://127.0.0.1:{port}"));
    assert_eq!(facts["message"].as_str().unwrap().split(' ').next_back(), facts["url"].as_str());
    assert_eq!((&facts["keys_required"], &facts["serves"]), (&json!(true), &json!([])));
    assert_eq!(facts["settings"], home.file("config.yaml").to_str().unwrap());
    assert_eq!(facts["login_page"], Value::Null, "nobody sits at a terminal");
    let other = home.run_with(&["serve", "--port", "0"], &env, "");
    byok.signal(Signal::TERM);
    let (_, all) = byok.end();
    let lines: Vec<Value> = all
        .lines()
        .chain(other.err.lines())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let is = |level: &str, part: &str| {
        let found = lines.iter().find(|line| line["fields"]["message"].as_str().unwrap().contains(part));
        assert_eq!(found.unwrap_or_else(|| panic!("{part}: {all}"))["level"], level, "{part}");
    };
    is("WARN", "`admin_secret` has no effect");
    is("INFO", "client-key (readable by this user only)");
    is("ERROR", "another byok keeps its data in this directory");
}

/// Whoever sits at a terminal finds the link to the first login, in whatever form.
#[test]
fn a_person_at_a_terminal_is_shown_the_link_in_json_too() {
    let home = Home::new();
    home.write_config("log: { format: json, level: 'off' }\n");
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let mut byok = Command::new(assert_cmd::cargo::cargo_bin("byok"))
        .args(["serve", "--port", "0"])
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(other))
        .spawn()
        .unwrap();
    let line = BufReader::new(File::from(terminal)).lines().next().unwrap().unwrap();
    byok.kill().unwrap();
    byok.wait().unwrap();
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let url = said["fields"]["url"].as_str().unwrap();
    let login_page = said["fields"]["login_page"].as_str().unwrap();
    assert!(login_page.starts_with(url) && login_page.contains("/v0/oauth"), "{line}");
}

#[test]
fn settings_that_cannot_be_served() {
    let home = Home::new();
    for (args, code, expected) in [
        (&["serve", "--host", "256.1.1.1"][..], 78, "--host: host: expected a host name"),
        (&["serve", "--log", "loud"], 78, "--log: log"),
        (&["serve", "--host", "nowhere.invalid"], 78, "is not known on this machine"),
        (&["serve", "--host", "192.0.2.1", "--port", "0"], 73, "cannot be listened on"),
    ] {
        let output = home.run(args);
        assert_eq!(output.code, code, "{args:?}: {}", output.err);
        assert!(output.err.contains(expected), "{args:?}: {}", output.err);
    }
}

#[test]
fn records_are_kept_as_long_as_the_settings_say() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let base = vendor.simulator.base_url();
    let serve = |days: u32| {
        home.write_config(&format!(
            "providers: {{ claude: {{ api_key: sk-ant-api03-e2e, base_url: {base} }} }}\nlimits: {{ record_days: {days} }}\n"
        ));
        home.start(&["serve", "--port", "0"])
    };
    let stop = |byok: Running| {
        byok.signal(Signal::TERM);
        assert_eq!(byok.end().0.code(), Some(0));
    };
    let mut byok = serve(90);
    let url = format!("{}/v1/messages", byok.base_url());
    let ask = json!({"model": "claude-sonnet-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello."}]});
    for _ in 0..3 {
        let asked =
            client().post(&url).header("content-type", "application/json").body(ask.to_string()).send();
        assert_eq!(vendor.runtime.block_on(asked).unwrap().status(), 200);
    }
    stop(byok);
    let records = || Connection::open(home.file("usage.db")).unwrap();
    let count =
        || records().query_row("SELECT count(*) FROM requests", [], |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!(count(), 3);
    // One stays as it is, the others are made 100 and 300 days old.
    for days in [100_i64, 200] {
        let older =
            "UPDATE requests SET at_ms = at_ms - ?1 WHERE number > (SELECT min(number) FROM requests) + ?2";
        records().execute(older, [days * 86_400_000, i64::from(days > 100)]).unwrap();
    }
    for (days, left) in [(0, 3), (200, 2), (90, 1)] {
        let mut byok = serve(days);
        byok.base_url();
        // They are looked for at once, beside the first requests.
        let begun = Instant::now();
        while count() > left {
            assert!(begun.elapsed() < Duration::from_mins(1), "{days}: {}", count());
        }
        stop(byok);
        assert_eq!(count(), left, "{days}");
    }
}
