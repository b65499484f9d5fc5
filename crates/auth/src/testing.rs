//! A token endpoint with rotation, and what tests need around it.

use crate::{
    Clock, Network,
    claude::{Addresses, Claude},
};
use byok_store::Store;
use byok_transport::{ProxyChoice, Transport, TransportOptions};
use byok_types::{
    Account, AccountId, AccountState, Credential, CredentialKind, OauthTokens, ProviderId, Secret, TokenFacts,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::{net::TcpListener, sync::Semaphore};
use url::Url;

pub(crate) const START: i64 = 1_800_000_000;

/// A clock that stands still until it is set.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn start() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START)))
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// One request as the endpoint saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: http::HeaderMap,
    /// The body as text, because the order of its fields matters.
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// An answer that is given once, before the endpoint does its work.
pub(crate) enum Scripted {
    /// Answer this.
    Answer(u16, &'static str, String),
    /// Rotate the token, then break off the connection.
    RotateAndHangUp,
    /// Break off the connection.
    HangUp,
}

struct Vendor {
    /// The refresh token that is good now.
    refresh: String,
    issued: u32,
    seen: Vec<Seen>,
    script: VecDeque<Scripted>,
    /// Fields of the next answers beside the tokens.
    extra: Value,
    rotates: bool,
}

/// A vendor's endpoints: `/token` with rotating refresh tokens, `/revoke`, `/profile`.
#[derive(Clone)]
pub(crate) struct TokenServer {
    pub(crate) address: SocketAddr,
    vendor: Arc<Mutex<Vendor>>,
    /// Every answer of `/token` needs a permit.
    pub(crate) gate: Arc<Semaphore>,
}

impl TokenServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self::at(listener.local_addr().unwrap());
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = accepting.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let server = server.clone();
                        async move { server.answer(request).await }
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        server
    }

    /// A server that another process runs: its addresses, and nothing of what it has seen.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self {
            address,
            vendor: Arc::new(Mutex::new(Vendor {
                refresh: "refresh-0".into(),
                issued: 0,
                seen: Vec::new(),
                script: VecDeque::new(),
                extra: json!({"expires_in": 28_800}),
                rotates: true,
            })),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }

    /// Holds all answers back until permits are added to the gate.
    pub(crate) fn close_gate(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn script(&self, scripted: Scripted) {
        self.vendor.lock().script.push_back(scripted);
    }

    pub(crate) fn answer_with(&self, extra: Value) {
        self.vendor.lock().extra = extra;
    }

    pub(crate) fn keep_refresh_token(&self) {
        self.vendor.lock().rotates = false;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.vendor.lock().seen.clone()
    }

    pub(crate) fn posts(&self) -> usize {
        self.seen().iter().filter(|seen| seen.path == "/token").count()
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(crate) fn claude(&self) -> Claude {
        self.claude_over(Network::default())
    }

    pub(crate) fn claude_over(&self, network: Network) -> Claude {
        let urls = Addresses {
            authorize: self.url("/authorize"),
            token: self.url("/token"),
            revoke: self.url("/revoke"),
            profile: self.url("/profile"),
            models: self.url("/v1/models"),
            paste: self.url("/paste"),
        };
        Claude::new(urls, network)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let (head, body) = request.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| form(&text));
        let path = head.uri.path().to_owned();
        let scripted = {
            let mut vendor = self.vendor.lock();
            vendor.seen.push(Seen {
                method: head.method.to_string(),
                path: path.clone(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: head.headers,
                text,
                json: json.clone(),
            });
            vendor.script.pop_front()
        };
        if path == "/token" {
            self.gate.acquire().await.unwrap().forget();
        }
        let broken = || Err(std::io::Error::other("hung up"));
        match scripted {
            Some(Scripted::Answer(status, header, body)) => {
                let mut answer = response(status, body);
                if let Some((name, value)) = header.split_once(": ") {
                    answer.headers_mut().insert(name, value.parse().unwrap());
                }
                return Ok(answer);
            }
            Some(Scripted::HangUp) => return broken(),
            Some(Scripted::RotateAndHangUp) => {
                self.token(&json);
                return broken();
            }
            None => {}
        }
        Ok(match path.as_str() {
            "/token" => self.token(&json),
            "/revoke" => response(200, "{}".into()),
            _ => response(404, "{}".into()),
        })
    }

    fn token(&self, asked: &Value) -> Response<Full<Bytes>> {
        let mut vendor = self.vendor.lock();
        let refreshes = asked["grant_type"] == "refresh_token";
        if refreshes && asked["refresh_token"] != vendor.refresh.as_str() {
            let body =
                json!({"error": "invalid_grant", "error_description": "Refresh token not found or invalid"});
            return response(400, body.to_string());
        }
        vendor.issued += 1;
        let mut answer = json!({"access_token": format!("access-{}", vendor.issued), "token_type": "Bearer"});
        if vendor.rotates {
            vendor.refresh = format!("refresh-{}", vendor.issued);
            answer["refresh_token"] = vendor.refresh.clone().into();
        }
        answer.as_object_mut().unwrap().extend(vendor.extra.as_object().unwrap().clone());
        response(200, answer.to_string())
    }
}

/// The fields of a form as an object.
fn form(text: &str) -> Value {
    url::form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect()
}

fn response(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status.try_into().unwrap();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

pub(crate) fn transport() -> Transport {
    Transport::new(TransportOptions { proxy: ProxyChoice::Direct, ..TransportOptions::default() }).unwrap()
}

pub(crate) fn provider() -> ProviderId {
    ProviderId::new("claude").unwrap()
}

/// The tokens that the server knows at its start; `left` seconds before their end.
pub(crate) fn tokens(left: i64) -> OauthTokens {
    OauthTokens {
        access: Secret::new("access-0"),
        refresh: Some(Secret::new("refresh-0")),
        expires_at: Some(START + left),
        refresh_expires_at: None,
        scopes: vec!["user:profile".into(), "user:inference".into()],
        facts: TokenFacts::new(),
    }
}

pub(crate) fn account(id: &str) -> Account {
    Account {
        id: AccountId::new(id).unwrap(),
        provider: provider(),
        label: id.into(),
        kind: CredentialKind::Oauth,
        identity: None,
        email: None,
        plan: None,
        state: AccountState::Ready,
        claims: Vec::new(),
        expires_at: None,
        created_at: START,
        updated_at: START,
    }
}

/// Puts an account with these tokens into the store.
pub(crate) async fn add_account(store: &Store, id: &str, tokens: OauthTokens) -> AccountId {
    let account = account(id);
    let id = account.id.clone();
    store.accounts.insert(account, Credential::Oauth(tokens)).await.unwrap();
    id
}

pub(crate) async fn stored(store: &Store, id: &AccountId) -> OauthTokens {
    match store.secrets.load(id).await.unwrap().unwrap() {
        Credential::Oauth(tokens) => tokens,
        Credential::ApiKey(_) => panic!("an API key"),
    }
}

/// A token that says this of itself; its signature is none.
pub(crate) fn jwt(claims: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({"alg": "none"})), part(claims))
}
