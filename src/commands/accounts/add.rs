//! An account from tokens that a person pastes.

use super::super::login::{
    check_name,
    consent::Consent,
    end_of_login,
    import::{asked, tell_of_sharing},
    tell_of_end, tell_of_others, tell_the_rule,
};
use crate::{
    logins, network,
    place::{open_store, tell_renewed},
    terminal::{self, Lines},
    trouble::{Exit, Trouble},
};
use byok_auth::{
    Answers, Clock as _, How, NewLogin, SaveLogin, SystemClock, Vendor, followed, known_account,
    learn_owners, refuse_foreign, refuse_foreign_login, save_login,
};
use byok_config::Config;
use byok_store::{AccountDetails, Store, StoreError};
use byok_transport::Transport;
use byok_types::{Account, AccountState, Credential, OauthTokens, Secret, TokenFacts, account_flag};

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
    let Pasted { login, confirmed, shared } = read(&vendor, &transport, text).await?;
    if let Some(id) = logins::keys_of(&id, config) {
        refuse_foreign_login(id, &login)?;
    }
    if shared {
        tell_of_sharing(true);
        terminal::say(format_args!("`byok login {id} --import` follows that program instead"));
    }
    let login = if confirmed {
        learn_owners(&store, &*vendor.refresher, &transport, &id).await?;
        login
    } else {
        asked(&store, (&id, &vendor), &transport, login).await?
    };
    let known = known_account(&store, &id, &login).await?;
    let login = match &known {
        Some(known) => instead_of(&store, (&vendor, &transport), known, login, label).await?,
        None => login,
    };
    let known = known.filter(|_| label.is_none());
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

/// The login that takes the place of one that is there. Of two copies whose vendor uses refresh tokens up one is spent, and the
/// end of its access token does not show which: tokens that would replace a login of byok's own that works are renewed first,
/// and what the vendor gives for them is stored.
async fn instead_of(
    store: &Store,
    (vendor, transport): (&Vendor, &Transport),
    known: &Account,
    login: NewLogin,
    label: Option<&str>,
) -> Result<NewLogin, Trouble> {
    let (Credential::Oauth(new), Ok(Some(Credential::Oauth(old)))) =
        (&login.credential, store.secrets.load(&known.id).await)
    else {
        return Ok(login);
    };
    if !matches!(known.state, AccountState::Ready | AccountState::ExtraUsage) {
        return Ok(login);
    }
    let stays = |why: String| {
        let what = format!(
            "{why}; byok has a login of this account that works ({}), and it stays as it is",
            known.label
        );
        Trouble::new(Exit::NotAllowed, what).hint(format!(
            "if you want the pasted tokens all the same, run `byok accounts remove {} {}` first",
            known.provider,
            account_flag(&known.label)
        ))
    };
    let follows = followed(&old).is_some();
    if new.refresh.is_none() && (old.refresh.is_some() || follows) {
        return Err(stays("the pasted token comes without a refresh token, so nothing renews it".to_owned()));
    }
    let own = old.refresh.is_some() && !follows && vendor.refresher.rotates();
    if !own || old.access.hash() == new.access.hash() {
        return Ok(login);
    }
    if matches!((old.expires_at, new.expires_at), (Some(old), Some(new)) if old > new) {
        return Err(stays("the pasted tokens end earlier, so they may be spent".to_owned()));
    }
    let refresh = |tokens: &OauthTokens| tokens.refresh.as_ref().map(Secret::hash);
    if refresh(new) == refresh(&old) {
        return Ok(login);
    }
    if vendor.refresher.ends_copies() {
        let why = "this provider ends both logins if it is shown a token that is spent, so nothing is tried";
        return Err(stays(why.to_owned()));
    }
    // With the answer the pasted tokens are gone, so nothing may be in the way of storing it.
    if let Some(label) = label
        && store
            .accounts
            .list(Some(&known.provider))
            .await?
            .iter()
            .any(|other| other.label == label && other.id != known.id)
    {
        return Err(StoreError::LabelTaken.into());
    }
    terminal::say(format_args!(
        "byok has a login of this account that works ({}), so the pasted tokens are renewed before they take its place",
        known.label
    ));
    let (answer, details) = vendor.refresher.refresh_as(transport, new, known).await.map_err(|error| {
        let error = error.to_string();
        stays(format!(
            "the pasted tokens cannot be renewed: {}",
            error.split("; ").next().unwrap_or_default()
        ))
    })?;
    let tokens = answer.into_tokens(Some(new), SystemClock.now());
    let of_login = login.details;
    let details = AccountDetails {
        identity: of_login.identity.or(details.identity),
        email: of_login.email.or(details.email),
        plan: details.plan.or(of_login.plan),
    };
    Ok(NewLogin { credential: Credential::Oauth(tokens), details })
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

/// What was read from the paste.
struct Pasted {
    login: NewLogin,
    /// Whether the vendor has taken it already.
    confirmed: bool,
    /// Whether it is the login of another program, and its vendor uses refresh tokens up.
    shared: bool,
}

impl Pasted {
    fn confirmed(login: NewLogin) -> Self {
        Self { login, confirmed: true, shared: false }
    }
}

/// What was pasted: a file of the vendor's program, a token answer, a key file, or an access token.
async fn read(vendor: &Vendor, transport: &Transport, text: &str) -> Result<Pasted, Trouble> {
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
        let login = file.finish(transport, &Secret::new(text), &Answers::new()).await?;
        return Ok(Pasted::confirmed(login));
    }
    let of_token = vendor.methods.iter().find_map(|method| match &method.how {
        How::Key(login) if method.name == "token" => Some(login),
        _ => None,
    });
    if !text.starts_with('{') {
        check(text)?;
        // Where a token alone is one of the ways to log in, more is found out by it.
        if let Some(login) = of_token {
            return Ok(Pasted::confirmed(login.finish(transport, Secret::new(text), &Answers::new()).await?));
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
        let login = NewLogin { credential: Credential::Oauth(tokens), details: AccountDetails::default() };
        return Ok(Pasted { login, confirmed: false, shared: false });
    }
    let imported = vendor.import.as_ref().and_then(|import| import.read("", text.as_bytes(), now).ok());
    if let Some(found) = imported.into_iter().flatten().next() {
        return Ok(Pasted { login: found.login, confirmed: false, shared: found.shared_rotation });
    }
    let login = vendor.refresher.kept_answer(text.as_bytes(), now).map_err(|_| unreadable())?;
    if let Credential::Oauth(tokens) = &login.credential {
        check(tokens.access.expose())?;
    }
    Ok(Pasted { login, confirmed: false, shared: false })
}
