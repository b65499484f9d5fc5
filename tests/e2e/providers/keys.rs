//! Logins by key: what is pasted into `byok login NAME --method key` serves requests, and what cannot be a key of that vendor is
//! sent to nobody.

use super::{LoggedIn, becomes, log_in_with};
use crate::support::byok::Setup;
use byok_simulator::{Seen, SimOptions, Simulator};
use serde_json::{Value, json};

/// A provider with a login by key.
struct Keyed {
    provider: &'static str,
    settings: fn(&str) -> Value,
    key: &'static str,
    model: &'static str,
    /// Where the login shows the key; nowhere for vendors that cannot be asked.
    tried_at: &'static [&'static str],
    /// Where the key stands in a request.
    header: &'static str,
    shown: &'static str,
    /// What is refused without being sent, and with which words.
    wrong: (&'static str, &'static str),
    /// What its owner has to agree to.
    claims: &'static [&'static str],
}

const KEYED: [Keyed; 8] = [
    Keyed {
        provider: "claude",
        settings: |base| json!({"base_url": base}),
        key: "sk-ant-api03-e2e",
        model: "claude-sonnet-5",
        tried_at: &["/v1/models"],
        header: "x-api-key",
        shown: "sk-ant-api03-e2e",
        wrong: ("sk-ant-oat01-e2e", "`byok accounts add claude` takes it"),
        claims: &[],
    },
    Keyed {
        provider: "gemini",
        settings: |base| json!({"base_url": base}),
        key: "AIzaE2e",
        model: "gemini-2.5-flash",
        tried_at: &["/v1beta/models"],
        header: "x-goog-api-key",
        shown: "AIzaE2e",
        wrong: ("", "nothing was given"),
        claims: &[],
    },
    Keyed {
        provider: "kimi",
        settings: |base| json!({"urls": {"inference": format!("{base}/kimi/coding")}}),
        key: "sk-kimi-e2e",
        model: "kimi/k3",
        tried_at: &["/kimi/coding/v1/models", "/kimi/coding/v1/me"],
        header: "authorization",
        shown: "Bearer sk-kimi-e2e",
        wrong: ("sk-ant-api03-e2e", "it is a key of Anthropic, which is not sent to kimi"),
        claims: &[],
    },
    Keyed {
        provider: "qwen",
        settings: |base| json!({"base_url": format!("{base}/qwen/compatible-mode/v1")}),
        key: "sk-0123456789",
        model: "qwen3.6-plus",
        tried_at: &[],
        header: "authorization",
        shown: "Bearer sk-0123456789",
        wrong: ("token", "begins with `sk-`"),
        claims: &[],
    },
    Keyed {
        provider: "vertex",
        settings: |base| json!({"urls": {"inference": format!("{base}/vertex")}}),
        key: "AIzaE2e",
        model: "vertex/gemini-2.5-flash",
        tried_at: &[],
        header: "x-goog-api-key",
        shown: "AIzaE2e",
        wrong: ("xai-e2e", "`byok login xai --method key` takes it"),
        claims: &[],
    },
    Keyed {
        provider: "xai",
        settings: |base| json!({"base_url": format!("{base}/xai-api/v1")}),
        key: "xai-e2e",
        model: "xai/grok-4.6",
        tried_at: &["/xai-api/v1/models"],
        header: "authorization",
        shown: "Bearer xai-e2e",
        wrong: ("sk-ant-api03-e2e", "a key of xAI begins with `xai-`"),
        claims: &[],
    },
    Keyed {
        provider: "kiro",
        settings: |base| {
            let at = |path: &str| format!("{base}/kiro/{path}");
            json!({"urls": {"profile": at("management/"), "usage": at("management/getUsageLimits"),
                "models": at("management/"), "inference": at("runtime")}})
        },
        key: "ksk_e2e",
        model: "kiro/claude-sonnet-4.6",
        tried_at: &["/kiro/management/getUsageLimits"],
        header: "authorization",
        shown: "Bearer ksk_e2e",
        wrong: ("sk-ant-api03-e2e", "it is a key of Anthropic, which is not sent to kiro"),
        claims: &[],
    },
    Keyed {
        provider: "iflow",
        settings: |base| json!({"urls": {"inference": format!("{base}/iflow/v1")}}),
        key: "sk-0123456789",
        model: "iflow/glm-4.6",
        tried_at: &[],
        header: "authorization",
        shown: "Bearer sk-0123456789",
        wrong: ("token", "begins with `sk-`"),
        claims: &["--accept-claim", "iflow-cli"],
    },
];

#[tokio::test]
async fn a_key_serves_and_what_is_none_is_sent_to_nobody() {
    for keyed in KEYED {
        let Keyed { provider, key, model, .. } = keyed;
        let simulator = Simulator::start(SimOptions::default()).await.unwrap();
        let config = json!({"providers": {provider: (keyed.settings)(&simulator.base_url())}});
        let byok = Setup::new(config.to_string()).start().await;
        let log_in = async |args: &[&str], key: &str| {
            log_in_with(&byok, provider, &[&["--method", "key"], keyed.claims, args].concat(), key).await
        };
        let (wrong, words) = keyed.wrong;
        let (code, said) = log_in(&[], wrong).await;
        assert!(code != Some(0) && said.contains(words), "{provider}: {code:?} {said}");
        assert!(simulator.requests().is_empty(), "{provider}: {:?}", simulator.requests());

        let (code, said) = log_in(&["--account", "paid"], key).await;
        assert_eq!(code, Some(0), "{provider}: {said}");
        assert!(said.contains(&format!("logged in to {provider} as paid")) && !said.contains(key), "{said}");
        let tried = simulator.requests();
        let paths: Vec<_> = tried.iter().map(|seen| seen.path.as_str()).collect();
        assert_eq!(paths, keyed.tried_at, "{provider}");
        let shows = |seen: &Seen| seen.headers.get(keyed.header).is_some_and(|shown| shown == keyed.shown);
        assert!(tried.iter().all(shows), "{provider}: {tried:?}");
        // The same key under a second name would be no second account.
        let (code, said) = log_in(&["--account", "again"], key).await;
        assert!(
            code == Some(2) && said.contains("this key is there already, as `paid`"),
            "{provider}: {said}"
        );
        let (code, said) = log_in(&[], key).await;
        assert!(code == Some(0) && said.contains("replaces the key that was there"), "{provider}: {said}");

        let world = LoggedIn { simulator, byok, said };
        becomes(&world, "ready").await;
        let before = world.simulator.requests().len();
        world.serves(&[model]).await;
        let seen = world.simulator.requests().split_off(before);
        assert!(seen.len() >= 4 && seen.iter().all(shows), "{provider}: {seen:?}");
    }
}
