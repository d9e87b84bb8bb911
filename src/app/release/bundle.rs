//! Prompts and their assignments as files, to ship in an image.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::resolve::{self, fold, names, production, record_in};
use super::wire;
use crate::app::files::write_whole;
use crate::app::{Failure, pretty_json};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::ports::{LedgerStore, Tip};
use promptgate_release::{Name, PortError, RELEASES_FILE, Record, ReleaseEntry, Releases, State, Variant};
use promptgate_report::release::bundle::{
    Bundle, BundleEntry, BundledPrompt, BundledReleases, MANIFEST_FILE, PROMPT_SCHEMA, SCHEMA,
};

/// Reads of the ledger, while others write it, until all parts are of one moment.
const MAX_ATTEMPTS: u32 = 3;

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

/// Writes the version that production serves of each prompt, that of a rollout, the assignments, and a manifest. Files are
/// written whole, the manifest last; the same ledger gives the same bytes.
///
/// # Errors
/// An unknown name, a named prompt without a version in production, nothing to write, a ledger that is damaged or not
/// available, a file that cannot be written.
pub(crate) async fn bundle(ledger: &dyn LedgerStore, options: &BundleOptions) -> Result<Bundled, Failure> {
    let Contents { files, releases, left_out } = contents(ledger, &options.names).await?;
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
    let text =
        releases.text().map_err(|error| Failure::Internal(format!("could not write JSON: {error}")))?;
    write_text(&options.out.join(RELEASES_FILE), &text)?;
    let releases = BundledReleases {
        file: RELEASES_FILE.to_owned(),
        file_digest: sha256(text.as_bytes()),
        seq: releases.seq,
    };
    let prompts = files.into_iter().map(|(entry, _)| entry).collect();
    let manifest = Bundle { schema: SCHEMA.to_owned(), prompts, releases };
    let path = options.out.join(MANIFEST_FILE);
    write_text(&path, &pretty_json(&manifest, "the manifest")?)?;
    Ok(Bundled { manifest, path, left_out })
}

/// The contents of a bundle.
struct Contents {
    /// The files of the prompts with their entries.
    files: Vec<(BundleEntry, String)>,
    /// The assignments of these prompts.
    releases: Releases,
    left_out: Vec<Name>,
}

/// Reads prompts and assignments of the same moment.
async fn contents(ledger: &dyn LedgerStore, wanted: &[Name]) -> Result<Contents, Failure> {
    for _ in 0..MAX_ATTEMPTS {
        let mut releases = ledger.releases().await?;
        let mut contents =
            Contents { files: Vec::new(), releases: Releases::default(), left_out: Vec::new() };
        let mut is_one_moment = true;
        for name in names(ledger, wanted).await? {
            let history = ledger.history(&name).await?;
            let state = fold(ledger, &name, &history.events)?;
            let entry = ReleaseEntry::of(&state);
            is_one_moment &= releases.prompts.remove(&name) == entry;
            let Some(entry) = entry else {
                contents.left_out.push(name);
                continue;
            };
            contents.files.extend(prompts(ledger, &name, &state, history.tip.as_ref()).await?);
            contents.releases.prompts.insert(name, entry);
        }
        contents.releases.seq = releases.seq;
        if is_one_moment {
            return Ok(contents);
        }
    }
    Err(PortError::Damaged(format!(
        "{}: {RELEASES_FILE} is not that of the events (help: the next append writes it again)",
        ledger.location()
    ))
    .into())
}

/// The files of a prompt with their entries.
async fn prompts(
    ledger: &dyn LedgerStore,
    name: &Name,
    state: &State,
    tip: Option<&Tip>,
) -> Result<Vec<(BundleEntry, String)>, Failure> {
    let control = production(ledger, name, state).await?.map(|record| (Variant::Control, record));
    let treatment = match &state.rollout {
        Some(rollout) => {
            let record = record_in(ledger, name, state, rollout.start.treatment).await?;
            Some((Variant::Treatment, record))
        }
        None => None,
    };
    control.into_iter().chain(treatment).map(|(variant, record)| file(variant, &record, tip)).collect()
}

/// The file of a version with its entry.
fn file(variant: Variant, record: &Record, tip: Option<&Tip>) -> Result<(BundleEntry, String), Failure> {
    let prompt = BundledPrompt {
        schema: PROMPT_SCHEMA.to_owned(),
        name: record.name.to_string(),
        version: record.version.to_string(),
        digest: record.digest.to_string(),
        content: wire::content(&record.content),
    };
    let text = pretty_json(&prompt, "a prompt")?;
    let entry = BundleEntry {
        // No name has an `@`, so no prompt's file is another prompt's folder.
        file: format!("{}@{}.json", prompt.name, prompt.version),
        name: prompt.name,
        version: prompt.version,
        variant: variant.as_str().to_owned(),
        digest: prompt.digest,
        file_digest: sha256(text.as_bytes()),
        ledger_position: tip.map(ToString::to_string),
    };
    Ok((entry, text))
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
    use super::super::testing::{begin_rollout, error, ledger, name, record, text, without_labels};
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
        for file in [MANIFEST_FILE, RELEASES_FILE, "support/reply@1.0.0.json"] {
            let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(file)).unwrap();
            assert_eq!(read(&first), read(&second));
        }
    }

    #[tokio::test]
    async fn rollout_is_in_the_bundle_with_both_versions() {
        let ledger = ledger().await;
        begin_rollout(&ledger, "salt", &[500]).await;
        let folder = tempfile::tempdir().unwrap();
        let bundled = bundle(&ledger, &options(folder.path(), &[])).await.unwrap();
        let entries: Vec<_> =
            bundled.manifest.prompts.iter().map(|it| (it.version.as_str(), it.variant.as_str())).collect();
        assert_eq!(entries, [("1.0.0", "control"), ("1.1.0", "treatment")]);
        assert!(folder.path().join("support/reply@1.1.0.json").exists());
        let text = std::fs::read_to_string(folder.path().join(RELEASES_FILE)).unwrap();
        assert_eq!(Releases::parse(&text), Ok(ledger.releases().await.unwrap()));
        assert_eq!(sha256(text.as_bytes()), bundled.manifest.releases.file_digest);
        assert_eq!(bundled.manifest.releases.seq, 2);
        // The types of the schema have the same JSON.
        let wire: promptgate_report::release::releases::Releases = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string_pretty(&wire).unwrap() + "\n", text);

        ledger
            .publish(
                record(&name("other"), "1.0.0", 1, super::super::testing::text("Be kind.")),
                "2026-11-06T10:00:00Z",
            )
            .await;
        let part = bundle(&ledger, &options(folder.path(), &["support/reply"])).await.unwrap();
        assert_eq!(part.manifest.releases.seq, 2);
    }

    #[tokio::test]
    async fn assignments_that_are_not_those_of_the_events_are_not_exported() {
        let ledger = ledger().await;
        ledger.memory.replace_releases(Releases::default());
        let folder = tempfile::tempdir().unwrap();
        let Err(Failure::Incomplete(diagnostics)) = bundle(&ledger, &options(folder.path(), &[])).await
        else {
            panic!("exported")
        };
        assert!(
            diagnostics.0[0].message.contains("releases.json is not that of the events"),
            "{diagnostics:?}"
        );
        assert!(!folder.path().join(MANIFEST_FILE).exists());
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
