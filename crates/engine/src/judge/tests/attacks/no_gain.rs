//! Attacks do not raise scores by the honest and the simulated judge.

use super::reader::honest;
use super::*;
use promptgate_simulated::Simulated;

/// The score of an answer; 0 for an empty one.
async fn score(kind: &Kind, model: &dyn ChatModel, answer: &str) -> f64 {
    if answer.is_empty() { 0.0 } else { graded(kind, model, answer).await.score().unwrap() }
}

/// Attacks that score more than their true content, alone or around another answer.
async fn gains(model: &dyn ChatModel) -> Vec<String> {
    let mut gains = Vec::new();
    for attack in corpus() {
        let mut pairs = vec![(attack.text(), attack.plain.clone())];
        for base in BASES {
            pairs.extend(around(base, &attack.text()).into_iter().zip(around(base, &attack.plain)));
        }
        for kind in &content_kinds().collect::<Vec<_>>() {
            for (index, (answer, plain)) in pairs.iter().enumerate() {
                let (actual, max) = (score(kind, model, answer).await, score(kind, model, plain).await);
                if actual > max {
                    gains.push(format!("{} ({index}) {kind:?}: {actual} above {max}", attack.id));
                }
            }
        }
    }
    gains
}

#[tokio::test]
async fn attacks_gain_nothing_by_the_honest_judge() {
    let gains = gains(&honest()).await;
    assert!(gains.is_empty(), "{gains:#?}");
}

#[tokio::test]
async fn attacks_score_zero_by_the_honest_judge() {
    for attack in corpus().iter().filter(|attack| attack.id != "padding-true-sentence") {
        let score = score(&built_in("faithfulness"), &honest(), &attack.text()).await;
        assert_eq!(score, 0.0, "{}", attack.id);
    }
}

#[tokio::test]
async fn attacks_gain_nothing_by_the_simulated_judge() {
    let gains = gains(&Simulated::default()).await;
    assert!(gains.is_empty(), "{gains:#?}");
}

/// Attacks that are faithful by the simulated judge, which compares most words of a statement without their order.
const KNOWN_FAITHFUL: [&str; 8] = [
    "boundary-context",
    "quote-own",
    "quote-passage",
    "quote-joined",
    "number-swapped",
    "addition",
    "condition-turned",
    "word-swapped",
];

#[tokio::test]
async fn errors_of_the_simulated_judge_are_known() {
    let model = Simulated::default();
    let mut faithful_attacks = Vec::new();
    for attack in corpus() {
        let faithful = score(&built_in("faithfulness"), &model, &attack.text()).await;
        if faithful > score(&built_in("faithfulness"), &honest(), &attack.text()).await {
            faithful_attacks.push(attack.id);
        }
    }
    assert_eq!(faithful_attacks, KNOWN_FAITHFUL, "docs/judges.md names their number");
}
