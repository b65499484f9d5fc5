//! Responses that were stored, for `previous_response_id`.

use parking_lot::Mutex;
use serde_json::Value;
use std::collections::VecDeque;

/// Responses kept.
const KEPT: usize = 256;

/// The conversation up to and with a response.
#[derive(Default)]
pub(crate) struct Stored(Mutex<VecDeque<(String, Vec<Value>)>>);

impl Stored {
    /// Keeps the items of a conversation under the id of its last response.
    pub(super) fn keep(&self, id: &str, items: Vec<Value>) {
        let mut stored = self.0.lock();
        if stored.len() == KEPT {
            stored.pop_front();
        }
        stored.push_back((id.to_owned(), items));
    }

    /// Whether an item of this id is stored.
    pub(super) fn has_item(&self, id: &str) -> bool {
        self.0.lock().iter().any(|(_, items)| items.iter().any(|item| item["id"] == id))
    }

    /// The items of the conversation that ended in this response.
    pub(super) fn items(&self, id: &str) -> Option<Vec<Value>> {
        self.0.lock().iter().find(|(known, _)| known == id).map(|(_, items)| items.clone())
    }
}
