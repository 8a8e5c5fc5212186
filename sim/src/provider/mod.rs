//! How providers speak: the status, wording and headers of their errors.
//!
//! The text matters as much as the number, for LiteLLM reads it before it looks at the status.

mod body;
mod errors;

pub use body::{rate_limit_headers, wording_of};
pub use errors::{ErrorAnswer, Said, said};

/// Whose error answers an upstream speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Dialect {
    /// OpenAI, and the many who copy its API.
    #[default]
    OpenAi,
    /// Azure OpenAI.
    Azure,
    /// Anthropic.
    Anthropic,
    /// Amazon Bedrock.
    Bedrock,
    /// Google Vertex AI and the Gemini API.
    Vertex,
}

impl Dialect {
    /// The dialect of a provider as LiteLLM names it (`azure`, `bedrock_converse`); OpenAI's when it is not known.
    pub fn of_provider(provider: &str) -> Self {
        match provider {
            "azure" | "azure_ai" | "azure_text" => Self::Azure,
            "anthropic" | "anthropic_text" => Self::Anthropic,
            "bedrock" | "bedrock_converse" | "sagemaker" | "sagemaker_chat" => Self::Bedrock,
            "vertex_ai" | "vertex_ai_beta" | "gemini" => Self::Vertex,
            _ => Self::OpenAi,
        }
    }
}

/// What kind of error a provider answers with. Each provider has its own status and wording for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ErrorKind {
    /// The plain error of that HTTP status, 400 to 599.
    Status(u16),
    /// Too many requests in a window: 429.
    RateLimited,
    /// Too many tokens in a window: 429.
    TokensLimited,
    /// Nothing is left of a quota that does not refill within minutes (credit, a daily or monthly limit): 429.
    QuotaExhausted,
    /// The provider has no capacity: 503, 429 or 529.
    Overloaded,
    /// The key is not valid any longer: 401 or 403.
    Revoked,
    /// The prompt is longer than the model's context window: 400.
    ContextWindow,
    /// The content filter objects: 400, or an answer that ends with `content_filter`.
    ContentFilter,
}
