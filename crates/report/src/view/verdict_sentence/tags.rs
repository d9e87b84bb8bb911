//! The tags that carry a drop, in words.

use super::{Piece, Why, capitalized, name};
use crate::v1::Metric;
use crate::view::number::{self, points};
use promptgate_core::model::{CarriedBy, TagDrop};
use promptgate_core::text::{Redactor, neutral};

/// Characters of a tag.
const MAX_TAG: usize = 40;
/// Share of a drop from which its tags carry nearly all of it.
const NEARLY_ALL: f64 = 0.8;
/// Share of a drop above which its tags carry more than all of it.
const MORE_THAN_ALL: f64 = 1.2;

/// Adds the tags that carry the drop of a metric to a sentence about it.
pub(super) fn add(why: &mut Why, metric: &Metric, redactor: &Redactor) {
    let Some(carried) = &metric.carried_by else { return };
    if carried.share > MORE_THAN_ALL {
        add_opposed(why, carried, redactor);
        return;
    }
    why.push(if carried.share >= NEARLY_ALL { "; nearly all of it in " } else { "; most of it in " });
    add_each(why, carried, redactor, |_, drop| {
        let sign = number::minus(format!("-{}", size(drop)));
        format!(" ({sign})")
    });
}

/// Adds the drop of a metric and the tags that carry it as a sentence of their own; nothing where no tag does.
pub(super) fn add_measured_drop(why: &mut Why, metric: &Metric, redactor: &Redactor) {
    let fell = metric.difference.map(|difference| difference.mean).filter(|difference| *difference < 0.0);
    let Some(difference) = fell.filter(|_| metric.carried_by.is_some()) else { return };
    let text = format!(
        " {} fell {} as measured against the baseline",
        capitalized(&name(metric)),
        points(-difference)
    );
    why.push(&redactor.redact(&text));
    add(why, metric, redactor);
    why.push(".");
}

/// The drops of tags where the other cases rose: a share of the drop above all of it would say nothing.
fn add_opposed(why: &mut Why, carried: &CarriedBy, redactor: &Redactor) {
    why.push("; ");
    add_each(why, carried, redactor, |index, drop| {
        let size = size(drop);
        match index {
            0 if size == "1" => " fell 1 point".to_owned(),
            0 => format!(" fell {size} points"),
            _ => format!(" {size}"),
        }
    });
    why.push(", while the other cases rose");
}

/// Adds the name of each tag and the text behind it.
fn add_each(
    why: &mut Why,
    carried: &CarriedBy,
    redactor: &Redactor,
    text: impl Fn(usize, &TagDrop) -> String,
) {
    let last = carried.tags.len().saturating_sub(1);
    for (index, drop) in carried.tags.iter().enumerate() {
        why.push(match index {
            0 => "",
            _ if index == last => " and ",
            _ => ", ",
        });
        let name = neutral::clip(&redactor.redact(&drop.tag), MAX_TAG);
        why.pieces.push(Piece { text: name, is_name: true });
        why.push(&text(index, drop));
    }
}

/// The drop of a tag in points of 100.
fn size(drop: &TagDrop) -> String {
    let size = -drop.difference * 100.0;
    if size.abs() >= 1.0 { format!("{size:.0}") } else { format!("{size:.1}") }
}
