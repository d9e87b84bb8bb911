//! A linear scale from values to places on a line, with round ticks.

/// Where the line starts and ends, in units of the drawing.
pub(super) const LEFT: f64 = 78.0;
/// See [`LEFT`].
pub(super) const RIGHT: f64 = 346.0;

/// From values to places.
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Of these values, with some room on both sides, within `limits` where the values are; `None` without a finite
    /// value.
    pub(super) fn of(values: impl Iterator<Item = f64>, limits: Option<(f64, f64)>) -> Option<Self> {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        let span = high - low;
        let least = (low.abs().max(high.abs()) * 0.02).max(1e-9);
        let room = if span < least { least } else { span * 0.1 };
        let (mut low, mut high) = (low - room, high + room);
        if let Some((least, most)) = limits {
            // Values beyond the limits are shown all the same.
            (low, high) = (low.max(least.min(low + room)), high.min(most.max(high - room)));
        }
        Some(Self { low, high })
    }

    /// Where a value is, to a hundredth; what is beyond an end is at the end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        round(LEFT + share * (RIGHT - LEFT))
    }

    /// Two to four round values, and the decimals that tell them apart.
    pub(super) fn ticks(&self) -> (Vec<f64>, usize) {
        let raw = (self.high - self.low) / 3.0;
        let power = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|of| of * power)
            .find(|step| *step >= raw * 0.999)
            .unwrap_or(power * 10.0);
        let first = (self.low / step).ceil();
        let ticks = (0..6)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|value| *value <= self.high + step * 1e-6)
            .collect();
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        // 0.25 needs one more than 0.2.
        let more = usize::from((step / 10_f64.powi(-(decimals as i32)) - 2.5).abs() < 1e-6);
        (ticks, decimals + more)
    }
}

/// To a hundredth: a page with many plots is not made large by digits that nobody sees.
pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_find_their_place() {
        let scale = Scale::of([0.75, 0.931].into_iter(), Some((0.0, 1.0))).unwrap();
        assert!(
            scale.place(0.75) > LEFT && scale.place(0.931) < RIGHT && scale.place(0.75) < scale.place(0.9)
        );
        assert_eq!((scale.place(-5.0), scale.place(5.0)), (LEFT, RIGHT));
        assert!((2..=4).contains(&scale.ticks().0.len()), "{:?}", scale.ticks());
        let narrow = Scale::of([0.0, 0.002].into_iter(), None).unwrap();
        assert_eq!(narrow.ticks().1, 3);
        assert!(Scale::of([f64::NAN].into_iter(), None).is_none());
    }

    #[test]
    fn one_value_and_the_ends_of_a_score_are_no_trouble() {
        for value in [0.0, 1.0, 1e-7, 3e9, -2.0] {
            let scale = Scale::of(std::iter::once(value), Some((0.0, 1.0))).unwrap();
            assert!(scale.place(value).is_finite(), "{value}");
            let (ticks, decimals) = scale.ticks();
            assert!(decimals <= 10, "{value}");
            assert!(ticks.iter().all(|tick| tick.is_finite()) && ticks.len() <= 6, "{value}: {ticks:?}");
        }
    }
}
