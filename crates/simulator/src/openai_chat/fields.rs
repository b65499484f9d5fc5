//! The fields of a Chat Completions request, as the vendor's SDK types name them.

use crate::shape::{Field, Shape, Tagged, opt, req};
use Shape::{Any, Bool, Enum, Int, List, Map, Null, Num, Obj, Or, Str, Tagged as Union, TextMap};

static BREAKPOINT: &[Field] = &[req("mode", Enum(&["explicit"])), opt("ttl", Enum(&["30m", "12h"]))];

static TEXT: &[Field] = &[req("text", Str), opt("prompt_cache_breakpoint", Null(&Obj(BREAKPOINT)))];

static TEXT_PART: Tagged = Tagged { tag: "type", variants: &[("text", TEXT)], default: None };

static USER_PART: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", TEXT),
        (
            "image_url",
            &[
                req(
                    "image_url",
                    Obj(&[req("url", Str), opt("detail", Enum(&["auto", "low", "high", "original"]))]),
                ),
                opt("prompt_cache_breakpoint", Null(&Obj(BREAKPOINT))),
            ],
        ),
        (
            "input_audio",
            &[req("input_audio", Obj(&[req("data", Str), req("format", Enum(&["wav", "mp3"]))]))],
        ),
        (
            "file",
            &[
                req("file", Obj(&[opt("file_data", Str), opt("file_id", Str), opt("filename", Str)])),
                opt("prompt_cache_breakpoint", Null(&Obj(BREAKPOINT))),
            ],
        ),
    ],
    default: None,
};

static ASSISTANT_PART: Tagged =
    Tagged { tag: "type", variants: &[("text", TEXT), ("refusal", &[req("refusal", Str)])], default: None };

static FUNCTION_CALL: &[Field] = &[req("name", Str), req("arguments", Str)];

static TOOL_CALL: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("function", &[req("id", Str), req("function", Obj(FUNCTION_CALL))]),
        ("custom", &[req("id", Str), req("custom", Obj(&[req("name", Str), req("input", Str)]))]),
    ],
    default: None,
};

const TEXTS: Shape = Or(&[Str, List(&Union(&TEXT_PART))]);

static MESSAGE: Tagged = Tagged {
    tag: "role",
    variants: &[
        ("system", &[req("content", TEXTS), opt("name", Str)]),
        ("developer", &[req("content", TEXTS), opt("name", Str)]),
        ("user", &[req("content", Or(&[Str, List(&Union(&USER_PART))])), opt("name", Str)]),
        (
            "assistant",
            &[
                opt("content", Null(&Or(&[Str, List(&Union(&ASSISTANT_PART))]))),
                opt("name", Str),
                opt("refusal", Null(&Str)),
                opt("audio", Null(&Obj(&[req("id", Str)]))),
                opt("annotations", Null(&List(&Map))),
                opt("tool_calls", List(&Union(&TOOL_CALL))),
                opt("function_call", Null(&Obj(FUNCTION_CALL))),
            ],
        ),
        ("tool", &[req("content", TEXTS), req("tool_call_id", Str)]),
        ("function", &[req("content", Null(&Str)), req("name", Str)]),
    ],
    default: None,
};

static FUNCTION: &[Field] =
    &[req("name", Str), opt("description", Str), opt("parameters", Map), opt("strict", Null(&Bool))];

static GRAMMAR: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", &[]),
        (
            "grammar",
            &[req("grammar", Obj(&[req("definition", Str), req("syntax", Enum(&["lark", "regex"]))]))],
        ),
    ],
    default: None,
};

static TOOL: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("function", &[req("function", Obj(FUNCTION))]),
        (
            "custom",
            &[req(
                "custom",
                Obj(&[req("name", Str), opt("description", Str), opt("format", Union(&GRAMMAR))]),
            )],
        ),
    ],
    default: None,
};

static CHOICE: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("function", &[req("function", Obj(&[req("name", Str)]))]),
        ("custom", &[req("custom", Obj(&[req("name", Str)]))]),
        (
            "allowed_tools",
            &[req(
                "allowed_tools",
                Obj(&[req("mode", Enum(&["auto", "required"])), req("tools", List(&Map))]),
            )],
        ),
    ],
    default: None,
};

static FORMAT: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", &[]),
        ("json_object", &[]),
        (
            "json_schema",
            &[req(
                "json_schema",
                Obj(&[
                    req("name", Str),
                    opt("description", Str),
                    opt("schema", Map),
                    opt("strict", Null(&Bool)),
                ]),
            )],
        ),
    ],
    default: None,
};

static LOCATION: Tagged = Tagged {
    tag: "type",
    variants: &[(
        "approximate",
        &[req(
            "approximate",
            Obj(&[opt("city", Str), opt("country", Str), opt("region", Str), opt("timezone", Str)]),
        )],
    )],
    default: None,
};

/// A request for a completion.
pub(super) static COMPLETION: Shape = Obj(&[
    req("model", Str),
    req("messages", List(&Union(&MESSAGE))),
    opt(
        "audio",
        Null(&Obj(&[
            req("format", Enum(&["wav", "aac", "mp3", "flac", "opus", "pcm16"])),
            req("voice", Any),
        ])),
    ),
    opt("frequency_penalty", Null(&Num)),
    opt("function_call", Or(&[Enum(&["none", "auto"]), Obj(&[req("name", Str)])])),
    opt("functions", List(&Obj(FUNCTION))),
    opt("logit_bias", Null(&Map)),
    opt("logprobs", Null(&Bool)),
    opt("max_completion_tokens", Null(&Int)),
    opt("max_tokens", Null(&Int)),
    opt("metadata", Null(&TextMap)),
    opt("modalities", Null(&List(&Enum(&["text", "audio"])))),
    opt("moderation", Null(&Map)),
    opt("n", Null(&Int)),
    opt("parallel_tool_calls", Bool),
    opt("prediction", Null(&Obj(&[req("type", Enum(&["content"])), req("content", TEXTS)]))),
    opt("presence_penalty", Null(&Num)),
    opt("prompt_cache_key", Null(&Str)),
    opt("prompt_cache_options", Null(&Map)),
    opt("prompt_cache_retention", Null(&Enum(&["in-memory", "in_memory", "24h"]))),
    opt("reasoning_effort", Null(&Enum(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]))),
    opt("response_format", Union(&FORMAT)),
    opt("safety_identifier", Null(&Str)),
    opt("seed", Null(&Int)),
    opt("service_tier", Null(&Enum(&["auto", "default", "flex", "scale", "priority", "fast"]))),
    opt("stop", Null(&Or(&[Str, List(&Str)]))),
    opt("store", Null(&Bool)),
    opt("stream", Null(&Bool)),
    opt("stream_options", Null(&Obj(&[opt("include_usage", Bool), opt("include_obfuscation", Bool)]))),
    opt("temperature", Null(&Num)),
    opt("tool_choice", Or(&[Enum(&["none", "auto", "required"]), Union(&CHOICE)])),
    opt("tools", List(&Union(&TOOL))),
    opt("top_logprobs", Null(&Int)),
    opt("top_p", Null(&Num)),
    opt("user", Str),
    opt("verbosity", Null(&Enum(&["low", "medium", "high"]))),
    opt(
        "web_search_options",
        Obj(&[
            opt("search_context_size", Enum(&["low", "medium", "high"])),
            opt("user_location", Null(&Union(&LOCATION))),
        ]),
    ),
]);
