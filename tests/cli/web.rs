//! Logins by a link: pages of the running byok, and of `byok login --remote`.

use crate::support::{Home, Running, Vendor, client};
use reqwest::{Method, header, redirect::Policy};
use serde_json::{Value, json};
use std::{net::TcpListener, time::Instant};

/// A browser that keeps the cookie of one login and follows no redirect by itself.
struct Browser<'v> {
    vendor: &'v Vendor,
    base: String,
    client: reqwest::Client,
    cookie: Option<String>,
}

struct Seen {
    status: u16,
    headers: header::HeaderMap,
    text: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl<'v> Browser<'v> {
    fn new(vendor: &'v Vendor, base: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { vendor, base: base.to_owned(), client, cookie: None }
    }

    fn send(&self, method: Method, path: &str, more: &[(&str, &str)], body: Option<(&str, String)>) -> Seen {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        self.vendor.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Seen { status, headers, text: answer.text().await.unwrap() }
        })
    }

    fn get(&self, path: &str) -> Seen {
        self.send(Method::GET, path, &[("accept", "text/html")], None)
    }

    /// Sends a form as a page of byok does.
    fn form(&self, path: &str, form: &str) -> Seen {
        let more =
            [("accept", "text/html"), ("origin", self.base.as_str()), ("sec-fetch-site", "same-origin")];
        let kind = "application/x-www-form-urlencoded";
        self.send(Method::POST, path, &more, Some((kind, form.to_owned())))
    }

    fn state(&self, path: &str) -> Value {
        self.send(Method::GET, path, &[("accept", "application/json")], None).json()
    }

    /// Trades the token of a link for a session.
    fn open(&mut self, path: &str, token: &str) {
        let opened = self.form(path, &format!("token={token}"));
        assert_eq!((opened.status, opened.header("location")), (303, path), "{}", opened.text);
        let cookie = opened.header("set-cookie");
        assert!(
            cookie.contains("HttpOnly; SameSite=Strict") && cookie.contains("Path=/v0/oauth/"),
            "{cookie}"
        );
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    }

    /// Waits for a stage.
    fn becomes(&self, path: &str, wanted: &str) -> Value {
        let begun = Instant::now();
        loop {
            let state = self.state(path);
            if state["state"] == wanted {
                return state;
            }
            assert!(begun.elapsed().as_secs() < 60, "{wanted}: {state}");
        }
    }
}

/// The link that a command has printed: page, and token.
fn link(byok: &mut Running) -> (String, String, String) {
    let line = byok.line("/v0/oauth/");
    let (page, token) = line.trim().split_once('#').unwrap();
    let at = page.find("/v0/").unwrap();
    (page[..at].to_owned(), page[at..].to_owned(), token.to_owned())
}

fn token(home: &Home, args: &[&str]) -> String {
    let (.., token) = link(&mut home.start(&[&["login"], args, &["--web", "--no-browser"]].concat()));
    token
}

fn unescaped_link(page: &str) -> String {
    let (_, rest) = page.split_once("<a href=\"").unwrap();
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

const CLAUDE: &str = "/v0/oauth/claude";

#[test]
fn a_login_on_a_page_of_the_running_byok() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let none = home.run(&["login", "claude", "--web"]);
    assert_eq!(none.code, 69, "{}", none.err);
    assert!(
        none.err.starts_with("error: no byok is running here") && none.err.contains("`byok serve`"),
        "{}",
        none.err
    );

    let mut server = home.start(&["serve", "--port", "0"]);
    let mut browser = Browser::new(&vendor, &server.base_url());
    let token = token(&home, &["claude", "--account", "work"]);
    assert!(token.len() >= 43, "256 bits: {token}");

    // Without a token the page only asks for one, and nothing of it comes from elsewhere.
    assert_eq!(browser.get("/v0/oauth").status, 401);
    let page = browser.get(CLAUDE);
    assert_eq!(page.status, 401);
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "same-origin"));
    assert!(
        !page.text.contains("src=") && !page.text.contains("http://") && !page.text.contains("https://"),
        "{}",
        page.text
    );
    assert_eq!(browser.get(&format!("{CLAUDE}?token={token}")).status, 200, "to look uses nothing up");

    for (path, form, status, says) in [
        (CLAUDE, "token=wrong".to_owned(), 403, "This link does not hold"),
        (CLAUDE, String::new(), 403, "This link does not hold"),
        ("/v0/oauth/codex", format!("token={token}"), 403, "This link does not hold"),
        ("/v0/oauth/nobody", format!("token={token}"), 404, "No such provider"),
        ("/v0/oauth/vertex", format!("token={token}"), 404, "byok login vertex"),
        ("/v0/oauth/claude/start", "method=browser".to_owned(), 401, "No login is under way"),
        ("/v0/oauth/claude/code", "code=x".to_owned(), 401, "No login is under way"),
    ] {
        let seen = browser.form(path, &form);
        assert_eq!(seen.status, status, "{path}: {}", seen.text);
        assert!(seen.text.contains(says) && seen.header("set-cookie").is_empty(), "{path}: {}", seen.text);
    }

    browser.open(CLAUDE, &token);
    assert_eq!(browser.form(CLAUDE, &format!("token={token}")).status, 403, "a token is good once");
    let page = browser.get(CLAUDE);
    assert_eq!(page.status, 200);
    for part in [
        "Anthropic&#39;s published rules",
        "You are Claude Code, Anthropic&#39;s official CLI for Claude.",
        "name=\"claim\" value=\"claude-code-prompt\">",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let started = browser.form(&format!("{CLAUDE}/start"), "method=browser&claim=claude-code-prompt");
    assert_eq!((started.status, started.header("location")), (303, CLAUDE));
    let page = browser.get(CLAUDE);
    let at_vendor = unescaped_link(&page.text);
    assert!(at_vendor.contains("/cai/oauth/authorize?"), "{at_vendor}");

    // The browser comes back to this machine.
    assert!(vendor.browse(&at_vendor).contains("Almost there"));
    let state = browser.becomes(CLAUDE, "done");
    assert_eq!(state["account"], "work");
    assert_eq!(state["claims"], json!(["claude-code-prompt"]));
    let page = browser.get(CLAUDE);
    assert!(page.text.contains("<strong>work</strong> (ada@example.org, plan max 5x)"), "{}", page.text);
    assert!(!page.text.contains("<script"), "the last page has nothing to do");

    // It is used at once, and nothing of it stands in the log.
    let done = Instant::now();
    while !home.run(&["status", "--json"]).out.contains("\"work\"") {
        assert!(done.elapsed().as_secs() < 20);
    }
    server.signal(rustix::process::Signal::TERM);
    let (_, log) = server.end();
    assert!(!log.contains(&token) && log.contains("a login was made through the page"), "{log}");
    assert!(!log.contains("/v0/oauth"), "a link is printed on terminals only: {log}");
}

#[test]
fn the_demo_leads_through_a_simulated_login() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let mut demo = home.start(&["demo", "--port", "0"]);
    let (base, path, token) = link(&mut demo);
    let mut browser = Browser::new(&vendor, &base);
    browser.open(&path, &token);
    browser.form(&format!("{path}/start"), "method=browser&claim=claude-code-prompt");
    let at_vendor = unescaped_link(&browser.get(&path).text);
    assert!(at_vendor.starts_with("http://127.0.0.1:"), "nobody is contacted: {at_vendor}");
    assert!(vendor.browse(&at_vendor).contains("Almost there"));
    assert_eq!(browser.becomes(&path, "done")["account"], "ada@example.org");
}

#[test]
fn whoever_tries_tokens_has_to_wait_and_nobody_else() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(
        "limits: { wrong_keys_per_minute: 3 }
",
    );
    let mut server = home.start(&["serve", "--port", "0"]);
    let browser = Browser::new(&vendor, &server.base_url());
    let token = token(&home, &["claude"]);
    let tries: Vec<_> = (0..5).map(|_| browser.form(CLAUDE, "token=wrong").status).collect();
    assert_eq!(tries, [403, 403, 403, 429, 429]);
    assert_eq!(browser.get(&format!("{CLAUDE}?token=wrong")).status, 429);
    // Others of the machine keep nobody out who holds a right one.
    assert_eq!(browser.get(&format!("{CLAUDE}?token={token}")).status, 200);
    assert!(matches!(browser.form(CLAUDE, &format!("token={token}")).status, 200 | 303));
}

#[test]
fn a_link_is_for_the_browser_and_not_for_the_list_of_programs() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let _server = {
        let mut server = home.start(&["serve", "--port", "0"]);
        server.base_url();
        server
    };
    let (browser, opened) = (home.path().join("browser"), home.path().join("opened"));
    let script = format!("#!/bin/sh\nprintf %s \"$1\" > {0}.new && mv {0}.new {0}\n", opened.display());
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let env = [("BROWSER", browser.to_str().unwrap()), ("PATH", "/usr/bin:/bin")];
    let mut byok = home.start_with(&["login", "claude", "--web"], &env);
    let (base, path, token) = link(&mut byok);
    assert_eq!(byok.end().0.code(), Some(0));
    let seen = std::iter::repeat_with(|| std::fs::read_to_string(&opened)).take(100_000).find_map(Result::ok);
    let seen = seen.expect("the browser was opened");
    assert!(!seen.contains(&token), "arguments can be read by everybody: {seen}");
    let file = std::fs::read_to_string(seen.strip_prefix("file://").unwrap()).unwrap();
    assert!(file.contains(&format!("{base}{path}#{token}")), "{file}");
}

#[test]
fn a_program_leads_through_a_login_in_json() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let base = vendor.simulator.base_url();
    let auth = format!("{base}/openai-auth");
    home.write_config(&format!(
        "providers:\n  codex:\n    urls: {{ authorize: '{auth}/oauth/authorize', token: '{auth}/oauth/token', revoke: \
         '{auth}/oauth/revoke', device: '{auth}/api/accounts/deviceauth/usercode', verify: '{auth}/codex/device', \
         inference: '{base}/backend-api/codex' }}\n"
    ));
    let mut server = home.start(&["serve", "--port", "0"]);
    let browser = Browser::new(&vendor, &server.base_url());
    let path = "/v0/oauth/codex";
    let json = ("accept", "application/json");
    let post = |path: &str, key: Option<&str>, body: Value| {
        let bearer = format!("Bearer {}", key.unwrap_or_default());
        let headers = if key.is_some() { vec![json, ("authorization", bearer.as_str())] } else { vec![json] };
        browser.send(Method::POST, path, &headers, Some(("application/json", body.to_string())))
    };
    let look = |key: &str| {
        browser.send(Method::GET, path, &[json, ("authorization", &format!("Bearer {key}"))], None)
    };

    let seen = browser.send(Method::GET, path, &[json], None);
    assert_eq!((seen.status, seen.json()["error"]["code"].as_str()), (401, Some("token_required")));
    let token = token(&home, &["codex"]);
    let offer = look(&token).json();
    let methods: Vec<_> = offer["methods"].as_array().unwrap().iter().map(|m| m["name"].clone()).collect();
    assert_eq!(methods, ["browser", "device"], "keys belong on no page");
    let opened = post(path, None, json!({"token": token})).json();
    assert_eq!(opened["state"], "asking");
    let key = opened["session"].as_str().unwrap().to_owned();
    let stranger = Browser::new(&vendor, &browser.base);
    assert_eq!(stranger.send(Method::GET, path, &[json], None).status, 401);

    let wrong = post(&format!("{path}/start"), Some(&key), json!({"method": "key"})).json();
    assert_eq!(
        (&wrong["state"], &wrong["problem"]),
        (&json!("asking"), &json!("choose how to log in to codex: browser, device"))
    );
    assert_eq!(post(&format!("{path}/start"), Some(&key), json!([1])).status, 415);
    let started = post(&format!("{path}/start"), Some(&key), json!({"method": "device"})).json();
    assert_eq!(started["state"], "device", "{started}");
    assert!(started["user_code"].as_str().unwrap().starts_with("SIM-"), "{started}");
    assert!(started["expires_in"].as_u64().unwrap() > 0, "{started}");
    let begun = Instant::now();
    let done = loop {
        let state = look(&key).json();
        if state["state"] == "done" {
            break state;
        }
        assert!(begun.elapsed().as_secs() < 60 && state["state"] == "device", "{state}");
    };
    assert_eq!(done["email"], "ada@example.org");
}

#[test]
fn another_machine_logs_in_at_a_page_of_the_command() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let mut byok = home.start(&["login", "claude", "--remote", "--host", "localhost"]);
    let (base, path, token) = link(&mut byok);
    let mut browser = Browser::new(&vendor, &base);
    assert_eq!(browser.get("/v1/models").status, 404, "nothing but the page is served");
    assert_eq!(browser.get("/v0/oauth/claude").status, 401);
    browser.open(&path, &token);
    browser.form(&format!("{path}/start"), "method=browser");
    let page = browser.get(&path);
    let at_vendor = unescaped_link(&page.text);
    // The browser of another machine cannot come back to this one: what the vendor shows is pasted.
    assert!(!at_vendor.contains("redirect_uri=http%3A%2F%2Flocalhost"), "{at_vendor}");
    let shown = vendor.browse(&at_vendor);
    let code = shown.split('#').next().unwrap();
    for wrong in [format!("{code}%23of-another-login"), "two+words".to_owned(), String::new()] {
        browser.form(&format!("{path}/code"), &format!("code={wrong}"));
        let state = browser.state(&path);
        assert_eq!(state["state"], "browser", "{wrong}: {state}");
        assert!(state["problem"].is_string(), "{wrong}: {state}");
    }
    let answer = browser.form(&format!("{path}/code"), &format!("code={}", shown.replace('#', "%23")));
    assert_eq!(answer.status, 303);
    assert_eq!(browser.becomes(&path, "done")["email"], "ada@example.org");
    assert_eq!(vendor.runtime.block_on(async { client().get(&base).send().await.unwrap().status() }), 404);
    let (status, said) = byok.end();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.contains("logged in to claude as ada@example.org, plan max 5x"), "{said}");
    assert!(home.run(&["status", "--json"]).out.contains("ada@example.org"));
}

#[test]
fn another_machine_logs_in_at_a_server_that_it_reaches() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&format!("host: 0.0.0.0\n{}", vendor.config()));
    let mut server = home.start(&["serve", "--port", "0"]);
    let listens = server.base_url();
    let mut byok = home.start(&["login", "claude", "--remote", "--host", "localhost"]);
    let (base, path, token) = link(&mut byok);
    assert_eq!(base.rsplit(':').next(), listens.rsplit(':').next(), "{base} is the running server");
    let (status, said) = byok.end();
    assert_eq!(status.code(), Some(0), "{said}");
    let mut browser = Browser::new(&vendor, &base);
    assert_eq!(browser.get("/v1/models").status, 401, "requests need a key there");
    for (host, status) in [("box.example.org", 421), ("localhost:1", 200)] {
        let seen = browser.send(Method::GET, &format!("{path}?token={token}"), &[("host", host)], None);
        assert_eq!(seen.status, status, "{host}: the name in the link and no other");
    }
    browser.open(&path, &token);
    browser.form(&format!("{path}/start"), "method=browser");
    let shown = vendor.browse(&unescaped_link(&browser.get(&path).text));
    browser.form(&format!("{path}/code"), &format!("code={}", shown.replace('#', "%23")));
    assert_eq!(browser.becomes(&path, "done")["email"], "ada@example.org");
}

#[test]
fn links_that_cannot_be_made() {
    let home = Home::new();
    for (args, code, says) in [
        (&["vertex", "--web"][..], 2, "`vertex` has no login on a page"),
        (&["vertex", "--remote"], 2, "`vertex` has no login on a page"),
        (&["nobody", "--web"], 2, "there is no provider `nobody`"),
        (&["claude", "--remote", "--host", "ftp://x"], 2, "`--host` is not the name of a machine"),
        (&["claude", "--remote", "--host", "127.0.0.1:0"], 2, "`--host` is not the name of a machine"),
        (&["claude", "--host", "box.lan"], 2, "--remote"),
        (&["claude", "--web", "--remote"], 2, "cannot be used with"),
        (&["claude", "--remote", "--host", "box.lan", "--callback-bind", "192.0.2.1"], 73, "--callback-bind"),
    ] {
        let output = home.run(&[&["login"], args].concat());
        assert_eq!(output.code, code, "{args:?}: {}", output.err);
        assert!(output.err.contains(says), "{args:?}: {}", output.err);
    }
}

#[test]
fn ports_that_are_taken_leave_the_way_by_paste() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&format!(
        "providers:\n  codex:\n    urls: {{ authorize: '{0}/openai-auth/oauth/authorize', token: '{0}/openai-auth/oauth/token' }}\n",
        vendor.simulator.base_url()
    ));
    // Whoever holds them already serves the test as well.
    let _held: Vec<_> = [1455, 1457].map(|port| TcpListener::bind(("127.0.0.1", port))).into_iter().collect();
    let mut byok = home.start(&["login", "codex", "--method", "browser", "--no-open"]);
    byok.line("warning: byok cannot listen for the browser's answer on this machine");
    let url = byok.line("/oauth/authorize?").trim().to_owned();
    assert!(url.contains("localhost%3A1455%2Fauth%2Fcallback"), "{url}");
    byok.line("then paste the code");
    byok.write_line("http://localhost:1455/auth/callback?code=x&state=of-another-login");
    let (status, said) = byok.end();
    assert_eq!(status.code(), Some(65), "{said}");
    assert!(said.contains("the code belongs to another login"), "{said}");
}
