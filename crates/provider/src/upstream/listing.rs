//! Asking for a list of models where address and headers are those of any other call.

use super::{Ask, Lookup, Operation, Token, Upstream};
use byok_translate::codec;
use byok_types::Dialect;
use http::HeaderMap;

/// The call that asks for the list.
pub(super) fn ask(upstream: &impl Upstream, base: &str, token: &Token, dialect: Dialect) -> Option<Lookup> {
    let operation = Operation::Models;
    let ask = Ask { operation, dialect, model: "", client: None, needed: &[], claims: &[] };
    let mut headers = HeaderMap::new();
    upstream.headers(&ask, token, &mut headers);
    Some(Lookup::get(upstream.url(base, &ask).ok()?, headers))
}

/// The call that asks for the page behind `page`, if there is one.
pub(super) fn ask_more(dialect: Dialect, before: &Lookup, page: &[u8]) -> Option<Lookup> {
    let (name, value) = codec::next_models(dialect, page)?;
    let mut next = before.clone();
    let others = before.url.query_pairs().filter(|(known, _)| known != name);
    next.url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, &value);
    Some(next)
}
