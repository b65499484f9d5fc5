use super::*;
use byok_types::{Effort, Family, ThinkingForm};

#[test]
fn every_data_file_and_every_model_in_it_can_be_read() {
    for text in FILES {
        let file: File = serde_json::from_str(text).unwrap();
        for model in &file.models {
            let mut all = file.defaults.clone();
            merge(&mut all, &model.facts);
            all.insert("id".into(), Value::from(model.id.clone()));
            let facts: ModelFacts =
                serde_json::from_value(Value::Object(all)).unwrap_or_else(|e| panic!("{}: {e}", model.id));
            assert!(!facts.endpoints.is_empty(), "{}", model.id);
            // A service that offers the models of others has no names of its own.
            assert!(
                file.names.is_empty() || file.names.iter().any(|p| matches(p, &model.id)),
                "{} fits no pattern of its vendor",
                model.id
            );
        }
    }
    assert_eq!(Catalog::builtin().vendors.len(), FILES.len());
    // What is said to be one's own is in the list, and nobody else has it.
    let catalog = Catalog::builtin();
    for (vendor, text) in catalog.vendors.iter().zip(FILES) {
        for name in serde_json::from_str::<File>(text).unwrap().own {
            assert!(vendor.is_guest() && vendor.model(&name).is_some(), "{name}");
            for other in catalog.vendors.iter().filter(|other| other.list != vendor.list) {
                let has = other.model(&name).is_some() || other.names.iter().any(|p| matches(p, &name));
                assert!(!has, "{name} is of {}, too", other.list);
            }
        }
    }
}

#[test]
fn facts_of_known_and_new_models() {
    let catalog = Catalog::builtin();
    let old = catalog.facts("claude-sonnet-4-5");
    assert!(old.thinking.takes(ThinkingForm::Budget) && old.temperature && !old.system_turns);
    let new = catalog.facts("claude-opus-9");
    assert_eq!((new.family, new.endpoints.as_slice()), (Family::Claude, &[Dialect::Messages][..]));
    assert!(new.thinking.takes(ThinkingForm::Adaptive) && !new.temperature);
    assert_eq!(catalog.vendor_of("gpt-7-nova").unwrap().provider, "codex");
    assert_eq!(catalog.vendor_of("o9-mini").unwrap().provider, "codex");
    assert!(catalog.vendor_of("olmo-3").is_none());
    assert!(catalog.vendor_of("llama-4").is_none());
    let flash = catalog.facts("gemini-2.5-flash");
    assert_eq!(flash.thinking.budget, Some((0, 24_576)));
    assert_eq!(catalog.facts("gpt-5.1").thinking.levels[0], Effort::None);
    assert_eq!(catalog.facts("gemini-3-pro-preview").thinking.levels, [Effort::Low, Effort::High]);
}

#[test]
fn elsewhere_a_model_keeps_its_size_and_loses_its_home() {
    let facts = Catalog::builtin().facts_elsewhere("anthropic/claude-sonnet-5", Dialect::Chat);
    assert_eq!(
        (facts.id.as_str(), facts.family, facts.first_party),
        ("anthropic/claude-sonnet-5", Family::Other, false)
    );
    assert_eq!(facts.context_tokens, Some(1_000_000));
    assert_eq!(facts.endpoints, [Dialect::Chat]);
    assert_eq!(Catalog::builtin().facts_elsewhere("llama", Dialect::Chat).max_output_tokens, None);
}

#[test]
fn the_nearest_names() {
    let known = ["claude-opus-5", "claude-sonnet-5", "gpt-5.5", "gemini-2.5-pro"];
    assert_eq!(Catalog::nearest("claude-sonet-5", known.into_iter())[0], "claude-sonnet-5");
    assert_eq!(Catalog::nearest("GPT5.5", known.into_iter())[0], "gpt-5.5");
}
