//! The fields of a Messages request, as the vendor's SDK types name them.

use crate::shape::{Field, Shape, Tagged, opt, req};
use Shape::{Any, Bool, Enum, Int, List, Map, Null, Num, Obj, Or, Str, Tagged as Union};

/// `cache_control`. `scope` needs a beta of its own.
const CACHE: Tagged = Tagged {
    tag: "type",
    variants: &[(
        "ephemeral",
        &[opt("ttl", Enum(&["5m", "1h"])), opt("scope", Enum(&["global", "organization"]))],
    )],
    default: None,
};

const CACHE_SHAPE: Shape = Null(&Union(&CACHE));
const fn cache() -> Field {
    opt("cache_control", CACHE_SHAPE)
}

static IMAGE_SOURCE: Tagged = Tagged {
    tag: "type",
    variants: &[
        (
            "base64",
            &[
                req("media_type", Enum(&["image/jpeg", "image/png", "image/gif", "image/webp"])),
                req("data", Str),
            ],
        ),
        ("url", &[req("url", Str)]),
        ("file", &[req("file_id", Str)]),
    ],
    default: None,
};

static DOCUMENT_SOURCE: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("base64", &[req("media_type", Enum(&["application/pdf"])), req("data", Str)]),
        ("text", &[req("media_type", Enum(&["text/plain"])), req("data", Str)]),
        ("content", &[req("content", Or(&[Str, List(&Union(&RESULT_BLOCK))]))]),
        ("url", &[req("url", Str)]),
        ("file", &[req("file_id", Str)]),
    ],
    default: None,
};

static CITATIONS: &[Field] = &[opt("enabled", Bool)];

static TEXT: &[Field] = &[req("text", Str), opt("citations", Null(&List(&Map))), cache()];
static IMAGE: &[Field] = &[req("source", Union(&IMAGE_SOURCE)), opt("transformations", List(&Map)), cache()];
static DOCUMENT: &[Field] = &[
    req("source", Union(&DOCUMENT_SOURCE)),
    opt("title", Null(&Str)),
    opt("context", Null(&Str)),
    opt("citations", Null(&Obj(CITATIONS))),
    cache(),
];
static SEARCH_RESULT: &[Field] = &[
    req("source", Str),
    req("title", Str),
    req("content", List(&Union(&TEXT_ONLY))),
    opt("citations", Obj(CITATIONS)),
    cache(),
];
static TOOL_REFERENCE: &[Field] = &[req("tool_name", Str), cache()];

/// Blocks of `system`.
static TEXT_ONLY: Tagged = Tagged { tag: "type", variants: &[("text", TEXT)], default: None };

/// Blocks of a `tool_result`.
static RESULT_BLOCK: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", TEXT),
        ("image", IMAGE),
        ("document", DOCUMENT),
        ("search_result", SEARCH_RESULT),
        ("tool_reference", TOOL_REFERENCE),
    ],
    default: None,
};

static CALLER: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("direct", &[]),
        ("code_execution_20250825", &[req("tool_id", Str)]),
        ("code_execution_20260120", &[req("tool_id", Str)]),
    ],
    default: None,
};

/// Results of tools that the vendor runs.
static SERVER_RESULT: &[Field] =
    &[req("tool_use_id", Str), req("content", Any), opt("caller", Union(&CALLER)), cache()];

/// Blocks of a turn.
static BLOCK: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", TEXT),
        ("image", IMAGE),
        ("document", DOCUMENT),
        ("search_result", SEARCH_RESULT),
        ("thinking", &[req("thinking", Str), req("signature", Str)]),
        ("redacted_thinking", &[req("data", Str)]),
        (
            "tool_use",
            &[
                req("id", Str),
                req("name", Str),
                req("input", Map),
                opt("caller", Union(&CALLER)),
                opt("toolset_name", Null(&Str)),
                cache(),
            ],
        ),
        (
            "tool_result",
            &[
                req("tool_use_id", Str),
                opt("content", Or(&[Str, List(&Union(&RESULT_BLOCK))])),
                opt("is_error", Bool),
                opt("toolset_name", Null(&Str)),
                cache(),
            ],
        ),
        (
            "server_tool_use",
            &[
                req("id", Str),
                req(
                    "name",
                    Enum(&[
                        "web_search",
                        "web_fetch",
                        "code_execution",
                        "bash_code_execution",
                        "text_editor_code_execution",
                        "tool_search_tool_regex",
                        "tool_search_tool_bm25",
                    ]),
                ),
                req("input", Map),
                opt("caller", Union(&CALLER)),
                cache(),
            ],
        ),
        ("web_search_tool_result", SERVER_RESULT),
        ("web_fetch_tool_result", SERVER_RESULT),
        ("code_execution_tool_result", SERVER_RESULT),
        ("bash_code_execution_tool_result", SERVER_RESULT),
        ("text_editor_code_execution_tool_result", SERVER_RESULT),
        ("tool_search_tool_result", SERVER_RESULT),
        ("container_upload", &[req("file_id", Str), cache()]),
        // With a beta only, see `BETA_KINDS`.
        ("tool_addition", &[req("tool", Any), cache()]),
        ("tool_removal", &[req("tool", Any), cache()]),
        ("compaction", &[opt("content", Any), opt("encrypted_content", Any), cache()]),
        (
            "mcp_tool_use",
            &[req("id", Str), req("name", Str), req("server_name", Str), req("input", Map), cache()],
        ),
        ("mcp_tool_result", &[req("tool_use_id", Str), opt("content", Any), opt("is_error", Bool), cache()]),
    ],
    default: None,
};

static TURN: &[Field] =
    &[req("role", Enum(&["user", "assistant", "system"])), req("content", Or(&[Str, List(&Union(&BLOCK))]))];

static LOCATION: Tagged = Tagged {
    tag: "type",
    variants: &[(
        "approximate",
        &[
            opt("city", Null(&Str)),
            opt("region", Null(&Str)),
            opt("country", Null(&Str)),
            opt("timezone", Null(&Str)),
        ],
    )],
    default: None,
};

static CUSTOM_TOOL: &[Field] = &[
    req("name", Str),
    req("input_schema", Map),
    opt("description", Str),
    opt("strict", Bool),
    opt("defer_loading", Bool),
    opt("eager_input_streaming", Null(&Bool)),
    opt("allowed_callers", List(&Str)),
    opt("input_examples", List(&Map)),
    cache(),
];
static NAMED_TOOL: &[Field] = &[
    req("name", Str),
    opt("defer_loading", Bool),
    opt("allowed_callers", List(&Str)),
    opt("input_examples", List(&Map)),
    opt("strict", Bool),
    opt("max_characters", Null(&Int)),
    cache(),
];
static WEB_TOOL: &[Field] = &[
    req("name", Str),
    opt("max_uses", Null(&Int)),
    opt("allowed_domains", Null(&List(&Str))),
    opt("blocked_domains", Null(&List(&Str))),
    opt("user_location", Null(&Union(&LOCATION))),
    opt("citations", Null(&Obj(CITATIONS))),
    opt("max_content_tokens", Null(&Int)),
    opt("use_cache", Bool),
    opt("defer_loading", Bool),
    opt("allowed_callers", List(&Str)),
    opt("strict", Bool),
    cache(),
];

static TOOL: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("custom", CUSTOM_TOOL),
        ("bash_20250124", NAMED_TOOL),
        ("text_editor_20250124", NAMED_TOOL),
        ("text_editor_20250429", NAMED_TOOL),
        ("text_editor_20250728", NAMED_TOOL),
        ("memory_20250818", NAMED_TOOL),
        ("code_execution_20250522", NAMED_TOOL),
        ("code_execution_20250825", NAMED_TOOL),
        ("code_execution_20260120", NAMED_TOOL),
        ("code_execution_20260521", NAMED_TOOL),
        ("tool_search_tool_regex_20251119", NAMED_TOOL),
        ("tool_search_tool_bm25_20251119", NAMED_TOOL),
        ("tool_search_tool_regex", NAMED_TOOL),
        ("tool_search_tool_bm25", NAMED_TOOL),
        ("web_search_20250305", WEB_TOOL),
        ("web_search_20260209", WEB_TOOL),
        ("web_search_20260318", WEB_TOOL),
        ("web_fetch_20250910", WEB_TOOL),
        ("web_fetch_20260209", WEB_TOOL),
        ("web_fetch_20260309", WEB_TOOL),
        ("web_fetch_20260318", WEB_TOOL),
        // With a beta only, see `BETA_KINDS`.
        (
            "advisor_20260301",
            &[
                req("name", Str),
                req("model", Str),
                opt("max_tokens", Int),
                opt("max_uses", Null(&Int)),
                opt("caching", Any),
                cache(),
            ],
        ),
        (
            "mcp_toolset",
            &[req("mcp_server_name", Str), opt("default_config", Map), opt("configs", Map), cache()],
        ),
    ],
    default: Some("custom"),
};

static CHOICE: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("auto", &[opt("disable_parallel_tool_use", Bool)]),
        ("any", &[opt("disable_parallel_tool_use", Bool)]),
        ("tool", &[req("name", Str), opt("disable_parallel_tool_use", Bool)]),
        ("none", &[]),
    ],
    default: None,
};

const DISPLAY: Shape = Null(&Enum(&["summarized", "omitted"]));
static THINKING: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("enabled", &[req("budget_tokens", Int), opt("display", DISPLAY)]),
        ("adaptive", &[opt("display", DISPLAY)]),
        ("between_tools", &[opt("display", DISPLAY)]),
        ("disabled", &[]),
    ],
    default: None,
};

static FORMAT: Tagged =
    Tagged { tag: "type", variants: &[("json_schema", &[req("schema", Map)])], default: None };
static OUTPUT: &[Field] = &[
    opt("effort", Null(&Enum(&["low", "medium", "high", "xhigh", "max"]))),
    opt("format", Null(&Union(&FORMAT))),
    opt("task_budget", Null(&Map)),
];

/// A request for a message. Fields that need a beta are in [`BETA_FIELDS`].
pub(super) static MESSAGE: Shape = Obj(&[
    req("model", Str),
    req("max_tokens", Int),
    req("messages", List(&Obj(TURN))),
    opt("system", Or(&[Str, List(&Union(&TEXT_ONLY))])),
    opt("tools", List(&Union(&TOOL))),
    opt("stream", Bool),
    opt("tool_choice", Union(&CHOICE)),
    opt("thinking", Union(&THINKING)),
    opt("output_config", Obj(OUTPUT)),
    opt("stop_sequences", List(&Str)),
    opt("metadata", Obj(&[opt("user_id", Null(&Str))])),
    opt("service_tier", Enum(&["auto", "standard_only"])),
    opt("speed", Null(&Enum(&["standard", "fast"]))),
    opt("container", Null(&Or(&[Str, Map]))),
    opt("inference_geo", Null(&Str)),
    opt("diagnostics", Null(&Map)),
    opt("user_profile_id", Null(&Str)),
    opt("workspace_id", Null(&Str)),
    opt("context_management", Null(&Map)),
    opt("mcp_servers", List(&Map)),
    opt("temperature", Num),
    opt("top_p", Num),
    opt("top_k", Int),
    cache(),
]);

/// A request to count tokens.
pub(super) static COUNT: Shape = Obj(&[
    req("model", Str),
    req("messages", List(&Obj(TURN))),
    opt("system", Or(&[Str, List(&Union(&TEXT_ONLY))])),
    opt("tools", List(&Union(&TOOL))),
    opt("tool_choice", Union(&CHOICE)),
    opt("thinking", Union(&THINKING)),
    opt("output_config", Obj(OUTPUT)),
    opt("speed", Null(&Enum(&["standard", "fast"]))),
    opt("context_management", Null(&Map)),
    opt("mcp_servers", List(&Map)),
    cache(),
]);

/// Fields that do not exist without a beta (the start of its name).
pub(super) static BETA_FIELDS: &[(&str, &str)] = &[
    ("/context_management", "context-management-"),
    ("/speed", "fast-mode-"),
    ("/mcp_servers", "mcp-client-"),
    ("/output_config/task_budget", "task-budgets-"),
];

/// Blocks and tools that do not exist without a beta (the start of its name).
pub(super) static BETA_KINDS: &[(&str, &str)] = &[
    ("tool_addition", "mid-conversation-tool-changes-"),
    ("tool_removal", "mid-conversation-tool-changes-"),
    ("compaction", "compact-"),
    ("mcp_tool_use", "mcp-client-"),
    ("mcp_tool_result", "mcp-client-"),
    ("mcp_toolset", "mcp-client-"),
    ("advisor_20260301", "advisor-tool-"),
];

/// Betas that the service knows.
pub(super) static BETAS: &[&str] = &[
    "advanced-tool-use-2025-11-20",
    "advisor-tool-2026-03-01",
    "cache-diagnosis-2026-04-07",
    "claude-code-20250219",
    "code-execution-2025-08-25",
    "compact-2026-01-12",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "effort-2025-11-24",
    "extended-cache-ttl-2025-04-11",
    "fallback-credit-2026-06-01",
    "fast-mode-2026-02-01",
    "files-api-2025-04-14",
    "fine-grained-tool-streaming-2025-05-14",
    "inline-tools-2026-09-15",
    "interleaved-thinking-2025-05-14",
    "mcp-client-2025-04-04",
    "mcp-client-2025-11-20",
    "message-threads-2026-08-12",
    "mid-conversation-system-2026-04-07",
    "mid-conversation-tool-changes-2026-07-01",
    "oauth-2025-04-20",
    "per-turn-control-2026-07-01",
    "prompt-caching-scope-2026-01-05",
    "redact-thinking-2026-02-12",
    "server-side-fallback-2026-06-01",
    "server-side-fallback-2026-07-01",
    "structured-outputs-2025-11-13",
    "structured-outputs-2025-12-15",
    "task-budgets-2026-03-13",
    "thinking-token-count-2026-05-13",
    "timing-2026-09-09",
    "token-counting-2024-11-01",
    "tool-search-tool-2025-10-19",
    "web-fetch-2025-09-10",
];
