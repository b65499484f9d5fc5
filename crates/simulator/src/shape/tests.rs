use super::*;
use serde_json::json;

static PART: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", &[req("text", Shape::Str)]),
        ("image", &[req("url", Shape::Str), opt("detail", Shape::Enum(&["low"]))]),
    ],
    default: None,
};
static BODY: &[Field] = &[
    req("model", Shape::Str),
    opt("count", Shape::Int),
    opt("heat", Shape::Null(&Shape::Num)),
    opt("tags", Shape::TextMap),
    opt("content", Shape::Or(&[Shape::Str, Shape::List(&Shape::Tagged(&PART))])),
];

fn problem(document: &Value) -> Option<(String, Wrong)> {
    check(&Shape::Obj(BODY), document, false).err().map(|p| (p.bracketed(), p.wrong))
}

#[test]
fn what_the_tables_name_is_accepted() {
    for document in [
        json!({"model": "m"}),
        json!({"model": "m", "count": 1, "heat": null, "tags": {"a": "b"}, "content": "x"}),
        json!({"model": "m", "heat": 1, "content": [{"type": "text", "text": "x"}, {"type": "image", "url": "u", "detail": "low"}]}),
    ] {
        assert_eq!(problem(&document), None, "{document}");
    }
}

#[test]
fn everything_else_is_refused_with_its_place() {
    let cases = [
        (json!({}), "model", Wrong::Missing),
        (json!({"model": null}), "model", Wrong::Type(vec!["string"])),
        (json!({"model": "m", "count": 1.5}), "count", Wrong::Type(vec!["integer"])),
        (json!({"model": "m", "other": 1}), "other", Wrong::Unknown),
        (json!({"model": "m", "tags": {"a": 1}}), "tags.a", Wrong::Type(vec!["string"])),
        (json!({"model": "m", "content": 7}), "content", Wrong::Type(vec!["string", "array"])),
        (json!({"model": "m", "content": [{"text": "x"}]}), "content[0].type", Wrong::Missing),
        (json!({"model": "m", "content": [{"type": "text"}]}), "content[0].text", Wrong::Missing),
        (
            json!({"model": "m", "content": [{"type": "text", "text": "x", "url": "y"}]}),
            "content[0].url",
            Wrong::Unknown,
        ),
        (
            json!({"model": "m", "content": [{"type": "video"}]}),
            "content[0].type",
            Wrong::Value(vec!["text", "image"]),
        ),
        (
            json!({"model": "m", "content": [{"type": "image", "url": "u", "detail": "x"}]}),
            "content[0].detail",
            Wrong::Value(vec!["low"]),
        ),
    ];
    for (document, path, wrong) in cases {
        assert_eq!(problem(&document), Some((path.to_owned(), wrong)), "{document}");
    }
}

#[test]
fn lenient_checks_accept_what_is_unknown_and_nothing_else() {
    let lenient = |document: &Value| check(&Shape::Obj(BODY), document, true).is_ok();
    assert!(lenient(&json!({"model": "m", "other": 1, "content": [{"type": "video", "x": 1}]})));
    assert!(!lenient(&json!({"model": 1})));
}

#[test]
fn variants_stand_in_dotted_paths_only() {
    let document = json!({"model": "m", "content": [{"type": "text", "text": "x", "scope": 1}]});
    let problem = check(&Shape::Obj(BODY), &document, false).unwrap_err();
    assert_eq!(problem.dotted(true), "content.0.text.scope");
    assert_eq!(problem.bracketed(), "content[0].scope");
    assert_eq!(problem.field(), "scope");
}
