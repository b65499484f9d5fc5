use super::*;

const WRAPPED: &str = "data: {\"traceId\":\"t\",\"response\":{\"candidates\":[{\"text\":\"a}\\n\"}]} , \"x\":1}\r\n\r\n: note\n\ndata: {\"error\":{\"code\":429}}\n\ndata:{\"response\":{\"b\":2}}\n\n";
const PLAIN: &str = "data: {\"candidates\":[{\"text\":\"a}\\n\"}]}\r\n\r\n: note\n\ndata: {\"error\":{\"code\":429}}\n\ndata: {\"b\":2}\n\n";

#[test]
fn a_stream_is_opened_at_every_split() {
    for cut in 0..=WRAPPED.len() {
        let mut opener = Envelope::Response.opener().unwrap();
        let mut out = BytesMut::new();
        opener.push(&WRAPPED.as_bytes()[..cut], &mut out);
        opener.push(&WRAPPED.as_bytes()[cut..], &mut out);
        opener.finish(&mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), PLAIN, "cut at {cut}");
    }
}

#[test]
fn whole_answers() {
    for (envelope, body, opened) in [
        (Envelope::Response, "{\"response\": {\"a\":[1]}, \"traceId\":\"t\"}", "{\"a\":[1]}"),
        (Envelope::Response, "{\"error\":{}}", "{\"error\":{}}"),
        (Envelope::Response, "not json", "not json"),
        (Envelope::None, "{\"response\":{}}", "{\"response\":{}}"),
    ] {
        assert_eq!(envelope.open_whole(&Bytes::from_static(body.as_bytes())), opened, "{body}");
    }
}

#[test]
fn what_no_client_should_see_is_taken_out() {
    let call = |args: &str| {
        format!(
            "{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"functionCall\":{{\"name\":\"f\",\"args\":{args}}}}}]}}}}]}}"
        )
    };
    let old = r#"{"candidates":[{"content":{"parts":[{"text":"This version of Antigravity is no longer supported. Please update!"}]}}]}"#;
    let error = r#"{"error":{"code":503,"message":"This version of Antigravity is no longer supported. Please update!","status":"UNAVAILABLE"}}"#;
    let quoted = r#"{"candidates":[{"content":{"parts":[{"text":"It says: This version of Antigravity is no longer supported"}]}}]}"#;
    let cases = [
        (call("{\"byok_placeholder\":true}"), call("{}")),
        (call("{\"a\":1,\"byok_placeholder\":true,\"b\":2}"), call("{\"a\":1,\"b\":2}")),
        (call("{\"a\":1}"), call("{\"a\":1}")),
        (old.to_owned(), error.to_owned()),
        (quoted.to_owned(), quoted.to_owned()),
    ];
    for (answer, wanted) in cases {
        let whole = Bytes::from(format!("{{\"response\":{answer}}}"));
        assert_eq!(Envelope::Response.open_whole(&whole), wanted);
        let mut opener = Envelope::Response.opener().unwrap();
        let mut out = BytesMut::new();
        opener.push(format!("data: {{\"response\":{answer}}}\n\n").as_bytes(), &mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), format!("data: {wanted}\n\n"));
    }
}
