use super::*;
use crate::pool::HealthBook;
use byok_config::{Sources, load};
use byok_types::{Account, AccountId, AccountState, CredentialKind};
use serde_json::{Value, json};

fn registry(yaml: &str) -> (Registry, Vec<InvalidProvider>) {
    with_accounts(yaml, &[])
}

fn with_accounts(yaml: &str, accounts: &[Account]) -> (Registry, Vec<InvalidProvider>) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    std::fs::write(&file, yaml).unwrap();
    let env = vec![("HOME".to_owned(), directory.path().display().to_string())];
    let sources = Sources { file: Some(file), file_required: true, env, ..Sources::default() };
    let config = load(&sources).unwrap().config;
    build(&config, accounts, &HealthBook::default())
}

const KEYS: &str = "
providers:
  local: { kind: openai, base_url: 'http://127.0.0.1:11434/v1', models: [llama-4, { id: qwen-3, aliases: [fast] }] }
  claude: { api_key: sk-ant-api03-aaaaaaaaaaaaaaaaaaaaaaaa, exclude: ['claude-3*'] }
  codex:
    api_keys:
      - { key: sk-proj-aaaaaaaaaaaaaaaaaaaaaaaa, priority: 1 }
      - { key: sk-proj-bbbbbbbbbbbbbbbbbbbbbbbb, prefix: team-a }
  gemini: { enabled: false }
  router: { kind: openai, base_url: 'https://router.example.com/v1', api_key: sk-or-aaaaaaaaaaaaaaaaaaaaaaaa, models: [claude-opus-5] }
aliases:
  best: [{ model: gpt-5.5 }, { model: claude/claude-opus-5, priority: 5 }]
  mine: claude-sonnet-5
  typo: m1x
  typos: [m1x, m2x]
  chain: typo
";

fn served(registry: &Registry, name: &str) -> String {
    match registry.resolve(name) {
        Ok(list) => {
            let one = |c: &Candidate| {
                let prefix = c.prefix.as_deref().map(|p| format!("[{p}]")).unwrap_or_default();
                format!("{}:{}{prefix}", c.provider.id, c.facts.id)
            };
            list.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        Err(failure) => format!("{} {}", failure.status, failure.message),
    }
}

#[test]
fn names_lead_to_those_who_serve_them() {
    let (registry, problems) = registry(KEYS);
    assert_eq!(problems, []);
    for (name, expected) in [
        ("claude-sonnet-5", "claude:claude-sonnet-5"),
        // the vendor first, then whoever lists it
        ("claude-opus-5", "claude:claude-opus-5 router:claude-opus-5"),
        ("claude-opus-99", "claude:claude-opus-99"),
        ("gpt-5.5", "codex:gpt-5.5"),
        ("team-a/gpt-5.5", "codex:gpt-5.5[team-a]"),
        ("llama-4", "local:llama-4"),
        ("fast", "local:qwen-3"),
        ("local/anything:latest", "local:anything:latest"),
        ("router/meta/llama", "router:meta/llama"),
        ("codex/claude-x", "codex:claude-x"),
        ("best", "claude:claude-opus-5 codex:gpt-5.5"),
        ("mine", "claude:claude-sonnet-5"),
    ] {
        assert_eq!(served(&registry, name), expected, "{name}");
    }
}

#[test]
fn names_that_nobody_serves_say_what_to_do() {
    let (registry, _) = registry(KEYS);
    for (name, status, words) in [
        ("", "400", "`model` is empty"),
        (&"x".repeat(10_000), "400", "10000 bytes long"),
        ("gemini-2.5-pro", "503", "providers.gemini.api_key"),
        ("claude-sonet", "404", "claude-sonnet"),
        ("meta/llama", "404", "does not exist"),
        ("no-such", "404", "The nearest names are"),
        ("openai/gpt-5.5", "404", "ask for `codex/gpt-5.5`"),
        ("anthropic/claude-opus-5", "404", "ask for `claude/claude-opus-5`"),
        ("Google/gemini-3-pro", "404", "ask for `gemini/gemini-3-pro`"),
        ("typo", "404", "The alias `typo` leads to `m1x`, and that model does not exist"),
        ("typo(high)", "404", "The alias `typo` leads to `m1x`"),
        ("typos", "404", "The alias `typos` leads to `m1x`, `m2x`, and none of these models exists"),
        (
            "chain",
            "404",
            "leads to `typo`, and that model does not exist or no configured provider serves it. `typo` is an alias, too",
        ),
        ("claude-3-7-sonnet-20250219", "404", "does not exist"),
    ] {
        let said = served(&registry, name);
        let shown: String = name.chars().take(20).collect();
        if name == "claude-sonet" {
            // a new name of a known family is passed on, typing errors included: the vendor knows its models best
            assert_eq!(said, "claude:claude-sonet");
            continue;
        }
        assert!(said.starts_with(status) && said.contains(words), "{shown}: {said}");
    }
}

#[test]
fn the_list_shows_what_can_be_served() {
    let (registry, _) = registry(KEYS);
    let list: Vec<_> = registry.list().into_iter().map(|m| m.id).collect();
    for (name, listed) in [
        ("claude-opus-5-5", true),
        ("gpt-5.5", false), // an alias without `fork` takes the place of its target
        ("gpt-5.1", true),
        ("gemini-2.5-pro", false),
        ("claude-3-7-sonnet-20250219", false),
        ("llama-4", true),
        ("fast", true),
        ("qwen-3", false),
        ("best", true),
        ("mine", true),
    ] {
        assert_eq!(list.iter().any(|id| id == name), listed, "{name}");
    }
}

#[test]
fn t104_endpoints_prefer_the_client() {
    let (registry, _) = registry(KEYS);
    let dialect = |name: &str, client| registry.resolve(name).unwrap()[0].dialect(client);
    assert_eq!(dialect("gpt-5.5", Dialect::Chat), Dialect::Chat);
    assert_eq!(dialect("gpt-5.5", Dialect::Responses), Dialect::Responses);
    assert_eq!(dialect("gpt-5.5", Dialect::Messages), Dialect::Responses);
    assert_eq!(dialect("gpt-4o", Dialect::Gemini), Dialect::Responses);
    assert_eq!(dialect("claude-opus-5", Dialect::Chat), Dialect::Messages);
    assert_eq!(dialect("llama-4", Dialect::Messages), Dialect::Chat);
}

#[test]
fn every_name_that_byok_knows_is_served() {
    for name in byok_config::BUILT_IN {
        let (_, problems) = registry(&format!("providers: {{ {name}: {{ enabled: true }} }}"));
        assert_eq!(problems, [], "{name}");
    }
}

const ENTRIES: &str = "
proxy: 'http://127.0.0.1:3128'
providers:
  shop:
    kind: openai
    base_url: 'http://127.0.0.1:1/v1'
    headers: { x-team: all, x-only: provider }
    models: [basic, { id: 'hidden-1', aliases: [shown] }]
    exclude: ['hidden-*']
    api_keys:
      - { key: sk-shop-aaaaaaaaaaaaaaaaaaaa, label: plain }
      - { key: sk-shop-bbbbbbbbbbbbbbbbbbbb, label: first, priority: 5, weight: 3 }
      - { key: sk-shop-cccccccccccccccccccc, label: second, priority: 5 }
      - { key: sk-shop-dddddddddddddddddddd, label: team, prefix: red, headers: { x-team: red } }
      - { key: sk-shop-eeeeeeeeeeeeeeeeeeee, label: special, models: [{ id: special-1, aliases: [special] }] }
      - { key: sk-shop-ffffffffffffffffffff, label: careful, exclude: ['basic'] }
      - { key: sk-shop-gggggggggggggggggggg, label: elsewhere, base_url: 'http://localhost:2/v9', proxy: direct }
";

#[test]
fn what_a_key_says_for_itself_holds_for_its_seat() {
    let (registry, problems) = registry(ENTRIES);
    assert_eq!(problems, []);
    let seats = &registry.provider("shop").unwrap().seats;
    let labels: Vec<&str> = seats.iter().map(|seat| seat.label.as_str()).collect();
    assert_eq!(labels, ["first", "second", "plain", "team", "special", "careful", "elsewhere"]);
    let seat = |label: &str| seats.iter().find(|seat| seat.label == label).unwrap();
    let share = |rank, weight| Some(crate::pool::Share { rank, weight });
    assert_eq!(
        (seat("first").share, seat("second").share, seat("plain").share),
        (share(5, 3), share(5, 1), None)
    );
    for (label, team) in [("plain", "all"), ("team", "red")] {
        assert_eq!(seat(label).headers["x-team"], team, "{label}");
        assert_eq!(seat(label).headers["x-only"], "provider", "{label}");
    }
    assert_eq!((seat("plain").base.as_str(), seat("plain").hosts.len()), ("http://127.0.0.1:1/v1", 1));
    assert_eq!(seat("elsewhere").base, "http://localhost:2/v9");
    assert_ne!(seat("elsewhere").hosts, seat("plain").hosts, "its key goes to its own host only");
    assert_eq!(seat("elsewhere").proxy, Some(byok_transport::ProxyChoice::Direct));
    assert!(matches!(seat("plain").proxy, Some(byok_transport::ProxyChoice::Url(_))));

    let offered = |name: &str| -> String {
        let Ok(candidates) = registry.resolve(name) else { return "nobody".to_owned() };
        let candidate = &candidates[0];
        let offer = crate::pool::offer(
            &candidate.provider.seats,
            &candidate.facts.id,
            candidate.prefix.as_deref(),
            std::time::Instant::now(),
        );
        let mut labels: Vec<_> = offer.seats.iter().map(|seat| seat.label.as_str()).collect();
        labels.sort_unstable();
        labels.join(" ")
    };
    for (name, expected) in [
        ("basic", "elsewhere first plain second"),
        ("red/basic", "team"),
        ("special", "special"),
        ("shop/other", "careful elsewhere first plain second"),
        ("hidden-1", "nobody"),
        ("shown", "nobody"),
        ("shop/hidden-2", "nobody"),
    ] {
        assert_eq!(offered(name), expected, "{name}");
    }
    let list: Vec<_> = registry.list().into_iter().map(|model| model.id).collect();
    assert_eq!(list, ["basic", "special"]);
}

#[test]
fn an_alias_of_which_nothing_is_left_is_a_404_and_not_listed() {
    let (registry, _) = registry(
        "
providers: { claude: { api_key: sk-ant-api03-aaaaaaaaaaaaaaaaaaaaaaaa, exclude: ['claude-3*'] } }
aliases: { nowhere: nope, old: claude-3-haiku, mine: claude-sonnet-5 }
",
    );
    let listed: Vec<_> = registry.list().into_iter().map(|entry| entry.id).collect();
    assert!(listed.contains(&"mine".to_owned()));
    for alias in ["nowhere", "old"] {
        assert!(!listed.contains(&alias.to_owned()), "{alias}");
        assert_eq!(
            registry.resolve(alias).map(|_| ()).map_err(|failure| failure.status),
            Err(404),
            "{alias}"
        );
    }
}

fn account(provider: &str, kind: CredentialKind) -> Account {
    Account {
        id: AccountId::new(format!("{provider}-{kind:?}").to_lowercase()).unwrap(),
        provider: ProviderId::new(provider).unwrap(),
        label: "a".into(),
        kind,
        identity: None,
        email: None,
        plan: None,
        state: AccountState::Ready,
        claims: Vec::new(),
        expires_at: None,
        created_at: 0,
        updated_at: 0,
    }
}

#[test]
fn a_model_goes_to_the_kind_of_credential_that_has_it() {
    let (key, login) = (account("qwen", CredentialKind::ApiKey), account("qwen", CredentialKind::Oauth));
    // The list of the login is complete; what only it has is not for keys.
    let cases = [
        ("coder-model", "404", "qwen-login", "qwen-login"),
        ("qwen/vision-model", "404", "qwen-login", "qwen-login"),
        ("qwen3-coder-plus", "qwen", "qwen-login", "qwen qwen-login"),
        ("qwen3.6-plus", "qwen", "404", "qwen"),
        ("qwen/glm-5", "qwen", "404", "qwen"),
        ("qwen4-max", "qwen", "404", "qwen"),
    ];
    for (name, by_key, by_login, by_both) in cases {
        let worlds = [
            (vec![key.clone()], by_key),
            (vec![login.clone()], by_login),
            (vec![key.clone(), login.clone()], by_both),
        ];
        for (accounts, expected) in worlds {
            let (registry, _) = build(&byok_config::Config::default(), &accounts, &HealthBook::default());
            let served = match registry.resolve(name) {
                Ok(candidates) => candidates.iter().map(|c| c.provider.list).collect::<Vec<_>>().join(" "),
                Err(failure) => {
                    assert!(
                        failure.message.contains("only to another kind of credential"),
                        "{}",
                        failure.message
                    );
                    failure.status.to_string()
                }
            };
            assert_eq!(served, expected, "{name} with {} accounts", accounts.len());
        }
    }
}

#[test]
fn a_name_that_only_one_service_has_means_it() {
    let nobody = build(&byok_config::Config::default(), &[], &HealthBook::default()).0;
    assert!(
        served(&nobody, "kiro-default").contains("byok login kiro"),
        "{}",
        served(&nobody, "kiro-default")
    );
    let kiro = account("kiro", CredentialKind::Oauth);
    let (registry, _) = build(&byok_config::Config::default(), &[kiro], &HealthBook::default());
    for (name, expected) in
        [("kiro-default", "kiro:auto"), ("kiro/kiro-default", "kiro:auto"), ("kiro/auto", "kiro:auto")]
    {
        assert_eq!(served(&registry, name), expected);
    }
    // The models of others stay theirs.
    assert!(served(&registry, "claude-opus-5").starts_with("503 "), "{}", served(&registry, "claude-opus-5"));
    assert!(served(&registry, "auto").starts_with("404 "), "{}", served(&registry, "auto"));
}

#[test]
fn a_vendor_like_openai_is_a_file_and_two_lines() {
    // The file is `data/tests/example.json`, the line is in `FILES`; the other one makes its name known to the settings.
    let account = account("example", CredentialKind::ApiKey);
    let nobody = build(&byok_config::Config::default(), &[], &HealthBook::default()).0;
    assert!(served(&nobody, "example-large").contains("providers.example.api_key"));
    let (registry, problems) = build(&byok_config::Config::default(), &[account], &HealthBook::default());
    assert_eq!(problems, []);
    for name in ["example-large", "example/example-large"] {
        assert_eq!(served(&registry, name), "example:example-large");
    }
    assert_eq!(served(&registry, "example-new"), "example:example-new", "new models work on the day");
    let listed: Vec<_> = registry.list().into_iter().map(|entry| entry.id).collect();
    assert_eq!(listed, ["example-large", "example-small"]);
    let candidate = &registry.resolve("example-large").unwrap()[0];
    assert_eq!(candidate.provider.seats[0].base, "https://api.example.com/v1");
    assert_eq!(candidate.facts.context_tokens, Some(131_072));
}

#[test]
fn what_has_ended_is_offered_to_nobody_without_an_account() {
    let (registry, _) = registry("providers:\n  qwen: { api_key: sk-aaaaaaaaaaaaaaaaaaaaaaaa }\n");
    let listed: Vec<_> = registry.list().into_iter().map(|entry| entry.id).collect();
    assert!(listed.contains(&"qwen3.6-plus".to_owned()), "{listed:?}");
    assert!(!listed.iter().any(|id| id.contains("coder-model") || id.contains("iflow")), "{listed:?}");
    for (name, expected) in [
        ("qwen3-coder-plus", "qwen:qwen3-coder-plus"),
        ("qwen/glm-5", "qwen:glm-5"),
        ("qwen4-max", "qwen:qwen4-max"),
    ] {
        assert_eq!(served(&registry, name), expected);
    }
    assert!(served(&registry, "iflow/glm-4.6").contains("shut down on 2026-04-17"));
}

#[test]
fn an_old_name_of_a_vendors_list_means_the_new_model() {
    let (registry, problems) = registry("providers: { qwen: { api_key: sk-aaaaaaaaaaaaaaaaaaaaaaaa } }");
    assert_eq!(problems, []);
    let one = |id: &str, facts: Value| Discovered::new(id, facts.as_object().cloned().unwrap_or_default());
    let seat = registry.providers().find_map(|provider| provider.seats.first()).unwrap();
    seat.known.listed(vec![one("old", json!({"id": "new"})), one("new", json!({"context_tokens": 7}))]);
    assert_eq!(served(&registry, "qwen/old"), "qwen:new");
    let candidates = registry.resolve("qwen/old").unwrap();
    assert_eq!(candidates[0].facts.context_tokens, Some(7));
    let listed: Vec<_> = registry.list().into_iter().map(|model| model.id).collect();
    assert!(
        listed.iter().any(|id| id.ends_with("new")) && !listed.iter().any(|id| id.ends_with("old")),
        "{listed:?}"
    );
}

const LISTS: &str = "
providers:
  claude: { api_key: sk-ant-api03-aaaaaaaaaaaaaaaaaaaaaaaa, models: [{ id: claude-opus-5, input: { pdf: false } }] }
  router:
    kind: openai
    base_url: 'https://router.example.com/v1'
    models: [{ id: z-ai/glm, aliases: [glm], context_tokens: 7 }, llama-4]
    exclude: ['*:free']
    api_keys: [sk-or-aaaaaaaaaaaaaaaaaaaaaaaa, { key: sk-or-bbbbbbbbbbbbbbbbbbbbbbbb, models: [special] }]
models:
  claude-opus-5: { max_output_tokens: 1000, thinking: { can_disable: false } }
";

/// Notes what the vendor of a provider lists.
fn told(registry: &Registry, provider: &str, models: &[(&str, Value)]) {
    let models = models.iter().map(|(id, facts)| Discovered {
        created: Some(5),
        ..Discovered::new(*id, facts.as_object().unwrap().clone())
    });
    registry.provider(provider).unwrap().seats[0].known.listed(models.collect());
}

fn facts(registry: &Registry, name: &str) -> Arc<ModelFacts> {
    registry.resolve(name).unwrap()[0].facts.clone()
}

#[test]
fn the_settings_count_more_than_the_vendors_list_and_it_more_than_what_byok_knows() {
    use serde_json::json;
    let (registry, problems) = registry(LISTS);
    assert_eq!(problems, []);
    let before = facts(&registry, "claude-opus-5");
    assert_eq!((before.context_tokens, before.input.url, before.input.pdf), (Some(1_000_000), true, false));
    let effort = byok_types::Effort::Low;
    let stated = json!({
        "context_tokens": 900_000, "max_output_tokens": 5, "input": {"image": false, "pdf": true},
        "thinking": {"levels": ["low"], "can_disable": true},
    });
    let dated = json!({"context_tokens": 300_000});
    told(
        &registry,
        "claude",
        &[
            ("claude-opus-5", stated),
            ("claude-haiku-4-5-20251001", dated),
            ("claude-opus-4-7", json!({"context_tokens": "many"})),
        ],
    );
    let after = facts(&registry, "claude-opus-5");
    // the vendor's word over byok's
    assert_eq!((after.context_tokens, after.input.image), (Some(900_000), false));
    assert_eq!(after.thinking.levels, [effort]);
    // that of the settings over the vendor's, for all providers and for one
    assert_eq!(
        (after.max_output_tokens, after.thinking.can_disable, after.input.pdf),
        (Some(1000), false, false)
    );
    // and what nobody but byok says
    assert_eq!((after.input.url, &after.thinking.forms), (true, &before.thinking.forms));
    // a short name means the model that is listed by its full one
    assert_eq!(facts(&registry, "claude-haiku-4-5").context_tokens, Some(300_000));
    // what cannot be says nothing
    assert_eq!(facts(&registry, "claude-opus-4-7").context_tokens, Some(1_000_000));

    let glm = json!({"context_tokens": 9, "max_output_tokens": 8});
    told(&registry, "router", &[("z-ai/glm", glm), ("anthropic/claude-opus-5", json!({"tools": false}))]);
    let glm = facts(&registry, "glm");
    assert_eq!((glm.context_tokens, glm.max_output_tokens), (Some(7), Some(8)));
    let opus = facts(&registry, "router/anthropic/claude-opus-5");
    assert_eq!((opus.tools, opus.context_tokens), (false, Some(1_000_000)));
}

#[test]
fn what_a_server_lists_is_asked_for_by_its_providers_name() {
    use serde_json::json;
    let (registry, _) = registry(LISTS);
    let ids = || -> Vec<_> { registry.list().into_iter().map(|model| (model.id, model.created)).collect() };
    let before = ids();
    let names = ["z-ai/glm", "nova-9", "nova-9:free", "claude-opus-5", "foo-thinking"];
    told(&registry, "router", &names.map(|name| (name, json!({"max_output_tokens": 8}))));
    let mut expected = before;
    let at = expected.iter().position(|(id, _)| id == "glm").unwrap();
    for name in ["router/foo-thinking", "router/claude-opus-5", "router/nova-9"] {
        expected.insert(at, (name.to_owned(), Some(5)));
    }
    assert_eq!(ids(), expected, "what the settings name keeps its names");
    let listed = registry.list();
    let nova = listed.iter().find(|model| model.id == "router/nova-9").unwrap();
    assert_eq!(nova.facts.max_output_tokens, Some(8), "a list says it in the facts");
    for (name, who) in [
        ("router/nova-9", "router:nova-9"),
        ("nova-9", "404"),
        ("foo-thinking", "404"),
        ("claude-opus-5", "claude:claude-opus-5"),
        ("router/foo-thinking", "router:foo-thinking"),
        ("glm", "router:z-ai/glm"),
    ] {
        assert!(served(&registry, name).starts_with(who), "{name}: {}", served(&registry, name));
    }
}

#[test]
fn prefer_decides_between_a_stored_key_and_a_login() {
    // The older account is listed first.
    let accounts = [account("kimi", CredentialKind::Oauth), account("kimi", CredentialKind::ApiKey)];
    for (prefer, expected) in [("key", [false, true]), ("oauth", [true, false])] {
        let yaml = format!("providers: {{ kimi: {{ prefer: {prefer} }} }}\n");
        let (registry, _) = with_accounts(&yaml, &accounts);
        let candidates = registry.resolve("kimi/kimi-for-coding").unwrap();
        let seats = &candidates[0].provider.seats;
        assert_eq!(seats.iter().map(|seat| seat.is_oauth()).collect::<Vec<_>>(), expected, "{prefer}");
    }
}

#[test]
fn copilot_knows_names_that_the_vendor_spells_otherwise() {
    let (registry, _) = with_accounts("providers: {}\n", &[account("copilot", CredentialKind::Oauth)]);
    for (name, own) in [
        ("copilot/claude-haiku-4-5-20251001", "claude-haiku-4.5"),
        ("copilot/claude-sonnet-4-6[1m]", "claude-sonnet-4.6"),
        ("copilot/claude-opus-9-1", "claude-opus-9.1"),
        ("copilot/claude-opus-4-8-fast", "claude-opus-4.8-fast"),
        ("copilot/gpt-5-mini", "gpt-5-mini"),
    ] {
        assert_eq!(registry.resolve(name).unwrap()[0].facts.id, own, "{name}");
    }
}
