//! How an endpoint is called: its protocol, and whether its answers come as a stream.

use super::named;

named! {
    /// The API that an endpoint speaks.
    #[derive(Default)]
    pub enum Protocol {
        /// Chat completions, as of OpenAI and compatible servers.
        #[default]
        OpenAi = "openai",
        /// Messages, as of Anthropic.
        Anthropic = "anthropic",
        /// Content generation, as of Google's Gemini.
        Gemini = "gemini",
    }
}

named! {
    /// Whether answers are asked for as a stream.
    pub enum StreamMode {
        /// Only from a server that answers in no other way.
        Auto = "auto",
        /// Always, so that the time to the first token is measured.
        Always = "always",
        /// Never; a server that only streams is an error.
        Never = "never",
    }
}

impl Protocol {
    /// Whether it is that of OpenAI, which is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The provider by the names of OpenTelemetry's conventions for generative AI.
    pub fn provider(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gcp.gemini",
        }
    }

    /// The vendor whose API it is.
    pub fn vendor(self) -> &'static str {
        match self {
            Self::OpenAi => "OpenAI",
            Self::Anthropic => "Anthropic",
            Self::Gemini => "Google",
        }
    }

    /// The host of the vendor.
    pub fn host(self) -> &'static str {
        match self {
            Self::OpenAi => "api.openai.com",
            Self::Anthropic => "api.anthropic.com",
            Self::Gemini => "generativelanguage.googleapis.com",
        }
    }

    /// The base URL of the vendor.
    pub fn base_url(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com/v1",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta",
        }
    }

    /// The environment variable of the key, unless the configuration names another.
    pub fn key_variable(self) -> &'static str {
        match self {
            Self::OpenAi => "OPENAI_API_KEY",
            Self::Anthropic => "ANTHROPIC_API_KEY",
            Self::Gemini => "GEMINI_API_KEY",
        }
    }

    /// The environment variable of the base URL, where the configuration has none; that of the vendor's own SDK.
    pub fn base_url_variable(self) -> &'static str {
        match self {
            Self::OpenAi => "OPENAI_BASE_URL",
            Self::Anthropic => "ANTHROPIC_BASE_URL",
            Self::Gemini => "GOOGLE_GEMINI_BASE_URL",
        }
    }
}
