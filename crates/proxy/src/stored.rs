//! Answers of `POST /v1/responses` that are kept for `previous_response_id` and references to items: in memory, as much and as long as the settings
//! say, and each only for the client key that asked for it.

use crate::app::Current;
use axum::{body::Body, response::Response};
use byok_provider::{
    executor::{Outbound, OutboundBody},
    state::State,
};
use byok_translate::responses::stored::{
    Left, References, Said, Watch, continued, joined, not_found, too_long,
};
use byok_types::{ClientKeyId, Dialect, Failure};
use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// How much is kept, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes: usize,
    pub(crate) count: usize,
    pub(crate) ttl: Duration,
}

impl Bounds {
    /// Those of the settings; `None` if nothing is to be kept.
    pub(crate) fn of(current: &Current) -> Option<Self> {
        let settings = &current.state.config.stored_responses;
        settings.enabled.then_some(Self {
            bytes: settings.max_bytes,
            count: settings.max_count,
            ttl: settings.ttl,
        })
    }
}

/// Whose response it is, and its id.
type Key = (Option<ClientKeyId>, String);

/// A response and the conversation that it ended.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The response as it was sent.
    pub(crate) response: String,
    /// Items of the request, those of earlier responses included, with commas between them.
    pub(crate) input: String,
    /// Items of the answer, as the next request repeats them.
    output: String,
    at: Instant,
}

impl Kept {
    fn size(&self) -> usize {
        self.response.len() + self.input.len() + self.output.len()
    }
}

/// The kept responses, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    kept: HashMap<Key, Arc<Kept>>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl Inner {
    fn take(&mut self, key: &Key) -> bool {
        let Some(kept) = self.kept.remove(key) else { return false };
        self.bytes -= kept.size();
        self.order.retain(|other| other != key);
        true
    }

    fn tidy(&mut self, bounds: Bounds, now: Instant) {
        while let Some(key) = self.order.front().cloned() {
            let old = self.kept.get(&key).is_none_or(|kept| now.duration_since(kept.at) >= bounds.ttl);
            if !old && self.bytes <= bounds.bytes && self.order.len() <= bounds.count {
                return;
            }
            self.take(&key);
        }
    }
}

impl Shelf {
    /// Keeps a response. One that is larger than all together may be is not kept, and drives no other out.
    fn put(&self, key: Key, kept: Kept, bounds: Bounds) {
        let mut inner = self.0.lock();
        inner.take(&key);
        if kept.size() > bounds.bytes {
            return;
        }
        inner.bytes += kept.size();
        let now = kept.at;
        inner.order.push_back(key.clone());
        inner.kept.insert(key, Arc::new(kept));
        inner.tidy(bounds, now);
    }

    /// A response.
    pub(crate) fn get(&self, key: &Key, bounds: Bounds) -> Option<Arc<Kept>> {
        let mut inner = self.0.lock();
        inner.tidy(bounds, Instant::now());
        inner.kept.get(key).cloned()
    }

    /// All responses of one owner, the newest first.
    fn of(&self, owner: Option<&ClientKeyId>, bounds: Bounds) -> Vec<Arc<Kept>> {
        let mut inner = self.0.lock();
        inner.tidy(bounds, Instant::now());
        let own = inner.order.iter().rev().filter(|(of, _)| of.as_ref() == owner);
        own.filter_map(|key| inner.kept.get(key).cloned()).collect()
    }

    /// Forgets a response; whether there was one.
    pub(crate) fn remove(&self, key: &Key) -> bool {
        self.0.lock().take(key)
    }

    /// Forgets what has expired, and what is more than may be kept.
    pub(crate) fn expire(&self, bounds: Bounds, now: Instant) {
        self.0.lock().tidy(bounds, now);
    }

    /// Forgets everything: nothing is to be kept any more.
    pub(crate) fn clear(&self) {
        *self.0.lock() = Inner::default();
    }

    /// Keeps items without an answer, so that a later request can go on from them.
    pub(crate) fn remember(&self, key: Key, input: String, bounds: Bounds) {
        let kept = Kept { response: String::new(), input, output: String::new(), at: Instant::now() };
        self.put(key, kept, bounds);
    }
}

/// A shelf with what holds for one request.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) bounds: Bounds,
    pub(crate) owner: Option<ClientKeyId>,
}

impl Place {
    /// The response of this id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Kept>> {
        self.shelf.get(&(self.owner.clone(), id.to_owned()), self.bounds)
    }

    /// Looks for items that a request refers to in all that is kept.
    fn look_for(&self, references: &mut References) {
        for kept in self.shelf.of(self.owner.as_ref(), self.bounds) {
            if references.are_found() {
                return;
            }
            references.look_in(&kept.response, &kept.input);
        }
    }
}

/// A request whose conversation is known.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The body to serve.
    pub(crate) body: Bytes,
    /// The model it names.
    pub(crate) model: String,
    /// Items of the whole conversation.
    pub(crate) input: String,
    /// Whether the client lets the answer be kept.
    pub(crate) store: bool,
    /// Whether the whole conversation is known.
    pub(crate) whole: bool,
    /// The kept response that it goes on from.
    pub(crate) previous: Option<String>,
}

/// Puts the earlier conversation before what the request says, and items into the place of references to them; the first
/// place that knows them counts.
pub(crate) fn resolve(body: Bytes, places: &[Place], state: &State) -> Result<Resolved, Failure> {
    let Said { model, previous, store, items } = Said::of(&body)?;
    let limit = state.config.limits.body;
    let mut references = References::of(&items);
    if let Some(references) = &mut references {
        for place in places {
            place.look_for(references);
        }
    }
    let items = match references.map(|references| references.settle(&items, limit)) {
        None if previous.is_none() => {
            return Ok(Resolved { body, model, input: items, store, whole: true, previous: None });
        }
        None => items,
        Some(Ok(items)) => items,
        // The vendor may know them.
        Some(Err(_)) if vendor_keeps(state, &model) => {
            return Ok(Resolved { body, model, input: items, store, whole: false, previous: None });
        }
        Some(Err(failure)) => return Err(failure),
    };
    let Some(id) = previous else {
        let body = continued(&body, "", &items)?;
        return Ok(Resolved { body, model, input: items, store, whole: true, previous: None });
    };
    let Some(kept) = places.iter().find_map(|place| place.find(&id)) else {
        // The vendor may know what was stored there.
        if vendor_keeps(state, &model) {
            return Ok(Resolved { body, model, input: items, store, whole: false, previous: None });
        }
        return Err(not_found(&id));
    };
    let earlier = joined(&kept.input, &kept.output);
    let input = joined(&earlier, &items);
    if input.len() > limit {
        return Err(too_long("previous_response_id", input.len(), limit));
    }
    let body = continued(&body, &earlier, &items)?;
    Ok(Resolved { body, model, input, store, whole: true, previous: Some(id) })
}

/// Whether the first who would serve the model is a vendor that stores responses itself.
fn vendor_keeps(state: &State, model: &str) -> bool {
    state.registry.resolve(model).is_ok_and(|candidates| {
        candidates.first().is_some_and(|first| {
            first.facts.first_party && first.dialect(Dialect::Responses) == Dialect::Responses
        })
    })
}

/// Keeps an answer on its way to the client.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// Everywhere where it is kept.
    pub(crate) places: Vec<Place>,
    pub(crate) input: String,
}

impl Keeper {
    fn keep(&self, left: &Left) {
        for place in &self.places {
            let kept = Kept {
                response: left.response.clone(),
                input: self.input.clone(),
                output: left.items.clone(),
                at: Instant::now(),
            };
            place.shelf.put((place.owner.clone(), left.id.clone()), kept, place.bounds);
        }
    }

    /// The answer, watched.
    pub(crate) fn watch(self, answer: Outbound) -> Response {
        let Outbound { status, headers, body } = answer;
        let whole = match &body {
            OutboundBody::Whole(whole) => Left::of(whole.bytes()),
            _ => None,
        };
        let body = match whole {
            _ if status != StatusCode::OK || self.places.is_empty() => Body::new(body),
            Some(left) => {
                self.keep(&left);
                Body::new(body)
            }
            None => {
                let limit = self.places.iter().map(|place| place.bounds.bytes).max().unwrap_or_default();
                Body::new(Watched { body, watch: Watch::new(limit), keeper: self })
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// A streamed answer that is kept when its end goes by.
#[derive(Debug)]
struct Watched {
    body: OutboundBody,
    watch: Watch,
    keeper: Keeper,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = <OutboundBody as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && let Some(left) = this.watch.push(data)
        {
            // Before the client has it: it may go on at once.
            this.keeper.keep(&left);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
