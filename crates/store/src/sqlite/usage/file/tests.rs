use super::*;
use crate::sqlite::usage::tests::records;

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
    lock: PathBuf,
}

fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    Place { path: at("usage.db"), lock: at("open.lock"), _directory: directory }
}

impl Place {
    fn open(&self) -> UsageFile {
        UsageFile::open(&self.path, self.lock.clone(), Arc::new(Readers::new(&self.path))).unwrap()
    }

    fn count(&self) -> i64 {
        let connection = Connection::open(&self.path).unwrap();
        connection.query_row("SELECT count(*) FROM requests", [], |row| row.get(0)).unwrap()
    }
}

#[test]
fn a_file_that_breaks_while_in_use_is_replaced_and_the_records_kept() {
    let place = place();
    let mut file = place.open();
    assert!(file.write(&records(3)));
    // The last connection empties the log into the file, so that nothing can be mended from it.
    file.connection = None;
    fs::write(&place.path, [0x5A; 4096]).unwrap();
    file.connection = Some(Connection::open(&place.path).unwrap());

    assert!(file.write(&records(2)));
    assert_eq!(place.count(), 2);
}

#[test]
fn a_full_disk_costs_records_until_there_is_room() {
    let place = place();
    let mut file = place.open();
    let limit = |file: &UsageFile, pages: i64| {
        let connection = file.connection.as_ref().unwrap();
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
    file.connection.as_ref().unwrap().pragma_update(None, "query_only", true).unwrap();
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
