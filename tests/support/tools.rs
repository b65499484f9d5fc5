//! Tools as real clients declare them.

use super::ask::Tool;
use serde_json::{Value, json};

/// A tool whose schema has what agents' schemas have and what some vendors do not take.
pub fn rich(name: &'static str) -> Tool {
    Tool { name, parameters: schema() }
}

/// Objects in lists, choices, limits, a parameter that is named like a keyword, and keywords outside every subset.
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "An absolute path.", "minLength": 1},
            "limit": {"type": "integer", "exclusiveMinimum": 0, "maximum": 2000, "default": 2000},
            "mode": {"type": "string", "enum": ["content", "files_with_matches", "count"]},
            "title": {"type": ["string", "null"], "description": "A title, or nothing."},
            "url": {"type": "string", "format": "uri"},
            "edits": {"type": "array", "minItems": 1, "items": {
                "type": "object",
                "properties": {
                    "old": {"type": "string"}, "new": {"type": "string"},
                    "all": {"type": "boolean", "default": false},
                    "status": {"anyOf": [{"const": "pending"}, {"const": "done"}]},
                },
                "required": ["old", "new"],
                "additionalProperties": false,
            }},
            "headers": {"type": "object", "additionalProperties": {"type": "string"}, "propertyNames": {"type": "string"}},
        },
        "required": ["path"],
        "additionalProperties": false,
    })
}
