//! `slices`: minimums over the cases with a tag.

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_core::document::pointer;
use promptgate_core::gate::Criterion;
use promptgate_core::model::{Diagnostic, PREFERENCE};

use super::load::{Placed, Reader};
use super::policy::{minimum, unknown_metric};
use super::scalar::Ordered;

/// Requirements on a metric over the cases with a tag.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Slice", extend("required" = ["min"]))]
pub(super) struct WrittenSlice {
    /// Minimum mean score (0–1).
    #[schemars(range(min = 0, max = 1))]
    min: Option<f64>,
}

/// Slices as written: tag, then metric, then its requirements.
pub(super) type WrittenSlices = Ordered<Ordered<WrittenSlice>>;

/// The criteria, each with the place of its metric.
pub(super) fn resolve(reader: &mut Reader<'_>, written: WrittenSlices) -> Vec<Placed<Criterion>> {
    let known = reader.keys("/metrics");
    let mut criteria = Vec::new();
    for (tag, metrics) in written.0 {
        let at = pointer("/slices", &tag);
        if reader.keys(&at).is_empty() {
            let help = "name a metric and its minimum: `{faithfulness: {min: 0.8}}`";
            reader.report_key(&at, format!("the slice `{tag}` requires nothing"), help);
        }
        for (metric, slice) in metrics.0 {
            let place = reader.document.key_place(&pointer(&at, &metric));
            // Names of checks are known only once they are compiled: see `Settings::policy`.
            if !metric.starts_with("check.") && !known.contains(&metric) {
                reader.push(unknown_metric(&metric, &known).at(place));
            } else if metric == PREFERENCE {
                let message = format!("`{PREFERENCE}` cannot have a minimum in a slice");
                let help = "its win rate is compared over all cases; leave it out of `slices`";
                reader.push(Diagnostic::new(message).at(place).help(help));
            } else if let Some(min) = slice.min {
                let id = format!("slice.{tag}.{metric}.min");
                let requirement = minimum(&metric, min);
                let value = Criterion { id, metric, tag: Some(tag.clone()), requirement, labels: None };
                criteria.push(Placed { value, place });
            }
        }
    }
    criteria
}
