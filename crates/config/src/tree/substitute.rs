//! `${NAME}` in texts.

use super::{
    Node, Value,
    path::{KeyPath, Step},
};
use crate::{error::Problem, layers::Sources};

/// Replaces `${NAME}` in every text of the tree; `$${` stands for a literal `${`. Names of settings are left alone.
pub(crate) fn substitute(node: &mut Node, sources: &Sources, problems: &mut Vec<Problem>) {
    let replaced = match &mut node.value {
        Value::Text { text, .. } if text.contains("${") => match expand(text, &sources.env) {
            Err(_) if sources.without_keys && is_api_key(&node.path) => Ok(text.clone()),
            replaced => replaced,
        },
        Value::List(items) => {
            for item in items {
                substitute(item, sources, problems);
            }
            return;
        }
        Value::Table(entries) => {
            for entry in entries {
                substitute(&mut entry.node, sources, problems);
            }
            return;
        }
        _ => return,
    };
    match replaced {
        Ok(text) => node.value = Value::Text { text, loose: true },
        Err((what, hint)) => problems.push(Problem::new(&node.spot, &node.path, what, hint)),
    }
}

/// Whether this is where an API key stands: of a client, or for a vendor.
fn is_api_key(path: &KeyPath) -> bool {
    path.steps().iter().any(|step| matches!(step, Step::Key(name) if name == "api_key" || name == "api_keys"))
}

fn expand(text: &str, variables: &[(String, String)]) -> Result<String, (String, String)> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let tail = &rest[at + 2..];
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at - 1]);
            out.push_str("${");
            rest = tail;
            continue;
        }
        out.push_str(&rest[..at]);
        let named = tail.split_once('}').filter(|(name, _)| is_name(name));
        let Some((name, tail)) = named else {
            // The text may be a secret: it is described, not quoted.
            let what = "`${` is not followed by the name of a variable and `}`".to_owned();
            return Err((what, "write `${NAME}`, or `$${` for the characters themselves".to_owned()));
        };
        let Some((_, value)) = variables.iter().find(|(key, _)| key == name) else {
            let what = format!("the environment variable `{name}` is not set");
            return Err((what, format!("set `{name}`, or write `$${{` for the characters themselves")));
        };
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether a text can be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests;
