//! Whether a change evaluates the kind of target that its base evaluates.
//!
//! The two are not comparable otherwise: recorded answers say nothing about the command that the base runs.

use crate::config::{Settings, TargetSettings};
use promptgate_core::model::{Fault, FaultKind};

/// Why a change is not compared with the base whose policy judges it; `None` where both evaluate the same kind of target.
pub(in crate::app::sources) fn changed_kind(base: &Settings, own: &Settings) -> Option<Fault> {
    let kind = |settings: &Settings| {
        settings.target.as_ref().map_or("a prompt with a model", TargetSettings::kind_name)
    };
    let (theirs, ours) = (kind(base), kind(own));
    (ours != theirs).then(|| {
        let message = format!("the change evaluates {ours} where the base evaluates {theirs}");
        Fault::new(FaultKind::TargetChanged, message).help(
            "merge the change of `target` by itself first, overridden by someone in `gate.override_by` of the base; \
             then later changes are compared",
        )
    })
}
