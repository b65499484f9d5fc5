//! Answers of models.

use super::{
    Denied,
    account::{MODELS, asker},
    check::{check, list},
    render,
};
use crate::{
    answer,
    asked::{Asked, Declared, Dialogue, Media, Thought, ToolAnswer, prompt_of},
    body::{Step, Tear},
    call::Call,
    scenario::{Cause, Script, Trouble, Wire},
    server::Reply,
    sse::{self, Item},
    trouble,
    world::World,
};
use byok_types::Dialect;
use serde_json::Value;
use std::collections::HashMap;

pub(super) fn generate(world: &World, call: &Call) -> Result<Reply, Denied> {
    let owner = asker(world, call)?;
    let invalid =
        || Denied::new(400, "Validation", "Request body invalid.", Some("REQUEST_BODY_INVALID_JSON"));
    if !call.is_json() {
        return Err(invalid());
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| invalid())?;
    check(&body, owner.as_ref())?;
    let asked = read(&body);
    let key = call.bearer().unwrap_or_default();
    let script = Script::read(key, &asked.text, call.header("x-sim-scenario"))
        .map_err(|bad| Denied::new(400, "Validation", bad.to_string(), Some("REQUEST_BODY_INVALID")))?;
    // A login goes on with another token after a refresh, so its owner stands for it.
    let who = owner.map_or_else(|| key.to_owned(), |owner| owner.user_id());
    play(world, &asked, &script, &who).map(|reply| reply.late(script.late))
}

fn play(world: &World, asked: &Asked, script: &Script, who: &str) -> Result<Reply, Denied> {
    let cause = match script.trouble {
        Some(Trouble::Refuse(cause, wait)) => Some((cause, wait)),
        Some(Trouble::Fail { times, cause }) => world.must_fail(who, cause, times).then_some((cause, None)),
        _ => None,
    };
    if let Some((cause, wait)) = cause {
        if cause == Cause::BadGateway {
            return Ok(Reply::html(502, "<html><head><title>502 Bad Gateway</title></head></html>\n"));
        }
        return Err(denied(cause, wait));
    }
    if let Some(reply) = script.trouble.and_then(|trouble| trouble::special(trouble, true)) {
        return Ok(reply);
    }
    if script.overage {
        world.go_beyond("kiro");
    }
    let cached = world.cache.visit(who, &asked.prompt) / 4;
    let answer = answer::compose(asked, script, cached as u64);
    let context =
        MODELS.iter().find(|(id, ..)| *id == asked.model).map_or(200_000, |(_, context, _)| *context);
    let items = render::frames(world, &answer, world.ids.next(), &asked.model, context);
    let items = broken(items, script.trouble);
    let mut script = script.clone();
    // Lines and comments are nothing to a binary stream.
    script.wire = Wire { crlf: false, noise: false, split_utf8: false, ..script.wire };
    let steps = sse::lay_out(items, &script, Dialect::Messages, world.options.pace);
    let headers = vec![("content-type".to_owned(), "application/vnd.amazon.eventstream".to_owned())];
    Ok(Reply::streamed(200, headers, steps))
}

/// What a stream becomes when the scenario breaks it.
fn broken(items: Vec<Item>, trouble: Option<Trouble>) -> Vec<Item> {
    let busy = denied(Cause::Overloaded, None);
    let error = || Item::Bytes { bytes: render::exception(busy.name, &busy.body()), delta: false };
    let after = |deltas: usize, last: Item| {
        let is_delta = |item: &Item| matches!(item, Item::Bytes { delta: true, .. });
        let end = items
            .iter()
            .enumerate()
            .filter(|(_, item)| is_delta(item))
            .take(deltas)
            .last()
            .map_or(0, |(at, _)| at + 1);
        let mut kept: Vec<Item> = items[..end].to_vec();
        kept.push(last);
        kept
    };
    match trouble {
        Some(Trouble::FirstEvent) => vec![error()],
        Some(Trouble::MidError(deltas) | Trouble::BareError(deltas)) => after(deltas, error()),
        Some(Trouble::MidTear(deltas, tear)) => after(deltas, Item::Step(Step::Break(tear))),
        Some(Trouble::HalfFrame(deltas)) => {
            let mut half = after(deltas, Item::Bytes { bytes: vec![0, 0, 0, 99, 0, 0], delta: false });
            half.push(Item::Step(Step::Break(Tear::Reset)));
            half
        }
        Some(Trouble::StallHeaders | Trouble::StallComments(_)) => vec![Item::Step(Step::Hang)],
        Some(Trouble::StallMid(deltas)) => after(deltas, Item::Step(Step::Hang)),
        // There is no terminal event: an end in the middle of a frame is what a cut looks like.
        Some(Trouble::NoEnd | Trouble::NoDone) => {
            after(2, Item::Bytes { bytes: vec![0, 0, 0, 99, 0, 0], delta: false })
        }
        _ => items,
    }
}

/// A cause in the vendor's words.
fn denied(cause: Cause, wait: Option<u64>) -> Denied {
    let quota =
        |reason| Denied::new(402, "ServiceQuotaExceeded", "You have reached the limit.", Some(reason));
    let denied = match cause {
        Cause::BadRequest => Denied::malformed(),
        Cause::Auth => Denied::bearer(),
        Cause::Billing | Cause::Quota => quota("MONTHLY_REQUEST_COUNT"),
        Cause::ExtraUsage => quota("OVERAGE_REQUEST_LIMIT_EXCEEDED"),
        Cause::Forbidden => {
            Denied::new(403, "AccessDenied", "This feature is not supported.", Some("FEATURE_NOT_SUPPORTED"))
        }
        Cause::NotFound => Denied::new(
            400,
            "Validation",
            "Invalid model. Please select a different model to continue.",
            Some("INVALID_MODEL_ID"),
        ),
        Cause::TooLarge | Cause::ContextTooLong => {
            Denied::new(400, "Validation", "Input is too long.", Some("CONTENT_LENGTH_EXCEEDS_THRESHOLD"))
        }
        Cause::RateLimit => {
            Denied::new(429, "Throttling", "Too many requests.", Some("USER_REQUEST_RATE_EXCEEDED"))
        }
        Cause::Overloaded => Denied::new(
            429,
            "Throttling",
            "I am experiencing high traffic, please try again shortly.",
            Some("INSUFFICIENT_MODEL_CAPACITY"),
        ),
        Cause::ThirdParty => Denied::new(
            429,
            "Throttling",
            "Due to suspicious activity, we are imposing temporary limits on how frequently your account (sim) can send a request to Kiro while we investigate.",
            None,
        ),
        Cause::Banned => Denied::new(
            403,
            "AccessDenied",
            "Your User ID (sim) temporarily is suspended. We detected unusual user activity and locked it as a security precaution. To restore access, please contact our support team to verify your identity: https://support.aws.amazon.com/#/contacts/kiro",
            Some("TEMPORARILY_SUSPENDED"),
        ),
        Cause::Unavailable => Denied::new(503, "ServiceUnavailable", "Service unavailable.", None),
        Cause::Server | Cause::BadGateway | Cause::Timeout => {
            Denied::new(500, "InternalServer", "Encountered an unexpected error.", None)
        }
    };
    Denied { wait: wait.filter(|_| denied.status == 429), ..denied }
}

fn read(body: &Value) -> Asked {
    let state = &body["conversationState"];
    let current = &state["currentMessage"]["userInputMessage"];
    let effort = !body["additionalModelRequestFields"].is_null();
    let mut asked = Asked {
        model: current["modelId"].as_str().unwrap_or_default().to_owned(),
        stream: true,
        thinking: if effort { Thought::Shown } else { Thought::Off },
        prompt: prompt_of(state, &["history", "currentMessage"]),
        ..Asked::default()
    };
    for tool in list(&current["userInputMessageContext"]["tools"]) {
        let tool = &tool["toolSpecification"];
        asked.tools.push(Declared {
            name: tool["name"].as_str().unwrap_or_default().to_owned(),
            namespace: None,
            free: false,
            schema: tool["inputSchema"]["json"].clone(),
        });
    }
    let mut dialogue = Dialogue::default();
    let mut names = HashMap::new();
    for entry in list(&state["history"]).iter().chain([&state["currentMessage"]]) {
        for call in list(&entry["assistantResponseMessage"]["toolUses"]) {
            names.insert(call["toolUseId"].to_string(), call["name"].as_str().unwrap_or_default().to_owned());
        }
        if let Some(user) = entry.get("userInputMessage") {
            let media = list(&user["images"]).iter().map(picture).collect();
            let results = list(&user["userInputMessageContext"]["toolResults"]);
            let results = results.iter().map(|result| told(result, &names)).collect();
            dialogue.user(&[wish(user["content"].as_str().unwrap_or_default())], media, results);
        }
    }
    dialogue.fill(&mut asked);
    asked
}

/// The text from its wish on: the system prompt stands before it.
fn wish(text: &str) -> String {
    let at = if text.starts_with("sim:") { Some(0) } else { text.find("\nsim:").map(|at| at + 1) };
    text[at.unwrap_or(0)..].trim().to_owned()
}

fn picture(image: &Value) -> Media {
    let bytes = image["source"]["bytes"].as_str().and_then(crate::seal::decode_any).map(|bytes| bytes.len());
    Media { media_type: format!("image/{}", image["format"].as_str().unwrap_or_default()), bytes }
}

fn told(result: &Value, names: &HashMap<String, String>) -> ToolAnswer {
    let mut text = if result["status"] == "error" { "failed: ".to_owned() } else { String::new() };
    for part in list(&result["content"]) {
        text.push_str(part["text"].as_str().unwrap_or_default());
    }
    ToolAnswer { name: names.get(&result["toolUseId"].to_string()).cloned().unwrap_or_default(), text }
}
