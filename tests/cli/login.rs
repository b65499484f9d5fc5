use crate::support::{Home, Running, Vendor};
use serde_json::Value;

/// The address that the person is to open.
fn address(byok: &mut Running) -> String {
    byok.line("/cai/oauth/authorize?").trim().to_owned()
}

pub(crate) fn log_in_by_paste(home: &Home, vendor: &Vendor, hint: &str, args: &[&str]) -> String {
    let mut byok = home.start(&[&["login", "claude", "--no-browser"], args].concat());
    let url = address(&mut byok);
    let code = vendor.browse(&format!("{url}&login_hint={hint}"));
    byok.write_line(&code);
    let (status, said) = byok.end();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(!said.contains("sk-ant-o"), "no token is shown: {said}");
    said
}

/// Starts a login, and pastes this code with the state of the login.
fn paste_code(home: &Home, code: &str) -> (Option<i32>, String) {
    let mut byok = home.start(&["login", "claude", "--no-browser"]);
    let url = address(&mut byok);
    let state = url.split("&state=").nth(1).unwrap();
    byok.write_line(&format!("{code}#{state}"));
    let (status, said) = byok.end();
    (status.code(), said)
}

fn accounts(home: &Home) -> Vec<Value> {
    let status = home.run(&["status", "--json"]);
    assert_eq!(status.code, 0, "{}", status.err);
    let report: Value = serde_json::from_str(&status.out).unwrap();
    let providers = report["providers"].as_array().unwrap();
    providers.iter().flat_map(|provider| provider["accounts"].as_array().unwrap().clone()).collect()
}

#[test]
fn a_pasted_code_logs_in_and_logout_takes_it_back() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let said = log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    let rule = said.find("Anthropic's published rules").expect("the rule is told");
    assert!(rule < said.find("open this address").unwrap(), "before the login");
    assert!(said.contains("logged in to claude as ada@example.org, plan max 5x"), "{said}");
    // Without a terminal nobody was asked, so nothing is assumed.
    assert!(said.contains("You are Claude Code, Anthropic's official CLI for Claude."), "{said}");
    assert!(said.contains("byok does not send it"), "{said}");

    let found = accounts(&home);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["email"], "ada@example.org");
    assert_eq!(found[0]["state"], "needs_consent");
    assert_eq!(found[0]["claims"], serde_json::json!([]));

    let logout = home.run(&["logout", "claude"]);
    assert_eq!((logout.code, logout.err.as_str()), (0, "logged out of claude: ada@example.org\n"));
    assert_eq!(vendor.simulator.oauth_counts().revocations, 1);
    assert_eq!(accounts(&home), Vec::<Value>::new());
}

#[test]
fn the_browser_brings_the_code_back() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let mut byok = home.start(&["login", "claude", "--no-open", "--account", "work"]);
    let url = address(&mut byok);
    assert!(url.contains("redirect_uri=http%3A%2F%2Flocalhost%3A"), "{url}");
    assert!(vendor.browse(&url).contains("Almost there"));
    let (status, said) = byok.end();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.contains("logged in to claude as work (ada@example.org, plan max 5x)"), "{said}");
    assert_eq!(accounts(&home)[0]["label"], "work");
}

#[test]
fn a_browser_that_is_configured_is_opened_with_the_address() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let (browser, opened) = (home.path().join("browser"), home.path().join("opened"));
    std::fs::write(
        &browser,
        format!("#!/bin/sh\nprintf %s \"$1\" > {0}.new && mv {0}.new {0}\n", opened.display()),
    )
    .unwrap();
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut byok = home.start_with(
        &["login", "claude"],
        &[("BROWSER", browser.to_str().unwrap()), ("PATH", "/usr/bin:/bin")],
    );
    let url = address(&mut byok);
    vendor.browse(&url);
    assert_eq!(byok.end().0.code(), Some(0));
    let seen = std::iter::repeat_with(|| std::fs::read_to_string(&opened)).take(100_000).find_map(Result::ok);
    assert_eq!(seen, Some(url));
}

#[test]
fn consent_is_given_by_name_stays_and_can_be_taken_back() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let said = log_in_by_paste(&home, &vendor, "ada@example.org", &["--accept-claim", "claude-code-prompt"]);
    assert!(said.contains("byok sends the claim `claude-code-prompt`"), "{said}");
    assert_eq!(accounts(&home)[0]["claims"], serde_json::json!(["claude-code-prompt"]));

    let said = log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    assert!(said.contains("your consent to the claim `claude-code-prompt` stays"), "{said}");
    assert_eq!(accounts(&home).len(), 1, "the same account");

    assert_eq!(home.run(&["accounts", "claims", "claude"]).out, "claude-code-prompt\n");
    let revoke = ["accounts", "claims", "claude", "--revoke", "claude-code-prompt"];
    assert_eq!(home.run(&revoke).code, 0);
    assert_eq!(accounts(&home)[0]["claims"], serde_json::json!([]));
    let again = home.run(&revoke);
    assert_eq!((again.code, again.err.contains("there is no consent to `claude-code-prompt`")), (2, true));

    // Of an account that is there nobody has to log in again.
    let command = "byok accounts claims claude --account ada@example.org --accept claude-code-prompt";
    let words = "You are Claude Code, Anthropic's official CLI for Claude.";
    let shown = home.run(&["accounts", "claims", "claude"]);
    assert!(shown.err.contains(words) && shown.err.contains(command), "{}", shown.err);
    let status = home.run(&["status"]).out;
    assert!(
        status.contains("needs consent") && status.contains(&format!("consent with `{command}`")),
        "{status}"
    );
    let unknown = home.run(&["accounts", "claims", "claude", "--accept", "claude-code-prompt,x"]);
    assert_eq!((unknown.code, unknown.err.contains("claude has no claim `x`")), (2, true), "{}", unknown.err);
    assert_eq!(accounts(&home)[0]["state"], "needs_consent", "all or nothing");
    let given = home.run(&command.split(' ').skip(1).collect::<Vec<_>>());
    assert_eq!(given.code, 0, "{}", given.err);
    for told in ["Anthropic's published rules", words, "byok sends the claim `claude-code-prompt`"] {
        assert!(given.err.contains(told), "{told}: {}", given.err);
    }
    assert_eq!(accounts(&home)[0]["state"], "ready");
    assert_eq!(accounts(&home)[0]["claims"], serde_json::json!(["claude-code-prompt"]));
}

#[test]
fn a_token_of_the_settings_needs_an_account_for_consent() {
    let home = Home::new();
    home.write_config("providers:\n  claude: { api_key: sk-ant-oat01-x }\n  iflow: { api_key: sk-x }\n");
    let found = accounts(&home);
    for (account, command) in found.iter().zip([
        "`byok accounts add claude --accept-claim claude-code-prompt`",
        "`byok login iflow --method key --accept-claim iflow-cli`",
    ]) {
        assert_eq!(account["state"], "needs_consent", "{account}");
        assert!(account["reason"].as_str().unwrap().contains(command), "{account}");
    }
    assert_eq!(found.len(), 2);
}

#[test]
fn a_second_plan_is_pointed_out_and_a_second_login_of_the_same_is_not() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let plans = "several plans of one person to stretch their limits may be against the terms";
    let first = log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    assert!(!first.contains(plans) && !first.contains("replaces"), "{first}");
    let again = log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    assert!(!again.contains(plans) && again.contains("; it replaces the login that was there"), "{again}");
    let second = log_in_by_paste(&home, &vendor, "bob@example.org", &[]);
    assert!(
        second.contains(plans) && second.contains("`byok logout claude --account bob@example.org`"),
        "{second}"
    );
    assert!(
        second.contains(
            "`byok accounts claims claude --account bob@example.org --accept claude-code-prompt` changes that"
        ),
        "{second}"
    );
}

#[test]
fn a_browser_that_cannot_be_started_is_named() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let mut byok = home.start(&["login", "claude", "--browser", "nosuch"]);
    byok.line("warning: the browser `nosuch` cannot be started; `--browser` takes firefox, ");
    vendor.browse(&address(&mut byok));
    assert_eq!(byok.end().0.code(), Some(0), "the address is there all the same");
}

#[test]
fn a_file_that_is_not_given() {
    let home = Home::new();
    home.write_config("");
    let login = home.run(&["login", "vertex"]);
    assert_eq!((login.code, login.err.contains("no file was given")), (77, true), "{}", login.err);
    assert!(login.err.contains("hint: name it with `--with file=FILE`"), "{}", login.err);
    // No program keeps a login there: the file is not even looked at.
    let import = home.run(&["login", "vertex", "--import=sa.json"]);
    assert_eq!((import.code, import.err.contains("no program keeps a login")), (2, true), "{}", import.err);
}

#[test]
fn what_is_awaited_on_a_silent_pipe_is_said() {
    let home = Home::new();
    home.write_config("");
    for (arguments, awaited) in [
        (&["login", "qwen", "--method", "key"][..], "waiting for the API key on standard input"),
        (&["login", "vertex"], "waiting for the content of the file, and its end, on standard input"),
        (&["accounts", "add", "claude"], "waiting for the tokens on standard input"),
    ] {
        let mut byok = home.start(arguments);
        byok.line(awaited);
        assert_ne!(byok.end().0.code(), Some(0));
    }
}

#[test]
fn the_rule_is_told_before_whatever_it_is_about_is_pasted() {
    let home = Home::new();
    home.write_config("");
    for (arguments, rule, awaited) in [
        (["copilot", "--method", "token"], "GitHub offers Copilot for its own editors", "the token"),
        (["kiro", "--method", "token"], "AWS locks Kiro accounts", "the token"),
        (["iflow", "--method", "key"], "iFlow served signed requests of its own program only", "the API key"),
        (
            ["iflow", "--method", "cookie"],
            "iFlow served signed requests of its own program only",
            "the cookie",
        ),
    ] {
        let mut byok = home.start(&[&["login"], &arguments[..]].concat());
        byok.line(&format!("waiting for {awaited} on standard input"));
        let (_, said) = byok.end();
        assert!(said.contains(rule), "{arguments:?}: {said}");
    }
    let key = home.run(&["login", "claude", "--method", "key"]).err;
    assert!(!key.contains("Anthropic's published rules"), "a key is another matter: {key}");
}

#[test]
fn the_way_that_no_browser_takes_is_said() {
    let home = Home::new();
    home.write_config("providers:\n  codex: { urls: { device: 'http://127.0.0.1:9/x' } }\n");
    let said = home.run(&["login", "codex", "--no-browser"]).err;
    let other = "`byok login codex --method browser --no-browser` is the way to paste a code.";
    assert!(said.contains("`--no-browser` logs in by `device` here; ") && said.contains(other), "{said}");
}

#[test]
fn a_pipe_is_no_file() {
    let home = Home::new();
    home.write_config("");
    let pipe = home.path().join("pipe").display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for arguments in [&["login", "claude", &format!("--import={pipe}")][..], &["accounts", "import", &pipe]] {
        let out = home.run(arguments);
        assert_eq!((out.code, out.err.contains("is not a file")), (65, true), "{}", out.err);
    }
    for file in [&*pipe, "/dev/zero", home.path().to_str().unwrap()] {
        let out = home.run(&["login", "vertex", "--with", &format!("file={file}"), "--with", "location=eu"]);
        assert_eq!((out.code, out.err.contains("is not a file")), (65, true), "{file}: {}", out.err);
    }
}

#[test]
fn with_several_accounts_one_has_to_be_named() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    log_in_by_paste(&home, &vendor, "bob@example.org", &["--account", "work"]);
    // Within one second the order of accounts is not defined.
    let names = |text: &str| {
        let mut names: Vec<_> =
            text.trim_end().rsplit(": ").next().unwrap().split(", ").map(str::to_owned).collect();
        names.sort();
        names
    };
    let state =
        |label: &str| accounts(&home).iter().find(|a| a["label"] == label).map(|a| a["state"].clone());
    let logout = home.run(&["logout", "claude"]);
    assert_eq!(logout.code, 2);
    assert!(
        logout.err.starts_with("error: `claude` has several accounts\n\nhint: name one with `--account`: ")
    );
    assert_eq!(names(&logout.err), ["ada@example.org", "work"]);

    assert_eq!(home.run(&["accounts", "disable", "claude", "--account", "bob@example.org"]).code, 0);
    assert_eq!(state("work"), Some("disabled".into()));
    assert_eq!(home.run(&["accounts", "enable", "claude", "--account", "work"]).code, 0);
    assert_eq!(state("work"), Some("needs_consent".into()));

    let unknown = home.run(&["logout", "claude", "--account", "eve"]);
    assert!(unknown.err.starts_with("error: `claude` has no account `eve`\n\nhint: its accounts are: "));
    assert_eq!(names(&unknown.err), ["ada@example.org", "work"]);

    let all = home.run(&["logout", "claude", "--all"]);
    assert_eq!((all.code, all.err.lines().count()), (0, 2), "{}", all.err);
    assert_eq!(accounts(&home), Vec::<Value>::new());
}

#[test]
fn another_person_does_not_take_over_a_named_account() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    log_in_by_paste(&home, &vendor, "ada@example.org", &["--account", "work"]);
    let mut byok = home.start(&["login", "claude", "--no-browser", "--account", "work"]);
    let url = address(&mut byok);
    let code = vendor.browse(&format!("{url}&login_hint=eve@example.org"));
    byok.write_line(&code);
    let (status, said) = byok.end();
    assert_eq!(status.code(), Some(77), "{said}");
    assert!(said.contains("error: this login is of another account than `work`"), "{said}");
    assert_eq!(accounts(&home)[0]["email"], "ada@example.org");

    // Of a key it is known before anybody logs in.
    let base = vendor.simulator.base_url();
    home.write_config(&format!("providers: {{ qwen: {{ urls: {{ device: '{base}/qwen/nowhere', inference: '{base}/qwen/elsewhere/v1' }} }} }}\n"));
    let key =
        home.run_with(&["login", "qwen", "--method", "key", "--account", "paid"], &[], "sk-0123456789\n");
    assert_eq!(key.code, 0, "{}", key.err);
    let login = home.run(&["login", "qwen", "--method", "device", "--account", "paid"]);
    let told = "error: `paid` is an API key, so a login is of another account";
    assert!(login.code == 77 && login.err.contains(told), "{} {}", login.code, login.err);
}

#[test]
fn a_login_that_does_not_come_about_says_why() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    for (line, code, expected) in [
        ("", 77, "error: no code was pasted"),
        ("two words", 65, "error: this is not a login code"),
        ("code#of-another-login", 65, "error: the code belongs to another login"),
        ("made-up", 65, "error: this is not a login code"),
    ] {
        let output = home.run_with(&["login", "claude", "--no-browser"], &[], line);
        assert_eq!(output.code, code, "{line}: {}", output.err);
        assert!(output.err.contains(expected), "{line}: {}", output.err);
        let by_pipe = output.err.split("hint: ").nth(1).unwrap_or_default();
        assert!(
            by_pipe.contains("start again with a pipe as standard input that stays open"),
            "{line}: {by_pipe}"
        );
        assert!(!output.err.contains("paste it again"), "nobody is there to paste: {}", output.err);
    }
    let (code, said) = paste_code(&home, "made-up");
    assert_eq!(
        (code, said.contains("error: the vendor did not accept the login code")),
        (Some(77), true),
        "{said}"
    );
    let mut byok = home.start(&["login", "claude", "--no-open"]);
    let url = address(&mut byok);
    vendor.browse(&format!("{url}&login_hint=denied"));
    let (status, said) = byok.end();
    assert_eq!(status.code(), Some(77), "{said}");
    assert!(said.contains("error: the login was refused: access_denied"), "{said}");
}

#[test]
fn a_vendor_that_is_gone() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    drop(vendor);
    let (code, said) = paste_code(&home, "code");
    assert_eq!((code, said.contains("error: the vendor could not be reached")), (Some(69), true), "{said}");
    let logout = home.run(&["logout", "claude"]);
    assert_eq!(logout.code, 0);
    assert!(logout.err.contains("warning: claude could not be told"), "{}", logout.err);
    assert_eq!(accounts(&home), Vec::<Value>::new());
}

#[test]
fn a_key_beside_the_login_is_pointed_out() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(
        &vendor.config().replace("    urls:", "    api_key: sk-ant-api03-0123456789\n    urls:"),
    );
    let said = log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    assert!(
        said.contains("warning: an API key is configured for claude: byok prefers it, and it is billed"),
        "{said}"
    );
}

#[test]
fn a_login_that_is_charged_beyond_its_plan_stops_until_that_is_allowed() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let config = vendor.config();
    home.write_config(&config);
    log_in_by_paste(&home, &vendor, "ada@example.org", &["--accept-claim", "claude-code-prompt"]);
    let mut byok = home.start(&["serve", "--port", "0"]);
    let url = format!("{}/v1/messages", byok.base_url());
    let ask = |words: &str| {
        let body = serde_json::json!({
            "model": "claude-sonnet-4-6", "max_tokens": 100, "messages": [{"role": "user", "content": words}],
        });
        vendor.runtime.block_on(async {
            let answer = crate::support::client().post(&url).json(&body).send().await.unwrap();
            let hint = answer.headers().get("x-byok-hint").map(|hint| hint.to_str().unwrap().to_owned());
            let account =
                answer.headers().get("x-byok-account").map(|name| name.to_str().unwrap().to_owned());
            assert!(!account.unwrap_or_default().contains('@'), "an address is nobody's business");
            (answer.status().as_u16(), hint.unwrap_or_default(), answer.text().await.unwrap())
        })
    };
    assert_eq!(ask("Hello.").0, 200);
    let (status, hint, said) = ask("sim:overage");
    assert_eq!(status, 200, "{said}");
    assert!(hint.contains("beyond the plan"), "the answer that is paid for arrives, with a hint: {hint:?}");

    let (status, _, said) = ask("Hello.");
    assert!(matches!(status, 429 | 503), "{status}: {said}");
    let becomes = |state: &str| {
        std::iter::repeat_with(|| accounts(&home)[0]["state"].clone()).take(1000).any(|found| found == state)
    };
    assert!(becomes("extra_usage"), "{}", home.run(&["status"]).out);
    let shown = home.run(&["status"]).out;
    assert!(shown.contains("providers.claude.extra_usage: allow"), "{shown}");

    home.write_config(&config.replace("  claude:\n", "  claude:\n    extra_usage: allow\n"));
    assert!(becomes("ready"), "{}", home.run(&["status"]).out);
    assert_eq!(ask("sim:overage").0, 200);
    assert_eq!(ask("Hello.").0, 200, "what is allowed goes on");

    assert_eq!(ask("sim:quota 600").0, 429);
    // The list and the status are of one mind.
    let list: Value = serde_json::from_str(&home.run(&["accounts", "list", "--json"]).out).unwrap();
    let (listed, shown) = (&list[0]["accounts"][0], &accounts(&home)[0]);
    assert!(shown["resting"][0]["seconds"].as_u64() > Some(500), "{shown}");
    for part in ["problem", "quota"] {
        assert!(!shown[part].is_null(), "{part}: {shown}");
        assert_eq!(listed[part], shown[part]);
    }
    assert!(listed["resting"][0]["seconds"].as_u64() > Some(500), "{listed}");

    // Who enables the account or logs in again does not wait for the rest to end.
    let enabled = home.run(&["accounts", "enable", "claude"]);
    assert_eq!((enabled.code, &*enabled.err), (0, "ada@example.org is in use again\n"));
    assert!(accounts(&home)[0]["problem"].is_null(), "what went wrong is over");
    assert_eq!((ask("Hello.").0, ask("sim:quota 600").0), (200, 429));
    let enabled = home.run(&["accounts", "enable", "claude"]);
    assert_eq!((enabled.code, &*enabled.err), (0, "ada@example.org rested and is in use again\n"));
    assert_eq!((ask("Hello.").0, ask("sim:quota 600").0), (200, 429));
    log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    assert_eq!(ask("Hello.").0, 200);
}

#[test]
fn a_key_does_not_take_the_place_of_a_login() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    log_in_by_paste(&home, &vendor, "ada@example.org", &["--account", "work"]);
    let with_key = |name: &str| {
        let args = ["login", "claude", "--method", "key", "--account", name];
        home.run_with(&args, &[], "sk-ant-api03-0123456789\n")
    };
    let refused = with_key("work");
    let told = "error: `work` is a login, so an API key is of another account";
    assert!(refused.code == 77 && refused.err.contains(told), "{} {}", refused.code, refused.err);
    let beside = with_key("paid");
    assert_eq!(beside.code, 0, "{}", beside.err);
    let kinds: Vec<_> = accounts(&home).iter().map(|account| account["kind"].clone()).collect();
    assert_eq!(kinds, ["api_key", "login"], "the key comes first, as `prefer` says");
}

#[test]
fn a_key_is_replaced_under_its_name() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let base = vendor.simulator.base_url();
    home.write_config(&format!(
        "providers:\n  claude: {{ base_url: '{base}' }}\n  xai: {{ base_url: '{base}/xai/v1' }}\n"
    ));
    for (provider, prefix) in [("claude", "sk-ant-api03-"), ("xai", "xai-")] {
        let with_key = |name: &str, key: &str| {
            let args = ["login", provider, "--method", "key", "--account", name];
            home.run_with(&args, &[], &format!("{prefix}{key}\n"))
        };
        for (name, key, code, told) in [
            ("work", "0123456789", 0, "as work\n"),
            ("work", "9876543210", 0, "as work; it replaces the key that was there"),
            ("home", "5555555555", 0, "as home\n"),
            ("home", "9876543210", 2, "this key is there already, as `work`"),
        ] {
            let said = with_key(name, key);
            assert_eq!((said.code, said.err.contains(told)), (code, true), "{provider} {name}: {}", said.err);
        }
    }
    assert_eq!(accounts(&home).len(), 4);
}

#[test]
fn a_provider_that_is_switched_off_is_said_to_be() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config().replace("  claude:\n", "  claude:\n    enabled: false\n"));
    let said = log_in_by_paste(&home, &vendor, "ada@example.org", &["--accept-claim", "claude-code-prompt"]);
    assert!(said.contains("switched off in the settings") && !said.contains("uses it at once"), "{said}");
    assert_eq!(accounts(&home)[0]["state"], "provider_off");
    let shown = home.run(&["status"]).out;
    assert!(shown.contains("`providers.claude.enabled: true` switches it on"), "{shown}");
}

/// A vendor that answers its callers with these statuses and bodies, one after the other.
fn answering(answers: Vec<(&'static str, String)>) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (status, body) in answers {
            let Ok((mut asker, _)) = listener.accept() else { return };
            let _ = asker.read(&mut [0; 4096]);
            let length = body.len();
            let _ = write!(
                asker,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    format!("http://{address}")
}

#[test]
fn a_vendor_that_answers_nonsense_to_the_wait_for_a_code_is_not_waited_for() {
    let home = Home::new();
    let start = serde_json::json!({"device_code": "d", "user_code": "AB-CD", "verification_uri": "https://www.kimi.com/device", "expires_in": 600, "interval": 1});
    let page = || ("403 Forbidden", "<html>a challenge</html>".to_owned());
    let vendor =
        answering(vec![("200 OK", start.to_string()), page(), page(), ("200 OK", "x".repeat(5 << 20))]);
    home.write_config(&format!(
        "providers: {{ kimi: {{ urls: {{ device: '{vendor}/d', token: '{vendor}/t' }} }} }}\n"
    ));
    let ended = home.run(&["login", "kimi", "--no-browser"]);
    assert_eq!(ended.code, 69, "{}", ended.err);
    let told = "still waiting: the vendor answers 403, with a web page\n";
    assert_eq!(ended.err.matches(told).count(), 1, "{}", ended.err);
    assert!(ended.err.contains("something else than tokens"), "{}", ended.err);
}
