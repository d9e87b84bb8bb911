//! Agreement of any number of raters, some of whose ratings may be missing.

/// What a difference between two values means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Names: the same or not.
    Nominal,
    /// Ranks: how many ratings lie between.
    Ordinal,
    /// Numbers: their distance.
    Interval,
    /// Numbers with a zero: their distance relative to their sum.
    Ratio,
}

/// Krippendorff's alpha (2011): 1 for perfect agreement, 0 for chance. A row for each rater, a column for each unit;
/// `None` is not rated. `None` where no unit has two ratings, all ratings are the same, the rows differ in length, or
/// a rating is not finite.
pub fn krippendorff_alpha(ratings: &[Vec<Option<f64>>], level: Level) -> Option<f64> {
    let units = ratings.first()?.len();
    if ratings.iter().any(|row| row.len() != units)
        || ratings.iter().flatten().flatten().any(|value| !value.is_finite())
    {
        return None;
    }
    let mut values: Vec<f64> = ratings.iter().flatten().flatten().copied().collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let place = |value: f64| values.partition_point(|other| *other < value);
    let size = values.len();
    // Coincidences: every ordered pair of ratings within a unit, weighted so that each rating counts once.
    let mut coincidences = vec![vec![0.0; size]; size];
    for unit in 0..units {
        let rated: Vec<usize> = ratings.iter().filter_map(|row| row[unit]).map(place).collect();
        if rated.len() < 2 {
            continue;
        }
        let weight = 1.0 / (rated.len() - 1) as f64;
        for (rater, one) in rated.iter().enumerate() {
            for (other_rater, other) in rated.iter().enumerate() {
                if rater != other_rater {
                    coincidences[*one][*other] += weight;
                }
            }
        }
    }
    let totals: Vec<f64> = coincidences.iter().map(|row| row.iter().sum()).collect();
    let pairable: f64 = totals.iter().sum();
    let (mut observed, mut expected) = (0.0, 0.0);
    for one in 0..size {
        for other in 0..size {
            let distance = distance(level, &values, &totals, one, other);
            observed += coincidences[one][other] * distance;
            expected += totals[one] * totals[other] * distance;
        }
    }
    (expected > 0.0).then(|| 1.0 - (pairable - 1.0) * observed / expected)
}

/// The squared difference between two values, by their places.
fn distance(level: Level, values: &[f64], totals: &[f64], one: usize, other: usize) -> f64 {
    if one == other {
        return 0.0;
    }
    let (a, b) = (values[one], values[other]);
    match level {
        Level::Nominal => 1.0,
        Level::Ordinal => {
            let between: f64 = totals[one.min(other)..=one.max(other)].iter().sum();
            (between - (totals[one] + totals[other]) / 2.0).powi(2)
        }
        Level::Interval => (a - b).powi(2),
        Level::Ratio if a + b == 0.0 => 0.0,
        Level::Ratio => ((a - b) / (a + b)).powi(2),
    }
}
