//! The fields of a `generateContent` request, as the vendor's SDK types name them, in camelCase.

use crate::shape::{Field, Shape, opt, req};
use Shape::{Any, Bool, Enum, Int, List, Map, MapOf, Num, Obj, Or, Ref, Str, TextMap};

static BLOB: &[Field] = &[req("mimeType", Str), req("data", Str), opt("displayName", Str)];
static FILE: &[Field] = &[opt("mimeType", Str), req("fileUri", Str), opt("displayName", Str)];

/// A part: one of the data members, and others beside it.
static PART: &[Field] = &[
    opt("text", Str),
    opt("inlineData", Obj(BLOB)),
    opt("fileData", Obj(FILE)),
    opt("functionCall", Obj(&[req("name", Str), opt("args", Map), opt("id", Str)])),
    opt(
        "functionResponse",
        Obj(&[
            req("name", Str),
            req("response", Map),
            opt("id", Str),
            opt("parts", List(&Obj(&[opt("inlineData", Obj(BLOB)), opt("fileData", Obj(FILE))]))),
            opt("scheduling", Str),
            opt("willContinue", Bool),
        ]),
    ),
    opt(
        "executableCode",
        Obj(&[req("code", Str), req("language", Enum(&["PYTHON", "LANGUAGE_UNSPECIFIED"])), opt("id", Str)]),
    ),
    opt(
        "codeExecutionResult",
        Obj(&[
            req("outcome", Enum(&["OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED"])),
            opt("output", Str),
            opt("id", Str),
        ]),
    ),
    opt("toolCall", Map),
    opt("toolResponse", Map),
    opt("thought", Bool),
    opt("thoughtSignature", Str),
    opt("videoMetadata", Obj(&[opt("startOffset", Str), opt("endOffset", Str), opt("fps", Num)])),
    opt("mediaResolution", Map),
    opt("partMetadata", Map),
];

/// Members of a part of which there is exactly one.
pub(super) const DATA: [&str; 9] = [
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

static CONTENT: &[Field] = &[opt("role", Str), req("parts", List(&Obj(PART)))];

/// Numbers of 64 bits may be written as texts.
const LONG: Shape = Or(&[Int, Str]);

const TYPES: &[&str] = &[
    "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL", "string", "number", "integer",
    "boolean", "array", "object", "null",
];

/// The subset of `OpenAPI` schemas.
static SCHEMA: Shape = Obj(&[
    opt("type", Enum(TYPES)),
    opt("format", Str),
    opt("title", Str),
    opt("description", Str),
    opt("nullable", Bool),
    opt("enum", List(&Str)),
    opt("items", Ref(&SCHEMA)),
    opt("minItems", LONG),
    opt("maxItems", LONG),
    opt("properties", MapOf(&SCHEMA)),
    opt("required", List(&Str)),
    opt("minProperties", LONG),
    opt("maxProperties", LONG),
    opt("propertyOrdering", List(&Str)),
    opt("minimum", Num),
    opt("maximum", Num),
    opt("minLength", LONG),
    opt("maxLength", LONG),
    opt("pattern", Str),
    opt("example", Any),
    opt("default", Any),
    opt("anyOf", List(&SCHEMA)),
]);

static DECLARATION: &[Field] = &[
    req("name", Str),
    opt("description", Str),
    opt("parameters", Ref(&SCHEMA)),
    opt("parametersJsonSchema", Map),
    opt("response", Ref(&SCHEMA)),
    opt("responseJsonSchema", Map),
    opt("behavior", Enum(&["UNSPECIFIED", "BLOCKING", "NON_BLOCKING"])),
];

static TOOL: &[Field] = &[
    opt("functionDeclarations", List(&Obj(DECLARATION))),
    opt("googleSearch", Map),
    opt("googleSearchRetrieval", Map),
    opt("urlContext", Map),
    opt("codeExecution", Map),
    opt("googleMaps", Map),
    opt("fileSearch", Map),
    opt("computerUse", Map),
    opt("mcpServers", List(&Map)),
];

/// Tools that the vendor runs.
pub(super) const BUILT_IN: [&str; 7] = [
    "googleSearch",
    "googleSearchRetrieval",
    "urlContext",
    "codeExecution",
    "googleMaps",
    "fileSearch",
    "computerUse",
];

static TOOL_CONFIG: &[Field] = &[
    opt(
        "functionCallingConfig",
        Obj(&[
            opt("mode", Enum(&["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"])),
            opt("allowedFunctionNames", List(&Str)),
        ]),
    ),
    opt("retrievalConfig", Map),
    opt("includeServerSideToolInvocations", Bool),
];

static THINKING: &[Field] = &[
    opt("includeThoughts", Bool),
    opt("thinkingBudget", Int),
    opt(
        "thinkingLevel",
        Enum(&[
            "THINKING_LEVEL_UNSPECIFIED",
            "MINIMAL",
            "LOW",
            "MEDIUM",
            "HIGH",
            "minimal",
            "low",
            "medium",
            "high",
        ]),
    ),
];

static CONFIG: &[Field] = &[
    opt("temperature", Num),
    opt("topP", Num),
    opt("topK", Num),
    opt("candidateCount", Int),
    opt("maxOutputTokens", Int),
    opt("stopSequences", List(&Str)),
    opt("responseMimeType", Enum(&["text/plain", "application/json", "text/x.enum"])),
    opt("responseSchema", Ref(&SCHEMA)),
    opt("responseJsonSchema", Map),
    opt("responseLogprobs", Bool),
    opt("logprobs", Int),
    opt("presencePenalty", Num),
    opt("frequencyPenalty", Num),
    opt("seed", Int),
    opt("responseModalities", List(&Enum(&["MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"]))),
    opt("imageConfig", Map),
    opt("mediaResolution", Str),
    opt("speechConfig", Map),
    opt("thinkingConfig", Obj(THINKING)),
    opt("enableEnhancedCivicAnswers", Bool),
    opt("audioTranscriptionConfig", Map),
];

static SAFETY: &[Field] = &[
    req(
        "category",
        Enum(&[
            "HARM_CATEGORY_HARASSMENT",
            "HARM_CATEGORY_HATE_SPEECH",
            "HARM_CATEGORY_SEXUALLY_EXPLICIT",
            "HARM_CATEGORY_DANGEROUS_CONTENT",
            "HARM_CATEGORY_CIVIC_INTEGRITY",
            "HARM_CATEGORY_JAILBREAK",
        ]),
    ),
    req(
        "threshold",
        Enum(&[
            "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
            "BLOCK_LOW_AND_ABOVE",
            "BLOCK_MEDIUM_AND_ABOVE",
            "BLOCK_ONLY_HIGH",
            "BLOCK_NONE",
            "OFF",
        ]),
    ),
];

/// A request for content.
pub(super) static GENERATE: Shape = Obj(&[
    req("contents", List(&Obj(CONTENT))),
    opt("systemInstruction", Obj(CONTENT)),
    opt("tools", List(&Obj(TOOL))),
    opt("toolConfig", Obj(TOOL_CONFIG)),
    opt("safetySettings", List(&Obj(SAFETY))),
    opt("generationConfig", Obj(CONFIG)),
    opt("cachedContent", Str),
    opt("serviceTier", Enum(&["unspecified", "flex", "standard", "priority"])),
    opt("labels", TextMap),
    opt("store", Bool),
    opt("continuationToken", Str),
    opt("model", Str),
]);

/// A request to count tokens: contents, or a whole request, which then names its model.
pub(super) static COUNT: Shape =
    Obj(&[opt("contents", List(&Obj(CONTENT))), opt("generateContentRequest", Ref(&GENERATE))]);
