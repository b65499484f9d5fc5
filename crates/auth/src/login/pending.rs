use byok_types::{Secret, TokenFacts};
use oauth2::{CsrfToken, PkceCodeChallenge};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq as _;
use url::{Url, form_urlencoded};

/// Random bytes of a state. OAuth asks for a value that cannot be guessed.
const STATE_BYTES: u32 = 32;

/// The value that ties an answer to the login that asked for it. Compared in constant time.
#[derive(Clone, Debug)]
pub struct State(Secret);

impl State {
    /// 256 random bits.
    pub fn random() -> Self {
        Self(Secret::new(CsrfToken::new_random_len(STATE_BYTES).into_secret()))
    }

    /// The same as a secret of another kind: the token of a link, the key of a session.
    pub(crate) fn into_secret(self) -> Secret {
        self.0
    }

    /// The state as text, for the authorize URL.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether `other` is this state.
    pub fn matches(&self, other: &str) -> bool {
        self.0.expose().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

/// The code that a login ends with, good for one exchange.
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    code: Secret,
    parameters: BTreeMap<String, Secret>,
}

impl AuthorizationCode {
    /// Wraps a code.
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: Secret::new(code), parameters: BTreeMap::new() }
    }

    /// With what else stood in the query of the address that the browser came back to.
    pub(crate) fn with_query(mut self, query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let others = pairs.filter(|(name, _)| !matches!(&**name, "code" | "state"));
        self.parameters = others.map(|(name, value)| (name.into_owned(), Secret::new(value))).collect();
        self
    }

    /// What else the browser came back with, by name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(Secret::expose)
    }

    /// The code as text, for the exchange.
    pub fn expose(&self) -> &str {
        self.code.expose()
    }
}

/// Where the vendor sends the browser after the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// To a [`CallbackServer`](crate::CallbackServer) of this process, at this address.
    Callback(Url),
    /// To a page of the vendor that shows a code to paste.
    Pasted,
}

/// A login that was begun and waits for its code.
#[derive(Clone, Debug)]
pub struct PendingLogin {
    /// The page to open in the browser.
    pub authorize_url: Url,
    /// The state that the answer must carry.
    pub state: State,
    /// The address that the code is sent to; the exchange must repeat it exactly.
    pub redirect_uri: String,
    /// The PKCE verifier, which proves that the exchange comes from whoever began.
    pub verifier: Secret,
    /// Whether the vendor's page shows a code without its state, for a person to paste.
    pub shows_code_alone: bool,
    /// What [`BrowserLogin::prepare`](crate::BrowserLogin::prepare) found out and the end of the login needs.
    pub facts: TokenFacts,
}

impl PendingLogin {
    /// Makes state, verifier and challenge; `authorize_url` gets the challenge (S256), the state and the redirect URI.
    pub(crate) fn new(redirect_uri: String, authorize_url: impl FnOnce(&str, &State, &str) -> Url) -> Self {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = State::random();
        Self {
            authorize_url: authorize_url(challenge.as_str(), &state, &redirect_uri),
            state,
            redirect_uri,
            verifier: Secret::new(verifier.into_secret()),
            shows_code_alone: false,
            facts: TokenFacts::new(),
        }
    }
}
