//! An account from tokens that a person pastes.

use super::super::login::{
    check_name, consent::Consent, end_of_login, import::asked, tell_of_end, tell_of_others, tell_the_rule,
};
use crate::{
    logins, network,
    place::{open_store, tell_renewed},
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use byok_auth::{
    Answers, Clock as _, How, NewLogin, SaveLogin, SystemClock, TokenAnswer, Vendor, known_account,
    learn_owners, refuse_foreign, save_login,
};
use byok_config::Config;
use byok_store::AccountDetails;
use byok_transport::Transport;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};

/// No token is longer.
const LONGEST: usize = 16 << 10;

pub(super) async fn run(
    config: &Config,
    provider: &str,
    label: Option<&str>,
    accept: Vec<String>,
) -> Result<(), Trouble> {
    let (id, vendor) = logins::vendor(provider, config)?;
    if let Some(label) = label {
        check_name(label)?;
    }
    let consent = Consent::new(&id, accept)?;
    let store = open_store(config)?;
    if let Some(ended) = vendor.ended {
        terminal::warn(ended);
    }
    tell_the_rule(id.as_str());
    logins::warnings(&id, config).iter().for_each(terminal::warn);
    let text = pasted().await;
    let transport = network::transport(config)?;
    let text = text.trim();
    if let Some(id) = logins::keys_of(&id, config) {
        refuse_foreign(id, &Secret::new(text))?;
    }
    let (login, confirmed) = read(&vendor, &transport, text).await?;
    let login = if confirmed {
        learn_owners(&store, &*vendor.refresher, &transport, &id).await?;
        login
    } else {
        asked(&store, (&id, &vendor), &transport, login).await?
    };
    let known = if label.is_none() { known_account(&store, &id, &login).await? } else { None };
    let consent = consent.for_login(&login);
    let agreed = consent.agreed();
    let save = SaveLogin {
        provider: &id,
        account: known.as_ref().map(|account| &account.id),
        label,
        claims: &agreed,
    };
    let others = store.accounts.list(Some(&id)).await?;
    let ends = end_of_login(&login);
    let account = save_login(&store, &SystemClock, login, save).await?;
    tell_renewed(&config.database, &account.id).await;
    let replaced = others.iter().any(|other| other.id == account.id);
    let instead = if replaced { "; it replaces what was there of the same account" } else { "" };
    terminal::say(format_args!("added to {id}: {}{instead}", account.label));
    if !replaced {
        tell_of_others(&account, &others, config);
    }
    tell_of_end(&account, ends);
    // The lines before have ended with what was pasted.
    consent.settle(&store, &account, &mut Lines::default()).await?;
    store.close().await;
    Ok(())
}

/// What is pasted: on a terminal until it is whole, else all of standard input.
async fn pasted() -> String {
    let by_hand = terminal::is_interactive();
    if by_hand {
        terminal::say("paste the tokens and press Enter:");
    }
    let mut lines = Lines::default();
    let mut text = String::new();
    while let Some(line) = lines.awaited("the tokens").await {
        text.push_str(&line);
        text.push('\n');
        let so_far = text.trim();
        let json = so_far.starts_with('{');
        let whole =
            if json { serde_json::from_str::<serde_json::Value>(so_far).is_ok() } else { !so_far.is_empty() };
        if by_hand && whole {
            break;
        }
    }
    text
}

/// What was pasted: a file of the vendor's program, a token answer, a key file, or an access token. The second value says
/// whether the vendor has taken it already.
async fn read(vendor: &Vendor, transport: &Transport, text: &str) -> Result<(NewLogin, bool), Trouble> {
    let refused = |what: &str| match what.split_once("; ") {
        Some((what, hint)) => Trouble::new(Exit::BadData, what).hint(hint),
        None => Trouble::new(Exit::BadData, what),
    };
    let unreadable = || {
        refused(
            "this is neither a token nor JSON with tokens; paste an access token, or JSON with `access_token` and `refresh_token`, \
             or pass it by a pipe: `byok accounts add PROVIDER < FILE`",
        )
    };
    let check = |token: &str| {
        let token_like =
            !token.is_empty() && token.len() < LONGEST && token.chars().all(|c| c.is_ascii_graphic());
        if token_like { (vendor.check_token)(token).map_err(refused) } else { Err(unreadable()) }
    };
    let now = SystemClock.now();
    // Its logins are files.
    if let Some(How::File(file)) = vendor.methods.first().map(|method| &method.how) {
        if !text.starts_with('{') {
            check(text)?;
        }
        return Ok((file.finish(transport, &Secret::new(text), &Answers::new()).await?, true));
    }
    let of_token = vendor.methods.iter().find_map(|method| match &method.how {
        How::Key(login) if method.name == "token" => Some(login),
        _ => None,
    });
    if !text.starts_with('{') {
        check(text)?;
        // Where a token alone is one of the ways to log in, more is found out by it.
        if let Some(login) = of_token {
            return Ok((login.finish(transport, Secret::new(text), &Answers::new()).await?, true));
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
        return Ok((of_tokens(tokens), false));
    }
    let imported = vendor.import.as_ref().and_then(|import| import.read("", text.as_bytes(), now).ok());
    if let Some(found) = imported.into_iter().flatten().next() {
        return Ok((found.login, false));
    }
    let answer = TokenAnswer::read(text.as_bytes()).map_err(|_| unreadable())?;
    let fields: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    check(fields["access_token"].as_str().unwrap_or_default())?;
    let said = answer.expires_in.is_some();
    let tokens = answer.into_tokens(None, now);
    // An end that nobody has said is none: it is used until the vendor refuses it.
    let tokens = OauthTokens { expires_at: tokens.expires_at.filter(|_| said), ..tokens };
    Ok((of_tokens(tokens), false))
}

/// Tokens of which nobody has said whose they are.
fn of_tokens(tokens: OauthTokens) -> NewLogin {
    NewLogin { credential: Credential::Oauth(tokens), details: AccountDetails::default() }
}
