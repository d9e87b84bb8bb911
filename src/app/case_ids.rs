//! Ids of cases that a user may have meant.

use promptgate_core::document::suggest;

/// Ids that a message lists.
const MAX_LISTED: usize = 6;
/// Ids of a dataset that are compared with an unknown one, since that takes time.
const MAX_COMPARED: usize = 20_000;

/// The help for an unknown id: the one that it resembles, those that contain it, else the first ones of the dataset.
pub(super) fn suggestion<C>(unknown: &str, cases: &[C], id: impl Fn(&C) -> &String) -> String {
    let ids = || cases.iter().map(|case| id(case).as_str());
    let needle = unknown.to_lowercase();
    let containing: Vec<&str> =
        ids().filter(|id| !needle.is_empty() && id.to_lowercase().contains(&needle)).collect();
    if !containing.is_empty() {
        return format!("cases whose id contains it: {}", listed(&containing));
    }
    if let Some(near) = suggest(unknown, ids().take(MAX_COMPARED)) {
        return format!("did you mean `{near}`?");
    }
    let all: Vec<&str> = ids().collect();
    format!("the cases are {}", listed(&all))
}

fn listed(ids: &[&str]) -> String {
    let named = ids.iter().take(MAX_LISTED).copied().collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(MAX_LISTED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn ids_are_suggested_by_part_and_by_likeness() {
        let ids: Vec<String> = (1..=9).map(|number| format!("refund-00{number}")).collect();
        let help = |unknown: &str| suggestion(unknown, &ids, |id| id);
        assert_eq!(help("refudn-004"), "did you mean `refund-004`?");
        assert_eq!(help("REFUND-003"), "cases whose id contains it: refund-003");
        let first = "refund-001, refund-002, refund-003, refund-004, refund-005, refund-006 and 3 more";
        assert_eq!(help("fund"), format!("cases whose id contains it: {first}"));
        assert_eq!(help("battery"), format!("the cases are {first}"));
        assert_eq!(help(""), format!("the cases are {first}"));
    }
}
