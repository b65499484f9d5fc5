//! Parts that an answer has whole, as Gemini clients see them.

use super::fields::Fields;
use crate::{
    Json,
    ir::{Extra, Part, ServerTool, Source},
    media, script,
};
use byok_types::Dialect;
use std::borrow::Cow;

/// Gemini's word for code whose language is not told.
const NO_LANGUAGE: &str = "LANGUAGE_UNSPECIFIED";

/// Writes a part. Returns `false`, and writes nothing, if Gemini has no such part.
pub(super) fn write(part: &Part, out: &mut Vec<u8>) -> bool {
    match part {
        Part::Image(image) => data(&image.source, &image.extra, out),
        Part::Audio(audio) => audio.source.as_ref().is_some_and(|source| data(source, &audio.extra, out)),
        Part::Video(video) => data(&video.source, &video.extra, out),
        Part::Document(document) => data(&document.source, &document.extra, out),
        Part::Opaque(opaque) if opaque.dialect == Dialect::Gemini => raw(&opaque.json, out),
        Part::ServerCall(call) => match &call.verbatim {
            Some(verbatim) if verbatim.dialect == Dialect::Gemini => raw(&verbatim.json, out),
            _ if call.tool == ServerTool::CodeExecution => code(&call.input, out),
            _ => false,
        },
        Part::ServerResult(result) => match (&result.verbatim, &result.output) {
            (Some(verbatim), _) if verbatim.dialect == Dialect::Gemini => raw(&verbatim.json, out),
            (_, output) if result.tool == ServerTool::CodeExecution => {
                let failed = result.error_code.is_some();
                let mut part = Fields::open(out);
                let mut member = Fields::open(part.key("codeExecutionResult"));
                member.string("outcome", if failed { "OUTCOME_FAILED" } else { "OUTCOME_OK" });
                member
                    .string("output", output.as_deref().or(result.error_code.as_deref()).unwrap_or_default());
                member.close();
                part.close();
                true
            }
            _ => false,
        },
        Part::Text(_)
        | Part::Refusal(_)
        | Part::Thinking(_)
        | Part::ToolCall(_)
        | Part::ToolResult(_)
        | Part::SearchResult(_)
        | Part::ContainerUpload(_)
        | Part::Compaction(_)
        | Part::ConfigChange(_)
        | Part::Opaque(_) => false,
    }
}

fn raw(json: &Json, out: &mut Vec<u8>) -> bool {
    crate::wire::write::json(out, json);
    true
}

fn data(source: &Source, extra: &Extra, out: &mut Vec<u8>) -> bool {
    let bytes = match source {
        Source::Base64 { media_type, data } => Some((media_type.clone(), Cow::Borrowed(data.as_str()))),
        Source::Url { url, .. } => media::parse_data_url(url),
        Source::FileId(_) | Source::Text(_) | Source::Parts(_) => return false,
    };
    let mut part = Fields::open(out);
    match (bytes, source) {
        (Some((media_type, data)), _) => {
            let mut inline = Fields::open(part.key("inlineData"));
            inline.string("mimeType", &media_type);
            inline.string("data", &data);
            inline.close();
        }
        (None, Source::Url { url, media_type }) => {
            let mut file = Fields::open(part.key("fileData"));
            file.option("mimeType", media_type.as_ref());
            file.string("fileUri", url);
            file.close();
        }
        (None, _) => {}
    }
    part.all(extra.get(Dialect::Gemini, "thoughtSignature").map(|signature| ("thoughtSignature", signature)));
    part.close();
    true
}

/// Code that another vendor ran. What is no Python (commands of a shell, steps of an editor) is shown as code of a language
/// that is not named: a result without its call tells a client nothing.
fn code(input: &Json, out: &mut Vec<u8>) -> bool {
    let Some(script) = script::of(input) else { return false };
    let language = if script.is_code { "PYTHON" } else { NO_LANGUAGE };
    let mut part = Fields::open(out);
    let mut member = Fields::open(part.key("executableCode"));
    member.string("language", language);
    member.string("code", &script.text);
    member.close();
    part.close();
    true
}
