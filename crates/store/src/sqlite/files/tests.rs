use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

#[test]
fn what_belongs_to_others_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let theirs = directory.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    // Root can give a directory away; anybody else finds one of root's at the top.
    let theirs = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&theirs, Some(12_345), None).unwrap();
        theirs
    } else {
        "/".into()
    };
    let refused = private_directory(&theirs);
    assert!(matches!(refused, Err(StoreError::NotOwner { .. })), "{refused:?}");
}

#[test]
fn directories_and_files_are_made_private_and_kept_as_they_are() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("a/b");
    private_directory(&directory).unwrap();
    let file = directory.join("file");
    private_file(&file).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&home.path().join("a")), mode(&directory), mode(&file)), (0o700, 0o700, 0o600));

    fs::write(&file, "content").unwrap();
    private_file(&file).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"content");
    assert!(new_private_file(&file).is_err(), "a new file is new");

    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    private_directory(&directory).unwrap();
    assert_eq!(mode(&directory), 0o755, "readable is the owner's choice");
}

#[cfg(target_os = "linux")]
#[test]
fn network_file_systems_are_known() {
    for (name, magic, is_network) in [
        ("nfs", 0x6969, true),
        ("cifs", 0xFF53_4D42, true),
        ("cifs where the field is signed", -11_317_950, true),
        ("fuse", 0x6573_5546, true),
        ("ext4", 0xEF53, false),
        ("tmpfs", 0x0102_1994, false),
        ("btrfs", 0x9123_683E, false),
        ("overlay", 0x794C_7630, false),
    ] {
        assert_eq!(is_network_magic(magic), is_network, "{name}");
    }
    assert!(!is_shared_with_other_machines(Path::new("/nowhere")));
}
