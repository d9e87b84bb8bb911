//! Messages in the form of chat completions, as prompts and cases write them.

#[cfg(test)]
mod tests;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use promptgate_core::document::{pointer, shown};
use promptgate_core::model::{Image, Message, MessageRole, ToolCall};

use super::diagnostics::did_you_mean;
use super::images;

const ROLES: [&str; 5] = ["system", "developer", "user", "assistant", "tool"];
const KEYS: [&str; 4] = ["role", "content", "tool_calls", "tool_call_id"];
const PARTS: &str =
    "parts are {type: text, text: …}, {type: image_url, image_url: {url: …}} and {image: PATH}";
const CALLS: &str =
    "write tool_calls: [{id: call_1, type: function, function: {name: NAME, arguments: {…}}}]";

/// An error of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The place below the list of messages, as a JSON pointer: `/0/role`.
    pub(super) at: String,
    /// Whether the key is meant, and not its value.
    pub(super) at_key: bool,
    pub(super) message: String,
    pub(super) help: String,
}

impl Problem {
    fn new(at: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at: at.to_owned(), at_key: false, message: message.into(), help: help.into() }
    }

    /// Position of its message, from 1.
    pub(super) fn number(&self) -> usize {
        self.at.split('/').nth(1).and_then(|index| index.parse::<usize>().ok()).map_or(0, |index| index + 1)
    }
}

/// Parses a list of messages; those without errors keep the index of their item. Images of files have their paths.
pub(super) fn parse(items: &[Value]) -> (Vec<(usize, Message)>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut messages = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(message) = message(&format!("/{index}"), item, &mut problems) {
            messages.push((index, message));
        }
    }
    if problems.is_empty() {
        check_results(&messages, &mut problems);
    }
    (messages, problems)
}

fn message(at: &str, value: &Value, problems: &mut Vec<Problem>) -> Option<Message> {
    let Value::Object(map) = value else {
        let message = format!("a message must be a map with `role` and `content`, found {}", shown(value));
        problems.push(Problem::new(at, message, "write {role: user, content: …}"));
        return None;
    };
    let before = problems.len();
    let role = role(at, map, problems);
    for key in map.keys().filter(|key| !is_known(key, role, map)) {
        let help = did_you_mean(key, KEYS, || format!("the keys are {}", KEYS.join(", ")));
        let problem = Problem::new(&pointer(at, key), format!("unknown key `{key}` in a message"), help);
        problems.push(Problem { at_key: true, ..problem });
    }
    let tool_calls = tool_calls(at, map, role, problems);
    let tool_call_id = tool_call_id(at, map, role, problems);
    let (content, images) = content(at, map, role, !tool_calls.is_empty(), problems);
    if problems.len() > before {
        return None;
    }
    Some(Message { role: role?, content, images, tool_calls, tool_call_id })
}

/// Whether a key has a meaning, or says nothing: one that is empty, and the name that a result of a tool repeats.
fn is_known(key: &str, role: Option<MessageRole>, map: &Map<String, Value>) -> bool {
    let is_empty = map.get(key).is_some_and(|value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    });
    KEYS.contains(&key) || is_empty || (key == "name" && role == Some(MessageRole::Tool))
}

fn role(at: &str, map: &Map<String, Value>, problems: &mut Vec<Problem>) -> Option<MessageRole> {
    let roles = || "roles are system, developer, user, assistant and tool".to_owned();
    let written = map.get("role").filter(|role| role.is_string());
    let known = written.and_then(|role| MessageRole::deserialize(role).ok());
    if known.is_none() {
        let (message, help) = match written {
            Some(name) => (
                format!("unknown role: {}", shown(name)),
                did_you_mean(name.as_str().unwrap_or_default(), ROLES, roles),
            ),
            None => ("a message has no `role`".to_owned(), roles()),
        };
        problems.push(Problem::new(&format!("{at}/role"), message, help));
    }
    known
}

/// Reads text or parts. An assistant that calls tools, and a tool, may say nothing.
fn content(
    at: &str,
    map: &Map<String, Value>,
    role: Option<MessageRole>,
    calls: bool,
    problems: &mut Vec<Problem>,
) -> (String, Vec<Image>) {
    let place = format!("{at}/content");
    let may_be_empty = calls || role == Some(MessageRole::Tool);
    let found = match map.get("content") {
        Some(Value::String(text)) if may_be_empty || !text.trim().is_empty() => {
            return (text.clone(), Vec::new());
        }
        Some(Value::Array(parts)) if !parts.is_empty() => return self::parts(&place, parts, role, problems),
        None | Some(Value::Null) if may_be_empty => return Default::default(),
        found => found.map_or("none".to_owned(), shown),
    };
    let message = format!("the `content` of a message must be text or a list of parts, found {found}");
    problems.push(Problem::new(&place, message, PARTS));
    Default::default()
}

/// Reads parts: texts are joined by blank lines, images follow them.
fn parts(
    at: &str,
    parts: &[Value],
    role: Option<MessageRole>,
    problems: &mut Vec<Problem>,
) -> (String, Vec<Image>) {
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for (index, part) in parts.iter().enumerate() {
        let place = format!("{at}/{index}");
        match self::part(part) {
            Ok(Part::Text(text)) => texts.push(text.to_owned()),
            Ok(Part::Image(_)) if role.is_some_and(|role| role != MessageRole::User) => {
                let role = role.map_or("", MessageRole::as_str);
                let message = format!("an image in a message of the role {role}, which is text alone");
                problems.push(Problem::new(&place, message, "put it into a message of the user"));
            }
            Ok(Part::Image(url)) => images.push(Image { url }),
            Err((message, help)) => problems.push(Problem::new(&place, message, help)),
        }
    }
    (texts.join("\n\n"), images)
}

enum Part<'a> {
    Text(&'a str),
    Image(String),
}

fn part(part: &Value) -> Result<Part<'_>, (String, String)> {
    let invalid = |message: String| (message, PARTS.to_owned());
    let Value::Object(map) = part else {
        return Err(invalid(format!("a part of a message must be a map, found {}", shown(part))));
    };
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    if let Some(image) = map.get("image") {
        let path = image
            .as_str()
            .ok_or_else(|| invalid(format!("`image` must be the path of a file, found {}", shown(image))))?;
        let path = path.strip_prefix("file://").unwrap_or(path);
        let is_address = path.starts_with("https:") || path.starts_with("data:");
        return if is_address { images::address(path) } else { images::path(path) }.map(Part::Image);
    }
    match text("type") {
        Some("text" | "input_text" | "output_text") => text("text")
            .map(Part::Text)
            .ok_or_else(|| invalid("a part of the type text has no `text`".to_owned())),
        Some("image_url") => {
            let url = map.get("image_url").map(|image| image.get("url").unwrap_or(image));
            let url = url.and_then(Value::as_str);
            let url =
                url.ok_or_else(|| invalid("a part of the type image_url has no `image_url.url`".to_owned()))?;
            images::address(url).map(Part::Image)
        }
        Some(other) => Err(invalid(format!("unknown type of a part: {}", shown(&Value::from(other))))),
        None => Err(invalid("a part of a message has no `type`".to_owned())),
    }
}

fn tool_calls(
    at: &str,
    map: &Map<String, Value>,
    role: Option<MessageRole>,
    problems: &mut Vec<Problem>,
) -> Vec<ToolCall> {
    let place = format!("{at}/tool_calls");
    let items = match map.get("tool_calls") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) if items.is_empty() => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => {
            let message = format!("`tool_calls` must be a list, found {}", shown(other));
            problems.push(Problem::new(&place, message, CALLS));
            return Vec::new();
        }
    };
    if role.is_some_and(|role| role != MessageRole::Assistant) {
        let message = "`tool_calls` outside of a message of the assistant";
        problems.push(Problem::new(&place, message, "only the assistant calls tools"));
        return Vec::new();
    }
    let mut calls = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match call(item) {
            Some(call) => calls.push(call),
            None => {
                let message = "a tool call needs a `name`, and `arguments` that are text or a map";
                problems.push(Problem::new(&format!("{place}/{index}"), message, CALLS));
            }
        }
    }
    calls
}

fn call(value: &Value) -> Option<ToolCall> {
    let function = value.get("function").filter(|function| function.is_object()).unwrap_or(value);
    let name = function.get("name")?.as_str().filter(|name| !name.trim().is_empty())?;
    let arguments = match function.get("arguments") {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(map @ Value::Object(_)) => map.to_string(),
        Some(_) => return None,
    };
    let id = match value.get("id") {
        None | Some(Value::Null) => None,
        Some(id) => Some(id.as_str().filter(|id| !id.is_empty())?.to_owned()),
    };
    Some(ToolCall { id, name: name.to_owned(), arguments })
}

fn tool_call_id(
    at: &str,
    map: &Map<String, Value>,
    role: Option<MessageRole>,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let place = format!("{at}/tool_call_id");
    let written = map.get("tool_call_id").filter(|value| !value.is_null());
    match (role, written) {
        (Some(MessageRole::Tool), Some(Value::String(id))) if !id.is_empty() => return Some(id.clone()),
        (Some(MessageRole::Tool), _) => {
            let message = "a message of the role tool has no `tool_call_id`";
            let help =
                "write the id of the call whose result it is: {role: tool, tool_call_id: call_1, content: …}";
            problems.push(Problem::new(if written.is_some() { &place } else { at }, message, help));
        }
        (Some(_), Some(_)) => {
            let message = "`tool_call_id` outside of a message of the role tool";
            problems.push(Problem::new(&place, message, "remove it, or write `role: tool`"));
        }
        _ => {}
    }
    None
}

/// Checks that results follow their calls, as every API requires.
fn check_results(messages: &[(usize, Message)], problems: &mut Vec<Problem>) {
    let mut open: Vec<&str> = Vec::new();
    let mut caller = 0;
    let unanswered = |index: usize, open: &[&str]| {
        let message = format!("the tool call `{}` has no result", open.first().copied().unwrap_or_default());
        let help = "a message of the role tool with its id follows each call, before any other message";
        Problem::new(&format!("/{index}"), message, help)
    };
    for (index, message) in messages {
        if message.role == MessageRole::Tool {
            let id = message.tool_call_id.as_deref().unwrap_or_default();
            match open.iter().position(|open| *open == id) {
                Some(at) => {
                    open.remove(at);
                }
                None => problems.push(Problem::new(
                    &format!("/{index}/tool_call_id"),
                    format!("no tool call before this result has the id {}", shown(&Value::from(id))),
                    "give the call that `id`, in the message of the assistant before it",
                )),
            }
            continue;
        }
        if !open.is_empty() {
            problems.push(unanswered(caller, &open));
        }
        caller = *index;
        open = message.tool_calls.iter().map(|call| call.id.as_deref().unwrap_or_default()).collect();
    }
    if !open.is_empty() {
        problems.push(unanswered(caller, &open));
    }
}
