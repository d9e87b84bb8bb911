//! Correction for multiple tests.

/// The adjusted p of each test, in the order given: step-down Bonferroni, which keeps the chance of any false rejection
/// at alpha or below whatever the dependence (Holm 1979). NaN counts as 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let p: Vec<f64> = p.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut highest = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        highest = highest.max(p[index] * (p.len() - rank) as f64).min(1.0);
        adjusted[index] = highest;
    }
    adjusted
}

/// The adjusted p of each test, in the order given: rejecting those at `q` or below keeps the expected share of false
/// rejections among all rejections at `q` if the tests are independent or positively dependent (Benjamini and Hochberg
/// 1995). NaN counts as 1.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let p: Vec<f64> = p.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
    let mut adjusted = vec![1.0; p.len()];
    let mut lowest = 1.0_f64;
    for (larger, &index) in order.iter().enumerate() {
        lowest = lowest.min(p[index] * p.len() as f64 / (p.len() - larger) as f64);
        adjusted[index] = lowest;
    }
    adjusted
}
