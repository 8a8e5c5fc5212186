//! What an error's text says, as far as LiteLLM's error mapping reads texts.

/// Phrases in an error's text that LiteLLM's error mapping tests for, as a set. One scan serves every provider and
/// release: which phrases count where is a matter of the mapping.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Wording(pub u32);

impl Wording {
    /// A text without any of them.
    pub const NONE: Self = Self(0);
    /// The HTTP client's ways to say that a request timed out.
    pub const TIMED_OUT: Self = Self(1);
    /// A rate limit.
    pub const RATE_LIMIT: Self = Self(1 << 1);
    /// The number 429, standing alone.
    pub const BARE_429: Self = Self(1 << 2);
    /// A prompt beyond the context window.
    pub const CONTEXT_WINDOW: Self = Self(1 << 3);
    /// The same in words that later releases know.
    pub const CONTEXT_WINDOW_LATE: Self = Self(1 << 4);
    /// Words that tell later releases that it is not about the context window.
    pub const NOT_CONTEXT_WINDOW: Self = Self(1 << 5);
    /// `invalid_request_error`.
    pub const INVALID_REQUEST: Self = Self(1 << 6);
    /// `model_not_found`.
    pub const MODEL_NOT_FOUND: Self = Self(1 << 7);
    /// "A timeout occurred".
    pub const TIMEOUT_OCCURRED: Self = Self(1 << 8);
    /// `content_policy_violation` in the text itself.
    pub const POLICY_CODE: Self = Self(1 << 9);
    /// OpenAI's sentences about its usage policy and its safety system.
    pub const POLICY: Self = Self(1 << 10);
    /// "Incorrect API key provided".
    pub const INCORRECT_KEY: Self = Self(1 << 11);
    /// OpenAI's sentences about an error of its own.
    pub const SERVER_ERROR: Self = Self(1 << 12);
    /// "Request too large".
    pub const TOO_LARGE: Self = Self(1 << 13);
    /// Anthropic: the prompt is too long.
    pub const ANTHROPIC_TOO_LONG: Self = Self(1 << 14);
    /// Anthropic: overloaded.
    pub const ANTHROPIC_OVERLOADED: Self = Self(1 << 15);
    /// Anthropic: its content filtering policy.
    pub const ANTHROPIC_FILTERED: Self = Self(1 << 16);
    /// Azure: its content filter, by phrase or by code.
    pub const AZURE_FILTERED: Self = Self(1 << 17);
    /// The error's code is `context_length_exceeded`.
    pub const CODE_CONTEXT: Self = Self(1 << 18);
    /// Azure: "DeploymentNotFound".
    pub const DEPLOYMENT_NOT_FOUND: Self = Self(1 << 19);
    /// Azure: "Internal server error".
    pub const INTERNAL_SERVER_ERROR: Self = Self(1 << 20);
    /// Bedrock: throttled.
    pub const THROTTLED: Self = Self(1 << 21);
    /// Bedrock: access denied.
    pub const ACCESS_DENIED: Self = Self(1 << 22);
    /// Bedrock: the input is too long.
    pub const BEDROCK_TOO_LONG: Self = Self(1 << 23);

    /// What `text` says. `text` is what LiteLLM sees of an error's body: with OpenAI's client of 2026 the message
    /// alone. `code` is the error's code, which only some providers' mappings read.
    pub fn of(text: &str, code: Option<&str>) -> Self {
        let lower = text.to_lowercase();
        let has = |phrase: &str| text.contains(phrase);
        let says = |phrase: &str| lower.contains(phrase);
        let mut wording = Self::NONE;
        let mut tell = |heard: bool, phrase: Self| {
            if heard {
                wording = wording | phrase;
            }
        };
        tell(TIMED_OUT.iter().any(|phrase| has(phrase)), Self::TIMED_OUT);
        tell(RATE_LIMIT.iter().any(|phrase| says(phrase)), Self::RATE_LIMIT);
        tell(stands_alone(text, "429"), Self::BARE_429);
        tell(CONTEXT_WINDOW.iter().any(|phrase| says(phrase)), Self::CONTEXT_WINDOW);
        tell(says("current length is") && says("while limit is"), Self::CONTEXT_WINDOW);
        tell(CONTEXT_WINDOW_LATE.iter().any(|phrase| says(phrase)), Self::CONTEXT_WINDOW_LATE);
        tell(says("maximum input length is") && says("tokens"), Self::CONTEXT_WINDOW_LATE);
        tell(says("input too long:") && says("input tokens, limit is"), Self::CONTEXT_WINDOW_LATE);
        tell(says("string_above_max_length"), Self::NOT_CONTEXT_WINDOW);
        tell(says("invalid 'user'") && says("string too long"), Self::NOT_CONTEXT_WINDOW);
        tell(has("invalid_request_error"), Self::INVALID_REQUEST);
        tell(has("model_not_found"), Self::MODEL_NOT_FOUND);
        tell(has("A timeout occurred"), Self::TIMEOUT_OCCURRED);
        tell(has("content_policy_violation"), Self::POLICY_CODE);
        tell(has("Invalid prompt") && has("violating our usage policy"), Self::POLICY);
        tell(says("request was rejected as a result of the safety system"), Self::POLICY);
        tell(has("Incorrect API key provided"), Self::INCORRECT_KEY);
        tell(has("Web server is returning an unknown error"), Self::SERVER_ERROR);
        tell(has("The server had an error processing your request."), Self::SERVER_ERROR);
        tell(has("Request too large"), Self::TOO_LARGE);
        tell(has("prompt is too long") || has("prompt: length"), Self::ANTHROPIC_TOO_LONG);
        tell(has("overloaded_error") || has("Overloaded"), Self::ANTHROPIC_OVERLOADED);
        tell(has("content filtering policy"), Self::ANTHROPIC_FILTERED);
        tell(AZURE_FILTERED.iter().any(|phrase| has(phrase)), Self::AZURE_FILTERED);
        tell(code == Some("content_filter"), Self::AZURE_FILTERED);
        tell(code == Some("content_policy_violation"), Self::AZURE_FILTERED);
        tell(code == Some("context_length_exceeded"), Self::CODE_CONTEXT);
        tell(has("DeploymentNotFound") || code == Some("DeploymentNotFound"), Self::DEPLOYMENT_NOT_FOUND);
        tell(has("Internal server error"), Self::INTERNAL_SERVER_ERROR);
        tell(has("ThrottlingException"), Self::THROTTLED);
        tell(has("AccessDeniedException"), Self::ACCESS_DENIED);
        tell(BEDROCK_TOO_LONG.iter().any(|phrase| has(phrase)), Self::BEDROCK_TOO_LONG);
        wording
    }

    /// Whether the text says any of `phrases`.
    pub const fn says(self, phrases: Self) -> bool {
        self.0 & phrases.0 != 0
    }
}

impl core::ops::BitOr for Wording {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

const TIMED_OUT: &[&str] =
    &["Request Timeout Error", "Request timed out", "Timed out generating response", "The read operation timed out"];

const RATE_LIMIT: &[&str] = &["rate limit", "rate_limit", "rate-limit", "service tier capacity exceeded"];

const CONTEXT_WINDOW: &[&str] = &[
    "exceed context limit",
    "this model's maximum context length is",
    "string too long. expected a string with maximum length",
    "model's maximum context limit",
    "is longer than the model's context length",
    "input tokens exceed the configured limit",
    "`inputs` tokens + `max_new_tokens` must be",
    "exceeds the maximum number of tokens allowed",
];

const CONTEXT_WINDOW_LATE: &[&str] = &[
    "requested token count exceeds the model's maximum context length",
    "exceeds the available context size",
    "\"code\": \"context_length_exceeded\"",
];

const AZURE_FILTERED: &[&str] = &[
    "ResponsibleAIPolicyViolation",
    "content_filter",
    "content_policy_violation",
    "The response was filtered due to the prompt triggering Azure OpenAI's content management",
    "Your task failed as a result of our safety system",
    "The model produced invalid content",
];

const BEDROCK_TOO_LONG: &[&str] =
    &["too many tokens", "expected maxLength:", "Input is too long", "prompt: length: 1..", "Too many input tokens"];

/// Whether `number` is in `text` without another word character next to it.
fn stands_alone(text: &str, number: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(number)
        .any(|(at, _)| !word(text[..at].chars().next_back()) && !word(text[at + number.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_is_heard_in_any_case() {
        assert!(Wording::of("Rate Limit reached", None).says(Wording::RATE_LIMIT));
        assert!(Wording::of("see rate_limit_error", None).says(Wording::RATE_LIMIT));
    }

    #[test]
    fn a_429_must_stand_alone() {
        assert!(Wording::of("upstream said 429.", None).says(Wording::BARE_429));
        assert!(!Wording::of("error 4290", None).says(Wording::BARE_429));
        assert!(!Wording::of("id_429", None).says(Wording::BARE_429));
    }

    #[test]
    fn a_code_is_not_a_message() {
        let wording = Wording::of("too many", Some("context_length_exceeded"));
        assert_eq!(wording, Wording::CODE_CONTEXT);
    }
}
