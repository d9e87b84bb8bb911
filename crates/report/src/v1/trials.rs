//! The trials of a case: in memory, or read from the spool of the run one after the other when they are shown.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error as _, Serialize, SerializeSeq as _, Serializer};
use serde_json::value::RawValue;

use super::{Role, Trial};
use crate::spool::FileSpool;
use promptgate_core::model::{self, SpoolPlace, TextLocation};

/// The trials of a case; in JSON a list of [`Trial`].
#[derive(Clone, Default)]
pub struct Trials {
    held: Vec<Held>,
    /// Whether report.json leaves them to the file beside it.
    elsewhere: bool,
}

#[derive(Clone)]
enum Held {
    Here(Box<Trial>),
    Spilled { role: Role, repeat: u32, place: SpoolPlace, spool: Arc<FileSpool> },
}

impl Held {
    fn read(&self) -> io::Result<Cow<'_, Trial>> {
        match self {
            Self::Here(trial) => Ok(Cow::Borrowed(trial)),
            Self::Spilled { role, repeat, place, spool } => {
                spool.trial(*place, *role, *repeat).map(Cow::Owned)
            }
        }
    }

    /// Its JSON, on one line: what the spool has is passed on as it is.
    fn text(&self) -> io::Result<String> {
        match self {
            Self::Here(trial) => Ok(serde_json::to_string(trial)?),
            Self::Spilled { role, repeat, place, spool } => spool.text(*place, *role, *repeat),
        }
    }
}

impl Trials {
    /// Adds a trial of a run, whose words are in memory or in its spool.
    pub(super) fn push(&mut self, trial: &model::Trial, spool: Option<&Arc<FileSpool>>) {
        let (role, repeat) = (trial.role.into(), trial.repeat);
        let held = match (&trial.result, spool) {
            (model::TrialResult::Completed(answered), Some(spool)) => match answered.text {
                TextLocation::Spilled(place) => {
                    Held::Spilled { role, repeat, place, spool: Arc::clone(spool) }
                }
                TextLocation::InMemory(ref spoken) => Held::Here(Box::new(Trial::of(spoken, role, repeat))),
            },
            (model::TrialResult::Completed(answered), None) => match answered.in_memory() {
                Some(spoken) => Held::Here(Box::new(Trial::of(spoken, role, repeat))),
                None => return,
            },
            (model::TrialResult::Missing(fault), _) => {
                Held::Here(Box::new(Trial::missing(fault, role, repeat)))
            }
        };
        self.held.push(held);
    }

    /// Trials at these places of a file.
    pub(super) fn placed(
        places: Vec<(Role, u32, SpoolPlace)>,
        spool: &Arc<FileSpool>,
        elsewhere: bool,
    ) -> Self {
        let held = |(role, repeat, place)| Held::Spilled { role, repeat, place, spool: Arc::clone(spool) };
        Self { held: places.into_iter().map(held).collect(), elsewhere }
    }

    /// Leaves them out of report.json; they are still here.
    pub(super) fn leave_out(&mut self) {
        self.elsewhere = true;
    }

    /// Whether report.json does without them.
    pub(super) fn is_left_out(&self) -> bool {
        self.elsewhere && !self.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The trials in their order, one at a time.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<Cow<'_, Trial>>> {
        self.held.iter().map(Held::read)
    }

    /// The same as JSON, each on one line.
    pub(super) fn texts(&self) -> impl Iterator<Item = io::Result<String>> {
        self.held.iter().map(Held::text)
    }

    /// Those that can be read; a spool that cannot shows when the report is written.
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
        let held = trials.into_iter().map(|trial| Held::Here(Box::new(trial))).collect();
        Self { held, elsewhere: false }
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
        let written = if self.is_left_out() { &[][..] } else { &self.held };
        let mut list = serializer.serialize_seq(Some(written.len()))?;
        for text in written.iter().map(Held::text) {
            let trial = text.and_then(|text| Ok(RawValue::from_string(text)?)).map_err(S::Error::custom)?;
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
