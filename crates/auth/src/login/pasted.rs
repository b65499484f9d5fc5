use crate::{AuthorizationCode, LoginError, State};
use url::{Url, form_urlencoded};

/// Reads what a person pasted: `code#state` as the vendor's page shows it, the code alone, or the whole address that the
/// browser ended at.
///
/// # Errors
/// [`LoginError::WrongState`] if a state is there and is not `state`, [`LoginError::Denied`] if the address carries an
/// error, [`LoginError::NotACode`] otherwise.
pub fn read_pasted(text: &str, state: &State) -> Result<AuthorizationCode, LoginError> {
    let text = text.trim();
    let mut query = String::new();
    let (code, stated) = if text.contains("://") {
        let url = Url::parse(text).map_err(|_| LoginError::NotACode { why: "the address is incomplete" })?;
        url.query().unwrap_or_default().clone_into(&mut query);
        from_query(&query)?
    } else if text.starts_with("code=") || text.contains("&code=") {
        text.trim_start_matches('?').clone_into(&mut query);
        from_query(&query)?
    } else {
        let (code, stated) = match text.split_once('#') {
            Some((code, stated)) => (code, Some(stated.trim().to_owned())),
            None => (text, None),
        };
        let code = code.split('&').next().unwrap_or_default();
        (code.trim().to_owned(), stated)
    };
    if stated.is_some_and(|stated| !state.matches(&stated)) {
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
    Ok(AuthorizationCode::new(code).with_query(&query))
}

fn from_query(query: &str) -> Result<(String, Option<String>), LoginError> {
    let find = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    if let Some(code) = find("code") {
        // A login that failed leaves `code#state` shapes in the query of some vendors' pages, too.
        let (code, joined) = match code.split_once('#') {
            Some((code, state)) => (code.to_owned(), Some(state.to_owned())),
            None => (code, None),
        };
        return Ok((code, find("state").or(joined)));
    }
    match find("error") {
        Some(error) => Err(LoginError::Denied { why: super::page::plain(&error) }),
        None => Err(LoginError::NotACode { why: "the address carries no code" }),
    }
}

#[cfg(test)]
mod tests;
