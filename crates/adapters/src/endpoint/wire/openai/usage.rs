//! Token counts of a response.

use serde_json::Value;

use super::super::tokens::count;
use promptgate_core::model::Usage;

/// Returns both counts or none: a missing, negative or implausible count is not 0, half a usage has no price, and 0
/// tokens in all means that the server does not count.
///
/// Some servers leave reasoning out of the tokens of the answer: where the total is larger than the sum, what is not of
/// the request is of the answer.
pub(super) fn usage(value: &Value) -> Option<Usage> {
    let prompt_tokens = count(value.get("prompt_tokens"))?;
    let named = count(value.get("completion_tokens"))?;
    let total = count(value.get("total_tokens")).unwrap_or_default();
    let completion_tokens = named.max(total.saturating_sub(prompt_tokens));
    // OpenAI and most others; DeepSeek; Anthropic by way of gateways.
    let cached = [
        value.pointer("/prompt_tokens_details/cached_tokens"),
        value.get("prompt_cache_hit_tokens"),
        value.get("cache_read_input_tokens"),
    ];
    let cached_prompt_tokens = cached.into_iter().find_map(count).unwrap_or_default().min(prompt_tokens);
    let usage = Usage { cached_prompt_tokens, ..Usage::new(prompt_tokens, completion_tokens) };
    (usage != Usage::default()).then_some(usage)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reasoning_outside_of_the_completion_is_counted() {
        let value = json!({"prompt_tokens": 21, "completion_tokens": 10, "total_tokens": 91,
            "completion_tokens_details": {"reasoning_tokens": 60}});
        assert_eq!(usage(&value), Some(Usage::new(21, 70)));
        // A total that lacks something changes nothing.
        let value = json!({"prompt_tokens": 21, "completion_tokens": 10, "total_tokens": 21});
        assert_eq!(usage(&value), Some(Usage::new(21, 10)));
    }

    #[test]
    fn cached_prompt_tokens_are_read_in_every_form() {
        let cached = |extra: Value| {
            let mut value = json!({"prompt_tokens": 100, "completion_tokens": 1});
            value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            usage(&value).unwrap().cached_prompt_tokens
        };
        assert_eq!(cached(json!({"prompt_tokens_details": {"cached_tokens": 64}})), 64);
        assert_eq!(cached(json!({"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36})), 64);
        assert_eq!(cached(json!({"cache_read_input_tokens": 7})), 7);
        assert_eq!(cached(json!({"prompt_tokens_details": {"cached_tokens": 640}})), 100);
        assert_eq!(cached(json!({"prompt_tokens_details": null})), 0);
    }
}
