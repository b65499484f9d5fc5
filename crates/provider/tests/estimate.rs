//! How far the estimate of tokens is off, measured against what vendors counted for real requests.
//!
//! The exchanges are those of the folder that `BYOK_RECORDED` names (`../shared/recorded` beside the checkout otherwise); where
//! it is absent the test says that it skipped. `cargo test -p byok-provider --test estimate -- --table` prints the table of
//! docs/models.md.

#![expect(clippy::print_stdout, reason = "a test without a harness says by itself what it did")]

use byok_provider::tokens::count;
use byok_translate::{Incoming, codec};
use byok_types::{Dialect, Family};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

/// The estimate of the middle exchange of a class may be off by so many per cent.
const TOLERATED: f64 = 40.0;
/// Classes with fewer exchanges say nothing.
const FEWEST: usize = 8;

/// What a vendor counted for the whole prompt.
fn counted(dialect: Dialect, answer: &Value) -> Option<u64> {
    let usage = |name: &str| answer["usage"][name].as_u64();
    match dialect {
        Dialect::Chat => usage("prompt_tokens"),
        Dialect::Responses => usage("input_tokens"),
        Dialect::Messages => Some(
            usage("input_tokens")?
                + usage("cache_read_input_tokens").unwrap_or(0)
                + usage("cache_creation_input_tokens").unwrap_or(0),
        ),
        Dialect::Gemini => answer["usageMetadata"]["promptTokenCount"].as_u64(),
    }
}

/// What a prompt is made of.
fn class(body: &str) -> &'static str {
    let other = body.chars().filter(|c| ('\u{2e80}'..='\u{9fff}').contains(c)).count();
    if other * 4 > body.chars().count() {
        "Chinese"
    } else if body.contains("\"tools\"") || body.contains("functionDeclarations") {
        "tools"
    } else if body.contains("```") || body.contains("def ") || body.contains("function(") {
        "code"
    } else {
        "English"
    }
}

/// Media and hosted tools have prices of their own that no count of text can know.
fn is_text(body: &str) -> bool {
    let priced = [
        "base64",
        "inline_data",
        "inlineData",
        "image_url",
        "input_file",
        "file_data",
        "fileData",
        "file_id",
    ];
    let hosted =
        ["web_search", "code_execution", "code_interpreter", "googleSearch", "mcp", "previous_response_id"];
    !priced.iter().chain(&hosted).any(|word| body.contains(word))
}

fn main() -> ExitCode {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/recorded"));
    let folder = std::env::var_os("BYOK_RECORDED").map_or(beside, PathBuf::from);
    let folders = [
        ("anthropic", Dialect::Messages, Family::Claude),
        ("chat", Dialect::Chat, Family::Openai),
        ("responses", Dialect::Responses, Family::Openai),
        ("gemini", Dialect::Gemini, Family::Gemini),
    ];
    let mut errors: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for (name, dialect, family) in folders {
        let Ok(entries) = std::fs::read_dir(folder.join(name)) else {
            println!("estimate: skipped, there is no folder of real exchanges");
            return ExitCode::SUCCESS;
        };
        for entry in entries.flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let Ok(exchange) = serde_json::from_str::<Value>(&text) else { continue };
            // Other vendors of the Chat dialect have vocabularies of their own.
            let vendor = exchange["vendor"].as_str().unwrap_or_default();
            if dialect == Dialect::Chat && vendor != "openai" {
                continue;
            }
            let answer =
                exchange["response_body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
            let Some(real) = answer.and_then(|answer| counted(dialect, &answer)).filter(|count| *count > 20)
            else {
                continue;
            };
            let body = exchange["request"].to_string();
            if !is_text(&body) {
                continue;
            }
            let model = exchange["model"].as_str();
            let incoming = Incoming { body: body.as_bytes(), model, stream: Some(false) };
            let Ok(request) = codec::decode_request(dialect, &incoming) else { continue };
            #[expect(clippy::cast_precision_loss, reason = "counts of tokens are small")]
            let error = (count(&request.value, family) as f64 / real as f64 - 1.0) * 100.0;
            errors.entry((name, class(&body))).or_default().push(error);
        }
    }
    let mut wrong = 0;
    for ((name, class), list) in &mut errors {
        list.sort_by(f64::total_cmp);
        let at = |share: usize| list[(list.len() - 1) * share / 100];
        println!(
            "| {name} | {class} | {} | {:+.0} % | {:+.0} % to {:+.0} % |",
            list.len(),
            at(50),
            at(10),
            at(90)
        );
        wrong += usize::from(list.len() >= FEWEST && at(50).abs() > TOLERATED);
    }
    if wrong > 0 || errors.is_empty() {
        println!("estimate: {wrong} classes are off by more than {TOLERATED} % in the middle");
        return ExitCode::FAILURE;
    }
    println!("estimate: {} classes, all within {TOLERATED} % in the middle", errors.len());
    ExitCode::SUCCESS
}
