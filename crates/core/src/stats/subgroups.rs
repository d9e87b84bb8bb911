//! Which group of values is lower than the rest, with the correction for looking at all groups.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::permutation::below;
use super::{mean, sample_variance};

/// Arrangements drawn.
const DRAWS: usize = 1_999;
/// Statistics closer than this are tied.
const TIE: f64 = 1e-9;

/// The group whose mean is lowest, in units of its standard error, with the p of "no group differs from the rest".
///
/// The values are rearranged at random; p is the share of arrangements in which any group is as low, and so corrects for
/// the number of groups and their overlap (Westfall and Young 1993). Values in which all are lower by as much have no low
/// group. `clusters` has the number of each value's cluster, from 0: the means of clusters trade places as wholes, and what
/// distinguishes the values of a cluster stays in it. `groups` are indices into `values`; empty ones and those of all values
/// are skipped, and of tied ones the one that sums lowest counts. `None` if p is above `alpha`, or if there is nothing to
/// compare.
pub fn lowest_group(
    values: &[f64],
    clusters: &[usize],
    groups: &[Vec<usize>],
    alpha: f64,
    seed: u64,
) -> Option<(usize, f64)> {
    if values.len() < 2 || values.len() != clusters.len() || sample_variance(values) == 0.0 {
        return None;
    }
    let mut clustered = Clustered::new(values, clusters);
    let compared = groups.iter().enumerate();
    let compared: Vec<Compared<'_>> =
        compared.filter_map(|(index, group)| Some((index, group, clustered.scale(group)?))).collect();
    let centre = mean(&clustered.means);
    let observed = lowest(&compared, values, centre);
    let total = |group: &[usize]| group.iter().map(|value| values[*value]).sum::<f64>();
    let tied = compared.iter().filter(|compared| statistic(compared, values, centre) <= observed + TIE);
    let (index, ..) = *tied.min_by(|(_, one, _), (_, other, _)| total(one).total_cmp(&total(other)))?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut as_low = 0;
    for _ in 0..DRAWS {
        let arranged = clustered.rearrange(&mut random);
        as_low += usize::from(lowest(&compared, arranged, centre) <= observed + TIE);
        if (1 + as_low) as f64 > alpha * (1 + DRAWS) as f64 {
            return None;
        }
    }
    Some((index, (1 + as_low) as f64 / (1 + DRAWS) as f64))
}

/// The index of a group, its values, and the standard deviation of their sum over all arrangements.
type Compared<'a> = (usize, &'a Vec<usize>, f64);

/// The sum of a group below `centre`, in units of its standard deviation.
fn statistic((_, group, scale): &Compared<'_>, values: &[f64], centre: f64) -> f64 {
    let sum: f64 = group.iter().map(|value| values[*value]).sum();
    (sum - group.len() as f64 * centre) / scale
}

/// The lowest statistic; infinite without a group.
fn lowest(compared: &[Compared<'_>], values: &[f64], centre: f64) -> f64 {
    compared.iter().map(|compared| statistic(compared, values, centre)).fold(f64::INFINITY, f64::min)
}

/// Values as the mean of their cluster and the rest.
struct Clustered<'a> {
    clusters: &'a [usize],
    /// The values of each cluster.
    members: Vec<Vec<usize>>,
    /// The mean of each cluster.
    means: Vec<f64>,
    /// Each value minus the mean of its cluster.
    rest: Vec<f64>,
    /// The variance of the means.
    between: f64,
    /// The variance of the rest within each cluster.
    within: Vec<f64>,
    /// The values as last arranged.
    arranged: Vec<f64>,
}

impl<'a> Clustered<'a> {
    fn new(values: &[f64], clusters: &'a [usize]) -> Self {
        let mut members = vec![Vec::new(); clusters.iter().max().map_or(0, |last| last + 1)];
        for (value, cluster) in clusters.iter().enumerate() {
            members[*cluster].push(value);
        }
        let of_cluster =
            |members: &Vec<usize>| members.iter().map(|value| values[*value]).collect::<Vec<f64>>();
        let means: Vec<f64> = members.iter().map(|members| mean(&of_cluster(members))).collect();
        let within = members.iter().map(|members| sample_variance(&of_cluster(members))).collect();
        let rest = values.iter().zip(clusters).map(|(value, cluster)| value - means[*cluster]).collect();
        Self {
            clusters,
            members,
            between: sample_variance(&means),
            means,
            rest,
            within,
            arranged: values.to_vec(),
        }
    }

    /// The standard deviation of the sum of a group over all arrangements; `None` where it does not vary.
    fn scale(&self, group: &[usize]) -> Option<f64> {
        if group.is_empty() || group.len() == self.clusters.len() {
            return None;
        }
        let mut counts = vec![0.0_f64; self.members.len()];
        group.iter().for_each(|value| counts[self.clusters[*value]] += 1.0);
        let total: f64 = counts.iter().sum();
        let squares: f64 = counts.iter().map(|count| count * count).sum();
        let of_means = self.between * (squares - total * total / counts.len() as f64);
        let of_rest = counts.iter().zip(&self.members).zip(&self.within);
        let of_rest: f64 = of_rest
            .map(|((count, members), within)| {
                within * count * (members.len() as f64 - count) / members.len() as f64
            })
            .sum();
        let variance = of_means.max(0.0) + of_rest;
        (variance > TIE * TIE).then(|| variance.sqrt())
    }

    /// Arranges the values at random: means trade places between clusters, the rest does within each.
    fn rearrange(&mut self, random: &mut ChaCha8Rng) -> &[f64] {
        for place in (1..self.means.len()).rev() {
            self.means.swap(place, below(random, place + 1));
        }
        for members in self.members.iter().filter(|members| members.len() > 1) {
            for place in (1..members.len()).rev() {
                self.rest.swap(members[place], members[below(random, place + 1)]);
            }
        }
        for (value, cluster) in self.clusters.iter().enumerate() {
            self.arranged[value] = self.means[*cluster] + self.rest[value];
        }
        &self.arranged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_of_the_low_values_of_its_clusters_is_lowest() {
        // Six pairs; the second value of the first three is low.
        let values = [0.0, -0.8, 0.1, -0.7, 0.0, -0.9, 0.0, 0.0, 0.1, 0.0, 0.0, 0.1];
        let clusters = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5];
        let groups = [vec![0, 2, 4], vec![1, 3, 5], (0..12).collect()];
        let (index, p) = lowest_group(&values, &clusters, &groups, 0.05, 0).expect("a group");
        assert!(index == 1 && p < 0.05, "{index} {p}");
        assert_eq!(lowest_group(&values, &clusters, &groups[..1], 0.05, 0), None, "the steady values");
        assert_eq!(lowest_group(&values, &clusters, &groups[2..], 0.05, 0), None, "all values");
    }

    #[test]
    fn whole_clusters_trade_places() {
        // As single values ten of forty are low; as clusters it is one of four.
        let values: Vec<f64> = (0..40).map(|value| if value < 10 { -0.5 } else { 0.0 }).collect();
        let alone: Vec<usize> = (0..40).collect();
        let together: Vec<usize> = (0..40).map(|value| value / 10).collect();
        let groups = [(0..10).collect()];
        assert!(lowest_group(&values, &alone, &groups, 0.05, 0).is_some());
        assert_eq!(lowest_group(&values, &together, &groups, 0.05, 0), None);
    }

    #[test]
    fn values_without_a_difference_have_no_low_group() {
        assert_eq!(lowest_group(&[0.5; 6], &[0, 1, 2, 3, 4, 5], &[vec![0, 1]], 0.05, 0), None);
        assert_eq!(lowest_group(&[0.5], &[0], &[vec![0]], 0.05, 0), None);
        assert_eq!(lowest_group(&[], &[], &[], 0.05, 0), None);
    }
}
