//! Directories and files that belong to one user alone.
//!
//! Modes are given when a file is created, never afterwards, so that there is no moment at which others could open
//! it. `SQLite` gives its `-wal` and `-shm` files the mode of the database.

use crate::StoreError;
use std::{
    fs::{self, File},
    path::Path,
};

/// With less room than this, in bytes, a disk counts as full: a page of the database and the log around it.
#[cfg(unix)]
const LEAST_ROOM: u64 = 64 << 10;

/// Creates the directory with mode 0700 if it is missing, and makes sure that it belongs to this user and that no
/// other user can write to it: whoever can, can put other files in the place of ours.
pub(super) fn private_directory(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::io("create the directory", path))?;
    let metadata = fs::metadata(path).map_err(StoreError::io("look at", path))?;
    only_ours(path, &metadata, 0o022, "go-w")
}

/// Creates the file with mode 0600 if it is missing. One that others can read is an error, not repaired: they may
/// have read it already.
pub(super) fn private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(StoreError::io("open", path))?;
    let metadata = file.metadata().map_err(StoreError::io("look at", path))?;
    only_ours(path, &metadata, 0o077, "go-rwx")?;
    Ok(file)
}

/// Creates a file with mode 0600 that must not be there yet.
pub(super) fn new_private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(StoreError::io("create", path))
}

/// Makes the names in a directory durable after a file was created in it or renamed.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    // Windows has no handle of a directory that could be flushed.
    if cfg!(unix) {
        File::open(path).and_then(|d| d.sync_all()).map_err(StoreError::io("flush the directory", path))?;
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn only_ours(
    path: &Path,
    metadata: &fs::Metadata,
    forbidden: u32,
    remedy: &'static str,
) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::NotOwner { path: path.to_owned() });
    }
    if metadata.mode() & forbidden != 0 {
        return Err(StoreError::Exposed { path: path.to_owned(), mode: remedy });
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature of the systems that have modes")]
pub(super) fn only_ours(_: &Path, _: &fs::Metadata, _: u32, _: &'static str) -> Result<(), StoreError> {
    Ok(())
}

/// Whether the directory lies on a file system that other machines or sync programs write to. `SQLite`'s
/// write-ahead log needs memory that all its users share, which those cannot give.
pub(super) fn is_shared_with_other_machines(path: &Path) -> bool {
    #[cfg(target_os = "linux")]
    return rustix::fs::statfs(path).is_ok_and(|found| is_network_magic(found.f_type.into()));
    #[cfg(not(target_os = "linux"))]
    return {
        let _ = path;
        false
    };
}

/// Whether the disk of a directory has no room for another page.
pub(super) fn has_no_room(directory: &Path) -> bool {
    #[cfg(unix)]
    return rustix::fs::statvfs(directory)
        .is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST_ROOM);
    #[cfg(not(unix))]
    return {
        let _ = directory;
        false
    };
}

/// The numbers by which Linux tells file systems apart (statfs(2)).
#[cfg(target_os = "linux")]
fn is_network_magic(magic: i128) -> bool {
    const NFS: i128 = 0x6969;
    const SMB: i128 = 0x517B;
    const CIFS: i128 = 0xFF53_4D42;
    const SMB2: i128 = 0xFE53_4D42;
    const NINE_P: i128 = 0x0102_1997;
    const FUSE: i128 = 0x6573_5546;
    // The field is 32 bits wide on some machines and signed on others.
    matches!(magic & 0xFFFF_FFFF, NFS | SMB | CIFS | SMB2 | NINE_P | FUSE)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
