//! Ratings on an anchored scale.

use super::*;
use crate::judge::Scale;
use crate::judge::registry::scale::ScalePayload;
use promptgate_core::model::Outcome;

fn scale() -> Kind {
    let anchors = [(0, "rude"), (3, "neutral"), (5, "warm")];
    let anchors = anchors.map(|(rating, text)| (rating, text.to_owned())).into();
    registry::scale(Scale { of: "how warm the answer is".to_owned(), anchors })
}

#[tokio::test]
async fn score_is_the_rating_over_five() {
    for (rating, score) in [("0", 0.0), ("2", 0.4), ("5", 1.0)] {
        let model = scripted(&[&list("ratings", &[rating])]);
        let grade = grade_of(&judge(scale()), &model, &case(), "Thirty days, with pleasure.").await;
        assert_eq!(grade.score(), Some(score), "{grade:?}");
        assert_eq!(grade.reason, format!("rated {rating} of 5"));
        assert_eq!(grade.details["ratings"][0]["verdict"], rating);
        let ScalePayload { of, anchors, .. } = payload(&model.requests()[0]);
        assert_eq!((of.as_str(), anchors.len(), anchors[1].rating), ("how warm the answer is", 3, 3));
    }
}

#[tokio::test]
async fn other_ratings_give_no_grade() {
    let number = r#"{"ratings":[{"id":1,"reasoning":"r","verdict":5}]}"#.to_owned();
    for reply in [
        number,
        list("ratings", &["6"]),
        list("ratings", &["five"]),
        list("ratings", &["4.5"]),
        list("ratings", &["5", "5"]),
        list("items", &["5"]),
    ] {
        let model = scripted(&[&reply, &reply, &reply]);
        let grade = grade_of(&judge(scale()), &model, &case(), "Thirty days.").await;
        assert_eq!(grade.outcome, Outcome::Ungraded(None), "{reply}");
    }
}
