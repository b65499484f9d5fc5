use byok_config::{ClientKey, Pattern};
use byok_store::ClientKeyRow;
use byok_types::{ClientKeyId, Secret, SecretHash};
use http::{HeaderMap, Uri};
use subtle::ConstantTimeEq;

/// Longest key that is looked at.
const LONGEST: usize = 256;
/// What some clients send where they have no key for a vendor; it is not a key.
const PLACEHOLDERS: [&str; 2] = ["placeholder", "dummy"];

/// A caller that was let in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// The key it showed; `None` where no key is needed.
    pub(crate) key: Option<ClientKeyId>,
    /// Models it may ask for; empty means all.
    pub(crate) models: Vec<Pattern>,
    /// Whether it may be told which account served it.
    pub(crate) debug: bool,
}

/// The keys that a request shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// The key for byok.
    pub(crate) key: Option<Secret>,
    /// Two places show different keys.
    pub(crate) contradictory: bool,
    /// Whether the key stood in `x-byok-key`; the usual places then hold the caller's own credential for the vendor.
    pub(crate) beside: bool,
}

/// Reads the key of a request from the places where the tools of the four dialects put it.
pub(crate) fn shown(uri: &Uri, headers: &HeaderMap) -> Shown {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(key) = text("x-byok-key").filter(|key| !key.is_empty()) {
        return Shown { key: Some(Secret::new(key)), contradictory: false, beside: true };
    }
    let bearer = text("authorization").map(|value| {
        let (scheme, token) = value.split_once(' ').unwrap_or(("", value));
        if scheme.eq_ignore_ascii_case("bearer") || scheme.is_empty() {
            token.trim().to_owned()
        } else {
            String::new()
        }
    });
    let query = uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("key=")).map(percent_decoded));
    let places = [
        bearer,
        text("x-api-key").map(str::to_owned),
        text("x-goog-api-key").map(str::to_owned),
        text("api-key").map(str::to_owned),
        query,
    ];
    let found =
        places.into_iter().flatten().filter(|key| !key.is_empty() && !PLACEHOLDERS.contains(&key.as_str()));
    let mut shown = Shown::default();
    for key in found {
        match &shown.key {
            None => shown.key = Some(Secret::new(key)),
            Some(first) => shown.contradictory |= first.expose() != key,
        }
    }
    shown
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The keys that open the door: those of the config and those of the store.
#[derive(Debug, Default)]
pub(crate) struct ClientKeys {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    hash: SecretHash,
    id: ClientKeyId,
    models: Vec<Pattern>,
    debug: bool,
    /// Unix time in seconds.
    expires: Option<i64>,
}

impl ClientKeys {
    /// The keys of the config and of the store.
    pub(crate) fn new(config: &[ClientKey], store: &[ClientKeyRow]) -> Self {
        let configured = config.iter().filter_map(|key| {
            let hash = key.key.hash();
            let id = ClientKeyId::new(format!("config-{}", hash.short())).ok()?;
            Some(Entry { hash, id, models: key.models.clone(), debug: key.debug, expires: key.expires })
        });
        let stored = store.iter().filter(|row| row.revoked_at.is_none()).map(|row| Entry {
            hash: row.hash,
            id: row.id.clone(),
            models: row.models.iter().filter_map(|m| Pattern::try_from(m.clone()).ok()).collect(),
            debug: row.debug,
            expires: row.expires_at,
        });
        Self { entries: configured.chain(stored).collect() }
    }

    /// Whether there is no key at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The caller with this key. Every entry is compared, in constant time, whichever matches.
    pub(crate) fn find(&self, key: &Secret, now: i64) -> Option<Caller> {
        if key.expose().len() > LONGEST {
            return None;
        }
        let hash = key.hash();
        let mut found = None;
        for entry in &self.entries {
            if bool::from(entry.hash.0.ct_eq(&hash.0)) {
                found = Some(entry);
            }
        }
        found.filter(|entry| entry.expires.is_none_or(|end| now < end)).map(|entry| Caller {
            key: Some(entry.id.clone()),
            models: entry.models.clone(),
            debug: entry.debug,
        })
    }
}
