//! Names of models as services write them that offer the models of several vendors: without date, and with a dot in the
//! version. Clients know the vendor's own name.

/// The name on the wire for one that a client may know from elsewhere.
pub(super) fn wire(name: &str) -> String {
    let mut name = name.strip_suffix("[1m]").unwrap_or(name);
    loop {
        let shorter = ["-latest", "-thinking"]
            .iter()
            .find_map(|tail| name.strip_suffix(tail))
            .or_else(|| dateless(name));
        match shorter {
            Some(shorter) => name = shorter,
            None => break,
        }
    }
    dotted(name).unwrap_or_else(|| name.to_owned())
}

/// Without a date of eight digits.
fn dateless(name: &str) -> Option<&str> {
    let (head, date) = name.rsplit_once('-')?;
    (date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit())).then_some(head)
}

/// `…-4-5` as `…-4.5`.
fn dotted(name: &str) -> Option<String> {
    let (head, minor) = name.rsplit_once('-')?;
    let (_, major) = head.rsplit_once('-')?;
    let digit = |text: &str| text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digit(major) && digit(minor)).then(|| format!("{head}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::wire;

    #[test]
    fn names_of_everywhere() {
        for (name, expected) in [
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4.5"),
            ("claude-sonnet-4-5", "claude-sonnet-4.5"),
            ("claude-opus-4-8-thinking", "claude-opus-4.8"),
            ("claude-sonnet-4-6[1m]", "claude-sonnet-4.6"),
            ("claude-haiku-4-5-latest", "claude-haiku-4.5"),
            ("claude-sonnet-5", "claude-sonnet-5"),
            ("claude-sonnet-4-20250514", "claude-sonnet-4"),
            ("auto", "auto"),
            ("gpt-5.6-sol", "gpt-5.6-sol"),
            ("qwen3-coder-next", "qwen3-coder-next"),
            ("", ""),
            ("-", "-"),
        ] {
            assert_eq!(wire(name), expected, "{name}");
        }
    }
}
