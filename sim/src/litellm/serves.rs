//! What callers of a deployment want of it: text, vectors, images, speech. A model of one kind cannot stand in for one
//! of another.

/// What a deployment gives, in the words of LiteLLM's `mode`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Serves {
    /// Text: `chat`, `completion` and `responses`, which LiteLLM translates into each other.
    #[default]
    Chat,
    /// Vectors. Those of one model mean nothing to another.
    Embedding,
    /// Pictures, drawn or edited.
    Image,
    /// Text out of speech.
    Transcription,
    /// Speech out of text.
    Speech,
    /// An order of documents.
    Rerank,
    /// A judgement on a text.
    Moderation,
    /// A conversation over a socket.
    Realtime,
    /// Films.
    Video,
    /// Something else that has a `mode` of its own.
    Other,
    /// Whatever is asked for: a wildcard.
    Anything,
}

/// Parts of names that only models of one kind bear; the first that fits counts. Of the 4,500 models of LiteLLM
/// 1.109.1's own map 96 in 100 are what this makes of their name.
const NAMES: [(Serves, &[&str]); 8] = [
    (Serves::Rerank, &["rerank"]),
    (Serves::Embedding, &["embed", "bge-", "gte-", "/e5-", "multilingual-e5", "minilm", "voyage", "jina-clip"]),
    (Serves::Moderation, &["moderation"]),
    (Serves::Transcription, &["whisper", "transcribe", "deepgram", "scribe", "assemblyai"]),
    (Serves::Speech, &["tts", "polly", "eleven_", "orpheus"]),
    (Serves::Realtime, &["realtime", "-live-", "nova-sonic", "nova-2-sonic"]),
    (Serves::Video, &["sora", "veo-", "runwayml", "video", "-t2v", "-i2v", "nova-reel"]),
    (
        Serves::Image,
        &[
            "dall-e",
            "gpt-image",
            "imagen-",
            "imagegeneration",
            "flux",
            "stable-diffusion",
            "stability",
            "stable-image",
            "sdxl",
            "recraft",
            "ideogram",
            "nova-canvas",
            "titan-image",
            "image-generation",
        ],
    ),
];

impl Serves {
    /// Of a deployment: `model_info.mode` where it is set, else what its names say. `names`: the model that it is, its
    /// model at the provider, its group.
    pub(super) fn of(mode: Option<&str>, names: &[&str]) -> Self {
        match mode {
            Some("chat" | "completion" | "responses") => return Self::Chat,
            Some("embedding") => return Self::Embedding,
            Some("image_generation" | "image_edit") => return Self::Image,
            Some("audio_transcription") => return Self::Transcription,
            Some("audio_speech") => return Self::Speech,
            Some("rerank") => return Self::Rerank,
            Some("moderation") => return Self::Moderation,
            Some("realtime") => return Self::Realtime,
            Some("video_generation") => return Self::Video,
            Some(_) => return Self::Other,
            None => {}
        }
        let says = |name: &&str| {
            let name = name.to_ascii_lowercase();
            NAMES.iter().find(|(_, parts)| parts.iter().any(|part| name.contains(part))).map(|(serves, _)| *serves)
        };
        if let Some(serves) = names.iter().find_map(says) {
            return serves;
        }
        if names.iter().any(|name| name.contains('*')) { Self::Anything } else { Self::Chat }
    }

    /// Of a model that is known by its name alone.
    pub fn of_name(name: &str) -> Self {
        match Self::of(None, &[name]) {
            Self::Anything => Self::Chat,
            serves => serves,
        }
    }

    /// Whether one can answer what the other was asked.
    pub fn fits(self, other: Self) -> bool {
        self == other || self == Self::Anything || other == Self::Anything
    }

    /// In words: `chat`, `embeddings`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embeddings",
            Self::Image => "images",
            Self::Transcription => "transcription",
            Self::Speech => "speech",
            Self::Rerank => "reranking",
            Self::Moderation => "moderation",
            Self::Realtime => "realtime audio",
            Self::Video => "video",
            Self::Other => "a mode of its own",
            Self::Anything => "any model",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_in_the_config_counts_before_any_name() {
        assert_eq!(Serves::of(Some("embedding"), &["gpt-4"]), Serves::Embedding);
        assert_eq!(Serves::of(Some("chat"), &["text-embedding-3-small"]), Serves::Chat);
        assert_eq!(Serves::of(Some("ocr"), &["mistral-ocr"]), Serves::Other);
    }

    #[test]
    fn names_tell_what_a_model_gives() {
        for (name, serves) in [
            ("text-embedding-3-small", Serves::Embedding),
            ("openai/whisper-1", Serves::Transcription),
            ("gpt-4o-mini-tts", Serves::Speech),
            ("dall-e-3", Serves::Image),
            ("cohere/rerank-english-v3.0", Serves::Rerank),
            ("omni-moderation-latest", Serves::Moderation),
            ("azure/gpt-4o", Serves::Chat),
            ("anthropic/claude-sonnet-4-5", Serves::Chat),
            ("gemini/*", Serves::Anything),
        ] {
            assert_eq!(Serves::of(None, &[name]), serves, "{name}");
        }
        // A deployment at Azure may be called anything; then its group says what it is.
        assert_eq!(Serves::of(None, &["azure/ours", "embeddings"]), Serves::Embedding);
    }

    #[test]
    fn a_kind_stands_in_for_itself_only() {
        assert!(Serves::Chat.fits(Serves::Chat) && Serves::Anything.fits(Serves::Embedding));
        assert!(!Serves::Chat.fits(Serves::Embedding));
    }
}
