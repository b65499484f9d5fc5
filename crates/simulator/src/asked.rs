//! What a request asks for, in words that fit all dialects. Filled by the dialect that read it.

use bytes::Bytes;
use serde_json::Value;

/// A request as the answer needs to know it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Model as it was written.
    pub(crate) model: String,
    /// Whether a stream was asked for.
    pub(crate) stream: bool,
    /// Text of the last user message.
    pub(crate) text: String,
    /// Results of tools since the last user text.
    pub(crate) results: Vec<ToolAnswer>,
    /// Turns with results of tools since the last user text.
    pub(crate) rounds: usize,
    /// Pictures and files of the last user message.
    pub(crate) media: Vec<Media>,
    /// Declared tools that the client runs.
    pub(crate) tools: Vec<Declared>,
    /// Which tools are to be called.
    pub(crate) choice: Choice,
    /// Whether only one call is wanted in a turn.
    pub(crate) single_call: bool,
    /// Whether the vendor's own web search is declared.
    pub(crate) search: bool,
    /// Declared shape of the answer; `true` for any JSON.
    pub(crate) schema: Option<Value>,
    /// Largest number of tokens of the answer.
    pub(crate) max_tokens: Option<usize>,
    /// Texts at which the answer stops.
    pub(crate) stops: Vec<String>,
    /// Whether thinking is on, and whether it is shown.
    pub(crate) thinking: Thought,
    /// Canonical bytes of the prompt, for the token count and the cache.
    pub(crate) prompt: Bytes,
    /// The prompt by blocks, where only what the request marks is cached (Messages).
    pub(crate) marked: Option<Marked>,
}

/// A prompt without its cache marks, and where its blocks end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marked {
    /// Bytes of all blocks.
    pub(crate) prompt: Bytes,
    /// End of each block, and whether it is marked.
    pub(crate) blocks: Vec<(usize, bool)>,
}

impl Asked {
    /// Tokens of the prompt: four bytes each.
    pub(crate) fn prompt_tokens(&self) -> u64 {
        tokens_of(self.prompt.len())
    }
}

/// Tokens that so many bytes count for.
pub(crate) const fn tokens_of(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

/// The result of a tool, as the client sent it.
#[derive(Clone, Debug)]
pub(crate) struct ToolAnswer {
    /// Name of the tool, or the id of the call where the dialect gives no name.
    pub(crate) name: String,
    /// Text of the result.
    pub(crate) text: String,
}

/// A picture or file that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    /// `image/png`, or `file` where no type is stated.
    pub(crate) media_type: String,
    /// Size after decoding; `None` for a link.
    pub(crate) bytes: Option<usize>,
}

/// A tool that the client runs.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    /// Name as the model must write it.
    pub(crate) name: String,
    /// Namespace (Responses).
    pub(crate) namespace: Option<String>,
    /// Whether its input is free text.
    pub(crate) free: bool,
    /// JSON Schema of its arguments.
    pub(crate) schema: Value,
}

/// Which tools are to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    /// As the model likes.
    #[default]
    Auto,
    /// None.
    Never,
    /// At least one.
    Any,
    /// One of these.
    Named(Vec<String>),
}

/// Whether an answer begins with thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Thought {
    /// No thinking.
    #[default]
    Off,
    /// Thinking whose text is shown.
    Shown,
    /// Thinking of which only the blob is shown.
    Hidden,
}

/// What a conversation comes down to: the last user text and what tools have answered since.
#[derive(Debug, Default)]
pub(crate) struct Dialogue {
    text: String,
    media: Vec<Media>,
    results: Vec<ToolAnswer>,
    rounds: usize,
}

impl Dialogue {
    /// A user turn. A turn that brings results of tools goes on with the question before it, unless its text is a wish
    /// of its own.
    pub(crate) fn user(&mut self, texts: &[String], media: Vec<Media>, results: Vec<ToolAnswer>) {
        let text = chosen(texts);
        if results.is_empty() {
            if text.is_empty() && media.is_empty() {
                return;
            }
            *self = Self { text, media, ..Self::default() };
            return;
        }
        self.rounds += 1;
        self.results = results;
        if text.starts_with("sim:") {
            self.text = text;
            self.rounds = 0;
        }
    }

    /// One more result of the round that is being answered.
    pub(crate) fn result(&mut self, result: ToolAnswer, first_of_round: bool) {
        if first_of_round {
            self.rounds += 1;
            self.results.clear();
        }
        self.results.push(result);
    }

    /// Puts what was found into a request.
    pub(crate) fn fill(self, asked: &mut Asked) {
        asked.text = self.text;
        asked.media = self.media;
        asked.results = self.results;
        asked.rounds = self.rounds;
    }
}

/// The text that counts among those of a turn: the one with a wish, else the last that says anything.
fn chosen(texts: &[String]) -> String {
    let said = || texts.iter().map(|text| text.trim_start());
    said()
        .find(|text| text.starts_with("sim:"))
        .or_else(|| said().rfind(|text| !text.trim().is_empty()))
        .unwrap_or_default()
        .to_owned()
}

impl Media {
    /// As results of tools that hold pictures show it.
    pub(crate) fn in_brackets(&self) -> String {
        format!("[{} of {} bytes]", self.media_type, self.bytes.unwrap_or(0))
    }
}

/// The media type and size of a `data:` URL, or of a link.
pub(crate) fn media_of_url(url: &str) -> Media {
    let Some((head, data)) = url.strip_prefix("data:").and_then(|rest| rest.split_once(',')) else {
        return Media { media_type: url.chars().take(200).collect(), bytes: None };
    };
    let media_type = head.split(';').next().unwrap_or_default().to_owned();
    Media { media_type, bytes: crate::seal::decode_any(data).map(|bytes| bytes.len()) }
}

/// Concatenated JSON of the parts of a request that make up its prompt.
pub(crate) fn prompt_of(body: &Value, members: &[&str]) -> Bytes {
    let mut prompt = Vec::new();
    for member in members {
        if let Some(value) = body.get(member) {
            // Writing JSON to memory cannot fail.
            let _ = serde_json::to_writer(&mut prompt, value);
        }
    }
    prompt.into()
}
