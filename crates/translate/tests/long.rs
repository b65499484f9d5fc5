//! Long requests: each of these has tens of thousands of turns, parts, calls or tools. What is done for each of them must not
//! look at all the others: a test here would take minutes then.

#![expect(clippy::panic, reason = "a test fails by a panic")]

use byok_translate::{
    Ids, Incoming, Losses, Translated, codec, drop_seals,
    ir::{Part, Request},
    keep_seals_of, messages,
};
use byok_types::{Dialect, Family, ModelFacts};
use serde_json::{Value, json};
use std::collections::HashMap;

const MANY: usize = 40_000;

fn many<T>(make: impl FnMut(usize) -> T) -> Vec<T> {
    (0..MANY).map(make).collect()
}

fn facts(upstream: Dialect) -> ModelFacts {
    let family = match upstream {
        Dialect::Chat | Dialect::Responses => Family::Openai,
        Dialect::Messages => Family::Claude,
        Dialect::Gemini => Family::Gemini,
    };
    let mut facts = ModelFacts { id: "m".into(), family, ..ModelFacts::default() };
    facts.input.image = true;
    facts
}

fn read(client: Dialect, body: &[u8]) -> Translated<Request> {
    let path = (client == Dialect::Gemini).then_some("m");
    codec::decode_request(client, &Incoming { body, model: path, stream: path.map(|_| false) })
        .unwrap_or_else(|failure| panic!("{client}: {failure}"))
}

/// Reads a request, writes it for the upstreams and reads that again. The answer is how many calls have their result at each.
fn paired<const N: usize>(client: Dialect, body: &Value, upstreams: [Dialect; N]) -> [usize; N] {
    let mut request = read(client, body.to_string().as_bytes());
    keep_seals_of("maker", &mut request);
    upstreams.map(|upstream| {
        let facts = facts(upstream);
        drop(messages::headers_for(&request.value, &facts));
        let written = codec::encode_request(upstream, &request.value, &facts, &mut Ids::new("s"))
            .unwrap_or_else(|failure| panic!("{client} to {upstream}: {failure}"));
        let mut again = read(upstream, &written.value);
        drop_seals(&mut again);
        answered(&again.value)
    })
}

/// Calls whose result says `r` and the number that the call was made with.
fn answered(request: &Request) -> usize {
    let parts = || request.messages.iter().flat_map(|message| &message.parts);
    let made: HashMap<_, _> = parts()
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some((call.call_id.as_str(), call.arguments.as_str())),
            _ => None,
        })
        .collect();
    let fits = |part: &&Part| match part {
        Part::ToolResult(result) => match result.parts.as_slice() {
            [Part::Text(text)] => made.get(result.call_id.as_str()).is_some_and(|made| {
                text.text.strip_prefix('r').is_some_and(|number| *made == format!(r#"{{"n":{number}}}"#))
            }),
            _ => false,
        },
        _ => false,
    };
    parts().filter(fits).count()
}

mod chat {
    use super::*;
    use Dialect::{Gemini, Messages, Responses};

    fn user() -> Value {
        json!({"role": "user", "content": "q"})
    }

    fn call(id: &str, number: usize) -> Value {
        let arguments = format!(r#"{{"n":{number}}}"#);
        json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}})
    }

    fn result(id: &str, number: usize) -> Value {
        json!({"role": "tool", "tool_call_id": id, "content": format!("r{number}")})
    }

    fn request(messages: &[Value]) -> Value {
        json!({"model": "m", "messages": messages})
    }

    #[test]
    fn parallel_calls_whose_results_come_in_the_other_order() {
        let calls = many(|n| call(&format!("c{n}"), n));
        let mut messages = vec![user(), json!({"role": "assistant", "tool_calls": calls})];
        messages.extend((0..MANY).rev().map(|n| result(&format!("c{n}"), n)));
        assert_eq!(paired(Dialect::Chat, &request(&messages), [Messages, Gemini]), [MANY; 2]);
    }

    #[test]
    fn calls_of_one_id() {
        let calls = many(|n| call("c", n));
        let mut messages = vec![user(), json!({"role": "assistant", "tool_calls": calls})];
        messages.extend(many(|n| result("c", n)));
        assert_eq!(paired(Dialect::Chat, &request(&messages), [Messages]), [MANY]);
    }

    #[test]
    fn calls_of_as_many_turns_of_the_model() {
        let mut messages = vec![user()];
        messages.extend(many(|n| json!({"role": "assistant", "tool_calls": [call(&format!("c{n}"), n)]})));
        messages.extend(many(|n| result(&format!("c{n}"), n)));
        assert_eq!(paired(Dialect::Chat, &request(&messages), [Responses]), [MANY]);
    }

    #[test]
    fn something_is_lost_in_every_turn() {
        let turn = |n| {
            let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}});
            let signed = json!({"google": {"thought_signature": "s"}});
            let mut call = call(&format!("c{n}"), n);
            call["extra_content"] = signed;
            [
                json!({"role": "system", "content": "s"}),
                json!({"role": "assistant", "content": [picture], "tool_calls": [call]}),
                json!({"role": "user", "content": [picture, {"type": "unheard_of"}], "unheard_of": 1}),
                result("nobody", n),
            ]
        };
        let mut messages = vec![user()];
        messages.extend((0..MANY / 4).flat_map(turn));
        messages.push(user());
        assert_eq!(paired(Dialect::Chat, &request(&messages), [Responses, Messages, Gemini]), [0; 3]);
    }

    #[test]
    fn tools_of_which_all_are_allowed() {
        let choice = |n| json!({"type": "function", "function": {"name": format!("t.{n}")}});
        let tool = |n| {
            let parameters = json!({"type": "object", "properties": {}});
            json!({"type": "function", "function": {"name": format!("t.{n}"), "strict": true, "parameters": parameters}})
        };
        let mut body = request(&[user()]);
        body["tools"] = many(tool).into();
        body["tool_choice"] =
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": many(choice)}});
        paired(Dialect::Chat, &body, [Messages, Gemini]);
    }

    #[test]
    fn a_schema_of_many_names_and_words() {
        let names: Vec<_> = many(|n| format!("p{n}"));
        let properties: serde_json::Map<_, _> =
            names.iter().map(|name| (name.clone(), json!({"enum": [name]}))).collect();
        let all = json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false});
        let branch = json!({"type": "object", "properties": {"x": {"enum": names}}, "required": names});
        let schemas = [
            all.clone(),
            json!({"anyOf": [branch, branch]}),
            json!({"type": "object", "properties": {"y": {"anyOf": [branch, branch]}, "z": {"enum": names}}}),
        ];
        let tool = |(n, parameters)| json!({"type": "function", "function": {"name": format!("t{n}"), "strict": true, "parameters": parameters}});
        let mut body = request(&[user()]);
        body["tools"] = schemas.into_iter().enumerate().map(tool).collect();
        paired(Dialect::Chat, &body, [Messages, Gemini]);
    }
}

#[test]
fn members_that_nobody_knows_beside_every_message() {
    let turn = |n: usize| {
        let mark = json!({"type": "ephemeral"});
        let thought = json!({"type": "thinking", "thinking": "t", "signature": format!("s{n}")});
        [
            json!({"role": "user", "content": [{"type": "text", "text": "x", "cache_control": mark}], "mine": n}),
            json!({"role": "assistant", "content": [thought, {"type": "text", "text": "y"}], "mine": n}),
        ]
    };
    let mut messages: Vec<_> = (0..MANY / 2).flat_map(turn).collect();
    messages.push(json!({"role": "user", "content": "x"}));
    paired(
        Dialect::Messages,
        &json!({"model": "m", "max_tokens": 9, "messages": messages}),
        [Dialect::Messages],
    );
}

#[test]
fn tools_in_a_namespace_that_a_choice_leaves_out() {
    let choice = many(|n| json!({"type": "function", "name": format!("f{n}")}));
    let tools = many(|n| json!({"type": "function", "name": format!("f{n}"), "parameters": {}}));
    let tools = json!([{"type": "namespace", "name": "n", "description": "d", "tools": tools}]);
    let choice = json!({"type": "allowed_tools", "mode": "auto", "tools": choice});
    paired(
        Dialect::Responses,
        &json!({"model": "m", "input": "q", "tools": tools, "tool_choice": choice}),
        [Dialect::Messages],
    );
}

mod gemini {
    use super::*;

    fn request(model: &[Value], user: &[Value]) -> Value {
        json!({"contents": [
            {"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": model}, {"role": "user", "parts": user},
        ]})
    }

    #[test]
    fn calls_that_only_their_names_tell_apart() {
        let calls = many(|n| json!({"functionCall": {"name": format!("f{n}"), "args": {"n": n}}}));
        let result = |n| json!({"functionResponse": {"name": format!("f{n}"), "response": {"output": format!("r{n}")}}});
        let results: Vec<_> = (0..MANY).rev().map(result).collect();
        // Gemini is given no ids that byok made up: there they are paired by their names again.
        assert_eq!(
            paired(Dialect::Gemini, &request(&calls, &results), [Dialect::Messages, Dialect::Gemini]),
            [MANY; 2]
        );
    }

    #[test]
    fn seals_of_another_vendor_on_every_part() {
        // Carriers of sealed and of hidden reasoning, as byok itself gives them to clients of Gemini.
        let (sealed, hidden) = ("YnlvazE6Y2xhdWRlOjpZUQ==", "YnlvazE6Y2xhdWRlLnJlZGFjdGVkOjpZUQ==");
        let parts = |n| match n % 4 {
            0 => json!({"text": "t", "thought": true}),
            1 => json!({"text": "", "thoughtSignature": hidden}),
            _ => json!({"text": "x", "thoughtSignature": sealed}),
        };
        let mut model = many(|_| json!({"text": "t", "thought": true}));
        model.extend(many(|_| json!({"text": "", "thoughtSignature": hidden})));
        model.extend(many(parts));
        paired(Dialect::Gemini, &request(&model, &[json!({"text": "q"})]), [Dialect::Messages]);
    }
}

#[test]
fn the_same_losses_again_and_again() {
    let mut losses = Losses::default();
    for n in 0..5 * MANY {
        losses.dropped(format!("messages[{}]", n % (2 * MANY)), "a reason");
        losses.dropped("messages", "a reason");
    }
    assert_eq!(losses.list().len(), 2 * MANY + 1);
}
