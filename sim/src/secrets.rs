//! What must never be printed: the values of keys, passwords and tokens that somebody wrote into a file in clear text.

/// Whether the value of this key is a secret: `api_key`, `aws_secret_access_key`, `password`, `master_key`.
///
/// Prices and counts per token are not, although their names end alike.
pub fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    const ENDINGS: [&str; 12] = [
        "_key",
        "apikey",
        "api_key",
        "password",
        "passwd",
        "secret",
        "token",
        "credentials",
        "credential",
        "authorization",
        "connection_string",
        "database_url",
    ];
    const NAMES: [&str; 4] = ["key", "x-api-key", "api-key", "redis_url"];
    // `key` alone is how OpenAI-style clients name it; `input_cost_per_token` and friends are prices.
    (NAMES.contains(&key.as_str()) || ENDINGS.iter().any(|ending| key.ends_with(ending))) && !key.contains("cost")
}

/// Whether a secret's value is only a reference to one: `os.environ/NAME`, an anchor, an alias, or nothing yet.
pub fn is_reference(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || value.starts_with("os.environ/")
        || matches!(value, "null" | "~" | "|" | ">" | "|-" | ">-")
        || value.starts_with(['*', '&', '{', '['])
}

/// One line of a file, with asterisks where it holds a secret in clear text. Its length in bytes stays the same, so
/// that spans into it keep their meaning.
pub fn mask_line(line: &str) -> String {
    let mut hidden = Vec::new();
    for (colon, _) in line.match_indices(':') {
        if is_secret_key(key_before(&line[..colon])) {
            let (start, end) = value_after(line, colon + 1);
            if !is_reference(line[start..end].trim_matches(['"', '\''])) {
                hidden.push((start, end));
            }
        }
        // `https://user:password@host`: what stands before the `@` is nobody's business.
        if let Some(rest) = line[colon..].strip_prefix("://") {
            let host = rest.split(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'')).next().unwrap_or("");
            if let Some(at) = host.rfind('@') {
                hidden.push((colon + 3, colon + 3 + at));
            }
        }
    }
    // Keys that give themselves away wherever they stand.
    for prefix in ["sk-", "AKIA", "AIza", "ghp_", "hf_", "gsk_", "xai-"] {
        for (start, _) in line.match_indices(prefix) {
            let starts_a_word = !line[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            let end = word_end(line, start);
            if starts_a_word && end - start >= 12 {
                hidden.push((start, end));
            }
        }
    }
    if hidden.is_empty() {
        return line.to_owned();
    }
    let mut masked = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        if hidden.iter().any(|&(start, end)| (start..end).contains(&at)) {
            masked.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            masked.push(c);
        }
    }
    masked
}

fn key_before(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'']);
    let start = text
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

/// The value behind a colon: to the closing quote, or as far as a plain YAML scalar goes.
fn value_after(line: &str, from: usize) -> (usize, usize) {
    let start = from + line[from..].len() - line[from..].trim_start().len();
    let rest = &line[start..];
    let len = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |at| at + 2),
        _ => [" #", ", ", "}"].iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len()),
    };
    (start, start + len)
}

fn word_end(line: &str, from: usize) -> usize {
    line[from..]
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
        .map_or(line.len(), |len| from + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_secrets_are_hidden_and_references_are_not() {
        for (line, shown) in [
            ("api_key: abcdef", "api_key: ******"),
            ("      api_key: \"abc\" # mine", "      api_key: ***** # mine"),
            ("  {\"api_key\": \"abc\", \"model\": \"gpt-4\"}", "  {\"api_key\": *****, \"model\": \"gpt-4\"}"),
            ("{api_key: abc, model: gpt-4}", "{api_key: ***, model: gpt-4}"),
            ("api_key: os.environ/AZURE_API_KEY", "api_key: os.environ/AZURE_API_KEY"),
            ("api_key: \"os.environ/AZURE_API_KEY\"", "api_key: \"os.environ/AZURE_API_KEY\""),
            ("master_key: sk-1234", "master_key: *******"),
            ("- sk-proj-0123456789", "- ******************"),
            ("redis_url: redis://:hunter2@host:6379", "redis_url: **************************"),
            ("api_base: https://me:pass@host/v1", "api_base: https://*******@host/v1"),
            ("input_cost_per_token: 0.5", "input_cost_per_token: 0.5"),
            ("max_tokens: 100", "max_tokens: 100"),
            ("model: task-sk-model", "model: task-sk-model"),
            ("api_key: пароль", "api_key: ************"),
        ] {
            assert_eq!(mask_line(line), shown);
            assert_eq!(mask_line(line).len(), line.len());
        }
    }
}
