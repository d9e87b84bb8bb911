//! `prompt`: the path of the candidate's prompt.

use super::load::Reader;

/// Extensions of programs that other tools run to make a prompt.
const PROGRAMS: [&str; 8] = ["cjs", "cts", "js", "mjs", "mts", "py", "rb", "ts"];

/// Returns the path; reports the text of a prompt, a URL and a program.
pub(super) fn resolve(reader: &mut Reader<'_>, prompt: String) -> Option<String> {
    let Some((message, help)) = mistake(&prompt) else { return Some(prompt) };
    reader.report("/prompt", message, help);
    None
}

/// Returns why a value is not a path, and the next step.
fn mistake(prompt: &str) -> Option<(&'static str, String)> {
    if prompt.trim().contains('\n') || prompt.contains("{{") {
        let help = "write the text to a file such as prompts/NAME.md, which git can compare, and `prompt: prompts/NAME.md`";
        return Some(("`prompt` must be the path of a file, found the text of a prompt", help.to_owned()));
    }
    if let Some(path) = prompt.strip_prefix("file://") {
        return Some(("`prompt` must be a path, found a URL", format!("write `prompt: {path}`")));
    }
    // A function may follow a colon, as in `make.py:refund`.
    let file = prompt.rsplit_once(':').map_or(prompt, |(file, _)| file);
    let extension = file.rsplit_once('.').map(|(_, extension)| extension.to_lowercase())?;
    PROGRAMS.contains(&extension.as_str()).then(|| {
        let help = "write its text to a file in a step before promptgate, or evaluate the program that uses it with `target:`";
        ("prompts are not made by programs", help.to_owned())
    })
}
