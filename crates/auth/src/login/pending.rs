use byok_types::Secret;
use oauth2::{CsrfToken, PkceCodeChallenge};
use subtle::ConstantTimeEq as _;
use url::Url;

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
pub struct AuthorizationCode(Secret);

impl AuthorizationCode {
    /// Wraps a code.
    pub fn new(code: impl Into<String>) -> Self {
        Self(Secret::new(code))
    }

    /// The code as text, for the exchange.
    pub fn expose(&self) -> &str {
        self.0.expose()
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
        }
    }
}
