//! Registered clients, codes and tokens.

use crate::ids::uuid_of;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

/// The profile of an organisation, in another region than its sign-in.
pub(super) const OWN: &str = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/SIMULATED";
const BUILDER_ID: &str = "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX";
pub(super) const SOCIAL: &str = "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK";

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KiroCounts {
    /// Clients registered.
    pub registrations: u64,
    /// Logins that ended with tokens.
    pub logins: u64,
    /// Refreshes that gave new tokens.
    pub refreshes: u64,
    /// Refreshes with a token that was used up.
    pub reuses: u64,
}

/// Which login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BuilderId,
    Organisation,
    Social,
}

/// Who is logged in.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) kind: Kind,
    pub(super) email: String,
}

impl Owner {
    pub(super) fn user_id(&self) -> String {
        format!("d-9067sim.{}", uuid_of(&self.email))
    }

    /// The profile that requests have to name.
    pub(super) const fn profile(&self) -> &'static str {
        match self.kind {
            Kind::BuilderId => BUILDER_ID,
            Kind::Organisation => OWN,
            Kind::Social => SOCIAL,
        }
    }
}

/// Where a login by code stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Waiting,
    Agreed(String),
    Refused,
}

#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) kind: Kind,
    pub(super) client: String,
    pub(super) stand: Stand,
}

/// A code that a browser brings back.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) owner: Owner,
    pub(super) client: String,
    pub(super) redirect: String,
    pub(super) challenge: String,
}

/// A pair of tokens.
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// State of the login services.
#[derive(Default)]
pub(crate) struct Kiro(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    counts: KiroCounts,
    made: u64,
    /// Secret by client id.
    clients: HashMap<String, (String, Kind)>,
    devices: HashMap<String, Device>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Owner>,
    /// Owner and client by refresh token.
    refresh: HashMap<String, (Owner, String)>,
    spent: HashSet<String>,
}

impl Inner {
    fn name(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}{}", uuid_of(&format!("{what}{}", self.made)).replace('-', ""))
    }

    fn pair(&mut self, owner: &Owner, client: &str) -> Pair {
        // As long as real ones: the IDE's are cut off by some versions, which importers notice by their length.
        let long = "x".repeat(96);
        let pair = Pair { access: self.name("aoaSim"), refresh: format!("{}{long}", self.name("aorSim")) };
        self.access.insert(pair.access.clone(), owner.clone());
        self.refresh.insert(pair.refresh.clone(), (owner.clone(), client.to_owned()));
        pair
    }
}

impl Kiro {
    pub(crate) fn counts(&self) -> KiroCounts {
        self.0.lock().counts
    }

    /// A social login.
    pub(crate) fn grant(&self) -> (String, String) {
        let pair = self.log_in(&Owner { kind: Kind::Social, email: "ada@example.org".to_owned() }, "");
        (pair.access, pair.refresh)
    }

    /// All access tokens are refused from now on.
    pub(crate) fn expire_all(&self) {
        self.0.lock().access.clear();
    }

    /// Nothing that was issued is good any more.
    pub(crate) fn revoke_all(&self) {
        let mut inner = self.0.lock();
        inner.access.clear();
        inner.refresh.clear();
    }

    pub(super) fn register(&self, kind: Kind) -> (String, String) {
        let mut inner = self.0.lock();
        inner.counts.registrations += 1;
        let (id, secret) = (inner.name("client"), inner.name("secret"));
        inner.clients.insert(id.clone(), (secret.clone(), kind));
        (id, secret)
    }

    pub(super) fn knows(&self, id: &str, secret: &str) -> bool {
        self.0.lock().clients.get(id).is_some_and(|(known, _)| known == secret)
    }

    /// Whose logins a client is registered for.
    pub(super) fn kind_of_client(&self, id: &str) -> Option<Kind> {
        self.0.lock().clients.get(id).map(|(_, kind)| *kind)
    }

    /// A device code and the code that a person enters.
    pub(super) fn device(&self, kind: Kind, client: &str) -> (String, String) {
        let mut inner = self.0.lock();
        let code = inner.name("device");
        let user = format!("SIM{}-{}", inner.made, &code[6..10].to_uppercase());
        inner.devices.insert(code.clone(), Device { kind, client: client.to_owned(), stand: Stand::Waiting });
        // A person knows only the short one.
        let device = inner.devices[&code].clone();
        inner.devices.insert(user.clone(), Device { client: code.clone(), ..device });
        (code, user)
    }

    /// A person has decided.
    pub(super) fn decide(&self, user_code: &str, stand: Stand) -> bool {
        let mut inner = self.0.lock();
        let Some(code) = inner.devices.get(user_code).map(|device| device.client.clone()) else {
            return false;
        };
        inner.devices.get_mut(&code).map(|device| device.stand = stand).is_some()
    }

    pub(super) fn stand(&self, code: &str, client: &str) -> Option<Device> {
        self.0.lock().devices.get(code).filter(|device| device.client == client).cloned()
    }

    pub(super) fn code(&self, code: Code) -> String {
        let mut inner = self.0.lock();
        let name = inner.name("code");
        inner.codes.insert(name.clone(), code);
        name
    }

    /// Takes a code; its verifier has to fit.
    pub(super) fn take(&self, code: &str, verifier: &str) -> Option<Code> {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let code = self.0.lock().codes.remove(code)?;
        (URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == code.challenge).then_some(code)
    }

    pub(super) fn log_in(&self, owner: &Owner, client: &str) -> Pair {
        let mut inner = self.0.lock();
        inner.counts.logins += 1;
        inner.devices.retain(|_, device| device.client != client || client == "kiro-cli");
        inner.pair(owner, client)
    }

    /// New tokens for a refresh token, which is used up by it.
    pub(super) fn refresh(&self, token: &str, client: &str) -> Option<(Owner, Pair)> {
        let mut inner = self.0.lock();
        if inner.spent.contains(token) {
            inner.counts.reuses += 1;
            return None;
        }
        let (owner, of) = inner.refresh.get(token).cloned()?;
        if of != client {
            return None;
        }
        inner.refresh.remove(token);
        inner.spent.insert(token.to_owned());
        inner.counts.refreshes += 1;
        let pair = inner.pair(&owner, client);
        Some((owner, pair))
    }

    pub(super) fn owner(&self, access: &str) -> Option<Owner> {
        self.0.lock().access.get(access).cloned()
    }
}
