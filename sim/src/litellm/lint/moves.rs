//! A key that stands in the wrong map, moved into the right one: as whole lines, with the comments that belong to it.

use std::ops::Range;

use crate::litellm::finding::Edit;
use crate::litellm::node::{Mapping, Node};
use crate::source::Source;

/// The edits that move the key at one path to another; paths are as in findings: `litellm_settings.request_timeout`,
/// `model_list[2].litellm_params.rpm`.
///
/// `None` where that is not mechanical: within brackets, beside a dash, with anchors, or onto a key that is there.
pub(super) fn edits(root: &Node, source: &Source, from: &str, to: &str) -> Option<Vec<Edit>> {
    let text = source.text();
    let (from_map, name) = parent(root, from)?;
    let (key, value) = from_map.entry(name)?;
    let (to_words, to_name) = to.rsplit_once('.').unwrap_or(("", to));
    let cut = lines_of(text, &key.span, value)?;
    let moved = &text[cut.clone()];
    if moved.contains(['&', '*', '\t']) {
        return None;
    }
    let indent = key.span.start - line_start(text, key.span.start);
    let target = node(root, to_words);
    let (at, to_indent, heading) = match target.map(|node| (node, node.as_mapping())) {
        Some((node, Some(map))) if !map.is_empty() => {
            if map.entry(to_name).is_some() {
                return None;
            }
            let (first, _) = map.iter().next()?;
            let start = line_start(text, first.span.start);
            let to_indent = blank(text.get(start..first.span.start)?)?;
            (next_line(text, last_byte(text, node)), to_indent, String::new())
        }
        Some((node, None)) if node.is_null() => {
            let (key, _) = root.as_mapping()?.entry(to_words)?;
            (next_line(text, key.span.end), 2, String::new())
        }
        None if !to_words.contains(['.', '[']) => {
            let (first, _) = root.as_mapping()?.iter().next()?;
            blank(text.get(line_start(text, first.span.start)..first.span.start)?).filter(|indent| *indent == 0)?;
            (text.len(), 2, format!("\n{to_words}:\n"))
        }
        _ => return None,
    };
    if cut.start < at && at < cut.end {
        return None;
    }
    let mut inserted = String::new();
    if at > 0 && !text[..at].ends_with('\n') {
        inserted.push('\n');
    }
    inserted += &heading;
    for line in moved.split_inclusive('\n') {
        let bare = line.strip_prefix(&" ".repeat(indent)).unwrap_or_else(|| line.trim_start_matches(' '));
        if !bare.trim().is_empty() {
            inserted += &" ".repeat(to_indent);
        }
        inserted += bare;
    }
    if !inserted.ends_with('\n') {
        inserted.push('\n');
    }
    Some(vec![Edit { span: cut, text: String::new() }, Edit { span: at..at, text: inserted }])
}

/// Whether something stands at a path.
pub(super) fn stands(root: &Node, path: &str) -> bool {
    parent(root, path).is_some_and(|(map, name)| map.entry(name).is_some())
}

/// The map that a path's last key stands in, and that key.
fn parent<'n, 'p>(root: &'n Node, path: &'p str) -> Option<(&'n Mapping, &'p str)> {
    let (words, name) = path.rsplit_once('.').unwrap_or(("", path));
    Some((node(root, words)?.as_mapping()?, name))
}

/// The value at a path; the empty path is the top.
fn node<'n>(root: &'n Node, path: &str) -> Option<&'n Node> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(root, |node, step| match step.split_once('[') {
        None => node.get(step),
        Some((list, index)) => node.get(list)?.as_sequence()?.get(index.strip_suffix(']')?.parse::<usize>().ok()?),
    })
}

/// The whole lines of a key and its value, and of the comments right above that are indented alike.
fn lines_of(text: &str, key: &Range<usize>, value: &Node) -> Option<Range<usize>> {
    let mut start = line_start(text, key.start);
    let indent = blank(text.get(start..key.start)?)?;
    let last = if value.is_null() { key.end } else { last_byte(text, value).max(key.end) };
    let end = next_line(text, last);
    let behind = text.get(last..end)?.trim_start_matches(':').trim();
    if !behind.is_empty() && !behind.starts_with('#') && !value.is_null() {
        return None;
    }
    while start > 0 {
        let above = line_start(text, start - 1);
        let line = &text[above..start];
        let comment = line.trim_start();
        if !comment.starts_with('#') || line.len() - comment.len() != indent {
            break;
        }
        start = above;
    }
    Some(start..end)
}

/// Where a value ends, without the line breaks behind a block of text.
fn last_byte(text: &str, node: &Node) -> usize {
    text[..node.span.end].trim_end().len().max(node.span.start)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found + 1)
}

/// How many blanks it is, if it is nothing but blanks.
fn blank(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte == b' ').then_some(text.len())
}
