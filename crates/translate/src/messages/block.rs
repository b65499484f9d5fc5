//! Reading of content blocks, in requests and answers alike.

use super::{
    citation,
    fields::{Content, Fields, Wrong},
    server, tool,
};
use crate::{
    Json, carrier,
    ir::{
        Blob, BlobSlot, Compaction, ConfigChange, ContainerUpload, Document, Family, Flavour, Image, Part,
        SearchResult, Source, Text, Thinking, ToolCall, ToolResult,
    },
    media,
};

/// Reads one block. Blocks of unknown types, or of known types with unknown sources, are kept verbatim.
pub(super) fn read(mut fields: Fields) -> Result<Part, Wrong> {
    match fields.kind.as_str() {
        "text" => text(fields),
        "image" => image(fields),
        "document" => document(fields),
        "search_result" => search_result(fields),
        "thinking" => {
            let text = fields.string("thinking")?.unwrap_or_default();
            let blob = fields.string("signature")?.and_then(blob);
            let summary = if text.is_empty() { Vec::new() } else { vec![text] };
            let redacted = Thinking::is_hidden(blob.as_ref());
            Ok(Part::Thinking(Thinking {
                summary,
                redacted,
                blob,
                extra: fields.extra(),
                ..Thinking::default()
            }))
        }
        "redacted_thinking" => {
            let mut blob = fields.string("data")?.and_then(blob);
            if let Some(own) = blob.as_mut().filter(|blob| blob.slot == BlobSlot::Thinking) {
                own.slot = BlobSlot::Redacted;
            }
            Ok(Part::Thinking(Thinking {
                redacted: true,
                blob,
                extra: fields.extra(),
                ..Thinking::default()
            }))
        }
        "tool_use" => Ok(Part::ToolCall(ToolCall {
            call_id: fields.required("id")?,
            name: fields.required("name")?,
            flavour: Flavour::Function,
            arguments: fields.take("input").map_or_else(|| "{}".to_owned(), |input| input.get().to_owned()),
            caller: fields.take("caller"),
            cache: fields.cache()?,
            extra: fields.extra(),
            ..ToolCall::default()
        })),
        "tool_result" => tool_result(fields),
        "server_tool_use" | "mcp_tool_use" => Ok(Part::ServerCall(server::call(&fields))),
        "container_upload" => Ok(Part::ContainerUpload(ContainerUpload {
            file_id: fields.required("file_id")?,
            extra: fields.extra(),
        })),
        "compaction" => Ok(Part::Compaction(Compaction {
            summary: fields.get("content").and_then(Json::as_string),
            blob: None,
            verbatim: fields.verbatim(),
        })),
        "tool_addition" | "tool_removal" => Ok(Part::ConfigChange(config_change(&fields))),
        kind if kind.ends_with("_tool_result") => Ok(Part::ServerResult(server::result(&fields))),
        _ => Ok(opaque(&fields)),
    }
}

/// Reads the blocks of a list; a fault names the block.
pub(super) fn read_all(blocks: Vec<Fields>) -> Result<Vec<Part>, Wrong> {
    blocks
        .into_iter()
        .enumerate()
        .map(|(index, block)| read_asked(block).map_err(|wrong| wrong.within(format!("[{index}]"))))
        .collect()
}

/// Reads one block of a request, which must say what it is.
fn read_asked(block: Fields) -> Result<Part, Wrong> {
    if block.kind.is_empty() {
        return Err(Wrong::new("type", "is missing"));
    }
    if block.kind == "text" && !block.has("text") {
        return Err(Wrong::new("text", "is missing"));
    }
    read(block)
}

/// Reads text or a list of blocks.
pub(super) fn read_content(content: Content) -> Result<Vec<Part>, Wrong> {
    match content {
        Content::Text(text) if text.is_empty() => Ok(Vec::new()),
        Content::Text(text) => Ok(vec![Part::text(text)]),
        Content::Blocks(blocks) => read_all(blocks),
    }
}

/// A signature as it stands in a block: a carrier of another family's blob, or a vendor's own. Empty means none.
///
/// Other vendors and proxies put what is not Claude's there as it is. It must never reach Claude: the conversation would be
/// refused from then on. Claude's begin with one of three letters; whose the others are is unknown.
pub(super) fn blob(data: String) -> Option<Blob> {
    if data.is_empty() || carrier::PLACEHOLDERS.contains(&data.as_str()) {
        return None;
    }
    let family = if data.starts_with("gAAAA") {
        Family::Openai
    } else if data.starts_with(['E', 'R', 'C']) {
        Family::Claude
    } else {
        Family::Other
    };
    if carrier::is_marked(&data) {
        return carrier::unwrap(&data);
    }
    Some(Blob { family, account: None, slot: BlobSlot::Thinking, data })
}

/// A signature in an answer: there is no doubt about whose it is.
pub(super) fn blob_of_vendor(data: String) -> Option<Blob> {
    let carried = carrier::unwrap(&data).is_some();
    let mut blob = blob(data)?;
    if !carried && blob.family == Family::Other {
        blob.family = Family::Claude;
    }
    Some(blob)
}

/// Reads one block of an answer.
pub(super) fn read_answer(fields: Fields) -> Result<Part, Wrong> {
    let sealed = ["signature", "data"].iter().find_map(|key| fields.get(key).and_then(Json::as_string));
    let mut part = read(fields)?;
    if let Part::Thinking(Thinking { blob: Some(blob), .. }) = &mut part
        && let Some(own) = sealed.and_then(blob_of_vendor)
    {
        blob.family = own.family;
    }
    Ok(part)
}

fn opaque(fields: &Fields) -> Part {
    Part::Opaque(fields.verbatim())
}

fn text(mut fields: Fields) -> Result<Part, Wrong> {
    Ok(Part::Text(Text {
        text: fields.string("text")?.unwrap_or_default(),
        citations: fields.take("citations").map_or_else(Vec::new, |list| citation::read_all(&list)),
        cache: fields.cache()?,
        extra: fields.extra(),
        ..Text::default()
    }))
}

fn image(mut fields: Fields) -> Result<Part, Wrong> {
    let Some(source) = source(&fields)? else { return Ok(opaque(&fields)) };
    if matches!(source, Source::Text(_) | Source::Parts(_)) {
        return Err(Wrong::new("source.type", "is not one of a picture: use base64, url or file"));
    }
    fields.take("source");
    let cache = fields.cache()?;
    Ok(Part::Image(Image { source, detail: None, cache, extra: fields.extra() }))
}

fn document(mut fields: Fields) -> Result<Part, Wrong> {
    let Some(source) = source(&fields)? else { return Ok(opaque(&fields)) };
    fields.take("source");
    Ok(Part::Document(Document {
        source,
        filename: None,
        title: fields.string("title")?,
        context: fields.string("context")?,
        citations: enabled(&mut fields)?,
        detail: None,
        cache: fields.cache()?,
        extra: fields.extra(),
    }))
}

fn search_result(mut fields: Fields) -> Result<Part, Wrong> {
    let content = fields.content()?;
    let content = content.map_or_else(|| Ok(Vec::new()), read_content);
    Ok(Part::SearchResult(SearchResult {
        source: fields.required("source")?,
        title: fields.string("title")?.unwrap_or_default(),
        content: content.map_err(|wrong| wrong.within("content"))?,
        citations: enabled(&mut fields)?,
        cache: fields.cache()?,
        extra: fields.extra(),
    }))
}

fn tool_result(mut fields: Fields) -> Result<Part, Wrong> {
    let content = fields.content()?;
    let parts = content.map_or_else(|| Ok(Vec::new()), read_content);
    Ok(Part::ToolResult(ToolResult {
        call_id: fields.required("tool_use_id")?,
        parts: parts.map_err(|wrong| wrong.within("content"))?,
        is_error: fields.boolean("is_error")?,
        cache: fields.cache()?,
        extra: fields.extra(),
        ..ToolResult::default()
    }))
}

/// `citations: {"enabled": …}`.
fn enabled(fields: &mut Fields) -> Result<Option<bool>, Wrong> {
    let Some(json) = fields.take("citations") else { return Ok(None) };
    let mut inner = Fields::parse(json.get()).map_err(|wrong| wrong.within("citations"))?;
    inner.boolean("enabled").map_err(|wrong| wrong.within("citations"))
}

/// Where an image or document is; `None` for a kind of source that byok does not know.
fn source(fields: &Fields) -> Result<Option<Source>, Wrong> {
    let Some(json) = fields.get("source") else { return Err(Wrong::new("source", "is missing")) };
    read_source(json).map_err(|wrong| wrong.within("source"))
}

fn read_source(json: &Json) -> Result<Option<Source>, Wrong> {
    let mut fields = Fields::parse(json.get())?;
    let media_type = fields.string("media_type")?;
    Ok(Some(match fields.kind.as_str() {
        "base64" => {
            let data = fields.required("data")?;
            match media::parse_data_url(&data) {
                Some((stated, bytes)) => media::base64_source(&stated, bytes.into_owned()),
                None => match media::base64_source(media_type.as_deref().unwrap_or_default(), data) {
                    Source::Base64 { media_type, .. } if media_type.is_empty() => {
                        return Err(Wrong::new("media_type", "is missing"));
                    }
                    source => source,
                },
            }
        }
        "url" => {
            let url = fields.required("url")?;
            match media::parse_data_url(&url) {
                Some((stated, bytes)) => media::base64_source(&stated, bytes.into_owned()),
                None => Source::Url { url, media_type },
            }
        }
        "file" => Source::FileId(fields.required("file_id")?),
        "text" => Source::Text(fields.required("data")?),
        "content" => {
            let content = fields.take("content").ok_or_else(|| Wrong::new("content", "is missing"))?;
            let parts = read_content(Content::parse(&content, "content")?);
            Source::Parts(parts.map_err(|wrong| wrong.within("content"))?)
        }
        _ => return Ok(None),
    }))
}

/// A tool is added by reference to a deferred one or by its whole definition, and removed by its name.
fn config_change(fields: &Fields) -> ConfigChange {
    let mut change = ConfigChange {
        tools_added: Vec::new(),
        tools_removed: Vec::new(),
        effort: None,
        verbatim: Some(fields.verbatim()),
    };
    let Some(Ok(mut tool)) = fields.get("tool").map(|json| Fields::parse(json.get())) else {
        return change;
    };
    if fields.kind == "tool_removal" {
        let name = tool.string("name").ok().flatten().or_else(|| tool.string("tool_name").ok().flatten());
        change.tools_removed.extend(name);
    } else if tool.kind != "tool_reference" {
        change.tools_added.extend(tool::read(tool));
    }
    change
}
