//! The ids of items in a stream that gives an item another id in every event. SDKs look an item up by its id and fail.

use crate::scan::{Edit, Scan};
use serde_json::value::RawValue;
use std::{collections::HashMap, ops::Range};

/// The id, as JSON text, that each place of the output was announced under.
#[derive(Debug, Default)]
pub(super) struct ItemIds(HashMap<u64, String>);

impl ItemIds {
    /// The edits that give the items of one event the ids that they had first.
    pub(super) fn edits(&mut self, event: &[u8]) -> Vec<Edit> {
        let Ok(scan) = Scan::of_keys(event, &["item_id", "item", "output_index", "response"]) else {
            return Vec::new();
        };
        if let Some(response) = scan.value("response") {
            return self.output(event, response);
        }
        let place = scan.text(event, "output_index").and_then(|place| place.parse().ok());
        let place = place.zip(scan.value("item_id").or_else(|| id_within(event, scan.value("item")?)));
        place.and_then(|(place, range)| self.edit(event, place, range)).into_iter().collect()
    }

    /// The same for the items of the last event, which has all of them.
    fn output(&mut self, event: &[u8], response: Range<usize>) -> Vec<Edit> {
        let output = || {
            let output = Scan::of_keys(&event[response.clone()], &["output"]).ok()?.value("output")?;
            Some(response.start + output.start..response.start + output.end)
        };
        let Some(output) = output() else { return Vec::new() };
        let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(&event[output]) else { return Vec::new() };
        let start = event.as_ptr().addr();
        let items = items.into_iter().map(|item| {
            let at = item.get().as_ptr().addr() - start;
            id_within(event, at..at + item.get().len())
        });
        (0..).zip(items).filter_map(|(place, range)| self.edit(event, place, range?)).collect()
    }

    fn edit(&mut self, event: &[u8], place: u64, range: Range<usize>) -> Option<Edit> {
        let told = std::str::from_utf8(&event[range.clone()]).ok()?;
        let first = self.0.entry(place).or_insert_with(|| told.to_owned());
        (first != told).then(|| Edit { range, text: first.clone() })
    }
}

/// Where the id of an object stands.
fn id_within(event: &[u8], object: Range<usize>) -> Option<Range<usize>> {
    let id = Scan::of_keys(&event[object.clone()], &["id"]).ok()?.value("id")?;
    Some(object.start + id.start..object.start + id.end)
}
