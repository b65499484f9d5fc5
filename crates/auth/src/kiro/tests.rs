use super::{Addresses, Kiro, api_region, is_profile, vendor};
use crate::{
    Answers, AuthorizationCode, BrowserLogin, DeviceLogin, How, KeyLogin, LoginError, Network, NewLogin,
    Polled, Redirect, RefreshError, Refresher as _, Urls, Vendor,
    testing::{START, Scripted, TokenServer, transport},
};
use byok_config::{HttpUrl, UrlName};
use byok_types::{AccountState, Credential, OauthTokens, Secret};
use indexmap::IndexMap;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use url::Url;

const PROFILE: &str = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABCDEF";
const SHARED: &str = "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK";

/// Every address of the vendor, at the server.
fn urls(server: &TokenServer) -> IndexMap<UrlName, HttpUrl> {
    let names = [
        (UrlName::Register, "/client/register"),
        (UrlName::Device, "/device_authorization"),
        (UrlName::Token, "/sso/token"),
        (UrlName::Authorize, "/authorize"),
        (UrlName::Social, "/social"),
        (UrlName::Portal, "/signin"),
        (UrlName::Profile, "/profiles"),
        (UrlName::Usage, "/usage"),
    ];
    names
        .into_iter()
        .map(|(name, path)| (name, HttpUrl::try_from(server.url(path).to_string()).unwrap()))
        .collect()
}

fn of(server: &TokenServer) -> Vendor {
    vendor(&Urls::new(&urls(server)), Network::default())
}

fn says(server: &TokenServer, answers: impl IntoIterator<Item = Value>) {
    for answer in answers {
        server.script(Scripted::Answer(200, "", answer.to_string()));
    }
}

fn device(vendor: &Vendor, name: &str) -> Arc<dyn DeviceLogin> {
    match &vendor.methods.iter().find(|method| method.name == name).unwrap().how {
        How::Device(login) => Arc::clone(login),
        _ => panic!("{name}"),
    }
}

fn browser(vendor: &Vendor, name: &str) -> Arc<dyn BrowserLogin> {
    match &vendor.methods.iter().find(|method| method.name == name).unwrap().how {
        How::Browser(login) => Arc::clone(login),
        _ => panic!("{name}"),
    }
}

fn key(vendor: &Vendor, name: &str) -> Arc<dyn KeyLogin> {
    match &vendor.methods.iter().find(|method| method.name == name).unwrap().how {
        How::Key(login) => Arc::clone(login),
        _ => panic!("{name}"),
    }
}

fn tokens(login: &NewLogin) -> &OauthTokens {
    match &login.credential {
        Credential::Oauth(tokens) => tokens,
        Credential::ApiKey(_) => panic!("a key"),
    }
}

fn client() -> Value {
    json!({"clientId": "client-1", "clientSecret": "secret-1", "clientSecretExpiresAt": START + 90 * 86_400})
}

fn code() -> Value {
    json!({"deviceCode": "device-1", "userCode": "ABCD-EFGH", "verificationUri": "https://device.example/",
           "verificationUriComplete": "https://device.example/?code=ABCD-EFGH", "expiresIn": 600, "interval": 1})
}

fn bought() -> Value {
    json!({"accessToken": "aoa-1", "refreshToken": "aor-1", "tokenType": "Bearer", "expiresIn": 28_800})
}

fn owner() -> Value {
    json!({"userInfo": {"userId": "d-1.uuid", "email": "ada@example.com"},
           "subscriptionInfo": {"type": "Q_DEVELOPER_STANDALONE_PRO", "subscriptionTitle": "KIRO PRO"}})
}

fn answers(pairs: &[(&str, &str)]) -> Answers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_default_addresses_are_the_vendors() {
    let urls = Addresses::of(&Urls::none());
    assert_eq!(
        urls.oidc(None, "eu-west-1", "token").unwrap().as_str(),
        "https://oidc.eu-west-1.amazonaws.com/token"
    );
    assert_eq!(
        urls.of_social("refreshToken").as_str(),
        "https://prod.us-east-1.auth.desktop.kiro.dev/refreshToken"
    );
    assert_eq!(urls.portal.as_str(), "https://app.kiro.dev/signin");
    let looked_up: Vec<_> =
        super::planes(None, "eu-central-1", "getUsageLimits").into_iter().map(String::from).collect();
    assert_eq!(
        looked_up,
        [
            "https://management.eu-central-1.kiro.dev/getUsageLimits",
            "https://q.eu-central-1.amazonaws.com/getUsageLimits"
        ]
    );
}

#[test]
fn a_region_is_no_way_to_another_host() {
    let urls = Addresses::of(&Urls::none());
    for region in [
        "",
        "evil.example/",
        "us-east-1.evil",
        "a-b@c",
        "US-EAST-1",
        "-us-east",
        "us",
        "us-east-1#",
        "us_east-1",
    ] {
        assert!(matches!(urls.oidc(None, region, "token"), Err(LoginError::NotUsable { .. })), "{region:?}");
    }
}

#[test]
fn profiles_and_their_region() {
    for (arn, region) in [(PROFILE, Some("eu-central-1")), (SHARED, Some("us-east-1"))] {
        assert_eq!(super::region_of_profile(arn), region);
    }
    for arn in [
        "",
        "arn",
        "arn:aws:s3:us-east-1:123456789012:profile/A",
        "arn:aws:codewhisperer:us-east-1:x:profile/A",
        "arn:aws:codewhisperer:evil.test/:123456789012:profile/A",
        "arn:aws:codewhisperer:us-east-1:123456789012:role/A",
    ] {
        assert!(!is_profile(arn), "{arn}");
    }
}

#[tokio::test]
async fn builder_id_by_code() {
    let server = TokenServer::start().await;
    let login = device(&of(&server), "builder-id");
    says(&server, [client(), code()]);
    let waiting = login.start(&transport(), &Answers::new()).await.unwrap();
    assert_eq!((waiting.user_code.as_str(), waiting.interval), ("ABCD-EFGH", Duration::from_secs(1)));
    server.script(Scripted::Answer(400, "", r#"{"error":"authorization_pending"}"#.into()));
    server.script(Scripted::Answer(400, "", r#"{"error":"slow_down"}"#.into()));
    assert!(matches!(login.poll(&transport(), &waiting).await.unwrap(), Polled::Pending));
    assert!(matches!(login.poll(&transport(), &waiting).await.unwrap(), Polled::SlowDown(_)));
    says(&server, [bought(), owner()]);
    let Polled::Done(done) = login.poll(&transport(), &waiting).await.unwrap() else { panic!() };
    let got = tokens(&done);
    assert_eq!((got.access.expose(), got.refresh.as_ref().unwrap().expose()), ("aoa-1", "aor-1"));
    let kept: Vec<_> =
        got.facts.iter().map(|(name, value)| (name.as_str(), value.expose().to_owned())).collect();
    assert_eq!(
        kept,
        [
            ("auth_region", "us-east-1".to_owned()),
            ("client_expires_at", (START + 90 * 86_400).to_string()),
            ("client_id", "client-1".into()),
            ("client_secret", "secret-1".into()),
            ("kind", "builder-id".into()),
            ("start_url", "https://view.awsapps.com/start".into()),
        ],
        "the profile that all share is not kept"
    );
    assert_eq!(done.details.identity.as_deref(), Some("d-1.uuid"));
    assert_eq!(done.details.email.as_deref(), Some("ada@example.com"));
    assert_eq!(done.details.plan.as_deref(), Some("KIRO PRO"));

    let seen = server.seen();
    assert_eq!(
        seen[0].json,
        json!({"clientName": "byok", "clientType": "public",
               "scopes": ["codewhisperer:completions", "codewhisperer:analysis", "codewhisperer:conversations"],
               "grantTypes": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]})
    );
    assert_eq!(
        seen[1].json,
        json!({"clientId": "client-1", "clientSecret": "secret-1", "startUrl": "https://view.awsapps.com/start"})
    );
    assert_eq!(
        seen[4].json,
        json!({"clientId": "client-1", "clientSecret": "secret-1", "deviceCode": "device-1",
               "grantType": "urn:ietf:params:oauth:grant-type:device_code"})
    );
    let asked = &seen[5];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/usage"));
    assert_eq!(asked.headers["authorization"], "Bearer aoa-1");
    assert!(!asked.headers.contains_key("tokentype"));
    for seen in &seen[..5] {
        assert_eq!(seen.headers["content-type"], "application/json");
        assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("byok/"));
    }
}

#[tokio::test]
async fn what_an_answer_to_the_wait_means() {
    let server = TokenServer::start().await;
    let login = device(&of(&server), "builder-id");
    says(&server, [client(), code()]);
    let waiting = login.start(&transport(), &Answers::new()).await.unwrap();
    let cases = [
        (400, r#"{"error":"authorization_pending"}"#, "pending"),
        (400, r#"{"__type":"AuthorizationPendingException","message":"x"}"#, "pending"),
        (400, r#"{"error":"slow_down"}"#, "slow"),
        (400, r#"{"__type":"SlowDownException","message":"x"}"#, "slow"),
        (429, "", "slow"),
        (503, "<html>", "unclear"),
        (400, r#"{"error":"expired_token"}"#, "over"),
        (400, r#"{"error":"access_denied","error_description":"no"}"#, "denied"),
        (400, r#"{"error":"invalid_client"}"#, "refused"),
        (200, "{}", "unreadable"),
        (200, "<html>", "unreadable"),
    ];
    for (status, body, expected) in cases {
        server.script(Scripted::Answer(status, "", body.into()));
        let got = match login.poll(&transport(), &waiting).await {
            Ok(Polled::Pending) => "pending",
            Ok(Polled::SlowDown(_)) => "slow",
            Ok(Polled::Later(_)) => "later",
            Ok(Polled::Unclear { .. }) => "unclear",
            Ok(Polled::Done(_)) => "done",
            Err(LoginError::CodeExpired) => "over",
            Err(LoginError::Refused { why, .. }) if why == "access_denied: no" => "denied",
            Err(LoginError::CodeRefused { why }) => {
                assert!(!why.contains("secret-1"), "{why}");
                "refused"
            }
            Err(LoginError::BadAnswer) => "unreadable",
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(got, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn an_organisation_and_its_profile() {
    let with = [("start_url", "https://d-1.awsapps.com/start"), ("region", "eu-west-1")];
    let one = json!({"profiles": [{"arn": PROFILE, "profileName": "work"}]});
    let two = json!({"profiles": [{"arn": PROFILE}, {"arn": SHARED}]});
    let none = json!({"profiles": []});
    // What the two regions answer, what was asked for, and what comes of it.
    let cases = [
        ((403, none.clone()), (200, one.clone()), "only", Ok(PROFILE)),
        ((200, none.clone()), (200, one.clone()), "only", Ok(PROFILE)),
        ((200, two.clone()), (403, none.clone()), SHARED, Ok(SHARED)),
        ((200, two), (403, none.clone()), "only", Err("--with profile=ARN")),
        ((200, one), (403, none.clone()), SHARED, Err("not among its own")),
        ((403, none.clone()), (403, none), "only", Err("no Kiro profile")),
    ];
    for (first, second, wanted, expected) in cases {
        let server = TokenServer::start().await;
        let login = device(&of(&server), "idc");
        says(&server, [client(), code()]);
        let mut asked = with.to_vec();
        asked.push(("profile", wanted));
        let waiting = login.start(&transport(), &answers(&asked)).await.unwrap();
        says(&server, [bought()]);
        for (status, body) in [first, second] {
            server.script(Scripted::Answer(status, "", body.to_string()));
        }
        says(&server, [owner()]);
        match (login.poll(&transport(), &waiting).await, expected) {
            (Ok(Polled::Done(done)), Ok(arn)) => {
                let got = tokens(&done);
                assert_eq!(got.fact("profile_arn"), Some(arn));
                assert_eq!(got.fact("kind"), Some("idc"));
                assert_eq!(got.fact("auth_region"), Some("eu-west-1"), "not that of the API");
                assert_eq!(got.fact("wanted_profile"), None);
                assert_eq!(api_region(got), super::region_of_profile(arn).unwrap());
            }
            (Err(LoginError::NoAccess { why }), Err(part)) => assert!(why.contains(part), "{why}"),
            (other, expected) => panic!("{other:?} {expected:?}"),
        }
        let seen = server.seen();
        assert_eq!(seen[1].json["startUrl"], "https://d-1.awsapps.com/start");
        let listing = &seen[3];
        assert_eq!(listing.headers["x-amz-target"], "KiroControlPlaneBearerService.ListAvailableProfiles");
        assert_eq!(listing.headers["content-type"], "application/x-amz-json-1.0");
    }
    let server = TokenServer::start().await;
    let login = device(&of(&server), "idc");
    for (bad, expected) in [
        (vec![], "start_url"),
        (vec![("start_url", "http://plain.example")], "https://"),
        (vec![with[0], ("region", "evil.example/")], "region"),
    ] {
        let error = login.start(&transport(), &answers(&bad)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn social_by_code() {
    for (method, provider) in [("google", "Google"), ("github", "Github")] {
        let server = TokenServer::start().await;
        let login = device(&of(&server), method);
        says(
            &server,
            [json!({"deviceCode": "d", "userCode": "U", "verificationUri": "https://x.example/",
                              "verificationUriComplete": "https://x.example/?U", "intervalInMilliseconds": 2000,
                              "expiresInMilliseconds": 300_000})],
        );
        let waiting = login.start(&transport(), &Answers::new()).await.unwrap();
        assert_eq!((waiting.interval.as_secs(), waiting.expires_in.as_secs()), (2, 300));
        says(&server, [json!({"status": "authorization_pending"})]);
        assert!(matches!(login.poll(&transport(), &waiting).await.unwrap(), Polled::Pending));
        let before = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        says(
            &server,
            [
                json!({"accessToken": "a", "refreshToken": "r", "profileArn": SHARED, "identityProvider": provider}),
                owner(),
            ],
        );
        let Polled::Done(done) = login.poll(&transport(), &waiting).await.unwrap() else { panic!() };
        let got = tokens(&done);
        let left = u64::try_from(got.expires_at.unwrap()).unwrap() - before;
        assert!((28_800..28_860).contains(&left), "{left}: eight hours, which the answer does not say");
        assert_eq!((got.fact("kind"), got.fact("profile_arn")), (Some("social"), Some(SHARED)));
        assert_eq!(done.details.identity.as_deref(), Some("d-1.uuid"));
        let seen = server.seen();
        assert_eq!(seen[0].path, "/social/oauth/device/authorization");
        assert_eq!(seen[0].json, json!({"clientId": "kiro-cli", "loginProvider": provider}));
        assert_eq!(
            (seen[2].path.as_str(), &seen[2].json),
            ("/social/oauth/device/poll", &json!({"clientId": "kiro-cli", "deviceCode": "d"}))
        );
    }
}

#[tokio::test]
async fn aws_in_the_browser() {
    let server = TokenServer::start().await;
    let login = browser(&of(&server), "builder-id-browser");
    says(&server, [client()]);
    let callback = Url::parse("http://127.0.0.1:49152/oauth/callback").unwrap();
    let pending = login.prepare(&transport(), &Answers::new(), Redirect::Callback(callback)).await.unwrap();
    let pairs: Vec<(String, String)> = pending.authorize_url.query_pairs().into_owned().collect();
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "response_type",
            "client_id",
            "redirect_uri",
            "scopes",
            "state",
            "code_challenge",
            "code_challenge_method"
        ]
    );
    assert_eq!(pairs[3].1, "codewhisperer:completions codewhisperer:analysis codewhisperer:conversations");
    says(&server, [bought(), owner()]);
    let done = login.finish(&transport(), &pending, AuthorizationCode::new("code-1")).await.unwrap();
    assert_eq!(tokens(&done).fact("client_secret"), Some("secret-1"));
    let seen = server.seen();
    assert_eq!(seen[0].json["redirectUris"], json!(["http://127.0.0.1:49152/oauth/callback"]));
    assert_eq!(seen[0].json["issuerUrl"], "https://view.awsapps.com/start");
    assert_eq!(seen[0].json["grantTypes"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(
        seen[1].json,
        json!({"clientId": "client-1", "clientSecret": "secret-1", "grantType": "authorization_code", "code": "code-1",
               "redirectUri": "http://127.0.0.1:49152/oauth/callback", "codeVerifier": pending.verifier.expose()})
    );
    // Without a registration there is nothing to end.
    let error = login
        .finish(&transport(), &login.begin(Redirect::Pasted), AuthorizationCode::new("c"))
        .await
        .unwrap_err();
    assert!(matches!(error, LoginError::NotUsable { .. }), "{error:?}");
}

#[tokio::test]
async fn the_portal_and_the_link() {
    let server = TokenServer::start().await;
    let login = browser(&of(&server), "portal");
    assert_eq!(login.callback().ports[0], 3128);
    let callback = Url::parse("http://localhost:3128/oauth/callback").unwrap();
    let pending = login.begin(Redirect::Callback(callback.clone()));
    let shown = pending.authorize_url.as_str();
    assert!(shown.contains("redirect_uri=http%3A%2F%2Flocalhost%3A3128&redirect_from=kirocli"), "{shown}");
    let answer = json!({"accessToken": "a", "refreshToken": "r", "profileArn": SHARED, "expiresIn": 3600});
    says(&server, [answer.clone(), owner()]);
    let code = AuthorizationCode::new("c-1").with_query("code=c-1&state=s&login_option=google");
    let done = login.finish(&transport(), &pending, code).await.unwrap();
    assert_eq!(tokens(&done).fact("kind"), Some("social"));
    assert_eq!(server.seen()[0].path, "/social/oauth/token");
    assert_eq!(
        server.seen()[0].json,
        json!({"code": "c-1", "code_verifier": pending.verifier.expose(),
               "redirect_uri": "http://localhost:3128/oauth/callback?login_option=google"})
    );
    for (query, part) in [
        (
            "login_option=awsidc&issuer_url=https://d-1.awsapps.com/start&idc_region=eu-west-1",
            "byok login kiro --method idc --with start_url=https://d-1.awsapps.com/start --with region=eu-west-1",
        ),
        ("login_option=external_idp&issuer_url=https://login.example", "--method key"),
    ] {
        let code = AuthorizationCode::new("").with_query(query);
        let error = login.finish(&transport(), &pending, code).await.unwrap_err();
        assert!(matches!(&error, LoginError::NoAccess { why } if why.contains(part)), "{error}");
    }

    let login = browser(&of(&server), "link-github");
    let pending = login.begin(Redirect::Pasted);
    assert!(pending.authorize_url.as_str().contains(
        "/social/login?idp=Github&redirect_uri=kiro%3A%2F%2Fkiro.kiroAgent%2Fauthenticate-success"
    ));
    let address =
        format!("kiro://kiro.kiroAgent/authenticate-success?code=c-2&state={}", pending.state.expose());
    let code = crate::read_pasted(&address, &pending).unwrap();
    says(&server, [answer, owner()]);
    login.finish(&transport(), &pending, code).await.unwrap();
    assert_eq!(server.seen()[2].json["redirect_uri"], "kiro://kiro.kiroAgent/authenticate-success");
}

#[tokio::test]
async fn keys() {
    let cases = [
        ("ksk_abc", 200, Ok(())),
        ("ksk_abc", 500, Ok(())),
        ("ksk_abc", 403, Err("refuses the key")),
        ("ksk_abc", 401, Err("refuses the key")),
        ("sk-abc", 200, Err("begin with `ksk_`")),
        ("ksk_a\u{e9}", 200, Err("begin with `ksk_`")),
    ];
    for (text, status, expected) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", owner().to_string()));
        let got = key(&of(&server), "key").finish(&transport(), Secret::new(text), &Answers::new()).await;
        match (got, expected) {
            (Ok(login), Ok(())) => {
                assert!(matches!(login.credential, Credential::ApiKey(_)));
                assert_eq!(server.seen()[0].headers["tokentype"], "API_KEY");
                assert_eq!(login.details.identity.is_some(), status == 200);
            }
            (Err(LoginError::NotUsable { why }), Err(part)) => assert!(why.contains(part), "{why}"),
            (other, _) => panic!("{text} {status} {other:?}"),
        }
    }
    let server = TokenServer::start().await;
    server.script(Scripted::Answer(403, "", "<html>".to_owned()));
    let got = key(&of(&server), "key").finish(&transport(), Secret::new("ksk_abc"), &Answers::new()).await;
    assert!(matches!(&got, Err(LoginError::Busy { why }) if why.contains("the network in front")), "{got:?}");
}

#[tokio::test]
async fn pasted_refresh_tokens() {
    let server = TokenServer::start().await;
    let login = key(&of(&server), "token");
    says(&server, [bought(), owner()]);
    let done = login.finish(&transport(), Secret::new("aor-old"), &Answers::new()).await.unwrap();
    assert_eq!((tokens(&done).fact("kind"), tokens(&done).access.expose()), (Some("social"), "aoa-1"));
    assert_eq!(
        (server.seen()[0].path.as_str(), &server.seen()[0].json),
        ("/social/refreshToken", &json!({"refreshToken": "aor-old"}))
    );

    let line =
        json!({"refreshToken": "aor-old", "clientId": "c", "clientSecret": "s", "region": "eu-west-1"});
    says(&server, [bought(), owner()]);
    let done = login.finish(&transport(), Secret::new(line.to_string()), &Answers::new()).await.unwrap();
    assert_eq!(tokens(&done).fact("kind"), Some("builder-id"));
    assert_eq!(
        server.seen()[2].json,
        json!({"clientId": "c", "clientSecret": "s", "grantType": "refresh_token", "refreshToken": "aor-old"})
    );

    for (text, part) in [("aor-abc...def", "cut off"), ("{\"a\":1}", "refreshToken"), ("a b", "cut off")] {
        let error = login.finish(&transport(), Secret::new(text), &Answers::new()).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    server.script(Scripted::Answer(401, "", r#"{"message":"Bad credentials"}"#.into()));
    let error = login.finish(&transport(), Secret::new("aor-old"), &Answers::new()).await.unwrap_err();
    assert!(error.to_string().contains("clientSecret"), "{error}");
}

fn kept(kind: &str) -> OauthTokens {
    let facts = super::facts([
        ("kind", kind),
        ("auth_region", "eu-west-1"),
        ("client_id", "client-1"),
        ("client_secret", "secret-1"),
        ("profile_arn", PROFILE),
    ]);
    OauthTokens {
        access: Secret::new("access-0"),
        refresh: Some(Secret::new("refresh-0")),
        expires_at: Some(START),
        refresh_expires_at: None,
        scopes: Vec::new(),
        facts,
    }
}

fn kiro(server: &TokenServer) -> Kiro {
    Kiro::new(Addresses::of(&Urls::new(&urls(server))), Network::default())
}

#[tokio::test]
async fn a_refresh() {
    let server = TokenServer::start().await;
    says(&server, [json!({"accessToken": "a-1", "expiresIn": 3600})]);
    let old = kept("idc");
    let (answer, _) = kiro(&server).refresh(&transport(), &old).await.unwrap();
    let new = answer.into_tokens(Some(&old), START);
    assert_eq!(new.refresh.as_ref().unwrap().expose(), "refresh-0", "the old one stays");
    assert_eq!((new.fact("profile_arn"), new.fact("client_secret")), (Some(PROFILE), Some("secret-1")));
    assert_eq!(new.expires_at, Some(START + 3600));
    assert_eq!(
        (server.seen()[0].path.as_str(), server.seen()[0].json.clone()),
        (
            "/sso/token",
            json!({"clientId": "client-1", "clientSecret": "secret-1", "grantType": "refresh_token", "refreshToken": "refresh-0"})
        )
    );
    // A profile that comes replaces the old one; snake_case and numbers as text are read, too.
    says(
        &server,
        [json!({"access_token": "a-2", "refresh_token": "r-2", "expires_in": "60", "profileArn": SHARED})],
    );
    let old = kept("social");
    let (answer, _) = kiro(&server).refresh(&transport(), &old).await.unwrap();
    let new = answer.into_tokens(Some(&old), START);
    assert_eq!(new.refresh.as_ref().unwrap().expose(), "r-2");
    assert_eq!((new.fact("profile_arn"), new.expires_at), (Some(SHARED), Some(START + 60)));
    assert_eq!(server.seen()[1].path, "/social/refreshToken");
    // A vendor that rotates to nothing keeps the old token.
    says(&server, [json!({"accessToken": "a-3", "refreshToken": ""})]);
    let (answer, _) = kiro(&server).refresh(&transport(), &old).await.unwrap();
    assert_eq!(answer.into_tokens(Some(&old), START).refresh.unwrap().expose(), "refresh-0");
    // An organisation's profile is not in the answer: where the login does not know it, it is asked for.
    let mut old = kept("idc");
    old.facts.remove("profile_arn");
    says(
        &server,
        [
            json!({"accessToken": "a-4", "expiresIn": 3600}),
            json!({"profiles": [{"arn": PROFILE}]}),
            json!({"profiles": [{"arn": PROFILE}]}),
        ],
    );
    let (answer, _) = kiro(&server).refresh(&transport(), &old).await.unwrap();
    assert_eq!(answer.into_tokens(Some(&old), START).fact("profile_arn"), Some(PROFILE));
    let asked = server.seen().pop().unwrap();
    assert_eq!(
        (asked.path.as_str(), &asked.headers["authorization"]),
        ("/profiles", &"Bearer a-4".parse().unwrap())
    );
}

#[test]
fn a_refresh_goes_to_the_region_of_the_sign_in() {
    let kiro = Kiro::new(Addresses::of(&Urls::none()), Network::default());
    // The profile of this login is of another region.
    let (url, _) = kiro.aws(&kept("idc"), "refresh-0").unwrap();
    assert_eq!(url.as_str(), "https://oidc.eu-west-1.amazonaws.com/token");
    let (url, _) = kiro.social("refresh-0");
    assert_eq!(url.as_str(), "https://prod.us-east-1.auth.desktop.kiro.dev/refreshToken");
}

#[derive(Debug, PartialEq)]
enum Does {
    NeedLogin,
    Block,
    Wait,
    WaitMaybeSpent,
    Config,
}

#[tokio::test]
async fn what_error_answers_mean() {
    let long = "x".repeat(5 * 1024 * 1024);
    let cases: Vec<(&str, u16, &str, Does)> = vec![
        (
            "idc",
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid refresh token provided"}"#,
            Does::NeedLogin,
        ),
        (
            "idc",
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid grant provided"}"#,
            Does::NeedLogin,
        ),
        ("idc", 400, r#"{"message":"Invalid refresh token provided"}"#, Does::NeedLogin),
        (
            "idc",
            400,
            r#"{"__type":"com.amazonaws.ssooidc#InvalidGrantException","message":"x"}"#,
            Does::NeedLogin,
        ),
        ("idc", 400, r#"{"__type":"ExpiredTokenException"}"#, Does::NeedLogin),
        ("builder-id", 401, r#"{"__type":"InvalidTokenException"}"#, Does::NeedLogin),
        ("builder-id", 401, r#"{"__type":"InvalidTokenError"}"#, Does::NeedLogin),
        ("idc", 400, r#"{"__type":"ExpiredClientException"}"#, Does::NeedLogin),
        ("idc", 400, r#"{"message":"Client is expired"}"#, Does::NeedLogin),
        ("idc", 401, r#"{"error":"invalid_client"}"#, Does::NeedLogin),
        ("social", 401, r#"{"message":"Bad credentials"}"#, Does::NeedLogin),
        ("social", 401, "", Does::NeedLogin),
        ("social", 423, r#"{"__type":"AccountSuspendedException","message":"locked"}"#, Does::Block),
        // The status says it alone.
        ("social", 423, "", Does::Block),
        ("idc", 423, r#"{"message":"x"}"#, Does::Block),
        ("social", 403, r#"{"code":"TEMPORARILY_SUSPENDED"}"#, Does::Block),
        ("social", 403, "<html>Forbidden</html>", Does::Wait),
        ("idc", 403, "<html>Forbidden</html>", Does::Wait),
        ("idc", 401, "<html>", Does::Wait),
        ("social", 429, "", Does::Wait),
        ("idc", 500, r#"{"error":"invalid_grant"}"#, Does::Wait),
        ("idc", 503, "", Does::Wait),
        ("idc", 400, r#"{"error":"invalid_request"}"#, Does::Config),
        ("idc", 404, "", Does::Config),
        ("idc", 302, "", Does::Config),
        ("idc", 200, "<html>", Does::WaitMaybeSpent),
        ("idc", 200, "{}", Does::WaitMaybeSpent),
        ("idc", 200, r#"{"accessToken":"  "}"#, Does::WaitMaybeSpent),
        ("idc", 200, &long, Does::WaitMaybeSpent),
    ];
    for (kind, status, body, expected) in cases {
        let server = TokenServer::start().await;
        server.script(Scripted::Answer(status, "", body.to_owned()));
        let error = kiro(&server).refresh(&transport(), &kept(kind)).await.unwrap_err();
        assert!(
            !error.to_string().contains("refresh-0") && !error.to_string().contains("secret-1"),
            "{error}"
        );
        let got = match error {
            RefreshError::Permanent { state: AccountState::NeedsLogin { reason } } => {
                assert!(reason.contains("byok login kiro"), "{reason}");
                Does::NeedLogin
            }
            RefreshError::Permanent { state: AccountState::Blocked { reason } } => {
                assert!(reason.ends_with("https://support.aws.amazon.com/#/contacts/kiro"), "{reason}");
                Does::Block
            }
            RefreshError::Transient { maybe_spent: true, .. } => Does::WaitMaybeSpent,
            RefreshError::Transient { .. } => Does::Wait,
            RefreshError::Config { .. } => Does::Config,
            other @ (RefreshError::Permanent { .. } | RefreshError::Followed { .. }) => panic!("{other:?}"),
        };
        let shown: String = body.chars().take(80).collect();
        assert_eq!(got, expected, "{kind} {status} {shown}");
    }
}

#[tokio::test]
async fn tokens_that_lack_what_a_refresh_needs_ask_nobody() {
    let server = TokenServer::start().await;
    for missing in ["client_id", "client_secret", "auth_region"] {
        let mut tokens = kept("idc");
        tokens.facts.remove(missing);
        let error = kiro(&server).refresh(&transport(), &tokens).await.unwrap_err();
        assert!(
            matches!(error, RefreshError::Permanent { state: AccountState::NeedsLogin { .. } }),
            "{missing}"
        );
    }
    let tokens = OauthTokens { refresh: None, ..kept("social") };
    assert!(kiro(&server).refresh(&transport(), &tokens).await.is_err());
    assert!(server.seen().is_empty());
}
