//! The difference of two texts, as a patch that `git apply` and `patch -p1` take.

use std::path::{Component, Path};

use similar::TextDiff;

/// Lines around a change that are shown as they are.
const CONTEXT: usize = 3;

/// A unified diff; empty when the texts are equal. The file is called what it is called from where it was named:
/// `scenarios/../config.yaml` is `config.yaml`, and of an absolute path, which no patch may hold, only the last part
/// stays.
pub fn patch(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let name = tidy(Path::new(name));
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// A path without detours, by its text alone.
fn tidy(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str().unwrap_or_default()),
            Component::ParentDir if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            Component::ParentDir => parts.push(".."),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    let kept = if path.is_absolute() { parts.len().saturating_sub(1) } else { 0 };
    parts[kept..].join("/")
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
    }

    #[test]
    fn a_file_is_named_without_detours() {
        for (name, tidied) in [
            ("scenarios/../examples/litellm/a.yaml", "examples/litellm/a.yaml"),
            ("./a.yaml", "a.yaml"),
            ("../a/./b/../c.yaml", "../a/c.yaml"),
            ("../../c.yaml", "../../c.yaml"),
            ("/etc/litellm/config.yaml", "config.yaml"),
        ] {
            assert!(patch(name, "a\n", "b\n").starts_with(&format!("--- a/{tidied}\n+++ b/{tidied}\n")), "{name}");
        }
    }
}
