//! Reads the database of kiro-cli from its bytes, without touching the file: the program may be running.

use rusqlite::{Connection, MAIN_DB, OptionalExtension as _};
use std::io::Cursor;

/// How a database begins.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";
/// More than such a database ever is.
const LARGEST: usize = 64 * 1024 * 1024;
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged(pub(super) &'static str);

/// A copy in memory.
pub(super) struct Rows(Connection);

impl Rows {
    /// Reads the database; `wal` is the log beside it, whose pages are newer.
    pub(super) fn read(content: &[u8], wal: Option<&[u8]>) -> Result<Self, Damaged> {
        if content.len() > LARGEST || wal.is_some_and(|wal| wal.len() > LARGEST) {
            return Err(Damaged("it is too large"));
        }
        let mut pages = content.to_vec();
        if let Some(wal) = wal {
            merge(&mut pages, wal);
        }
        // In memory there is no log: the versions of reading and writing become those of a database without one.
        if let Some(versions) = pages.get_mut(18..20) {
            versions.fill(1);
        }
        let damaged = |_| Damaged("the database is damaged");
        let mut memory = Connection::open_in_memory().map_err(damaged)?;
        let length = pages.len();
        memory.deserialize_read_exact(MAIN_DB, Cursor::new(pages), length, true).map_err(damaged)?;
        let known: i64 = memory
            .query_row(
                "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'auth_kv'",
                [],
                |row| row.get(0),
            )
            .map_err(damaged)?;
        if known == 1 { Ok(Self(memory)) } else { Err(Damaged("it has no table `auth_kv`")) }
    }

    /// A value of the table of logins.
    pub(super) fn auth(&self, key: &str) -> Option<String> {
        self.value("SELECT value FROM auth_kv WHERE key = ?1", key)
    }

    /// A value of the table of settings.
    pub(super) fn state(&self, key: &str) -> Option<String> {
        self.value("SELECT CAST(value AS TEXT) FROM state WHERE key = ?1", key)
    }

    fn value(&self, query: &str, key: &str) -> Option<String> {
        self.0.query_row(query, [key], |row| row.get(0)).optional().ok().flatten()
    }
}

/// Puts the pages of committed transactions over those of the database. What does not belong to the newest run of the log is
/// left out, as SQLite does.
fn merge(pages: &mut Vec<u8>, wal: &[u8]) {
    let number =
        |at: usize| wal.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
    let (Some(magic), Some(size)) = (number(0), number(8).map(|size| size as usize)) else { return };
    if magic & !1 != 0x377f_0682 || !(512..=65_536).contains(&size) || !size.is_power_of_two() {
        return;
    }
    let big_endian = magic & 1 == 1;
    let salts = wal.get(16..24);
    let mut sums = checksum(wal.get(..24).unwrap_or_default(), (0, 0), big_endian);
    if number(24) != Some(sums.0) || number(28) != Some(sums.1) {
        return;
    }
    let mut waiting = Vec::new();
    let mut at = WAL_HEADER;
    while let Some(frame) = wal.get(at..at + FRAME_HEADER + size) {
        let field = |from: usize| number(at + from);
        sums = checksum(&frame[..8], sums, big_endian);
        sums = checksum(&frame[FRAME_HEADER..], sums, big_endian);
        let good = frame.get(8..16) == salts && field(16) == Some(sums.0) && field(20) == Some(sums.1);
        let Some(page) = field(0).filter(|page| good && *page > 0) else { return };
        waiting.push((page as usize, &frame[FRAME_HEADER..]));
        // The last frame of a transaction says how many pages the database has then.
        if let Some(length) = field(4).filter(|length| *length > 0) {
            let length = (length as usize).saturating_mul(size);
            if length > LARGEST {
                return;
            }
            pages.resize(length, 0);
            for (page, bytes) in waiting.drain(..) {
                if let Some(place) = pages.get_mut((page - 1) * size..page * size) {
                    place.copy_from_slice(bytes);
                }
            }
        }
        at += FRAME_HEADER + size;
    }
}

fn checksum(bytes: &[u8], (mut one, mut two): (u32, u32), big_endian: bool) -> (u32, u32) {
    let word = |four: &[u8]| {
        let four = four.try_into().unwrap_or_default();
        if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for eight in bytes.chunks_exact(8) {
        one = one.wrapping_add(word(&eight[..4])).wrapping_add(two);
        two = two.wrapping_add(word(&eight[4..])).wrapping_add(one);
    }
    (one, two)
}
