//! Every vendor's refresh through the manager, with answers that no vendor should give: a typed error that says whose fault it
//! is and what helps, and never a lost login.

use super::TokenManager;
use crate::testing::{START, Scripted, TestClock, TokenServer, account, jwt, stored, transport};
use crate::{
    AuthError, Clock as _, Network, SystemClock, Urls, Vendor, antigravity, claude, codex, copilot, gemini,
    iflow, kimi, kiro, qwen, vertex, xai,
};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use byok_config::{HttpUrl, UrlName};
use byok_store::Store;
use byok_transport::Transport;
use byok_types::{
    AccountId, AccountState, Blame, Credential, Fault as _, OauthTokens, ProviderId, Retry, Secret,
};
use indexmap::IndexMap;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

/// A provider: its login, the facts that its tokens have, and the names of a token answer.
struct Row {
    name: &'static str,
    make: fn(&Urls<'_>, Network) -> Vendor,
    facts: &'static [(&'static str, &'static str)],
    names: [&'static str; 3],
}

const OAUTH: [&str; 3] = ["access_token", "refresh_token", "expires_in"];
const AWS: [&str; 3] = ["accessToken", "refreshToken", "expiresIn"];

#[rustfmt::skip]
const ROWS: [Row; 12] = [
    Row { name: "claude", make: claude::vendor, facts: &[], names: OAUTH },
    Row { name: "codex", make: codex::vendor, facts: &[("account_id", "a")], names: OAUTH },
    Row { name: "copilot", make: copilot::vendor, facts: &[("mode", "exchange"), ("host", "github.com")], names: ["token", "-", "refresh_in"] },
    Row { name: "gemini", make: gemini::vendor, facts: &[("project", "p")], names: OAUTH },
    Row { name: "antigravity", make: antigravity::vendor, facts: &[("project", "p")], names: OAUTH },
    Row { name: "kiro", make: kiro::vendor, facts: &[("kind", "social")], names: AWS },
    Row { name: "kiro", make: kiro::vendor, facts: &[("kind", "idc"), ("client_id", "c"), ("client_secret", "s"), ("auth_region", "us-east-1")], names: AWS },
    Row { name: "qwen", make: qwen::vendor, facts: &[], names: OAUTH },
    Row { name: "kimi", make: kimi::vendor, facts: &[("region", "global")], names: OAUTH },
    Row { name: "iflow", make: iflow::vendor, facts: &[("client_secret", "s"), ("api_key", "k")], names: OAUTH },
    Row { name: "xai", make: xai::vendor, facts: &[], names: OAUTH },
    Row { name: "vertex", make: vertex::vendor, facts: &[("client_email", "robot@p"), ("project", "p")], names: OAUTH },
];

/// What signs for the service account.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    STANDARD.encode(der.as_ref())
});

impl Row {
    fn refresh_token(&self) -> String {
        match self.name {
            "vertex" => KEY.clone(),
            "kiro" => format!("aor{}", "x".repeat(200)),
            _ => "refresh-0".to_owned(),
        }
    }

    /// A token answer: new tokens that live for an hour.
    fn answer(&self, access: &str, refresh: &str) -> Value {
        let [token, again, life] = self.names;
        let mut answer = json!({token: access, life: 3600, "token_type": "Bearer"});
        if again != "-" {
            answer[again] = refresh.into();
        }
        answer
    }
}

/// One account of a vendor whose token has ended.
struct World {
    row: &'static Row,
    server: TokenServer,
    store: Store,
    clock: Arc<TestClock>,
    manager: TokenManager,
    id: AccountId,
}

impl World {
    async fn of(row: &'static Row, transport: &Transport) -> Self {
        let server = TokenServer::start().await;
        let names = [
            UrlName::Token,
            UrlName::Exchange,
            UrlName::Social,
            UrlName::Profile,
            UrlName::Projects,
            UrlName::Onboard,
            UrlName::Usage,
            UrlName::Inference,
        ];
        let urls: IndexMap<UrlName, HttpUrl> = names
            .into_iter()
            .map(|name| (name, HttpUrl::try_from(server.url("/vendor").to_string()).unwrap()))
            .collect();
        let network = Network { client_secret: Some(Secret::new("s")), ..Network::default() };
        let vendor = (row.make)(&Urls::new(&urls), network);
        let provider = ProviderId::new(row.name).unwrap();
        let store = Store::memory();
        let clock = TestClock::start();
        let refreshers = HashMap::from([(provider.clone(), crate::refresher(&vendor))]);
        let manager =
            TokenManager::new(store.clone(), transport.clone(), refreshers, Arc::clone(&clock) as _);
        let tokens = OauthTokens {
            access: Secret::new("access-0"),
            refresh: Some(Secret::new(row.refresh_token())),
            expires_at: Some(START - 1),
            refresh_expires_at: None,
            scopes: Vec::new(),
            facts: row.facts.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect(),
        };
        let account = byok_types::Account { provider, ..account("a") };
        let id = account.id.clone();
        store.accounts.insert(account, Credential::Oauth(tokens)).await.unwrap();
        Self { row, server, store, clock, manager, id }
    }

    async fn fails(&self, status: u16, body: &str) -> AuthError {
        self.server.script(Scripted::Answer(status, "", body.to_owned()));
        self.manager.access(&self.id).await.unwrap_err()
    }

    /// The login is there as it was.
    async fn assert_kept(&self, what: &str) {
        let kept = stored(&self.store, &self.id).await;
        assert_eq!(kept.access.expose(), "access-0", "{what}");
        assert_eq!(kept.refresh.unwrap().expose(), self.row.refresh_token(), "{what}");
        assert_eq!(kept.facts.len(), self.row.facts.len(), "{what}");
    }

    async fn state(&self) -> AccountState {
        self.store.accounts.get(&self.id).await.unwrap().unwrap().state
    }
}

#[tokio::test]
async fn answers_that_no_vendor_should_give_lose_no_login() {
    let way_out = transport();
    let large = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(5 << 20));
    let cases = [
        ("a page", 200, "<!doctype html><html><body>Sign in to the network</body></html>"),
        ("a page of an error", 502, "<html><body>Bad gateway</body></html>"),
        ("a page that challenges", 403, "<html><body>Just a moment...</body></html>"),
        ("fields are missing", 200, r#"{"token_type":"Bearer"}"#),
        (
            "the token is blank",
            200,
            r#"{"access_token":" ","accessToken":"","token":"","refresh_token":"","refreshToken":" ","error_uri":"canary"}"#,
        ),
        ("wrong types", 200, r#"{"access_token":7,"accessToken":[],"token":{},"expires_in":"soon"}"#),
        ("5 MB", 200, &large),
        ("nothing", 200, ""),
        ("an error without a body", 500, ""),
        (
            "an unknown error",
            400,
            r#"{"error":"something_new","error_description":"Nobody has seen this before"}"#,
        ),
    ];
    for row in &ROWS {
        for (what, status, body) in cases {
            let world = World::of(row, &way_out).await;
            let error = world.fails(status, body).await;
            let what = format!("{} ({:?}), {what}: {error}", row.name, row.facts.first());
            world.assert_kept(&what).await;
            assert!(!format!("{error} {error:?}").contains("canary"), "{what}");
            // This vendor answers every dead grant so, whatever the words.
            if row.name == "qwen" && status == 400 {
                assert!(matches!(error, AuthError::NeedsLogin { .. }), "{what}");
                assert!(error.to_string().contains("`byok login qwen`"), "{what}");
                continue;
            }
            let AuthError::NotNow { source, .. } = &error else { panic!("{what}") };
            assert_eq!(
                (error.blame(), world.state().await),
                (Blame::Upstream, AccountState::Ready),
                "{what}"
            );
            assert!(matches!(error.retry(), Retry::After(wait) if !wait.is_zero()), "{what}");
            let remedy = ["byok tries again by itself", "update byok"];
            assert!(remedy.iter().any(|remedy| source.to_string().ends_with(remedy)), "{what}");
            // Until the wait is over nobody is asked again.
            let asked = world.server.seen().len();
            world.manager.access(&world.id).await.unwrap_err();
            assert_eq!(world.server.seen().len(), asked, "{what}");
        }
    }
}

#[tokio::test]
async fn an_empty_refresh_token_does_not_take_the_place_of_the_old_one() {
    let way_out = transport();
    for row in &ROWS {
        for refresh in ["", "  "] {
            let world = World::of(row, &way_out).await;
            let answer = row.answer("new", refresh).to_string();
            // Without a refresh token this vendor's next renewal could only fail: the old pair stays.
            if row.name == "kimi" {
                let error = world.fails(200, &answer).await;
                assert!(matches!(error, AuthError::NotNow { .. }), "{error}");
                world.assert_kept(row.name).await;
                continue;
            }
            world.server.script(Scripted::Answer(200, "", answer));
            assert_eq!(world.manager.access(&world.id).await.unwrap().token.expose(), "new", "{}", row.name);
            let kept = stored(&world.store, &world.id).await;
            assert_eq!(kept.refresh.unwrap().expose(), row.refresh_token(), "{}", row.name);
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_two_hours_off() {
    let way_out = transport();
    for row in &ROWS {
        for off in [-7200, 7200] {
            let world = World::of(row, &way_out).await;
            // What the vendor's clock says when that of this machine is `off`.
            let theirs = SystemClock.now() - off;
            let access = jwt(&json!({"iat": theirs, "exp": theirs + 3600}));
            let mut answer = row.answer(&access, &row.refresh_token());
            answer["expires_at"] = (theirs + 3600).into();
            world.server.script(Scripted::Answer(200, "", answer.to_string()));
            assert_eq!(world.manager.access(&world.id).await.unwrap().token.expose(), access, "{}", row.name);
            let asked = world.server.seen().len();
            // Half an hour later the token is as good as it was.
            world.clock.pass(1800);
            assert_eq!(
                world.manager.access(&world.id).await.unwrap().token.expose(),
                access,
                "{} {off}",
                row.name
            );
            assert_eq!(
                world.server.seen().len(),
                asked,
                "{} {off}: nobody is asked again and again",
                row.name
            );
        }
    }
    // Whoever signs with a wrong time is told that, and keeps the key.
    let row = ROWS.iter().find(|row| row.name == "vertex").unwrap();
    let world = World::of(row, &way_out).await;
    let refused = r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}"#;
    let error = world.fails(400, refused).await;
    assert!(error.to_string().contains("the clock of this machine is wrong"), "{error}");
    assert_eq!(world.state().await, AccountState::Ready);
    world.assert_kept("vertex").await;
}
