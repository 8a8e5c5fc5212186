//! Which provider serves a deployment, as LiteLLM derives it from the model's name.

use router_core::Release;

use super::cost_map;
use super::known::{self, Section};

/// Endpoints whose provider newer releases recognise when the model's name has no prefix.
const ENDPOINTS: &[(&str, &str)] = &[
    ("api.perplexity.ai", "perplexity"),
    ("api.endpoints.anyscale.com/v1", "anyscale"),
    ("api.deepinfra.com/v1/openai", "deepinfra"),
    ("api.mistral.ai/v1", "mistral"),
    ("codestral.mistral.ai/v1/chat/completions", "codestral"),
    ("api.groq.com/openai/v1", "groq"),
    ("integrate.api.nvidia.com/v1", "nvidia_nim"),
    ("api.deepseek.com/v1", "deepseek"),
    ("api.together.ai/v1", "together_ai"),
    ("api.together.xyz/v1", "together_ai"),
    ("api.friendli.ai/serverless/v1", "friendliai"),
    ("ollama.com", "ollama"),
    ("nano-gpt.com/api/v1", "nano-gpt"),
    ("api.poe.com/v1", "poe"),
    ("llm.chutes.ai/v1", "chutes"),
    ("api.lambda.ai/v1", "lambda_ai"),
    ("api.hyperbolic.xyz/v1", "hyperbolic"),
    ("ai-gateway.vercel.sh/v1", "vercel_ai_gateway"),
    ("api.inference.wandb.ai/v1", "wandb"),
];

/// The provider that LiteLLM derives for a model, and the model's name there. `None`: it cannot tell, and drops the
/// deployment.
pub(super) fn provider(
    model: &str,
    custom_llm_provider: Option<&str>,
    api_base: Option<&str>,
    release: Release,
) -> Option<(String, String)> {
    if let Some(provider) = custom_llm_provider.filter(|provider| !provider.is_empty()) {
        let upstream = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        return Some((provider.to_owned(), upstream.to_owned()));
    }
    if let Some((prefix, rest)) = model.split_once('/')
        && known::is_known(Section::Providers, prefix, release)
    {
        return Some((prefix.to_owned(), rest.to_owned()));
    }
    let base = api_base.map(|base| base.split_once("://").map_or(base, |(_, rest)| rest));
    if let (Some(base), Release::V1_109_1) = (base, release)
        && let Some((_, provider)) = ENDPOINTS.iter().find(|(known, _)| base.starts_with(known))
    {
        return Some(((*provider).to_owned(), model.to_owned()));
    }
    let guess = match cost_map::row(model, release) {
        Some(row) if !model.contains('/') => row.provider,
        _ if model == "*" => "openai",
        _ => family(model)?,
    };
    Some((guess.to_owned(), model.to_owned()))
}

/// Whether only its family's name tells a model's provider: LiteLLM itself goes by its list.
pub(super) fn is_unlisted(model: &str, release: Release) -> bool {
    let by_rule = model == "*"
        || model.contains("ft:gpt-3.5-turbo")
        || model.contains("ft:gpt-4")
        || release == Release::V1_109_1
            && (model.starts_with("gpt-image") || model.contains("anthropic.claude") || is_later_claude(model));
    !model.contains('/') && !by_rule && cost_map::row(model, release).is_none()
}

/// Whether newer releases route a name to Anthropic by its form alone: `claude-sonnet-4`, `claude-sonnet-4-5`,
/// `claude-sonnet-4-20250514`, and not `claude-3-opus-20240229`.
fn is_later_claude(model: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let lower = model.to_ascii_lowercase();
    let Some((family, version)) = lower.strip_prefix("claude-").and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let mut parts = version.splitn(2, '-');
    let (first, date) = (parts.next().unwrap_or_default(), parts.next());
    let (major, minor) = first.split_once('.').map_or((first, None), |(major, minor)| (major, Some(minor)));
    let dated = |text: &str| text.len() == 8 && number(text);
    let rest = match (minor, date) {
        (_, None) => true,
        (Some(_), Some(date)) => dated(date),
        (None, Some(rest)) => match rest.split_once('-') {
            None => number(rest),
            Some((minor, date)) => number(minor) && dated(date),
        },
    };
    !family.is_empty()
        && family.bytes().all(|byte| byte.is_ascii_lowercase())
        && number(major)
        && minor.is_none_or(number)
        && rest
}

/// Names without a prefix whose family gives the provider away, though the table has no row for them.
fn family(model: &str) -> Option<&'static str> {
    const FAMILIES: &[(&str, &str)] = &[
        ("gpt-", "openai"),
        ("chatgpt-", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("o4", "openai"),
        ("ft:gpt-", "openai"),
        ("text-embedding-", "openai"),
        ("omni-moderation", "openai"),
        ("text-moderation", "openai"),
        ("dall-e", "openai"),
        ("tts-1", "openai"),
        ("whisper-1", "openai"),
        ("codex-", "openai"),
        ("sora-", "openai"),
        ("claude-", "anthropic"),
        ("anthropic.", "bedrock"),
        ("us.anthropic.", "bedrock"),
        ("eu.anthropic.", "bedrock"),
        ("apac.anthropic.", "bedrock"),
        ("global.anthropic.", "bedrock"),
        ("amazon.", "bedrock"),
        ("us.amazon.", "bedrock"),
        ("meta.llama", "bedrock"),
        ("us.meta.llama", "bedrock"),
        ("mistral.", "bedrock"),
        ("cohere.", "bedrock"),
        ("ai21.", "bedrock"),
        ("gemini-", "vertex_ai"),
        ("command-", "cohere_chat"),
        ("embed-", "cohere"),
    ];
    FAMILIES.iter().find(|(prefix, _)| model.starts_with(prefix)).map(|(_, provider)| *provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_the_prefix_or_the_family_of_the_name() {
        for (model, name, upstream) in [
            ("azure/my-gpt-4", "azure", "my-gpt-4"),
            ("gpt-4o", "openai", "gpt-4o"),
            ("claude-3-5-sonnet-20240620", "anthropic", "claude-3-5-sonnet-20240620"),
            (
                "bedrock/us.anthropic.claude-3-haiku-20240307-v1:0",
                "bedrock",
                "us.anthropic.claude-3-haiku-20240307-v1:0",
            ),
            ("anthropic.claude-3-haiku-20240307-v1:0", "bedrock", "anthropic.claude-3-haiku-20240307-v1:0"),
            ("hosted_vllm/meta-llama/Llama-3", "hosted_vllm", "meta-llama/Llama-3"),
            ("openai/*", "openai", "*"),
            ("*", "openai", "*"),
        ] {
            assert_eq!(provider(model, None, None, Release::V1_109_1), Some((name.to_owned(), upstream.to_owned())));
        }
        assert_eq!(provider("our-model", None, None, Release::V1_109_1), None);
        assert_eq!(provider("azrue/gpt-4", None, None, Release::V1_109_1), None);
    }

    #[test]
    fn newer_releases_know_a_claude_by_the_form_of_its_name() {
        for name in [
            "claude-sonnet-4",
            "claude-sonnet-4-5",
            "claude-opus-4.1",
            "claude-sonnet-4-20250514",
            "claude-opus-4-1-20250805",
            "claude-next-7.2-20260101",
            "Claude-Sonnet-4",
        ] {
            assert!(!is_unlisted(name, Release::V1_109_1), "{name}");
        }
        for name in
            ["claude-3-opus-20240229", "claude-foo", "claude-sonnet-4-latest", "claude-sonnet-4-5-6", "claude-sonnet"]
        {
            assert!(is_unlisted(name, Release::V1_109_1), "{name}");
        }
    }
}
