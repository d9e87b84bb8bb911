//! Prompts as files, to ship in an image.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::resolve::{self, fold, names, production};
use super::wire;
use crate::app::files::write_whole;
use crate::app::{Failure, pretty_json};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::Name;
use promptgate_release::ports::LedgerStore;
use promptgate_report::release::bundle::{
    Bundle, BundleEntry, BundledPrompt, MANIFEST_FILE, PROMPT_SCHEMA, SCHEMA,
};

/// The folder of a bundle where none is named.
pub(crate) const DEFAULT_BUNDLE_FOLDER: &str = "promptgate-bundle";

/// Options of a bundle.
#[derive(Debug, Clone)]
pub(crate) struct BundleOptions {
    /// The folder.
    pub(crate) out: PathBuf,
    /// The prompts; all of the ledger that production serves if empty.
    pub(crate) names: Vec<Name>,
}

/// A bundle that was written.
#[derive(Debug, Clone)]
pub(crate) struct Bundled {
    /// Its manifest.
    pub(crate) manifest: Bundle,
    /// The path of the manifest.
    pub(crate) path: PathBuf,
    /// Prompts that were left out because production serves no version of them.
    pub(crate) left_out: Vec<Name>,
}

/// Writes the version that production serves of each prompt, and a manifest. Files are written whole, the manifest last;
/// the same ledger gives the same bytes.
///
/// # Errors
/// An unknown name, a named prompt without a version in production, nothing to write, a ledger that is damaged or not
/// available, a file that cannot be written.
pub(crate) async fn bundle(ledger: &dyn LedgerStore, options: &BundleOptions) -> Result<Bundled, Failure> {
    let mut files = Vec::new();
    let mut left_out = Vec::new();
    for name in names(ledger, &options.names).await? {
        match prompt(ledger, &name).await? {
            Some(file) => files.push(file),
            None => left_out.push(name),
        }
    }
    if let Some(name) = left_out.first().filter(|_| !options.names.is_empty() || files.is_empty()) {
        return Err(Diagnostic::new(format!("production serves no version of {name}"))
            .help(format!("`promptgate status {name}` shows what waits for what"))
            .into());
    }
    if files.is_empty() {
        return Err(Diagnostic::new("the ledger has no prompts")
            .at(Place::file(ledger.location()))
            .help(format!("`promptgate publish` adds the first version{}", resolve::fetched(ledger)))
            .into());
    }
    for (entry, text) in &files {
        write_text(&options.out.join(&entry.file), text)?;
    }
    let prompts = files.into_iter().map(|(entry, _)| entry).collect();
    let manifest = Bundle { schema: SCHEMA.to_owned(), prompts };
    let path = options.out.join(MANIFEST_FILE);
    write_text(&path, &pretty_json(&manifest, "the manifest")?)?;
    Ok(Bundled { manifest, path, left_out })
}

/// The file of a prompt with its entry; `None` if production serves no version of it.
async fn prompt(ledger: &dyn LedgerStore, name: &Name) -> Result<Option<(BundleEntry, String)>, Failure> {
    let history = ledger.history(name).await?;
    let state = fold(ledger, name, &history.events)?;
    let Some(record) = production(ledger, name, &state).await? else { return Ok(None) };
    let version = record.version;
    let prompt = BundledPrompt {
        schema: PROMPT_SCHEMA.to_owned(),
        name: name.to_string(),
        version: version.to_string(),
        digest: record.digest.to_string(),
        content: wire::content(&record.content),
    };
    let text = pretty_json(&prompt, "a prompt")?;
    let entry = BundleEntry {
        name: prompt.name,
        version: prompt.version,
        digest: prompt.digest,
        // No name has an `@`, so no prompt's file is another prompt's folder.
        file: format!("{name}@{version}.json"),
        file_digest: sha256(text.as_bytes()),
        ledger_position: history.tip.map(|tip| tip.to_string()),
    };
    Ok(Some((entry, text)))
}

fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    write_whole(path, |out| out.write_all(text.as_bytes()))
}

fn sha256(bytes: &[u8]) -> String {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digest}")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, ledger, name, record, text, without_labels};
    use super::*;
    use promptgate_release::Content;

    fn options(out: &Path, names: &[&str]) -> BundleOptions {
        BundleOptions { out: out.to_owned(), names: names.iter().map(|it| name(it)).collect() }
    }

    #[tokio::test]
    async fn bundle_has_what_production_serves() {
        let ledger = ledger().await;
        ledger.publish(record(&name("draft"), "1.0.0", 1, text("Be kind.")), "2026-11-06T10:00:00Z").await;
        let folder = tempfile::tempdir().unwrap();
        let bundled = bundle(&ledger, &options(folder.path(), &[])).await.unwrap();
        assert_eq!(bundled.left_out, [name("draft")]);
        let [entry] = bundled.manifest.prompts.as_slice() else { panic!("{bundled:?}") };
        assert_eq!(entry.file, "support/reply@1.0.0.json");
        let bytes = std::fs::read(folder.path().join(&entry.file)).unwrap();
        assert_eq!(sha256(&bytes), entry.file_digest);
        // The digest is that of the content in the file, so that an image can be verified without a ledger.
        let written: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let content: Content = serde_json::from_value(written["content"].clone()).unwrap();
        assert_eq!(content.digest().to_string(), entry.digest);
    }

    #[tokio::test]
    async fn bundles_of_the_same_ledger_are_equal() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ledger = ledger().await;
        for folder in [&first, &second] {
            bundle(&ledger, &options(folder.path(), &["support/reply"])).await.unwrap();
        }
        for file in [MANIFEST_FILE, "support/reply@1.0.0.json"] {
            let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(file)).unwrap();
            assert_eq!(read(&first), read(&second));
        }
    }

    #[tokio::test]
    async fn nothing_in_production_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let named = bundle(&without_labels().await, &options(folder.path(), &["support/reply"])).await;
        assert_eq!(error(named).message, "production serves no version of support/reply");
        error(bundle(&without_labels().await, &options(folder.path(), &[])).await);
        assert!(!folder.path().join(MANIFEST_FILE).exists());
    }
}
