//! A login as programs like byok keep it: one flat object with the tokens and what belongs to them. Which fields there are
//! depends on the program; what is not there is done without, or found out by the first renewal.

use super::time::end_of;
use crate::{
    Found, NewLogin, Owner, antigravity, codex, copilot,
    endpoint::claims_of_token,
    gemini,
    google::{key_identity, stored::Stored},
    iflow, kimi,
    login::plain,
    qwen, vertex, xai,
};
use byok_store::AccountDetails;
use byok_types::{Credential, OauthTokens, Secret, TokenFacts};
use serde_json::Value;

/// In the place of an access token that is not known. It is never sent: it has ended when it is stored.
const UNKNOWN: &str = "imported";
const OVER: &str = "it has ended and cannot be renewed; log in anew with `byok login`";

/// A login, and what its person should know about it.
pub(super) type Made = (Found, Vec<String>);

/// The fields of a record.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Value);

impl<'a> Fields<'a> {
    /// A text that is not empty. Older files write hyphens.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        let text = self.get(name)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn flag(self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).or_else(|| self.0.get(name.replace('_', "-")))
    }

    /// A text fit to be shown.
    pub(super) fn shown(self, name: &str) -> Option<String> {
        self.text(name).map(plain)
    }

    fn tokens(self, end: Option<i64>, now: i64) -> Result<OauthTokens, String> {
        let (access, refresh) = (self.text("access_token"), self.text("refresh_token"));
        if access.is_none() && refresh.is_none() {
            return Err("it holds no tokens; log in anew with `byok login`".to_owned());
        }
        // Without a date it is renewed before its first use, if it can be; else it is used until it is refused.
        let end = if access.is_none() { Some(0) } else { end.or(refresh.map(|_| 0)) };
        if refresh.is_none() && end.is_some_and(|end| end <= now) {
            return Err(OVER.to_owned());
        }
        Ok(OauthTokens {
            access: Secret::new(access.unwrap_or(UNKNOWN)),
            refresh: refresh.map(Secret::new),
            expires_at: end,
            refresh_expires_at: None,
            scopes: self.text("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            facts: TokenFacts::new(),
        })
    }
}

/// What happened to the service of a provider, where no login can serve any more.
pub fn ended(provider: &str) -> Option<&'static str> {
    match provider {
        "qwen" => Some("its service ended on 2026-04-15"),
        "iflow" => Some("its service ended on 2026-04-17"),
        _ => None,
    }
}

/// The login of a provider of byok, as of `now`.
pub(super) fn login(provider: &str, record: &Value, now: i64) -> Result<Made, String> {
    let fields = Fields(record);
    match provider {
        "claude" => claude(fields, now),
        "codex" => codex(fields, now),
        "copilot" => copilot(fields, now),
        "gemini" => gemini(fields, now),
        "antigravity" => antigravity(fields, now),
        "qwen" => qwen(fields, now),
        "kimi" => kimi(fields, now),
        "iflow" => iflow(fields, now),
        "xai" => xai(fields, now),
        "vertex" => vertex(fields),
        _ => Err("byok has no login for its provider".to_owned()),
    }
}

/// An API key as an account.
pub(super) fn key(provider: &str, text: &str) -> Result<Found, String> {
    if text.is_empty() || text.len() > 4096 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("its key is empty or holds white space; make a new one with the vendor".to_owned());
    }
    let key = Secret::new(text);
    let identity = match provider {
        // As the logins with a key write it.
        "gemini" | "vertex" => key_identity(&key),
        _ => format!("key-{}", key.hash().short()),
    };
    let details = AccountDetails { identity: Some(identity), ..AccountDetails::default() };
    Ok(Found { login: NewLogin { credential: Credential::ApiKey(key), details }, shared_rotation: false })
}

fn found(tokens: OauthTokens, details: AccountDetails) -> Found {
    let shared_rotation = tokens.refresh.is_some();
    Found { login: NewLogin { credential: Credential::Oauth(tokens), details }, shared_rotation }
}

fn claude(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    let access = fields.text("access_token").unwrap_or_default();
    if access.starts_with("sk-ant-api") {
        return Ok((key("claude", access)?, Vec::new()));
    }
    let mut tokens = fields.tokens(end_of(fields.0), now)?;
    // Such a token lives for a year, and nothing renews it.
    if fields.flag("setup_token") || fields.flag("is_setup_token") {
        tokens.refresh = None;
    }
    let mut notes = Vec::new();
    if !access.is_empty() && !access.starts_with("sk-ant-oat") {
        notes.push("its access token is none of a plan: it may be billed as a key of the console".to_owned());
    }
    let ids = (fields.shown("account_uuid"), fields.shown("organization_uuid"));
    let identity = match ids {
        (Some(person), Some(organization)) => Some(format!("{person}/{organization}")),
        // The person alone does not tell two organisations apart.
        _ => None,
    };
    let details = AccountDetails { email: fields.shown("email"), plan: None, identity };
    Ok((found(tokens, details), notes))
}

fn codex(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    let mut tokens = fields.tokens(None, now)?;
    let id = fields.text("id_token").map(Secret::new);
    let Owner { mut details, mut facts, .. } = codex::owner(id.as_ref(), &tokens.access);
    if let Some(account) = fields.shown("account_id") {
        details.identity.get_or_insert_with(|| account.clone());
        facts.entry(codex::ACCOUNT.to_owned()).or_insert_with(|| Secret::new(account));
    }
    if !facts.contains_key(codex::ACCOUNT) {
        return Err("its tokens name no ChatGPT workspace; log in anew with `byok login codex`".to_owned());
    }
    details.email = details.email.or_else(|| fields.shown("email"));
    let end = codex::end_of(&tokens.access).or_else(|| end_of(fields.0));
    tokens.expires_at = end.or_else(|| tokens.refresh.as_ref().map(|_| 0));
    if tokens.refresh.is_none() && end.is_some_and(|end| end <= now) {
        return Err(OVER.to_owned());
    }
    tokens.facts = facts;
    Ok((found(tokens, details), Vec::new()))
}

fn copilot(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    let token = fields.text("access_token").unwrap_or_default();
    let user = fields.shown("username").unwrap_or_default();
    let found = copilot::imported(token, &user, now)
        .ok_or("its token is not one that GitHub gives out for Copilot; use `byok login copilot`")?;
    Ok((found, Vec::new()))
}

/// Tokens of Google lie at the top, below `token`, or in both places: then the later ones count.
fn google(
    fields: Fields<'_>,
    provider: &str,
    client: &str,
    project_fact: &str,
    now: i64,
) -> Result<Made, String> {
    let inner = fields.get("token").filter(|token| token.is_object()).map(Fields);
    let newer = inner.filter(|inner| {
        inner.text("refresh_token").is_some()
            && (fields.text("refresh_token").is_none() || end_of(inner.0) >= end_of(fields.0))
    });
    let holder = newer.unwrap_or(fields);
    let issued = inner.and_then(|inner| inner.text("client_id"));
    if issued.is_some_and(|issued| issued != client) {
        return Err(format!("its tokens were issued to another application; use `byok login {provider}`"));
    }
    let refresh = holder
        .text("refresh_token")
        .ok_or_else(|| format!("it has no refresh token; log in anew with `byok login {provider}`"))?;
    let stored = Stored {
        access: holder.text("access_token").map(str::to_owned),
        refresh: refresh.to_owned(),
        scope: holder.text("scope").map(str::to_owned),
        id_token: fields.text("id_token").map(str::to_owned),
    };
    let mut found = stored.found(now);
    let mut notes = Vec::new();
    let details = &mut found.login.details;
    details.email = details.email.take().or_else(|| fields.shown("email"));
    // One that was chosen automatically is found again.
    let named = fields.text("project_id").filter(|_| !fields.flag("auto")).unwrap_or_default();
    let mut projects = named.split(',').map(str::trim).filter(|project| is_project(project));
    if let (Credential::Oauth(tokens), Some(project)) = (&mut found.login.credential, projects.next()) {
        tokens.facts.insert(project_fact.to_owned(), Secret::new(project));
        // Where there is nothing to find out a good token need not be renewed.
        let end = end_of(holder.0).filter(|end| *end > now && holder.text("access_token").is_some());
        tokens.expires_at = end.or(tokens.expires_at);
        let others: Vec<_> = projects.collect();
        if !others.is_empty() {
            notes.push(format!(
                "the project {project} is used; for {} log in with `byok login {provider} --with project=ID`",
                others.join(", ")
            ));
        }
    }
    Ok((found, notes))
}

fn is_project(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

fn gemini(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    google(fields, "gemini", gemini::CLIENT_ID, gemini::PROJECT, now)
}

fn antigravity(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    google(fields, "antigravity", antigravity::CLIENT_ID, antigravity::PROJECT, now)
}

fn qwen(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    let mut tokens = fields.tokens(end_of(fields.0), now)?;
    let resource = fields.text("resource_url").unwrap_or_default();
    let host = resource.trim_start_matches("https://").split('/').next().unwrap_or_default();
    let mut notes = Vec::new();
    // The file comes from anywhere: the token goes only to the vendor.
    if ["qwen.ai", "aliyuncs.com"].iter().any(|own| host == *own || host.ends_with(&format!(".{own}"))) {
        tokens.facts.insert(qwen::RESOURCE_URL.to_owned(), Secret::new(resource));
    } else if !resource.is_empty() {
        notes.push("its `resource_url` is no address of the vendor and is left out".to_owned());
    }
    // The address was typed in by a person and says nothing for sure.
    let details = AccountDetails { email: fields.shown("email"), ..AccountDetails::default() };
    Ok((found(tokens, details), notes))
}

fn iflow(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    let mut notes = Vec::new();
    if fields.text("cookie").is_some() {
        notes.push("its cookie is left out".to_owned());
    }
    let details = AccountDetails { email: fields.shown("email"), ..AccountDetails::default() };
    let api_key = fields.text("api_key");
    let has_tokens = fields.text("access_token").is_some();
    match api_key {
        None => Err("it holds no API key, without which nothing is served".to_owned()),
        Some(api_key) if !has_tokens => {
            let mut found = key("iflow", api_key)?;
            found.login.details.email = details.email;
            Ok((found, notes))
        }
        Some(api_key) => {
            let mut tokens = fields.tokens(end_of(fields.0), now)?;
            tokens.facts.insert(iflow::API_KEY.to_owned(), Secret::new(api_key));
            Ok((found(tokens, details), notes))
        }
    }
}

fn kimi(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    let issued = fields.0["timestamp"].as_i64().zip(fields.0["expires_in"].as_i64());
    let end = end_of(fields.0).or_else(|| issued.map(|(at, life)| (at / 1000).saturating_add(life)));
    let mut tokens = fields.tokens(end, now)?;
    let claims = fields.text("access_token").and_then(claims_of_token).unwrap_or_default();
    let global = claims["iss"].as_str().is_some_and(|iss| iss.contains("kimi.ai"));
    let region = if global { "global" } else { "mainland-cn" };
    tokens.facts.insert(kimi::REGION.to_owned(), Secret::new(region));
    // The vendor binds the tokens to the id that they were made with.
    if let Some(device) = fields.text("device_id").filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        tokens.facts.insert(kimi::DEVICE.to_owned(), Secret::new(device));
    }
    let identity = ["user_id", "sub"].into_iter().find_map(|name| claims[name].as_str()).map(plain);
    let details = AccountDetails { identity, ..AccountDetails::default() };
    Ok((found(tokens, details), Vec::new()))
}

fn xai(fields: Fields<'_>, now: i64) -> Result<Made, String> {
    let mut tokens = fields.tokens(end_of(fields.0), now)?;
    let claims = |name: &str| fields.text(name).and_then(claims_of_token).unwrap_or_default();
    let (mut details, mut facts) = xai::owner(&claims("id_token"), &claims("access_token"));
    if let Some(sub) = fields.shown("sub") {
        details.identity.get_or_insert_with(|| sub.clone());
        facts.entry(xai::USER.to_owned()).or_insert_with(|| Secret::new(sub));
    }
    details.email = details.email.or_else(|| fields.shown("email"));
    tokens.facts = facts;
    Ok((found(tokens, details), Vec::new()))
}

fn vertex(fields: Fields<'_>) -> Result<Made, String> {
    let account = fields.get("service_account").filter(|account| account.is_object());
    let account = account.ok_or("it holds no key of a service account; use `byok login vertex`")?;
    let location = fields.text("location").unwrap_or("us-central1");
    let login = vertex::imported(&account.to_string(), location)?;
    Ok((Found { login, shared_rotation: false }, Vec::new()))
}

#[cfg(test)]
mod tests;
