use super::*;
use byok_auth::{LoginError, Redirect, read_pasted};

/// The logins in a browser: provider, method, the host to come back to, the ports (none: any), the path.
const IN_A_BROWSER: &[(&str, &str, &str, &[u16], &str)] = &[
    ("claude", "browser", "localhost", &[], "/callback"),
    ("codex", "browser", "localhost", &[1455, 1457], "/auth/callback"),
    ("gemini", "browser", "127.0.0.1", &[], "/oauth2callback"),
    ("antigravity", "browser", "localhost", &[], "/oauth-callback"),
    ("kiro", "builder-id-browser", "127.0.0.1", &[], "/oauth/callback"),
    ("kiro", "idc-browser", "127.0.0.1", &[], "/oauth/callback"),
    ("kiro", "portal", "localhost", PORTAL, "/oauth/callback"),
    // The vendor sends the browser to the address of its own program: it is pasted, whatever listens.
    ("kiro", "link", "localhost", &[], "/oauth/callback"),
    ("kiro", "link-github", "localhost", &[], "/oauth/callback"),
    ("iflow", "browser", "localhost", &[11_451, 0], "/oauth2callback"),
    ("xai", "browser", "127.0.0.1", &[], "/callback"),
];

const PORTAL: &[u16] = &[3128, 4649, 6588, 8008, 9091, 49_153, 50_153, 51_153, 52_153, 53_153];

#[test]
fn a_browser_comes_back_or_its_answer_is_pasted() {
    let config = Config::default();
    let mut seen = Vec::new();
    for (name, _) in VENDORS {
        let vendor = made(&ProviderId::new(*name).unwrap(), &config).unwrap();
        for method in &vendor.methods {
            let How::Browser(login) = &method.how else { continue };
            let callback = login.callback();
            seen.push((*name, method.name, callback.host, callback.ports, callback.path));
            let pending = login.begin(Redirect::Pasted);
            let (state, at) = (pending.state.expose().to_owned(), pending.redirect_uri.clone());
            for (pasted, good) in [
                ("the-code".to_owned(), matches!(*name, "gemini" | "antigravity")),
                (format!("{at}?code=the-code"), false),
                (format!("the-code#{state}"), true),
                (format!("{at}?code=the-code&state={state}"), true),
                (format!("{at}?state={state}&code=the-code&scope=a%20b"), true),
                (format!("  {at}?code=the-code&state={state}\r\n"), true),
                (format!("code=the-code&state={state}"), true),
                (format!("the-code#{state}x"), false),
                ("the-code#".to_owned(), false),
                (format!("{at}?code=the-code&state=of-another-login"), false),
                (format!("{at}?code=the-code&state="), false),
                (format!("{at}?code=the-code&state={}", &state[1..]), false),
            ] {
                match read_pasted(&pasted, &pending) {
                    Ok(code) => {
                        let right = good && code.expose() == "the-code";
                        assert!(right, "{name} {}: {pasted}", method.name);
                    }
                    Err(error) => {
                        let stateless = !pasted.contains('#') && !pasted.contains("state=");
                        let wrong = match &error {
                            LoginError::WrongState => !stateless,
                            LoginError::NotACode { why } => stateless && why.contains("`state`"),
                            _ => false,
                        };
                        assert!(!good && wrong, "{name} {}: {pasted}: {error:?}", method.name);
                        assert!(!error.to_string().contains(&state), "{error}");
                    }
                }
            }
            let denied = read_pasted(&format!("{at}?error=access_denied&state={state}"), &pending);
            assert!(matches!(denied, Err(LoginError::Denied { .. })), "{name} {}: {denied:?}", method.name);
        }
    }
    let mut listed = IN_A_BROWSER.to_vec();
    seen.sort_unstable();
    listed.sort_unstable();
    assert_eq!(seen, listed);
}

#[test]
fn pages_offer_what_belongs_on_a_page() {
    let table = Table(Live::fixed(Config::default()));
    for name in table.names() {
        let offer = table.offer(&name).unwrap();
        let of_page: Vec<_> = offer.methods().map(|method| method.name).collect();
        let secret = |method: &&Method| matches!(method.how, How::Key(_) | How::File(_));
        let kept: Vec<_> = offer.vendor.methods.iter().filter(secret).map(|method| method.name).collect();
        assert!(of_page.iter().all(|name| !kept.contains(name)), "{name}: {of_page:?}");
        assert_eq!(of_page.is_empty(), name == "vertex", "{name}: {of_page:?}");
    }
    assert!(table.offer("openrouter").is_none() && table.offer("no such name").is_none());
}
