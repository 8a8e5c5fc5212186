//! Closed vocabularies: each word that a scenario may use somewhere, and what it means.

use std::fmt;

use jiff::Timestamp;
use router_core::{Mode, Release, Span};
use schemars::{Schema, json_schema};

use super::meant::{MustSee, QuotaWindow};
use super::quantity::{Complaint, Duration, Quantity};
use crate::problem::did_you_mean;
use crate::provider::{Dialect, ErrorKind};

/// A type whose values are words.
pub trait Vocabulary: Copy + PartialEq + 'static {
    /// What the JSON Schema calls it.
    const NAME: &'static str;
    /// What one of its words is: "a fault".
    const WHAT: &'static str;
    /// Each word and its meaning.
    const WORDS: &'static [(&'static str, Self)];
    /// Words that people rightly expect, and that are not modelled yet.
    const LATER: &'static [&'static str] = &[];

    /// The word for this value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, meaning)| *meaning == self).map_or("", |(word, _)| word)
    }
}

impl<V: Vocabulary> Quantity for V {
    const NAME: &'static str = V::NAME;

    fn parse(text: &str) -> Result<Self, Complaint> {
        let trimmed = text.trim();
        if let Some((_, meaning)) = V::WORDS.iter().find(|(word, _)| *word == trimmed) {
            return Ok(*meaning);
        }
        if V::LATER.contains(&trimmed) {
            return Err(Complaint::new(format!("`{trimmed}` is not modelled yet")).help(listed::<V>()));
        }
        let known = V::WORDS.iter().map(|(word, _)| *word).chain(V::LATER.iter().copied());
        let help = did_you_mean(trimmed, known).map_or_else(listed::<V>, |word| format!("did you mean `{word}`?"));
        Err(Complaint::new(format!("`{trimmed}` is not {}", V::WHAT)).help(help))
    }

    fn schema() -> Schema {
        if V::NAME == <bool as Vocabulary>::NAME {
            return json_schema!({ "type": "boolean" });
        }
        let words: Vec<_> = V::WORDS.iter().map(|(word, _)| *word).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

fn listed<V: Vocabulary>() -> String {
    let words: Vec<_> = V::WORDS.iter().map(|(word, _)| *word).collect();
    format!("known are {}", words.join(", "))
}

/// A fault that one word describes. Providers differ in the status and the text they answer with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the name of a fault")]
pub enum InjectWord {
    RateLimited,
    Overloaded,
    Timeout,
    Slow,
    Refused,
    Reset,
    Revoked,
    Quota,
    ContentFilter,
    ContextWindow,
}

impl Vocabulary for InjectWord {
    const NAME: &'static str = "FaultWord";
    const WHAT: &'static str = "a fault";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("rate_limited", Self::RateLimited),
        ("overloaded", Self::Overloaded),
        ("timeout", Self::Timeout),
        ("slow", Self::Slow),
        ("refused", Self::Refused),
        ("reset", Self::Reset),
        ("revoked", Self::Revoked),
        ("quota", Self::Quota),
        ("content_filter", Self::ContentFilter),
        ("context_window", Self::ContextWindow),
    ];
    const LATER: &'static [&'static str] = &["cut_stream", "partition", "crash", "freeze"];
}

/// Who shares a limit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "each is the name of what its members have in common")]
pub enum ScopeWord {
    Deployment,
    Key,
    Region,
    Provider,
    Group,
    Selected,
}

impl Vocabulary for ScopeWord {
    const NAME: &'static str = "Scope";
    const WHAT: &'static str = "a scope of limits";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("deployment", Self::Deployment),
        ("key", Self::Key),
        ("region", Self::Region),
        ("provider", Self::Provider),
        ("group", Self::Group),
        ("selected", Self::Selected),
    ];
}

impl Vocabulary for ErrorKind {
    const NAME: &'static str = "ErrorKind";
    const WHAT: &'static str = "a kind of error";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("rate_limited", Self::RateLimited),
        ("tokens_limited", Self::TokensLimited),
        ("quota_exhausted", Self::QuotaExhausted),
        ("overloaded", Self::Overloaded),
        ("revoked", Self::Revoked),
        ("context_window", Self::ContextWindow),
        ("content_filter", Self::ContentFilter),
    ];
}

impl Vocabulary for Dialect {
    const NAME: &'static str = "Dialect";
    const WHAT: &'static str = "a provider's dialect";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("openai", Self::OpenAi),
        ("azure", Self::Azure),
        ("anthropic", Self::Anthropic),
        ("bedrock", Self::Bedrock),
        ("vertex", Self::Vertex),
    ];
}

impl Vocabulary for Mode {
    const NAME: &'static str = "Mode";
    const WHAT: &'static str = "a mode";
    const WORDS: &'static [(&'static str, Self)] = &[("proxy", Self::Proxy), ("sdk", Self::Sdk)];
}

impl Vocabulary for MustSee {
    const NAME: &'static str = "MustSee";
    const WHAT: &'static str = "a situation";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("rate_limited", Self::RateLimited),
        ("retry_after", Self::RetryAfter),
        ("server_error", Self::ServerError),
        ("timeout", Self::Timeout),
        ("refused", Self::Refused),
        ("revoked", Self::Revoked),
        ("cooldown", Self::Cooldown),
        ("all_cooling", Self::AllCooling),
        ("retry", Self::Retry),
        ("fallback", Self::Fallback),
        ("fallback_exhausted", Self::FallbackExhausted),
        ("abort", Self::Abort),
        ("overlap", Self::Overlap),
        ("recovery", Self::Recovery),
    ];
}

impl Vocabulary for Release {
    const NAME: &'static str = "Release";
    const WHAT: &'static str = "a LiteLLM release that is modelled";
    const WORDS: &'static [(&'static str, Self)] =
        &[(Self::V1_109_1.number(), Self::V1_109_1), (Self::V1_80_17.number(), Self::V1_80_17)];
}

impl Vocabulary for bool {
    const NAME: &'static str = "Switch";
    const WHAT: &'static str = "true or false";
    const WORDS: &'static [(&'static str, Self)] = &[("true", true), ("false", false)];
}

/// Any text that is not empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text(pub String);

impl Quantity for Text {
    const NAME: &'static str = "Text";

    fn parse(text: &str) -> Result<Self, Complaint> {
        match text.trim() {
            "" => Err(Complaint::new("a text is missing").help("write one, in quotes if it looks like something else")),
            trimmed => Ok(Self(trimmed.to_owned())),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// A limit, or the word `unlimited`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unlimited<Q>(pub Option<Q>);

impl<Q: Quantity> Quantity for Unlimited<Q> {
    const NAME: &'static str = "Limit";

    fn parse(text: &str) -> Result<Self, Complaint> {
        if text.trim() == "unlimited" { Ok(Self(None)) } else { Q::parse(text).map(Some).map(Self) }
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [Q::schema(), { "const": "unlimited" }] })
    }
}

/// A whole number of seconds, as `Retry-After` holds it: `20s`, `1m`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WholeSeconds(pub i64);

impl Quantity for WholeSeconds {
    const NAME: &'static str = "WholeSeconds";

    fn parse(text: &str) -> Result<Self, Complaint> {
        let Duration(span) = Duration::parse(text)?;
        match (span.as_nanos() % 1_000_000_000, i64::try_from(span.as_nanos() / 1_000_000_000)) {
            (0, Ok(seconds)) => Ok(Self(seconds)),
            _ => Err(Complaint::new("`Retry-After` holds whole seconds").help("write `1s` or more")),
        }
    }

    fn schema() -> Schema {
        Duration::schema()
    }
}

impl fmt::Display for WholeSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0)
    }
}

/// How a limit refills: a word and a span, `sliding 10s`; a minute when there is no span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window(pub QuotaWindow);

impl Quantity for Window {
    const NAME: &'static str = "Window";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const EXAMPLES: &str = "windows are written `fixed`, `sliding 10s` or `bucket 1m`";
        let (word, span) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), "1m"));
        let Duration(span) = Duration::parse(span)?;
        if span == Span::ZERO {
            return Err(Complaint::new("a window cannot be empty").help(EXAMPLES));
        }
        match word {
            "fixed" => Ok(Self(QuotaWindow::Fixed(span))),
            "sliding" => Ok(Self(QuotaWindow::Sliding(span))),
            "bucket" => Ok(Self(QuotaWindow::Bucket(span))),
            _ => {
                let help = did_you_mean(word, ["fixed", "sliding", "bucket"])
                    .map_or_else(|| EXAMPLES.to_owned(), |word| format!("did you mean `{word}`?"));
                Err(Complaint::new(format!("`{word}` is not a window")).help(help))
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^\\s*(fixed|sliding|bucket)(\\s+[0-9].*)?\\s*$",
            "examples": ["fixed", "sliding 10s", "bucket 1m"]
        })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, span) = match self.0 {
            QuotaWindow::Fixed(span) => ("fixed", span),
            QuotaWindow::Sliding(span) => ("sliding", span),
            QuotaWindow::Bucket(span) => ("bucket", span),
        };
        write!(f, "{word} {}", Duration(span))
    }
}

/// A moment of the calendar, RFC 3339: `2026-01-31T23:59:30Z`. Held in nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WallClock(pub u64);

impl Quantity for WallClock {
    const NAME: &'static str = "WallClock";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const EXAMPLES: &str = "moments are written `2026-01-31T23:59:30Z`";
        let moment: Timestamp =
            text.trim().parse().map_err(|_| Complaint::new("this is not a moment").help(EXAMPLES))?;
        u64::try_from(moment.as_nanosecond())
            .map(Self)
            .map_err(|_| Complaint::new("this moment is before 1970 or after 2554").help(EXAMPLES))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl fmt::Display for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every u64 of nanoseconds lies within the years that a Timestamp holds.
        let moment = Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(Timestamp::UNIX_EPOCH);
        write!(f, "{moment}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_not_modelled_yet_are_refused_by_name() {
        for word in InjectWord::LATER {
            let complaint = InjectWord::parse(word).expect_err(word);
            assert_eq!(complaint.message, format!("`{word}` is not modelled yet"));
        }
    }

    #[test]
    fn a_near_miss_is_answered_with_the_word() {
        let complaint = InjectWord::parse("rate_limitted").expect_err("a typo");
        assert_eq!(complaint.help.as_deref(), Some("did you mean `rate_limited`?"));
        let complaint = MustSee::parse("xyz").expect_err("no such word");
        assert!(complaint.help.unwrap_or_default().starts_with("known are rate_limited, "));
    }

    #[test]
    fn windows_and_moments_read_back_as_they_are_written() {
        for window in [QuotaWindow::Fixed(Span::from_secs(60)), QuotaWindow::Sliding(Span::from_millis(250))] {
            assert_eq!(Window::parse(&Window(window).to_string()), Ok(Window(window)));
        }
        let moment = WallClock::parse("2026-01-31T23:59:30Z").expect("a moment");
        assert_eq!(moment.to_string(), "2026-01-31T23:59:30Z");
        assert!(WallClock::parse("1969-01-01T00:00:00Z").is_err());
        assert!(WallClock::parse("yesterday").is_err());
    }
}
