//! Tables without lines: columns apart, readable in any terminal and in any font of fixed width.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableStyle};

/// How a column is aligned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A table in the making. Its width depends on its content only, never on the terminal: the same input gives the same
/// bytes.
#[derive(Debug)]
pub(crate) struct Grid {
    table: Table,
    aligns: Vec<Align>,
}

/// How far tables are moved in.
pub(crate) const INDENT: &str = "  ";

impl Grid {
    /// A table with these columns.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let mut table = Table::new();
        table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
        let aligns: Vec<Align> = columns.iter().map(|(_, align)| *align).collect();
        if columns.iter().any(|(title, _)| !title.is_empty()) {
            table.set_header(columns.iter().map(|(title, align)| cell(title, *align)));
        }
        Self { table, aligns }
    }

    /// Adds a row.
    pub(crate) fn row<I: IntoIterator<Item = S>, S: AsRef<str>>(&mut self, cells: I) -> &mut Self {
        let aligns = &self.aligns;
        self.table.add_row(
            cells
                .into_iter()
                .enumerate()
                .map(|(index, text)| cell(text.as_ref(), aligns.get(index).copied().unwrap_or(Align::Left))),
        );
        self
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The lines, moved in, without trailing blanks, each with its newline.
    pub(crate) fn print(&self) -> String {
        let mut text = String::new();
        for line in self.table.lines() {
            text.push_str(INDENT);
            // comfy-table pads every cell with one blank on either side.
            let line = line.strip_prefix(' ').unwrap_or(&line);
            text.push_str(line);
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }
}

fn cell(text: &str, align: Align) -> Cell {
    let alignment = match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    };
    Cell::new(text).set_alignment(alignment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_to_the_left_and_figures_to_the_right() {
        let mut grid = Grid::new(&[("what", Align::Left), ("count", Align::Right)]);
        grid.row(["answered", "12,041"]).row(["x", "1"]);
        assert_eq!(grid.print(), "  what       count\n  answered  12,041\n  x              1\n");
    }
}
