//! What is shown: aligned, coloured on a terminal and plain elsewhere.

use std::io::{self, IsTerminal as _, Write};

/// Where a command writes.
pub struct Screen {
    out: Box<dyn Write + Send>,
    colours: bool,
}

/// How a piece of text stands out on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A heading.
    Strong,
    /// Something beside the point.
    Faint,
    /// As it should be.
    Good,
    /// Worth a look.
    Odd,
    /// Not as it should be.
    Bad,
    /// A placeholder or another thing to look for.
    Marked,
}

impl Screen {
    /// The standard output, with colours if it is a terminal and nobody objects.
    pub fn stdout() -> Screen {
        let colours =
            io::stdout().is_terminal() && ringfence::config::Surroundings::Process.wants_colours();
        Screen { out: Box::new(io::stdout()), colours }
    }

    /// A screen without colours.
    #[cfg(test)]
    pub fn plain(out: impl Write + Send + 'static) -> Screen {
        Screen { out: Box::new(out), colours: false }
    }

    /// Writes `text` as it is.
    ///
    /// # Errors
    /// The output's, when nobody reads it any more.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Writes one line.
    ///
    /// # Errors
    /// As [`Screen::write`].
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.write(&format!("{}\n", text.trim_end()))
    }

    /// Writes a heading with an empty line before it.
    ///
    /// # Errors
    /// As [`Screen::write`].
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.style(Style::Strong, text);
        self.write(&format!("\n{text}\n"))
    }

    /// Writes rows whose cells stand below each other, indented.
    ///
    /// # Errors
    /// As [`Screen::write`].
    pub fn rows(&mut self, rows: &[Row]) -> io::Result<()> {
        for line in aligned(rows) {
            let cells: Vec<String> =
                line.iter().map(|(style, text)| self.maybe(*style, text)).collect();
            self.line(&format!("  {}", cells.join("  ")))?;
        }
        Ok(())
    }

    /// `text` in `style`.
    pub fn style(&self, style: Style, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        let code = match style {
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Good => "32",
            Style::Odd => "33",
            Style::Bad => "31",
            Style::Marked => "1;36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn maybe(&self, style: Option<Style>, text: &str) -> String {
        style.map_or_else(|| text.to_owned(), |style| self.style(style, text))
    }
}

/// The cells of one row.
pub type Row = Vec<Cell>;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    /// A cell that stands out.
    pub fn styled(style: Style, text: impl Into<String>) -> Cell {
        Cell { text: text.into(), style: Some(style) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: text.into(), style: None }
    }
}

/// Text with control characters made visible: what a file says does not steer the terminal.
pub fn visible(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn aligned(rows: &[Row]) -> Vec<Vec<(Option<Style>, String)>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            row.iter()
                .enumerate()
                .map(|(column, cell)| {
                    let last = column + 1 == row.len();
                    let width = if last { 0 } else { widths[column] };
                    (cell.style, format!("{:width$}", visible(&cell.text)))
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other() {
        let rows: Vec<Row> = vec![vec!["a".into(), "x".into()], vec!["longer".into(), "y".into()]];
        let lines: Vec<String> = aligned(&rows)
            .into_iter()
            .map(|row| row.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("|"))
            .collect();
        assert_eq!(lines, ["a     |x", "longer|y"]);
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(visible("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
    }

    #[test]
    fn a_closed_pipe_is_an_error_and_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = Screen::plain(Closed).line("x").expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
