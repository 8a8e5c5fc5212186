//! Text from configs and scenarios as part of a page: nothing that anyone wrote there becomes markup or a program.

use base64ct::{Base64, Encoding as _};
use serde::Serialize;

/// Text as the content of an element or the value of an attribute.
///
/// Control characters and the marks that turn the direction of text around would let one name distort what stands beside
/// it: they are shown by their number.
pub(super) fn text(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            '\n' | '\t' => text.push(letter),
            letter if is_unseen(letter) => text.push_str(&format!("\u{27e8}U+{:04X}\u{27e9}", letter as u32)),
            letter => text.push(letter),
        }
    }
    text
}

/// A sentence of ours as the content of an element: what stands between backticks is set in the letters of a terminal.
pub(super) fn prose(raw: &str) -> String {
    let text = text(raw);
    let parts: Vec<&str> = text.split('`').collect();
    // A lone backtick is a backtick.
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let mut prose = String::with_capacity(text.len());
    for (index, part) in parts.into_iter().enumerate() {
        if index % 2 == 0 {
            prose.push_str(part);
        } else {
            prose.push_str(&format!("<code>{part}</code>"));
        }
    }
    prose
}

/// Whether a character shows nothing and changes how others are shown.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A value as JSON within a `<script>` element: no `</script>` can end it, and no line separator breaks it.
pub(super) fn json(value: &impl Serialize) -> String {
    // What pages embed is their own: field names, texts and numbers.
    let raw = serde_json::to_string(value).expect("what a page embeds is JSON");
    let mut text = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            // Only within strings of JSON can these stand.
            '<' | '>' | '&' => text.push_str(&format!("\\u{:04x}", letter as u32)),
            letter if is_unseen(letter) => text.push_str(&format!("\\u{:04x}", letter as u32)),
            letter => text.push(letter),
        }
    }
    text
}

/// Text as a part of a link within the page.
pub(super) fn fragment(raw: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    raw.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Bytes in base64, as Content-Security-Policy writes hashes.
pub(super) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(text("</script><b a=\"'&"), "&lt;/script&gt;&lt;b a=&quot;&#39;&amp;");
        assert_eq!(text("gpt\u{202e}live"), "gpt\u{27e8}U+202E\u{27e9}live");
    }

    #[test]
    fn words_between_backticks_are_code_and_a_lone_backtick_is_none() {
        assert_eq!(prose("set `a<b` to 1"), "set <code>a&lt;b</code> to 1");
        assert_eq!(prose("a ` b"), "a ` b");
    }

    #[test]
    fn links_hold_any_name() {
        assert_eq!(fragment("group:a b/5xx#\"é"), "group%3Aa%20b%2F5xx%23%22%C3%A9");
    }

    #[test]
    fn json_cannot_end_its_script_and_says_the_same() {
        let raw = "</script><!-- \u{2028} \u{202e}";
        let safe = json(&raw);
        assert!(!safe.contains('<') && !safe.contains('\u{2028}'), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), raw);
    }

    #[test]
    fn base64_is_the_standard_one() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
