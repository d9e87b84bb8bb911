//! LLM judges: instruments with a scale, evidence that the program verifies, and strict replies.

pub mod reply;
pub mod request;
