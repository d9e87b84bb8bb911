//! Parses workflow commands as the GitHub Actions runner does, written independently of the code under test.

/// A workflow command.
#[derive(Debug, PartialEq)]
pub struct Command {
    /// The name.
    pub name: String,
    /// The properties, in order.
    pub properties: Vec<(String, String)>,
    /// The text after the command.
    pub data: String,
}

/// Splits a text into lines as the runner does: at `\n`, `\r` and `\r\n`.
pub fn lines(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").split(['\n', '\r']).map(str::to_owned).collect()
}

/// Removes the characters that a culture-sensitive comparison ignores.
pub fn without_width(text: &str) -> String {
    let is_ignored = |c: char| {
        matches!(c, '\u{AD}' | '\u{34F}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
    };
    text.chars().filter(|c| !is_ignored(*c)).collect()
}

/// Parses `::name key=value,…::data` at the start of a line, after any white space.
pub fn second_form(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (command, data) = rest.split_once("::")?;
    let (name, properties) = command.split_once(' ').unwrap_or((command, ""));
    let unescape = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    };
    let properties = properties.split(',').filter(|pair| !pair.is_empty()).filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.trim().to_owned(), unescape(value)))
    });
    let data = data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    Some(Command { name: name.to_owned(), properties: properties.collect(), data })
}

/// Whether a line contains `##[name …]data`.
pub fn first_form(line: &str) -> bool {
    line.find("##[").is_some_and(|at| line[at..].contains(']'))
}

/// Whether a text contains a workflow command.
pub fn has_command(text: &str) -> bool {
    lines(text).iter().any(|line| {
        let bare = without_width(line);
        second_form(line).is_some() || second_form(&bare).is_some() || first_form(line) || first_form(&bare)
    })
}

/// Parses the names and values of a `GITHUB_OUTPUT` file.
pub fn outputs(text: &str) -> Vec<(String, String)> {
    let mut outputs = Vec::new();
    let mut rest = lines(text).into_iter();
    while let Some(line) = rest.next() {
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match (equals, heredoc) {
            (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
                outputs.push((line[..equals].to_owned(), line[equals + 1..].to_owned()));
            }
            (_, Some(heredoc)) => {
                let end = line[heredoc + 2..].to_owned();
                let value: Vec<String> = rest.by_ref().take_while(|line| *line != end).collect();
                outputs.push((line[..heredoc].to_owned(), value.join("\n")));
            }
            _ => assert!(line.is_empty(), "{line:?}"),
        }
    }
    outputs
}
