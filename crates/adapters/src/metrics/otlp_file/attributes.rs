//! The attributes that metrics read.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::message::Text;
use crate::otlp::names;

/// Attributes that name the unit of a request, the best first.
const UNITS: [&str; 5] =
    [names::FLAG_CONTEXT, names::USER, names::END_USER, names::SESSION, names::CONVERSATION];

/// The attributes of a span, an event or a log record that metrics read.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    prompt_name: Option<Scalar<'a>>,
    prompt_version: Option<Scalar<'a>>,
    langfuse_name: Option<Scalar<'a>>,
    langfuse_version: Option<Scalar<'a>>,
    /// The unit, and its index in [`UNITS`].
    unit: Option<(usize, Scalar<'a>)>,
    event_name: Option<Scalar<'a>>,
    evaluation_name: Option<Scalar<'a>>,
    score: Option<Scalar<'a>>,
    input_tokens: Option<Scalar<'a>>,
    output_tokens: Option<Scalar<'a>>,
    cost: Option<Scalar<'a>>,
}

impl<'a> Attributes<'a> {
    fn set(&mut self, key: &str, value: Scalar<'a>) {
        let field = match key {
            names::PROMPT_NAME => &mut self.prompt_name,
            names::PROMPT_VERSION => &mut self.prompt_version,
            names::LANGFUSE_PROMPT_NAME => &mut self.langfuse_name,
            names::LANGFUSE_PROMPT_VERSION => &mut self.langfuse_version,
            names::EVENT_NAME => &mut self.event_name,
            names::EVALUATION_NAME => &mut self.evaluation_name,
            names::EVALUATION_SCORE => &mut self.score,
            names::INPUT_TOKENS => &mut self.input_tokens,
            names::OUTPUT_TOKENS => &mut self.output_tokens,
            names::COST | names::COST_OPENINFERENCE => &mut self.cost,
            _ => {
                let Some(rank) = UNITS.iter().position(|name| *name == key) else { return };
                if !value.is_empty() && self.unit.as_ref().is_none_or(|(best, _)| rank < *best) {
                    self.unit = Some((rank, value));
                }
                return;
            }
        };
        *field = Some(value);
    }

    /// The name of the prompt.
    pub(super) fn prompt(&self) -> Option<Cow<'_, str>> {
        self.prompt_name.as_ref().or(self.langfuse_name.as_ref()).map(Scalar::text)
    }

    /// The version of the prompt as semantic version or in the registry's numbering, whichever are there.
    pub(super) fn versions(&self) -> impl Iterator<Item = Cow<'_, str>> {
        [&self.prompt_version, &self.langfuse_version].into_iter().flatten().map(Scalar::text)
    }

    /// The user, session or conversation.
    pub(super) fn unit(&self) -> Option<Cow<'_, str>> {
        self.unit.as_ref().map(|(_, unit)| unit.text())
    }

    pub(super) fn event_name(&self) -> Option<&str> {
        match &self.event_name {
            Some(Scalar::Text(name)) => Some(name),
            _ => None,
        }
    }

    pub(super) fn evaluation_name(&self) -> Option<Cow<'_, str>> {
        self.evaluation_name.as_ref().map(Scalar::text)
    }

    /// The score of an evaluation; a boolean is 0 or 1, a text that is not a number is NaN.
    pub(super) fn score(&self) -> Option<f64> {
        self.score.as_ref().map(Scalar::number)
    }

    pub(super) fn input_tokens(&self) -> Option<f64> {
        self.input_tokens.as_ref().map(Scalar::number)
    }

    pub(super) fn output_tokens(&self) -> Option<f64> {
        self.output_tokens.as_ref().map(Scalar::number)
    }

    pub(super) fn cost(&self) -> Option<f64> {
        self.cost.as_ref().map(Scalar::number)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Attributes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for List<'a> {
            type Value = Attributes<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of attributes")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Attributes<'a>, S::Error> {
                let mut attributes = Attributes::default();
                while let Some(KeyValue { key, value }) = list.next_element::<KeyValue<'a>>()? {
                    if let Some(scalar) = value.and_then(AnyValue::scalar) {
                        attributes.set(&key.0, scalar);
                    }
                }
                Ok(attributes)
            }
        }
        deserializer.deserialize_seq(List(std::marker::PhantomData))
    }
}

#[derive(Deserialize)]
struct KeyValue<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow)]
    value: Option<AnyValue<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyValue<'a> {
    #[serde(borrow)]
    string_value: Option<Text<'a>>,
    int_value: Option<Number>,
    double_value: Option<Number>,
    bool_value: Option<bool>,
}

impl<'a> AnyValue<'a> {
    fn scalar(self) -> Option<Scalar<'a>> {
        let number = self.int_value.or(self.double_value).map(|number| Scalar::Number(number.0));
        let bool = self.bool_value.map(|value| Scalar::Number(f64::from(u8::from(value))));
        self.string_value.map(|text| Scalar::Text(text.0)).or(number).or(bool)
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(f64),
}

impl Scalar<'_> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
        }
    }

    fn number(&self) -> f64 {
        match self {
            Self::Text(text) => text.trim().parse().unwrap_or(f64::NAN),
            Self::Number(number) => *number,
        }
    }
}

/// A number as JSON number or as text, which `NaN` and the infinities have to be.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom("not a number"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
