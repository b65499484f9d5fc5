//! Log probabilities. The middle form keeps the list that Chat and Responses share; Gemini has two lists side by side.

use super::fields::{self, Fields, object};
use crate::Json;
use serde::{Deserialize, Serialize};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Lists {
    top_candidates: Option<Vec<Top>>,
    chosen_candidates: Option<Vec<Token>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Top {
    candidates: Option<Vec<Token>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Token {
    token: Option<String>,
    log_probability: Option<f64>,
}

#[derive(Deserialize, Serialize)]
struct Record {
    token: String,
    logprob: f64,
    #[serde(default)]
    bytes: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<Vec<Record>>,
}

impl Record {
    fn of(token: Token) -> Self {
        let text = token.token.unwrap_or_default();
        let bytes = Some(text.clone().into_bytes());
        Self { token: text, logprob: token.log_probability.unwrap_or(0.0), bytes, top_logprobs: None }
    }
}

/// The list for a `logprobsResult`.
pub(super) fn from_gemini(result: &str) -> Option<Json> {
    let lists: Lists = serde_json::from_str(result).ok()?;
    let mut tops = lists.top_candidates.unwrap_or_default().into_iter();
    let records: Vec<_> = lists
        .chosen_candidates?
        .into_iter()
        .map(|token| {
            let top = tops.next().and_then(|top| top.candidates).unwrap_or_default();
            let top = top.into_iter().map(Record::of).collect();
            Record { top_logprobs: Some(top), ..Record::of(token) }
        })
        .collect();
    Json::from_value(&records).ok()
}

/// The `logprobsResult` for a list; `None` if it is not one that Chat and Responses share.
pub(super) fn to_gemini(list: &Json) -> Option<Json> {
    let records: Vec<Record> = list.read().ok()?;
    let token = |out: &mut Vec<u8>, record: &Record| {
        let mut fields = Fields::open(out);
        fields.string("token", &record.token);
        fields.value("logProbability", &record.logprob);
        fields.close();
    };
    Some(object(|result| {
        fields::list(result.key("topCandidates"), &records, |out, record| {
            let mut top = Fields::open(out);
            fields::list(top.key("candidates"), record.top_logprobs.iter().flatten(), token);
            top.close();
        });
        fields::list(result.key("chosenCandidates"), &records, token);
    }))
}
