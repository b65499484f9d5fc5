use crate::{LoginError, Owner, Standing, refusal::Refusal};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use byok_config::{HttpUrl, UrlName};
use byok_store::AccountDetails;
use byok_transport::{
    BufferedReply, Call, CallTimeouts, Host, ProxyChoice, Reply, Transport, TransportError,
};
use byok_types::Secret;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use indexmap::IndexMap;
use serde::Serialize;
use std::{path::PathBuf, sync::Arc, time::Duration};
use url::{Url, form_urlencoded};

/// The largest answer that is read from a token endpoint. Real ones have about 1 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The way out to one vendor, where it differs from that of the whole program.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// A proxy of its own.
    pub proxy: Option<ProxyChoice>,
    /// Certificate files (PEM) trusted besides the usual ones.
    pub ca_files: Arc<[PathBuf]>,
    /// The secret of the vendor's own application, which its login server wants to see.
    pub client_secret: Option<Secret>,
    /// How long the token endpoint may take, if not 30 seconds.
    pub token_timeout: Option<Duration>,
}

/// The addresses that a person's settings give in place of a vendor's.
///
/// Tokens are sent to these hosts and no other, so they must come from the person's own configuration.
#[derive(Clone, Debug)]
pub struct Urls<'a> {
    own: Option<&'a IndexMap<UrlName, HttpUrl>>,
    base: Option<&'a HttpUrl>,
}

impl<'a> Urls<'a> {
    /// The addresses of the settings.
    pub const fn new(own: &'a IndexMap<UrlName, HttpUrl>) -> Self {
        Self { own: Some(own), base: None }
    }

    /// With the address (`base_url`) that the settings give for API keys.
    #[must_use]
    pub const fn with_base(self, base: Option<&'a HttpUrl>) -> Self {
        Self { base, ..self }
    }

    /// No address but the vendor's.
    pub const fn none() -> Self {
        Self { own: None, base: None }
    }

    /// The address of this name: the person's, else the vendor's.
    pub(crate) fn get(&self, name: UrlName, vendors: &'static str) -> Url {
        self.own(name).unwrap_or_else(|| fixed(vendors))
    }

    /// Where a key is tried: the address of this name, else the list of models below the person's `base_url`, for which `path`
    /// makes it, else the vendor's.
    pub(crate) fn for_keys(&self, name: UrlName, path: fn(&str) -> String, vendors: &'static str) -> Url {
        let below = || Url::parse(&path(self.base?.as_base())).ok();
        self.own(name).or_else(below).unwrap_or_else(|| fixed(vendors))
    }

    /// The person's address of this name.
    pub(crate) fn own(&self, name: UrlName) -> Option<Url> {
        self.own?.get(&name).map(|own| own.url().clone())
    }
}

/// Calls the endpoints of a login. What is sent there belongs to exactly the host of the URL given.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) network: &'a Network,
}

/// An address that is a constant of a provider.
#[expect(clippy::expect_used, reason = "the texts are constants, and the tests of every provider parse them")]
pub(crate) fn fixed(text: &'static str) -> Url {
    Url::parse(text).expect("a valid URL")
}

/// What a token says of itself (the claims of a JWT), without a check of its signature: good for names, not for trust.
pub(crate) fn claims_of_token(token: &str) -> Option<serde_json::Value> {
    let payload = token.split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

/// What is sent to an endpoint.
pub(crate) enum Body<'a> {
    /// Nothing.
    None,
    /// A form, in this order.
    Form(&'a [(&'a str, &'a str)]),
    /// JSON.
    Json(serde_json::Value),
}

/// A call of an endpoint whose shape is its vendor's own.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// The value of `Authorization`.
    pub(crate) authorization: Option<&'a str>,
    pub(crate) body: Body<'a>,
    pub(crate) limit: Duration,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(url: &'a Url, limit: Duration) -> Self {
        Self { method: Method::GET, url, headers: &[], authorization: None, body: Body::None, limit }
    }

    pub(crate) fn post(url: &'a Url, body: Body<'a>, limit: Duration) -> Self {
        Self { method: Method::POST, url, headers: &[], authorization: None, body, limit }
    }
}

impl Endpoint<'_> {
    /// Makes a call and reads the whole answer, whatever its status.
    pub(crate) async fn ask(&self, ask: Ask<'_>) -> Result<BufferedReply, TransportError> {
        self.ask_up_to(ask, MAX_ANSWER_BYTES).await
    }

    /// The same for an answer of up to so many bytes.
    pub(crate) async fn ask_up_to(&self, ask: Ask<'_>, most: usize) -> Result<BufferedReply, TransportError> {
        self.transport.send_buffered(self.made(ask)?, most).await
    }

    /// The same for a question that is asked again until it is answered. Where the vendor says that all is well and nobody can read
    /// the rest, asking again helps nobody.
    pub(crate) async fn poll(&self, ask: Ask<'_>) -> Result<BufferedReply, LoginError> {
        let Reply { status, headers, mut body } = self.transport.send(self.made(ask)?).await?;
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = match frame {
                Ok(frame) => frame.into_data().unwrap_or_default(),
                Err(TransportError::Decode { .. } | TransportError::Garbled { .. })
                    if status.is_success() =>
                {
                    return Err(LoginError::BadAnswer);
                }
                // Of these the status says enough; the body of any other may say that nothing has happened yet.
                Err(_) if status.is_server_error() || status == StatusCode::FORBIDDEN => break,
                Err(error) => return Err(error.into()),
            };
            whole.extend_from_slice(&data);
            if whole.len() > MAX_ANSWER_BYTES {
                if status.is_success() {
                    return Err(LoginError::BadAnswer);
                }
                break;
            }
        }
        Ok(BufferedReply { status, headers, body: whole.into() })
    }

    fn made(&self, ask: Ask<'_>) -> Result<Call, TransportError> {
        let Ask { method, url, headers, authorization, body, limit } = ask;
        let mut call = self.call(method, url, limit)?;
        for (name, value) in headers {
            let name = name_of(name)?;
            let mut value = value_of(value)?;
            value.set_sensitive(name == header::COOKIE);
            call.headers.insert(name, value);
        }
        if let Some(value) = authorization {
            let mut value = value_of(value)?;
            value.set_sensitive(true);
            call.headers.insert(header::AUTHORIZATION, value);
        }
        let (kind, body) = match body {
            Body::None => ("", Vec::new()),
            Body::Form(fields) => {
                let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                ("application/x-www-form-urlencoded", form.into_bytes())
            }
            Body::Json(value) => ("application/json", value.to_string().into_bytes()),
        };
        if !kind.is_empty() && !call.headers.contains_key(header::CONTENT_TYPE) {
            call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        call.body = Bytes::from(body);
        Ok(call)
    }

    pub(crate) async fn post_json<B: Serialize + Sync>(
        &self,
        url: &Url,
        body: &B,
        limit: Duration,
    ) -> Result<BufferedReply, TransportError> {
        let body = serde_json::to_vec(body)
            .map_err(|_| TransportError::BadUrl { why: "the request for it cannot be written as JSON" })?;
        let mut call = self.call(Method::POST, url, limit)?;
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        call.body = Bytes::from(body);
        self.transport.send_buffered(call, MAX_ANSWER_BYTES).await
    }

    pub(crate) async fn get_with_bearer(
        &self,
        url: &Url,
        token: &Secret,
        limit: Duration,
    ) -> Result<BufferedReply, TransportError> {
        let mut call = self.call(Method::GET, url, limit)?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
            TransportError::BadUrl { why: "its token contains characters that no header may have" }
        })?;
        value.set_sensitive(true);
        call.headers.insert(header::AUTHORIZATION, value);
        self.transport.send_buffered(call, MAX_ANSWER_BYTES).await
    }

    fn call(&self, method: Method, url: &Url, limit: Duration) -> Result<Call, TransportError> {
        let allowed = [Host::of(url)?].into();
        let mut call = Call::new(method, url.clone(), allowed, CallTimeouts::within(limit));
        call.proxy.clone_from(&self.network.proxy);
        call.ca_files = Arc::clone(&self.network.ca_files);
        call.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Ok(call)
    }
}

fn value_of(value: &str) -> Result<HeaderValue, TransportError> {
    HeaderValue::from_str(value).map_err(|_| TransportError::BadUrl {
        why: "a value for it contains characters that no header may have",
    })
}

fn name_of(name: &str) -> Result<HeaderName, TransportError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| TransportError::BadUrl { why: "a header for it has a name that no header may have" })
}

impl Owner {
    /// What the vendor answered to a question with `token`; `read` finds the owner in a good answer. Not knowing is no failure:
    /// a login is not worth losing for a name.
    pub(crate) fn told(
        reply: Result<BufferedReply, TransportError>,
        token: &Secret,
        read: impl FnOnce(&[u8]) -> AccountDetails,
    ) -> Self {
        let standing = match reply {
            Ok(reply) if reply.status.is_success() => {
                return Self { details: read(&reply.body), standing: Standing::Taken, ..Self::default() };
            }
            Ok(reply) => {
                tracing::debug!(status = reply.status.as_u16(), "the owner of a login is not known");
                Refusal::read(&reply, &[token.expose()]).standing()
            }
            Err(error) => {
                tracing::warn!(%error, "the owner of a login is not known");
                Standing::Unknown
            }
        };
        Self { standing, ..Self::default() }
    }
}
