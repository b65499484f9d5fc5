//! Whose a login is that was pasted or taken over, and what is said before it is stored.

use crate::{
    login::log_in_by_paste,
    support::{Home, Output, Vendor, private},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The accounts of Claude: label and e-mail address.
fn claude(home: &Home) -> Vec<(String, String)> {
    let list: Value = serde_json::from_str(&home.run(&["accounts", "list", "--json"]).out).unwrap();
    let accounts =
        list.as_array().unwrap().iter().flat_map(|provider| provider["accounts"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut known: Vec<_> =
        accounts.map(|account| (text(&account["label"]), text(&account["email"]))).collect();
    known.sort();
    known
}

fn pair(label: &str, email: &str) -> (String, String) {
    (label.to_owned(), email.to_owned())
}

fn add(home: &Home, args: &[&str], pasted: &str) -> Output {
    home.run_with(&[&["accounts", "add"], args].concat(), &[], pasted)
}

/// The file of Claude Code, which does not say whose login it is.
fn claude_code(vendor: &Vendor, email: &str) -> String {
    let grant = vendor.simulator.grant_to(email);
    json!({"claudeAiOauth": {"accessToken": grant.access_token, "refreshToken": grant.refresh_token, "expiresAt": 4_000_000_000_000_u64}})
        .to_string()
}

#[test]
fn a_login_that_was_pasted_or_taken_over_is_the_persons_own() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let alone = vendor.simulator.grant_to("ada@example.org").access_token;
    let added = add(&home, &["claude"], &alone);
    assert_eq!(
        (added.code, claude(&home)),
        (0, vec![pair("ada@example.org", "ada@example.org")]),
        "{}",
        added.err
    );
    let file = private(&home, "kept.json", claude_code(&vendor, "bob@example.org").as_bytes());
    let taken = home.run(&["login", "claude", &format!("--import={file}")]);
    assert!(taken.err.contains("logged in to claude as bob@example.org, plan max 5x"), "{}", taken.err);
    let both = vec![pair("ada@example.org", "ada@example.org"), pair("bob@example.org", "bob@example.org")];
    assert_eq!(claude(&home), both);
    // A second plan of one vendor is pointed out, as by a login.
    let third = add(&home, &["claude"], &vendor.simulator.grant_to("eve@example.org").access_token);
    assert!(third.err.contains("byok is logged in to claude with another account, too"), "{}", third.err);
    assert_eq!(home.run(&["accounts", "remove", "claude", "--account", "eve@example.org"]).code, 0);
    // The same persons in the browser: nobody is added.
    for email in ["ada@example.org", "bob@example.org"] {
        log_in_by_paste(&home, &vendor, email, &[]);
    }
    assert_eq!(claude(&home), both);
}

/// A token with these claims, which nobody has signed.
fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({"alg": "none"})), part(claims))
}

#[test]
fn a_pasted_answer_says_whose_it_is_in_its_vendors_own_way() {
    let home = Home::new();
    let auth = |name: &str, value: &str| json!({"https://api.openai.com/auth": {name: value}, "email": "ada@example.org"});
    let cases = [
        ("xai", json!({"principal_type": "User"}), json!({"sub": "ada", "email": "ada@example.org"})),
        ("codex", auth("chatgpt_account_id", "space"), auth("chatgpt_user_id", "ada")),
    ];
    for (provider, mut access, id) in cases {
        for (number, said) in ["", "; it replaces what was there of the same account"].into_iter().enumerate()
        {
            access["jti"] = number.into();
            access["exp"] = 4_000_000_000_u64.into();
            let pasted =
                json!({"access_token": jwt(&access), "id_token": jwt(&id), "expires_in": 9000 + number});
            let added = add(&home, &[provider], &pasted.to_string());
            let told = format!("added to {provider}: ada@example.org{said}\n");
            assert!(added.code == 0 && added.err.contains(&told), "{provider}: {}", added.err);
        }
    }
    // Another person of the same workspace is another account.
    let pasted = json!({"access_token": jwt(&auth("chatgpt_account_id", "space")), "id_token": jwt(&auth("chatgpt_user_id", "bob"))});
    let other = add(&home, &["codex", "--account", "bob"], &pasted.to_string());
    assert!(other.code == 0 && other.err.contains("added to codex: bob\n"), "{}", other.err);
}

#[test]
fn one_login_is_never_two_accounts() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let (there, base) = (vendor.config(), vendor.simulator.base_url());
    home.write_config(&there.replace(&format!("{base}/api/oauth/profile"), "http://127.0.0.1:1/profile"));
    let nameless = format!("sk-ant-oat01-{}", "x".repeat(40));
    assert_eq!(add(&home, &["claude", "--account", "work"], &nameless).code, 0);
    home.write_config(&there);
    let file = private(&home, "kept.json", claude_code(&vendor, "ada@example.org").as_bytes());
    let import = format!("--import={file}");
    assert_eq!(home.run(&["login", "claude", &import]).code, 0);
    let second = home.run(&["login", "claude", &import, "--take-over", "--account", "work"]);
    assert_eq!(second.code, 77, "{}", second.err);
    for told in
        ["is that of `ada@example.org` already", "byok accounts remove claude --account ada@example.org"]
    {
        assert!(second.err.contains(told), "{}", second.err);
    }
    let own = home.run(&["login", "claude", &import, "--take-over", "--account", "ada@example.org"]);
    assert_eq!(own.code, 0, "{}", own.err);
    assert_eq!(claude(&home), [pair("ada@example.org", "ada@example.org"), pair("work", "")]);
}

#[test]
fn who_it_is_may_be_known_later() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let (there, base) = (vendor.config(), vendor.simulator.base_url());
    let away = there.replace(&format!("{base}/api/oauth/profile"), "http://127.0.0.1:1/profile");
    home.write_config(&away);
    let grant = vendor.simulator.grant_to("ada@example.org");
    let added = add(&home, &["claude", "--account", "mine"], &grant.access_token);
    assert_eq!((added.code, claude(&home)), (0, vec![pair("mine", "")]), "{}", added.err);
    assert!(
        added.err.contains("the vendor has not confirmed this token: it cannot be reached now"),
        "{}",
        added.err
    );
    // The next login asks first.
    home.write_config(&there);
    let said = log_in_by_paste(&home, &vendor, "ada@example.org", &[]);
    assert!(said.contains("logged in to claude as mine (ada@example.org, plan max 5x)"), "{said}");
    assert_eq!(claude(&home), [pair("mine", "ada@example.org")]);
}

#[test]
fn what_is_said_before_a_login_is_added() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let base = vendor.simulator.base_url();
    home.write_config(&format!(
        "{}  vertex: {{ urls: {{ token: '{base}/google/token' }} }}\n",
        vendor.config()
    ));
    let token = vendor.simulator.grant_to("ada@example.org").access_token;
    let added = add(&home, &["claude"], &token);
    let rule = added.err.find("Anthropic's published rules").expect("the rule is told");
    assert!(rule < added.err.find("added to claude").unwrap(), "{}", added.err);
    assert!(added.err.contains("byok does not send it"), "nothing is assumed: {}", added.err);
    let again = add(&home, &["claude", "--accept-claim", "claude-code-prompt"], &token);
    assert!(again.err.contains("byok sends the claim `claude-code-prompt`"), "{}", again.err);
    assert_eq!(home.run(&["accounts", "claims", "claude"]).out, "claude-code-prompt\n");
    let unknown = add(&home, &["claude", "--accept-claim", "x"], &token);
    assert_eq!((unknown.code, unknown.err.contains("claude has no claim `x`")), (2, true), "{}", unknown.err);
    let ended = add(&home, &["qwen"], "a-token");
    assert!(ended.err.contains("Alibaba ended the free Qwen service"), "{}", ended.err);
    // Vertex has files, not tokens.
    let robot = vendor.simulator.service_account("proj-1").unwrap().json;
    let robot = add(&home, &["vertex"], &robot);
    assert_eq!((robot.code, robot.err.contains("added to vertex: ")), (0, true), "{}", robot.err);
    assert!(!robot.err.contains("has not confirmed"), "its key has bought a token: {}", robot.err);
}

#[test]
fn what_is_no_token_is_not_added() {
    let home = Home::new();
    let cases = [
        ("claude", "sk-ant-api03-canary".to_owned(), "`byok login claude --method key`"),
        ("claude", "canary".to_owned(), "begins with `sk-ant-oat`"),
        ("claude", r#"{"access_token":"canary"}"#.to_owned(), "begins with `sk-ant-oat`"),
        ("claude", "sk-ant-oat01-can\u{7}ary".to_owned(), "neither a token nor JSON"),
        ("claude", "[]".to_owned(), "begins with `sk-ant-oat`"),
        ("codex", "sk-canary".to_owned(), "`byok login codex --method key`"),
        ("codex", "canary".to_owned(), "a JWT that names a workspace"),
        ("codex", "e30.e30.e30".to_owned(), "a JWT that names a workspace"),
        ("copilot", "ghp_canary".to_owned(), "`gho_`, `ghu_` or `github_pat_`"),
        ("gemini", "AIzacanary".to_owned(), "`byok login gemini --method key`"),
        ("kiro", "ksk_canary".to_owned(), "`byok login kiro --method key`"),
        ("kimi", "sk-kimi-canary".to_owned(), "`byok login kimi --method key`"),
        ("xai", "canary".to_owned(), "is a JWT"),
        ("vertex", "ya29.canary".to_owned(), "the key file of a service account"),
        ("vertex", r#"{"access_token":"canary"}"#.to_owned(), "is not `service_account`"),
    ];
    for (provider, pasted, why) in cases {
        let output = add(&home, &[provider], &pasted);
        assert_eq!(
            (output.code, output.err.contains(why)),
            (65, true),
            "{provider} {pasted}: {}",
            output.err
        );
        assert!(!output.err.contains("canary"), "{}", output.err);
        assert!(output.err.contains("\nhint: "), "{}", output.err);
    }
    assert_eq!(home.run(&["accounts", "list", "--json"]).out.trim(), "[]");
}

#[test]
fn what_is_another_vendors_is_sent_to_nobody() {
    let home = Home::new();
    let kimi = json!({"access_token": "canary", "refresh_token": "canary", "expires_at": 4_000_000_000_u64, "scope": "kimi-code", "token_type": "Bearer"});
    let far = 4_000_000_000_000_u64;
    let qwen = json!({"access_token": "canary", "refresh_token": "canary", "token_type": "Bearer", "resource_url": "portal.qwen.ai", "expiry_date": far});
    let iflow = json!({"access_token": "canary", "refresh_token": "canary", "token_type": "Bearer", "apiKey": "sk-canary", "userId": "1", "expiry_date": far});
    let claims = URL_SAFE_NO_PAD.encode(json!({"iss": "https://auth.x.ai"}).to_string());
    let xai = json!({"access_token": format!("e30.{claims}.canary"), "refresh_token": "canary", "expires_in": 3600});
    let google = json!({"access_token": "ya29.canary", "refresh_token": "1//canary", "token_type": "Bearer", "expiry_date": far});
    let [kimi, qwen, iflow, xai, google] = [kimi, qwen, iflow, xai, google].map(|file| file.to_string());
    let refused = |output: Output, provider: &str, whose: &str| {
        let said = format!("which is not sent to {provider}");
        let told = output.err.contains(whose) && output.err.contains(&said) && !output.err.contains("canary");
        assert_eq!((output.code, told), (65, true), "{provider}: {}", output.err);
    };
    for (pasted, whose, providers) in [
        ("ya29.canary", "of Google", &["kimi", "iflow", "qwen", "kiro"][..]),
        ("aoacanary", "of Kiro", &["kimi", "qwen", "gemini", "iflow"]),
        ("aorcanary", "of Kiro", &["kimi", "antigravity"]),
        (&kimi, "Kimi Code", &["kiro", "iflow", "xai", "gemini"]),
        (&google, "of Google", &["kimi", "qwen"]),
        (&xai, "of xAI", &["kimi", "codex"]),
    ] {
        for provider in providers {
            refused(add(&home, &[provider], pasted), provider, whose);
        }
    }
    for (content, whose, providers) in [
        (&kimi, "Kimi Code", &["gemini", "antigravity"][..]),
        (&qwen, "Qwen Code", &["gemini", "antigravity", "kimi"]),
        (&iflow, "iFlow CLI", &["gemini", "antigravity", "qwen"]),
        (&xai, "of xAI", &["gemini", "antigravity", "kimi"]),
        (&google, "of Google", &["kimi", "qwen"]),
    ] {
        let file = private(&home, "kept.json", content.as_bytes());
        for provider in providers {
            refused(home.run(&["login", provider, &format!("--import={file}")]), provider, whose);
        }
    }
    let token = home.run_with(&["login", "kiro", "--method", "token"], &[], "1//canary\n");
    refused(token, "kiro", "of Google");
    assert_eq!(home.run(&["accounts", "list", "--json"]).out.trim(), "[]");
}

#[test]
fn a_name_is_a_label_before_it_is_an_address() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let token = |email: &str| vendor.simulator.grant_to(email).access_token;
    add(&home, &["claude", "--account", "work"], &token("ada@example.org"));
    add(&home, &["claude", "--account", "ada@example.org"], &token("bob@example.org"));
    let off = home.run(&["accounts", "disable", "claude", "--account", "ada@example.org"]);
    assert!(off.err.starts_with("ada@example.org is not used any more"), "{}", off.err);
    let off = home.run(&["accounts", "disable", "claude", "--account", "wo"]);
    assert!(off.err.starts_with("work is not used any more"), "{}", off.err);
    // A login of a new account may be called as others begin.
    log_in_by_paste(&home, &vendor, "eve@example.org", &["--account", "wo"]);
    assert_eq!(claude(&home).len(), 3);
    add(&home, &["claude", "--account", "wolf"], &token("wolf@example.org"));
    let several = home.run(&["logout", "claude", "--account", "w"]);
    assert_eq!(several.code, 2);
    assert!(
        several.err.starts_with(
            "error: several accounts of `claude` could be `w`\n\nhint: name one with `--account`: "
        ),
        "{}",
        several.err
    );
    assert!(!several.err.contains("ada@example.org"), "only those that could be meant: {}", several.err);
}

/// Settings whose vendors are asked at the simulator whose a login is.
fn who(vendor: &Vendor) -> String {
    let base = vendor.simulator.base_url();
    let at =
        |name: &str, what: &str, path: &str| format!("  {name}: {{ urls: {{ {what}: '{base}{path}' }} }}\n");
    [
        vendor.config(),
        at("kimi", "profile", "/kimi/coding/v1/me"),
        at("codex", "usage", "/backend-api/wham/usage"),
        at("copilot", "profile", "/github/user"),
        at("kiro", "usage", "/kiro/management/getUsageLimits"),
        at("iflow", "profile", "/iflow/api/oauth/getUserInfo"),
        at("gemini", "profile", "/google/userinfo"),
        at("antigravity", "profile", "/google/userinfo"),
    ]
    .concat()
}

/// A token of a plan that says whose it is, and that nobody has issued.
const NOBODYS_JWT: &str =
    "e30.eyJodHRwczovL2FwaS5vcGVuYWkuY29tL2F1dGgiOnsiY2hhdGdwdF9hY2NvdW50X2lkIjoiYWNjLTEifX0.e30";

#[test]
fn what_the_vendor_refuses_is_not_stored() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&who(&vendor));
    let nobody = r#"{"access_token":"nobodys-canary"}"#;
    let pasted = [
        ("claude", "sk-ant-oat01-canary"),
        ("kimi", nobody),
        ("codex", NOBODYS_JWT),
        ("copilot", "gho_canary"),
        ("kiro", nobody),
        ("iflow", nobody),
        ("gemini", r#"{"access_token":"ya29.canary"}"#),
        ("antigravity", r#"{"access_token":"ya29.canary"}"#),
    ];
    for (provider, pasted) in pasted {
        let refused = add(&home, &[provider], pasted);
        assert_eq!(
            (refused.code, refused.err.contains("not accept this token (")),
            (65, true),
            "{provider}: {}",
            refused.err
        );
        assert!(
            refused.err.contains("hint: ") && !refused.err.contains("canary"),
            "{provider}: {}",
            refused.err
        );
    }
    let editor = json!({"github.com:Iv1.x": {"user": "ada", "oauth_token": "ghu_canary"}}).to_string();
    let editor = private(&home, "apps.json", editor.as_bytes());
    let code = json!({"claudeAiOauth": {"accessToken": "sk-ant-oat01-canary", "refreshToken": "r", "expiresAt": 4_000_000_000_000_u64}});
    let code = private(&home, ".claude/.credentials.json", code.to_string().as_bytes());
    let record = json!({"type": "claude", "access_token": "sk-ant-oat01-canary", "refresh_token": "r", "expires_at": 4_000_000_000_u64});
    let record = private(&home, "claude-ada.json", record.to_string().as_bytes());
    let ways: [&[&str]; 4] = [
        &["login", "copilot", "--import", &editor],
        &["login", "claude", "--import", &code],
        &["accounts", "import", "--take-over", &record],
        &["accounts", "scan", "--auto"],
    ];
    for args in ways {
        let refused = home.run(args);
        assert!(refused.err.contains("not accept this token ("), "{args:?}: {}", refused.err);
        assert!(!refused.err.contains("canary"), "{args:?}: {}", refused.err);
    }
    assert_eq!(home.run(&["accounts", "list", "--json"]).out.trim(), "[]");
}

#[test]
fn an_end_that_nobody_has_said_is_not_shown() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&who(&vendor).replace("/kimi/coding/v1/me", "/nowhere"));
    let added = add(&home, &["kimi"], r#"{"access_token":"t"}"#);
    let said = "the vendor has not confirmed this token";
    assert_eq!((added.code, added.err.contains(said)), (0, true), "{}", added.err);
    let status = home.run(&["status"]).out;
    assert!(status.contains("kimi") && !status.contains(" left"), "{status}");
}

/// A vendor that answers when so many have asked, and not before.
fn answers_all_at_once(askers: usize) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut asked: Vec<_> = listener
            .incoming()
            .flatten()
            .take(askers)
            .map(|mut asker| {
                let _ = asker.read(&mut [0; 4096]);
                asker
            })
            .collect();
        for asker in &mut asked {
            let _ = asker
                .write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    format!("http://{address}")
}

#[test]
fn vendors_are_asked_at_the_same_time() {
    let home = Home::new();
    let vendor = answers_all_at_once(3);
    home.write_config(&format!("providers: {{ claude: {{ urls: {{ profile: '{vendor}' }} }} }}"));
    let token = |name: &str| json!({"accessToken": format!("sk-ant-oat01-{name}"), "refreshToken": name, "expiresAt": 4_000_000_000_000_u64});
    private(&home, ".claude/.credentials.json", json!({"claudeAiOauth": token("a")}).to_string().as_bytes());
    for name in ["b", "c"] {
        let record = json!({"type": "claude", "access_token": format!("sk-ant-oat01-{name}"), "refresh_token": name, "expires_at": 4_000_000_000_u64});
        private(&home, &format!(".cli-proxy-api/{name}.json"), record.to_string().as_bytes());
    }
    let scanned = home.run(&["accounts", "scan", "--auto"]);
    assert_eq!(scanned.err.matches("not accept this token (401)").count(), 3, "{}", scanned.err);
}
