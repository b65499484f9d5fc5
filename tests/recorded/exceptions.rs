//! Recordings that do not pass, each with its reason.

use super::check::Difference;
use std::collections::BTreeSet;

const FILE: &str = include_str!("exceptions.tsv");

/// One line of the file: the recording, the check, the difference. The reason is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exception {
    pub id: String,
    check: String,
    what: String,
}

/// Reads the file; lines that begin with `#` say something about it.
pub fn read() -> Result<Vec<Exception>, String> {
    let lines = FILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = lines.map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, check, what, reason] = fields[..] else {
            return Err(format!("exceptions.tsv: four fields, with tabs between them, are due: {line}"));
        };
        if reason.trim().is_empty() {
            return Err(format!("exceptions.tsv: a reason is missing: {line}"));
        }
        Ok(Exception { id: id.to_owned(), check: check.to_owned(), what: what.to_owned() })
    });
    read.collect()
}

impl Exception {
    /// Whether it is about this difference.
    pub fn covers(&self, id: &str, difference: &Difference) -> bool {
        self.id == id && self.check == difference.check && self.what == difference.what
    }
}

/// How many recordings the exceptions are about.
pub fn recordings(exceptions: &[Exception]) -> usize {
    exceptions.iter().map(|exception| &exception.id).collect::<BTreeSet<_>>().len()
}
