//! The intermediate representation: the union of what the four dialects can say, in our words.
//!
//! Decoders keep the structure that was sent (order, item boundaries, unknown fields); whatever a target dialect demands
//! of turn order or shape is the business of its encoder. Tool arguments, schemas and extras are JSON *text*, so that big
//! integers, number spelling and key order survive. Nothing here knows a wire format: there are no serde attributes.

mod event;
mod extra;
mod fold;
mod message;
mod part;
mod reasoning;
mod request;
mod response;
mod tool;

pub use event::{Delta, Event, PartHead, PartId, Start};
pub use extra::Extra;
pub use fold::{Fold, unfold};
pub use message::{Message, Role};
pub use part::{
    Audio, Blob, BlobSlot, CacheHint, Citation, CitationPlace, Compaction, ConfigChange, ContainerUpload,
    Document, Flavour, Image, Opaque, Part, Refusal, SearchHit, SearchResult, ServerCall, ServerResult,
    ServerTool, Source, Text, Thinking, ToolCall, ToolResult, Video,
};
pub use reasoning::{Reasoning, ThinkingSwitch, Visibility};
pub use request::{
    CacheOptions, ConversationState, EndUser, MaxTokens, MaxTokensSpelling, OutputFormat, Request, Sampling,
    StreamOptions,
};
pub use response::{Choice, Response, Stop, StopReason};
pub use tool::{
    CustomFormat, CustomTool, FunctionTool, HostedTool, NamedTool, Tool, ToolChoice, TypedTool, WebSearch,
};

pub use byok_types::{Effort, Failure, Family, Usage};
