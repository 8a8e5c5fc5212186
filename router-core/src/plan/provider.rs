//! Which provider a model belongs to, as far as routing needs to know.

/// How a provider's errors are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// OpenAI and everything that LiteLLM calls through OpenAI's client; also providers that are not modelled.
    OpenAi,
    /// Azure OpenAI.
    Azure,
    /// Anthropic.
    Anthropic,
    /// Amazon Bedrock.
    Bedrock,
}

impl Dialect {
    /// The dialect of a provider, by LiteLLM's name for it.
    pub fn of(provider: &str) -> Self {
        match provider {
            "azure" | "azure_text" => Self::Azure,
            "anthropic" | "anthropic_text" => Self::Anthropic,
            "bedrock" | "bedrock_converse" => Self::Bedrock,
            _ => Self::OpenAi,
        }
    }
}

/// Prefixes of `litellm_params.model` that name a provider. A name with another prefix is not split.
const PROVIDERS: &[&str] = &[
    "ai21",
    "aiohttp_openai",
    "anthropic",
    "anthropic_text",
    "anyscale",
    "azure",
    "azure_ai",
    "azure_text",
    "bedrock",
    "bedrock_converse",
    "cerebras",
    "cloudflare",
    "codestral",
    "cohere",
    "cohere_chat",
    "custom",
    "custom_openai",
    "dashscope",
    "databricks",
    "deepinfra",
    "deepseek",
    "fireworks_ai",
    "friendliai",
    "gemini",
    "github",
    "github_copilot",
    "groq",
    "hosted_vllm",
    "huggingface",
    "hyperbolic",
    "lambda_ai",
    "litellm_proxy",
    "llamafile",
    "lm_studio",
    "meta_llama",
    "mistral",
    "moonshot",
    "nebius",
    "novita",
    "nvidia_nim",
    "ollama",
    "ollama_chat",
    "openai",
    "openai_like",
    "openrouter",
    "perplexity",
    "replicate",
    "sagemaker",
    "sagemaker_chat",
    "sambanova",
    "snowflake",
    "text-completion-openai",
    "together_ai",
    "triton",
    "vertex_ai",
    "vertex_ai_beta",
    "vllm",
    "voyage",
    "watsonx",
    "xai",
    "xinference",
];

/// The provider of a `litellm_params.model`: what `custom_llm_provider` says, else its prefix, else what the name
/// itself gives away, else OpenAI.
pub(super) fn provider_of<'a>(model: &'a str, custom: Option<&'a str>) -> &'a str {
    custom.or_else(|| split(model).map(|(provider, _)| provider)).or_else(|| inferred(model)).unwrap_or("openai")
}

/// A name that begins with a provider's prefix, in its two parts.
pub(super) fn split(model: &str) -> Option<(&str, &str)> {
    model.split_once('/').filter(|(prefix, _)| PROVIDERS.binary_search(prefix).is_ok())
}

/// The provider that LiteLLM infers from a bare model name. Its cost map knows thousands of names; these are the
/// families that people call without a prefix.
pub(super) fn inferred(model: &str) -> Option<&'static str> {
    const FAMILIES: &[(&str, &str)] = &[
        ("gpt-", "openai"),
        ("chatgpt-", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("o4", "openai"),
        ("claude-", "anthropic"),
        ("gemini-", "vertex_ai"),
        ("command-", "cohere_chat"),
        ("anthropic.claude", "bedrock"),
        ("amazon.", "bedrock"),
        ("meta.llama", "bedrock"),
    ];
    FAMILIES.iter().find(|(start, _)| model.starts_with(start)).map(|&(_, provider)| provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_sorted_so_that_they_can_be_searched() {
        assert!(PROVIDERS.is_sorted());
    }

    #[test]
    fn a_provider_is_said_or_prefixed_or_inferred() {
        assert_eq!(provider_of("gpt-4o", Some("azure")), "azure");
        assert_eq!(provider_of("bedrock/anthropic.claude-3", None), "bedrock");
        assert_eq!(provider_of("claude-3-opus", None), "anthropic");
        assert_eq!(provider_of("my/model", None), "openai");
    }
}
