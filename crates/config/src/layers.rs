//! The layers of the configuration: where each comes from and how it becomes a checked tree.

mod environment;
mod normalise;
mod sources;

pub use environment::{ENVIRONMENT, EnvVariable};
pub(crate) use sources::lookup;
pub use sources::{Flags, Sources};

use crate::{
    Config, ConfigError,
    error::Problem,
    tree::{Node, Spot, TextLayer, decode::decode, path::KeyPath, substitute::substitute, yaml},
    validate,
};
use normalise::Shape;
use sha2::{Digest, Sha256};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

/// All layers laid over each other, and what was noticed on the way.
pub(crate) struct Layers {
    pub(crate) root: Node,
    pub(crate) warnings: Vec<String>,
    /// The person's file, if it was there.
    pub(crate) file: Option<FileSeen>,
    /// Of the bytes of all files.
    pub(crate) hash: [u8; 32],
}

pub(crate) struct FileSeen {
    pub(crate) path: PathBuf,
    /// Whether there was nothing in it but white space and comments.
    pub(crate) empty: bool,
}

/// Reads and checks every layer. `overlay` stands in for the text of the overlay file, to try it before it is written.
///
/// `files` receives every file that was asked for, whether it exists or not, also when the result is an error: a change
/// of one of them may mend it.
pub(crate) fn read(
    sources: &Sources,
    overlay: Option<&str>,
    files: &mut Vec<PathBuf>,
) -> Result<Layers, ConfigError> {
    let mut reader =
        Reader { sources, problems: Vec::new(), warnings: Vec::new(), files, hash: Sha256::new() };
    let flags = reader.checked(sources.flags.tree(), None)?;
    let (environment, unknown) = environment::tree(&sources.env);
    reader.warnings.extend(unknown);
    let environment = reader.checked(environment, None)?;
    let mut file = None;
    let mut person = None;
    if let Some(path) = &sources.file {
        match reader.text(path)? {
            Some(text) => {
                let (tree, empty) = reader.parse(&text, TextLayer::File, path)?;
                file = Some(FileSeen { path: path.clone(), empty });
                person = tree;
            }
            None if sources.file_required => return Err(ConfigError::Missing { path: path.clone() }),
            None => {}
        }
    }
    let mut own = None;
    if let Some(path) = &sources.overlay {
        let text = match overlay {
            Some(text) => Some(text.to_owned()),
            None => reader.text(path)?,
        };
        if let Some(text) = text {
            own = reader.parse(&text, TextLayer::Overlay, path)?.0;
        }
    }
    let Reader { problems, warnings, hash, .. } = reader;
    if !problems.is_empty() {
        return Err(ConfigError::invalid(problems));
    }
    let bottom = Node::empty_table(KeyPath::default(), Spot::Default);
    let upwards = [own, person, Some(environment), Some(flags)];
    let root = upwards.into_iter().flatten().fold(bottom, |below, layer| layer.over(below));
    Ok(Layers { root, warnings, file, hash: hash.finalize().into() })
}

struct Reader<'a> {
    sources: &'a Sources,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    files: &'a mut Vec<PathBuf>,
    hash: Sha256,
}

impl Reader<'_> {
    /// The text of a file, or `None` if there is no such file.
    fn text(&mut self, path: &Path) -> Result<Option<String>, ConfigError> {
        self.files.push(path.to_path_buf());
        match std::fs::read_to_string(path) {
            Ok(text) => {
                self.hash.update(text.len().to_le_bytes());
                self.hash.update(text.as_bytes());
                Ok(Some(text))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.hash.update([0]);
                Ok(None)
            }
            Err(source) => Err(ConfigError::Read { path: path.to_path_buf(), source }),
        }
    }

    /// Reads a layer from YAML. Problems are kept, so that those of the other layers are found, too.
    fn parse(
        &mut self,
        text: &str,
        layer: TextLayer,
        path: &Path,
    ) -> Result<(Option<Node>, bool), ConfigError> {
        let mut tree = match yaml::parse(text, layer, &Arc::from(path)) {
            Ok(tree) => tree,
            Err(problems) => {
                self.problems.extend(problems);
                return Ok((None, false));
            }
        };
        let empty = tree.entries().is_empty() && !text.contains("{}");
        substitute(&mut tree, self.sources, &mut self.problems);
        if layer == TextLayer::Overlay {
            self.problems.extend(validate::overlay(&tree));
        }
        self.checked(tree, Some((layer, path))).map(|tree| (Some(tree), empty))
    }

    /// Brings a layer into its one form and checks it against the types.
    fn checked(&mut self, mut tree: Node, text: Option<(TextLayer, &Path)>) -> Result<Node, ConfigError> {
        let base = text.and_then(|(_, path)| path.parent());
        let home = self.sources.home();
        let mut shape = Shape::new(home.as_deref(), base, self.sources.without_keys);
        shape.normalise(&mut tree)?;
        for (path, bytes) in shape.secret_files {
            self.hash.update(&bytes);
            self.files.push(path);
        }
        if let Some((TextLayer::File, path)) = text
            && shape.inline_secrets
            && readable_by_others(path)
        {
            let path = path.display();
            self.warnings.push(format!(
                "{path} holds keys and other users of this machine can read it: run `chmod 600 {path}`"
            ));
        }
        let read = decode::<Config>(&tree).err().into_iter().flatten().chain(validate::facts(&tree));
        for problem in std::mem::take(&mut shape.problems).into_iter().chain(read) {
            // A secret that could not be fetched is also a value that does not fit: once is enough.
            let same = |known: &Problem| (&known.place, &known.path) == (&problem.place, &problem.path);
            if !self.problems.iter().any(same) {
                self.problems.push(problem);
            }
        }
        Ok(tree)
    }
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> bool {
    false
}
