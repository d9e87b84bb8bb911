//! The plan of a run: rendered requests and their order.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};

use promptgate_core::model::{ChatRequest, Dataset, Diagnostic, Diagnostics, Message, Role, Turn, Variant};
use promptgate_core::template::Template;

/// The variants that a completion counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// One variant.
    One(Role),
    /// Both variants, which render the same request; it is sent and judged once.
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

    /// Every variant that the completion counts for, candidate first.
    pub fn all(self) -> &'static [Role] {
        match self {
            Self::One(Role::Candidate) => &[Role::Candidate],
            Self::One(Role::Baseline) => &[Role::Baseline],
            Self::Both => &[Role::Candidate, Role::Baseline],
        }
    }
}

/// One completion to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Index of the case.
    pub case: usize,
    /// The repeat, from 0.
    pub repeat: u32,
    /// The variants that it counts for.
    pub roles: Roles,
}

/// Maximum number of repeats of one case. The `repeat` of a request starts at a multiple of it, counted over the cases
/// that send the same request.
const MAX_REPEATS: u32 = 1 << 10;

/// The number of earlier cases with the same request. Each of these requests is a draw of its own: one cached answer for
/// all of them would make one observation look like many.
#[derive(Debug, Clone, Copy, Default)]
struct Duplicates {
    candidate: u32,
    baseline: u32,
    /// Requests of judges, which contain the question of the case.
    judge: u32,
}

/// Removes the elements without `keep`.
pub(super) fn retain<T>(elements: &mut Vec<T>, keep: &[bool]) {
    let mut flags = keep.iter();
    elements.retain(|_| flags.next().copied().unwrap_or_default());
}

/// Counts equal values.
#[derive(Default)]
struct Counter(HashMap<u64, u32>);

impl Counter {
    /// Counts a value and returns the number of equal ones before it.
    fn count(&mut self, value: impl Hash) -> u32 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let count = self.0.entry(hasher.finish()).or_default();
        *count += 1;
        *count - 1
    }
}

/// A variant with its parsed message templates.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) variant: Variant,
    pub(super) templates: Vec<Template>,
}

impl Prepared {
    fn new(variant: Variant) -> Result<Self, Diagnostics> {
        let parse = |message: &Message| {
            Template::parse(&message.content)
                .map_err(|error| Diagnostic::new(format!("{}: {error}", variant.facts.prompt.source)))
        };
        // An application renders its prompt itself.
        let messages = variant.messages.iter().filter(|_| variant.application.is_none());
        let templates = messages.map(parse).collect::<Result<_, _>>()?;
        Ok(Self { variant, templates })
    }
}

/// The variants whose cached answers of earlier sessions are ignored.
#[derive(Debug, Default)]
struct Refresh {
    candidate: AtomicBool,
    baseline: AtomicBool,
}

impl Refresh {
    fn of(&self, role: Role) -> &AtomicBool {
        match role {
            Role::Candidate => &self.candidate,
            Role::Baseline => &self.baseline,
        }
    }
}

/// The variants and the dataset of a run.
#[derive(Debug)]
pub struct Plan {
    dataset: Dataset,
    candidate: Prepared,
    baseline: Option<Prepared>,
    shared: Vec<bool>,
    refresh: Refresh,
    /// Indices in the whole dataset. They determine which variant goes first, whatever cases are left out.
    indices: Vec<usize>,
    /// Counts over the whole dataset.
    duplicates: Vec<Duplicates>,
}

impl Plan {
    /// Creates a plan. Renders every request once, so that errors are found before the first call.
    ///
    /// # Errors
    /// Every invalid template, and every variable that a case lacks.
    pub fn new(dataset: Dataset, candidate: Variant, baseline: Option<Variant>) -> Result<Self, Diagnostics> {
        let candidate = Prepared::new(candidate)?;
        let baseline = baseline.map(Prepared::new).transpose()?;
        let mut diagnostics = Vec::new();
        let mut shared = Vec::with_capacity(dataset.cases.len());
        let mut duplicates = Vec::with_capacity(dataset.cases.len());
        let (mut candidates, mut baselines, mut judges) =
            (Counter::default(), Counter::default(), Counter::default());
        let mut conversations: HashMap<&String, Duplicates> = HashMap::new();
        let identity = |variant: &Prepared| Some(variant.variant.application.as_ref()?.identity.clone());
        let is_same_application = baseline.as_ref().is_none_or(|it| identity(it) == identity(&candidate));
        for case in &dataset.cases {
            let mut render = |variant: &Prepared| {
                variant.requests(case).map_err(|diagnostic| diagnostics.push(diagnostic)).ok()
            };
            let ours = render(&candidate);
            let theirs = baseline.as_ref().and_then(render);
            // Requests to an application have the case's id and are never equal.
            let messages = |requests: Option<&Vec<ChatRequest>>| {
                let first = requests.and_then(|requests| requests.first());
                first.map(|it| (it.messages.clone(), it.input.as_ref().map(|_| &case.id)))
            };
            let mut count = || Duplicates {
                candidate: candidates.count(messages(ours.as_ref())),
                baseline: baselines.count(messages(theirs.as_ref())),
                judge: 0,
            };
            // Turns of one conversation that are graded apart are answered once.
            let counted = match &case.turn_of {
                Some(conversation) => *conversations.entry(conversation).or_insert_with(count),
                None => count(),
            };
            duplicates.push(Duplicates { judge: judges.count(&case.query), ..counted });
            shared.push(is_same_application && theirs.is_some() && ours == theirs);
        }
        if diagnostics.is_empty() {
            let indices = (0..dataset.cases.len()).collect();
            Ok(Self {
                dataset,
                candidate,
                baseline,
                shared,
                refresh: Refresh::default(),
                indices,
                duplicates,
            })
        } else {
            Err(Diagnostics(diagnostics))
        }
    }

    /// Ignores cached answers of earlier sessions for these variants.
    #[must_use]
    pub fn refresh(self, roles: Vec<Role>) -> Self {
        roles.into_iter().for_each(|role| self.refresh_from_now(role));
        self
    }

    /// Ignores cached answers of earlier sessions for this variant in all later requests.
    pub fn refresh_from_now(&self, role: Role) {
        self.refresh.of(role).store(true, Ordering::Relaxed);
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

    /// Removes the cases without `keep`. The facts of the dataset do not change.
    pub fn retain(&mut self, keep: &[bool]) {
        retain(&mut self.dataset.cases, keep);
        retain(&mut self.shared, keep);
        retain(&mut self.indices, keep);
        retain(&mut self.duplicates, keep);
    }

    /// For each case, whether both variants render the same request.
    pub fn shared(&self) -> &[bool] {
        &self.shared
    }

    /// The completions of repeats `from..to`, case by case, so that cases finish early. The variants alternate in going
    /// first, so that drift of the endpoint affects both alike.
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
                    let first = usize::from((self.indices[case] + repeat as usize) % 2 == 1);
                    slots.push(slot(Roles::One(pair[first])));
                    slots.push(slot(Roles::One(pair[1 - first])));
                }
            }
        }
        slots
    }

    /// The `repeat` of the judge requests for a slot.
    pub(crate) fn judge_repeat(&self, slot: Slot) -> u32 {
        self.duplicates[slot.case].judge.saturating_mul(MAX_REPEATS).saturating_add(slot.repeat)
    }

    /// The messages that a variant sends for a case, of several turns for the first, each with whether it is the same for every case; `None` for a
    /// baseline that is not run.
    ///
    /// # Errors
    /// An error of rendering, which [`Plan::new`] rules out.
    pub fn messages(&self, case: usize, role: Role) -> Result<Option<Vec<(Message, bool)>>, Diagnostic> {
        let prepared = match role {
            Role::Candidate => Some(&self.candidate),
            Role::Baseline => self.baseline.as_ref(),
        };
        let Some((prepared, case)) = prepared.zip(self.dataset.cases.get(case)) else { return Ok(None) };
        prepared.messages(case, &[]).map(Some)
    }

    fn prepared(&self, slot: Slot) -> &Prepared {
        match (slot.roles.sender(), &self.baseline) {
            (Role::Baseline, Some(baseline)) => baseline,
            _ => &self.candidate,
        }
    }

    /// Number of requests of a slot: the turns of its case.
    pub fn questions(&self, slot: Slot) -> usize {
        self.prepared(slot).questions(&self.dataset.cases[slot.case])
    }

    /// Number of calls for answers to these slots: one for each turn. Earlier turns of a conversation whose turns are graded
    /// apart are answers to other slots.
    pub fn calls(&self, slots: &[Slot]) -> usize {
        let of = |slot: &Slot| match self.dataset.cases[slot.case].turn_of {
            Some(_) => 1,
            None => self.questions(*slot),
        };
        slots.iter().map(of).sum()
    }

    /// The request of a slot: that of the turn after the `earlier` ones.
    ///
    /// # Errors
    /// An error of rendering, which [`Plan::new`] rules out.
    pub fn request(&self, slot: Slot, earlier: &[Turn]) -> Result<ChatRequest, Diagnostic> {
        let prepared = self.prepared(slot);
        let duplicates = self.duplicates[slot.case];
        let duplicates = match slot.roles.sender() {
            Role::Baseline => duplicates.baseline,
            Role::Candidate => duplicates.candidate,
        };
        let repeat = duplicates.saturating_mul(MAX_REPEATS).saturating_add(slot.repeat);
        let request = prepared.request(&self.dataset.cases[slot.case], repeat, earlier)?;
        let refresh = slot.roles.all().iter().any(|role| self.refresh.of(*role).load(Ordering::Relaxed));
        Ok(ChatRequest { refresh, ..request })
    }
}
