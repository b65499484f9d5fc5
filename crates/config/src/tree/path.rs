use std::{fmt, str::FromStr};

/// One step of a [`KeyPath`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    Key(String),
    Item(usize),
}

/// The way to a setting: `providers.claude.api_keys[0]`; a key that is not a plain word is quoted
/// (`aliases."gpt-4.1"`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct KeyPath(Vec<Step>);

/// The text is not the path of a setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadPath;

impl KeyPath {
    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    pub(crate) fn item(&self, index: usize) -> Self {
        self.with(Step::Item(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, rest)| Self(rest.to_vec()))
    }

    pub(crate) fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The path for an error text. A key that looks like a secret (somebody wrote it in the wrong place) is hidden.
    pub(crate) fn shown(&self) -> String {
        let hide = |step: &Step| match step {
            Step::Key(key) if looks_secret(key) => Step::Key("(hidden)".to_owned()),
            other => other.clone(),
        };
        Self(self.0.iter().map(hide).collect()).to_string()
    }
}

/// Whether there is a word in the text that has the look of a vendor's key or token rather than of a name.
pub(crate) fn looks_secret(text: &str) -> bool {
    const PREFIXES: [&str; 9] = ["sk-", "sk_", "AIza", "ghp_", "gho_", "ghu_", "xai-", "eyJ", "byok-"];
    let random = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split_whitespace().any(|word| {
        let known = word.len() >= 16 && PREFIXES.iter().any(|prefix| word.starts_with(prefix));
        let long = word.len() >= 32 && word.chars().all(random);
        known || (long && word.contains(|c: char| c.is_ascii_digit()))
    })
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Item(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    if is_plain(key) || key == "(hidden)" {
                        f.write_str(key)?;
                    } else {
                        let escaped = key.replace('\\', "\\\\").replace('"', "\\\"");
                        write!(f, "\"{}\"", escaped.replace(char::is_control, "\u{fffd}"))?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl FromStr for KeyPath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(tail) = rest.strip_prefix('[') {
                let (index, tail) = tail.split_once(']').ok_or(BadPath)?;
                steps.push(Step::Item(index.parse().map_err(|_| BadPath)?));
                rest = tail;
                continue;
            }
            if !steps.is_empty() {
                rest = rest.strip_prefix('.').ok_or(BadPath)?;
            }
            let (key, tail) = match rest.strip_prefix('"') {
                Some(quoted) => take_quoted(quoted).ok_or(BadPath)?,
                None => take_plain(rest),
            };
            if key.is_empty() || (key.contains('"') && !rest.starts_with('"')) {
                return Err(BadPath);
            }
            steps.push(Step::Key(key));
            rest = tail;
        }
        Ok(Self(steps))
    }
}

fn take_plain(text: &str) -> (String, &str) {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

fn take_quoted(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((key, &text[at + 1..])),
            '\\' => key.push(chars.next()?.1),
            other => key.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests;
