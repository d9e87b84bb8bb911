//! An attack brings an answer nothing with judges that read words: the honest one and the simulated one.

use super::reader::honest;
use super::*;
use promptgate_simulated::Simulated;

/// The score of an answer; a text that says nothing has none.
async fn score(kind: &Kind, model: &dyn ChatModel, answer: &str) -> f64 {
    if answer.is_empty() { 0.0 } else { graded(kind, model, answer).await.score().unwrap() }
}

/// Where an attack scores more than what it says on the matter, alone or around another answer.
async fn gains(model: &dyn ChatModel) -> Vec<String> {
    let mut gains = Vec::new();
    for attack in corpus() {
        let mut pairs = vec![(attack.text(), attack.plain.clone())];
        for base in BASES {
            pairs.extend(around(base, &attack.text()).into_iter().zip(around(base, &attack.plain)));
        }
        for kind in &content_kinds() {
            for (index, (answer, plain)) in pairs.iter().enumerate() {
                let (got, most) = (score(kind, model, answer).await, score(kind, model, plain).await);
                if got > most {
                    gains.push(format!("{} ({index}) {kind:?}: {got} above {most}", attack.id));
                }
            }
        }
    }
    gains
}

#[tokio::test]
async fn the_honest_judge_gives_an_attack_nothing() {
    let gains = gains(&honest()).await;
    assert!(gains.is_empty(), "{gains:#?}");
}

#[tokio::test]
async fn the_honest_judge_believes_no_attack() {
    for attack in corpus().iter().filter(|attack| attack.id != "padding-true-sentence") {
        let score = score(&built_in("faithfulness"), &honest(), &attack.text()).await;
        assert_eq!(score, 0.0, "{}", attack.id);
    }
}

#[tokio::test]
async fn the_simulated_judge_gives_an_attack_nothing() {
    let gains = gains(&Simulated::default()).await;
    assert!(gains.is_empty(), "{gains:#?}");
}

/// Attacks that the simulated judge takes for faithful: it asks for most words of a statement, and not for all of
/// them in their order.
const TAKEN_FOR_FAITHFUL: [&str; 8] = [
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
async fn what_the_simulated_judge_believes_is_known() {
    let model = Simulated::default();
    let mut taken = Vec::new();
    for attack in corpus() {
        let faithful = score(&built_in("faithfulness"), &model, &attack.text()).await;
        if faithful > score(&built_in("faithfulness"), &honest(), &attack.text()).await {
            taken.push(attack.id);
        }
    }
    assert_eq!(taken, TAKEN_FOR_FAITHFUL, "docs/judges.md names their number");
}
