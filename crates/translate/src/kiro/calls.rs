//! Calls of tools while they come in: pieces are told apart by the id of their call.

use serde_json::Value;

/// What a call is given, as far as it has come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Input {
    text: String,
    /// Whether it came as an object, which is all of it.
    whole: bool,
}

/// A whole input that is not the one of which a part was said already.
#[derive(Debug)]
pub(super) struct Contradiction;

impl Input {
    /// Takes the next piece and says what is new. It is a piece of JSON text, or an object, which stands for everything.
    pub(super) fn take(&mut self, piece: &Value) -> Result<String, Contradiction> {
        match piece {
            Value::String(more) if !self.whole => {
                self.text.push_str(more);
                Ok(more.clone())
            }
            // A call often begins with an object of nothing.
            Value::Object(members) if !members.is_empty() => {
                let all = piece.to_string();
                self.whole = true;
                if serde_json::from_str::<Value>(&self.text).is_ok_and(|said| said == *piece) {
                    return Ok(String::new());
                }
                let new = all.strip_prefix(&self.text).map(str::to_owned);
                self.text = all;
                new.ok_or(Contradiction)
            }
            _ => Ok(String::new()),
        }
    }

    /// Whether it can be all: an object. Nothing is an object of nothing.
    pub(super) fn may_be_all(&self) -> bool {
        self.is_empty() || self.is_object()
    }

    /// Whether it is an object to its end.
    pub(super) fn is_object(&self) -> bool {
        serde_json::from_str::<Value>(&self.text).is_ok_and(|input| input.is_object())
    }

    fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

/// What came while a call was not over.
#[derive(Debug)]
pub(super) enum Waiting {
    /// Another call.
    Call { id: String, name: String, input: Input, over: bool },
    /// Something that was said or thought.
    Said(&'static str, Value),
}

impl Waiting {
    /// The call of this id among those that wait, which begins to wait if it is new.
    pub(super) fn add(list: &mut Vec<Self>, payload: &Value, id: &str) {
        let told = payload["name"].as_str().unwrap_or_default();
        let is_it = |one: &Self| matches!(one, Self::Call { id: waits, .. } if waits == id);
        let place = list.iter().position(is_it).unwrap_or_else(|| {
            let (id, name) = (id.to_owned(), told.to_owned());
            list.push(Self::Call { id, name, input: Input::default(), over: false });
            list.len() - 1
        });
        if let Some(Self::Call { name, input, over, .. }) = list.get_mut(place) {
            if name.is_empty() {
                told.clone_into(name);
            }
            // Nothing of it has been said, so a whole input takes the place of what came before.
            let _ = input.take(&payload["input"]);
            *over |= payload["stop"] == true;
        }
    }
}
