use super::*;
use crate::{
    Answers, AuthorizationCode, BrowserLogin, Callback, DeviceCode, DeviceLogin, LoginError, LoginFuture,
    NewLogin, PendingLogin, Polled, Question, Redirect, RefreshFuture, Refresher,
};
use byok_store::AccountDetails;
use byok_transport::TransportOptions;
use byok_types::{Credential, OauthTokens, TokenFacts};

/// A vendor whose only good code is `good`.
struct Fake;

fn login(answers: &Answers) -> NewLogin {
    let tokens = OauthTokens {
        access: Secret::new("access"),
        refresh: Some(Secret::new("refresh")),
        expires_at: None,
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts: TokenFacts::new(),
    };
    let email = answers.get("who").map(|who| format!("{who}@example.org"));
    let details = AccountDetails { identity: email.clone(), email, plan: None };
    NewLogin { credential: Credential::Oauth(tokens), details }
}

impl BrowserLogin for Fake {
    fn callback(&self) -> Callback {
        Callback { host: "127.0.0.1", ports: &[], path: "/back" }
    }

    fn begin(&self, redirect: Redirect) -> PendingLogin {
        let at = match redirect {
            Redirect::Callback(url) => url.to_string(),
            Redirect::Pasted => "http://127.0.0.1:1/back".to_owned(),
        };
        let pending = PendingLogin::new(at, |_, state, at| {
            let query = [("state", state.expose()), ("redirect_uri", at)];
            Url::parse_with_params("https://vendor.example/login", query).unwrap()
        });
        PendingLogin { shows_code_alone: true, ..pending }
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a PendingLogin,
        code: AuthorizationCode,
    ) -> LoginFuture<'a, NewLogin> {
        static NONE: Answers = Answers::new();
        self.finish_with(transport, login, code, &NONE)
    }

    fn finish_with<'a>(
        &'a self,
        _: &'a Transport,
        _: &'a PendingLogin,
        code: AuthorizationCode,
        answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            if code.expose() == "good" {
                Ok(login(answers))
            } else {
                Err(LoginError::CodeRefused { why: "400 invalid_grant".to_owned() })
            }
        })
    }
}

impl DeviceLogin for Fake {
    fn start<'a>(&'a self, _: &'a Transport, _: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        let page = Url::parse("https://vendor.example/device").unwrap();
        let code = DeviceCode {
            user_code: "AB-CD".to_owned(),
            page,
            page_with_code: None,
            expires_in: Duration::from_mins(5),
            interval: Duration::from_secs(5),
            facts: TokenFacts::new(),
        };
        Box::pin(async move { Ok(code) })
    }

    fn poll<'a>(&'a self, _: &'a Transport, _: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        Box::pin(async move { Ok(Polled::Done(Box::new(login(&Answers::new())))) })
    }
}

impl Refresher for Fake {
    fn refresh<'a>(&'a self, _: &'a Transport, _: &'a OauthTokens) -> RefreshFuture<'a> {
        Box::pin(async { Err(crate::RefreshError::busy("no", None)) })
    }
}

impl Vendors for Fake {
    fn names(&self) -> Vec<String> {
        vec!["claude".to_owned(), "xai".to_owned()]
    }

    fn offer(&self, name: &str) -> Option<Offer> {
        const WHO: &[Question] =
            &[Question { name: "who", prompt: "who are you", default: "", secret: false, check: |_| Ok(()) }];
        let methods = vec![
            Method { name: "browser", what: "browser", questions: WHO, how: How::Browser(Arc::new(Self)) },
            Method { name: "device", what: "device", questions: &[], how: How::Device(Arc::new(Self)) },
        ];
        let vendor = Vendor {
            methods,
            refresher: Arc::new(Self),
            revoke: None,
            check_token: |_| Ok(()),
            import: None,
            ended: None,
        };
        let provider = ProviderId::new(name).ok()?;
        self.names().contains(&name.to_owned()).then(|| Offer { provider, vendor, warnings: Vec::new() })
    }

    fn transport(&self) -> Result<Transport, TransportError> {
        Transport::new(TransportOptions::default())
    }
}

fn desk() -> (Desk, Store) {
    let store = Store::memory();
    (Desk::new(store.clone(), Arc::new(Fake)), store)
}

fn for_claude() -> Wish {
    Wish { provider: Some("claude".to_owned()), ..Wish::default() }
}

fn from_elsewhere() -> Wish {
    Wish { public: Some(Url::parse("https://byok.example.org").unwrap()), ..for_claude() }
}

async fn session(desk: &Desk, wish: Wish) -> Session {
    let token = desk.issue(wish);
    let key = desk.redeem(token.expose(), "claude").await.unwrap();
    desk.session(key.expose(), "claude").unwrap()
}

fn who(name: &str) -> Answers {
    Answers::from([("who".to_owned(), name.to_owned())])
}

fn problem(stage: &Stage) -> &str {
    match stage {
        Stage::Asking { problem } | Stage::Browser { problem, .. } => problem.as_deref().unwrap_or_default(),
        _ => "",
    }
}

#[tokio::test]
async fn of_fifty_who_show_a_token_one_wins() {
    let (desk, _) = desk();
    let token = desk.issue(for_claude());
    let tries = (0..50).map(|_| {
        let (desk, token) = (desk.clone(), token.clone());
        tokio::spawn(async move { desk.redeem(token.expose(), "claude").await.is_some() })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_open_nothing() {
    let (desk, _) = desk();
    let token = desk.issue(for_claude());
    for (shown, provider) in
        [("", "claude"), ("x", "claude"), (token.expose(), "xai"), (token.expose(), "openrouter")]
    {
        assert!(!desk.would_open(shown, provider));
        assert!(desk.redeem(shown, provider).await.is_none(), "{provider}");
    }
    assert!(desk.would_open(token.expose(), "claude"), "another provider's page does not use it up");
    tokio::time::advance(LOGIN_WINDOW + Duration::from_secs(1)).await;
    assert!(desk.redeem(token.expose(), "claude").await.is_none(), "it is too old");
    assert!(desk.is_idle());

    let any = desk.issue(Wish::default());
    let key = desk.redeem(any.expose(), "xai").await.unwrap();
    assert!(desk.redeem(any.expose(), "xai").await.is_none(), "it was used");
    assert!(desk.session(key.expose(), "claude").is_none(), "a session is of one provider");
    assert!(desk.session(any.expose(), "xai").is_none(), "a token is no key");
    tokio::time::advance(SESSION + Duration::from_secs(1)).await;
    assert!(desk.session(key.expose(), "xai").is_none(), "it is over");
}

#[tokio::test]
async fn a_code_is_pasted_until_one_is_right() {
    let (desk, store) = desk();
    let session = session(&desk, from_elsewhere()).await;
    assert!(desk.is_known_as("BYOK.example.org") && !desk.is_known_as("example.org"));
    for (method, answers, claims, expected) in [
        ("nothing", who("ada"), vec![], "choose how to log in to claude: browser, device"),
        ("browser", Answers::new(), vec![], "an answer is missing: who are you"),
        ("browser", who(" "), vec![], "an answer is missing: who are you"),
        ("browser", who("ada"), vec!["made-up".to_owned()], "claude has no claim `made-up`"),
    ] {
        assert_eq!(problem(&session.start(method, answers, claims).await), expected);
    }
    let stage = session.start("browser", who("ada"), vec!["claude-code-prompt".to_owned()]).await;
    let Stage::Browser { page, returns: false, problem: None } = stage else { panic!("{stage:?}") };
    let tie = page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    for (text, expected) in [
        ("", "this is not a login code"),
        ("two words", "this is not a login code"),
        ("good#another", "the code belongs to another login"),
        ("http://127.0.0.1:1/back?code=good&state=another", "the code belongs to another login"),
        (&"x".repeat(20_000), "this is not a login code: it is too long"),
    ] {
        let stage = session.paste(text.to_owned()).await;
        assert!(matches!(stage, Stage::Browser { .. }) && problem(&stage).starts_with(expected), "{stage:?}");
    }
    let address = format!("http://127.0.0.1:1/back?code=good&state={tie}");
    let stage = session.paste(address.clone()).await;
    let Stage::Done { account, without, replaced: false, .. } = stage else { panic!("{stage:?}") };
    assert_eq!(account.email.as_deref(), Some("ada@example.org"));
    assert_eq!(account.claims, ["claude-code-prompt"]);
    assert!(without.is_empty());
    assert_eq!(store.accounts.list(None).await.unwrap().len(), 1);
    assert!(desk.done().borrow().is_some());
    // The answer of the vendor, once more.
    assert!(matches!(session.paste(address).await, Stage::Done { .. }));
    assert_eq!(store.accounts.list(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_refused_can_be_tried_again() {
    let (desk, store) = desk();
    let session = session(&desk, from_elsewhere()).await;
    session.start("browser", who("ada"), vec![]).await;
    let stage = session.paste("bad".to_owned()).await;
    assert!(matches!(stage, Stage::Asking { .. }) && problem(&stage).contains("invalid_grant"), "{stage:?}");
    assert!(matches!(session.paste("good".to_owned()).await, Stage::Asking { .. }), "nobody waits for it");
    session.start("browser", who("ada"), vec![]).await;
    let Stage::Done { without, .. } = session.paste("good".to_owned()).await else { panic!() };
    assert_eq!(without.len(), 1, "no consent was given");
    assert_eq!(store.accounts.list(None).await.unwrap()[0].claims, Vec::<String>::new());
}

#[tokio::test]
async fn the_browser_of_this_machine_comes_back_by_itself() {
    let (desk, _) = desk();
    let session = session(&desk, Wish { account: Some("work".to_owned()), ..for_claude() }).await;
    let stage = session.start("browser", who("ada"), vec![]).await;
    let Stage::Browser { page, returns: true, .. } = stage else { panic!("{stage:?}") };
    let of = |wanted: &str| page.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
    let back = Url::parse(&of("redirect_uri")).unwrap();
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", back.port().unwrap())).await.unwrap();
    let request = format!(
        "GET /back?code=good&state={} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n",
        of("state"),
        back.port().unwrap()
    );
    tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
    let mut done = desk.done();
    let account = done.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert_eq!(account.label, "work");
}

#[tokio::test]
async fn a_code_for_any_device() {
    let (desk, _) = desk();
    let session = session(&desk, for_claude()).await;
    let stage = session.start("device", Answers::new(), vec![]).await;
    let Stage::Device { code, page, .. } = stage else { panic!("{stage:?}") };
    assert_eq!((code.as_str(), page.as_str()), ("AB-CD", "https://vendor.example/device"));
    tokio::time::pause();
    let mut done = desk.done();
    assert!(done.wait_for(Option::is_some).await.is_ok());
    assert!(matches!(session.stage(), Stage::Device { .. } | Stage::Done { .. }));
}

#[tokio::test]
async fn a_second_login_of_a_provider_ends_the_first() {
    let (desk, _) = desk();
    let first = desk.issue(from_elsewhere());
    let key = desk.redeem(first.expose(), "claude").await.unwrap();
    let old = desk.session(key.expose(), "claude").unwrap();
    old.start("browser", who("ada"), vec![]).await;
    session(&desk, from_elsewhere()).await;
    assert!(desk.session(key.expose(), "claude").is_none());
    old.paste("good".to_owned()).await;
    assert!(desk.done().borrow().is_none());
}
