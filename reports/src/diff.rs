//! The difference of two texts, as `patch` and `git apply` read it.

use std::fmt::Write as _;

/// So many unchanged lines stand around a change.
const CONTEXT: usize = 3;

/// A unified diff; empty when the texts are equal.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let edits = edits(&a, &b);
    let changed: Vec<usize> = (0..edits.len()).filter(|&at| !matches!(edits[at], Edit::Keep(..))).collect();
    let mut text = String::new();
    let mut next = 0;
    while next < changed.len() {
        let mut last = next;
        while last + 1 < changed.len() && changed[last + 1] - changed[last] <= 2 * CONTEXT {
            last += 1;
        }
        let hunk = &edits[changed[next].saturating_sub(CONTEXT)..(changed[last] + CONTEXT + 1).min(edits.len())];
        if text.is_empty() {
            let _ = write!(text, "--- {name}\n+++ {name}\n");
        }
        let count = |wanted: fn(&Edit) -> bool| hunk.iter().filter(|edit| wanted(edit)).count();
        let (olds, news) =
            (count(|edit| !matches!(edit, Edit::Add(..))), count(|edit| !matches!(edit, Edit::Drop(..))));
        let (from, to) = hunk[0].places();
        // An empty side is counted from the line before it.
        let start = |at: usize, count: usize| at + usize::from(count > 0);
        let _ = writeln!(text, "@@ -{},{olds} +{},{news} @@", start(from, olds), start(to, news));
        for edit in hunk {
            let (mark, line) = match *edit {
                Edit::Keep(at, _) => (' ', a[at]),
                Edit::Drop(at, _) => ('-', a[at]),
                Edit::Add(_, at) => ('+', b[at]),
            };
            let _ = write!(text, "{mark}{line}");
            if !line.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
        next = last + 1;
    }
    text
}

/// What happens to a line: where it is in the old text, and where in the new one.
#[derive(Clone, Copy)]
enum Edit {
    Keep(usize, usize),
    Drop(usize, usize),
    Add(usize, usize),
}

impl Edit {
    const fn places(self) -> (usize, usize) {
        match self {
            Self::Keep(old, new) | Self::Drop(old, new) | Self::Add(old, new) => (old, new),
        }
    }
}

/// The edits by a longest common subsequence of what lies between equal beginnings and ends.
fn edits(a: &[&str], b: &[&str]) -> Vec<Edit> {
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (inner_a, inner_b) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let width = inner_b.len() + 1;
    let mut longest = vec![0_u32; (inner_a.len() + 1) * width];
    for i in (0..inner_a.len()).rev() {
        for j in (0..inner_b.len()).rev() {
            longest[i * width + j] = if inner_a[i] == inner_b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let mut edits: Vec<Edit> = (0..head).map(|at| Edit::Keep(at, at)).collect();
    let (mut i, mut j) = (0, 0);
    while i < inner_a.len() || j < inner_b.len() {
        let (old, new) = (head + i, head + j);
        if i < inner_a.len() && j < inner_b.len() && inner_a[i] == inner_b[j] {
            edits.push(Edit::Keep(old, new));
            (i, j) = (i + 1, j + 1);
        } else if j == inner_b.len() || i < inner_a.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]
        {
            edits.push(Edit::Drop(old, new));
            i += 1;
        } else {
            edits.push(Edit::Add(old, new));
            j += 1;
        }
    }
    edits.extend((0..tail).map(|at| Edit::Keep(a.len() - tail + at, b.len() - tail + at)));
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_stand_in_hunks_with_lines_around_them() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n";
        let new = "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nnew\nk\n";
        assert_eq!(
            unified("x", old, new),
            "--- x\n+++ x\n@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -8,4 +8,5 @@\n h\n i\n j\n+new\n k\n"
        );
        assert_eq!(unified("x", old, old), "");
        assert_eq!(unified("x", "a", "b\n"), "--- x\n+++ x\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n");
    }
}
