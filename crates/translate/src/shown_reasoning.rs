//! Reasoning for clients that see it as one text.

/// How far the reasoning of a part has been shown.
#[derive(Debug, Default)]
pub(crate) struct Reasoning {
    paragraph: Option<u32>,
    raw: Option<bool>,
}

impl Reasoning {
    /// The text to show. A summary and the raw reasoning say the same: the kind that came first is shown.
    pub(crate) fn next(&mut self, text: String, paragraph: u32, raw: bool) -> Option<String> {
        if *self.raw.get_or_insert(raw) != raw || text.is_empty() {
            return None;
        }
        let follows = self.paragraph.replace(paragraph).is_some_and(|earlier| earlier != paragraph);
        Some(if follows { format!("\n\n{text}") } else { text })
    }
}
