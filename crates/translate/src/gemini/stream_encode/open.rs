use crate::{
    Json, custom,
    ir::{Blob, Citation, Flavour},
    shown_reasoning::Reasoning,
};

/// A part that has begun and not ended.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) choice: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Visible text: kept while the part is open, because citations refer to it.
    Text {
        text: String,
        citations: Vec<Citation>,
    },
    Refusal,
    Thinking(Reasoning),
    Call(Box<Call>),
    /// A part that came whole.
    Done,
}

/// A call whose arguments are being collected.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) flavour: Flavour,
    pub(super) arguments: String,
    pub(super) signature: Option<Blob>,
    /// Whether it has all its arguments and only waits for a call before it.
    pub(super) ended: bool,
}

impl Call {
    /// The arguments as an object; `None` if they are no JSON.
    pub(super) fn object(&self) -> Option<Json> {
        if self.flavour == Flavour::Custom {
            return Json::parse(custom::wrap_input(&self.arguments)).ok();
        }
        let text = self.arguments.trim();
        if text.is_empty() || text == "null" {
            return Some(Json::empty_object());
        }
        let json = Json::parse(text).ok()?;
        Some(if json.is_object() {
            json
        } else {
            crate::gemini::fields::object(|fields| fields.json("value", &json))
        })
    }
}
