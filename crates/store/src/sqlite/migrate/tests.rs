use super::*;
use crate::sqlite::{
    connection::{self, Durability},
    problem::Problem,
};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// Released steps. A checksum is added with a new step and never changed: databases out there have taken it.
const FROZEN: [(&Schema, &[&str]); 2] = [
    (
        &TOKENS,
        &[
            "4b5f15a41545114fcbb1b780cbe893e9ba30ee2ccbe6913666d61c168f622027",
            "a407c77137f204c6156581dcce1e0b1e8f3d31e0589bda3bee977b77f860756d",
            "2b3241fee14c79ae798cc941502be366a0c4f28efd2e62f04d36ea562800e1e9",
            "9fa6795196d7fcaef9d576eff6722acfe36822e8d2762a176929632e61d817c1",
        ],
    ),
    (&USAGE, &["17e6792a43836b5558074b2a878c8d607cea1f1481b8e5a084d75a813dc1a80c"]),
];

#[test]
fn released_steps_are_never_edited() {
    for (schema, sums) in FROZEN {
        let now: Vec<_> = schema
            .steps
            .iter()
            .map(|step| crate::seal::hex(&Sha256::digest(step.replace("\r\n", "\n").as_bytes())))
            .collect();
        assert_eq!(now, sums, "add a new step instead");
    }
}

const ONE: &str = "CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT; CREATE TABLE a (x); INSERT INTO a VALUES (1)";
const TWO: &str = "CREATE TABLE b (y); INSERT INTO b SELECT x + 1 FROM a; DROP TABLE a";
const TWO_BROKEN: [&str; 4] = [
    "nonsense; CREATE TABLE b (y); INSERT INTO b SELECT x + 1 FROM a; DROP TABLE a",
    "CREATE TABLE b (y); nonsense; INSERT INTO b SELECT x + 1 FROM a; DROP TABLE a",
    "CREATE TABLE b (y); INSERT INTO b SELECT x + 1 FROM a; nonsense; DROP TABLE a",
    "CREATE TABLE b (y); INSERT INTO b SELECT x + 1 FROM a; DROP TABLE a; nonsense",
];

fn schema(steps: &'static [&'static str]) -> Schema {
    Schema { application_id: 7, steps, precious: true }
}

fn database() -> (tempfile::TempDir, PathBuf, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    files::private_file(&path).unwrap();
    let connection = connection::writer(&path, Durability::Power).unwrap();
    (directory, path, connection)
}

fn value(connection: &Connection, query: &str) -> i64 {
    connection.query_row(query, [], |row| row.get(0)).unwrap()
}

fn backups(directory: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".bak"))
        .collect();
    names.sort();
    names
}

#[test]
fn missing_steps_are_taken_once() {
    let (directory, path, mut connection) = database();
    for _ in 0..2 {
        schema(&[ONE]).apply(&mut connection, &path).unwrap();
        assert_eq!(value(&connection, "SELECT count(*) FROM a"), 1);
    }
    assert_eq!(backups(&directory), [""; 0], "an empty database needs no copy");
    for _ in 0..2 {
        schema(&[ONE, TWO]).apply(&mut connection, &path).unwrap();
        assert_eq!(value(&connection, "SELECT y FROM b"), 2);
        assert_eq!(user_version(&connection).unwrap(), 2);
    }
    assert_eq!(backups(&directory), ["x.db.v1.bak"]);

    let (_directory, path, mut at_once) = database();
    schema(&[ONE, TWO]).apply(&mut at_once, &path).unwrap();
    assert_eq!(value(&at_once, "SELECT y FROM b"), 2);
}

#[test]
fn the_copy_is_whole_and_private() {
    let (_directory, path, mut connection) = database();
    schema(&[ONE]).apply(&mut connection, &path).unwrap();
    connection.execute("INSERT INTO a VALUES (5)", []).unwrap();
    schema(&[ONE, TWO]).apply(&mut connection, &path).unwrap();

    let copy = beside(&path, ".v1.bak");
    let restored = Connection::open(&copy).unwrap();
    assert_eq!(value(&restored, "SELECT sum(x) FROM a"), 6);
    assert_eq!(user_version(&restored).unwrap(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_step_that_is_interrupted_leaves_everything_as_it_was() {
    for broken in TWO_BROKEN {
        let (directory, path, mut connection) = database();
        schema(&[ONE]).apply(&mut connection, &path).unwrap();
        let steps: &'static [&'static str] = Box::leak(Box::new([ONE, broken]));
        for _ in 0..2 {
            schema(steps).apply(&mut connection, &path).unwrap_err();
            assert_eq!(user_version(&connection).unwrap(), 1, "{broken}");
            assert_eq!(value(&connection, "SELECT x FROM a"), 1, "{broken}");
            assert_eq!(
                value(&connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'"),
                0,
                "{broken}"
            );
            assert_eq!(backups(&directory), ["x.db.v1.bak"], "{broken}");
        }
        schema(&[ONE, TWO]).apply(&mut connection, &path).unwrap();
        assert_eq!(value(&connection, "SELECT y FROM b"), 2, "{broken}");
    }
}

#[test]
fn a_process_that_dies_in_a_step_leaves_everything_as_it_was() {
    let (_directory, path, mut dying) = database();
    schema(&[ONE]).apply(&mut dying, &path).unwrap();
    dying.execute_batch("BEGIN IMMEDIATE").unwrap();
    dying.execute_batch(TWO).unwrap();
    // Neither committed nor rolled back, as a killed process leaves it.
    drop(dying);
    let mut next = connection::writer(&path, Durability::Power).unwrap();
    schema(&[ONE, TWO]).apply(&mut next, &path).unwrap();
    assert_eq!(value(&next, "SELECT y FROM b"), 2);
}

#[test]
fn what_is_newer_or_foreign_is_refused() {
    let (_directory, path, mut connection) = database();
    schema(&[ONE, TWO]).apply(&mut connection, &path).unwrap();
    let refused = schema(&[ONE]).apply(&mut connection, &path).unwrap_err();
    let Problem::Store(StoreError::Newer { found: 2, known: 1, written_by, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(written_by, env!("CARGO_PKG_VERSION"));

    let other = Schema { application_id: 8, ..schema(&[ONE, TWO]) };
    let refused = other.apply(&mut connection, &path).unwrap_err();
    assert!(matches!(refused, Problem::Store(StoreError::Foreign { .. })), "{refused:?}");
}

#[test]
fn tables_are_strict_and_records_are_found_by_time() {
    let (_directory, path, mut tokens) = database();
    TOKENS.apply(&mut tokens, &path).unwrap();
    let (_directory, path, mut usage) = database();
    USAGE.apply(&mut usage, &path).unwrap();
    for (connection, tables) in [(&tokens, 7), (&usage, 1)] {
        let strict = "SELECT count(*) FROM pragma_table_list WHERE strict AND name NOT LIKE 'sqlite%'";
        assert_eq!(value(connection, strict), tables);
    }
    let plan: String = usage
        .query_row("EXPLAIN QUERY PLAN SELECT * FROM requests WHERE at_ms > 5", [], |row| row.get(3))
        .unwrap();
    assert!(plan.contains("requests_by_time"), "{plan}");
}
