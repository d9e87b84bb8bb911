//! Keys of other tools, and what is written here in their place.

/// A key that every entry of `checks` may have and no other map.
pub(super) const CHECK_ENTRY: &str = "not_contains";

/// A key of the configuration itself that no other map has.
const CONFIGURATION: &str = "answer_field";

/// A check of code, where there is one.
const CODE: &str = "command";

/// A check of tool calls. Since there is one, the criteria of a case need no metric.
const TOOLS: &str = "tool_called";

/// Words without separators in lower case, a key that the map must know for the row to hold, and the next step. The first
/// row that holds counts.
pub(super) const FOREIGN: &[(&[&str], &str, &str)] = &[
    // Keys of the configuration.
    (
        &["prompts"],
        CONFIGURATION,
        "write `prompt: prompts/NAME.md`, a file, or `prompt: {text: …}`; for several prompts write a configuration for each",
    ),
    (
        &["provider", "providers"],
        CONFIGURATION,
        "write `model: NAME` and, unless it is OpenAI's, `endpoint: {base_url: URL}` or `endpoint: {protocol: anthropic}` or \
         gemini; your own application is a `target:`; for several models write a configuration for each",
    ),
    (
        &["targets"],
        CONFIGURATION,
        "write `model: NAME` with `endpoint:` for a model, or `target:` for your own application",
    ),
    (
        &["tests", "testcases", "cases"],
        CONFIGURATION,
        "write each test as a row of a file, such as {\"query\": \"…\", \"checks\": [{\"contains\": \"…\"}]}, and \
         `dataset: cases.jsonl`; a list of values of a variable is a row for each value",
    ),
    (
        &["defaulttest"],
        CONFIGURATION,
        "write `checks:`, `metrics:` and `judge:` here, which apply to all cases; variables belong to the rows of the dataset",
    ),
    (
        &["scenarios", "scenario"],
        CONFIGURATION,
        "write a row of the dataset for each combination, and the same `group` for rows that belong together",
    ),
    (
        &["assert", "asserts", "assertions", "assertiontemplates"],
        CONFIGURATION,
        "write `checks:`, a list of maps with one check each: `- contains: \"30 days\"`",
    ),
    (
        &["vars", "variables"],
        CONFIGURATION,
        "variables belong to the rows of the dataset: a column, or `vars`; several values are several rows",
    ),
    (
        &["evaluateoptions", "commandlineoptions"],
        CONFIGURATION,
        "write `gate: {repeats: 3}` for repetitions, `endpoint: {max_concurrency: 8}` for calls in flight and \
         `endpoint: {rpm: 60}` for a rate",
    ),
    (
        &["derivedmetrics"],
        CONFIGURATION,
        "metrics are not computed from others: every check and metric has a `min` of its own, and all have to hold",
    ),
    (
        &["outputpath", "output"],
        CONFIGURATION,
        "the report is written to promptgate-report/; `--out FOLDER` names another folder",
    ),
    (
        &["env", "environment"],
        CONFIGURATION,
        "set variables outside; `endpoint: {api_key_env: NAME}` names the one with the key, `target: {env: [NAME]}` those \
         of an application",
    ),
    (
        &["nunjucksfilters"],
        CONFIGURATION,
        "prompts insert values and nothing else: put the final text into a column of the dataset",
    ),
    (
        &["extensions", "hooks"],
        CONFIGURATION,
        "hooks are not run: prepare in a step before promptgate, or in `target: {setup: […]}` of an application",
    ),
    (
        &["redteam"],
        CONFIGURATION,
        "attacks are not generated: write them as rows of the dataset, with checks of their answers",
    ),
    (&["description"], CONFIGURATION, "write `name:`, the name of the suite in reports, or a comment"),
    (
        &["tags", "metadata"],
        CONFIGURATION,
        "`tags` belong to the rows of the dataset; other data is a comment",
    ),
    (
        &["sharing", "writelatestresults", "tracing"],
        CONFIGURATION,
        "results are not uploaded: the report is written to promptgate-report/",
    ),
    (
        &["options", "defaults"],
        CONFIGURATION,
        "write `parameters:` for the model, `judge:` for the judge and `transform:` for the answer",
    ),
    (&["threshold"], CONFIGURATION, "each check and metric has a threshold of its own: `min` beside it"),
    // Checks of texts.
    (&["icontains"], CHECK_ENTRY, "write `contains: {all: [TEXT], ignore_case: true}`"),
    (&["icontainsany"], CHECK_ENTRY, "write `contains: {any: [TEXT, …], ignore_case: true}`"),
    (&["icontainsall"], CHECK_ENTRY, "write `contains: {all: [TEXT, …], ignore_case: true}`"),
    (&["containsany"], CHECK_ENTRY, "write `contains: {any: [TEXT, …]}`"),
    (&["containsall"], CHECK_ENTRY, "write `contains: [TEXT, …]`"),
    (
        &["noticontains", "noticontainsany"],
        CHECK_ENTRY,
        "write `not_contains: {any: [TEXT], ignore_case: true}`",
    ),
    (&["noticontainsall"], CHECK_ENTRY, "write `not_contains: {all: [TEXT, …], ignore_case: true}`"),
    (&["notcontainsany"], CHECK_ENTRY, "write `not_contains: [TEXT, …]`"),
    (&["notcontainsall"], CHECK_ENTRY, "write `not_contains: {all: [TEXT, …]}`"),
    (
        &["containsjson"],
        CHECK_ENTRY,
        "write `is_json: {extract: fenced}`, or `json_schema: {path: FILE, extract: fenced}`",
    ),
    (&["wordcount"], CHECK_ENTRY, "write `length: {min_words: 1, max_words: 80}`"),
    (
        &["levenshtein"],
        CHECK_ENTRY,
        "write `similarity: {value: TEXT, min: 0.8}`, 1 minus the share of edits",
    ),
    (
        &["rougen", "bleu", "gleu", "meteor"],
        CHECK_ENTRY,
        "write `similarity: {value: TEXT, min: 0.6, measure: rouge_l}`",
    ),
    (
        &["ishtml", "containshtml", "isxml", "containsxml", "issql", "containssql"],
        CHECK_ENTRY,
        "write a `regex` for the shape of the answer, or ask a judge by a metric with a `rubric`",
    ),
    // Code.
    (&["javascript", "python", "ruby", "webhook"], CODE, "write `command: {run: [python, checks/NAME.py]}`"),
    (
        &["javascript", "python", "ruby", "webhook"],
        CHECK_ENTRY,
        "a check is not code: `contains`, `regex`, `json_field`, `numeric` and `length` are what most code asks, and a \
         metric with a `rubric` asks the rest",
    ),
    // Tool calls.
    (
        &["isvalidopenaitoolscall", "isvalidfunctioncall"],
        TOOLS,
        "write `tool_called: {name: TOOL, arguments: SCHEMA}`",
    ),
    (&["toolcallf1"], TOOLS, "write `tool_called: [TOOL, …]` and `no_tool_called: [TOOL, …]`"),
    (
        &["isvalidopenaitoolscall", "isvalidfunctioncall", "toolcallf1"],
        CHECK_ENTRY,
        "calls of tools are shown in the report and not checked; ask for JSON and write `json_schema: FILE`",
    ),
    // Measured over all answers.
    (
        &["latency"],
        CHECK_ENTRY,
        "a time is measured over all answers: write `limits: {latency_p95: 5s}` in the configuration",
    ),
    (
        &["cost"],
        CHECK_ENTRY,
        "cost is measured over all answers: write `limits: {cost_per_case_usd: 0.01}` in the configuration",
    ),
    (
        &["isrefusal", "notisrefusal"],
        CHECK_ENTRY,
        "refusals are recognized in every run and compared with the baseline's; `may_refuse: true` on a case allows one",
    ),
    (
        &["finishreason"],
        CHECK_ENTRY,
        "an answer that was cut off or filtered scores 0 without a check: leave it out",
    ),
    // Judges.
    (
        &["llmrubric", "geval", "modelgradedclosedqa", "agentrubric", "searchrubric"],
        TOOLS,
        "a judge decides it: give the case `criteria`, or the configuration a metric with a `rubric`",
    ),
    (
        &["llmrubric", "geval", "modelgradedclosedqa", "agentrubric", "searchrubric"],
        CHECK_ENTRY,
        "a judge decides it: write `metrics: {NAME: {rubric: [TEXT]}}` in the configuration, or with the metric \
         `relevance`, `criteria: [TEXT]` in the case",
    ),
    (
        &["notllmrubric", "notgeval", "notmodelgradedclosedqa"],
        CHECK_ENTRY,
        "a judge decides it: write the opposite statement as an item of a `rubric` below `metrics`",
    ),
    (
        &["factuality", "modelgradedfactuality"],
        CHECK_ENTRY,
        "a judge decides it: add `metrics: {correctness: {}}` to the configuration, and `expected` to the case",
    ),
    (
        &["answerrelevance"],
        CHECK_ENTRY,
        "a judge decides it: add `metrics: {relevance: {}}` to the configuration",
    ),
    (
        &["conversationrelevance", "conversationalrelevance"],
        CHECK_ENTRY,
        "a judge decides it: give the case the messages before its question as `messages`, or its lines as `turns`, and add \
         `metrics: {relevance: {}}` to the configuration",
    ),
    (
        &["contextfaithfulness"],
        CHECK_ENTRY,
        "a judge decides it: add `metrics: {faithfulness: {}}` to the configuration, and `context` to the case",
    ),
    (
        &["contextrecall"],
        CHECK_ENTRY,
        "a judge decides it: add `metrics: {context_recall: {}}` to the configuration, and `expected` to the case",
    ),
    (
        &["contextprecision", "contextrelevance"],
        CHECK_ENTRY,
        "a judge decides it: add `metrics: {context_precision: {}}` to the configuration, and `expected` to the case",
    ),
    (
        &["moderation", "guardrails", "classifier", "pi"],
        CHECK_ENTRY,
        "no other service is called: `not_contains` and `regex` find words, and a metric with a `rubric` asks a judge",
    ),
    (
        &["perplexity", "perplexityscore"],
        CHECK_ENTRY,
        "log probabilities are not read: a metric with a `rubric` or a `scale` asks a judge about the language",
    ),
    (
        &["selectbest", "maxscore"],
        CHECK_ENTRY,
        "a judge compares the answers of candidate and baseline: write `metrics: {preference: {}}`",
    ),
    (
        &["humanreview", "human"],
        CHECK_ENTRY,
        "no answer waits for a person: the report shows the cases to look at",
    ),
    // Keys beside a check.
    (&["assertset"], CHECK_ENTRY, "give each check of the set an entry of its own; all of them have to hold"),
    (&["value"], CHECK_ENTRY, "the value follows the check: `contains: \"30 days\"`"),
    (
        &["threshold"],
        CHECK_ENTRY,
        "`min` beside a check is the share of answers that have to pass it; `similarity: {min: 0.8}` has one of its own",
    ),
    (
        &["weight"],
        CHECK_ENTRY,
        "every check is a requirement of its own, so none outweighs another: `min` is the share of answers that have to \
         pass it; `criteria` and rubrics have weights",
    ),
    (&["metric"], CHECK_ENTRY, "write `name: NAME`, the name of the check in reports"),
    (
        &["provider", "rubricprompt"],
        CHECK_ENTRY,
        "the judge is one for all cases: `judge: {model: NAME}` in the configuration",
    ),
    (
        &["transform", "contexttransform", "config"],
        CHECK_ENTRY,
        "answers are transformed for all checks: `transform: {command: {run: [python, NAME.py]}}` in the configuration, or \
         without code `extract`, `json_path` and `answer_field`",
    ),
];
