//! Concurrent grading of labeled answers by the judge.

use futures::StreamExt;
use futures::stream;

use crate::judge::Judge;
use promptgate_core::model::{Completion, Ended, Grade, Outcome};
use promptgate_core::port::{ChatModel, Event, EventSink, Subject};

use super::LabeledAnswer;

/// The grades of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedAnswer {
    /// One grade per repeat.
    pub grades: Vec<Grade>,
}

impl JudgedAnswer {
    /// The score of the first repeat, as in a run; `None` if it is missing.
    pub fn score(&self) -> Option<f64> {
        self.grades.first().and_then(Grade::score)
    }

    /// The scores of all repeats; `None` if one is missing.
    pub fn scores(&self) -> Option<Vec<f64>> {
        self.grades.iter().map(Grade::score).collect()
    }
}

/// Judges every answer `repeats` times as a run does, with at most `concurrency` judgements in flight.
///
/// # Errors
/// The end of the calibration by a fault that ends a run.
pub async fn judge_all(
    judge: &Judge,
    models: &[&dyn ChatModel],
    answers: &[LabeledAnswer],
    repeats: u32,
    concurrency: usize,
    sink: &dyn EventSink,
) -> Result<Vec<JudgedAnswer>, Ended> {
    sink.emit(Event::Planned {
        cases: answers.len(),
        completions: answers.len() * repeats as usize,
        judgements: answers.len() * repeats as usize * judge.judgements(),
    });
    let mut grades: Vec<(usize, u32, Grade)> = Vec::with_capacity(answers.len() * repeats as usize);
    let mut jobs = (0..repeats).flat_map(|repeat| (0..answers.len()).map(move |index| (index, repeat)));
    let grade = |(index, repeat): (usize, u32)| async move {
        let answer = &answers[index];
        let completion = Completion::from_text(answer.response.as_str());
        let extracted = answer.extracted.as_deref().map_err(String::as_str);
        let subject = Subject { case: &answer.case, completion: &completion, answer: extracted };
        (index, repeat, judge.grade(models, &subject, repeat).await)
    };
    let mut add = |(index, repeat, grade): (usize, u32, Grade)| {
        sink.emit(Event::TrialEnded {
            case: answers[index].id.clone(),
            missing: grade.score().is_none(),
            case_done: repeat + 1 == repeats,
        });
        let stop = match &grade.outcome {
            Outcome::Ungraded(Some(fault)) if fault.kind.ends_run() => Some(Ended::Stopped(fault.clone())),
            _ => None,
        };
        grades.push((index, repeat, grade));
        stop.map_or(Ok(()), Err)
    };
    // The first one runs alone, so that a wrong key is refused once and not by all of them at once.
    if let Some(first) = jobs.next() {
        add(grade(first).await)?;
    }
    let mut in_flight = stream::iter(jobs).map(grade).buffer_unordered(concurrency.max(1));
    while let Some(done) = in_flight.next().await {
        add(done)?;
    }
    drop(in_flight);
    grades.sort_by_key(|(index, repeat, _)| (*index, *repeat));
    let mut judged: Vec<JudgedAnswer> = answers.iter().map(|_| JudgedAnswer { grades: Vec::new() }).collect();
    for (index, _, grade) in grades {
        judged[index].grades.push(grade);
    }
    Ok(judged)
}
