//! Group sequential designs: alpha spending.

/// The share of `alpha` for each look, linear in the information: alpha_j = alpha (k_j - k_(j-1)) / k_last,
/// from k_0 = 0 (Lan and DeMets 1983, linear spending function). Each look is tested at its own share, which is valid
/// whatever the dependence. `repeats` are the k_j. `None` unless they increase and alpha is in 0..1.
pub fn spend(repeats: &[usize], alpha: f64) -> Option<Vec<f64>> {
    let last = *repeats.last()? as f64;
    let mut before = 0;
    let mut shares = Vec::with_capacity(repeats.len());
    for &now in repeats {
        if now <= before {
            return None;
        }
        shares.push(alpha * ((now - before) as f64 / last));
        before = now;
    }
    (alpha > 0.0 && alpha < 1.0).then_some(shares)
}
