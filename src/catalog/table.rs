//! Tables, for a terminal and for Markdown.

/// Columns as wide as their widest cell; the last one as it comes.
pub(super) fn columns<Row: AsRef<[String]>>(rows: &[Row]) -> String {
    let count = rows.first().map_or(0, |row| row.as_ref().len());
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.as_ref().get(column));
            let widths = cells.map(|cell| cell.chars().count());
            widths.max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.as_ref().iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The same for Markdown; the first row is the head.
pub(super) fn markdown<Row: AsRef<[String]>>(rows: &[Row]) -> String {
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.as_ref().iter().map(|cell| escaped(cell)).collect();
        lines.push(format!("| {} |\n", cells.join(" | ")));
        if number == 0 {
            lines.push(format!("|{}\n", "---|".repeat(cells.len())));
        }
    }
    lines.concat()
}

/// A text that stands in for code, where a `<name>` is not taken for HTML and a `*` not for emphasis.
pub(super) fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Lines, each with something before it.
pub(super) fn prefixed(prefix: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| format!("{prefix}{line}\n"))
        .collect();
    lines.concat()
}

/// A text that Markdown shows as it is, code in it excepted.
pub(super) fn plain(text: &str) -> String {
    let parts: Vec<String> = text
        .split('`')
        .enumerate()
        .map(|(number, part)| {
            if number % 2 == 0 {
                part.replace('<', "\\<").replace('*', "\\*")
            } else {
                part.to_owned()
            }
        })
        .collect();
    parts.join("`")
}

fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|").replace('\n', " ")
}

/// `yes` or `no`.
pub(super) fn yes_or_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "bb", "c"], ["aaa", "b", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows), "a    bb  c\naaa  b\n");
        assert_eq!(columns::<[String; 2]>(&[]), "");
    }

    #[test]
    fn templates_and_wildcards_are_no_markup() {
        assert_eq!(
            plain("set <a> of *.b in `<a>.*`"),
            "set \\<a> of \\*.b in `<a>.*`"
        );
    }

    #[test]
    fn a_cell_cannot_end_itself() {
        let rows = [["a", "b"], ["x|y", "1\n2"]].map(|row| row.map(str::to_owned));
        assert_eq!(markdown(&rows), "| a | b |\n|---|---|\n| x\\|y | 1 2 |\n");
    }
}
