//! Reads prompt files: text with optional front matter, or chat messages.

mod chat;
mod front_matter;
mod inline;
mod roles;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use promptgate_core::document::Document;
use promptgate_core::model::{
    Diagnostic, Diagnostics, Message, MessageRole, Place, PromptFacts, Variant, VariantFacts,
};
use promptgate_release::PromptKind;

use super::digest::digest_of_bytes;
use super::images::{Images, fetch_images, path_beside, resolve_images};
use super::tree::decode;
use super::{Loaded, Tree};

pub use front_matter::FrontMatter;

/// Maximum size of a prompt file: 4 MiB.
pub const PROMPT_LIMIT: u64 = 4 << 20;

/// The file of a prompt, and its settings in the configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PromptSource {
    /// Path relative to the configuration; empty for a prompt that is part of the configuration.
    pub path: String,
    /// The name of a prompt that is the value of `prompt` in the configuration, which is then the file; `None` for a prompt
    /// file.
    pub inline: Option<String>,
    /// Template of the user message for a text prompt; if empty, no user message is sent.
    pub user: String,
    /// The model, unless the prompt file sets one.
    pub model: Option<String>,
    /// Request parameters; those in the prompt file override them by key.
    pub parameters: Map<String, Value>,
}

/// Settings in a prompt file, apart from its messages.
#[derive(Debug, Clone, PartialEq, Default)]
struct Settings {
    name: Option<String>,
    version: Option<String>,
    model: Option<String>,
    parameters: Map<String, Value>,
    front_matter: FrontMatter,
}

/// Parts of a prompt file. `lines` has the first line of each message's content.
struct Parts {
    kind: PromptKind,
    messages: Vec<Message>,
    lines: Vec<usize>,
    settings: Settings,
    warnings: Vec<String>,
}

/// A parsed prompt file.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedPrompt {
    /// Its messages, model and parameters.
    pub variant: Variant,
    /// The form in which applications receive it.
    pub kind: PromptKind,
    /// Its claims about its publication.
    pub front_matter: FrontMatter,
}

/// Bytes of a prompt file and their source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PromptBytes {
    /// Name of the file in messages and reports.
    pub file: String,
    /// The commit; `None` for the work tree.
    pub commit: Option<String>,
    /// Content of the file.
    pub bytes: Vec<u8>,
    /// The images that its messages name.
    pub images: Images,
}

/// Reads the bytes of a prompt.
///
/// # Errors
/// If the file is missing or cannot be read.
pub fn fetch_prompt(tree: &Tree, path: &str) -> Result<PromptBytes, Diagnostic> {
    Ok(prompt_bytes(tree, path, tree.read_limited(path, PROMPT_LIMIT)?))
}

/// Reads the bytes of a prompt, `None` if the tree does not contain it, as with a new prompt.
///
/// # Errors
/// If the file cannot be read.
pub fn find_prompt(tree: &Tree, path: &str) -> Result<Option<PromptBytes>, Diagnostic> {
    Ok(tree.find(path, PROMPT_LIMIT)?.map(|bytes| prompt_bytes(tree, path, bytes)))
}

/// The bytes of a prompt that is part of a configuration, whose name in messages is `file`, with the images that its
/// messages name beside it.
pub fn inline_prompt(tree: &Tree, file: &str, configuration: &str) -> PromptBytes {
    let parts = inline::document(file, configuration).and_then(|document| inline::read(file, &document, ""));
    let images = fetch_images(tree, named_images(parts.ok(), ""));
    let bytes = configuration.as_bytes().to_vec();
    PromptBytes { file: file.to_owned(), commit: tree.commit().map(str::to_owned), bytes, images }
}

fn prompt_bytes(tree: &Tree, path: &str, bytes: Vec<u8>) -> PromptBytes {
    let file = tree.describe(path);
    let images = fetch_images(tree, image_paths(&file, path, &bytes));
    PromptBytes { file, commit: tree.commit().map(str::to_owned), bytes, images }
}

/// The paths of the images that the messages of a prompt name; none of one that cannot be parsed.
fn image_paths(file: &str, path: &str, bytes: &[u8]) -> Vec<String> {
    let Ok(text) = decode(file, bytes) else { return Vec::new() };
    let parts = match extension(path).as_str() {
        "json" => Document::json(file, &text).and_then(|document| chat::read(file, &document)),
        "yaml" | "yml" => Document::yaml(file, &text).and_then(|document| chat::read(file, &document)),
        _ => return Vec::new(),
    };
    named_images(parts.ok(), path)
}

/// The paths of the images that messages of a prompt at `path` name.
fn named_images(parts: Option<Parts>, path: &str) -> Vec<String> {
    let images = parts.into_iter().flat_map(|parts| parts.messages).flat_map(|message| message.images);
    images.filter_map(|image| Some(path_beside(path, image.path()?))).collect()
}

/// Puts the images that messages name into them.
fn add_images(parts: &mut Parts, file: &str, path: &str, images: &Images) -> Result<(), Diagnostics> {
    let mut diagnostics = Vec::new();
    for (message, line) in parts.messages.iter_mut().zip(&parts.lines) {
        for image in &mut message.images {
            if let Some(named) = image.path() {
                image.url = path_beside(path, named);
            }
        }
        if let Err(diagnostic) = resolve_images(message.images.iter_mut(), images) {
            diagnostics.push(diagnostic.at(Place::line(file, *line)));
        }
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics(diagnostics)) }
}

/// Parses the bytes of a prompt.
///
/// `.json`, `.yaml` and `.yml` files contain chat messages, `.prompty` files messages below their roles; other files contain the system message as text. Line
/// endings are normalized to line feeds. Placeholders are not validated.
///
/// # Errors
/// All errors in the file.
pub fn parse_prompt(
    prompt: &PromptBytes,
    source: &PromptSource,
) -> Result<Loaded<ParsedPrompt>, Diagnostics> {
    let PromptBytes { file, commit, bytes, images } = prompt;
    let file = file.clone();
    let text = decode(&file, bytes)?.replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err(Diagnostic::new("the prompt is empty")
            .at(Place::file(&file))
            .help("write the prompt")
            .into());
    }
    let mut digest = digest_of(bytes, images);
    let mut parts = match extension(&source.path).as_str() {
        _ if source.inline.is_some() => {
            let document = inline::document(&file, &text)?;
            digest = digest_of(document.value().to_string().as_bytes(), images);
            inline::read(&file, &document, &source.user)?
        }
        "json" => chat::read(&file, &Document::json(&file, &text)?)?,
        "yaml" | "yml" => chat::read(&file, &Document::yaml(&file, &text)?)?,
        "prompty" => prompty(&file, &text)?,
        _ => text_prompt(&file, &text, &source.user)?,
    };
    add_images(&mut parts, &file, &source.path, images)?;
    let Some(model) = parts.settings.model.or_else(|| source.model.clone()) else {
        return Err(Diagnostic::new("no model is set")
            .at(Place::file(&file))
            .help("set `model` in the configuration or in the prompt file")
            .into());
    };
    let mut parameters = source.parameters.clone();
    parameters.extend(parts.settings.parameters);
    let short: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
    let prompt = PromptFacts {
        name: parts.settings.name.or_else(|| source.inline.clone()).unwrap_or_else(|| stem(&source.path)),
        version: parts.settings.version.unwrap_or(short),
        digest,
        source: file,
        commit: commit.clone(),
    };
    let facts = VariantFacts {
        protocol: Default::default(),
        prompt,
        model,
        parameters,
        content_digest: None,
        published: None,
        application: None,
        messages: Vec::new(),
    };
    let variant = Variant { facts, messages: parts.messages, lines: parts.lines, application: None };
    let value = ParsedPrompt { variant, kind: parts.kind, front_matter: parts.settings.front_matter };
    Ok(Loaded { value, warnings: parts.warnings })
}

/// Returns the text of a prompt as written, with line feeds; the messages of an inline prompt as a JSON list.
///
/// # Errors
/// If it cannot be decoded.
pub fn prompt_text(prompt: &PromptBytes, source: &PromptSource) -> Result<String, Diagnostics> {
    let text = decode(&prompt.file, &prompt.bytes)?.replace("\r\n", "\n");
    if source.inline.is_none() {
        return Ok(text);
    }
    Ok(inline::text(&inline::document(&prompt.file, &text)?))
}

/// The digest of a prompt: of its bytes, and of its images where it has some.
fn digest_of(bytes: &[u8], images: &Images) -> String {
    if images.is_empty() {
        return digest_of_bytes(bytes);
    }
    let images = images.values().flatten().map(|url| digest_of_bytes(url.as_bytes()));
    let parts: Vec<String> = std::iter::once(digest_of_bytes(bytes)).chain(images).collect();
    digest_of_bytes(parts.join("\n").as_bytes())
}

fn text_prompt(file: &str, text: &str, user: &str) -> Result<Parts, Diagnostics> {
    let (settings, body, first_line) = front_matter::split(file, text, &[])?;
    if body.trim().is_empty() {
        return Err(only_front_matter(file).into());
    }
    Ok(text_parts(file, settings, body, first_line, user))
}

/// The parts of a text prompt; `body` is not blank and starts on `first_line`.
fn text_parts(file: &str, settings: Settings, body: &str, first_line: usize, user: &str) -> Parts {
    let blank: usize = body.lines().take_while(|line| line.trim().is_empty()).count();
    let start: usize = body.split_inclusive('\n').take(blank).map(str::len).sum();
    let content = body.get(start..).unwrap_or_default().trim_end();
    let mut messages = vec![Message::new(MessageRole::System, content.to_owned())];
    let mut lines = vec![first_line + blank];
    if !user.is_empty() {
        messages.push(Message::new(MessageRole::User, user.to_owned()));
        lines.push(0);
    }
    let warnings = roles::first_marker(body).map(|(line, marker)| {
        format!(
            "{file}:{}: `{marker}` is text of the system message; several messages are written in a .yaml file with \
             `messages`, or in a .prompty file",
            first_line + line - 1
        )
    });
    let warnings = warnings.into_iter().collect();
    Parts { kind: PromptKind::Text, messages, lines, settings, warnings }
}

/// Reads a `.prompty` file: front matter, then messages below lines with their roles.
fn prompty(file: &str, text: &str) -> Result<Parts, Diagnostics> {
    let (settings, body, first_line) = front_matter::split(file, text, &roles::IGNORED)?;
    let (messages, lines) = roles::split(file, body, first_line)?;
    if messages.is_empty() {
        return Err(only_front_matter(file).into());
    }
    Ok(Parts { kind: PromptKind::Chat, messages, lines, settings, warnings: Vec::new() })
}

fn only_front_matter(file: &str) -> Diagnostic {
    Diagnostic::new("the prompt contains only front matter")
        .at(Place::file(file))
        .help("write the prompt below the second `---`")
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The extension of a file in lower case; empty if there is none.
pub(super) fn extension(path: &str) -> String {
    file_name(path).rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
}

/// The file name without its extension and without a `.prompt` before that.
fn stem(path: &str) -> String {
    let name = file_name(path);
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    match stem.strip_suffix(".prompt") {
        Some(shorter) if !shorter.is_empty() => shorter.to_owned(),
        _ => stem.to_owned(),
    }
}
