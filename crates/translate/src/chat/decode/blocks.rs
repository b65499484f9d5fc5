//! Blocks of the Messages dialect in a Chat message: some editors send their history that way.

use super::parts::{At, empty_document, hint, parts};
use crate::{
    chat::body::{BodyCache, Content, InputText},
    ir::{Document, Extra, Failure, Image, Part, Source, ToolCall, ToolResult},
    media,
    wire::wire,
};

wire! {
    pub(super) struct Block {
        "type" => kind: Option<String>,
        "id" => id: Option<String>,
        "name" => name: Option<String>,
        "input" => input: InputText,
        "tool_use_id" => tool_use_id: Option<String>,
        "content" => content: Content,
        "is_error" => is_error: Option<bool>,
        "source" => source: Option<BlockSource>,
        "title" => title: Option<String>,
        "cache_control" => cache_control: Option<BodyCache>,
    }
}

wire! {
    pub(super) struct BlockSource {
        "type" => kind: Option<String>,
        "media_type" => media_type: Option<String>,
        "data" => data: Option<String>,
        "url" => url: Option<String>,
    }
}

/// The part that a block stands for; `None` if it says too little.
pub(super) fn part(block: Block, at: At) -> Result<Option<Part>, Failure> {
    let cache = hint(block.cache_control, None);
    Ok(match block.kind.as_deref() {
        Some("tool_use") => block.name.map(|name| {
            Part::ToolCall(ToolCall {
                call_id: block.id.unwrap_or_default(),
                name,
                arguments: block.input.0,
                cache,
                ..ToolCall::default()
            })
        }),
        Some("tool_result") => match block.tool_use_id {
            Some(call_id) => Some(Part::ToolResult(ToolResult {
                call_id,
                parts: parts(block.content, at.message)?,
                is_error: block.is_error,
                cache,
                ..ToolResult::default()
            })),
            None => None,
        },
        Some("image") => block
            .source
            .and_then(block_source)
            // Words under the name of a picture are none.
            .filter(|source| !matches!(source, Source::Text(_) | Source::Parts(_)))
            .map(|source| Part::Image(Image { source, detail: None, cache, extra: Extra::default() })),
        Some("document") => block
            .source
            .and_then(block_source)
            .map(|source| Part::Document(Document { source, title: block.title, cache, ..empty_document() })),
        _ => None,
    })
}

fn block_source(source: BlockSource) -> Option<Source> {
    match (source.kind.as_deref()?, source.data, source.url) {
        ("base64", Some(data), _) => {
            Some(media::base64_source(source.media_type.as_deref().unwrap_or("image/png"), data))
        }
        ("text", Some(data), _) => Some(Source::Text(data)),
        ("url", _, Some(url)) => Some(Source::Url { url, media_type: source.media_type }),
        _ => None,
    }
}
