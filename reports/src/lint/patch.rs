//! What mending changes, as a patch that `git apply` and `patch -p1` take.

use std::fmt::Write as _;

/// Lines around a change that are shown as they are.
const CONTEXT: usize = 3;

/// How many lines may differ before a patch replaces the whole text instead of looking for the shortest way.
const DIFFERENT_MAX: usize = 2000;

/// A unified diff of two texts; empty when they are equal.
pub fn patch(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let steps = steps(&old, &new);
    let mut out = format!("--- a/{name}\n+++ b/{name}\n");
    let changed: Vec<usize> = (0..steps.len()).filter(|&at| !matches!(steps[at], Step::Keep(..))).collect();
    let mut next = 0;
    while let Some(&first) = changed.get(next) {
        // Changes whose surroundings touch are one hunk.
        while changed.get(next + 1).is_some_and(|&later| later - changed[next] <= 2 * CONTEXT) {
            next += 1;
        }
        let hunk = first.saturating_sub(CONTEXT)..(changed[next] + CONTEXT + 1).min(steps.len());
        hunk_of(&steps, hunk, &old, &new, &mut out);
        next += 1;
    }
    out
}

/// One line of either text, or of both.
#[derive(Clone, Copy)]
enum Step {
    Keep(usize, usize),
    Take(usize),
    Put(usize),
}

fn hunk_of(steps: &[Step], hunk: std::ops::Range<usize>, old: &[&str], new: &[&str], out: &mut String) {
    let before = |wanted: fn(&Step) -> bool, to: usize| steps[..to].iter().filter(|step| wanted(step)).count();
    let in_old: fn(&Step) -> bool = |step| !matches!(step, Step::Put(_));
    let in_new: fn(&Step) -> bool = |step| !matches!(step, Step::Take(_));
    let range = |wanted: fn(&Step) -> bool| {
        let start = before(wanted, hunk.start);
        let count = before(wanted, hunk.end) - start;
        // Of nothing, the line before it is named.
        format!("{},{count}", if count == 0 { start } else { start + 1 })
    };
    let _ = writeln!(out, "@@ -{} +{} @@", range(in_old), range(in_new));
    for step in &steps[hunk] {
        let (mark, line) = match *step {
            Step::Keep(at, _) => (' ', old[at]),
            Step::Take(at) => ('-', old[at]),
            Step::Put(at) => ('+', new[at]),
        };
        out.push(mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// The shortest way from one text to the other (Myers 1986), equal beginnings and ends left out.
fn steps(old: &[&str], new: &[&str]) -> Vec<Step> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let mut steps: Vec<Step> = (0..head).map(|at| Step::Keep(at, at)).collect();
    match shortest(&old[head..old_end], &new[head..new_end]) {
        Some(middle) => steps.extend(middle.into_iter().map(|step| match step {
            Step::Keep(a, b) => Step::Keep(a + head, b + head),
            Step::Take(at) => Step::Take(at + head),
            Step::Put(at) => Step::Put(at + head),
        })),
        None => {
            steps.extend((head..old_end).map(Step::Take));
            steps.extend((head..new_end).map(Step::Put));
        }
    }
    steps.extend((0..tail).map(|at| Step::Keep(old_end + at, new_end + at)));
    steps
}

fn shortest(old: &[&str], new: &[&str]) -> Option<Vec<Step>> {
    let most = (old.len() + new.len()).min(DIFFERENT_MAX);
    // How far the best way with each surplus of taken lines gets, shifted so that indices start at 0.
    let mut reach = vec![0_usize; 2 * most + 3];
    let mut rounds = Vec::new();
    let slot = |surplus: isize| surplus.checked_add_unsigned(most + 1).and_then(|at| usize::try_from(at).ok());
    for round in 0..=most {
        rounds.push(reach.clone());
        let limit = round.cast_signed();
        for surplus in (-limit..=limit).step_by(2) {
            let (here, below, above) = (slot(surplus)?, slot(surplus - 1)?, slot(surplus + 1)?);
            let puts = surplus == -limit || surplus != limit && reach[below] < reach[above];
            let mut x = if puts { reach[above] } else { reach[below] + 1 };
            let mut y = x.checked_add_signed(-surplus)?;
            while x < old.len() && y < new.len() && old[x] == new[y] {
                (x, y) = (x + 1, y + 1);
            }
            reach[here] = x;
            if x >= old.len() && y >= new.len() {
                return Some(way_back(&rounds, old.len(), new.len(), slot));
            }
        }
    }
    None
}

fn way_back(rounds: &[Vec<usize>], mut x: usize, mut y: usize, slot: impl Fn(isize) -> Option<usize>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (round, reach) in rounds.iter().enumerate().rev() {
        let limit = round.cast_signed();
        let surplus = x.cast_signed() - y.cast_signed();
        let at = |surplus: isize| slot(surplus).and_then(|at| reach.get(at).copied()).unwrap_or_default();
        let puts = surplus == -limit || surplus != limit && at(surplus - 1) < at(surplus + 1);
        let from = if puts { surplus + 1 } else { surplus - 1 };
        let (from_x, from_y) = if round == 0 { (0, 0) } else { (at(from), at(from).saturating_add_signed(-from)) };
        while x > from_x && y > from_y {
            (x, y) = (x - 1, y - 1);
            steps.push(Step::Keep(x, y));
        }
        if round > 0 {
            if puts {
                y -= 1;
                steps.push(Step::Put(y));
            } else {
                x -= 1;
                steps.push(Step::Take(x));
            }
        }
    }
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_shows_changes_with_three_lines_around_them() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";
        let new = "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm";
        assert_eq!(
            patch("x.yaml", old, new),
            "--- a/x.yaml\n+++ b/x.yaml\n@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -10,3 +10,4 @@\n j\n k\n l\n+m\n\
            \\ No newline at end of file\n"
        );
        assert_eq!(patch("x", old, old), "");
        assert_eq!(patch("x", "", "a\n"), "--- a/x\n+++ b/x\n@@ -0,0 +1,1 @@\n+a\n");
    }

    #[test]
    fn a_line_that_moves_is_taken_away_and_put_elsewhere() {
        let patched = patch("x", "a\nmoved\nb\nc\n", "a\nb\nc\nmoved\n");
        assert_eq!(patched, "--- a/x\n+++ b/x\n@@ -1,4 +1,4 @@\n a\n-moved\n b\n c\n+moved\n");
    }
}
