//! The trials of a case: in memory, or read one at a time from the spool of the run or from trials.jsonl.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error as _, Serialize, SerializeSeq as _, Serializer};
use serde_json::value::RawValue;

use super::{CaseFields, FileSpool, Trial, trial_json};
use promptgate_core::model::{self, Role, SpoolPlace, TextLocation, TrialResult};

/// The trials of a case; in JSON a list of [`Trial`].
#[derive(Clone, Default)]
pub struct Trials {
    entries: Vec<Entry>,
    /// Whether report.json leaves them to the file beside it.
    left_out: bool,
}

#[derive(Clone)]
enum Entry {
    InMemory(Box<Trial>),
    /// Variants with the same request share a line, which has the role of the candidate.
    Spilled {
        role: Role,
        place: SpoolPlace,
        spool: Arc<FileSpool>,
    },
}

impl Entry {
    fn read(&self) -> io::Result<Cow<'_, Trial>> {
        match self {
            Self::InMemory(trial) => Ok(Cow::Borrowed(trial)),
            Self::Spilled { role, place, spool } => Ok(Cow::Owned(spool.trial(*place)?.of(*role))),
        }
    }

    /// Its JSON on one line; that in a spool is not parsed.
    fn json(&self) -> io::Result<String> {
        match self {
            Self::InMemory(trial) => Ok(serde_json::to_string(trial)?),
            Self::Spilled { role, place, spool } => {
                trial_json(&spool.line(*place)?, *role).ok_or_else(|| io::ErrorKind::InvalidData.into())
            }
        }
    }
}

impl Trials {
    /// Adds a trial of a run, whose text is in memory or in its spool.
    pub(in super::super) fn push(&mut self, trial: &model::Trial, spool: Option<&Arc<FileSpool>>) {
        let (role, repeat) = (trial.role, trial.repeat);
        let entry = match &trial.result {
            TrialResult::Missing(fault) => Some(Trial::missing(Some(fault), role, repeat)),
            TrialResult::Completed(completed) => match (&completed.text, spool) {
                (TextLocation::InMemory(text), _) => Some(Trial::completed(text, role, repeat)),
                (TextLocation::Spilled(place), Some(spool)) => {
                    let spool = Arc::clone(spool);
                    self.entries.push(Entry::Spilled { role, place: *place, spool });
                    None
                }
                (TextLocation::Spilled(_), None) => None,
            },
        };
        self.entries.extend(entry.map(Box::new).map(Entry::InMemory));
    }

    /// Trials at these places of a file.
    pub(super) fn placed(places: Vec<(Role, SpoolPlace)>, spool: &Arc<FileSpool>, left_out: bool) -> Self {
        let entry = |(role, place)| Entry::Spilled { role, place, spool: Arc::clone(spool) };
        Self { entries: places.into_iter().map(entry).collect(), left_out }
    }

    /// Moves the trials of a case to a spool, except missing ones.
    ///
    /// # Errors
    /// A trial is too long for a line.
    pub(in super::super) fn spill(&mut self, case: &str, spool: &Arc<FileSpool>) -> io::Result<()> {
        for entry in &mut self.entries {
            let Entry::InMemory(trial) = entry else { continue };
            if trial.error.is_none() {
                let fields = CaseFields { case: case.to_owned(), ..CaseFields::default() };
                let place = spool.put_line(&fields.line(&serde_json::to_string(trial)?)?)?;
                *entry = Entry::Spilled { role: trial.role, place, spool: Arc::clone(spool) };
            }
        }
        Ok(())
    }

    /// The places of the trials in their spool; `None` for one in memory.
    pub(in super::super) fn places(&self) -> impl Iterator<Item = Option<SpoolPlace>> {
        self.entries.iter().map(|entry| match entry {
            Entry::InMemory(_) => None,
            Entry::Spilled { place, .. } => Some(*place),
        })
    }

    /// Leaves them out of report.json; here they stay readable.
    pub(super) fn leave_out(&mut self) {
        self.left_out = true;
    }

    /// Whether report.json does without them.
    pub(in super::super) fn is_left_out(&self) -> bool {
        self.left_out && !self.is_empty()
    }

    /// Number of trials.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The trials in order.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<Cow<'_, Trial>>> {
        self.entries.iter().map(Entry::read)
    }

    /// The JSON of each trial on one line.
    pub(super) fn json(&self) -> impl Iterator<Item = io::Result<String>> {
        self.entries.iter().map(Entry::json)
    }

    /// The trials that can be read. Writing the report fails where one cannot.
    pub fn readable(&self) -> impl Iterator<Item = Cow<'_, Trial>> {
        self.iter().filter_map(Result::ok)
    }
}

/// One trial of a run that is in memory.
impl From<&model::Trial> for Trials {
    fn from(trial: &model::Trial) -> Self {
        let mut trials = Self::default();
        trials.push(trial, None);
        trials
    }
}

impl From<Vec<Trial>> for Trials {
    fn from(trials: Vec<Trial>) -> Self {
        let entries = trials.into_iter().map(|trial| Entry::InMemory(Box::new(trial))).collect();
        Self { entries, left_out: false }
    }
}

impl fmt::Debug for Trials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Trials {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|pair| matches!(pair, (Ok(one), Ok(other)) if one == other))
    }
}

impl Serialize for Trials {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = if self.is_left_out() { &[][..] } else { &self.entries };
        let mut list = serializer.serialize_seq(Some(written.len()))?;
        for json in written.iter().map(Entry::json) {
            let trial = json.and_then(|json| Ok(RawValue::from_string(json)?)).map_err(S::Error::custom)?;
            list.serialize_element(&trial)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Trials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Trial>::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for Trials {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<Trial>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Trial>::json_schema(generator)
    }
}
