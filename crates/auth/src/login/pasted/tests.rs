use super::read_pasted;
use crate::{LoginError, PendingLogin, State};
use url::Url;

fn pending(shows_code_alone: bool) -> PendingLogin {
    let page = |_: &str, _: &State, _: &str| Url::parse("https://x.example/authorize").unwrap();
    PendingLogin { shows_code_alone, ..PendingLogin::new("http://localhost/callback".to_owned(), page) }
}

#[test]
fn what_people_paste() {
    let login = pending(true);
    let good = login.state.expose().to_owned();
    let codes = [
        format!("abc-123_~#{good}"),
        format!("  abc-123_~#{good}\n"),
        "abc-123_~".to_owned(),
        format!("abc-123_~&scope=x#{good}"),
        format!("https://platform.example.com/oauth/code/callback?code=abc-123_%7E&state={good}"),
        format!("http://localhost:54545/callback?state={good}&code=abc-123_~"),
        format!("code=abc-123_~&state={good}"),
        format!("?state={good}&code=abc-123_~"),
        format!("localhost:54545/callback?code=abc-123_~&state={good}"),
        format!("127.0.0.1:54545/callback?state={good}&code=abc-123_~#"),
        format!("localhost/callback?code=abc-123_%7E&state={good}"),
        format!("https://platform.example.com/x?code=abc-123_~%23{good}"),
        format!(" \"abc-123_~#{good}\" "),
        format!("'http://localhost:54545/callback?state={good}&code=abc-123_~'"),
        format!("<http://localhost:54545/callback?code=abc-123_~&state={good}>"),
        format!("“abc-123_~#{good}”"),
    ];
    for text in codes {
        assert_eq!(read_pasted(&text, &login).unwrap().expose(), "abc-123_~", "{text}");
    }
}

#[test]
fn a_state_is_missing() {
    for (alone, text, good) in [
        (false, "abc", false),
        (true, "abc", true),
        (false, "abc&scope=x", false),
        (true, "http://localhost:54545/callback?code=abc", false),
        (false, "https://x.example/callback?code=abc&scope=x", false),
        (true, "code=abc", false),
        (true, "localhost:54545/callback?code=abc", false),
        (true, "?code=abc&scope=x", false),
    ] {
        match read_pasted(text, &pending(alone)) {
            Ok(code) => assert!(good && code.expose() == "abc", "{text}"),
            Err(LoginError::NotACode { why }) => assert!(!good && why.contains("`state`"), "{text}: {why}"),
            Err(error) => panic!("{text}: {error:?}"),
        }
    }
}

#[test]
fn what_is_refused() {
    let login = pending(true);
    let state = &login.state;
    let other = State::random();
    let other = other.expose();
    for text in [
        format!("abc#{other}"),
        "abc#".to_owned(),
        format!("abc#{}x", state.expose()),
        format!("https://x.example/callback?code=abc&state={other}"),
        format!("code=abc&state={other}"),
    ] {
        let error = read_pasted(&text, &login).unwrap_err();
        assert!(matches!(error, LoginError::WrongState), "{text}: {error:?}");
    }
    let long = "x".repeat(5000);
    for text in
        ["", "  ", "#", "two words", "https://x.example/callback", "https://", "code=", "ünïcode", &long]
    {
        let error = read_pasted(text, &login).unwrap_err();
        assert!(matches!(error, LoginError::NotACode { .. } | LoginError::WrongState), "{text}: {error:?}");
        assert!(!error.to_string().contains("words"), "nothing of the text is shown");
    }
    let error = read_pasted("http://localhost:1/callback?error=access_denied&state=x", &login).unwrap_err();
    assert!(matches!(&error, LoginError::Denied { why } if why == "access_denied"), "{error:?}");
}

#[test]
fn the_address_to_open_is_none_to_paste() {
    let login = pending(true);
    let state = login.state.expose();
    for text in [
        // Claude's asks for a page that shows the code.
        format!(
            "https://claude.com/cai/oauth/authorize?code=true&client_id=c&response_type=code&state={state}"
        ),
        format!("https://x.example/authorize?code_challenge=c&state={state}"),
    ] {
        let error = read_pasted(&text, &login).unwrap_err();
        assert!(error.to_string().contains("the address to open"), "{text}: {error}");
    }
}

#[test]
fn what_the_vendor_says_with_a_refusal_is_told() {
    let login = pending(true);
    let state = login.state.expose();
    for (query, expected) in [
        (format!("error=access_denied&state={state}"), "access_denied; start again with `byok login`"),
        (
            format!(
                "error=access_denied&error_description=account_on_hold&error_uri=https%3A%2F%2Fclaude.ai%2Fr&state={state}"
            ),
            "access_denied: account_on_hold; see https://claude.ai/r, and start again with `byok login` when that is settled",
        ),
        (
            "error=access_denied&error_description=missing_codex_entitlement".to_owned(),
            "this ChatGPT workspace has no Codex (missing_codex_entitlement): ask its administrator for it, or choose another workspace; start again with `byok login` when that is settled",
        ),
        // A page of somebody else, or none.
        (
            "error=access_denied&error_description=hold&error_uri=https%3A%2F%2Fx.example&state=other"
                .to_owned(),
            "access_denied: hold; start again with `byok login` when that is settled",
        ),
        (
            format!(
                "error=access_denied&error_description=hold&error_uri=https%3A%2F%2Fevilclaude.ai%2F&state={state}"
            ),
            "access_denied: hold; start again with `byok login` when that is settled",
        ),
        (
            format!("error=access_denied&error_uri=file%3A%2F%2F%2Fetc&state={state}"),
            "access_denied; start again with `byok login`",
        ),
    ] {
        let error = read_pasted(&format!("http://localhost:1/callback?{query}"), &login).unwrap_err();
        assert_eq!(error.to_string(), format!("the login was refused: {expected}"), "{query}");
    }
}
