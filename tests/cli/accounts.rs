//! The commands that list, add, change, renew, export and forget accounts.

use crate::support::{Home, Vendor, exposed, private};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use byok_simulator::{GoogleClient, Plan};
use serde_json::{Value, json};

/// Settings whose logins of Claude, Codex and Gemini live at the simulator.
fn settings(vendor: &Vendor) -> String {
    let base = vendor.simulator.base_url();
    format!(
        "{}  codex:\n    urls:\n      token: {base}/openai-auth/oauth/token\n      revoke: {base}/openai-auth/oauth/revoke\n  \
         gemini:\n    client_secret: s\n    urls:\n      token: {base}/google/token\n      revoke: {base}/google/revoke\n      \
         profile: {base}/nowhere\n  kimi:\n    urls:\n      profile: {base}/nowhere\n  kiro:\n    urls:\n      usage: {base}/nowhere\n",
        vendor.config()
    )
}

fn world() -> (Home, Vendor) {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&settings(&vendor));
    (home, vendor)
}

/// What the accounts are called, by provider.
fn names(home: &Home) -> Vec<String> {
    let list = home.run(&["accounts", "list", "--json"]);
    assert_eq!(list.code, 0, "{}", list.err);
    let providers: Value = serde_json::from_str(&list.out).unwrap();
    let accounts = providers.as_array().unwrap().iter().flat_map(|provider| {
        let name = provider["name"].as_str().unwrap();
        let accounts = provider["accounts"].as_array().unwrap();
        accounts.iter().map(move |account| {
            format!("{name}: {} {}", account["label"].as_str().unwrap(), account["state"].as_str().unwrap())
        })
    });
    let mut names: Vec<_> = accounts.collect();
    names.sort();
    names
}

/// A token answer of the simulated Claude, of a person of this name.
fn tokens(vendor: &Vendor, who: &str) -> String {
    let grant = vendor.simulator.grant_to(&format!("{who}@example.org"));
    json!({"access_token": grant.access_token, "refresh_token": grant.refresh_token, "expires_in": grant.expires_in, "scope": grant.scope})
        .to_string()
}

fn add(home: &Home, provider: &str, name: &str, pasted: &str) {
    let added = home.run_with(&["accounts", "add", provider, "--account", name], &[], pasted);
    let said = format!("added to {provider}: {name}\n");
    assert_eq!((added.code, added.err.contains(&said)), (0, true), "{pasted}: {}", added.err);
    if provider == "claude" {
        let hint = format!(
            "`byok accounts claims claude --account {name} --accept claude-code-prompt` changes that\n"
        );
        assert!(added.err.ends_with(&hint), "{}", added.err);
    }
}

#[test]
fn accounts_are_added_from_what_is_pasted() {
    let (home, vendor) = world();
    add(&home, "claude", "answer", &tokens(&vendor, "ada"));
    let token = |email: &str| vendor.simulator.grant_to(email).access_token;
    add(&home, "claude", "token", &format!("{}\n", token("bob@example.org")));
    let file = json!({"claudeAiOauth": {"accessToken": token("cleo@example.org"), "refreshToken": "r", "expiresAt": 1}});
    add(&home, "claude", "file", &file.to_string());
    let codex = vendor.simulator.plan_grant(Plan::Codex, "ada@example.org");
    let auth = json!({"tokens": {"id_token": codex.id_token, "access_token": codex.access_token, "refresh_token": codex.refresh_token}});
    add(&home, "codex", "plan", &auth.to_string());
    let again = home.run_with(&["accounts", "add", "codex", "--account", "plan"], &[], &auth.to_string());
    let said = "added to codex: plan; it replaces what was there of the same account\n";
    assert_eq!((again.code, again.err.contains(said)), (0, true), "{}", again.err);
    assert_eq!(
        names(&home),
        [
            "claude: answer needs_consent",
            "claude: file needs_consent",
            "claude: token needs_consent",
            "codex: plan ready"
        ]
    );
    // A copy of the file that is older than what byok has is spent where refresh tokens are used up.
    assert!(again.err.contains("this vendor uses refresh tokens up"), "{}", again.err);
    let jwt = |end: i64| {
        let mut parts: Vec<String> = codex.access_token.split('.').map(str::to_owned).collect();
        let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&parts[1]).unwrap()).unwrap();
        claims["exp"] = end.into();
        parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
        parts.join(".")
    };
    let older = json!({"tokens": {"id_token": codex.id_token, "access_token": jwt(1_700_000_000), "refresh_token": "spent"}});
    let kept = home.run_with(&["accounts", "add", "codex"], &[], &older.to_string());
    assert!(kept.code != 0 && kept.err.contains("it stays as it is"), "{}", kept.err);
    let list = home.run(&["accounts", "list"]);
    assert!(list.out.starts_with("PROVIDER"), "{}", list.out);
    assert!(list.out.contains("ada@example.org") || list.out.contains("plan"), "{}", list.out);
    // The time that is left may have become another minute.
    let columns = |out: &str| {
        out.lines().map(|line| line.split("  ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let alone = home.run(&["accounts"]);
    assert_eq!(columns(&alone.out), columns(&list.out), "`list` is what the command does by itself");

    let refused = [
        ("", 65, "neither a token nor JSON"),
        ("two words", 65, "neither a token nor JSON"),
        ("{\"access_token\":\"canary", 65, "neither a token nor JSON"),
        ("{}", 65, "neither a token nor JSON"),
    ];
    for (pasted, code, what) in refused {
        let output = home.run_with(&["accounts", "add", "claude"], &[], pasted);
        assert_eq!((output.code, output.err.contains(what)), (code, true), "{pasted}: {}", output.err);
        assert!(
            output.err.contains("hint: paste an access token") && !output.err.contains("canary"),
            "{}",
            output.err
        );
    }
    let other = token("eve@example.org");
    let same_name = home.run_with(&["accounts", "add", "claude", "--account", "token"], &[], &other);
    assert_ne!(same_name.code, 0, "a name is of one account");
    let unknown = home.run_with(&["accounts", "add", "nobody"], &[], "x");
    assert_eq!(
        (unknown.code, unknown.err.contains("there is no provider `nobody`")),
        (2, true),
        "{}",
        unknown.err
    );
    assert_eq!(names(&home).len(), 4);
}

#[test]
fn accounts_are_renamed_switched_off_and_forgotten() {
    let (home, vendor) = world();
    add(&home, "claude", "old", &tokens(&vendor, "ada"));
    let run = |args: &[&str]| {
        let output = home.run(&[&["accounts"], args].concat());
        (output.code, output.err)
    };
    assert_eq!(run(&["rename", "claude", "new"]), (0, "old is called new now\n".to_owned()));
    add(&home, "claude", "second", &tokens(&vendor, "bob"));
    let (code, said) = run(&["rename", "claude", "--account", "second", "new"]);
    assert!(code != 0 && said.contains("another account of this provider has that label"), "{said}");
    let (code, said) = run(&["rename", "claude", "--account", "second", " "]);
    assert_eq!((code, said.contains("one line of 1 to 64 characters")), (2, true), "{said}");
    let (code, said) = run(&["rename", "claude", "third"]);
    assert_eq!((code, said.contains("`claude` has several accounts")), (2, true), "{said}");

    assert_eq!(run(&["disable", "claude", "--account", "new"]).0, 0);
    assert_eq!(names(&home), ["claude: new disabled", "claude: second needs_consent"]);
    assert_eq!(run(&["enable", "claude", "--account", "new"]), (0, "new is in use again\n".to_owned()));
    assert_eq!(run(&["enable", "claude", "--account", "new"]), (0, "new is in use already\n".to_owned()));
    let (code, said) = run(&["claims", "claude", "--account", "new"]);
    assert_eq!((code, said.starts_with("no claim is made for new\n")), (0, true), "{said}");
    assert!(
        said.ends_with("`byok accounts claims claude --account new --accept claude-code-prompt` consents\n"),
        "{said}"
    );
    let (code, said) = run(&["claims", "claude", "--account", "new", "--revoke", "x"]);
    assert_eq!((code, said.contains("there is no consent to `x` for new")), (2, true), "{said}");

    let (code, said) = run(&["remove", "claude", "--account", "new"]);
    assert_eq!((code, &*said), (0, "new is forgotten; its grant at the provider is not ended by this\n"));
    assert_eq!(names(&home), ["claude: second needs_consent"]);
    assert_eq!(vendor.simulator.oauth_counts().revocations, 0, "nobody is told");
    let (code, said) = run(&["remove", "codex"]);
    assert_eq!((code, said.contains("there is no account of `codex`")), (77, true), "{said}");
}

#[test]
fn tokens_are_renewed_on_request() {
    let (home, vendor) = world();
    for name in ["home", "work"] {
        add(&home, "claude", name, &tokens(&vendor, name));
    }
    let one = home.run(&["accounts", "refresh", "claude", "--account", "work"]);
    assert_eq!((one.code, &*one.err), (0, "renewed: work (claude)\n"));
    assert_eq!(vendor.simulator.oauth_counts().refreshes, 1);

    let dead = vendor.simulator.grant_to("dead@example.org").access_token;
    let dead = json!({"access_token": dead, "refresh_token": "sk-ant-ort01-canary", "expires_in": 3600});
    add(&home, "claude", "dead", &dead.to_string());
    assert_eq!(home.run(&["accounts", "disable", "claude", "--account", "home"]).code, 0);
    let all = home.run(&["accounts", "refresh", "--all"]);
    assert_eq!(all.code, 77, "{}", all.err);
    assert!(
        all.err.contains("renewed: work (claude)\n"),
        "one that fails does not stop the others: {}",
        all.err
    );
    assert!(
        all.err.contains("warning: dead (claude): the login of claude does not work any more"),
        "{}",
        all.err
    );
    assert!(
        all.err.ends_with("error: not every login could be renewed\n\nhint: `byok status` says what helps\n"),
        "{}",
        all.err
    );
    assert!(!all.err.contains("canary"), "{}", all.err);
    assert!(!all.err.contains(" WARN ") && !all.err.contains(" ERROR "), "no line of the log: {}", all.err);
    assert_eq!(vendor.simulator.oauth_counts().refreshes, 2, "one that is switched off is left alone");
    assert_eq!(
        names(&home),
        ["claude: dead needs_login", "claude: home disabled", "claude: work needs_consent"]
    );
    // Once more: what needs its person is named again, and not asked again.
    let again = home.run(&["accounts", "refresh", "--all"]);
    assert_eq!(again.code, 77, "{}", again.err);
    assert!(
        again.err.contains("warning: dead (claude): the login of claude does not work any more"),
        "{}",
        again.err
    );
    assert_eq!(vendor.simulator.oauth_counts().refreshes, 3);
    // Where there are several, what helps one of them names it.
    let status = home.run(&["status"]).out;
    for command in ["`byok login claude --account dead`", "`byok accounts enable claude --account home`"] {
        assert!(status.contains(command), "{command}: {status}");
    }
    // A token that has ended is renewed once, and not refused for being new.
    let ended = vendor.simulator.grant_to("ended@example.org");
    let ended = json!({"claudeAiOauth": {"accessToken": ended.access_token, "refreshToken": ended.refresh_token, "expiresAt": 1}});
    add(&home, "claude", "ended", &ended.to_string());
    let one = home.run(&["accounts", "refresh", "claude", "--account", "ended"]);
    assert_eq!((one.code, &*one.err), (0, "renewed: ended (claude)\n"));
    assert_eq!(vendor.simulator.oauth_counts().refreshes, 4);
    let key = private(&home, "keys.yaml", b"gemini-api-key: [{api-key: AIzaX}]\n");
    assert_eq!(home.run(&["accounts", "import", &key]).code, 0);
    let list = home.run(&["accounts", "list"]).out;
    let row = list.lines().find(|row| row.starts_with("gemini")).unwrap();
    assert!(row.contains("  api key  ") && !row.contains("  login  "), "{list}");
    let key = home.run(&["accounts", "refresh", "gemini"]);
    assert_eq!((key.code, &*key.err), (0, "gemini (gemini) is a key, which is never renewed\n"));
    let none = home.run(&["accounts", "refresh"]);
    assert_eq!((none.code, none.err.contains("<PROVIDER>")), (2, true), "{}", none.err);
}

#[test]
fn a_copy_that_is_spent_takes_nobodys_place() {
    let (home, vendor) = world();
    let copy = tokens(&vendor, "ada");
    add(&home, "claude", "mine", &copy);
    let renew = || home.run(&["accounts", "refresh", "claude", "--account", "mine"]);
    assert_eq!(renew().code, 0);
    // What it says of its life counts from the paste: it seems to end later than what byok has.
    let mut later: Value = serde_json::from_str(&copy).unwrap();
    later["expires_in"] = 90_000.into();
    let kept = home.run_with(&["accounts", "add", "claude"], &[], &later.to_string());
    assert!(
        kept.code != 0
            && kept.err.contains("so the pasted tokens are renewed before they take its place")
            && kept.err.contains("byok has a login of this account that works (mine), and it stays as it is"),
        "{}",
        kept.err
    );
    assert!(kept.err.contains("`byok accounts remove claude --account mine`"), "{}", kept.err);
    let renewed = renew();
    assert_eq!(renewed.code, 0, "the login works as before: {}", renewed.err);
    // Nothing is tried where the name is another account's: the answer would be lost.
    let other = |name: &str, who: &str| add(&home, "claude", name, &tokens(&vendor, who));
    other("taken", "bob");
    let before = vendor.simulator.oauth_counts().refreshes;
    let fresh = tokens(&vendor, "ada").replace("\"expires_in\":", "\"expires_in\":9");
    let taken = home.run_with(&["accounts", "add", "claude", "--account", "taken"], &[], &fresh);
    assert!(
        taken.code != 0 && taken.err.contains("another account of this provider has that label"),
        "{}",
        taken.err
    );
    assert_eq!(vendor.simulator.oauth_counts().refreshes, before);
    // A login that is good does replace it, with what came of its renewal.
    let replaced = home.run_with(&["accounts", "add", "claude"], &[], &fresh);
    let said = "added to claude: mine; it replaces what was there of the same account\n";
    assert_eq!((replaced.code, replaced.err.contains(said)), (0, true), "{}", replaced.err);
    assert_eq!(vendor.simulator.oauth_counts().refreshes, before + 1);
    assert_eq!(renew().code, 0);
}

#[test]
fn a_token_that_nothing_renews_takes_the_place_of_no_login_that_is_renewed() {
    let (home, vendor) = world();
    let login = tokens(&vendor, "ada");
    add(&home, "claude", "mine", &login);
    let same: Value = serde_json::from_str(&login).unwrap();
    let other = vendor.simulator.grant_to("ada@example.org").access_token;
    for token in [same["access_token"].as_str().unwrap(), &other] {
        for args in [&["accounts", "add", "claude", "--account", "mine"][..], &["accounts", "add", "claude"]]
        {
            let kept = home.run_with(args, &[], token);
            let why = "the pasted token comes without a refresh token, so nothing renews it; byok has a login of this account \
                       that works (mine), and it stays as it is";
            assert_eq!((kept.code, kept.err.contains(why)), (77, true), "{args:?}: {}", kept.err);
            assert!(
                kept.err.contains("run `byok accounts remove claude --account mine` first"),
                "{}",
                kept.err
            );
        }
    }
    let renewed = home.run(&["accounts", "refresh", "claude", "--account", "mine"]);
    assert_eq!((renewed.code, &*renewed.err), (0, "renewed: mine (claude)\n"));
    // Where nothing renews the one that is there either, it is replaced.
    let alone = |who: &str| vendor.simulator.grant_to(who).access_token;
    add(&home, "claude", "alone", &alone("bob@example.org"));
    let again = home.run_with(&["accounts", "add", "claude"], &[], &alone("bob@example.org"));
    assert!(again.code == 0 && again.err.contains("added to claude: alone; it replaces"), "{}", again.err);
}

#[test]
fn a_renewal_that_failed_stands_in_the_status_until_it_works() {
    let (home, vendor) = world();
    add(&home, "claude", "work", &tokens(&vendor, "ada"));
    let works = std::fs::read_to_string(home.file("config.yaml")).unwrap();
    let token = format!("{}/v1/oauth/token\n", vendor.simulator.base_url());
    home.write_config(&works.replace(&token, "http://127.0.0.1:9/v1/oauth/token\n"));
    let failed = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!((failed.code, failed.err.contains("cannot be refreshed now")), (69, true), "{}", failed.err);
    let status = home.run(&["status"]).out;
    assert!(
        status.contains("work (claude), 0 s ago: ") || status.contains("work (claude), 1 s ago: "),
        "{status}"
    );
    assert!(
        status.contains("no connection to http://127.0.0.1:9")
            && status.contains("\n  byok tries again by itself"),
        "{status}"
    );
    let list: Value = serde_json::from_str(&home.run(&["accounts", "list", "--json"]).out).unwrap();
    assert!(list[0]["accounts"][0]["problem"]["what"].is_string(), "{list}");
    // A running byok says it, too.
    let mut byok = home.start(&["serve", "--port", "0"]);
    byok.base_url();
    assert!(home.run(&["status"]).out.contains("no connection to http://127.0.0.1:9"));
    drop(byok);
    home.write_config(&works);
    let renewed = home.run(&["accounts", "refresh", "claude"]);
    assert_eq!(renewed.code, 0, "{}", renewed.err);
    let status = home.run(&["status"]).out;
    assert!(!status.contains("no connection"), "{status}");
}

#[test]
fn settings_that_cannot_be_read_hide_no_account() {
    let (home, vendor) = world();
    add(&home, "claude", "work", &tokens(&vendor, "ada"));
    home.write_config("port: [broken\n");
    for arguments in [&["accounts", "list"][..], &["accounts"]] {
        let list = home.run(arguments);
        assert!(list.code == 0 && list.out.contains("ada@example.org"), "{}: {}", list.out, list.err);
        assert!(
            list.err.contains("config.yaml:") && list.err.contains("listed without them"),
            "{}",
            list.err
        );
    }
    assert_eq!(home.run(&["accounts", "disable", "claude"]).code, 78, "only a look goes without them");
}

#[test]
fn a_login_that_nothing_can_renew_says_when_it_ends() {
    let (home, vendor) = world();
    let mut pasted: Value = serde_json::from_str(&tokens(&vendor, "ada")).unwrap();
    pasted["expires_in"] = json!(7200);
    pasted.as_object_mut().unwrap().remove("refresh_token");
    let added = home.run_with(&["accounts", "add", "claude", "--account", "work"], &[], &pasted.to_string());
    let told = "the vendor has given nothing to renew this login with: it ends in ";
    let then = "Log in again then with `byok login claude --account work`";
    assert!(added.err.contains(told) && added.err.contains(then), "{}", added.err);
    let status = home.run(&["status"]).out;
    assert!(status.contains(told) && status.contains(" ends in "), "{status}");
    // One that is renewed does not end.
    add(&home, "claude", "home", &tokens(&vendor, "bob"));
    let list: Value = serde_json::from_str(&home.run(&["accounts", "list", "--json"]).out).unwrap();
    let ends: Vec<_> =
        list[0]["accounts"].as_array().unwrap().iter().map(|account| &account["ends"]).collect();
    assert!(ends.contains(&&json!(true)) && ends.contains(&&json!(false)), "{list}");
    // The short id that the table shows is a name, too.
    let id = list[0]["accounts"][0]["id"].as_str().unwrap();
    let list = home.run(&["accounts", "list"]).out;
    assert!(list.contains(&format!(" {} ", &id[..8])), "{list}");
    let off = home.run(&["accounts", "disable", "claude", "--account", &id[..8]]);
    assert_eq!(off.code, 0, "{}", off.err);
}

#[test]
fn an_export_is_sealed_and_comes_back() {
    let (home, vendor) = world();
    let none = home.run_with(&["accounts", "export", "x.age"], &[], "a long passphrase\n");
    assert_eq!((none.code, none.err.contains("there is no account to export")), (77, true), "{}", none.err);
    add(&home, "claude", "work", &tokens(&vendor, "ada"));
    add(&home, "gemini", "key", r#"{"access_token":"ya29.canary","refresh_token":"1//canary"}"#);

    let file = home.path().join("backup.age");
    let path = file.to_str().unwrap();
    let phrase = home.path().join("phrase");
    std::fs::write(&phrase, "correct horse battery\n").unwrap();
    let by_file = ["--passphrase-file", phrase.to_str().unwrap()];
    let short = home.run_with(&["accounts", "export", path], &[], "short\n");
    assert_eq!(
        (short.code, short.err.contains("at least 8 characters"), file.exists()),
        (2, true, false),
        "{}",
        short.err
    );
    let none = home.run_with(&["accounts", "export", path], &[], "");
    assert_eq!((none.code, none.err.contains("no passphrase was given")), (2, true), "{}", none.err);
    let export = home.run(&[&["accounts", "export", path], &by_file[..]].concat());
    assert_eq!(export.code, 0, "{}", export.err);
    assert!(
        export.err.contains("2 accounts are in HOME/backup.age")
            && export.err.contains("in one place at a time"),
        "{}",
        export.err
    );
    assert_eq!(exposed(&file), 0o600);
    let sealed = std::fs::read(&file).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("canary"));
    let twice = home.run(&[&["accounts", "export", path], &by_file[..]].concat());
    assert_eq!((twice.code, twice.err.contains("cannot be made")), (73, true), "{}", twice.err);
    assert!(twice.err.contains("hint: it is there already"), "{}", twice.err);
    let nowhere = home.path().join("none/backup.age");
    let nowhere = home.run(&[&["accounts", "export", nowhere.to_str().unwrap()], &by_file[..]].concat());
    assert_eq!(nowhere.code, 73, "{}", nowhere.err);
    assert!(
        nowhere.err.contains("hint: its folder is not there: make it with `mkdir -p "),
        "{}",
        nowhere.err
    );

    let other = Home::new();
    let planned = other.run(&[&["accounts", "import", path, "--dry-run"], &by_file[..]].concat());
    assert_eq!((planned.code, planned.err.lines().count()), (0, 2), "{}", planned.err);
    assert!(!other.file("").exists(), "nothing is made where nothing is to be changed");
    let import = other.run_with(&["accounts", "import", path], &[], "correct horse battery\n");
    assert_eq!(import.code, 0, "{}", import.err);
    assert!(
        import.err.contains("imported to claude: work\n") && import.err.contains("imported to gemini: key\n"),
        "{}",
        import.err
    );
    assert_eq!(names(&other), ["claude: work needs_consent", "gemini: key ready"]);

    let wrong = other.run_with(&["accounts", "import", path], &[], "another passphrase\n");
    assert_eq!(
        (wrong.code, wrong.err.contains("the passphrase is another one, or the file is damaged")),
        (65, true),
        "{}",
        wrong.err
    );
    let cut = private(&home, "cut.age", &sealed[..sealed.len() - 20]);
    let cut = other.run_with(&["accounts", "import", &cut], &[], "correct horse battery\n");
    assert_eq!((cut.code, cut.err.contains("cannot be opened")), (65, true), "{}", cut.err);
}

/// What its owner has switched off comes back switched off.
#[test]
fn an_export_keeps_the_switches() {
    let (home, vendor) = world();
    for name in ["home", "work"] {
        add(&home, "claude", name, &tokens(&vendor, name));
    }
    assert_eq!(home.run(&["accounts", "disable", "claude", "--account", "work"]).code, 0);
    let file = home.path().join("backup.age");
    let path = file.to_str().unwrap();
    let phrase = "a long passphrase\n";
    let export = home.run_with(&["accounts", "export", path], &[], phrase);
    assert_eq!(export.code, 0, "{}", export.err);
    let other = Home::new();
    let import = other.run_with(&["accounts", "import", path], &[], phrase);
    assert_eq!(import.code, 0, "{}", import.err);
    assert_eq!(names(&other), ["claude: home needs_consent", "claude: work disabled"]);
    assert_eq!(other.run(&["accounts", "enable", "claude", "--account", "work"]).code, 0);
    assert_eq!(names(&other), ["claude: home needs_consent", "claude: work needs_consent"]);
}

#[test]
fn logging_out_takes_the_grant_back_where_the_vendor_lets_byok() {
    let (home, vendor) = world();
    let codex = vendor.simulator.plan_grant(Plan::Codex, "ada@example.org");
    let codex = json!({"tokens": {"id_token": codex.id_token, "access_token": codex.access_token, "refresh_token": codex.refresh_token}});
    let google = vendor.simulator.google_grant(GoogleClient::Gemini);
    let google = json!({"access_token": google.access_token, "refresh_token": google.refresh_token});
    let revoked = || {
        let simulator = &vendor.simulator;
        let counts = (
            simulator.oauth_counts().revocations,
            simulator.plan_counts(Plan::Codex).revocations,
            simulator.google_counts().revocations,
        );
        [counts.0, counts.1, counts.2]
    };
    let rows = [
        ("claude", tokens(&vendor, "ada"), [1, 0, 0]),
        ("codex", codex.to_string(), [1, 1, 0]),
        ("gemini", google.to_string(), [1, 1, 1]),
    ];
    for (provider, pasted, counts) in rows {
        add(&home, provider, "mine", &pasted);
        let out = home.run(&["logout", provider]);
        assert_eq!((out.code, &*out.err), (0, &*format!("logged out of {provider}: mine\n")));
        assert_eq!(revoked(), counts, "{provider}");
    }
    // No call is known for these.
    let api = |token: &str| {
        json!({"access_token": token, "refresh_token": "r", "expires_in": 900, "scope": "", "token_type": "Bearer"}).to_string()
    };
    let grok = vendor.simulator.plan_grant(Plan::Xai, "ada@example.org").access_token;
    for (provider, token) in [("kimi", "t"), ("xai", &*grok), ("kiro", "t"), ("qwen", "t")] {
        add(&home, provider, "mine", &api(token));
        let out = home.run(&["logout", provider]);
        // A service that has ended has no page any more.
        let page = if provider == "qwen" { "" } else { "; its page of connected apps does" };
        let expected = format!(
            "{provider} gives programs no way to end a grant{page}\nlogged out of {provider}: mine\n"
        );
        assert_eq!((out.code, out.err), (0, expected));
    }
    // The words of a logout, and not of a login.
    let base = vendor.simulator.base_url();
    let url = format!("revoke: {base}/v1/oauth/token/revoke");
    let nobody = "revoke: http://127.0.0.1:1/";
    let nowhere = format!("revoke: {base}/nowhere");
    for (elsewhere, why) in [
        (&*nowhere, "it answered 404"),
        (nobody, "it could not be reached (no connection to http://127.0.0.1:1"),
    ] {
        home.write_config(&settings(&vendor).replacen(&url, elsewhere, 1));
        add(&home, "claude", "mine", &tokens(&vendor, "ada"));
        let out = home.run(&["logout", "claude"]);
        assert_eq!(out.code, 0, "{}", out.err);
        let told = format!("warning: claude could not be told that the login has ended: {why}");
        assert!(out.err.contains(&told), "{}", out.err);
        assert!(
            !out.err.contains("try again") && out.err.contains("logged out of claude: mine"),
            "{}",
            out.err
        );
    }
    home.write_config(&settings(&vendor));
    // A key is not ended by forgetting it.
    for name in ["home", "work"] {
        add(&home, "claude", name, &tokens(&vendor, name));
    }
    let all = home.run(&["logout", "claude", "--all"]);
    assert_eq!((all.code, all.err.lines().count()), (0, 2), "{}", all.err);
    assert_eq!(revoked(), [3, 1, 1]);
    let none = home.run(&["logout", "claude", "--all"]);
    assert_eq!((none.code, none.err.contains("there is no account of `claude`")), (77, true), "{}", none.err);
    assert_eq!(names(&home), Vec::<String>::new());
}
