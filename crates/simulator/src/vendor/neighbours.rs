//! What the vendors offer beside the dialects: embeddings, pictures, audio, completions of the time before chat, moderation,
//! compaction. As strict about fields as the rest; the answers are small and made up.

mod answer;
mod fields;
mod form;

use super::{authorize, checked_body, headers, refused, request_id};
use crate::{
    call::Call,
    gemini, openai,
    refusal::Refusal,
    scenario::{Script, Trouble},
    server::Reply,
    shape::{self, Wrong},
    trouble::{self, Circumstances},
    vendor::lenient,
    world::World,
};
use byok_types::Dialect;
use serde_json::Value;

/// An endpoint beside the dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    Completions,
    Embeddings,
    ImageGenerations,
    ImageEdits,
    ImageVariations,
    Speech,
    Transcriptions,
    Translations,
    Moderations,
    Compact,
    EmbedContent,
    BatchEmbedContents,
}

/// Paths, and the models that are served there.
const PATHS: [(&str, Neighbour, &[&str]); 10] = [
    ("/v1/completions", Neighbour::Completions, &["gpt-3.5-turbo-instruct"]),
    ("/v1/embeddings", Neighbour::Embeddings, &["text-embedding-3-small", "text-embedding-ada-002"]),
    ("/v1/images/generations", Neighbour::ImageGenerations, &["gpt-image-1"]),
    ("/v1/images/edits", Neighbour::ImageEdits, &["gpt-image-1"]),
    ("/v1/images/variations", Neighbour::ImageVariations, &["dall-e-2"]),
    ("/v1/audio/speech", Neighbour::Speech, &["gpt-4o-mini-tts"]),
    ("/v1/audio/transcriptions", Neighbour::Transcriptions, &["whisper-1", "gpt-4o-transcribe"]),
    ("/v1/audio/translations", Neighbour::Translations, &["whisper-1"]),
    ("/v1/moderations", Neighbour::Moderations, &["omni-moderation-latest"]),
    ("/v1/responses/compact", Neighbour::Compact, &["gpt-5.1", "gpt-5.5", "gpt-6-sol"]),
];

impl Neighbour {
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        PATHS.iter().find(|(known, ..)| *known == path).map(|(_, neighbour, _)| *neighbour)
    }

    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::EmbedContent | Self::BatchEmbedContents => Dialect::Gemini,
            Self::Compact => Dialect::Responses,
            _ => Dialect::Chat,
        }
    }

    /// Whether it is sent as a form with files.
    const fn is_form(self) -> bool {
        matches!(self, Self::ImageEdits | Self::ImageVariations | Self::Transcriptions | Self::Translations)
    }
}

/// Answers a call of one of them; `model` is that of the path.
pub(crate) fn beside(world: &World, call: &Call, neighbour: Neighbour, model: Option<&str>) -> Reply {
    let ids = world.ids.next();
    let dialect = neighbour.dialect();
    let answered = || {
        let body = if neighbour.is_form() {
            authorize(world, call, dialect)?;
            form::read(call)?
        } else {
            checked_body(world, call, dialect)?
        };
        check(call, neighbour, &body, model)?;
        let asked = Asked::of(neighbour, &body, model);
        let script = Script::read(call.key(dialect), &asked.words, call.header("x-sim-scenario"))
            .map_err(|bad| Refusal::new(400, "invalid_request_error", bad.to_string()))?;
        if let Some(refusal) = refusal(world, call, dialect, &asked, &script) {
            return Err(refusal);
        }
        if let Some(reply) = script.trouble.and_then(|trouble| trouble::special(trouble, asked.stream)) {
            return Ok(reply);
        }
        let turn = answer::Turn { world, key: call.key(dialect), ids, asked: &asked, script: &script };
        Ok(turn.answer(neighbour, &body, headers(world, call, dialect, ids), &request_id(dialect, ids)))
    };
    answered().unwrap_or_else(|refusal| refused(&refusal, dialect, ids))
}

/// What a request asks for.
struct Asked {
    model: String,
    /// Where the wish for a scenario may stand.
    words: String,
    stream: bool,
}

impl Asked {
    fn of(neighbour: Neighbour, body: &Value, model: Option<&str>) -> Self {
        let words = match neighbour {
            Neighbour::EmbedContent => &body["content"]["parts"][0]["text"],
            Neighbour::BatchEmbedContents => &body["requests"][0]["content"]["parts"][0]["text"],
            Neighbour::Completions
            | Neighbour::ImageGenerations
            | Neighbour::ImageEdits
            | Neighbour::ImageVariations
            | Neighbour::Transcriptions
            | Neighbour::Translations => &body["prompt"],
            Neighbour::Embeddings | Neighbour::Speech | Neighbour::Moderations | Neighbour::Compact => {
                &body["input"]
            }
        };
        Self {
            model: model.or_else(|| body["model"].as_str()).unwrap_or_default().to_owned(),
            words: words.as_str().or_else(|| words[0].as_str()).unwrap_or_default().to_owned(),
            stream: body["stream"] == true,
        }
    }
}

/// The failure that a scenario asks for.
fn refusal(world: &World, call: &Call, dialect: Dialect, asked: &Asked, script: &Script) -> Option<Refusal> {
    let key = call.key(dialect);
    let (cause, wait) = match script.trouble? {
        Trouble::Refuse(cause, wait) => (cause, wait),
        Trouble::Fail { times, cause } if world.must_fail(key, cause, times) => (cause, None),
        _ => return None,
    };
    let at = Circumstances { dialect, key, model: &asked.model, tokens: 1, now: world.now(), wait };
    Some(trouble::refusal(cause, &at))
}

fn check(call: &Call, neighbour: Neighbour, body: &Value, model: Option<&str>) -> Result<(), Refusal> {
    let lenient = lenient(call.key(neighbour.dialect()));
    let checked = shape::check(fields::of(neighbour), body, lenient);
    if neighbour.dialect() == Dialect::Gemini {
        checked.map_err(|problem| {
            let path = problem.bracketed();
            let message = match problem.wrong {
                Wrong::Unknown => {
                    format!(
                        "Invalid JSON payload received. Unknown name \"{}\": Cannot find field.",
                        problem.field()
                    )
                }
                _ => format!("Invalid value at '{path}'"),
            };
            Refusal::new(400, "INVALID_ARGUMENT", message)
        })?;
        return gemini_model(body, model.unwrap_or_default(), lenient);
    }
    checked.map_err(|problem| openai::worded(&problem))?;
    let id = body["model"].as_str().unwrap_or_default();
    let known =
        PATHS.iter().find(|(_, known, _)| *known == neighbour).map_or(&[][..], |(_, _, models)| models);
    if lenient || known.contains(&id) || id.contains("-sim-") {
        return Ok(());
    }
    Err(Refusal::new(
        404,
        "invalid_request_error",
        format!("The model `{id}` does not exist or you do not have access to it."),
    )
    .param("model")
    .code("model_not_found"))
}

/// The model of the path, and each that the body names, which has to be the same.
fn gemini_model(body: &Value, id: &str, lenient: bool) -> Result<(), Refusal> {
    if !(lenient || id == "gemini-embedding-001" || id.contains("-sim-")) {
        return Err(gemini::unknown_model(id));
    }
    let each = body["requests"].as_array().into_iter().flatten();
    for named in each.chain([body]).filter_map(|request| request["model"].as_str()) {
        if named != format!("models/{id}") {
            return Err(Refusal::new(
                400,
                "INVALID_ARGUMENT",
                format!("The model '{named}' of a request does not match the model '{id}' of the call."),
            ));
        }
    }
    Ok(())
}
