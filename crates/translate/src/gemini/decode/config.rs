use super::keep_inner;
use crate::{
    Json,
    gemini::{
        fields::object,
        keys::camel,
        wire::{Number, WireConfig, WireThinking},
    },
    ir::{
        Effort, Extra, Failure, MaxTokens, MaxTokensSpelling, Opaque, OutputFormat, Reasoning, Request,
        ThinkingSwitch, Visibility,
    },
    schema::gemini::from_gemini,
};
use byok_types::Dialect;

/// Takes over `generationConfig`.
pub(super) fn apply(config: WireConfig, request: &mut Request) -> Result<(), Failure> {
    let sampling = &mut request.sampling;
    let real = |number: Option<Number>| number.map(|n| n.0);
    sampling.temperature = real(config.temperature);
    sampling.top_p = real(config.top_p);
    sampling.top_k = real(config.top_k);
    sampling.presence_penalty = real(config.presence);
    sampling.frequency_penalty = real(config.frequency);
    sampling.seed = config.seed.map(Number::integer);
    sampling.n = config.candidates.map(Number::small);
    sampling.stop = config.stop.0;
    sampling.logprobs = config.logprobs;
    sampling.top_logprobs = config.top_logprobs.map(Number::small);
    request.max_tokens = config
        .max_tokens
        .map(|n| MaxTokens { value: n.count(), spelling: MaxTokensSpelling::MaxOutputTokensCamel });
    request.modalities = config.modalities.0.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    let opaque = |json| Opaque { dialect: Dialect::Gemini, json: camel(json) };
    request.audio_output = config.speech.map(opaque);
    request.image_output = config.image.map(opaque);
    request.output_format = format(config.media_type, config.schema, config.json_schema);
    if let Some(thinking) = config.thinking {
        request.reasoning = reasoning(thinking)?;
    }
    keep_inner(&mut request.extra, "generationConfig", config.extra);
    Ok(())
}

fn format(media_type: Option<String>, schema: Option<Json>, json_schema: Option<Json>) -> OutputFormat {
    let media_type = media_type.unwrap_or_default();
    let is_json = media_type.is_empty() || media_type == "application/json";
    match (json_schema, schema) {
        (Some(schema), None) if is_json && schema.is_object() => OutputFormat::JsonSchema {
            name: None,
            description: None,
            schema,
            strict: None,
            extra: Extra::default(),
        },
        (None, Some(schema)) if is_json && schema.is_object() => OutputFormat::JsonSchema {
            name: None,
            description: None,
            schema: from_gemini(&schema),
            strict: None,
            // Gemini's own kind of schema is sent back to Gemini as it was.
            extra: Extra::new(Dialect::Gemini, vec![("responseSchema".to_owned(), schema)]),
        },
        (None, None) if media_type == "application/json" => OutputFormat::JsonObject,
        (None, None) if media_type.is_empty() || media_type == "text/plain" => OutputFormat::Text,
        (json_schema, schema) => {
            let json = object(|fields| {
                fields.string("responseMimeType", &media_type);
                fields.all(schema.as_ref().map(|s| ("responseSchema", s)));
                fields.all(json_schema.as_ref().map(|s| ("responseJsonSchema", s)));
            });
            OutputFormat::Opaque(Opaque { dialect: Dialect::Gemini, json })
        }
    }
}

fn reasoning(thinking: WireThinking) -> Result<Reasoning, Failure> {
    let switch = match thinking.budget.map(Number::integer) {
        None => ThinkingSwitch::Unset,
        Some(0) => ThinkingSwitch::Off,
        Some(-1) => ThinkingSwitch::Dynamic,
        Some(budget) => ThinkingSwitch::Budget(u32::try_from(budget).map_err(|_| {
            Failure::bad_request(
                "generationConfig.thinkingConfig.thinkingBudget",
                format!("`{budget}` is not a budget. Use a number of tokens, 0 for off or -1 for dynamic."),
            )
        })?),
    };
    let effort = match thinking.level.as_deref() {
        None | Some("" | "THINKING_LEVEL_UNSPECIFIED") => None,
        Some(level) => Some(Effort::parse(level).filter(|e| *e != Effort::None).ok_or_else(|| {
            Failure::bad_request(
                "generationConfig.thinkingConfig.thinkingLevel",
                format!("`{level}` is not a level. Use MINIMAL, LOW, MEDIUM or HIGH."),
            )
        })?),
    };
    let visibility = match thinking.visible {
        None => Visibility::Unset,
        Some(true) => Visibility::Auto,
        Some(false) => Visibility::Hidden,
    };
    let extra = Extra::new(Dialect::Gemini, thinking.extra);
    Ok(Reasoning { switch, effort, visibility, extra, ..Reasoning::default() })
}
