//! The run of one shard: its cases are answered and graded, and its file is written; nothing is decided.

use std::path::Path;
use std::sync::Arc;

use super::plan;
use crate::app::Failure;
use crate::app::files::write_whole;
use crate::app::suite::Suite;
use promptgate_core::model::{JudgeFacts, Run};
use promptgate_core::text::{Redactor, neutral};
use promptgate_engine::evaluate::ShardRun;
use promptgate_report::FileSpool;
use promptgate_report::shard::{Shard, ShardContext, ShardFile};
use promptgate_report::v1::EndedKind;

/// A shard before its first call.
pub(in crate::app) struct Part {
    context: ShardContext,
    /// Metric names of the whole run.
    scorers: Vec<String>,
    repeats: u32,
    /// Where the shard was read; `None` for one that is named.
    source: Option<String>,
}

/// A shard that ended; its file is written.
pub(crate) struct ShardResult {
    /// How it ended.
    pub(crate) ended: EndedKind,
    /// The text of its file.
    pub(crate) json: String,
    /// A summary in a few lines.
    pub(crate) summary: String,
    /// Answers that could not be cached.
    pub(crate) unwritten: Vec<Failure>,
}

impl Part {
    /// Removes the cases of other shards from plan and scorers; `endpoint` is the identity of the one that answers.
    pub(in crate::app) fn cut(
        shard: Shard,
        suite: &mut Suite,
        judge: Option<&JudgeFacts>,
        endpoint: &str,
        simulated: bool,
    ) -> Self {
        let keep: Vec<bool> = suite.plan.dataset().cases.iter().map(|case| shard.holds(&case.id)).collect();
        let context = ShardContext {
            shard,
            places: keep.iter().enumerate().filter(|(_, keep)| **keep).map(|(place, _)| place).collect(),
            parts: plan::parts(suite, judge, endpoint, simulated),
            policy: suite.policy.clone(),
            inconclusive_passes: suite.inconclusive_passes(),
            override_by: suite.override_by(),
        };
        let scorers = suite.scorers.metrics();
        suite.plan.retain(&keep);
        suite.scorers.retain(&keep);
        Self { context, scorers, repeats: suite.policy.schedule().first(), source: None }
    }

    /// The same part, whose summary says where the shard was read.
    pub(in crate::app) fn read_from(self, source: Option<String>) -> Self {
        Self { source, ..self }
    }

    /// The shard as the engine needs it.
    pub(in crate::app) fn shard_run<'a>(&self, earlier: Option<&'a Run>) -> ShardRun<'a> {
        ShardRun { scorers: self.scorers.clone(), repeats: self.repeats, earlier }
    }

    /// Writes the file of the shard into a folder.
    pub(in crate::app) fn write(
        self,
        run: &Run,
        spool: &Arc<FileSpool>,
        redactor: &Redactor,
        folder: &Path,
    ) -> Result<ShardResult, Failure> {
        let Self { context, source, .. } = self;
        let file = ShardFile::new(run, context, Some(spool));
        let text = serde_json::to_string(&file)
            .map_err(|error| Failure::Internal(format!("could not write the shard: {error}")))?;
        let json = redactor.redact(&text).into_owned() + "\n";
        let path = folder.join(file.shard.file_name());
        write_whole(&path, |out| out.write_all(json.as_bytes()))?;
        let summary = redactor.redact(&summary(&file, source.as_deref(), &path)).into_owned();
        Ok(ShardResult { ended: file.report.ended.kind, json, summary, unwritten: Vec::new() })
    }
}

/// A summary of the shard in a few lines.
fn summary(file: &ShardFile, source: Option<&str>, path: &Path) -> String {
    let counts = &file.counts;
    let shard = file.shard;
    let name = neutral::clip(&neutral::terminal(&file.report.name), 40);
    let again = format!("run `promptgate run --shard {shard}` again");
    let (outcome, next) = match (file.report.ended.kind, &file.report.ended.fault) {
        (EndedKind::Completed, _) if counts.cases == 0 => {
            ("done: none of the cases belongs to this shard".to_owned(), None)
        }
        (EndedKind::Completed, _) => ("done".to_owned(), None),
        (EndedKind::FailedFast, _) => {
            ("done: stopped early, since the verdict could only be fail".to_owned(), None)
        }
        (EndedKind::Interrupted, _) => ("not done: it was interrupted".to_owned(), Some(again)),
        (EndedKind::Stopped, fault) => {
            let (message, help) = fault
                .as_ref()
                .map_or(("it was stopped", None), |fault| (fault.message.as_str(), fault.help.as_deref()));
            let help = help.map(|help| format!("{}; then {again}", neutral::terminal(help)));
            (format!("not done: {}", neutral::terminal(message)), help.or(Some(again)))
        }
    };
    let repeats = file.report.repeats;
    let repeats = if repeats == 1 { "1 repeat".to_owned() } else { format!("{repeats} repeats") };
    let source = source.map_or_else(String::new, |source| format!("      read from {source}\n"));
    let mut text = format!(
        "SHARD {} of {}  {name}\n{source}      {} of {} cases, {} trials in one look at {repeats}, {} missing\n      {outcome}\n",
        shard.index, shard.of, counts.cases, file.report.dataset.cases, counts.trials, counts.missing,
    );
    if let Some(next) = next {
        text.push_str(&format!("      help: {next}\n"));
    }
    text.push_str(&format!(
        "      no verdict: `promptgate merge DIR` joins all shards and decides\n      {}\n",
        neutral::terminal(&path.display().to_string())
    ));
    text
}
