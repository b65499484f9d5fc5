//! Where the files of byok are.

use crate::{ConfigError, layers::lookup};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The variables of this process that are text. The only place where byok asks for its environment.
pub fn process_env() -> Vec<(String, String)> {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
}

pub(crate) fn home(env: &[(String, String)]) -> Option<PathBuf> {
    lookup(env, "HOME").or_else(|| lookup(env, "USERPROFILE")).map(PathBuf::from)
}

/// The directory of everything that byok keeps: `~/.byok`.
pub fn directory(env: &[(String, String)]) -> Result<PathBuf, ConfigError> {
    home(env).map(|home| home.join(".byok")).ok_or(ConfigError::NoHome)
}

/// The overlay beside a configuration file: `overlay.yaml` beside `config.yaml`, else `NAME.overlay.yaml`, so that two
/// configurations in one directory do not share it.
pub fn overlay(config: &Path) -> PathBuf {
    match config.file_stem().and_then(|stem| stem.to_str()) {
        None | Some("config") => config.with_file_name("overlay.yaml"),
        Some(stem) => config.with_file_name(format!("{stem}.overlay.yaml")),
    }
}

/// The control socket of the server that uses a database; it stands beside it.
pub fn control_socket(database: &Path) -> PathBuf {
    database.with_file_name("control.sock")
}

/// An absolute path where possible: `~/` is the home directory, anything relative starts at `base`.
pub(crate) fn resolve(text: &str, home: Option<&Path>, base: Option<&Path>) -> Result<PathBuf, ConfigError> {
    if let Some(rest) = text.strip_prefix("~/").or_else(|| text.strip_prefix("~\\")) {
        return home.map(|home| home.join(rest)).ok_or(ConfigError::NoHome);
    }
    Ok(base.map_or_else(|| PathBuf::from(text), |base| base.join(text)))
}

/// Why a file could not be opened, in the same words on every system.
pub(crate) fn why(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        _ => error.to_string(),
    }
}
