use super::addresses;
use crate::{
    Ids, codec,
    ir::{Document, Extra, Image, Message, Part, Request, Role, Source, ToolCall, ToolResult},
};
use byok_types::{Dialect, InputKinds, ModelFacts};

const DIALECTS: [Dialect; 4] = [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini];
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ";

fn url(url: &str) -> Source {
    Source::Url { url: url.to_owned(), media_type: None }
}

fn picture(source: Source) -> Part {
    Part::Image(Image { source, detail: None, cache: None, extra: Extra::default() })
}

fn document(source: Source) -> Part {
    Part::Document(Document {
        source,
        filename: Some("a.pdf".to_owned()),
        title: None,
        context: None,
        citations: None,
        detail: None,
        cache: None,
        extra: Extra::default(),
    })
}

/// A request that says `part` itself, or has it in the result of a tool.
fn request(client: Dialect, part: Part, in_result: bool) -> Request {
    let mut request = Request::new(client, "m");
    let question = Part::text("What is this?");
    request.messages = if in_result {
        let call = ToolCall {
            call_id: "call_1".to_owned(),
            name: "look".to_owned(),
            arguments: "{}".to_owned(),
            ..ToolCall::default()
        };
        let result = ToolResult { call_id: "call_1".to_owned(), parts: vec![part], ..ToolResult::default() };
        let role = if client == Dialect::Chat { Role::Tool } else { Role::User };
        vec![
            Message::new(Role::User, vec![question]),
            Message::new(Role::Assistant, vec![Part::ToolCall(call)]),
            Message::new(role, vec![Part::ToolResult(result)]),
        ]
    } else {
        vec![Message::new(Role::User, vec![question, part])]
    };
    request
}

fn facts(by_url: bool, first_party: bool) -> ModelFacts {
    let input = InputKinds { url: by_url, ..InputKinds::default() };
    ModelFacts { id: "m".to_owned(), input, first_party, result_media: true, ..ModelFacts::default() }
}

/// Every request that has addresses is refused by its encoder, every request that is refused has them, and with bytes in
/// their place it is taken.
#[test]
fn addresses_are_what_the_encoders_refuse() {
    for client in DIALECTS {
        for dialect in DIALECTS {
            for (by_url, first_party) in [(false, false), (false, true), (true, false), (true, true)] {
                for address in [
                    "https://pictures.example/a",
                    "http://pictures.example/a",
                    "https://generativelanguage.googleapis.com/v1beta/files/a",
                ] {
                    for (is_picture, in_result) in
                        [(true, false), (true, true), (false, false), (false, true)]
                    {
                        let part = if is_picture { picture(url(address)) } else { document(url(address)) };
                        let mut request = request(client, part, in_result);
                        let facts = facts(by_url, first_party);
                        let encode = |request: &Request| {
                            codec::encode_request(dialect, request, &facts, &mut Ids::new("r"))
                        };
                        let case = format!(
                            "{client} to {dialect}, by url {by_url}, first party {first_party}, {address}, \
                             picture {is_picture}, in a result {in_result}"
                        );
                        let refused = encode(&request).err();
                        let found = addresses(&mut request, dialect, &facts);
                        assert_eq!(found.len(), usize::from(refused.is_some()), "{case}: {refused:?}");
                        for address in found {
                            assert_eq!(address.picture, is_picture, "{case}");
                            let kind = if is_picture { "image/png" } else { "application/pdf" };
                            address.replace(kind, PNG.to_owned());
                        }
                        let refused = encode(&request).err();
                        assert_eq!(refused, None, "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn fields_are_named_in_the_words_of_the_client() {
    for (client, in_result, expected) in [
        (Dialect::Chat, false, "messages[0].content[1]"),
        (Dialect::Chat, true, "messages[2].content[0]"),
        (Dialect::Messages, false, "messages[0].content[1]"),
        (Dialect::Messages, true, "messages[2].content[0].content[0]"),
        (Dialect::Responses, false, "input[0].content[1]"),
        (Dialect::Responses, true, "input[2].output[0]"),
        (Dialect::Gemini, false, "contents[0].parts[1]"),
        (Dialect::Gemini, true, "contents[2].parts[0]"),
    ] {
        let mut request = request(client, picture(url("https://pictures.example/a")), in_result);
        let found = addresses(&mut request, Dialect::Messages, &facts(false, true));
        let fields: Vec<_> = found.iter().map(|address| address.field.as_str()).collect();
        assert_eq!(fields, [expected], "{client}");
    }
}

#[test]
fn what_is_no_address_to_be_fetched() {
    let inside = Source::Parts(vec![Part::text("a"), picture(url("https://pictures.example/inside"))]);
    let parts = vec![
        picture(url("data:image/png;base64,AAAA")),
        picture(url("gs://bucket/a.png")),
        picture(url("file:///etc/passwd")),
        picture(url("httpsä")),
        picture(Source::FileId("file-1".to_owned())),
        document(Source::Text("text".to_owned())),
        picture(url("HTTPS://pictures.example/shouted")),
        document(inside),
    ];
    let mut request = Request::new(Dialect::Chat, "m");
    request.messages = vec![
        Message::new(Role::Assistant, vec![picture(url("https://pictures.example/made"))]),
        Message::new(Role::User, parts),
    ];
    let urls = |request: &mut Request, facts: &ModelFacts| {
        let found = addresses(request, Dialect::Gemini, facts);
        found.into_iter().map(|address| address.url).collect::<Vec<_>>()
    };
    let mut facts = facts(false, true);
    assert_eq!(
        urls(&mut request, &facts),
        ["HTTPS://pictures.example/shouted", "https://pictures.example/inside"]
    );
    facts.input.image = false;
    assert_eq!(urls(&mut request, &facts), [] as [&str; 0], "the model sees no pictures anyway");
}

#[test]
fn what_google_stores_is_refused_by_its_field_elsewhere() {
    for stored in ["https://generativelanguage.googleapis.com/v1beta/files/abc", "gs://bucket/a.pdf"] {
        for in_result in [false, true] {
            let request = request(Dialect::Gemini, document(url(stored)), in_result);
            for upstream in DIALECTS {
                let written =
                    codec::encode_request(upstream, &request, &facts(true, true), &mut Ids::new("t"));
                let refused = written.err().and_then(|failure| failure.param);
                let expected = if in_result { "contents[2].parts[0]" } else { "contents[0].parts[1]" };
                let expected = (upstream != Dialect::Gemini).then(|| expected.to_owned());
                assert_eq!(refused, expected, "{upstream:?} {stored}");
            }
        }
    }
}
