//! The file that holds the sealing key: 64 hexadecimal digits and a line feed.

use super::files;
use crate::{
    StoreError,
    seal::{self, Key, hex},
};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Reads the key; `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Key>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("open the key file", path)(error)),
    };
    check_access(path, &file)?;
    let mut text = Zeroizing::new(Vec::with_capacity(128));
    file.take(128).read_to_end(&mut text).map_err(StoreError::io("read the key file", path))?;
    let key = parse(text.trim_ascii()).ok_or_else(|| StoreError::KeyMalformed { path: path.to_owned() })?;
    Ok(Some(key))
}

/// Makes a new key. If another process has made one in the meantime, that one counts.
pub(super) fn create(path: &Path) -> Result<Key, StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    files::private_directory(directory)?;
    let fresh = fresh_name(path)?;
    write(&fresh)?;
    // A link, unlike a rename, never replaces a key that is there; some file systems have no links.
    match fs::hard_link(&fresh, path) {
        Ok(()) => fs::remove_file(&fresh),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::remove_file(&fresh),
        Err(_) => fs::rename(&fresh, path),
    }
    .map_err(StoreError::io("create the key file", path))?;
    files::sync_directory(directory)?;
    read(path)?.ok_or_else(|| StoreError::KeyMissing { path: path.to_owned() })
}

/// A name that no other process uses.
fn fresh_name(path: &Path) -> Result<PathBuf, StoreError> {
    let tag = u64::from_le_bytes(seal::random()?);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{tag:016x}.new"));
    Ok(name.into())
}

fn write(path: &Path) -> Result<(), StoreError> {
    let key: Key = Zeroizing::new(seal::random()?);
    let text = Zeroizing::new(hex(&*key));
    let mut file = files::new_private_file(path)?;
    let written: io::Result<()> =
        file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    written.map_err(StoreError::io("write the key file", path))
}

fn parse(text: &[u8]) -> Option<Key> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if text.len() != 64 {
        return None;
    }
    let mut key: Key = Zeroizing::new([0; 32]);
    for (byte, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(key)
}

/// A key file may be root's and readable by its group: that is how service managers hand out credentials.
#[cfg(unix)]
fn check_access(path: &Path, file: &File) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().map_err(StoreError::io("look at", path))?;
    if metadata.uid() != 0 && metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::NotOwner { path: path.to_owned() });
    }
    if metadata.mode() & 0o037 != 0 {
        return Err(StoreError::Exposed { path: path.to_owned(), mode: "600" });
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature of the systems that have modes")]
fn check_access(_: &Path, _: &File) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
mod tests;
