//! The self-test of the judges before the first case.

use super::Engine;
use promptgate_core::model::{Ended, Fault, FaultKind, SelfTest};

impl Engine {
    /// Runs the self-test of the judges; `None` if there is no judge or the self-test is off.
    ///
    /// # Errors
    /// The end of the run: an interrupt, a fault, or a failed self-test with its outcome.
    pub async fn self_test(&self) -> Result<Option<SelfTest>, (Ended, Option<SelfTest>)> {
        let tested = tokio::select! {
            biased;
            () = self.interrupted.cancelled() => return Err((Ended::Interrupted, None)),
            tested = self.scorers.self_test() => tested.map_err(|fault| (Ended::Stopped(in_self_test(fault)), None))?,
        };
        let Some(outcome) = tested.as_ref().filter(|outcome| !outcome.passed()) else { return Ok(tested) };
        let failed = outcome.rows.len() - outcome.passed_count();
        let message = match outcome.rows.iter().all(|row| row.scores.iter().all(Option::is_none)) {
            true => "the judge failed its self-test: it gave no valid verdict".to_owned(),
            false => format!(
                "the judge failed its self-test: {failed} of {} planted answers came out wrong",
                outcome.rows.len()
            ),
        };
        let fault = Fault::new(FaultKind::UnfitJudge, message)
            .help("choose a stronger judge model; the scores of this one would be meaningless");
        Err((Ended::Stopped(fault), tested))
    }
}

/// The fault of a call in the self-test. The call comes first and last its place: the judge is not to blame for a network,
/// and a key is missing wherever it is used first.
fn in_self_test(fault: Fault) -> Fault {
    let message = match fault.kind {
        FaultKind::MissingCredentials => fault.message.clone(),
        _ => format!("{} (in the self-test of the judge)", fault.message),
    };
    let help = match fault.kind {
        // The planted answers are short, and the user cannot shorten them.
        FaultKind::ContextLength => Some("choose a judge model with a longer context".to_owned()),
        _ => fault.help.clone(),
    };
    Fault { message, help, ..fault }
}
