//! Puts labelled answers to the judge, many at a time.

use futures::StreamExt;
use futures::stream;

use crate::judge::Judge;
use promptgate_core::model::{Completion, Ended, Grade, Outcome};
use promptgate_core::port::{ChatModel, Event, EventSink, Subject};

use super::Answer;

/// What the judge says of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// One grade per repeat.
    pub grades: Vec<Grade>,
}

impl Judged {
    /// The score of the first repeat, which is what a run would have got; `None` where it is missing.
    pub fn score(&self) -> Option<f64> {
        self.grades.first().and_then(Grade::score)
    }

    /// The scores of all repeats; `None` where one is missing.
    pub fn scores(&self) -> Option<Vec<f64>> {
        self.grades.iter().map(Grade::score).collect()
    }
}

/// Judges every answer `repeats` times, on the same way as in a run; `at_once` judgements are under way together.
///
/// # Errors
/// How it ended instead: a fault after which nothing more can come.
pub async fn judge_all(
    judge: &Judge,
    models: &[&dyn ChatModel],
    answers: &[Answer],
    repeats: u32,
    at_once: usize,
    sink: &dyn EventSink,
) -> Result<Vec<Judged>, Ended> {
    sink.emit(Event::Planned {
        cases: answers.len(),
        completions: answers.len() * repeats as usize,
        judgements: answers.len() * repeats as usize * judge.judgements(),
    });
    let mut came: Vec<(usize, u32, Grade)> = Vec::with_capacity(answers.len() * repeats as usize);
    let mut jobs = (0..repeats).flat_map(|repeat| (0..answers.len()).map(move |index| (index, repeat)));
    let ask = |(index, repeat): (usize, u32)| async move {
        let answer = &answers[index];
        let completion = Completion::from_text(answer.response.as_str());
        let read = answer.read.as_deref().map_err(String::as_str);
        let subject = Subject { case: &answer.case, completion: &completion, answer: read };
        (index, repeat, judge.grade(models, &subject, repeat).await)
    };
    let mut take = |(index, repeat, grade): (usize, u32, Grade)| {
        sink.emit(Event::TrialEnded {
            case: answers[index].id.clone(),
            missing: grade.score().is_none(),
            case_done: repeat + 1 == repeats,
        });
        let stop = match &grade.outcome {
            Outcome::Ungraded(Some(fault)) if fault.kind.ends_run() => Some(Ended::Stopped(fault.clone())),
            _ => None,
        };
        came.push((index, repeat, grade));
        stop.map_or(Ok(()), Err)
    };
    // One goes ahead: a wrong key is refused once, not by all at once.
    if let Some(first) = jobs.next() {
        take(ask(first).await)?;
    }
    let mut under_way = stream::iter(jobs).map(ask).buffer_unordered(at_once.max(1));
    while let Some(done) = under_way.next().await {
        take(done)?;
    }
    drop(under_way);
    came.sort_by_key(|(index, repeat, _)| (*index, *repeat));
    let mut judged: Vec<Judged> = answers.iter().map(|_| Judged { grades: Vec::new() }).collect();
    for (index, _, grade) in came {
        judged[index].grades.push(grade);
    }
    Ok(judged)
}
