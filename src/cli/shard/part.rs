//! A shard at work: its cases are asked and graded, and its file is written; nothing is decided.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::plan::Facts;
use crate::cli::args::RunArguments;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::files::write_whole;
use crate::cli::output;
use crate::cli::progress::Progress;
use promptgate_core::model::Run;
use promptgate_core::text::{Redactor, neutral};
use promptgate_engine::evaluate::{self, CallCounter, Header, ShardRun};
use promptgate_engine::execute::{Engine, Plan, Scorers};
use promptgate_report::Format;
use promptgate_report::shard::{Shard, ShardFile, Whole};
use promptgate_report::spool::FileSpool;
use promptgate_report::v1::EndedKind;

/// A shard before its first call.
pub(in crate::cli) struct Part {
    whole: Whole,
    scorers: Vec<String>,
    repeats: u32,
}

impl Part {
    /// Takes the cases of other shards out of the plan and the scorers.
    pub(in crate::cli) fn cut(
        shard: Shard,
        plan: &mut Plan,
        scorers: &mut Scorers,
        facts: &Facts<'_>,
    ) -> Self {
        let keep: Vec<bool> = plan.dataset().cases.iter().map(|case| shard.holds(&case.id)).collect();
        let whole = Whole {
            shard,
            places: keep.iter().enumerate().filter(|(_, keep)| **keep).map(|(place, _)| place).collect(),
            parts: facts.parts(plan, scorers),
            policy: facts.saved_policy(),
            inconclusive_passes: facts.inconclusive_passes(),
        };
        plan.retain(&keep);
        scorers.retain(&keep);
        Self { whole, scorers: facts.scorers.to_vec(), repeats: facts.policy.schedule().first() }
    }

    /// Asks, grades, writes the file of the shard, and says how it went.
    pub(in crate::cli) async fn carry_out(
        self,
        engine: &Arc<Engine>,
        header: Header,
        earlier: Option<Run>,
        (counter, progress): (&CallCounter, &Progress),
        elapsed: impl Fn() -> Duration,
        (arguments, redactor, spool): (&RunArguments, &Redactor, &Arc<FileSpool>),
    ) -> Result<ExitStatus, Failure> {
        let Self { whole, scorers, repeats } = self;
        let shard_run = ShardRun { scorers, repeats, earlier: earlier.as_ref() };
        let run = tokio::select! {
            run = evaluate::execute_shard(engine, header, shard_run, counter, elapsed) => run,
            never = progress.tick() => match never {},
        };
        progress.finish();
        let file = ShardFile::new(&run, whole, Some(spool));
        let text = serde_json::to_string(&file)
            .map_err(|error| Failure::Internal(format!("could not write the shard: {error}")))?;
        let text = redactor.redact(&text).into_owned() + "\n";
        let path = arguments.out.join(file.shard.file_name());
        write_whole(&path, |out| out.write_all(text.as_bytes()))?;
        match arguments.format {
            Format::Json => output::print(&text)?,
            _ => output::print(&redactor.redact(&summary(&file, &path)))?,
        }
        Ok(status(&file, arguments.advisory))
    }
}

/// Done is 0 whatever the answers are like: the verdict is that of the whole.
fn status(file: &ShardFile, advisory: bool) -> ExitStatus {
    match file.part.ended.kind {
        EndedKind::Completed | EndedKind::FailedFast => ExitStatus::Pass,
        EndedKind::Interrupted => ExitStatus::Interrupted,
        EndedKind::Stopped if advisory => ExitStatus::Pass,
        EndedKind::Stopped => ExitStatus::Incomplete,
    }
}

/// What the shard brought, in a few lines.
fn summary(file: &ShardFile, path: &Path) -> String {
    let counts = &file.counts;
    let shard = file.shard;
    let name = neutral::clip(&neutral::terminal(&file.part.name), 40);
    let again = format!("run `promptgate run --shard {shard}` again");
    let (how, next) = match (file.part.ended.kind, &file.part.ended.fault) {
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
    let repeats =
        if file.part.repeats == 1 { "1 repeat".to_owned() } else { format!("{} repeats", file.part.repeats) };
    let mut text = format!(
        "SHARD {} of {}  {name}\n      {} of {} cases, {} trials in one look at {repeats}, {} missing\n      {how}\n",
        shard.index, shard.of, counts.cases, file.dataset.cases, counts.trials, counts.missing,
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
