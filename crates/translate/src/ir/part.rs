use super::{Extra, Family, Tool};
use crate::Json;
use byok_types::{Dialect, Effort};

/// One piece of content, in requests and answers alike.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Visible text.
    Text(Text),
    /// The model declines.
    Refusal(Refusal),
    /// A picture.
    Image(Image),
    /// A PDF, a text file or another document.
    Document(Document),
    /// A search result that the client supplies (Messages `search_result`).
    SearchResult(SearchResult),
    /// Sound, in either direction.
    Audio(Audio),
    /// Moving pictures.
    Video(Video),
    /// Reasoning, visible or sealed.
    Thinking(Thinking),
    /// The model calls a tool that the client runs.
    ToolCall(ToolCall),
    /// What a tool answered.
    ToolResult(ToolResult),
    /// The vendor runs a tool of its own.
    ServerCall(ServerCall),
    /// What the vendor's tool answered.
    ServerResult(ServerResult),
    /// A file put into the vendor's container (Messages).
    ContainerUpload(ContainerUpload),
    /// A sealed summary of an earlier part of the conversation.
    Compaction(Compaction),
    /// Tools or settings changed in the middle of a conversation.
    ConfigChange(ConfigChange),
    /// Anything else, verbatim.
    Opaque(Opaque),
}

impl Part {
    /// A plain text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::new(text))
    }
}

/// Asks the vendor to cache the prompt up to here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CacheHint {
    /// Wanted lifetime in the vendor's word (`5m`, `1h`, `30m`, `12h`).
    pub ttl: Option<String>,
    /// Further members (Messages `scope`).
    pub extra: Extra,
}

/// What a sealed blob was attached to at its vendor, so that it returns to the same place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BlobSlot {
    /// A reasoning block or item.
    #[default]
    Thinking,
    /// A reasoning block whose text the vendor hides (Messages `redacted_thinking`).
    Redacted,
    /// A function call (Gemini).
    Call,
    /// A text part (Gemini).
    Text,
}

/// A signature or encrypted reasoning of a vendor. Never read, only carried, and only ever sent back to its own family.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Blob {
    /// Who made it.
    pub family: Family,
    /// The account that it is bound to, as a short hash, where the vendor binds it.
    pub account: Option<String>,
    /// What it was attached to.
    pub slot: BlobSlot,
    /// The vendor's text, unchanged.
    pub data: String,
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({}, {:?}, {} bytes)", self.family.name(), self.slot, self.data.len())
    }
}

/// Visible text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// The text; may be empty in requests.
    pub text: String,
    /// Sources of statements in it.
    pub citations: Vec<Citation>,
    /// Log probabilities in the vendor's shape (a list of token records).
    pub logprobs: Option<Json>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// Signature on the text (Gemini).
    pub blob: Option<Blob>,
    /// Unknown fields.
    pub extra: Extra,
}

impl Text {
    /// Text and nothing else.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// The model declines, in words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// The words.
    pub text: String,
    /// Unknown fields.
    pub extra: Extra,
}

/// Where the bytes of a picture, document, sound or film are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// In the request. `data` is standard base64 with padding.
    Base64 {
        /// Media type as stated, or as recognised from the first bytes where the statement was wrong.
        media_type: String,
        /// The bytes in base64.
        data: String,
    },
    /// At an address (http, https, gs, a vendor's file URI).
    Url {
        /// The address.
        url: String,
        /// Media type, if stated.
        media_type: Option<String>,
    },
    /// In the vendor's file store.
    FileId(String),
    /// Plain text (Messages document of type text).
    Text(String),
    /// Parts (Messages document of type content).
    Parts(Vec<Part>),
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Where it is.
    pub source: Source,
    /// Wanted resolution in the vendor's word (`low`, `high`, `auto`, `original`).
    pub detail: Option<String>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// Unknown fields.
    pub extra: Extra,
}

/// A document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where it is.
    pub source: Source,
    /// File name.
    pub filename: Option<String>,
    /// Title (Messages).
    pub title: Option<String>,
    /// What it is about (Messages).
    pub context: Option<String>,
    /// Whether the model shall cite from it (Messages).
    pub citations: Option<bool>,
    /// Wanted resolution (Responses).
    pub detail: Option<String>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// Unknown fields.
    pub extra: Extra,
}

/// A search result that the client supplies.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResult {
    /// Where it comes from.
    pub source: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub content: Vec<Part>,
    /// Whether the model shall cite from it.
    pub citations: Option<bool>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// Unknown fields.
    pub extra: Extra,
}

/// Sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio {
    /// Where it is; absent in a reference to earlier output by id.
    pub source: Option<Source>,
    /// Format in the vendor's word (`wav`, `mp3`, `pcm16`).
    pub format: Option<String>,
    /// Id of generated sound (Chat).
    pub id: Option<String>,
    /// What is said in it.
    pub transcript: Option<String>,
    /// When the vendor forgets it, Unix seconds.
    pub expires_at: Option<i64>,
    /// Unknown fields.
    pub extra: Extra,
}

/// A film.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    /// Where it is.
    pub source: Source,
    /// Offsets and frame rate (Gemini `videoMetadata`).
    pub metadata: Option<Json>,
    /// Unknown fields.
    pub extra: Extra,
}

/// Reasoning of the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thinking {
    /// Paragraphs of a summary, or the one text of a thinking block. May be empty when only the blob matters.
    pub summary: Vec<String>,
    /// Paragraphs of raw reasoning (Responses `content`, open models).
    pub raw: Vec<String>,
    /// Whether the vendor hides the text (Messages `redacted_thinking`); the blob is then all there is.
    pub redacted: bool,
    /// Signature or encrypted content.
    pub blob: Option<Blob>,
    /// Id of the item (Responses).
    pub id: Option<String>,
    /// Status of the item (Responses).
    pub status: Option<String>,
    /// Unknown fields.
    pub extra: Extra,
}

impl Thinking {
    /// Whether a seal was on reasoning whose text its vendor hides.
    pub fn is_hidden(blob: Option<&Blob>) -> bool {
        blob.is_some_and(|blob| blob.slot == BlobSlot::Redacted)
    }

    /// The text as one: summary if there is one, else the raw reasoning; paragraphs joined by a blank line.
    pub fn text(&self) -> String {
        let paragraphs = if self.summary.is_empty() { &self.raw } else { &self.summary };
        paragraphs.join("\n\n")
    }
}

/// How a tool takes its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// A JSON object by a schema.
    #[default]
    Function,
    /// Free text, possibly by a grammar (Chat and Responses `custom`).
    Custom,
    /// A JSON object, in an item of its own: a search among the tools of the client (Responses `tool_search_call`).
    ToolSearch,
    /// A JSON object, in an item of its own: a command for the client's shell (Responses `local_shell_call`).
    LocalShell,
}

/// The model calls a tool of the client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    /// Id that the result refers to.
    pub call_id: String,
    /// Id of the item (Responses `fc_…`, `ctc_…`).
    pub item_id: Option<String>,
    /// Name of the tool, in the client's words.
    pub name: String,
    /// Namespace of the tool (Responses).
    pub namespace: Option<String>,
    /// How the tool takes its input.
    pub flavour: Flavour,
    /// The input as text: JSON for `Function` (verbatim, possibly cut off or invalid), the free text for `Custom`.
    pub arguments: String,
    /// Who called (Messages and Responses `caller`), verbatim.
    pub caller: Option<Json>,
    /// Signature on the call (Gemini).
    pub blob: Option<Blob>,
    /// Status of the item (Responses); `incomplete` for a call that was cut off.
    pub status: Option<String>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// Unknown fields.
    pub extra: Extra,
}

/// What a tool answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolResult {
    /// The call that it answers.
    pub call_id: String,
    /// Name of the tool, where the dialect states it.
    pub name: Option<String>,
    /// Flavour of the call that it answers.
    pub flavour: Flavour,
    /// The answer: text, images, documents, search results.
    pub parts: Vec<Part>,
    /// The answer as the JSON object that was sent (Gemini `response`); `parts` says the same as text.
    pub object: Option<Json>,
    /// Whether the tool failed.
    pub is_error: Option<bool>,
    /// Id of the item (Responses).
    pub item_id: Option<String>,
    /// Status of the item (Responses).
    pub status: Option<String>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// Unknown fields.
    pub extra: Extra,
}

/// A kind of tool that the vendor runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerTool {
    /// Search of the web.
    WebSearch,
    /// Fetch of a page.
    WebFetch,
    /// Code, shell or file commands in the vendor's sandbox.
    CodeExecution,
    /// Search in the vendor's file store.
    FileSearch,
    /// Pictures.
    ImageGeneration,
    /// A remote MCP server.
    Mcp,
    /// Control of a computer or browser.
    Computer,
    /// Search among deferred tools.
    ToolSearch,
    /// Anything else.
    Other,
}

/// The vendor runs a tool of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerCall {
    /// Id that the result refers to.
    pub id: String,
    /// Kind of tool.
    pub tool: ServerTool,
    /// The vendor's name or item type.
    pub name: String,
    /// Input as JSON (`{"query": …}` for a web search).
    pub input: Json,
    /// Status in the vendor's word.
    pub status: Option<String>,
    /// The block or item as it was sent, for targets of the same dialect.
    pub verbatim: Option<Opaque>,
}

/// One hit of a web search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchHit {
    /// Address.
    pub url: String,
    /// Title.
    pub title: Option<String>,
    /// Age in the vendor's words.
    pub page_age: Option<String>,
    /// Sealed content (Messages); valid only at its vendor.
    pub encrypted_content: Option<String>,
}

/// What the vendor's tool answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerResult {
    /// The call that it answers.
    pub call_id: String,
    /// Kind of tool.
    pub tool: ServerTool,
    /// Hits of a search.
    pub hits: Vec<SearchHit>,
    /// Output as text, where the tool has one.
    pub output: Option<String>,
    /// The vendor's error code, if the tool failed.
    pub error_code: Option<String>,
    /// The block or item as it was sent, for targets of the same dialect.
    pub verbatim: Option<Opaque>,
}

/// A file put into the vendor's container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerUpload {
    /// The file.
    pub file_id: String,
    /// Unknown fields.
    pub extra: Extra,
}

/// A sealed summary of an earlier part of the conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Compaction {
    /// Readable summary, where the vendor gives one.
    pub summary: Option<String>,
    /// Sealed summary.
    pub blob: Option<Blob>,
    /// The block or item as it was sent.
    pub verbatim: Opaque,
}

/// Tools or settings changed in the middle of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigChange {
    /// Tools that can be called from here on.
    pub tools_added: Vec<Tool>,
    /// Names of tools that can no longer be called.
    pub tools_removed: Vec<String>,
    /// New reasoning effort.
    pub effort: Option<Effort>,
    /// The block or item as it was sent; `None` where another part of the message carries it.
    pub verbatim: Option<Opaque>,
}

impl ConfigChange {
    /// The block or item, if it is one of `dialect`.
    pub fn own(&self, dialect: Dialect) -> Option<&Opaque> {
        self.verbatim.as_ref().filter(|block| block.dialect == dialect)
    }
}

/// A block or item that byok does not know, verbatim. It is only ever written in its own dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct Opaque {
    /// The dialect that it belongs to.
    pub dialect: Dialect,
    /// The whole JSON value.
    pub json: Json,
}

/// Where a statement comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Citation {
    /// Kind and place of the source.
    pub place: CitationPlace,
    /// Title of the source.
    pub title: Option<String>,
    /// The words that are cited.
    pub cited_text: Option<String>,
    /// First character of the statement within its text part.
    pub start: Option<u64>,
    /// One past the last character of the statement within its text part.
    pub end: Option<u64>,
    /// The citation as it was sent, for targets of the same dialect.
    pub verbatim: Option<Opaque>,
}

/// The source of a citation.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum CitationPlace {
    /// A web page.
    Web {
        /// Its address.
        url: String,
        /// Sealed index (Messages).
        encrypted_index: Option<String>,
    },
    /// A document of the request, by position.
    Document {
        /// Which document.
        index: u64,
        /// First character, page or block.
        from: Option<u64>,
        /// One past the last.
        to: Option<u64>,
    },
    /// A file of the vendor's store.
    File {
        /// Its id.
        file_id: String,
        /// Its name.
        filename: Option<String>,
    },
    /// Known only verbatim.
    #[default]
    Other,
}
