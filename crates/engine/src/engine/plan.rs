//! What to ask for, and in which order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use promptgate_core::model::{
    Case, ChatRequest, Dataset, Diagnostic, Diagnostics, Message, Purpose, Role, Variant,
};
use promptgate_core::template::{self, Template};

/// Which variants a completion counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// One of them.
    One(Role),
    /// Both render the same request: asked and judged once, shared.
    Both,
}

impl Roles {
    /// The variant whose request is sent.
    pub fn sender(self) -> Role {
        match self {
            Self::One(role) => role,
            Self::Both => Role::Candidate,
        }
    }

    /// Every variant the answer counts for, candidate first.
    pub fn all(self) -> &'static [Role] {
        match self {
            Self::One(Role::Candidate) => &[Role::Candidate],
            Self::One(Role::Baseline) => &[Role::Baseline],
            Self::Both => &[Role::Candidate, Role::Baseline],
        }
    }
}

/// One completion to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Index of the case.
    pub case: usize,
    /// The repeat, from 0.
    pub repeat: u32,
    /// Whom it counts for.
    pub roles: Roles,
}

/// Repeats of one case, at most: a request's `repeat` counts on from here for the next case that asks the same.
const MAX_REPEATS: u32 = 1 << 10;

/// How many cases before one ask the same. Each is a draw of its own: an answer or verdict that a cache has for one
/// of them counted for all would make one observation look like many.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    /// Of the candidate.
    candidate: u32,
    /// Of the baseline.
    baseline: u32,
    /// Of a judge, which is told the question of the case.
    judge: u32,
}

/// Counts what comes again.
#[derive(Default)]
struct Counted(HashMap<u64, u32>);

impl Counted {
    /// How often the same came before.
    fn before(&mut self, what: impl Hash) -> u32 {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let count = self.0.entry(hasher.finish()).or_default();
        *count += 1;
        *count - 1
    }
}

/// A variant with its message templates parsed.
#[derive(Debug)]
struct Prepared {
    variant: Variant,
    templates: Vec<Template>,
}

impl Prepared {
    fn new(variant: Variant) -> Result<Self, Diagnostics> {
        let templates = variant
            .messages
            .iter()
            .map(|message| {
                Template::parse(&message.content)
                    .map_err(|error| Diagnostic::new(format!("{}: {error}", variant.facts.prompt.source)))
            })
            .collect::<Result<_, _>>()
            .map_err(Diagnostics::from)?;
        Ok(Self { variant, templates })
    }

    fn request(&self, case: &Case, repeat: u32) -> Result<ChatRequest, Diagnostic> {
        let variables = template::variables(case);
        let messages = self
            .variant
            .messages
            .iter()
            .zip(&self.templates)
            .map(|(message, parsed)| {
                let content = parsed
                    .render(&|name: &str| -> Option<Cow<'_, str>> { variables.get(name) })
                    .map_err(|error| {
                        Diagnostic::new(format!(
                            "{} for case {}: {error}",
                            self.variant.facts.prompt.source, case.id
                        ))
                    })?;
                Ok(Message { role: message.role, content })
            })
            .collect::<Result<_, Diagnostic>>()?;
        Ok(ChatRequest {
            model: self.variant.facts.model.clone(),
            messages,
            parameters: self.variant.facts.parameters.clone(),
            response_format: None,
            repeat,
            purpose: Purpose::Completion,
            refresh: false,
        })
    }
}

/// The variants over the dataset: renders requests and orders the work.
#[derive(Debug)]
pub struct Plan {
    dataset: Dataset,
    candidate: Prepared,
    baseline: Option<Prepared>,
    shared: Vec<bool>,
    refresh: Vec<Role>,
    /// Each case's place in the whole dataset: which variant goes first does not hang on what was left out.
    places: Vec<usize>,
    /// Counted over the whole dataset, too.
    before: Vec<Before>,
}

impl Plan {
    /// Prepares a plan; renders every request once to see that it can be rendered.
    ///
    /// # Errors
    /// Templates that do not parse and variables that some case does not have.
    pub fn new(dataset: Dataset, candidate: Variant, baseline: Option<Variant>) -> Result<Self, Diagnostics> {
        let candidate = Prepared::new(candidate)?;
        let baseline = baseline.map(Prepared::new).transpose()?;
        let mut diagnostics = Vec::new();
        let mut shared = Vec::with_capacity(dataset.cases.len());
        let mut before = Vec::with_capacity(dataset.cases.len());
        let (mut candidates, mut baselines, mut judged) =
            (Counted::default(), Counted::default(), Counted::default());
        for case in &dataset.cases {
            let ours = candidate.request(case, 0).map_err(|diagnostic| diagnostics.push(diagnostic)).ok();
            let theirs = match &baseline {
                Some(baseline) => {
                    baseline.request(case, 0).map_err(|diagnostic| diagnostics.push(diagnostic)).ok()
                }
                None => None,
            };
            let messages = |request: Option<&ChatRequest>| request.map(|it| it.messages.clone());
            before.push(Before {
                candidate: candidates.before(messages(ours.as_ref())),
                baseline: baselines.before(messages(theirs.as_ref())),
                judge: judged.before(&case.query),
            });
            shared.push(theirs.is_some() && ours == theirs);
        }
        if diagnostics.is_empty() {
            let places = (0..dataset.cases.len()).collect();
            Ok(Self { dataset, candidate, baseline, shared, refresh: Vec::new(), places, before })
        } else {
            Err(Diagnostics(diagnostics))
        }
    }

    /// Takes no answers of earlier sessions for these sides.
    #[must_use]
    pub fn refresh(mut self, roles: Vec<Role>) -> Self {
        self.refresh = roles;
        self
    }

    /// The dataset.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The candidate.
    pub fn candidate(&self) -> &Variant {
        &self.candidate.variant
    }

    /// The baseline, if it is run.
    pub fn baseline(&self) -> Option<&Variant> {
        self.baseline.as_ref().map(|prepared| &prepared.variant)
    }

    /// Keeps the cases for which `keep` says so, in their order; what the dataset says of itself stays as it is.
    pub fn retain(&mut self, keep: &[bool]) {
        let mut kept = keep.iter();
        self.dataset.cases.retain(|_| kept.next().copied().unwrap_or_default());
        let mut kept = keep.iter();
        self.shared.retain(|_| kept.next().copied().unwrap_or_default());
        let mut kept = keep.iter();
        self.places.retain(|_| kept.next().copied().unwrap_or_default());
        let mut kept = keep.iter();
        self.before.retain(|_| kept.next().copied().unwrap_or_default());
    }

    /// For each case, whether both variants render the same request.
    pub fn shared(&self) -> &[bool] {
        &self.shared
    }

    /// The completions for repeats `from..to`: case by case, so that cases finish early; both variants side by
    /// side, taking turns at being first, so that drift of the endpoint hits both alike.
    pub fn slots(&self, from: u32, to: u32) -> Vec<Slot> {
        let mut slots = Vec::new();
        for case in 0..self.dataset.cases.len() {
            for repeat in from..to {
                let slot = |roles| Slot { case, repeat, roles };
                if self.baseline.is_none() {
                    slots.push(slot(Roles::One(Role::Candidate)));
                } else if self.shared[case] {
                    slots.push(slot(Roles::Both));
                } else {
                    let pair = [Role::Candidate, Role::Baseline];
                    let first = usize::from((self.places[case] + repeat as usize) % 2 == 1);
                    slots.push(slot(Roles::One(pair[first])));
                    slots.push(slot(Roles::One(pair[1 - first])));
                }
            }
        }
        slots
    }

    /// The number of a slot among the judgements that may ask the same.
    pub(crate) fn judged_as(&self, slot: Slot) -> u32 {
        self.before[slot.case].judge.saturating_mul(MAX_REPEATS).saturating_add(slot.repeat)
    }

    /// The request of a slot.
    ///
    /// # Errors
    /// Never for a plan that was made; the error of rendering is passed on all the same.
    pub fn request(&self, slot: Slot) -> Result<ChatRequest, Diagnostic> {
        let prepared = match (slot.roles.sender(), &self.baseline) {
            (Role::Baseline, Some(baseline)) => baseline,
            _ => &self.candidate,
        };
        let before = self.before[slot.case];
        let before = if slot.roles.sender() == Role::Baseline { before.baseline } else { before.candidate };
        let repeat = before.saturating_mul(MAX_REPEATS).saturating_add(slot.repeat);
        let request = prepared.request(&self.dataset.cases[slot.case], repeat)?;
        let refresh = slot.roles.all().iter().any(|role| self.refresh.contains(role));
        Ok(ChatRequest { refresh, ..request })
    }
}
