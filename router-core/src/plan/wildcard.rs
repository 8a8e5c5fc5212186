//! Model names with a `*` in them (LiteLLM: `PatternMatchRouter`).

/// Whether `name` is served by the pattern: the pieces between the stars come one after the other, the first one at
/// the beginning. Nothing ties the last piece to the end.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}

/// How specific a pattern is: the most specific of those that match wins. LiteLLM compares the length of the regular
/// expression it makes of the pattern, then how many special characters that has.
pub(super) fn specificity(pattern: &str) -> (usize, usize) {
    let (mut length, mut special) = (0, 0);
    for c in pattern.chars() {
        match c {
            '*' => {
                length += 4;
                special += 3;
            }
            '.' | '+' | '?' | '\\' | '^' | '$' | '|' | '(' | ')' => {
                length += 2;
                special += if c == '.' { 1 } else { 2 };
            }
            '-' | '#' | '&' | '~' | '[' | ']' | '{' | '}' | ' ' => {
                length += 2;
                special += 1;
            }
            _ => length += 1,
        }
    }
    (length, special)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_tied_to_the_beginning_only() {
        assert!(matches("openai/*", "openai/gpt-4"));
        assert!(matches("*", "anything"));
        assert!(matches("gpt-*-mini", "gpt-4-mini-2024"));
        assert!(!matches("gpt-*-mini", "my-gpt-4-mini"));
        assert!(!matches("openai/*", "azure/gpt-4"));
    }

    #[test]
    fn the_longer_pattern_is_the_more_specific_one() {
        assert!(specificity("openai/gpt-*") > specificity("openai/*"));
        assert!(specificity("openai/*") > specificity("*"));
    }
}
