//! The mapping tables: what becomes of each thing that one dialect can say when it goes to another. One row for each entry of
//! the tables, each with all three other dialects as targets: carried, said in another way, left out with or without a word
//! to the client, or refused by the name of the field. And input that follows no table. The mapping is told of in `docs/middle-form.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![expect(clippy::too_many_lines, reason = "tables")]

#[path = "mapping/answer.rs"]
mod answer;
#[path = "mapping/bad_requests.rs"]
mod bad_requests;
#[path = "mapping/bad_streams.rs"]
mod bad_streams;
#[path = "mapping/broken_calls.rs"]
mod broken_calls;
#[path = "mapping/citations.rs"]
mod citations;
#[path = "mapping/client_tools.rs"]
mod client_tools;
#[path = "mapping/compaction.rs"]
mod compaction;
#[path = "mapping/content.rs"]
mod content;
#[path = "mapping/errors.rs"]
mod errors;
#[path = "mapping/history.rs"]
mod history;
#[path = "mapping/json_only.rs"]
mod json_only;
#[path = "mapping/odd_answers.rs"]
mod odd_answers;
#[path = "mapping/pages.rs"]
mod pages;
#[path = "mapping/refusal.rs"]
mod refusal;
#[path = "mapping/request.rs"]
mod request;
#[path = "mapping/stream.rs"]
mod stream;
#[path = "mapping/support.rs"]
mod support;
#[expect(dead_code, reason = "the traps use the rest")]
#[path = "traps/support.rs"]
mod talk;
#[path = "mapping/tier.rs"]
mod tier;
#[path = "mapping/tools.rs"]
mod tools;

#[path = "grammar/chat.rs"]
mod chat_grammar;
#[path = "grammar/gemini.rs"]
mod gemini_grammar;
#[path = "grammar/messages.rs"]
mod messages_grammar;
#[path = "grammar/responses.rs"]
mod responses_grammar;
