//! The self-test of the judges, before the first case.

use super::Engine;
use promptgate_core::model::{Ended, Fault, FaultKind, SelfTest};

impl Engine {
    /// Tries the judges on planted answers; `None` where they are not to be tried.
    ///
    /// # Errors
    /// How the run ended instead: interrupted, stopped by a fault, or by a judge that failed, whose outcome comes
    /// with it.
    pub async fn self_test(&self) -> Result<Option<SelfTest>, (Ended, Option<SelfTest>)> {
        let tested = tokio::select! {
            biased;
            () = self.interrupted.cancelled() => return Err((Ended::Interrupted, None)),
            tested = self.scorers.self_test() => tested.map_err(|fault| (Ended::Stopped(out_of_reach(fault)), None))?,
        };
        let Some(outcome) = tested.as_ref().filter(|outcome| !outcome.passed()) else { return Ok(tested) };
        let wrong = outcome.rows.len() - outcome.passed_count();
        let message = match outcome.rows.iter().all(|row| row.scores.iter().all(Option::is_none)) {
            true => "the judge failed its self-test: it gave no valid verdict".to_owned(),
            false => format!(
                "the judge failed its self-test: {wrong} of {} planted answers came out wrong",
                outcome.rows.len()
            ),
        };
        let fault = Fault::new(FaultKind::UnfitJudge, message)
            .help("choose a stronger judge model; its scores would say nothing of the answers");
        Err((Ended::Stopped(fault), tested))
    }
}

/// The same fault, said to have come before the first case.
fn out_of_reach(fault: Fault) -> Fault {
    let message = format!("the judge could not be asked in its self-test: {}", fault.message);
    let help = match fault.kind {
        // The planted texts are short and not the user's to shorten.
        FaultKind::ContextLength => Some("choose a judge model with a longer context".to_owned()),
        _ => fault.help.clone(),
    };
    Fault { message, help, ..fault }
}
