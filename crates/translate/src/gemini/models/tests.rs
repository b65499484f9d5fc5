use super::*;
use byok_types::ModelFacts;

#[test]
fn names_carry_their_prefix_once() {
    let facts = ModelFacts {
        display_name: Some("X".into()),
        context_tokens: Some(10),
        max_output_tokens: Some(5),
        ..ModelFacts::default()
    };
    let model = |id: &str| ModelEntry { id: id.into(), facts: facts.clone(), ..ModelEntry::default() };
    let list: Value =
        serde_json::from_slice(&encode_models(&[model("a/b"), model("models/c")], true)).unwrap();
    assert_eq!(
        list["models"][0],
        json!({
            "name": "models/a/b", "baseModelId": "a/b", "version": "001", "displayName": "X",
            "inputTokenLimit": 10, "outputTokenLimit": 5,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
            "thinking": false,
        })
    );
    assert_eq!(list["models"][1]["name"], "models/c");
    assert_eq!(list["nextPageToken"], "models/c");
    let one: Value = serde_json::from_slice(&encode_model(&model("c"))).unwrap();
    assert_eq!(one["name"], "models/c");
    let mut unknown = model("c");
    unknown.facts.thinking.unknown = true;
    let one: Value = serde_json::from_slice(&encode_model(&unknown)).unwrap();
    assert_eq!(one.get("thinking"), None);
}

#[test]
fn a_list_of_the_vendor_is_read() {
    let list = json!({"models": [
        {"name": "models/gemini-x", "displayName": "Gemini X", "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
         "supportedGenerationMethods": ["generateContent", "countTokens"], "thinking": true},
        {"name": "models/embedding-1", "supportedGenerationMethods": ["embedContent"]},
        {"name": "models/bare", "thinking": false, "inputTokenLimit": 0}, {"displayName": "nameless"}, {"name": "models/"},
    ], "nextPageToken": "t"});
    let models = decode_models(list.to_string().as_bytes());
    let ids: Vec<_> = models.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(ids, ["gemini-x", "bare"]);
    assert_eq!(
        Value::Object(models[0].facts.clone()),
        json!({"display_name": "Gemini X", "context_tokens": 1_048_576, "max_output_tokens": 65_536})
    );
    assert_eq!(Value::Object(models[1].facts.clone()), json!({"thinking": {"forms": [], "levels": []}}));
    assert_eq!(next_models(list.to_string().as_bytes()).as_deref(), Some("t"));
    for body in ["", "[]", "{\"models\":5}", "<html>"] {
        assert_eq!((decode_models(body.as_bytes()), next_models(body.as_bytes())), (vec![], None));
    }
}
