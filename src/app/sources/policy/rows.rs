//! Matches the rows of two datasets: by their written ids, else by content, else by question and context. A row number is
//! never a match, since inserting a row would shift it.

use std::collections::{HashMap, VecDeque};

use promptgate_adapters::files;
use promptgate_core::model::Case;

/// For each case of `now`, the index of the same case in `before`. Every index occurs once at the most.
pub(in crate::app) fn matched(before: &[Case], now: &[Case]) -> Vec<Option<usize>> {
    let mut matches = Matches { found: vec![None; now.len()], taken: vec![false; before.len()] };
    let id = |case: &Case| (!case.numbered).then(|| case.id.clone());
    matches.add(before, now, id, id);
    let content = |case: &Case| Some(content(case));
    matches.add(before, now, content, content);
    // An id that is gone stays gone: only rows without one are found by what they ask.
    matches.add(before, now, |case| question(case).filter(|_| case.numbered), question);
    matches.found
}

struct Matches {
    found: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl Matches {
    /// Pairs the rows that are left and have the same key, in their order.
    fn add(
        &mut self,
        before: &[Case],
        now: &[Case],
        old_key: impl Fn(&Case) -> Option<String>,
        new_key: impl Fn(&Case) -> Option<String>,
    ) {
        let mut left: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (index, case) in before.iter().enumerate().filter(|(index, _)| !self.taken[*index]) {
            if let Some(key) = old_key(case) {
                left.entry(key).or_default().push_back(index);
            }
        }
        for (found, case) in self.found.iter_mut().zip(now).filter(|(found, _)| found.is_none()) {
            let Some(key) = new_key(case) else { continue };
            *found = left.get_mut(&key).and_then(VecDeque::pop_front);
            if let Some(index) = *found {
                self.taken[index] = true;
            }
        }
    }
}

/// The digest of everything but the id.
pub(super) fn content(case: &Case) -> String {
    let case = Case { id: String::new(), ..case.clone() };
    files::digest(std::slice::from_ref(&case))
}

/// Question and context; `None` for a row that has neither.
fn question(case: &Case) -> Option<String> {
    let context = case.context_text();
    (!case.query.is_empty() || context.is_some())
        .then(|| format!("{}\u{0}{}", case.query, context.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, query: &str, tag: &str) -> Case {
        let (id, numbered) = (id.trim_start_matches('#'), id.starts_with('#'));
        Case {
            id: id.to_owned(),
            numbered,
            query: query.to_owned(),
            tags: vec![tag.to_owned()],
            ..Case::default()
        }
    }

    #[test]
    fn rows_match_by_id_then_content_then_question_and_never_by_number() {
        let before = [row("a", "1", ""), row("b", "2", ""), row("#3", "3", ""), row("#4", "4", "")];
        let now = [
            row("#1", "unlike", ""),
            row("b", "easier", ""),
            row("#3", "4", "edited"),
            row("renamed", "1", ""),
            row("#5", "3", ""),
        ];
        assert_eq!(matched(&before, &now), [None, Some(1), Some(3), Some(0), Some(2)]);
    }

    #[test]
    fn copies_of_one_row_match_once() {
        let before: Vec<Case> =
            (1..=60).map(|number| row(&format!("#{number}"), &format!("q{number}"), "")).collect();
        let copies: Vec<Case> = (1..=60).map(|number| row(&format!("#{number}"), "q7", "")).collect();
        let found: Vec<usize> = matched(&before, &copies).into_iter().flatten().collect();
        assert_eq!(found, [6]);
    }

    #[test]
    fn changed_row_whose_id_is_gone_is_not_found_by_its_question() {
        let found = matched(&[row("hard", "why", "old")], &[row("#1", "why", "new")]);
        assert_eq!(found, [None]);
    }
}
