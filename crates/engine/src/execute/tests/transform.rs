//! Answers that are transformed before they are graded.

use promptgate_core::transform::Extraction;

use super::*;

#[tokio::test(start_paused = true)]
async fn answer_that_cannot_be_transformed_scores_zero() {
    for (text, score) in [("```\nlong enough\n```", 1.0), ("```\nx\n```", 0.0), ("long enough", 0.0)] {
        let mut bench = bench(plan(1, "a {{query}}", None), &["tone"], move |_, _| reply(text));
        bench.engine.transform.extract = Some(Extraction::Fenced);
        let (result, requests, _) = bench.run(1).await;
        let grade = grades(&result.trials[0])[0].clone();
        assert_eq!(grade.score(), Some(score), "{text}");
        let is_unreadable = !text.starts_with('`');
        assert_eq!(grade.flags == ["product_fault", "not_transformed"], is_unreadable, "{:?}", grade.flags);
        // The judge is not asked about an answer without the part that it has to grade.
        assert_eq!(requests.len() == 1, is_unreadable, "{text}");
    }
}
