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
