//! The run of one shard: its cases are answered and graded, and its file is written; nothing is decided.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::plan::PlanFacts;
use crate::app::Failure;
use crate::app::files::write_whole;
use promptgate_core::model::Run;
use promptgate_core::text::{Redactor, neutral};
use promptgate_engine::evaluate::{self, CallCounter, Header, ShardRun};
use promptgate_engine::execute::{Engine, Plan, Scorers};
use promptgate_report::FileSpool;
use promptgate_report::shard::{Shard, ShardContext, ShardFile};
use promptgate_report::v1::EndedKind;

/// A shard before its first call.
pub(in crate::app) struct Part {
    context: ShardContext,
    scorers: Vec<String>,
    repeats: u32,
}

/// A shard that ended; its file is written.
pub(crate) struct ShardResult {
    /// How it ended.
    pub(crate) ended: EndedKind,
    /// The text of its file.
    pub(crate) json: String,
    /// A summary in a few lines.
    pub(crate) summary: String,
}

/// Where the file of a shard goes.
pub(in crate::app) struct ShardOutput<'a> {
    /// The folder.
    pub(in crate::app) folder: &'a Path,
    /// Knows the secrets of the run.
    pub(in crate::app) redactor: &'a Redactor,
    /// The texts of the trials.
    pub(in crate::app) spool: &'a Arc<FileSpool>,
}

impl Part {
    /// Removes the cases of other shards from plan and scorers.
    pub(in crate::app) fn cut(
        shard: Shard,
        plan: &mut Plan,
        scorers: &mut Scorers,
        facts: &PlanFacts<'_>,
    ) -> Self {
        let keep: Vec<bool> = plan.dataset().cases.iter().map(|case| shard.holds(&case.id)).collect();
        let context = ShardContext {
            shard,
            places: keep.iter().enumerate().filter(|(_, keep)| **keep).map(|(place, _)| place).collect(),
            parts: facts.parts(plan, scorers),
            policy: facts.policy.clone(),
            inconclusive_passes: facts.inconclusive_passes(),
        };
        plan.retain(&keep);
        scorers.retain(&keep);
        Self { context, scorers: facts.scorers.to_vec(), repeats: facts.policy.schedule().first() }
    }

    /// Answers and grades the cases of the shard, and writes its file.
    pub(in crate::app) async fn run(
        self,
        engine: &Arc<Engine>,
        header: Header,
        earlier: Option<Run>,
        counter: &CallCounter,
        elapsed: impl Fn() -> Duration,
        output: ShardOutput<'_>,
    ) -> Result<ShardResult, Failure> {
        let Self { context, scorers, repeats } = self;
        let shard_run = ShardRun { scorers, repeats, earlier: earlier.as_ref() };
        let run = evaluate::execute_shard(engine, header, shard_run, counter, elapsed).await;
        let file = ShardFile::new(&run, context, Some(output.spool));
        let text = serde_json::to_string(&file)
            .map_err(|error| Failure::Internal(format!("could not write the shard: {error}")))?;
        let json = output.redactor.redact(&text).into_owned() + "\n";
        let path: PathBuf = output.folder.join(file.shard.file_name());
        write_whole(&path, |out| out.write_all(json.as_bytes()))?;
        let summary = output.redactor.redact(&summary(&file, &path)).into_owned();
        Ok(ShardResult { ended: file.report.ended.kind, json, summary })
    }
}

/// A summary of the shard in a few lines.
fn summary(file: &ShardFile, path: &Path) -> String {
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
    let repeats = if file.report.repeats == 1 {
        "1 repeat".to_owned()
    } else {
        format!("{} repeats", file.report.repeats)
    };
    let mut text = format!(
        "SHARD {} of {}  {name}\n      {} of {} cases, {} trials in one look at {repeats}, {} missing\n      {outcome}\n",
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
