use super::*;

#[test]
fn what_a_request_says_of_its_conversation() {
    let hello = "{\"type\":\"message\",\"role\":\"user\",\"content\":\"h\\u0069\"}";
    for (body, model, previous, store, items) in [
        (r#"{"model":"m","input":"h\u0069"}"#, "m", None, true, hello),
        (r#"{"model":"m","store":false,"input":[]}"#, "m", None, false, ""),
        (r#"{"input":[ {"a":1}, 2 ],"store":null}"#, "", None, true, "{\"a\":1}, 2"),
        (r#"{"model":"m","input":null}"#, "m", None, true, ""),
        (r#"{"previous_response_id":"resp_1","store":true}"#, "", Some("resp_1"), true, ""),
        (r#"{"previous_response_id":null,"input":[1]}"#, "", None, true, "1"),
    ] {
        let said = Said::of(body.as_bytes()).unwrap();
        let expected = Said {
            model: model.to_owned(),
            previous: previous.map(str::to_owned),
            store,
            items: items.to_owned(),
        };
        assert_eq!(said, expected, "{body}");
    }
    for (body, param) in [
        (r#"{"input":7}"#, "input"),
        (r#"{"previous_response_id":7}"#, "previous_response_id"),
        (r#"{"input":[],"input":[]}"#, "input"),
        ("[]", "body"),
    ] {
        assert_eq!(Said::of(body.as_bytes()).unwrap_err().param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn earlier_items_stand_before_the_new_ones() {
    for (body, earlier, expected) in [
        (
            r#"{"model":"m","previous_response_id" : "r" , "input":"x","n":1e5}"#,
            "1,2",
            r#"{"model":"m", "input":[1,2,3],"n":1e5}"#,
        ),
        (r#"{"previous_response_id":"r","input":[3]}"#, "", r#"{"input":[3]}"#),
        (r#"{"input":[3],"previous\u005fresponse_id":"r"}"#, "1", r#"{"input":[1,3]}"#),
        (r#"{"model":"m", "previous_response_id":"r"}"#, "1", r#"{"input":[1,3],"model":"m"}"#),
    ] {
        let found = continued(&Bytes::from(body), earlier, "3").unwrap();
        assert_eq!(found, expected.as_bytes(), "{body}");
        assert!(serde_json::from_slice::<Value>(&found).is_ok(), "{body}");
    }
}

const CALL: &str = r#"{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#;

#[test]
fn what_an_answer_leaves() {
    let sealed = r#"{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"seal"}"#;
    let open = r#"{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":null}"#;
    let search = r#"{"id":"ws_1","type":"web_search_call","status":"completed"}"#;
    let bare = r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#;
    let empty = r#"{"id":"rs_1","type":"reasoning","encrypted_content":""}"#;
    let named = |kind: &str| format!(r#"{{"id":"i_1","type":"{kind}","x":1}}"#);
    for (output, expected) in [
        (format!("{sealed},{CALL}"), format!("{sealed},{CALL}")),
        (format!("{open},{CALL},{search}"), format!("{bare},{search}")),
        (
            format!("{empty},{},{}", named("message"), named("custom_tool_call")),
            r#"{"type":"message","x":1},{"type":"custom_tool_call","x":1}"#.to_owned(),
        ),
        (String::new(), String::new()),
    ] {
        let body = format!("{{\"id\":\"resp_1\",\"output\":[{output}],\"n\":1.50}}");
        let left = Left::of(body.as_bytes()).unwrap();
        assert_eq!((left.id.as_str(), &left.items, &left.response), ("resp_1", &expected, &body));
    }
    assert_eq!(Left::of(br#"{"error":{}}"#), None);
    assert_eq!(Left::of(b"\xff"), None);
}

#[test]
fn a_stream_leaves_the_same_however_it_is_cut() {
    let done = format!("data: {{\"type\":\"response.output_item.done\",\"item\":{CALL}}}\n\n");
    let text =
        "event: x\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"response.completed\"}\n\n";
    for (output, ending) in
        [("", "response.completed"), (CALL, "response.completed"), (CALL, "response.incomplete")]
    {
        let end = format!(
            "data: {{\"type\":\"{ending}\",\"response\":{{\"id\":\"resp_1\",\"output\":[{output}]}}}}\n\n"
        );
        let stream = format!("{text}: comment\n\n{done}{end}");
        for size in [1, 7, stream.len()] {
            let mut watch = Watch::new(10_000);
            let left: Vec<_> = stream.as_bytes().chunks(size).filter_map(|piece| watch.push(piece)).collect();
            assert_eq!(left.len(), 1, "{ending}, {size}");
            assert_eq!((left[0].id.as_str(), left[0].items.as_str()), ("resp_1", CALL));
            assert!(left[0].response.contains("\"call_id\":\"c\""), "{}", left[0].response);
        }
    }
    let mut small = Watch::new(50);
    let end = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[]}}\n\n";
    assert!(small.push(done.as_bytes()).is_none() && small.push(end.as_bytes()).is_none());
    for (limit, kept) in [(3 * CALL.len(), true), (3 * CALL.len() - 1, false)] {
        let mut watch = Watch::new(limit);
        let begun = done.repeat(3).bytes().find_map(|byte| watch.push(&[byte]));
        let items = watch.push(end.as_bytes()).map(|left| left.items);
        assert_eq!((begun, items), (None, kept.then(|| [CALL; 3].join(","))), "{limit}");
    }
}

#[test]
fn items_are_listed_in_pages() {
    let items = r#"{"id":"a"},{"role":"user"},{"id":"c"}"#;
    let asc = Page { ascending: true, ..Page::default() };
    for (page, ids, more) in [
        (Page::default(), vec!["c", "msg_1", "a"], false),
        (asc.clone(), vec!["a", "msg_1", "c"], false),
        (Page { limit: Some(2), ..asc.clone() }, vec!["a", "msg_1"], true),
        (Page { after: Some("a".into()), ..asc.clone() }, vec!["msg_1", "c"], false),
        (Page { limit: Some(0), after: Some("c".into()), ..Page::default() }, vec!["msg_1"], true),
        (Page { after: Some("c".into()), ..asc }, vec![], false),
    ] {
        let list: Value = serde_json::from_slice(&input_items(items, &page)).unwrap();
        let found: Vec<_> =
            list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!((found, list["has_more"].as_bool().unwrap()), (ids, more), "{page:?}");
    }
}

#[test]
fn pages_say_where_they_begin_and_end() {
    let read =
        |items: &str, page: &Page| -> Value { serde_json::from_slice(&input_items(items, page)).unwrap() };
    let page = Page { ascending: true, limit: Some(2), after: None };
    let list = json!({
        "object": "list", "data": [{"id": "a"}, {"id": "b"}], "first_id": "a", "last_id": "b", "has_more": true,
    });
    assert_eq!(read(r#"{"id":"a"},{"id":"b"},{"id":"c"}"#, &page), list);
    let none = json!({"object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false});
    assert_eq!(read("", &Page::default()), none);
    let many = vec!["{}"; 150].join(",");
    for (limit, found) in [(None, 20), (Some(100), 100), (Some(101), 100)] {
        let list = read(&many, &Page { limit, ..Page::default() });
        assert_eq!(list["data"].as_array().map(Vec::len), Some(found), "{limit:?}");
    }
}

#[test]
fn what_is_said_of_a_response_that_is_gone() {
    let failure = not_found(&format!("resp_\n{}", "x".repeat(100)));
    let shown = format!("Previous response with id 'resp_{}' not found.", "x".repeat(95));
    assert_eq!((failure.param.as_deref(), failure.message), (Some("previous_response_id"), shown));
    assert_eq!(failure.code.as_deref(), Some("previous_response_not_found"));
    let body: Value = serde_json::from_slice(&deleted("resp_1")).unwrap();
    assert_eq!(body, json!({"id": "resp_1", "object": "response", "deleted": true}));
}

#[test]
fn items_take_the_place_of_references_to_them() {
    const ANSWER: &str = r#"{"id":"r","output":[{"type":"reasoning","id":"rs_1","summary":[]},
        {"type":"message","id":"msg_1","role":"assistant","content":[]},{"type":"tool_search_call","id":"tsc_1"}]}"#;
    const ASKED: &str =
        r#"{"role":"user","id":"msg_0","content":"x"},{"type":"item_reference","id":"msg_9"}"#;
    let settle = |items: &str| {
        let mut references = References::of(items)?;
        references.look_in(r#"{"id":"other","output":[]}"#, "");
        references.look_in(ANSWER, ASKED);
        Some((references.are_found(), references.settle(items, 200)))
    };
    for (items, expected) in [
        // Reasoning without a seal is read by nobody, and the message loses the id by which it would be missed.
        (
            r#"{"type":"item_reference","id":"rs_1"}, {"type":"item_reference","id":"msg_1"},{"role":"user","content":"y"}"#,
            r#"{"type":"message","role":"assistant","content":[]},{"role":"user","content":"y"}"#,
        ),
        (
            r#"{"id":"tsc_1"},{"type":null,"id":"tsc_1"}"#,
            r#"{"type":"tool_search_call","id":"tsc_1"},{"type":"tool_search_call","id":"tsc_1"}"#,
        ),
        (r#"{"id":"msg_0","type":"item_reference"}"#, r#"{"role":"user","id":"msg_0","content":"x"}"#),
        (r#"{"type":"item_reference","id":"rs_1"}"#, ""),
    ] {
        let (found, settled) = settle(items).unwrap();
        assert_eq!((found, settled.unwrap().as_str()), (true, expected), "{items}");
    }
    for none in
        ["", r#"{"role":"user","id":"msg_1","content":"x"}"#, r#"{"type":"function_call","id":"fc_1"}"#]
    {
        assert_eq!(settle(none), None, "{none}");
    }
    for (items, param, status) in [
        (r#"{"id":"msg_1"},{"type":"item_reference","id":"nowhere"}"#, "input[1]", 400),
        // A reference to a reference leads nowhere.
        (r#"{"id":"msg_9"}"#, "input[0]", 400),
        (&*[r#"{"id":"tsc_1"}"#; 9].join(","), "input", 413),
    ] {
        let failure = settle(items).unwrap().1.unwrap_err();
        assert_eq!((failure.param.as_deref(), failure.status), (Some(param), status), "{items}");
    }
}
