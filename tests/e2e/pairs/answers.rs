//! What comes back: text, thinking, usage, stop reasons.

use super::{Stop, all, stop, stopped};
use crate::support::{
    ask::{Think, Usage},
    client::Call,
    dialect,
    world::{Pair, World, each, equal},
};
use byok_types::Dialect;
use serde_json::Value;

/// Twelve scripts, joined emoji, and what the simulator says for `sim:languages`.
const LANGUAGES: &str = "English: good morning. Deutsch: guten Morgen, schöne Grüße. Français: ça va bien. \
    Русский: доброе утро. Ελληνικά: καλημέρα. עברית: בוקר טוב. العربية: صباح الخير. हिन्दी: सुप्रभात. \
    日本語: おはようございます。 中文：早上好。 한국어: 좋은 아침. ไทย: สวัสดีตอนเช้า. Emoji: 🌅👩‍👩‍👧‍👦🇳🇴.";

#[tokio::test]
async fn text_of_all_languages_goes_there_and_back() {
    all(async |world, pair| {
        let question = format!("{LANGUAGES} \u{2028}\u{2029} \"quotes\" \\back\\ \u{1} <tags> & co");
        let ask = pair.ask(&question);
        let answer = pair.send(world, &ask).await;
        let said = dialect::read(pair.client, pair.stream, &answer)?;
        equal("echo", &said.text.contains(&question), &true).map_err(|e| format!("{e}: {}", said.text))?;
        if pair.stream && !pair.passes() {
            // Parsers that split lines as Unicode does break on these.
            let raw = ['\u{2028}', '\u{2029}', '\u{85}'].iter().any(|c| answer.text().contains(*c));
            equal("raw line separators", &raw, &false)?;
        }
        equal("model", &said.model, &pair.model())?;
        stopped(pair, &said, Stop::End)?;
        if pair.stream {
            equal("many deltas", &(said.deltas > 3), &true)?;
        }
        equal("output tokens", &(said.usage.output > 3), &true)
    })
    .await;
}

#[tokio::test]
async fn the_bytes_may_come_in_any_pieces() {
    let wires = ["one_byte", "split_utf8", "coalesce", "crlf", "gzip", "gzip_silent", "split 1", "noise"];
    let world = World::start().await;
    for wire in wires {
        // What passes through passes with its noise, which a strict reader refuses.
        let pairs = Pair::all().into_iter().filter(|pair| !pair.passes() || wire != "noise");
        each(pairs, async |pair| {
            let ask = pair.ask(&format!("sim:{wire} sim:languages"));
            let said = pair.say(&world, &ask).await.map_err(|error| format!("{wire}: {error}"))?;
            equal(wire, &said.text.as_str(), &LANGUAGES)
        })
        .await;
    }
}

#[tokio::test]
async fn usage_means_the_same_everywhere() {
    all(async |world, pair| {
        let ask = pair.ask("sim:usage in=120 cached=100 out=40 reasoning=10 sim:text Checking.");
        let said = pair.say(world, &ask).await?;
        equal("text", &said.text.as_str(), &"Checking.")?;
        equal("usage", &said.usage, &Usage { input: 120, cached: 100, output: 40, reasoning: 10 })
    })
    .await;
}

#[tokio::test]
async fn what_the_upstream_does_not_count_is_estimated_and_said_so() {
    let world = World::start().await;
    let silent = || Pair::all().into_iter().filter(|pair| pair.upstream == Dialect::Chat && !pair.passes());
    each(silent(), async |pair| {
        let answer = pair.send(&world, &pair.ask("sim:no_usage sim:text One two three.")).await;
        let said = dialect::read(pair.client, pair.stream, &answer)?;
        equal("counts", &(said.usage.input > 0, said.usage.output > 0), &(true, true))?;
        equal("header", &answer.header("x-byok-usage"), &if pair.stream { "" } else { "estimated" })?;
        let counted = pair.send(&world, &pair.ask("sim:text One two three.")).await;
        equal("counted", &counted.header("x-byok-usage"), &"")
    })
    .await;
}

#[tokio::test]
async fn thinking_is_shown_and_its_blob_comes_back() {
    all(async |world, pair| {
        let ask = pair
            .ask("sim:thinking Look it up first. sim:text Checking.")
            .with(|ask| ask.think = Some(Think::Effort("high")));
        let said = pair.say(world, &ask).await?;
        equal("text", &said.text.as_str(), &"Checking.")?;
        // The vendor's Chat shows no thinking.
        if pair.upstream != Dialect::Chat {
            equal("thinking", &said.thinking.as_str(), &"Look it up first.")?;
        }
        let body = pair.upstream_body(world)?;
        equal("effort", &effort(pair.upstream, &body).as_deref(), &Some("high"))?;
        // The vendor checks what it signed; what it did not sign must not reach it.
        let next = pair.say(world, &ask.followed(&said, &format!("And now? {}", pair.mark()))).await?;
        equal("second turn", &next.text.contains("And now?"), &true)
    })
    .await;
}

/// The effort that an upstream was asked for.
pub(super) fn effort(upstream: Dialect, body: &Value) -> Option<String> {
    let effort = match upstream {
        Dialect::Chat => &body["reasoning_effort"],
        Dialect::Responses => &body["reasoning"]["effort"],
        Dialect::Messages => &body["output_config"]["effort"],
        Dialect::Gemini => &body["generationConfig"]["thinkingConfig"]["thinkingLevel"],
    };
    effort.as_str().map(str::to_lowercase)
}

#[tokio::test]
async fn a_budget_becomes_an_effort_and_back() {
    let world = World::start().await;
    // Only these two say a number of tokens.
    let budgets = |pair: &Pair| matches!(pair.client, Dialect::Messages | Dialect::Gemini);
    each(Pair::all().into_iter().filter(budgets).filter(|pair| !pair.passes()), async |pair| {
        let ask = pair.ask("sim:thinking Hm. sim:text Yes.").with(|ask| {
            ask.think = Some(Think::Budget(8192));
            ask.max_tokens = Some(20_000);
        });
        let said = pair.say(&world, &ask).await?;
        equal("text", &said.text.as_str(), &"Yes.")?;
        let body = pair.upstream_body(&world)?;
        if pair.upstream == Dialect::Messages {
            return equal("budget", &body["thinking"]["budget_tokens"], &8192.into());
        }
        equal("effort", &effort(pair.upstream, &body).as_deref(), &Some("medium"))
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_a_refusal_everywhere() {
    all(async |world, pair| {
        let said = pair.say(world, &pair.ask("sim:refusal")).await?;
        let filtered = said.stop == stop(pair.client, Stop::Filter);
        // OpenAI's dialects have a slot for the words of a refusal beside the stop reason.
        let worded = !said.refusal.is_empty() && said.stop == stop(pair.client, Stop::End);
        let openai = matches!(pair.client, Dialect::Chat | Dialect::Responses);
        equal("refused", &(filtered || (openai && worded)), &true).map_err(|e| format!("{e}: {said:?}"))
    })
    .await;
}

#[tokio::test]
async fn stop_reasons_are_translated() {
    use Dialect::{Chat, Gemini, Messages, Responses};
    let table: [(Dialect, &str, Stop); 13] = [
        (Chat, "length", Stop::Length),
        (Chat, "content_filter", Stop::Filter),
        (Chat, "stop", Stop::End),
        (Responses, "max_output_tokens", Stop::Length),
        (Responses, "content_filter", Stop::Filter),
        (Messages, "end_turn", Stop::End),
        (Messages, "max_tokens", Stop::Length),
        (Messages, "refusal", Stop::Filter),
        (Messages, "pause_turn", Stop::End),
        (Messages, "model_context_window_exceeded", Stop::Length),
        (Gemini, "MAX_TOKENS", Stop::Length),
        (Gemini, "SAFETY", Stop::Filter),
        (Gemini, "PROHIBITED_CONTENT", Stop::Filter),
    ];
    let world = World::start().await;
    for (upstream, reason, wanted) in table {
        let pairs = Pair::all().into_iter().filter(|pair| pair.upstream == upstream && !pair.passes());
        each(pairs, async |pair| {
            let said = pair.say(&world, &pair.ask(&format!("sim:stop {reason} sim:text So far."))).await?;
            // Responses has a part for the words of a refusal; the answer is then complete.
            if reason == "refusal" && pair.client == Responses {
                equal("refusal", &said.refusal.is_empty(), &false)?;
                return equal("stop", &said.stop.as_str(), &"completed");
            }
            stopped(pair, &said, wanted).map_err(|error| format!("{reason}: {error}"))
        })
        .await;
    }
}

#[tokio::test]
async fn a_blocked_prompt_is_a_refusal_and_no_empty_answer() {
    let world = World::start().await;
    let pairs = Pair::all().into_iter().filter(|pair| pair.upstream == Dialect::Gemini);
    each(pairs, async |pair| {
        let said = pair.say(&world, &pair.ask("sim:stop block:SAFETY")).await?;
        if pair.passes() {
            return equal("stop", &said.stop.as_str(), &"blocked");
        }
        // Responses says a refusal as such; the others have a reason to stop for it.
        if pair.client == Dialect::Responses {
            equal("stop", &said.stop.as_str(), &"completed")?;
            return equal("words", &said.refusal.is_empty(), &false);
        }
        stopped(pair, &said, Stop::Filter)
    })
    .await;
}

#[tokio::test]
async fn a_gemini_stream_without_events_is_one_json_array() {
    let world = World::start().await;
    each(Dialect::ALL, async |upstream| {
        let pair = Pair { client: Dialect::Gemini, upstream, stream: true };
        let array = async |wish: &str| {
            let target = dialect::gemini::target(&pair.ask(wish)).replace("?alt=sse", "");
            let call = Call::post(target, dialect::gemini::body(&pair.ask(wish)).to_string());
            call.send(world.byok.address()).await
        };
        let answer = array("sim:thinking Hm. sim:languages").await;
        equal("kind", &answer.header("content-type"), &"application/json")?;
        equal("an array", &answer.body.first(), &Some(&b'['))?;
        let said =
            dialect::gemini::stream(&answer.body).map_err(|error| format!("{error}: {}", answer.text()))?;
        equal("text", &said.text.as_str(), &LANGUAGES)?;
        let answer = array("sim:error_mid 2 sim:long 9").await;
        let said =
            dialect::gemini::stream(&answer.body).map_err(|error| format!("{error}: {}", answer.text()))?;
        equal("an error", &said.error.is_some(), &true)?;
        let answer = array("sim:400").await;
        equal("status", &answer.status, &400)?;
        let refusal = answer.json();
        let fault = if refusal.is_array() {
            dialect::gemini::fault(&refusal[0])
        } else {
            dialect::gemini::fault(&refusal)
        };
        equal("kind", &fault?.kind.as_str(), &"INVALID_ARGUMENT")
    })
    .await;
}
