use crate::{
    ConfigError, paths,
    tree::{Node, Spot, Value, path::KeyPath},
};
use std::path::PathBuf;

/// What was given on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--db`
    pub database: Option<PathBuf>,
    /// `--host`
    pub host: Option<String>,
    /// `--port`
    pub port: Option<u16>,
    /// `--log`
    pub log: Option<String>,
}

impl Flags {
    pub(super) fn tree(&self) -> Node {
        let mut root = Node::empty_table(KeyPath::default(), Spot::Default);
        let database = self.database.as_ref().map(|path| path.to_string_lossy().into_owned());
        let flags = [
            ("--db", "database", database),
            ("--host", "host", self.host.clone()),
            ("--port", "port", self.port.map(|port| port.to_string())),
            ("--log", "log", self.log.clone()),
        ];
        for (flag, key, text) in flags {
            if let Some(text) = text {
                root.insert(key, loose(key, Spot::Flag(flag), text));
            }
        }
        root
    }
}

/// A text from outside the files, which may stand for any kind of value.
pub(super) fn loose(key: &str, spot: Spot, text: String) -> Node {
    Node { path: KeyPath::default().key(key), spot, value: Value::Text { text, loose: true } }
}

/// Everything the configuration is made from. Precedence: flags, environment, the person's file, overlay, defaults.
#[derive(Clone, Default)]
pub struct Sources {
    /// The person's own file; byok never writes it.
    pub file: Option<PathBuf>,
    /// Whether it is an error if that file does not exist.
    pub file_required: bool,
    /// The file in which byok keeps settings that it writes itself.
    pub overlay: Option<PathBuf>,
    /// The environment: also what `${NAME}` in the files stands for, and where `HOME` is looked up.
    pub env: Vec<(String, String)>,
    /// What was given on the command line.
    pub flags: Flags,
    /// Whether the API keys are of no matter: variables for them that are not set in this shell are no error then, and stand
    /// as they are written.
    pub without_keys: bool,
}

impl std::fmt::Debug for Sources {
    /// Without the environment, which holds secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources")
            .field("file", &self.file)
            .field("overlay", &self.overlay)
            .finish_non_exhaustive()
    }
}

impl Sources {
    /// The usual sources: the file named by `--config`, else by `BYOK_CONFIG`, else `~/.byok/config.yaml` if it exists;
    /// the overlay beside it.
    pub fn usual(
        config: Option<PathBuf>,
        env: Vec<(String, String)>,
        flags: Flags,
    ) -> Result<Self, ConfigError> {
        let named = config.or_else(|| lookup(&env, "BYOK_CONFIG").map(PathBuf::from));
        let file_required = named.is_some();
        let file = match named {
            Some(path) => path,
            None => paths::directory(&env)?.join("config.yaml"),
        };
        let overlay = Some(paths::overlay(&file));
        Ok(Self { file: Some(file), file_required, overlay, env, flags, without_keys: false })
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        paths::home(&self.env)
    }
}

/// A variable that is set and not empty.
pub(crate) fn lookup<'a>(env: &'a [(String, String)], name: &str) -> Option<&'a str> {
    env.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}
