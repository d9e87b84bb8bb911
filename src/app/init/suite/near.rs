//! Which datasets are for a prompt by their place: those of another prompt are not.

use super::{Survey, folder_of};
use crate::app::init::from::sources::stem;
use crate::app::init::survey::FoundPrompt;

/// Names of folders that hold data for a whole project.
const SHARED: [&str; 17] = [
    "benchmark",
    "benchmarks",
    "cases",
    "data",
    "dataset",
    "datasets",
    "eval",
    "evals",
    "evaluation",
    "examples",
    "fixtures",
    "golden",
    "goldens",
    "qa",
    "spec",
    "test",
    "tests",
];

/// Whether a dataset lies with the prompt: in its folder, below it, above it, or in a folder of data, as long as no other
/// prompt is nearer.
pub(super) fn is_for(dataset: &str, prompt: &FoundPrompt, survey: &Survey) -> bool {
    let (own, place) = (folder_of(&prompt.path), folder_of(dataset));
    let prompts = survey.prompts.iter().map(|other| other.path.as_str());
    let sources = survey.sources.iter().map(|(path, _)| path.as_str());
    let others: Vec<&str> = prompts
        .chain(sources)
        .chain(survey.covered.iter().map(String::as_str))
        .filter(|path| *path != prompt.path)
        .collect();
    if is_named_after(dataset, &prompt.path, &others) {
        return false;
    }
    let folders = || others.iter().map(|other| folder_of(other)).filter(|folder| *folder != own);
    if let Some(below) = place.strip_prefix(own.as_str()) {
        return below.is_empty()
            || !folders().any(|other| other.starts_with(&own) && place.starts_with(&other));
    }
    if own.starts_with(&place) {
        return !folders().any(|other| other == place);
    }
    // Beside the prompt, or beside a folder around it.
    let shared =
        own.split_inclusive('/').zip(place.split_inclusive('/')).take_while(|(one, other)| one == other);
    let length: usize = shared.map(|(part, _)| part.len()).sum();
    let branch = place.get(length..).unwrap_or_default();
    let first = branch.split('/').next().unwrap_or_default();
    let top = format!("{}{first}/", place.get(..length).unwrap_or_default());
    branch.split('/').any(|part| SHARED.contains(&part.to_lowercase().as_str()))
        && !folders().any(|other| other.starts_with(&top))
}

/// Whether a dataset has the name of another prompt, or of its folder.
fn is_named_after(dataset: &str, own: &str, others: &[&str]) -> bool {
    let parts = |path: &str| -> Vec<String> {
        let folder = folder_of(path);
        let last = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        [last, stem(path)].into_iter().map(|part| part.to_lowercase()).collect()
    };
    let known = parts(own);
    let is_telling = |name: &String| {
        name.len() > 2
            && !known.contains(name)
            && !super::GENERAL.contains(&name.as_str())
            && !super::ACTIONS.contains(&name.as_str())
            && !SHARED.contains(&name.as_str())
            && name != "prompts"
    };
    let names: Vec<String> = others.iter().flat_map(|other| parts(other)).filter(is_telling).collect();
    let folder = folder_of(dataset).to_lowercase();
    let own_folder = folder_of(own).to_lowercase();
    let of_dataset = folder.split('/').filter(|part| !own_folder.split('/').any(|other| other == *part));
    let stem = stem(dataset).to_lowercase();
    of_dataset.chain([stem.as_str()]).any(|part| names.iter().any(|name| name == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datasets_of_another_prompt_are_not_for_this_one() {
        let prompt = |path: &str| FoundPrompt::of_text(path, "Answer {{question}}.");
        let survey = Survey {
            prompts: vec![
                prompt("services/search/rewrite.txt"),
                prompt("services/support/prompt.md"),
                prompt("prompts/triage.txt"),
                prompt("prompts/rag.txt"),
            ],
            ..Survey::default()
        };
        for (dataset, path, expected) in [
            ("services/support/cases.jsonl", "services/search/rewrite.txt", false),
            ("services/support/cases.jsonl", "services/support/prompt.md", true),
            ("services/support/data/a.csv", "services/support/prompt.md", true),
            ("services/cases.jsonl", "services/search/rewrite.txt", true),
            ("cases.jsonl", "services/search/rewrite.txt", true),
            ("services/billing/cases.jsonl", "services/search/rewrite.txt", false),
            ("tests/golden.json", "services/search/rewrite.txt", true),
            ("evals/support/cases.jsonl", "services/search/rewrite.txt", false),
            ("prompts/triage.csv", "prompts/rag.txt", false),
            ("prompts/triage.csv", "prompts/triage.txt", true),
            ("prompts/cases.csv", "services/search/rewrite.txt", false),
        ] {
            assert_eq!(is_for(dataset, &prompt(path), &survey), expected, "{dataset} for {path}");
        }
    }
}
