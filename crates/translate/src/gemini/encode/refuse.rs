//! What cannot be served: said with the name of the field, instead of leaving it out.

use super::media::is_google;
use crate::{
    ir::{Failure, Part, Request, Source},
    loss::Places,
    media::{self, MediaKind},
};
use byok_types::{Dialect, ModelFacts};

pub(super) fn check(request: &Request, facts: &ModelFacts) -> Result<(), Failure> {
    state(request)?;
    let places = Places::of(request);
    for (index, message) in request.messages.iter().enumerate() {
        for (at, part) in message.parts.iter().enumerate() {
            one(part, request.dialect, facts, &|| places.place(index, at))?;
        }
    }
    Ok(())
}

fn state(request: &Request) -> Result<(), Failure> {
    if request.state.previous_response_id.is_some() {
        let message = "the earlier response is not stored here. Send the whole conversation in `input`, or set \
                       `stored_responses.enabled` in the config of byok.";
        return Err(
            Failure::bad_request("previous_response_id", message).with_code("previous_response_not_found")
        );
    }
    for (present, field, why) in [
        (request.state.conversation.is_some(), "conversation", "it lives at another vendor"),
        (request.state.prompt.is_some(), "prompt", "it lives at another vendor"),
        (request.state.background == Some(true), "background", "this model answers at once or not at all"),
    ] {
        if present {
            let message = format!("`{field}` cannot be used here: {why}. Send the request without it.");
            return Err(Failure::bad_request(field, message));
        }
    }
    Ok(())
}

fn one(part: &Part, client: Dialect, facts: &ModelFacts, field: &dyn Fn() -> String) -> Result<(), Failure> {
    let refuse = |what: &str| {
        let message = format!("{} does not take {what}. Leave it out or choose another model.", facts.id);
        Err(Failure::bad_request(field(), message))
    };
    let input = facts.input;
    match part {
        Part::Image(_) if !input.image => refuse("images"),
        Part::Image(image) => reachable(&image.source, client, facts, field),
        Part::Audio(audio) => match &audio.source {
            Some(_) if !input.audio => refuse("audio"),
            Some(source) => reachable(source, client, facts, field),
            None => Ok(()),
        },
        Part::Video(_) if !input.video => refuse("video"),
        Part::Video(video) => reachable(&video.source, client, facts, field),
        Part::Document(document) => match &document.source {
            Source::Text(_) => Ok(()),
            Source::Parts(parts) => parts.iter().try_for_each(|part| one(part, client, facts, field)),
            Source::Base64 { media_type, .. } if media::kind(media_type) == MediaKind::Pdf && !input.pdf => {
                refuse("PDF documents")
            }
            source => reachable(source, client, facts, field),
        },
        Part::ToolResult(result) => result.parts.iter().try_for_each(|part| one(part, client, facts, field)),
        _ => Ok(()),
    }
}

/// Whether the vendor can get at the bytes. What byok was allowed to fetch for it has become bytes before.
fn reachable(
    source: &Source,
    client: Dialect,
    facts: &ModelFacts,
    field: &dyn Fn() -> String,
) -> Result<(), Failure> {
    let message = match source {
        Source::FileId(_) => {
            "a file that was uploaded to another vendor cannot be read here. Send its bytes in base64."
        }
        Source::Url { url, .. }
            if client != Dialect::Gemini
                && !facts.input.url
                && !is_google(url)
                && media::parse_data_url(url).is_none() =>
        {
            "this model does not fetch addresses. Send the bytes in base64 (a `data:` URL), or switch on \
             `media.fetch_remote`."
        }
        _ => return Ok(()),
    };
    Err(Failure::bad_request(field(), message))
}
