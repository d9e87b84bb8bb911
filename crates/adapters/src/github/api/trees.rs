//! Object names of files in a commit, without a clone of it.

use std::collections::HashMap;

use serde_json::Value;

use super::client::Client;
use super::error::ApiError;
use super::read::{text, unexpected};

/// Returns git's object names of files in a commit of the repository or one of its forks; `None` for what is not a
/// regular file. Equal names are equal bytes.
///
/// # Errors
/// Failed calls, responses of another form, and folders with more entries than GitHub lists.
pub async fn blob_names(
    client: &Client,
    repository: &str,
    commit: &str,
    paths: &[String],
) -> Result<Vec<Option<String>>, ApiError> {
    let mut trees: HashMap<String, Vec<Value>> = HashMap::new();
    let mut names = Vec::new();
    for path in paths {
        let mut parts = path.split('/').peekable();
        let mut tree = Some(commit.to_owned());
        let mut name = None;
        while let (Some(part), Some(id)) = (parts.next(), tree.take()) {
            if !trees.contains_key(&id) {
                let entries = entries(client, repository, &id).await?;
                trees.insert(id.clone(), entries);
            }
            let entry = trees.get(&id).and_then(|entries| {
                entries.iter().find(|entry| entry.get("path").and_then(Value::as_str) == Some(part))
            });
            let Some(entry) = entry else { break };
            let is_last = parts.peek().is_none();
            match text(entry, "/mode").as_deref() {
                Some("040000") if !is_last => tree = text(entry, "/sha"),
                Some("100644" | "100755" | "100664") if is_last => name = text(entry, "/sha"),
                _ => {}
            }
        }
        names.push(name);
    }
    Ok(names)
}

async fn entries(client: &Client, repository: &str, id: &str) -> Result<Vec<Value>, ApiError> {
    let mut tree = client.read(&format!("repos/{repository}/git/trees/{id}")).await?;
    if tree.get("truncated") != Some(&Value::Bool(false)) {
        return Err(unexpected("all entries of a folder"));
    }
    match tree.get_mut("tree").map(Value::take) {
        Some(Value::Array(entries)) => Ok(entries),
        _ => Err(unexpected("the entries of a folder")),
    }
}
