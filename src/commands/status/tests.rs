use super::*;
use byok_proxy::{Problem, Resting};
use byok_types::AccountState;

fn account(label: &str, state: &str) -> AccountStatus {
    AccountStatus {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        label: label.to_owned(),
        kind: "login".to_owned(),
        email: Some("ada@example.org".to_owned()),
        plan: Some("max 5x".to_owned()),
        state: state.to_owned(),
        reason: None,
        expires_at: Some(10_000 + 7 * 3600),
        ends: false,
        followed: false,
        claims: vec!["claude-code-prompt".to_owned()],
        quota: None,
        resting: Vec::new(),
        problem: None,
    }
}

#[test]
fn the_text_names_every_trouble_and_its_remedy() {
    let rest = |model: Option<&str>, seconds| Resting { model: model.map(str::to_owned), seconds };
    let accounts = vec![
        account("ada@example.org", "ready"),
        AccountStatus {
            resting: vec![rest(Some("claude-opus-5"), 90)],
            problem: Some(Problem {
                what: "This request would exceed your rate limit.".to_owned(),
                at: 9_820,
                remedy: "nothing to do: it is used again after its rest".to_owned(),
            }),
            ..account("work", "ready")
        },
        AccountStatus { resting: vec![rest(Some("a"), 5), rest(None, 4000)], ..account("home", "ready") },
        AccountStatus { ends: true, ..account("short", "ready") },
        AccountStatus { ends: true, expires_at: Some(99 * 86_400), ..account("long", "ready") },
        AccountStatus {
            reason: Some("the grant is gone; log in again with `byok login claude`".to_owned()),
            expires_at: Some(9_000),
            ..account("old", "needs_login")
        },
        AccountStatus {
            expires_at: None,
            plan: None,
            claims: Vec::new(),
            reason: AccountState::OFF.trouble("claude"),
            ..account("off", "disabled")
        },
    ];
    let key = AccountStatus {
        kind: "api_key".to_owned(),
        email: None,
        plan: None,
        expires_at: None,
        claims: Vec::new(),
        id: "codex.key-12ab34cd".to_owned(),
        ..account("key-12ab34cd", "ready")
    };
    let report = Report {
        running: true,
        ending: false,
        version: "0.1.0".to_owned(),
        address: Some("127.0.0.1:8018".to_owned()),
        uptime_seconds: Some(90_061),
        keys_required: Some(false),
        config: ConfigStatus {
            file: Some("/home/ada/.byok/config.yaml".to_owned()),
            error: Some("config.yaml:3:5: port: expected a number\n  write 8018".to_owned()),
            problems: vec!["`providers.kiro`: this version cannot serve it".to_owned()],
            restart_required: vec!["port".to_owned()],
        },
        providers: vec![
            ProviderStatus { name: "claude".to_owned(), ended: None, accounts },
            ProviderStatus { name: "codex".to_owned(), ended: None, accounts: vec![key] },
        ],
        records_dropped: Some(2),
    };
    insta::assert_snapshot!(report.text(10_000, None), @r#"
    byok 0.1.0 runs on 127.0.0.1:8018 (up 1 d 1 h)
    settings: /home/ada/.byok/config.yaml
    client keys: not required, and any is accepted

    the settings on the disk cannot be used, those from before are in effect:
      config.yaml:3:5: port: expected a number
        write 8018

    warning: `providers.kiro`: this version cannot serve it

    warning: `port` was changed; restart byok for the new value

    warning: 2 usage records were lost because the disk did not keep up

    PROVIDER  ACCOUNT                  ID        KIND     STATE                        PLAN    TOKEN              CLAIMS
    claude    ada@example.org          01234567  login    ready                        max 5x  7 h 0 min left     claude-code-prompt
    claude    work (ada@example.org)   01234567  login    rests 1 min (claude-opus-5)  max 5x  7 h 0 min left     claude-code-prompt
    claude    home (ada@example.org)   01234567  login    rests 1 h 6 min              max 5x  7 h 0 min left     claude-code-prompt
    claude    short (ada@example.org)  01234567  login    ready                        max 5x  ends in 7 h 0 min  claude-code-prompt
    claude    long (ada@example.org)   01234567  login    ready                        max 5x  ends in 98 d 21 h  claude-code-prompt
    claude    old (ada@example.org)    01234567  login    needs login                  max 5x  -                  claude-code-prompt
    claude    off (ada@example.org)    01234567  login    disabled                     -       -                  -
    codex     key-12ab34cd             -         api key  ready                        -       -                  -

    old (claude): the grant is gone; log in again with `byok login claude`

    off (claude): switched off by its owner; `byok accounts enable claude` takes it back.

    work (claude), 3 min ago: This request would exceed your rate limit.
      nothing to do: it is used again after its rest

    short (claude): the vendor has given nothing to renew this login with: it ends in 7 h 0 min. Log in again then with `byok login claude --account short`
    "#);
}

#[test]
fn spans_have_two_units() {
    for (seconds, expected) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (90_000, "1 d 1 h"),
    ] {
        assert_eq!(span(seconds), expected);
    }
}

#[test]
fn a_service_that_has_ended_says_so_where_there_is_a_login() {
    let text = |provider: &str, kind: &str| {
        let account = AccountStatus { kind: kind.to_owned(), ..account("ada@example.org", "ready") };
        let report = Report {
            running: true,
            ending: false,
            version: "0.1.0".to_owned(),
            address: None,
            uptime_seconds: None,
            keys_required: None,
            config: ConfigStatus::default(),
            providers: with_ends(vec![ProviderStatus {
                name: provider.to_owned(),
                ended: None,
                accounts: vec![account],
            }]),
            records_dropped: None,
        };
        let json = serde_json::to_value(&report).unwrap()["providers"][0]["ended"].clone();
        let text = report.text(10_000, None);
        assert!(json.is_null() || text.contains(json.as_str().unwrap()), "the same sentence: {json}");
        assert_eq!(json.is_null(), !text.contains(" 2026-0"), "in both forms: {json}: {text}");
        text
    };
    for (provider, date) in [("qwen", "2026-04-15"), ("iflow", "2026-04-17"), ("gemini", "2026-06-18")] {
        assert!(text(provider, "login").contains(date), "{provider}");
        // What iFlow's logins end in is a key.
        assert_eq!(text(provider, "api_key").contains(date), provider == "iflow", "{provider} by key");
    }
    assert!(!text("claude", "login").contains("ended"));
}

#[test]
fn a_followed_login_is_renewed_by_its_program() {
    let ended = |followed| AccountStatus { followed, expires_at: Some(9_000), ..account("a", "ready") };
    assert_eq!(token(&ended(false), 10_000), "renewed at its next use");
    assert_eq!(token(&ended(true), 10_000), "ended; its program renews it");
    assert_eq!(token(&AccountStatus { followed: true, ..account("a", "ready") }, 10_000), "7 h 0 min left");
}
