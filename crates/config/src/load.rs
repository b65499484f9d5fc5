use crate::{
    Config, ConfigError, Origins, Sources, layers, paths,
    show::{Row, rows},
    tree::decode::decode,
    validate,
};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// A configuration that was read and found right.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings, with defaults where nothing is written.
    pub config: Config,
    /// Which layer each setting comes from.
    pub origins: Origins,
    /// What works but deserves a look, one sentence each.
    pub warnings: Vec<String>,
    /// SHA-256 of the bytes of all files: equal bytes, equal settings.
    pub hash: [u8; 32],
    /// Every file that the settings depend on, whether it exists or not.
    pub files: Vec<PathBuf>,
    /// The person's own file, if it was there, and whether it was empty.
    pub(crate) file: Option<(PathBuf, bool)>,
}

impl Loaded {
    /// Every effective setting with its value as people may see it, and where it comes from.
    pub fn show(&self) -> Vec<Row> {
        rows(&self.config, &self.origins)
    }
}

/// Reads all layers and checks them. The error lists everything that is wrong, not only the first thing.
///
/// Nothing is written, no network is used; files that a secret is read from are opened.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    load_with(sources, None, &mut Vec::new())
}

/// Like [`load`], with a text in place of what stands in the overlay file, and with the list of files also in case of an
/// error.
pub(crate) fn load_with(
    sources: &Sources,
    overlay: Option<&str>,
    files: &mut Vec<PathBuf>,
) -> Result<Loaded, ConfigError> {
    let layers = layers::read(sources, overlay, files)?;
    let mut config: Config = decode(&layers.root).map_err(ConfigError::invalid)?;
    files.extend(config.ca_files.iter().cloned());
    let hash = with_certificates(layers.hash, &config.ca_files);
    let (problems, warnings) = validate::whole(&config, &layers.root);
    if !problems.is_empty() {
        return Err(ConfigError::invalid(problems));
    }
    if let Some(database) = config.database.to_str().filter(|text| text.starts_with("~/")) {
        config.database = paths::resolve(database, paths::home(&sources.env).as_deref(), None)?;
    }
    let origins = Origins::of_tree(&layers.root);
    let warnings = layers.warnings.into_iter().chain(warnings).collect();
    let file = layers.file.map(|file| (file.path, file.empty));
    Ok(Loaded { config, origins, warnings, hash, files: files.clone(), file })
}

/// Certificates are renewed under the same name, so what stands in them counts as a part of the settings.
fn with_certificates(hash: [u8; 32], files: &[PathBuf]) -> [u8; 32] {
    let mut whole = Sha256::new_with_prefix(hash);
    for file in files {
        let bytes = std::fs::read(file).unwrap_or_default();
        whole.update(bytes.len().to_le_bytes());
        whole.update(&bytes);
    }
    whole.finalize().into()
}

#[cfg(test)]
mod tests;
