//! The density of a score process that continues, look after look.

use super::super::normal_cdf;

/// Nodes on a panel; also the number of coefficients of its polynomial.
const NODES: usize = 10;
/// Gauss-Legendre nodes on -1..1 and their weights.
const GAUSS: [(f64, f64); NODES] = [
    (-0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
    (-0.865_063_366_688_984_5, 0.149_451_349_150_580_4),
    (-0.679_409_568_299_024_4, 0.219_086_362_515_982),
    (-0.433_395_394_129_247_2, 0.269_266_719_309_996_5),
    (-0.148_874_338_981_631_22, 0.295_524_224_714_752_8),
    (0.148_874_338_981_631_22, 0.295_524_224_714_752_8),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_5),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_4),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];
/// Positive Gauss-Hermite nodes of the standard normal density, eight in all, with their weights.
const HERMITE: [(f64, f64); 4] = [
    (0.539_079_811_351_375_1, 0.373_012_257_679_077_4),
    (1.636_519_042_435_108, 0.117_239_907_661_759),
    (2.802_485_861_287_541_6, 0.009_635_220_120_788_258),
    (4.144_547_186_125_894_5, 0.000_112_614_538_375_367_65),
];
/// Standard deviations beyond which a normal density counts as 0: P(|Z| > 7) = 3e-12.
const REACH: f64 = 7.0;
/// Width of a panel in units of the smoothness of the density on it, so that bounds are exact to about 1e-9 (found by
/// comparison with a third of it).
const RESOLUTION: f64 = 1.2;
/// Width of a piece of the integral over a normal kernel, in standard deviations of the kernel.
const PIECE: f64 = 4.0;

/// A stretch of the density with its interpolating polynomial.
struct Panel {
    middle: f64,
    half: f64,
    values: [f64; NODES],
    /// Newton's divided differences at the nodes.
    differences: [f64; NODES],
}

impl Panel {
    fn new(left: f64, right: f64, density: impl Fn(f64) -> f64) -> Self {
        let (middle, half) = (f64::midpoint(left, right), (right - left) / 2.0);
        let values = GAUSS.map(|(node, _)| density(middle + half * node));
        let mut differences = values;
        for order in 1..NODES {
            for at in (order..NODES).rev() {
                let run = GAUSS[at].0 - GAUSS[at - order].0;
                differences[at] = (differences[at] - differences[at - 1]) / run;
            }
        }
        Self { middle, half, values, differences }
    }

    fn left(&self) -> f64 {
        self.middle - self.half
    }

    fn right(&self) -> f64 {
        self.middle + self.half
    }

    fn at(&self, x: f64) -> f64 {
        let inner = (x - self.middle) / self.half;
        let [.., last] = self.differences;
        let lower = self.differences.iter().zip(GAUSS).rev().skip(1);
        lower.fold(last, |value, (difference, (node, _))| value * (inner - node) + difference)
    }

    /// The integral of density times `weight` over the part of the panel within `from..to`. `spread` is the distance over
    /// which the weight changes.
    fn integrate(&self, from: f64, to: f64, spread: f64, weight: &impl Fn(f64) -> f64) -> f64 {
        if from <= self.left() && self.right() <= to && 2.0 * self.half <= PIECE * spread {
            let terms = self.values.iter().zip(GAUSS);
            let sum: f64 = terms
                .map(|(value, (node, share))| share * value * weight(self.middle + self.half * node))
                .sum();
            return self.half * sum;
        }
        let (from, to) = (from.max(self.left()), to.min(self.right()));
        let pieces = ((to - from) / (PIECE * spread)).ceil().max(1.0);
        let half = (to - from) / pieces / 2.0;
        let mut total = 0.0;
        for piece in 0..pieces as usize {
            let middle = from + half * (2 * piece + 1) as f64;
            for (node, share) in GAUSS {
                let x = middle + half * node;
                total += share * self.at(x) * weight(x);
            }
        }
        total * half
    }
}

/// A step of the process from one look to the next.
#[derive(Clone, Copy)]
struct Step {
    shift: f64,
    deviation: f64,
}

/// The density of S(t) = Z(t) sqrt(t), a Brownian motion with drift (Armitage, McPherson and Rowe 1969), over trials that
/// continue after the looks so far.
///
/// A piecewise polynomial on panels that are narrow where the density is rough: a look cuts the density off at the bound,
/// and the later looks smooth that edge over the square root of the information since. Nothing depends on the distance
/// between looks, so looks with little new information are as exact as others.
pub(super) struct Density {
    drift: f64,
    time: f64,
    panels: Vec<Panel>,
    /// Where the density was cut off, and at which time.
    edges: Vec<(f64, f64)>,
    /// The probability of continuing.
    mass: f64,
}

impl Density {
    /// Starts the process at S(0) = 0, with E S(t) = drift t.
    pub(super) fn new(drift: f64) -> Self {
        Self { drift, time: 0.0, panels: Vec::new(), edges: Vec::new(), mass: 1.0 }
    }

    /// The probability of continuing after the looks so far.
    pub(super) fn mass(&self) -> f64 {
        self.mass
    }

    /// The time of the last look that cut the density off; 0 before any.
    pub(super) fn time(&self) -> f64 {
        self.time
    }

    fn step(&self, time: f64) -> Step {
        Step { shift: self.drift * (time - self.time), deviation: (time - self.time).sqrt() }
    }

    /// The probability that S(time) is at least `edge`, among trials that continue until then.
    pub(super) fn above(&self, time: f64, edge: f64) -> f64 {
        let Step { shift, deviation } = self.step(time);
        let start = edge - shift;
        if self.time == 0.0 {
            return normal_cdf(-start / deviation);
        }
        let reach = REACH * deviation;
        let tail = |x: f64| normal_cdf((x - start) / deviation);
        self.integrate(start - reach, start + reach, deviation, tail)
            + self.integrate(start + reach, f64::INFINITY, f64::INFINITY, |_| 1.0)
    }

    /// The density of S(time) at `value` among trials that continue until then.
    pub(super) fn at(&self, time: f64, value: f64) -> f64 {
        let Step { shift, deviation } = self.step(time);
        let centre = value - shift;
        let kernel = |x: f64| normal_density((centre - x) / deviation) / deviation;
        if self.time == 0.0 {
            return kernel(0.0);
        }
        let reach = REACH * deviation;
        if self.is_smooth(centre - reach, centre + reach, deviation) {
            let pairs = HERMITE.map(|(node, share)| {
                let away = node * deviation;
                share * (self.value(centre - away) + self.value(centre + away))
            });
            return pairs.iter().sum();
        }
        self.integrate(centre - reach, centre + reach, deviation, kernel)
    }

    /// Whether the density reaches over all of `from..to` and changes little within a `deviation`.
    fn is_smooth(&self, from: f64, to: f64, deviation: f64) -> bool {
        let whole = self.panels.first().is_some_and(|panel| panel.left() <= from)
            && self.panels.last().is_some_and(|panel| to <= panel.right());
        whole && self.overlapping(from, to).all(|panel| 2.0 * panel.half >= PIECE * deviation)
    }

    /// The density now at a place that a panel covers.
    fn value(&self, x: f64) -> f64 {
        let at = self.panels.partition_point(|panel| panel.right() < x);
        self.panels.get(at).map_or(0.0, |panel| panel.at(x))
    }

    /// The panels that have a part in `from..to`.
    fn overlapping(&self, from: f64, to: f64) -> impl Iterator<Item = &Panel> {
        let first = self.panels.partition_point(|panel| panel.right() <= from);
        self.panels[first..].iter().take_while(move |panel| panel.left() < to)
    }

    /// Ends the trials with S(time) outside `lower..upper`.
    pub(super) fn cut(&mut self, time: f64, lower: f64, upper: f64) {
        let (mean, reach) = (self.drift * time, REACH * time.sqrt());
        let (left, right) = (lower.max(mean - reach), upper.min(mean + reach));
        let mut panels = Vec::new();
        let mut end = right;
        while end > left {
            let start = (end - self.width(time, end)).max(left);
            // A panel as narrow as the rounding error of its ends has no mass.
            if start >= end {
                break;
            }
            panels.push(Panel::new(start, end, |x| self.at(time, x)));
            end = start;
        }
        panels.reverse();
        self.time = time;
        self.panels = panels;
        self.edges
            .extend([lower, upper].into_iter().filter(|edge| edge.is_finite()).map(|edge| (edge, time)));
        self.mass = self.integrate(f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY, |_| 1.0).clamp(0.0, 1.0);
    }

    /// The width of the panel that ends at `end`.
    fn width(&self, time: f64, end: f64) -> f64 {
        let mut widest = RESOLUTION * time.sqrt();
        for &(edge, cut) in &self.edges {
            // The drift moves the edge along.
            let (scale, edge) = ((time - cut).sqrt(), edge + self.drift * (time - cut));
            let distance = (end - edge).abs();
            if distance <= REACH * scale {
                widest = widest.min(RESOLUTION * scale.max(distance / 3.0));
            } else if edge < end {
                // The next panel may be the first one near the edge.
                widest = widest.min(distance - (REACH - 1.0) * scale);
            }
        }
        widest
    }

    fn integrate(&self, from: f64, to: f64, spread: f64, weight: impl Fn(f64) -> f64) -> f64 {
        self.overlapping(from, to).map(|panel| panel.integrate(from, to, spread, &weight)).sum()
    }
}

/// The standard normal density.
fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}
