//! The fields of the requests beside the dialects.

use super::Neighbour;
use crate::shape::{Field, Shape, opt, req};
use Shape::{Any, Bool, Enum, Int, List, Map, Null, Num, Obj, Or, Str, TextMap};

static COMPLETION: Shape = Obj(&[
    req("model", Str),
    req("prompt", Or(&[Str, List(&Any)])),
    opt("best_of", Null(&Int)),
    opt("echo", Null(&Bool)),
    opt("frequency_penalty", Null(&Num)),
    opt("logit_bias", Null(&Map)),
    opt("logprobs", Null(&Int)),
    opt("max_tokens", Null(&Int)),
    opt("n", Null(&Int)),
    opt("presence_penalty", Null(&Num)),
    opt("seed", Null(&Int)),
    opt("stop", Null(&Or(&[Str, List(&Str)]))),
    opt("stream", Null(&Bool)),
    opt("stream_options", Null(&Obj(&[opt("include_usage", Bool), opt("include_obfuscation", Bool)]))),
    opt("suffix", Null(&Str)),
    opt("temperature", Null(&Num)),
    opt("top_p", Null(&Num)),
    opt("user", Str),
]);

static EMBEDDINGS: Shape = Obj(&[
    req("model", Str),
    req("input", Or(&[Str, List(&Any)])),
    opt("dimensions", Int),
    opt("encoding_format", Enum(&["float", "base64"])),
    opt("user", Str),
]);

static IMAGE: Shape = Obj(&[
    req("model", Str),
    req("prompt", Str),
    opt("background", Null(&Str)),
    opt("moderation", Null(&Str)),
    opt("n", Null(&Int)),
    opt("output_compression", Null(&Int)),
    opt("output_format", Null(&Enum(&["png", "jpeg", "webp"]))),
    opt("partial_images", Null(&Int)),
    opt("quality", Null(&Str)),
    opt("response_format", Null(&Enum(&["url", "b64_json"]))),
    opt("size", Null(&Str)),
    opt("stream", Null(&Bool)),
    opt("style", Null(&Str)),
    opt("user", Str),
]);

static SPEECH: Shape = Obj(&[
    req("model", Str),
    req("input", Str),
    req("voice", Or(&[Str, Map])),
    opt("instructions", Str),
    opt("response_format", Enum(&["mp3", "opus", "aac", "flac", "wav", "pcm"])),
    opt("speed", Num),
    opt("stream_format", Enum(&["sse", "audio"])),
]);

static MODERATION: Shape = Obj(&[req("input", Or(&[Str, List(&Any)])), req("model", Str)]);

/// No `stream` and no `store`: the answer is always one document.
static COMPACT: Shape = Obj(&[
    req("model", Str),
    req("input", Or(&[Str, List(&Any)])),
    opt("instructions", Null(&Str)),
    opt("tools", List(&Any)),
    opt("parallel_tool_calls", Null(&Bool)),
    opt("previous_response_id", Null(&Str)),
    opt("prompt_cache_key", Null(&Str)),
    opt("reasoning", Null(&Map)),
    opt("service_tier", Null(&Str)),
    opt("text", Null(&Map)),
]);

static CONTENT: Shape = Obj(&[req("parts", List(&Obj(&[req("text", Str)]))), opt("role", Str)]);

static ONE: &[Field] = &[
    req("content", Shape::Ref(&CONTENT)),
    opt("model", Str),
    opt("outputDimensionality", Int),
    opt("taskType", Str),
    opt("title", Str),
];

static ONE_OF_MANY: &[Field] = &[
    req("content", Shape::Ref(&CONTENT)),
    req("model", Str),
    opt("outputDimensionality", Int),
    opt("taskType", Str),
    opt("title", Str),
];

static EMBED: Shape = Obj(ONE);
static BATCH: Shape = Obj(&[req("requests", List(&Obj(ONE_OF_MANY)))]);

/// A form: its values are texts, a file is an object with its name and size.
static EDIT: Shape = Obj(&[
    req("model", Str),
    req("image", FILES),
    req("prompt", Str),
    opt("background", Str),
    opt("mask", FILE),
    opt("n", Str),
    opt("quality", Str),
    opt("response_format", Str),
    opt("size", Str),
    opt("user", Str),
]);

static VARIATION: Shape = Obj(&[
    req("model", Str),
    req("image", FILES),
    opt("n", Str),
    opt("response_format", Str),
    opt("size", Str),
    opt("user", Str),
]);

static TRANSCRIPTION: Shape = Obj(&[
    req("model", Str),
    req("file", FILE),
    opt("language", Str),
    opt("prompt", Str),
    opt("response_format", Enum(&["json", "text", "srt", "verbose_json", "vtt"])),
    opt("stream", Str),
    opt("temperature", Str),
    opt("include", TextMap),
]);

const FILE: Shape = Obj(&[req("filename", Str), req("bytes", Int)]);
const FILES: Shape = Or(&[FILE, List(&FILE)]);

pub(super) fn of(neighbour: Neighbour) -> &'static Shape {
    match neighbour {
        Neighbour::Completions => &COMPLETION,
        Neighbour::Embeddings => &EMBEDDINGS,
        Neighbour::ImageGenerations => &IMAGE,
        Neighbour::ImageEdits => &EDIT,
        Neighbour::ImageVariations => &VARIATION,
        Neighbour::Speech => &SPEECH,
        Neighbour::Transcriptions | Neighbour::Translations => &TRANSCRIPTION,
        Neighbour::Moderations => &MODERATION,
        Neighbour::Compact => &COMPACT,
        Neighbour::EmbedContent => &EMBED,
        Neighbour::BatchEmbedContents => &BATCH,
    }
}
