//! An account from tokens that a person pastes.

use super::super::login::check_name;
use crate::{
    logins,
    place::{Place, open_store},
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use byok_auth::{Clock as _, NewLogin, SaveLogin, SystemClock, TokenAnswer, Vendor, save_login};
use byok_config::Config;
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};

pub(super) async fn run(
    _place: &Place,
    config: &Config,
    provider: &str,
    label: Option<&str>,
) -> Result<(), Trouble> {
    let (id, vendor) = logins::vendor(provider, config)?;
    if let Some(label) = label {
        check_name(label)?;
    }
    let store = open_store(config)?;
    if terminal::is_interactive() {
        terminal::say("paste the tokens, then press Enter and Ctrl-D:");
    }
    let mut lines = Lines::default();
    let mut text = String::new();
    while let Some(line) = lines.hidden().await {
        text.push_str(&line);
        text.push('\n');
    }
    let login = read(&vendor, text.trim())?;
    let save = SaveLogin { provider: &id, account: None, label, claims: &[] };
    let account = save_login(&store, &SystemClock, login, save).await?;
    store.close().await;
    terminal::say(format_args!("added to {id}: {}", account.label));
    Ok(())
}

/// What was pasted: a file of the vendor's program, a token answer, or an access token.
fn read(vendor: &Vendor, text: &str) -> Result<NewLogin, Trouble> {
    let unreadable = || {
        Trouble::new(Exit::BadData, "this is neither a token nor JSON with tokens")
            .hint("paste an access token, or JSON with `access_token` and `refresh_token`")
    };
    let now = SystemClock.now();
    if !text.starts_with('{') {
        let token = !text.is_empty() && text.len() < 16_384 && text.chars().all(|c| c.is_ascii_graphic());
        if !token {
            return Err(unreadable());
        }
        // Nobody knows when it ends: it is used until the vendor refuses it.
        let tokens = OauthTokens {
            access: Secret::new(text),
            refresh: None,
            expires_at: None,
            refresh_expires_at: None,
            scopes: Vec::new(),
            facts: TokenFacts::new(),
        };
        return Ok(NewLogin { credential: Credential::Oauth(tokens), details: AccountDetails::default() });
    }
    let imported = vendor.import.as_ref().and_then(|import| import.read("", text.as_bytes(), now).ok());
    if let Some(found) = imported.into_iter().flatten().next() {
        return Ok(found.login);
    }
    let answer = TokenAnswer::read(text.as_bytes()).map_err(|_| unreadable())?;
    let credential = Credential::Oauth(answer.into_tokens(None, now));
    Ok(NewLogin { credential, details: AccountDetails::default() })
}
