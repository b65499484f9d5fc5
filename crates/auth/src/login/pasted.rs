use super::refused::refused;
use crate::{AuthorizationCode, LoginError, PendingLogin, State};
use std::borrow::Cow;
use url::{Url, form_urlencoded};

/// What stands around a code or an address in a text, and in none of them.
const QUOTES: [char; 7] = ['"', '\'', '`', '<', '>', '“', '”'];

/// Reads what a person pasted: `code#state` as the vendor's page shows it, the whole address that the browser ended at, or its
/// query. A code alone is taken only where the vendor's page shows nothing else: without its state nobody can say which login
/// it belongs to.
///
/// # Errors
/// [`LoginError::WrongState`] if another state is there, [`LoginError::Denied`] or
/// [`LoginError::Refused`] if the address carries an error, [`LoginError::NotACode`] otherwise.
pub fn read_pasted(text: &str, login: &PendingLogin) -> Result<AuthorizationCode, LoginError> {
    // What was copied with its quotes is the same.
    let text = text.trim().trim_matches(QUOTES).trim();
    let mut query = String::new();
    let mut alone = false;
    let (code, stated) = if let Some(address) = address_of(text) {
        let url =
            Url::parse(&address).map_err(|_| LoginError::NotACode { why: "the address is incomplete" })?;
        url.query().unwrap_or_default().clone_into(&mut query);
        from_query(&query, &login.state)?
    } else if text.trim_start_matches('?').starts_with("code=") || text.contains("&code=") {
        text.trim_start_matches('?').clone_into(&mut query);
        from_query(&query, &login.state)?
    } else {
        let (code, stated) = match text.split_once('#') {
            Some((code, stated)) => (code, Some(stated.trim().to_owned())),
            None => (text, None),
        };
        alone = true;
        let code = code.split('&').next().unwrap_or_default();
        (code.trim().to_owned(), stated)
    };
    if stated.as_ref().is_some_and(|stated| !login.state.matches(stated)) {
        return Err(LoginError::WrongState);
    }
    if code.is_empty() {
        return Err(LoginError::NotACode { why: "it is empty" });
    }
    if code.len() > 4096 || !code.chars().all(|c| c.is_ascii_graphic()) {
        return Err(LoginError::NotACode {
            why: "it contains white space or other characters that no code has",
        });
    }
    match (stated, alone) {
        (None, true) if !login.shows_code_alone => Err(LoginError::NotACode {
            why: "its `state` is missing, which this vendor shows behind the code or in the address",
        }),
        (None, false) => {
            Err(LoginError::NotACode { why: "the address has no `state`, so it may be of another login" })
        }
        _ => Ok(AuthorizationCode::new(code).with_query(&query)),
    }
}

/// The address that a text is; some browsers show and copy it without its scheme.
fn address_of(text: &str) -> Option<Cow<'_, str>> {
    if text.contains("://") {
        return Some(text.into());
    }
    let (place, query) = text.split_once('?')?;
    let answers = |pair: &str| pair.starts_with("code=") || pair.starts_with("error=");
    (!place.is_empty() && query.split('&').any(answers)).then(|| format!("http://{text}").into())
}

fn from_query(query: &str, state: &State) -> Result<(String, Option<String>), LoginError> {
    let find = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    // It may carry a state, and even something that is called a code.
    if find("response_type").is_some() || find("code_challenge").is_some() {
        return Err(LoginError::NotACode {
            why: "it is the address to open, not the one at which the browser ends",
        });
    }
    if let Some(code) = find("code") {
        // A login that failed leaves `code#state` shapes in the query of some vendors' pages, too.
        let (code, joined) = match code.split_once('#') {
            Some((code, state)) => (code.to_owned(), Some(state.to_owned())),
            None => (code, None),
        };
        return Ok((code, find("state").or(joined)));
    }
    match find("error") {
        Some(error) => Err(refused(&error, find, state)),
        None => Err(LoginError::NotACode { why: "the address carries no code" }),
    }
}

#[cfg(test)]
mod tests;
