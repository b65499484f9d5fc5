//! Event streams, read strictly: what byok writes must be read by every client, also by the simplest.

use serde_json::Value;

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// The `event:` line, if there is one.
    pub name: Option<String>,
    /// The `data:` line.
    pub data: String,
}

impl Event {
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.data).map_err(|error| format!("{error}: {}", self.data))
    }
}

/// The events of a stream. Comments are left out. Every event must have exactly one `data:` line, `event:` must stand
/// before it, there is no `id:`, and the stream ends with a blank line.
pub fn events(bytes: &[u8]) -> Result<Vec<Event>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("a stream that is no UTF-8: {error}"))?;
    let text = text.replace("\r\n", "\n");
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err(format!("the stream does not end with a blank line: …{:?}", tail(&text)));
    }
    let mut events = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.trim_matches('\n').is_empty()) {
        let (mut name, mut data) = (None, None);
        for line in block.lines().filter(|line| !line.starts_with(':') && !line.is_empty()) {
            if let Some(value) = line.strip_prefix("event: ") {
                if name.replace(value.to_owned()).is_some() || data.is_some() {
                    return Err(format!("`event:` must stand once and before `data:`: {block:?}"));
                }
            } else if let Some(value) = line.strip_prefix("data: ") {
                if data.replace(value.to_owned()).is_some() {
                    return Err(format!("two `data:` lines in one event: {block:?}"));
                }
            } else {
                return Err(format!("a line that some client cannot read: {line:?}"));
            }
        }
        match data {
            Some(data) => events.push(Event { name, data }),
            None if name.is_some() => return Err(format!("an event without data: {block:?}")),
            None => {}
        }
    }
    Ok(events)
}

fn tail(text: &str) -> String {
    let mut tail: Vec<char> = text.chars().rev().take(80).collect();
    tail.reverse();
    tail.into_iter().collect()
}
