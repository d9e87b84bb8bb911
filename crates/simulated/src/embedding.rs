//! Simulated embeddings: hashed counts of words. Texts with common words are near each other, whatever they mean.

use sha2::{Digest as _, Sha256};

use super::language::Terms;
use super::tokens;
use promptgate_core::model::{ChatRequest, Completion, Usage};

/// Numbers of an embedding. With this many, two words of a suite seldom share one.
const DIMENSIONS: usize = 512;

/// The embeddings of the messages of a request, as a JSON list of lists of numbers.
pub(crate) fn answer(request: &ChatRequest) -> Completion {
    let vectors: Vec<Vec<f64>> = request.messages.iter().map(|message| embedding(&message.content)).collect();
    let text = serde_json::to_string(&vectors).unwrap_or_default();
    let prompt_tokens = request.messages.iter().map(|message| tokens(&message.content)).sum();
    Completion { usage: Some(Usage::new(prompt_tokens, 0)), ..Completion::from_text(text) }
}

/// The stems of a text's words, each counted in the dimension of its hash with the sign of its hash. A negated word is
/// another word. A text without words is one word.
fn embedding(text: &str) -> Vec<f64> {
    let terms = Terms::of(text);
    let mut vector = vec![0.0; DIMENSIONS];
    let mut add = |word: &str, weight: f64| {
        let [low, high, sign, ..] = <[u8; 32]>::from(Sha256::digest(word.as_bytes()));
        let index = usize::from(u16::from_le_bytes([low, high])) % DIMENSIONS;
        if let Some(number) = vector.get_mut(index) {
            *number += if sign % 2 == 0 { weight } else { -weight };
        }
    };
    for term in &terms.list {
        let negation = if term.negated { "not " } else { "" };
        add(&format!("{negation}{}", term.stem), term.weight());
    }
    if terms.is_empty() {
        add(text.trim(), 1.0);
    }
    // Two words that cancel each other out would leave no direction.
    if vector.iter().all(|number| *number == 0.0)
        && let Some(first) = vector.first_mut()
    {
        *first = 1.0;
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::embedding;

    fn cosine(left: &str, right: &str) -> f64 {
        let (left, right) = (embedding(left), embedding(right));
        let dot = |left: &[f64], right: &[f64]| -> f64 { left.iter().zip(right).map(|(a, b)| a * b).sum() };
        dot(&left, &right) / (dot(&left, &left) * dot(&right, &right)).sqrt()
    }

    #[test]
    fn common_words_bring_texts_together() {
        let text = "Refunds take 30 days.";
        assert!((cosine(text, text) - 1.0).abs() < 1e-9);
        assert!(cosine(text, "A refund takes 30 days") > 0.95);
        assert!(cosine(text, "Parcels take four weeks.") < 0.5);
        assert!(cosine(text, "Refunds do not take 30 days.") < 0.9);
    }

    #[test]
    fn every_text_has_a_direction() {
        for text in ["", " ", "!", "the", "42"] {
            assert!(embedding(text).iter().any(|number| *number != 0.0), "{text:?}");
        }
    }
}
