//! The shards that are not run: the answers of the real one for the cases that each of them has.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use serde_json::{Value, json};

use crate::Fallible;
use promptgate_report::shard::Shard;

/// The shards that were written.
pub(crate) struct Replicas {
    /// The cases of the real shard.
    pub(crate) cases_of_first: usize,
    /// The size of all shards.
    pub(crate) bytes: u64,
}

/// Writes shards 2 to `of` next to the first one, for a dataset whose row `number` has `id(number)`.
pub(crate) fn write(
    folder: &Path,
    of: u32,
    id: impl Fn(usize) -> String,
    cases: usize,
) -> Fallible<Replicas> {
    let path = |index| folder.join(Shard { index, of }.file_name());
    let mut shard: Value = serde_json::from_slice(&std::fs::read(path(1))?)?;
    let templates = shard["report"]["cases"].as_array().cloned().ok_or("the shard has no cases")?;
    let trials_of_case = shard["counts"]["trials"].as_u64().unwrap_or_default() / templates.len() as u64;
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); of as usize];
    for number in 0..cases {
        let index = Shard::index_of(&id(number), of) as usize - 1;
        places.get_mut(index).ok_or("an index above the number of shards")?.push(number);
    }
    let mut bytes = std::fs::metadata(path(1))?.len();
    for (index, places) in (1..=of).zip(&places).skip(1) {
        let replica = |(place, template): (&usize, &Value)| {
            let mut case = template.clone();
            case["id"] = json!(id(*place));
            case
        };
        shard["shard"]["index"] = json!(index);
        shard["places"] = json!(places);
        shard["counts"]["cases"] = json!(places.len());
        shard["counts"]["trials"] = json!(places.len() as u64 * trials_of_case);
        shard["report"]["cases"] = places.iter().zip(templates.iter().cycle()).map(replica).collect();
        serde_json::to_writer(BufWriter::new(File::create(path(index))?), &shard)?;
        bytes += std::fs::metadata(path(index))?.len();
    }
    Ok(Replicas { cases_of_first: templates.len(), bytes })
}
