//! JSON Schemas of the replies, for endpoints that generate along a schema.
//!
//! Strict mode requires every property and allows no others. The length of the list is fixed as far as the endpoint
//! supports it; `parse` checks it again, and the ids, which are no enumeration: Gemini refuses one of integers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::Form;

/// Maximum number of ids of a cached schema.
const MAX_CACHED: usize = 250;

/// Schemas by form, number of ids and whether the length of the list is fixed.
type Cache = BTreeMap<(Form, usize, bool), Arc<Value>>;

impl Form {
    /// [`Form::schema`], cached by its arguments.
    pub(in crate::judge) fn cached_schema(self, asked: usize, lengths: bool) -> Arc<Value> {
        static CACHE: Mutex<Cache> = Mutex::new(BTreeMap::new());
        if asked > MAX_CACHED {
            return Arc::new(self.schema(asked, lengths));
        }
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        let schema = cache.entry((self, asked, lengths));
        Arc::clone(schema.or_insert_with(|| Arc::new(self.schema(asked, lengths))))
    }

    /// The schema of a reply on the ids 1 to `asked`; without `lengths` the list may have any length.
    pub(in crate::judge) fn schema(self, asked: usize, lengths: bool) -> Value {
        let text = json!({"type": "string"});
        let mut properties = Map::from_iter([("id".to_owned(), json!({"type": "integer"}))]);
        if self.quotes {
            properties.insert("quotes".to_owned(), json!({"type": "array", "items": text}));
        }
        properties.insert("reasoning".to_owned(), text);
        properties.insert("verdict".to_owned(), json!({"type": "string", "enum": self.verdicts}));
        let required: Vec<&String> = properties.keys().collect();
        let entry = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        let list = if lengths {
            json!({"type": "array", "items": entry, "minItems": asked, "maxItems": asked})
        } else {
            json!({"type": "array", "items": entry})
        };
        json!({
            "type": "object",
            "properties": {self.list: list},
            "required": [self.list],
            "additionalProperties": false,
        })
    }
}
