//! What holds for the process as a whole, before anything else happens.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, getrlimit, setrlimit, umask},
};
use std::panic;

/// File descriptors that are asked for: two for each of 4,096 connections, and room for files.
const DESCRIPTORS: u64 = 16_384;

/// New files belong to this user alone, a crash leaves no memory on the disk, a panic does not quote what it was about.
pub(crate) fn prepare() {
    umask(Mode::RWXG | Mode::RWXO);
    // Both are improvements that a container may forbid; byok works without them.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = raise_descriptors();
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        crate::terminal::say(format_args!(
            "byok: internal error at {place}; please report it together with what was being done"
        ));
    }));
}

/// Raises the soft limit of file descriptors, as far as the hard one allows.
fn raise_descriptors() -> rustix::io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    if limit.current.is_some_and(|now| now < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })?;
    }
    Ok(())
}
