//! Spans without secrets.

use std::borrow::Cow;

use promptgate_adapters::otlp::{Span, Value};
use promptgate_core::text::Redactor;

/// Returns a span without secrets, wherever they may be. Databases of receivers do not store NUL.
pub(super) fn redacted(mut span: Span, redactor: &Redactor) -> Span {
    let clean = |text: &mut String| {
        let redacted = redactor.redact(text);
        let redacted: Cow<'_, str> =
            if redacted.contains('\0') { redacted.replace('\0', "\u{FFFD}").into() } else { redacted };
        if let Cow::Owned(redacted) = redacted {
            *text = redacted;
        }
    };
    clean(&mut span.name);
    let of_events = span.events.iter_mut().flat_map(|event| &mut event.attributes);
    for (_, value) in span.attributes.iter_mut().chain(of_events) {
        match value {
            Value::Text(text) => clean(text),
            Value::Texts(texts) => texts.iter_mut().for_each(clean),
            Value::Integer(_) | Value::Number(_) | Value::Bool(_) => {}
        }
    }
    span
}
