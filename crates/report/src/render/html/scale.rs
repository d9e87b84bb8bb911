//! A linear scale from values to coordinates, with round ticks.

/// Start of the axis in drawing units.
pub(super) const LEFT: f64 = 78.0;
/// End of the axis in drawing units.
pub(super) const RIGHT: f64 = 346.0;

pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Creates a scale for these values with some margin, cut at `limits` unless values lie beyond them, and at least
    /// `min_span` wide on each side of a single value; `None` without a finite value.
    pub(super) fn of(
        values: impl Iterator<Item = f64>,
        limits: Option<(f64, f64)>,
        min_span: f64,
    ) -> Option<Self> {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        let span = high - low;
        let min_span = (low.abs().max(high.abs()) * 0.02).max(min_span);
        let margin = if span < min_span { min_span } else { span * 0.1 };
        let (mut low, mut high) = (low - margin, high + margin);
        if let Some((min, max)) = limits {
            (low, high) = (low.max(min.min(low + margin)), high.min(max.max(high - margin)));
        }
        Some(Self { low, high })
    }

    /// The coordinate of a value, clamped to the axis.
    pub(super) fn position(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        round(LEFT + share * (RIGHT - LEFT))
    }

    /// Two to four round values, and the decimals needed to distinguish them.
    pub(super) fn ticks(&self) -> (Vec<f64>, usize) {
        let raw = (self.high - self.low) / 3.0;
        let power = 10_f64.powf(raw.log10().floor());
        let steps = [0.5, 1.0, 2.0, 2.5, 5.0, 10.0].map(|of| of * power);
        let next = steps.iter().position(|step| *step >= raw * 0.999).unwrap_or(steps.len() - 1);
        let ticks_at = |step: f64| -> Vec<f64> {
            let first = (self.low / step - 1e-6).ceil();
            (0..6)
                .map(|index| (first + f64::from(index)) * step)
                .take_while(|value| *value <= self.high + step * 1e-6)
                .collect()
        };
        // A single tick shows no distance, so a finer step is taken.
        let mut step = steps[next];
        let mut ticks = ticks_at(step);
        if ticks.len() < 2 && next > 0 {
            step = steps[next - 1];
            ticks = ticks_at(step);
        }
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        // A step of 0.25 needs one more decimal than 0.2.
        let extra = usize::from((step / 10_f64.powi(-(decimals as i32)) - 2.5).abs() < 1e-6);
        (ticks, decimals + extra)
    }
}

/// Rounds to hundredths, to limit the size of pages with many plots.
pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_map_to_positions_within_the_axis() {
        let scale = Scale::of([0.75, 0.931].into_iter(), Some((0.0, 1.0)), 1e-9).unwrap();
        assert!(
            scale.position(0.75) > LEFT
                && scale.position(0.931) < RIGHT
                && scale.position(0.75) < scale.position(0.9)
        );
        assert_eq!((scale.position(-5.0), scale.position(5.0)), (LEFT, RIGHT));
        assert!((2..=4).contains(&scale.ticks().0.len()), "{:?}", scale.ticks());
        let narrow = Scale::of([0.0, 0.002].into_iter(), None, 1e-9).unwrap();
        assert_eq!(narrow.ticks().1, 3);
        assert!(Scale::of([f64::NAN].into_iter(), None, 1e-9).is_none());
    }

    #[test]
    fn single_values_give_finite_scales() {
        for value in [0.0, 1.0, 1e-7, 3e9, -2.0] {
            let scale = Scale::of(std::iter::once(value), Some((0.0, 1.0)), 1e-9).unwrap();
            assert!(scale.position(value).is_finite(), "{value}");
            let (ticks, decimals) = scale.ticks();
            assert!(decimals <= 10, "{value}");
            assert!(ticks.iter().all(|tick| tick.is_finite()) && ticks.len() <= 6, "{value}: {ticks:?}");
        }
    }

    #[test]
    fn ticks_are_not_finer_than_the_minimum_span() {
        let (ticks, decimals) = Scale::of(std::iter::once(0.0), None, 0.01).unwrap().ticks();
        assert_eq!((ticks.len(), decimals), (3, 2), "{ticks:?}");
        assert!((ticks[0] + 0.01).abs() < 1e-12 && ticks[1] == 0.0, "{ticks:?}");
    }

    #[test]
    fn every_axis_has_two_to_five_ticks() {
        for low in 0..200 {
            for span in 1..60 {
                let (low, span) = (f64::from(low) * 0.013, f64::from(span) * 0.017);
                let scale = Scale::of([low, low + span].into_iter(), None, 1e-3).unwrap();
                let (ticks, _) = scale.ticks();
                assert!((2..=5).contains(&ticks.len()), "{low} and {span} more: {ticks:?}");
                let inside = |tick: &f64| *tick > scale.low - 1e-6 && *tick < scale.high + 1e-6;
                assert!(ticks.iter().all(inside), "{low} and {span} more: {ticks:?}");
            }
        }
    }
}
