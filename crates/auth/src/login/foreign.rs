//! Keys, tokens and files that show whose they are are taken by nobody else.

use super::NewLogin;
use crate::{LoginError, endpoint::claims_of_token};
use byok_config::{KeyForm, foreign_key};
use byok_types::{Credential, ProviderId, Secret};
use serde_json::Value;

/// By what something shows whose it is.
enum Sign {
    /// A token is a JWT that this domain has issued.
    Issued(&'static str),
    /// A file has all of these members (JSON pointers).
    Has(&'static [&'static str]),
    /// Among the words of a member of a file, by its JSON pointer, is this one.
    Says(&'static str, &'static str),
    /// A program like byok has written this `type` into a file.
    Kept(&'static str),
}
use Sign::{Has, Issued, Kept, Says};

/// A form of key, token or file: its sign, the providers that take it, and what it is, with where it belongs.
struct Form {
    sign: Sign,
    of: &'static [&'static str],
    why: &'static str,
}

const fn form(sign: Sign, of: &'static [&'static str], why: &'static str) -> Form {
    Form { sign, of, why }
}

const PLAN_OPENAI: &str = "it is a token of ChatGPT; `byok accounts add codex` takes it";
const PLAN_XAI: &str = "it is a token of xAI; `byok accounts add xai` takes it";
const PLAN_KIMI: &str = "it is a token of Kimi; `byok accounts add kimi` takes it";
const PEER: &str =
    "it is a login that another program keeps for that provider; use `byok accounts import FILE`";

/// The forms that nobody else uses; of two that fit the first counts. By their first letters the settings know keys and tokens.
const FORMS: &[Form] = &[
    form(Issued("openai.com"), &["codex"], PLAN_OPENAI),
    form(Issued("x.ai"), &["xai"], PLAN_XAI),
    form(Issued("kimi.com"), &["kimi"], PLAN_KIMI),
    form(Issued("kimi.ai"), &["kimi"], PLAN_KIMI),
    form(
        Has(&["/claudeAiOauth"]),
        &["claude"],
        "it is that of Claude Code; use `byok login claude --import FILE`",
    ),
    form(Has(&["/tokens/access_token"]), &["codex"], CODEX_CLI),
    form(Has(&["/tokens/id_token"]), &["codex"], CODEX_CLI),
    form(Has(&["/OPENAI_API_KEY"]), &["codex"], CODEX_CLI),
    form(Kept("claude"), &["claude"], PEER),
    form(Kept("codex"), &["codex"], PEER),
    form(Kept("gemini"), &["gemini"], PEER),
    form(Kept("antigravity"), &["antigravity"], PEER),
    form(Kept("qwen"), &["qwen"], PEER),
    form(Kept("kimi"), &["kimi"], PEER),
    form(Kept("iflow"), &["iflow"], PEER),
    form(Kept("xai"), &["xai"], PEER),
    form(Kept("kiro"), &["kiro"], PEER),
    form(Kept("github-copilot"), &["copilot"], PEER),
    form(
        Says("/scope", "kimi-code"),
        &["kimi"],
        "it is that of Kimi Code; use `byok login kimi --import FILE`",
    ),
    form(Has(&["/apiKey", "/userId"]), &["iflow"], IFLOW_CLI),
    form(Has(&["/apiKey", "/expiry_date"]), &["iflow"], IFLOW_CLI),
    form(Has(&["/resource_url"]), &["qwen"], "it is that of Qwen Code; use `byok login qwen --import FILE`"),
    form(Says("/oidc_issuer", "https://auth.x.ai"), &["xai"], PLAN_XAI),
    form(Says("/token_endpoint", "https://auth.x.ai/oauth2/token"), &["xai"], PLAN_XAI),
];
const CODEX_CLI: &str = "it is that of Codex CLI; use `byok login codex --import FILE`";
const IFLOW_CLI: &str = "it is that of iFlow CLI; use `byok login iflow --import FILE`";

/// Where a file of JSON has its tokens.
const PLACES: [&str; 3] = ["", "/token", "/tokens"];
const NAMES: [&str; 6] =
    ["access_token", "refresh_token", "id_token", "accessToken", "refreshToken", "idToken"];

/// Refuses what evidently is the key, the token or the file of another vendor than that of `provider`, before anybody is sent
/// it.
///
/// # Errors
/// [`LoginError::NotUsable`] with where it belongs.
pub fn refuse_foreign(provider: &ProviderId, secret: &Secret) -> Result<(), LoginError> {
    let text = secret.expose().trim();
    if !text.starts_with('{') {
        return refuse_token(provider, text);
    }
    let Ok(file) = serde_json::from_str::<Value>(text) else { return Ok(()) };
    refuse(provider, of_file(&file))?;
    let tokens = PLACES.iter().filter_map(|place| file.pointer(place));
    for token in tokens.flat_map(|place| NAMES.iter().filter_map(|name| place[*name].as_str())) {
        refuse_token(provider, token.trim())?;
    }
    Ok(())
}

/// The same of a login that has been read, whatever it was read from.
///
/// # Errors
/// As [`refuse_foreign`].
pub fn refuse_foreign_login(provider: &ProviderId, login: &NewLogin) -> Result<(), LoginError> {
    let secrets = match &login.credential {
        Credential::ApiKey(key) => [Some(key), None],
        Credential::Oauth(tokens) => [Some(&tokens.access), tokens.refresh.as_ref()],
    };
    secrets.into_iter().flatten().try_for_each(|secret| refuse_token(provider, secret.expose().trim()))
}

/// Which vendor's own program has written a file, and what reads it.
pub(crate) fn program_of(file: &Value) -> Option<&'static str> {
    FORMS.iter().find(|form| !matches!(form.sign, Kept(_)) && form.sign.is_of_file(file)).map(|form| form.why)
}

fn refuse_token(provider: &ProviderId, token: &str) -> Result<(), LoginError> {
    if let Some(KeyForm { what, belongs, .. }) = foreign_key(provider.as_str(), &Secret::new(token)) {
        return Err(not_sent_to(provider, &format!("it is {what}"), belongs));
    }
    refuse(provider, of_token(token))
}

fn not_sent_to(provider: &ProviderId, what: &str, belongs: &str) -> LoginError {
    LoginError::NotUsable { why: format!("{what}, which is not sent to {provider}; {belongs}") }
}

fn refuse(provider: &ProviderId, form: Option<&Form>) -> Result<(), LoginError> {
    match form {
        Some(Form { of, why, .. }) if !of.contains(&provider.as_str()) => {
            let (what, belongs) = why.split_once("; ").unwrap_or((why, "use it there"));
            Err(not_sent_to(provider, what, belongs))
        }
        _ => Ok(()),
    }
}

fn of_token(token: &str) -> Option<&'static Form> {
    let claims = claims_of_token(token).unwrap_or_default();
    let issuer = claims["iss"].as_str().map(host_of);
    FORMS.iter().find(|form| match form.sign {
        Issued(domain) => issuer.is_some_and(|host| {
            host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        }),
        Has(_) | Says(..) | Kept(_) => false,
    })
}

/// The host of an issuer, which is an address, or a host alone.
fn host_of(issuer: &str) -> &str {
    let place = issuer.split_once("://").map_or(issuer, |(_, place)| place);
    place.split(['/', ':']).next().unwrap_or_default()
}

fn of_file(file: &Value) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.sign.is_of_file(file))
}

impl Sign {
    fn is_of_file(&self, file: &Value) -> bool {
        match self {
            Has(members) => members.iter().all(|member| file.pointer(member).is_some()),
            Says(member, word) => {
                let text = file.pointer(member).and_then(Value::as_str);
                text.is_some_and(|text| text.split_whitespace().any(|said| said == *word))
            }
            Kept(provider) => file["type"] == *provider,
            Issued(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use byok_types::OauthTokens;

    const GOOGLE: &[&str] = &["gemini", "antigravity", "vertex"];

    macro_rules! json {
        ($($json:tt)+) => { serde_json::json!($($json)+).to_string() };
    }

    #[test]
    fn keys_of_other_vendors_are_known_by_their_beginning() {
        for (provider, key, belongs) in [
            ("codex", "sk-ant-api03-x", Some("login claude --method key")),
            ("codex", "sk-ant-oat01-x", Some("accounts add claude")),
            ("codex", "sk-or-v1-x", Some("base_url")),
            ("gemini", " sk-ant-api03-x", Some("login claude")),
            ("xai", "AIzaSyX", Some("login gemini --method key")),
            ("qwen", "sk-proj-x", Some("login codex")),
            ("kimi", "github_pat_x", Some("login copilot --method token")),
            ("codex", "sk-x", None),
            ("codex", "sk-proj-x", None),
            ("vertex", "AIzaSyX", None),
            ("claude", "sk-ant-oat01-x", None),
            ("qwen", "sk-sp-x", None),
            ("gemini", "AQ.x", None),
            ("kimi", "ya29.x", Some("accounts add gemini")),
            ("vertex", "ya29.x", None),
            ("antigravity", "1//x", None),
            ("qwen", "1//x", Some("accounts add gemini")),
            ("gemini", "aoax", Some("accounts add kiro")),
            ("iflow", "aorx", Some("accounts add kiro")),
            ("kiro", "aorx", None),
            ("kimi", "opaque", None),
        ] {
            let refused = refuse_foreign(&ProviderId::new(provider).unwrap(), &Secret::new(key))
                .err()
                .map(|error| error.to_string());
            match (refused, belongs) {
                (None, None) => {}
                (Some(said), Some(belongs)) => {
                    assert!(said.contains(belongs) && !said.contains(key.trim()), "{said}");
                }
                (said, _) => panic!("{provider}, {key}: {said:?}"),
            }
        }
    }

    fn jwt(issuer: &str) -> String {
        let claims = URL_SAFE_NO_PAD.encode(json!({"iss": issuer}));
        format!("e30.{claims}.e30")
    }

    #[test]
    fn tokens_and_files_of_other_vendors_are_known_by_their_marks() {
        let of_codex = jwt("https://auth.openai.com");
        let of_xai = jwt("https://auth.x.ai");
        // What is given, who takes it, and what the others say.
        let cases = [
            (of_codex.clone(), &["codex"][..], "of ChatGPT"),
            (of_xai.clone(), &["xai"], "of xAI"),
            (jwt("kimi.ai"), &["kimi"], "of Kimi"),
            (
                json!({"access_token": "t", "refresh_token": "r", "scope": "kimi-code"}),
                &["kimi"],
                "Kimi Code",
            ),
            (
                json!({"access_token": "t", "refresh_token": "r", "resource_url": "portal.qwen.ai"}),
                &["qwen"],
                "Qwen Code",
            ),
            (
                json!({"access_token": "t", "refresh_token": "r", "apiKey": "sk-k", "userId": "1"}),
                &["iflow"],
                "iFlow CLI",
            ),
            (json!({"tokens": {"id_token": "t"}}), &["codex"], "Codex CLI"),
            (json!({"claudeAiOauth": {}}), &["claude"], "Claude Code"),
            (
                json!({"type": "kimi", "access_token": "t", "refresh_token": "r"}),
                &["kimi"],
                "accounts import",
            ),
            (json!({"access_token": "ya29.t"}), GOOGLE, "of Google"),
            (json!({"token": {"access_token": "t", "refresh_token": "1//t"}}), GOOGLE, "of Google"),
            (json!({"refreshToken": "aort"}), &["kiro"], "of Kiro"),
            (json!({"access_token": of_xai, "refresh_token": "r"}), &["xai"], "of xAI"),
            (
                json!({"access_token": "t", "refresh_token": "r", "id_token": of_codex}),
                &["codex"],
                "of ChatGPT",
            ),
        ];
        for (given, of, what) in cases {
            for provider in
                ["claude", "codex", "gemini", "antigravity", "qwen", "kimi", "iflow", "xai", "kiro"]
            {
                let said = refuse_foreign(&ProviderId::new(provider).unwrap(), &Secret::new(&*given));
                let said = said.err().map(|error| error.to_string()).unwrap_or_default();
                assert_eq!(said.is_empty(), of.contains(&provider), "{provider}, {given}: {said}");
                assert!(said.is_empty() || said.contains(what), "{provider}, {given}: {said}");
            }
        }
    }

    #[test]
    fn what_shows_nothing_is_everybodys() {
        for given in [
            json!({"access_token": "t", "refresh_token": "r", "expires_in": 3600}),
            json!({"access_token": "t", "token_type": "Bearer", "expiry_date": 1}),
            json!({"type": "oauth", "access_token": "t", "scope": "openid"}),
            jwt("https://example.org"),
            jwt("https://fax.ai"),
            "{".to_owned(),
        ] {
            for provider in ["claude", "gemini", "kimi", "kiro"] {
                let taken = refuse_foreign(&ProviderId::new(provider).unwrap(), &Secret::new(&*given));
                assert!(taken.is_ok(), "{provider}, {given}");
            }
        }
    }

    #[test]
    fn a_login_is_looked_at_whatever_it_was_read_from() {
        let of_kiro = Secret::new("aor-t");
        let tokens = OauthTokens {
            access: Secret::new("t"),
            refresh: Some(of_kiro),
            expires_at: None,
            refresh_expires_at: None,
            scopes: Vec::new(),
            facts: byok_types::TokenFacts::new(),
        };
        let details = byok_store::AccountDetails::default();
        let login = NewLogin { credential: Credential::Oauth(tokens), details };
        assert!(refuse_foreign_login(&ProviderId::new("qwen").unwrap(), &login).is_err());
        assert!(refuse_foreign_login(&ProviderId::new("kiro").unwrap(), &login).is_ok());
    }
}
