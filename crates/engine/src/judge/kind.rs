//! Kinds of judges: the trait that each file of the registry implements, and the type that hides it.

use std::fmt;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;

use promptgate_core::model::{Case, Expected, Judging, Score};
use promptgate_core::port::ChatModel;

use super::conversation::{Conversation, Stop};
use super::registry::FixedItem;
use super::reply::{Entry, Form};
use super::request::Payload;
use super::self_test::{PlantedAnswer, planted};
use super::{Member, Needs, ScoreResult};

/// One kind of judge.
pub(super) trait Spec: fmt::Debug + Send + Sync + Sized + 'static {
    /// Name in reports; for a built-in judge also its metric in the configuration.
    const NAME: &'static str;
    /// Its own part of the system message.
    const PROMPT: &'static str;
    /// Fields that it needs of every case.
    const NEEDS: Needs;
    /// Whether it compares two answers instead of grading one.
    const PAIRWISE: bool = false;
    /// Whether it grades only cases that have criteria.
    const ONLY_WITH_CRITERIA: bool = false;
    /// Whether it grades the passages that came with an answer, and not the answer.
    const GRADES_RETRIEVAL: bool = false;
    /// Answers of the self-test that it must score low or high: those for every kind, and its own.
    const PLANTED: &'static [&'static [PlantedAnswer]] = &[planted::FOR_EVERY_KIND];
    /// Fixed items of a checklist, for the simulated judge.
    const ITEMS: &'static [FixedItem] = &[];
    /// The digest of the fingerprint of the judge of the self-test. A change invalidates caches and calibrations.
    #[cfg(test)]
    const FINGERPRINT: &'static str;

    /// The data of one judgement; its entry type gives the form of the reply.
    type Payload: Payload;

    /// The judge that is tried on the planted answers. A kind with settings chooses some that suit these answers.
    fn for_self_test() -> Self;

    /// Settings beside the prompt, such as items or a scale; part of the fingerprint.
    fn settings(&self) -> Value {
        Value::Null
    }

    /// The data of the judgement. It fixes the denominator of the score before the model sees anything.
    ///
    /// # Errors
    /// The case lacks a field, or there is nothing to judge.
    fn payload(&self, case: &Case, answer: &str) -> Result<Self::Payload, Stop>;

    /// The data of a comparison, with the answers in the order in which the judge reads them.
    ///
    /// # Errors
    /// It grades single answers.
    fn pair_payload(&self, _case: &Case, _first: &str, _second: &str) -> Result<Self::Payload, Stop> {
        Err(Stop::Invalid("this judge grades one answer at a time".into()))
    }

    /// Asks for the verdicts and computes the score from them; of a comparison, the score of the first answer.
    ///
    /// # Errors
    /// The reason why there is no score.
    fn score(
        &self,
        conversation: &mut Conversation<'_>,
        payload: &Self::Payload,
    ) -> impl Future<Output = ScoreResult> + Send;
}

/// A row of the registry: the constants of one kind of judge.
#[derive(Clone, Copy)]
pub struct Row {
    name: &'static str,
    needs: Needs,
    pairwise: bool,
    only_with_criteria: bool,
    pub(super) grades_retrieval: bool,
    pub(super) prompt: &'static str,
    pub(super) form: Form,
    planted: &'static [&'static [PlantedAnswer]],
    pub(super) items: &'static [FixedItem],
    #[cfg(test)]
    pub(super) fingerprint: &'static str,
    for_self_test: fn() -> Kind,
}

impl Row {
    pub(super) const fn of<S: Spec>() -> Self {
        Self {
            name: S::NAME,
            needs: S::NEEDS,
            pairwise: S::PAIRWISE,
            only_with_criteria: S::ONLY_WITH_CRITERIA,
            grades_retrieval: S::GRADES_RETRIEVAL,
            prompt: S::PROMPT,
            form: <<S::Payload as Payload>::Entry as Entry>::FORM,
            planted: S::PLANTED,
            items: S::ITEMS,
            #[cfg(test)]
            fingerprint: S::FINGERPRINT,
            for_self_test: || Kind::new(S::for_self_test()),
        }
    }

    /// Name in reports; for a built-in judge also its metric in the configuration.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Fields that the judge needs of every case.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Whether the judge compares two answers.
    pub(super) fn is_pairwise(&self) -> bool {
        self.pairwise
    }

    /// Whether the judge grades the case.
    pub(super) fn applies(&self, case: &Case) -> bool {
        !self.only_with_criteria || !case.criteria.is_empty()
    }

    /// The built-in planted answers: those that must score low, then those that must score high, then ties.
    pub(super) fn planted(&self) -> impl Iterator<Item = &'static PlantedAnswer> {
        let lists = self.planted;
        let of = move |class| lists.iter().copied().flatten().filter(move |answer| answer.expected == class);
        of(Expected::Low).chain(of(Expected::High)).chain(of(Expected::Even))
    }

    /// The judge of the self-test, which for a built-in judge is the judge itself.
    pub(super) fn kind(&self) -> Kind {
        (self.for_self_test)()
    }
}

/// A kind of judge with its settings. The functions of `registry` create one.
#[derive(Clone)]
pub struct Kind {
    pub(super) row: Row,
    spec: Arc<dyn ErasedSpec>,
}

impl Kind {
    pub(super) fn new<S: Spec>(spec: S) -> Self {
        Self { row: Row::of::<S>(), spec: Arc::new(spec) }
    }

    pub(super) fn settings(&self) -> Value {
        self.spec.settings()
    }

    /// Whether it compares two answers.
    pub fn is_pairwise(&self) -> bool {
        self.row.is_pairwise()
    }

    /// One judgement. The second part is `None` where the model was not called.
    pub(super) async fn judge(&self, call: Call<'_>) -> (ScoreResult, Option<Judging>) {
        self.spec.judge(call).await
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.row.name == other.row.name && self.settings() == other.settings()
    }
}

/// One judgement of an answer, or of two in one order, by one member of a panel.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) member: &'a Member,
    pub(super) model: &'a dyn ChatModel,
    pub(super) case: &'a Case,
    pub(super) answer: &'a str,
    /// The answer that it is compared with; `None` for a judge of single answers.
    pub(super) second: Option<&'a str>,
    pub(super) repeat: u32,
}

/// [`Spec`] without its types.
trait ErasedSpec: fmt::Debug + Send + Sync {
    fn settings(&self) -> Value;
    fn judge<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, (ScoreResult, Option<Judging>)>;
}

impl<S: Spec> ErasedSpec for S {
    fn settings(&self) -> Value {
        Spec::settings(self)
    }

    fn judge<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, (ScoreResult, Option<Judging>)> {
        async move {
            let payload = match call.second {
                Some(second) => self.pair_payload(call.case, call.answer, second),
                None => self.payload(call.case, call.answer),
            };
            let payload = match payload {
                Ok(payload) => payload,
                Err(stop) => return (Err(stop), None),
            };
            let mut conversation = Conversation::begin(call, S::PROMPT, &payload).await;
            let scored = self.score(&mut conversation, &payload).await;
            if scored.as_ref().is_ok_and(|scored| Score::new(scored.score).is_some()) {
                conversation.cache();
            }
            (scored, Some(conversation.into_judging()))
        }
        .boxed()
    }
}
