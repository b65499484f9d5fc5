//! Words of errors that are the same whatever dialect the upstream speaks.

use serde_json::Value;

/// What the list says that `FastAPI`, and with it many compatible servers, sends as `detail`: everything that is wrong, each with
/// its place.
pub(crate) fn of_details(detail: &Value) -> Option<String> {
    let step = |step: &Value| match step {
        Value::String(name) => name.clone(),
        Value::Number(index) => index.to_string(),
        _ => String::new(),
    };
    let lines = detail.as_array()?.iter().filter_map(|entry| {
        let said = entry["msg"].as_str().or_else(|| entry.as_str()).filter(|said| !said.is_empty())?;
        let place = entry["loc"].as_array().map(|path| path.iter().map(step).collect::<Vec<_>>().join("."));
        Some(place.map_or_else(|| said.to_owned(), |place| format!("{place}: {said}")))
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// The longest code that is shown.
const LONGEST_CODE: usize = 100;

/// What to say for an upstream that gave a status and nothing else but perhaps a code, with what helps.
pub(crate) fn without_words(status: u16, code: Option<&str>) -> String {
    let help = match status {
        400 | 422 => "Check the request",
        401 | 403 => "Check the credential and what it may be used for",
        402 => "Check the account and its plan",
        404 | 405 => "Check the name of the model and the base URL",
        413 => "Send a shorter request",
        429 => "Wait a little and try again",
        _ => "Try again",
    };
    if status < 300 {
        return "The upstream reported an error and no explanation. Try again.".to_owned();
    }
    let code = code.filter(|code| !code.is_empty()).map(|code| {
        let code: String = code.chars().filter(|c| !c.is_control()).take(LONGEST_CODE).collect();
        format!(", `{code}`")
    });
    format!(
        "The upstream answered with status {status}{} and no explanation. {help}.",
        code.unwrap_or_default()
    )
}

/// What to say for an upstream that answered with a web page: its title is all that is worth showing. `None` for any other text.
pub(crate) fn of_web_page(text: &str) -> Option<String> {
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        text.get(start..end).map(str::trim)
    });
    let title: String =
        title.unwrap_or_default().chars().filter(|c| !c.is_control()).take(LONGEST_CODE).collect();
    let title = if title.is_empty() { title } else { format!(" ({title})") };
    Some(format!(
        "The way to the upstream answered with a web page{title} instead of an API error. Try again later; if it stays, \
         check the proxy and the base URL."
    ))
}
