use crate::{
    ConfigError, Origin, Sources,
    error::Problem,
    load::load_with,
    tree::{
        Spot, TextLayer,
        path::{KeyPath, Step},
        yaml,
    },
};
use serde_json::{Map, Value};
use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
    sync::Arc,
};

const HEADER: &str = "# Written by byok; changes made here by hand may be lost.\n\
                      # Your own settings belong into your configuration file, which wins over this one.\n";

/// What came of writing a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayChange {
    /// The layer that says something else and wins, if there is one: the person has to change it there.
    pub shadowed_by: Option<Origin>,
}

/// Writes a setting into the overlay file, or removes it (`None`). `key_path` has dots between its keys:
/// `aliases.fast`, `aliases."gpt-4.1"`, `providers.claude.enabled`; lists are written as a whole.
///
/// The whole configuration is checked with the change before anything is written; the file is replaced at once, so a
/// reader sees the old or the new one. Two writers wait for each other.
pub fn set_overlay(
    sources: &Sources,
    key_path: &str,
    value: Option<Value>,
) -> Result<OverlayChange, ConfigError> {
    let file = sources.overlay.as_deref().ok_or(ConfigError::NoOverlay)?;
    let path: KeyPath = key_path.parse().map_err(|_| ConfigError::BadPath(key_path.to_owned()))?;
    let keys: Option<Vec<&str>> = path.steps().iter().map(key_of).collect();
    let keys =
        keys.filter(|keys| !keys.is_empty()).ok_or_else(|| ConfigError::BadPath(key_path.to_owned()))?;

    let failed = |source| ConfigError::Write { path: file.to_path_buf(), source };
    let directory = file.parent().unwrap_or(Path::new("."));
    private_directory(directory).map_err(failed)?;
    let _lock = lock(&file.with_extension("lock")).map_err(failed)?;

    let mut settings = read(file)?;
    match value {
        Some(value) => put(&mut settings, &keys, value),
        None => remove(&mut settings, &keys),
    }
    let unwritable = || {
        let spot = Spot::Text { layer: TextLayer::Overlay, file: Arc::from(file), line: 0, column: 0 };
        ConfigError::invalid(vec![Problem::new(&spot, &path, "the value cannot be written as YAML", "")])
    };
    let text = yaml::print(&Value::Object(settings)).ok_or_else(unwritable)?;
    let text = format!("{HEADER}{text}");
    let loaded = load_with(sources, Some(&text), &mut Vec::new())?;
    replace(file, directory, &text).map_err(failed)?;

    let origin = loaded.origins.at(&path);
    let wins = matches!(origin, Origin::Flag | Origin::Env(_) | Origin::File { .. });
    Ok(OverlayChange { shadowed_by: wins.then_some(origin) })
}

fn key_of(step: &Step) -> Option<&str> {
    match step {
        Step::Key(key) => Some(key),
        Step::Item(_) => None,
    }
}

fn read(file: &Path) -> Result<Map<String, Value>, ConfigError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Map::new()),
        Err(source) => return Err(ConfigError::Read { path: file.to_path_buf(), source }),
    };
    yaml::parse_plain(&text, TextLayer::Overlay, &Arc::from(file)).map_err(ConfigError::invalid)
}

fn put(table: &mut Map<String, Value>, keys: &[&str], value: Value) {
    let Some((first, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        table.insert((*first).to_owned(), value);
        return;
    }
    let inner = table.entry(*first).or_insert(Value::Null);
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

fn remove(table: &mut Map<String, Value>, keys: &[&str]) {
    let Some((first, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        table.shift_remove(*first);
        return;
    }
    if let Some(Value::Object(inner)) = table.get_mut(*first) {
        remove(inner, rest);
        if inner.is_empty() {
            table.shift_remove(*first);
        }
    }
}

/// Held until the returned file is dropped. It stays there, empty: removing it would let two writers in.
fn lock(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    file.lock()?;
    Ok(file)
}

fn private_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}

/// A temporary file (0600) in the same directory, written through to the disk, then renamed.
fn replace(file: &Path, directory: &Path, text: &str) -> std::io::Result<()> {
    let mut temporary = tempfile::Builder::new().prefix(".overlay-").tempfile_in(directory)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(file).map_err(|error| error.error)?;
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests;
