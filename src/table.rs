//! Text in columns.

/// Rows under a heading, each column as wide as its widest cell.
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with these headings.
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self(vec![headings.map(str::to_owned).to_vec()])
    }

    /// Adds a row. What is not there is shown as `-`.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let on_one_line = |cell: String| cell.replace(char::is_control, " ");
        let shown = |cell: String| if cell.is_empty() { "-".to_owned() } else { on_one_line(cell) };
        self.0.push(cells.map(shown).to_vec());
    }

    /// The table without its last column.
    pub(crate) fn without_last(mut self) -> Self {
        self.0.iter_mut().for_each(|row| drop(row.pop()));
        self
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.0.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        for (at, row) in self.0.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            write!(f, "{}{}", if at == 0 { "" } else { "\n" }, line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["A", "LONG", "C"]);
        table.row(["läng".to_owned(), String::new(), "x".to_owned()]);
        table.row(["b".to_owned(), "wider".to_owned(), String::new()]);
        assert_eq!(table.to_string(), "A     LONG   C\nläng  -      x\nb     wider  -");
        assert_eq!(table.without_last().to_string(), "A     LONG\nläng  -\nb     wider");
    }
}
