use super::*;
use crate::sqlite::usage::tests::records;

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
    opening: PathBuf,
    in_use: PathBuf,
}

fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    Place { path: at("usage.db"), opening: at("open.lock"), in_use: at("usage.lock"), _directory: directory }
}

impl Place {
    fn open(&self) -> UsageFile {
        let locks = UsageLocks { opening: self.opening.clone(), in_use: self.in_use.clone() };
        UsageFile::open(&self.path, locks, Arc::new(Readers::new(&self.path))).unwrap()
    }

    fn count(&self) -> i64 {
        let connection = Connection::open(&self.path).unwrap();
        connection.query_row("SELECT count(*) FROM requests", [], |row| row.get(0)).unwrap()
    }
}

/// Damages the file and gives `file` a connection that has not read it yet.
fn damage(place: &Place, file: &mut UsageFile) {
    // The last connection empties the log into the file, so that nothing can be mended from it.
    file.open = None;
    fs::write(&place.path, [0x5A; 4096]).unwrap();
    let connection = Connection::open(&place.path).unwrap();
    file.open = Some(OpenFile { connection, _in_use: lock::share(&place.in_use).unwrap() });
}

#[test]
fn a_file_that_breaks_while_in_use_is_replaced_and_the_records_kept() {
    let place = place();
    let mut file = place.open();
    assert!(file.write(&records(3)));
    damage(&place, &mut file);
    assert!(file.write(&records(2)));
    assert_eq!(place.count(), 2);
}

#[test]
fn a_broken_file_is_not_moved_away_from_under_another_user() {
    let place = place();
    let mut file = place.open();
    damage(&place, &mut file);
    let other = lock::share(&place.in_use).unwrap();
    assert!(!file.write(&records(1)));
    assert_eq!(fs::read(&place.path).unwrap(), [0x5A; 4096]);

    drop(other);
    file.next_try = Instant::now();
    assert!(file.write(&records(1)));
    assert_eq!(place.count(), 1);
}

#[test]
fn a_full_disk_costs_records_until_there_is_room() {
    let place = place();
    let mut file = place.open();
    let limit = |file: &UsageFile, pages: i64| {
        let connection = &file.open.as_ref().unwrap().connection;
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    limit(&file, 1);
    assert!(!file.write(&records(1000)), "SQLITE_FULL");
    assert_eq!(place.count(), 0, "a batch is written whole or not at all");
    limit(&file, 1 << 20);
    assert!(file.write(&records(1000)));
    assert_eq!(place.count(), 1000);
}

#[test]
fn a_read_only_file_costs_records() {
    let place = place();
    let mut file = place.open();
    file.open.as_ref().unwrap().connection.pragma_update(None, "query_only", true).unwrap();
    assert!(!file.write(&records(1)));
}

#[test]
fn a_file_that_cannot_be_opened_is_tried_again_later() {
    let place = place();
    fs::create_dir(&place.path).unwrap();
    let mut file = place.open();
    assert!(!file.write(&records(1)));
    fs::remove_dir(&place.path).unwrap();
    assert!(!file.write(&records(1)), "not at every batch");
    file.next_try = Instant::now();
    assert!(file.write(&records(1)));
    assert_eq!(place.count(), 1);
}
