use byok_types::Dialect;

/// What vendors offer beside the dialects: byok passes it on as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Completions of the time before chat.
    Completions,
    /// Embeddings in the shape of `OpenAI`.
    Embeddings,
    /// Pictures from words.
    ImageGenerations,
    /// Pictures from pictures and words.
    ImageEdits,
    /// Pictures like a picture.
    ImageVariations,
    /// Speech from text.
    Speech,
    /// Text from speech.
    Transcriptions,
    /// English text from speech.
    Translations,
    /// Whether a text is harmful.
    Moderations,
    /// A shorter form of a conversation (Responses).
    Compact,
    /// One embedding in the shape of Gemini.
    EmbedContent,
    /// Several of them.
    BatchEmbedContents,
}

impl Endpoint {
    /// Those that have a path of their own; the others are methods of a model.
    pub const WITH_PATH: [Self; 10] = [
        Self::Completions,
        Self::Embeddings,
        Self::ImageGenerations,
        Self::ImageEdits,
        Self::ImageVariations,
        Self::Speech,
        Self::Transcriptions,
        Self::Translations,
        Self::Moderations,
        Self::Compact,
    ];

    /// The path below `/v1`; of a method of Gemini, its name.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Completions => "/completions",
            Self::Embeddings => "/embeddings",
            Self::ImageGenerations => "/images/generations",
            Self::ImageEdits => "/images/edits",
            Self::ImageVariations => "/images/variations",
            Self::Speech => "/audio/speech",
            Self::Transcriptions => "/audio/transcriptions",
            Self::Translations => "/audio/translations",
            Self::Moderations => "/moderations",
            Self::Compact => "/responses/compact",
            Self::EmbedContent => ":embedContent",
            Self::BatchEmbedContents => ":batchEmbedContents",
        }
    }

    /// The dialect of its errors.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Compact => Dialect::Responses,
            Self::EmbedContent | Self::BatchEmbedContents => Dialect::Gemini,
            Self::Completions
            | Self::Embeddings
            | Self::ImageGenerations
            | Self::ImageEdits
            | Self::ImageVariations
            | Self::Speech
            | Self::Transcriptions
            | Self::Translations
            | Self::Moderations => Dialect::Chat,
        }
    }

    /// Whether a client may send it as a form with files.
    pub const fn takes_forms(self) -> bool {
        matches!(self, Self::ImageEdits | Self::ImageVariations | Self::Transcriptions | Self::Translations)
    }
}
