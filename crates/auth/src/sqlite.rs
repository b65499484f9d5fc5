//! Reads the database of another program from its bytes, without touching the file: the program may be running.

use rusqlite::{Connection, MAIN_DB, OptionalExtension as _, Row};
use std::io::Cursor;

/// How a database begins.
pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";
/// More than such a database ever is.
const LARGEST: usize = 64 * 1024 * 1024;
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Damaged(pub(crate) &'static str);

/// A copy in memory.
pub(crate) struct Rows(Connection);

impl Rows {
    /// Reads the database; `wal` is the log beside it, whose pages are newer.
    pub(crate) fn read(content: &[u8], wal: Option<&[u8]>) -> Result<Self, Damaged> {
        if content.len() > LARGEST || wal.is_some_and(|wal| wal.len() > LARGEST) {
            return Err(Damaged("it is too large"));
        }
        let mut pages = content.to_vec();
        if let Some(wal) = wal {
            merge(&mut pages, wal);
        }
        if !is_whole(&pages) {
            return Err(Damaged("the database was cut off"));
        }
        // In memory there is no log: the versions of reading and writing become those of a database without one.
        if let Some(versions) = pages.get_mut(18..20) {
            versions.fill(1);
        }
        let damaged = |_| Damaged("the database is damaged");
        let mut memory = Connection::open_in_memory().map_err(damaged)?;
        let length = pages.len();
        memory.deserialize_read_exact(MAIN_DB, Cursor::new(pages), length, true).map_err(damaged)?;
        // Looking at the schema is what finds out whether it is a database at all.
        let _: i64 =
            memory.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(damaged)?;
        Ok(Self(memory))
    }

    /// The columns of a table; none if it is not there.
    pub(crate) fn columns(&self, table: &str) -> Result<Vec<String>, Damaged> {
        self.each("SELECT name FROM pragma_table_info(?1)", &[table], |row| row.get(0))
    }

    /// All rows of a question.
    pub(crate) fn each<T>(
        &self,
        query: &str,
        with: &[&str],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Damaged> {
        let damaged = |_| Damaged("the database is damaged");
        let mut asked = self.0.prepare(query).map_err(damaged)?;
        let rows = asked.query_map(rusqlite::params_from_iter(with), read).map_err(damaged)?;
        rows.collect::<Result<_, _>>().map_err(damaged)
    }

    /// The text that a question about one key leads to.
    pub(crate) fn value(&self, query: &str, key: &str) -> Option<String> {
        self.0.query_row(query, [key], |row| row.get(0)).optional().ok().flatten()
    }
}

/// Whether all pages are there that the first one speaks of. `SQLite` itself would read what is left of the last one.
fn is_whole(pages: &[u8]) -> bool {
    let Some(&[high, low]) = pages.get(16..18) else { return false };
    let size = match usize::from(u16::from_be_bytes([high, low])) {
        1 => 65_536,
        size => size,
    };
    let count = pages.get(28..32).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes);
    size >= 512 && pages.len().is_multiple_of(size) && pages.len() / size >= count as usize
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
