//! Prose in a terminal.

use crate::table::INDENT;

/// Prose is not wider than this, whatever the terminal: the same input gives the same bytes.
const WIDTH: usize = 100;

/// Adds a text, moved in, with `lead` before its first line and as many blanks before the others.
pub(crate) fn item(text: &mut String, lead: &str, prose: &str) {
    let room = WIDTH.saturating_sub(INDENT.len() + lead.chars().count()).max(20);
    let mut lines: Vec<String> = Vec::new();
    for word in prose.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    for (index, line) in lines.iter().enumerate() {
        text.push_str(INDENT);
        if index == 0 {
            text.push_str(lead);
        } else {
            text.extend(std::iter::repeat_n(' ', lead.chars().count()));
        }
        text.push_str(line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_prose_continues_below_its_beginning() {
        let mut text = String::new();
        item(&mut text, "P1  ", &"word ".repeat(25));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  P1  word") && lines[0].len() <= WIDTH);
        assert!(lines[1].starts_with("      word"));
    }
}
