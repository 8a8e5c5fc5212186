//! Values that only refer to a value: environment variables, in LiteLLM's way or in the shell's.

/// What begins a reference to an environment variable.
pub(super) const REFERENCE: &str = "os.environ/";

/// The name in `$NAME` or `${NAME}`, when that is the whole text.
pub(super) fn shell_variable(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let name = match rest.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?.split(":-").next()?,
        None => rest,
    };
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then_some(name)
}

/// The variable that a value refers to, in LiteLLM's way or in the shell's.
pub(super) fn variable(value: &str) -> Option<&str> {
    value.strip_prefix(REFERENCE).or_else(|| shell_variable(value))
}
