//! Pictures and documents that a client names by address, for an upstream that takes only their bytes.
//!
//! Nothing is fetched unless `media.fetch_remote` is on; a body that passes through unchanged never comes here.

use base64::{Engine, engine::general_purpose::STANDARD};
use byok_config::Config;
use byok_translate::{Address, addresses, ir::Request};
use byok_transport::{FetchError, Fetched, Fetcher};
use byok_types::{Blame, Dialect, Failure, FailureKind, Fault, ModelFacts};
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

/// Most addresses that are fetched for one request.
const MOST: usize = 20;
/// How many of them are fetched at the same time.
const AT_ONCE: usize = 4;

/// Gets what is at an address. A trait, so that tests need no network.
pub(super) trait Fetch: Send + Sync {
    fn fetch<'a>(
        &'a self,
        url: &'a str,
        ca_files: &'a [PathBuf],
    ) -> BoxFuture<'a, Result<Fetched, FetchError>>;
}

impl Fetch for Fetcher {
    fn fetch<'a>(
        &'a self,
        url: &'a str,
        ca_files: &'a [PathBuf],
    ) -> BoxFuture<'a, Result<Fetched, FetchError>> {
        Box::pin(Self::fetch(self, url, ca_files))
    }
}

/// The fetches of one request. What one candidate needed is there for the next.
pub(super) struct Remote<'a> {
    fetch: &'a dyn Fetch,
    ca_files: &'a [PathBuf],
    /// Most bytes in base64: as many as the client could have sent itself.
    limit: usize,
    found: HashMap<String, Media>,
}

struct Media {
    media_type: &'static str,
    base64: String,
}

impl<'a> Remote<'a> {
    /// `None` unless the config allows fetches.
    pub(super) fn allowed(fetch: &'a dyn Fetch, config: &'a Config) -> Option<Self> {
        config.media.fetch_remote.then(|| Self {
            fetch,
            ca_files: &config.ca_files,
            limit: config.limits.body,
            found: HashMap::new(),
        })
    }

    /// Replaces the addresses that an upstream of `dialect` cannot be given by what is there.
    ///
    /// # Errors
    /// A failure that names the field, for the first address that cannot be fetched or shown.
    pub(super) async fn bring(
        &mut self,
        request: &mut Request,
        dialect: Dialect,
        facts: &ModelFacts,
    ) -> Result<(), Failure> {
        let addresses = addresses(request, dialect, facts);
        if addresses.is_empty() {
            return Ok(());
        }
        self.fetch_all(&addresses).await?;
        let mut total = 0;
        for address in addresses {
            let Some(media) = self.found.get(&address.url) else { continue };
            total += media.base64.len();
            if total > self.limit {
                return Err(too_large(&address.field, self.limit));
            }
            if address.picture && !media.media_type.starts_with("image/") {
                let field = address.field;
                let message = format!(
                    "`{field}` is said to be a picture, but at its address is `{}`. Send it as a document.",
                    media.media_type
                );
                return Err(Failure::bad_request(field, message));
            }
            address.replace(media.media_type, media.base64.clone());
        }
        Ok(())
    }

    async fn fetch_all(&mut self, addresses: &[Address<'_>]) -> Result<(), Failure> {
        let mut seen = HashSet::new();
        let mut fetches = Vec::new();
        for address in addresses {
            if self.found.contains_key(&address.url) || !seen.insert(address.url.as_str()) {
                continue;
            }
            if self.found.len() + fetches.len() == MOST {
                return Err(too_many(&address.field));
            }
            fetches.push(get(self.fetch, self.ca_files, address));
        }
        let mut size = 0;
        let mut fetches = stream::iter(fetches).buffered(AT_ONCE);
        while let Some((address, media)) = fetches.try_next().await? {
            size += media.base64.len();
            if size > self.limit {
                return Err(too_large(&address.field, self.limit));
            }
            self.found.insert(address.url.clone(), media);
        }
        Ok(())
    }
}

async fn get<'a, 'r>(
    fetch: &dyn Fetch,
    ca_files: &[PathBuf],
    address: &'a Address<'r>,
) -> Result<(&'a Address<'r>, Media), Failure> {
    match fetch.fetch(&address.url, ca_files).await {
        Ok(Fetched { media_type, bytes }) => {
            tracing::debug!(
                field = address.field,
                media_type,
                bytes = bytes.len(),
                "fetched for the upstream"
            );
            Ok((address, Media { media_type, base64: STANDARD.encode(&bytes) }))
        }
        Err(error) => Err(not_fetched(&address.field, &error)),
    }
}

fn not_fetched(field: &str, error: &FetchError) -> Failure {
    let blame = error.blame();
    let failure = Failure::bad_request(field, format!("`{field}`: {error}."));
    if blame == Blame::Byok {
        return Failure { kind: FailureKind::Server, status: 500, blame, ..failure };
    }
    Failure { blame, ..failure }
}

fn too_many(field: &str) -> Failure {
    let message = format!(
        "`{field}`: byok fetches at most {MOST} addresses for a request. Send further pictures and documents in base64."
    );
    Failure::bad_request(field, message)
}

fn too_large(field: &str, limit: usize) -> Failure {
    let message = format!(
        "`{field}`: with what is at its addresses the request is larger than {limit} bytes (`limits.body` in the \
         config). Send fewer or smaller pictures and documents."
    );
    let failure = Failure::new(FailureKind::PayloadTooLarge, Blame::Client, message);
    Failure { param: Some(field.to_owned()), ..failure }
}

#[cfg(test)]
mod tests;
