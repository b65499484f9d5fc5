//! The fields of a Responses request, as the vendor's SDK types name them.

use crate::shape::{FREE, Field, Shape, Tagged, opt, req};
use Shape::{Any, Bool, Enum, Int, List, Map, Null, Num, Obj, Or, Str, Tagged as Union, TextMap};

static BREAKPOINT: &[Field] = &[req("mode", Enum(&["explicit"])), opt("ttl", Enum(&["30m", "12h"]))];
const STATUS: Shape = Null(&Enum(&["in_progress", "completed", "incomplete"]));

/// Parts of messages and of results. Which of them stands where is checked apart.
static PART: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("input_text", &[req("text", Str), opt("prompt_cache_breakpoint", Null(&Obj(BREAKPOINT)))]),
        (
            "input_image",
            &[
                opt("image_url", Null(&Str)),
                opt("file_id", Null(&Str)),
                opt("detail", Null(&Enum(&["low", "high", "auto", "original"]))),
                opt("prompt_cache_breakpoint", Null(&Obj(BREAKPOINT))),
            ],
        ),
        (
            "input_file",
            &[
                opt("file_data", Null(&Str)),
                opt("file_id", Null(&Str)),
                opt("file_url", Null(&Str)),
                opt("filename", Null(&Str)),
                opt("detail", Null(&Enum(&["low", "high", "auto"]))),
                opt("prompt_cache_breakpoint", Null(&Obj(BREAKPOINT))),
            ],
        ),
        (
            "output_text",
            &[req("text", Str), opt("annotations", List(&Map)), opt("logprobs", Null(&List(&Map)))],
        ),
        ("refusal", &[req("refusal", Str)]),
    ],
    default: None,
};
const RESULT: Shape = Or(&[Str, List(&Union(&PART))]);

static SUMMARY: Tagged =
    Tagged { tag: "type", variants: &[("summary_text", &[req("text", Str)])], default: None };
static REASONING_TEXT: Tagged =
    Tagged { tag: "type", variants: &[("reasoning_text", &[req("text", Str)])], default: None };

static ITEM: Tagged = Tagged {
    tag: "type",
    variants: &[
        (
            "message",
            &[
                req("role", Enum(&["user", "assistant", "system", "developer"])),
                req("content", Or(&[Str, List(&Union(&PART))])),
                opt("id", Null(&Str)),
                opt("status", STATUS),
                opt("phase", Null(&Enum(&["commentary", "final_answer"]))),
            ],
        ),
        (
            "function_call",
            &[
                req("call_id", Str),
                req("name", Str),
                req("arguments", Str),
                opt("id", Null(&Str)),
                opt("status", STATUS),
                opt("namespace", Null(&Str)),
                opt("caller", Null(&Map)),
                opt("async", Null(&Bool)),
            ],
        ),
        (
            "function_call_output",
            &[
                req("call_id", Str),
                req("output", RESULT),
                opt("id", Null(&Str)),
                opt("status", STATUS),
                opt("caller", Null(&Map)),
            ],
        ),
        (
            "custom_tool_call",
            &[
                req("call_id", Str),
                req("name", Str),
                req("input", Str),
                opt("id", Null(&Str)),
                opt("status", STATUS),
                opt("namespace", Null(&Str)),
                opt("caller", Null(&Map)),
            ],
        ),
        (
            "custom_tool_call_output",
            &[
                req("call_id", Str),
                req("output", RESULT),
                opt("id", Null(&Str)),
                opt("status", STATUS),
                opt("caller", Null(&Map)),
            ],
        ),
        (
            "reasoning",
            &[
                req("summary", List(&Union(&SUMMARY))),
                opt("id", Null(&Str)),
                opt("content", Null(&List(&Union(&REASONING_TEXT)))),
                opt("encrypted_content", Null(&Str)),
                opt("status", STATUS),
            ],
        ),
        ("item_reference", &[req("id", Str)]),
        ("web_search_call", &[opt("id", Str), opt("status", Str), opt("action", Map)]),
        (
            "tool_search_call",
            &[
                req("arguments", Any),
                opt("call_id", Null(&Str)),
                opt("id", Null(&Str)),
                opt("execution", Enum(&["server", "client"])),
                opt("status", STATUS),
            ],
        ),
        (
            "tool_search_output",
            &[
                req("tools", List(&Map)),
                opt("call_id", Null(&Str)),
                opt("id", Null(&Str)),
                opt("execution", Enum(&["server", "client"])),
                opt("status", STATUS),
            ],
        ),
        (
            "additional_tools",
            &[
                req("tools", List(&Union(&TOOL))),
                req("role", Enum(&["developer", "system", "user"])),
                opt("id", Null(&Str)),
            ],
        ),
        ("compaction", &[req("encrypted_content", Str), opt("id", Null(&Str))]),
        ("compaction_trigger", &[]),
        ("configuration_update", &[FREE]),
        ("agent_message", &[FREE]),
        ("program", &[FREE]),
        ("file_search_call", &[FREE]),
        ("image_generation_call", &[FREE]),
        ("code_interpreter_call", &[FREE]),
        ("computer_call", &[FREE]),
        ("computer_call_output", &[FREE]),
        ("local_shell_call", &[FREE]),
        ("local_shell_call_output", &[FREE]),
        ("shell_call", &[FREE]),
        ("shell_call_output", &[FREE]),
        ("apply_patch_call", &[FREE]),
        ("apply_patch_call_output", &[FREE]),
        ("mcp_list_tools", &[FREE]),
        ("mcp_call", &[FREE]),
        ("mcp_approval_request", &[FREE]),
        ("mcp_approval_response", &[FREE]),
    ],
    default: Some("message"),
};

static GRAMMAR: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", &[]),
        ("grammar", &[req("definition", Str), req("syntax", Enum(&["lark", "regex"]))]),
    ],
    default: None,
};

static LOCATION: Tagged = Tagged {
    tag: "type",
    variants: &[(
        "approximate",
        &[
            opt("city", Null(&Str)),
            opt("country", Null(&Str)),
            opt("region", Null(&Str)),
            opt("timezone", Null(&Str)),
        ],
    )],
    default: Some("approximate"),
};

static WEB_SEARCH: &[Field] = &[
    opt("filters", Null(&Map)),
    opt("search_context_size", Enum(&["low", "medium", "high"])),
    opt("user_location", Null(&Union(&LOCATION))),
    opt("external_web_access", Bool),
    opt("search_content_types", List(&Str)),
];

static TOOL: Tagged = Tagged {
    tag: "type",
    variants: &[
        (
            "function",
            &[
                req("name", Str),
                opt("description", Null(&Str)),
                opt("parameters", Null(&Map)),
                opt("strict", Null(&Bool)),
                opt("defer_loading", Bool),
                opt("output_schema", Null(&Map)),
                opt("async", Null(&Bool)),
                opt("allowed_callers", List(&Str)),
            ],
        ),
        (
            "custom",
            &[
                req("name", Str),
                opt("description", Str),
                opt("format", Union(&GRAMMAR)),
                opt("defer_loading", Bool),
            ],
        ),
        ("namespace", &[req("name", Str), req("tools", List(&Union(&TOOL))), opt("description", Str)]),
        ("web_search", WEB_SEARCH),
        ("web_search_2025_08_26", WEB_SEARCH),
        ("web_search_preview", WEB_SEARCH),
        ("web_search_preview_2025_03_11", WEB_SEARCH),
        ("file_search", &[req("vector_store_ids", List(&Str)), FREE]),
        ("code_interpreter", &[req("container", Or(&[Str, Map]))]),
        ("image_generation", &[FREE]),
        ("mcp", &[req("server_label", Str), FREE]),
        ("computer", &[FREE]),
        ("computer_use_preview", &[FREE]),
        ("local_shell", &[]),
        ("shell", &[FREE]),
        ("apply_patch", &[FREE]),
        ("tool_search", &[FREE]),
        ("programmatic_tool_calling", &[FREE]),
    ],
    default: None,
};

static CHOICE: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("function", &[req("name", Str), opt("namespace", Str)]),
        ("custom", &[req("name", Str), opt("namespace", Str)]),
        ("allowed_tools", &[req("mode", Enum(&["auto", "required"])), req("tools", List(&Map))]),
        ("mcp", &[req("server_label", Str), opt("name", Null(&Str))]),
        ("web_search_preview", &[]),
        ("file_search", &[]),
        ("image_generation", &[]),
        ("code_interpreter", &[]),
        ("computer", &[]),
        ("computer_use_preview", &[]),
        ("shell", &[]),
        ("apply_patch", &[]),
        ("programmatic_tool_calling", &[]),
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
            &[req("name", Str), req("schema", Map), opt("description", Str), opt("strict", Null(&Bool))],
        ),
    ],
    default: None,
};

static TEXT: &[Field] =
    &[opt("format", Union(&FORMAT)), opt("verbosity", Null(&Enum(&["low", "medium", "high"])))];

static REASONING: &[Field] = &[
    opt("effort", Null(&Enum(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]))),
    opt("summary", Null(&Enum(&["auto", "concise", "detailed"]))),
    opt("generate_summary", Null(&Enum(&["auto", "concise", "detailed"]))),
    opt("context", Null(&Enum(&["all_turns", "current_turn"]))),
    opt("mode", Null(&Enum(&["standard", "pro"]))),
];

const INPUT: Shape = Or(&[Str, List(&Union(&ITEM))]);
const TOOL_CHOICE: Shape = Or(&[Enum(&["none", "auto", "required"]), Union(&CHOICE)]);

/// A request for a response.
pub(super) static RESPONSE: Shape = Obj(&[
    opt("model", Str),
    opt("input", INPUT),
    opt("instructions", Null(&Or(&[Str, List(&Union(&ITEM))]))),
    opt("background", Null(&Bool)),
    opt("client_metadata", Null(&TextMap)),
    opt("context_management", Null(&List(&Map))),
    opt("conversation", Null(&Or(&[Str, Map]))),
    opt(
        "include",
        Null(&List(&Enum(&[
            "file_search_call.results",
            "web_search_call.results",
            "web_search_call.action.sources",
            "message.input_image.image_url",
            "computer_call_output.output.image_url",
            "code_interpreter_call.outputs",
            "reasoning.encrypted_content",
            "message.output_text.logprobs",
        ]))),
    ),
    opt("max_output_tokens", Null(&Int)),
    opt("max_tool_calls", Null(&Int)),
    opt("metadata", Null(&TextMap)),
    opt("moderation", Null(&Map)),
    opt("parallel_tool_calls", Null(&Bool)),
    opt("previous_response_id", Null(&Str)),
    opt("prompt", Null(&Map)),
    opt("prompt_cache_key", Null(&Str)),
    opt("prompt_cache_options", Null(&Map)),
    opt("prompt_cache_retention", Null(&Enum(&["in-memory", "in_memory", "24h"]))),
    opt("reasoning", Null(&Obj(REASONING))),
    opt("safety_identifier", Null(&Str)),
    opt("service_tier", Null(&Enum(&["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]))),
    opt("store", Null(&Bool)),
    opt("stream", Null(&Bool)),
    opt("stream_options", Null(&Obj(&[opt("include_obfuscation", Bool)]))),
    opt("temperature", Null(&Num)),
    opt("text", Null(&Obj(TEXT))),
    opt("tool_choice", TOOL_CHOICE),
    opt("tools", List(&Union(&TOOL))),
    opt("top_logprobs", Null(&Int)),
    opt("top_p", Null(&Num)),
    opt("truncation", Null(&Enum(&["auto", "disabled"]))),
    opt("user", Null(&Str)),
]);

/// A request to count input tokens.
pub(super) static COUNT: Shape = Obj(&[
    opt("model", Null(&Str)),
    opt("input", Null(&INPUT)),
    opt("instructions", Null(&Str)),
    opt("conversation", Null(&Or(&[Str, Map]))),
    opt("parallel_tool_calls", Null(&Bool)),
    opt("previous_response_id", Null(&Str)),
    opt("reasoning", Null(&Obj(REASONING))),
    opt("text", Null(&Obj(TEXT))),
    opt("tool_choice", Null(&TOOL_CHOICE)),
    opt("tools", Null(&List(&Union(&TOOL)))),
    opt("truncation", Enum(&["auto", "disabled"])),
]);
