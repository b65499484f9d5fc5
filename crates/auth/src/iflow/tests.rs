use super::{Addresses, Iflow, cookie::ByCookie, import::IflowCli, vendor};
use crate::testing::{START, Scripted, TokenServer, tokens, transport};
use crate::{
    Answers, AuthorizationCode, BrowserLogin, Import as _, ImportError, KeyLogin as _, LoginError, Network,
    NewLogin, Redirect, RefreshError, Refresher as _, Urls,
};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use std::{path::Path, sync::Arc};
use url::Url;

/// `10009311001:s3cret` in base64.
const BASIC: &str = "Basic MTAwMDkzMTEwMDE6czNjcmV0";
const OWNER: &str =
    r#"{"success":true,"data":{"apiKey":"sk-new","email":"ada@example.org","phone":"138****1234"}}"#;
const TOKENS: &str =
    r#"{"access_token":"a b","refresh_token":"r","expires_in":172800,"token_type":"bearer","scope":"read"}"#;

fn iflow(server: &TokenServer) -> Iflow {
    let urls = Addresses {
        authorize: server.url("/oauth"),
        token: server.url("/token"),
        profile: server.url("/profile"),
        exchange: server.url("/apikey"),
    };
    Iflow::new(urls, Network::default())
}

fn with_secret(server: &TokenServer) -> Arc<dyn BrowserLogin> {
    let answers: Answers = [("client_secret".to_owned(), " s3cret ".to_owned())].into();
    iflow(server).with_answers(&answers).unwrap().unwrap()
}

fn answer(status: u16, body: &str) -> Scripted {
    Scripted::Answer(status, "", body.into())
}

fn oauth(login: &NewLogin) -> &OauthTokens {
    let Credential::Oauth(tokens) = &login.credential else { panic!("a key") };
    tokens
}

/// Tokens with these facts.
fn old(facts: &[(&str, &str)], refresh: &str) -> OauthTokens {
    let mut old = tokens(0);
    old.refresh = Some(Secret::new(refresh));
    old.facts = facts.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    old
}

#[test]
fn the_default_addresses_are_the_vendors_and_the_end_is_told() {
    let urls = Addresses::of(&Urls::none());
    for url in [urls.authorize, urls.token, urls.profile, urls.exchange] {
        assert!(url.scheme() == "https" && url.host_str().unwrap().ends_with("iflow.cn"), "{url}");
    }
    let vendor = vendor(&Urls::none(), Network::default());
    assert!(vendor.ended.unwrap().contains("2026-04-17"));
    let names: Vec<_> = vendor.methods.iter().map(|method| method.name).collect();
    assert_eq!(names, ["browser", "cookie", "key"]);
}

#[tokio::test]
async fn the_authorize_url() {
    let server = TokenServer::start().await;
    let login = with_secret(&server);
    let callback = login.callback();
    assert_eq!((callback.host, callback.ports[0], callback.path), ("localhost", 11_451, "/oauth2callback"));
    let pending =
        login.begin(Redirect::Callback(Url::parse("http://localhost:11451/oauth2callback").unwrap()));
    let pairs: Vec<(String, String)> = pending.authorize_url.query_pairs().into_owned().collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        pairs,
        [
            ("loginMethod", "phone"),
            ("type", "phone"),
            ("redirect", "http://localhost:11451/oauth2callback"),
            ("state", pending.state.expose()),
            ("client_id", "10009311001"),
        ]
    );
    assert_eq!(login.begin(Redirect::Pasted).redirect_uri, "http://localhost:11451/oauth2callback");
    for answers in [Answers::new(), [("client_secret".to_owned(), " ".to_owned())].into()] {
        let error = iflow(&server).with_answers(&answers).err().unwrap();
        assert!(matches!(error, LoginError::NotReady { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_exchange_and_the_key_behind_it() {
    let server = TokenServer::start().await;
    server.script(answer(200, TOKENS));
    server.script(answer(503, ""));
    server.script(answer(200, OWNER));
    let login = with_secret(&server);
    let pending = login.begin(Redirect::Pasted);
    let done = login.finish(&transport(), &pending, AuthorizationCode::new("code-1")).await.unwrap();
    let tokens = oauth(&done);
    assert_eq!((tokens.access.expose(), tokens.refresh.as_ref().unwrap().expose()), ("a b", "r"));
    assert_eq!((tokens.fact("api_key"), tokens.fact("client_secret")), (Some("sk-new"), Some("s3cret")));
    assert_eq!(done.details.email.as_deref(), Some("ada@example.org"));
    assert_eq!(done.details.identity.as_deref(), Some("ada@example.org"));

    let seen = server.seen();
    assert_eq!(seen[0].headers["authorization"], BASIC);
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(seen[0].headers["accept"], "application/json");
    assert_eq!(
        seen[0].text,
        "grant_type=authorization_code&code=code-1&redirect_uri=http%3A%2F%2Flocalhost%3A11451%2Foauth2callback\
         &client_id=10009311001&client_secret=s3cret"
    );
    assert_eq!((seen[1].path.as_str(), seen[2].path.as_str()), ("/profile", "/profile"), "asked again");
    assert_eq!(seen[2].query, "accessToken=a+b");
    assert!(seen.iter().all(|seen| seen.headers["user-agent"].to_str().unwrap().starts_with("byok/")));
}

#[tokio::test]
async fn whose_it_is() {
    for (body, expected) in [
        (r#"{"success":true,"data":{"apiKey":"sk-1","phone":"138****1234"}}"#, Ok("138xxxx1234")),
        (r#"{"success":true,"data":{"apiKey":"sk-1","email":" e@x.org "}}"#, Ok("e@x.org")),
        (r#"{"success":true,"data":{"apiKey":"sk-1","email":""}}"#, Err("does not say whose it is")),
        (r#"{"success":true,"data":{"apiKey":"","email":"e@x.org"}}"#, Err("has no API key")),
        (r#"{"success":false,"message":"no","data":null}"#, Err("refuses to name its API key (no)")),
        (r#"{"success":true,"data":null}"#, Err("something else than tokens")),
        ("<html>", Err("something else than tokens")),
    ] {
        let server = TokenServer::start().await;
        server.script(answer(200, TOKENS));
        server.script(answer(200, body));
        let login = with_secret(&server);
        let pending = login.begin(Redirect::Pasted);
        let done = login.finish(&transport(), &pending, AuthorizationCode::new("c")).await;
        match (expected, done) {
            (Ok(identity), Ok(done)) => assert_eq!(done.details.identity.as_deref(), Some(identity)),
            (Err(words), Err(error)) => assert!(error.to_string().contains(words), "{body}: {error}"),
            (_, other) => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_code_that_is_refused() {
    for (status, body, expected) in [
        (200, r#"{"success":false,"code":"500","message":"busy","data":null}"#, "(200, 500, busy)"),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"code-1 s3cret"}"#,
            "(400, invalid_grant, … …)",
        ),
        (401, r#"{"error":"invalid_client","error_description":"Bad client credentials"}"#, "invalid_client"),
        (403, "<html>", "the vendor cannot answer now (403, with a web page"),
        (200, "<html>", "something else than tokens"),
    ] {
        let server = TokenServer::start().await;
        server.script(answer(status, body));
        let login = with_secret(&server);
        let pending = login.begin(Redirect::Pasted);
        let error = login.finish(&transport(), &pending, AuthorizationCode::new("code-1")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_refresh_brings_the_key_along() {
    let server = TokenServer::start().await;
    let tokens = old(&[("client_secret", "s3cret"), ("api_key", "sk-old")], "refresh-0");
    for (owner, key) in [(answer(200, OWNER), "sk-new"), (answer(403, ""), "sk-old")] {
        server.script(answer(200, TOKENS));
        server.script(owner);
        let (new, _) = iflow(&server).refresh(&transport(), &tokens).await.unwrap();
        let new = new.into_tokens(Some(&tokens), START);
        assert_eq!(new.refresh.as_ref().unwrap().expose(), "r", "new tokens are never lost");
        assert_eq!((new.fact("api_key"), new.fact("client_secret")), (Some(key), Some("s3cret")));
    }
    let seen = &server.seen()[0];
    assert_eq!(seen.headers["authorization"], BASIC);
    assert_eq!(
        seen.text,
        "grant_type=refresh_token&refresh_token=refresh-0&client_id=10009311001&client_secret=s3cret"
    );
}

#[tokio::test]
async fn a_service_that_is_closed_refuses_no_login() {
    use crate::Standing::{Refused, Taken, Unknown};
    let no = || Refused(String::new());
    for (status, body, expected) in [
        (200, OWNER, Taken),
        (404, "", Unknown),
        (410, "<html>", Unknown),
        (405, "{}", Unknown),
        (302, "", Unknown),
        (403, "<html>challenge</html>", Unknown),
        (200, "<html>", Unknown),
        (403, "", no()),
        (401, r#"{"message":"bad token"}"#, no()),
        (200, r#"{"success":false,"message":"bad token"}"#, no()),
    ] {
        let server = TokenServer::start().await;
        server.script(answer(status, body));
        let tokens = OauthTokens { expires_at: None, ..old(&[("api_key", "sk-old")], "refresh-0") };
        let asked = transport();
        let owner = iflow(&server);
        let owner = crate::Refresher::owner(&owner, &asked, &tokens).unwrap().await;
        let standing = if let Refused(_) = owner.standing { no() } else { owner.standing };
        assert_eq!(standing, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn what_a_refused_refresh_means() {
    enum Means {
        Dead,
        Later(bool),
        Config,
    }
    use Means::{Config, Dead, Later};
    let cases = [
        (400, r#"{"error":"invalid_grant"}"#, Dead),
        (200, r#"{"error":"invalid_grant"}"#, Dead),
        (200, r#"{"success":false,"code":"500","message":"server busy","data":null}"#, Later(false)),
        (200, r#"{"token_type":"bearer"}"#, Later(true)),
        (200, "<html>", Later(true)),
        (500, "", Later(false)),
        (429, "", Later(false)),
        (403, "<html>", Later(false)),
        (401, r#"{"error":"invalid_client","error_description":"Bad client credentials"}"#, Config),
        (404, "", Config),
    ];
    for (status, body, means) in cases {
        let server = TokenServer::start().await;
        server.script(answer(status, body));
        let tokens = old(&[("client_secret", "s3cret")], "refresh-0");
        let error = iflow(&server).refresh(&transport(), &tokens).await.unwrap_err();
        let fits = match (means, &error) {
            (Dead, RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }) => {
                reason.contains("byok login iflow")
            }
            (Later(spent), RefreshError::Transient { maybe_spent, .. }) => *maybe_spent == spent,
            (Config, RefreshError::Config { .. }) => true,
            _ => false,
        };
        assert!(fits, "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn without_the_clients_secret_the_access_token_names_the_key() {
    let server = TokenServer::start().await;
    let tokens = old(&[("api_key", "sk-old")], "refresh-0");
    server.script(answer(200, OWNER));
    let (new, _) = iflow(&server).refresh(&transport(), &tokens).await.unwrap();
    let new = new.into_tokens(Some(&tokens), START);
    assert_eq!((new.access.expose(), new.fact("api_key")), ("access-0", Some("sk-new")));
    assert_eq!(new.refresh.as_ref().unwrap().expose(), "refresh-0");
    assert_eq!(server.posts(), 0);

    server.script(answer(401, r#"{"success":false,"message":"expired"}"#));
    let error = iflow(&server).refresh(&transport(), &tokens).await.unwrap_err();
    assert!(matches!(error, RefreshError::Permanent { state: AccountState::NeedsLogin { .. } }), "{error:?}");
}

const MASKED: &str = r#"{"success":true,"code":"200","data":{"name":"ada","apiKey":"","apiKeyMask":"sk-***","hasExpired":false,"expireTime":"2026-01-31 12:00"}}"#;
const WHOLE: &str =
    r#"{"success":true,"code":"200","data":{"name":"ada","apiKey":"sk-1","expireTime":"2096-01-31 12:00"}}"#;

#[tokio::test]
async fn a_cookie_shows_the_key_and_renews_it() {
    let server = TokenServer::start().await;
    let by_cookie = ByCookie(iflow(&server));
    server.script(answer(200, MASKED));
    server.script(answer(200, WHOLE));
    let pasted = Secret::new("a=b; BXAuth=c00kie; c=d");
    let login = by_cookie.finish(&transport(), pasted.clone(), &Answers::new()).await.unwrap();
    let tokens = oauth(&login);
    assert_eq!((tokens.access.expose(), tokens.fact("api_key")), ("sk-1", Some("sk-1")));
    assert_eq!(tokens.refresh.as_ref().unwrap().expose(), "BXAuth=c00kie;");
    let first = login.details.identity.clone().unwrap();

    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("GET", "/apikey"));
    assert_eq!(seen[0].headers["cookie"], "BXAuth=c00kie;");
    assert_eq!(seen[0].headers["accept"], "application/json, text/plain, */*");
    assert!(!seen[0].headers.contains_key("origin"));
    assert_eq!((seen[1].method.as_str(), seen[1].text.as_str()), ("POST", r#"{"name":"ada"}"#));
    let origin = format!("http://{}", server.address);
    assert_eq!(seen[1].headers["origin"], origin);
    assert_eq!(seen[1].headers["referer"], format!("{origin}/"));

    // The same cookie is the same account; a refresh needs one call.
    server.script(answer(200, MASKED));
    server.script(answer(200, WHOLE));
    let again = by_cookie.finish(&transport(), pasted, &Answers::new()).await.unwrap();
    assert_eq!(again.details.identity, Some(first));
    server.script(answer(200, WHOLE));
    let (new, _) = iflow(&server).refresh(&transport(), tokens).await.unwrap();
    assert_eq!(new.refresh.unwrap().expose(), "BXAuth=c00kie;");
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn a_cookie_that_is_refused() {
    let tokens = old(&[("key_name", "ada"), ("api_key", "sk-1")], "BXAuth=c00kie;");
    for (status, body, dead) in [
        (401, "", true),
        (302, "", true),
        (200, r#"{"success":false,"code":"401","message":"login first"}"#, true),
        (200, r#"{"success":false,"code":"500","message":"busy"}"#, false),
        (200, "<html>", false),
        (403, "<html>", false),
        (503, "", false),
        (200, MASKED, false),
    ] {
        let server = TokenServer::start().await;
        server.script(answer(status, body));
        let error = iflow(&server).refresh(&transport(), &tokens).await.unwrap_err();
        let is_dead = matches!(&error, RefreshError::Permanent { .. });
        assert_eq!(is_dead, dead, "{status} {body}: {error:?}");
        assert!(!error.to_string().contains("c00kie"), "{error}");
    }
    let server = TokenServer::start().await;
    server.script(answer(403, "<html>"));
    let error = ByCookie(iflow(&server))
        .finish(&transport(), Secret::new("BXAuth=c00kie;"), &Answers::new())
        .await
        .unwrap_err();
    assert!(matches!(&error, LoginError::Busy { why } if why.contains("the network in front")), "{error}");
    let error = ByCookie(iflow(&server))
        .finish(&transport(), Secret::new("sk-0123456789"), &Answers::new())
        .await
        .unwrap_err();
    assert!(matches!(error, LoginError::NotUsable { .. }));
}

#[test]
fn the_files_of_iflow_cli() {
    let places = IflowCli.places(Path::new("/home/ada"), &|_| None);
    let files: Vec<_> = places.iter().map(|kept| kept.file.to_str().unwrap()).collect();
    assert_eq!(
        files,
        [
            "/home/ada/.iflow/settings.json",
            "/home/ada/.iflow/oauth_creds.json",
            "/home/ada/.iflow/iflow_accounts.json"
        ]
    );
    let read = |name: &str, content: &str| IflowCli.read(name, content.as_bytes(), START);
    let creds = r#"{"access_token":"a","refresh_token":"r","expiry_date":1800000000000,"token_type":"bearer","scope":"read x","apiKey":"sk-1","userId":"u-1","userName":"ada"}"#;
    let found = read("oauth_creds.json", creds).unwrap();
    let tokens = oauth(&found[0].login);
    assert_eq!((tokens.fact("api_key"), tokens.expires_at), (Some("sk-1"), Some(1_800_000_000)));
    assert_eq!((found[0].shared_rotation, tokens.scopes.len()), (true, 2));
    assert_eq!(found[0].login.details.identity, None, "its `userId` is not what a login is known by");
    for (name, content) in [
        ("iflow_accounts.json", r#"{"iflowApiKey":"sk-0123456789"}"#),
        ("settings.json", r#"{"selectedAuthType":"iflow","apiKey":"sk-0123456789"}"#),
    ] {
        let found = read(name, content).unwrap();
        assert!(matches!(&found[0].login.credential, Credential::ApiKey(_)) && !found[0].shared_rotation);
    }
    for (name, content, why) in [
        ("oauth_creds.json", "", "it is empty"),
        ("oauth_creds.json", r#"{"access_tok"#, "it is not JSON"),
        ("oauth_creds.json", "[]", "it is not an object"),
        ("oauth_creds.json", r#"{"apiKey":"sk-1"}"#, "it has no `access_token`"),
        (
            "oauth_creds.json",
            r#"{"access_token":"a"}"#,
            "it has no `apiKey`, without which nothing is served",
        ),
        ("oauth_creds.json", r#"{"access_token":"a","apiKey":"k"}"#, "its `expiry_date` is not a number"),
        ("iflow_accounts.json", "{}", "it has no `iflowApiKey`"),
        ("iflow_accounts.json", r#"{"iflowApiKey":"k"}"#, "its key does not begin with `sk-`"),
    ] {
        let error = read(name, content).unwrap_err();
        assert_eq!(error, ImportError::NotReadable { by: "iFlow CLI", why }, "{name} {content}");
    }
    for content in [r#"{"selectedAuthType":"openai-compatible","apiKey":"sk-0123456789"}"#, "{}"] {
        assert!(matches!(read("settings.json", content), Err(ImportError::Nothing { .. })), "{content}");
    }
}
