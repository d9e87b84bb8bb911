use serde_json::{Value, json};

use super::*;
use crate::model::Place;

/// A case with a question.
fn asked(id: &str, query: &str) -> Case {
    Case { id: id.to_owned(), query: query.to_owned(), place: Place::file("cases.jsonl"), ..Case::default() }
}

fn with_context(case: Case, passages: &[&str]) -> Case {
    let passages: Vec<String> = passages.iter().map(|passage| (*passage).to_owned()).collect();
    Case { context: Some(passages.into()), ..case }
}

fn with_expected(case: Case, expected: impl Into<Value>) -> Case {
    Case { expected: Some(expected.into()), ..case }
}

fn reviewed(cases: &[Case], prompt: &str) -> Vec<DatasetFinding> {
    let prompt = [Message::new(MessageRole::System, prompt)];
    review(&Reviewed { cases, equal: &[], prompt: &prompt, used: None, history: None })
}

/// The finding with a code, where there is one.
fn found(cases: &[Case], prompt: &str, code: DatasetCode) -> Option<DatasetFinding> {
    reviewed(cases, prompt).into_iter().find(|finding| finding.code == code)
}

fn sets(finding: &DatasetFinding) -> Vec<Vec<&str>> {
    finding.sets.iter().map(|set| set.cases.iter().map(String::as_str).collect()).collect()
}

#[test]
fn similar_questions_form_clusters() {
    let cases = [
        asked("a", "Can I return an opened game after a week?"),
        asked("b", "can i return an opened game, after a week"),
        asked("other", "Where is my parcel right now, please?"),
        asked("c", "Can I return an opened board game after a week?"),
        asked("number-1", "How many days does plan 1 give for a refund?"),
        asked("number-2", "How many days does plan 2 give for a refund?"),
        asked("empty-1", "???"),
        asked("empty-2", "!!!"),
    ];
    let finding = found(&cases, "", DatasetCode::SimilarQuestions).unwrap();
    assert_eq!(sets(&finding), [["a", "b", "c"]]);
    assert_eq!(finding.cases, ["a", "b", "c"]);
    assert_eq!(finding.level, FindingLevel::Warning);
}

#[test]
fn question_over_other_passages_is_another_case() {
    let question = "Can I return an opened game after a week?";
    let cases = [
        with_context(asked("a", question), &["Opened games cannot be returned."]),
        with_context(asked("b", question), &["All games can be returned."]),
        with_context(asked("c", question), &["Shipping is free.", "opened games cannot be returned"]),
        asked("none", question),
    ];
    assert_eq!(sets(&found(&cases, "", DatasetCode::SimilarQuestions).unwrap()), [["a", "c"]]);
}

#[test]
fn groups_conversations_and_unused_variables_are_respected() {
    let question = "Can I return an opened game after a week?";
    let grouped = |id: &str| Case { group: Some("g".to_owned()), ..asked(id, question) };
    assert_eq!(found(&[grouped("a"), grouped("b")], "", DatasetCode::SimilarQuestions), None);
    let turn = |id: &str| Case { turn_of: Some("talk".to_owned()), ..asked(id, question) };
    assert_eq!(found(&[turn("a"), turn("b")], "", DatasetCode::SimilarQuestions), None);
    let with_variable = |id: &str, value: &str| {
        let mut case = asked(id, question);
        case.vars.insert("shop".to_owned(), value.into());
        case
    };
    let cases = [with_variable("a", "bicycles of steel"), with_variable("b", "wine")];
    assert_eq!(found(&cases, "", DatasetCode::SimilarQuestions), None, "an application reads all variables");
    let used = BTreeSet::from(["query".to_owned()]);
    let input = Reviewed { cases: &cases, equal: &[], prompt: &[], used: Some(&used), history: None };
    assert!(review(&input).iter().any(|finding| finding.code == DatasetCode::SimilarQuestions));
}

#[test]
fn equal_rows_are_not_also_similar_questions() {
    let question = "Can I return an opened game after a week?";
    let cases = [asked("a", question), asked("b", question)];
    let equal = [vec![0, 1]];
    let findings = review(&Reviewed { cases: &cases, equal: &equal, prompt: &[], used: None, history: None });
    let codes: Vec<DatasetCode> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [DatasetCode::EqualRows, DatasetCode::TooFewCases]);
    assert_eq!(findings[0].message, "1 set of rows (2 cases) is equal apart from id, tags and group");
}

#[test]
fn equal_questions_with_other_answers_conflict() {
    let answered = |id: &str, passages: &[&str], answer: &str| {
        with_expected(with_context(asked(id, "How long?"), passages), answer)
    };
    let cases = [
        answered("a", &["10 days.", "Free."], "Ten days."),
        answered("b", &["free", "10 days"], "ten days"),
        answered("c", &["Free.", "10 days."], "Thirty days."),
        answered("d", &["30 days."], "Thirty."),
    ];
    let finding = found(&cases, "", DatasetCode::ConflictingAnswers).unwrap();
    assert_eq!(sets(&finding), [["a", "b", "c"]]);
    assert_eq!(found(&cases[..2], "", DatasetCode::ConflictingAnswers), None);
}

#[test]
fn answers_in_questions_are_leaks_unless_the_question_offers_a_choice() {
    let cases = [
        with_expected(asked("leak", "The capital is Paris. What is the capital?"), "Paris"),
        with_expected(asked("fine", "What is the capital of Spain?"), "Madrid"),
        with_expected(asked("part", "Who parised?"), "Par"),
        with_expected(asked("choice", "Refund or shipping?"), "refund"),
        with_expected(asked("second", "My money is late"), "refund"),
        with_expected(asked("third", "My parcel is late"), "shipping"),
        with_expected(asked("fourth", "My box is late"), "shipping"),
        with_expected(asked("empty", "Anything?"), ""),
        with_expected(asked("short", "Is a a letter?"), "a"),
        with_expected(asked("list", "[1] is a list"), json!([1])),
    ];
    let finding = found(&cases, "", DatasetCode::AnswerInQuestion).unwrap();
    assert_eq!((finding.cases, finding.level), (vec!["leak".to_owned()], FindingLevel::Warning));
    assert_eq!(finding.message, "the question contains the reference answer in 1 of 7 cases");
}

#[test]
fn answers_in_most_questions_are_the_task() {
    let case = |number: usize| {
        with_expected(
            asked(&format!("c{number}"), &format!("Copy word{number} please")),
            format!("word{number}"),
        )
    };
    let mut cases: Vec<Case> = (0..5).map(case).collect();
    assert_eq!(found(&cases, "", DatasetCode::AnswerInQuestion).unwrap().level, FindingLevel::Info);
    cases
        .extend((0..5).map(|number| with_expected(asked(&format!("d{number}"), "Say it"), "something else")));
    assert_eq!(found(&cases, "", DatasetCode::AnswerInQuestion).unwrap().level, FindingLevel::Warning);
}

#[test]
fn examples_of_the_prompt_that_are_cases_are_found() {
    let prompt =
        "Answer {{query}}.\n\nExample:\nQ: may i bring back an opened game\nA: Opened games stay with you.";
    let cases = [
        with_expected(asked("question", "May I bring back an opened game?"), "No."),
        with_expected(asked("answer", "Opened?"), "Opened games stay with you"),
        with_expected(asked("words", "opened game"), "Opened games"),
        with_expected(asked("neither", "May I bring back a closed game?"), "Closed games go back to us."),
    ];
    assert_eq!(found(&cases, prompt, DatasetCode::CaseInPrompt).unwrap().cases, ["question"]);
    assert_eq!(found(&cases, prompt, DatasetCode::AnswerInPrompt).unwrap().cases, ["answer"]);
    // A sentence that several cases expect is prescribed by the prompt.
    let fixed = ["x", "y"].map(|id| with_expected(asked(id, id), "Opened games stay with you"));
    assert_eq!(found(&fixed, prompt, DatasetCode::AnswerInPrompt), None);
    // Text on both sides of a placeholder is not one text.
    let split = [asked("split", "one two three four")];
    assert_eq!(found(&split, "one two {{query}} three four", DatasetCode::CaseInPrompt), None);
}

#[test]
fn context_that_is_the_answer_is_a_leak_and_one_that_has_it_is_not() {
    let answered = |id: &str, passages: &[&str], answer: &str| {
        with_expected(with_context(asked(id, id), passages), answer)
    };
    let cases = [
        answered("itself", &["Opened games cannot be returned."], "opened games cannot be returned"),
        answered(
            "part",
            &["Opened games cannot be returned.", "Shipping is free."],
            "Opened games cannot be returned.",
        ),
        answered("absent", &["Shipping is free."], "Opened games cannot be returned."),
        Case { may_refuse: true, ..answered("refusal", &["Shipping is free."], "Nothing about that") },
    ];
    assert_eq!(found(&cases, "", DatasetCode::AnswerIsContext).unwrap().cases, ["itself"]);
    let unsupported = found(&cases, "", DatasetCode::UnsupportedAnswers).unwrap();
    assert_eq!((unsupported.cases, unsupported.level), (vec!["absent".to_owned()], FindingLevel::Info));
    assert!(unsupported.message.ends_with("in 1 of 3 cases with context (33 %)"), "{}", unsupported.message);
}

#[test]
fn tags_groups_and_size_are_reviewed() {
    let mut cases: Vec<Case> =
        (0..19).map(|number| asked(&format!("c{number}"), &format!("q{number}"))).collect();
    for (number, case) in cases.iter_mut().enumerate() {
        let tags = ["all", if number < 5 { "five" } else { "rest" }];
        case.tags = tags.map(str::to_owned).to_vec();
    }
    cases[18].tags = vec!["all".to_owned(), "one".to_owned(), "one".to_owned()];
    for (number, group) in [(0, "pair"), (1, "pair"), (2, "single")] {
        cases[number].group = Some(group.to_owned());
    }
    let small = found(&cases, "", DatasetCode::SmallTags).unwrap();
    assert_eq!((small.sets[0].name.as_deref(), sets(&small)), (Some("one"), vec![vec!["c18"]]));
    assert_eq!(small.sets.len(), 1);
    let general = found(&cases, "", DatasetCode::TagOnEveryCase).unwrap();
    assert_eq!((general.sets[0].name.as_deref(), general.cases.len()), (Some("all"), 0));
    assert_eq!(found(&cases, "", DatasetCode::SingleCaseGroups).unwrap().cases, ["c2"]);
    assert!(found(&cases, "", DatasetCode::TooFewCases).is_some());
    assert_eq!(found(&cases, "", DatasetCode::UntaggedCases), None);
    cases[0].tags.clear();
    assert_eq!(found(&cases, "", DatasetCode::UntaggedCases).unwrap().cases, ["c0"]);
    cases.push(asked("c19", "q19"));
    assert_eq!(found(&cases, "", DatasetCode::TooFewCases), None);
    assert_eq!(found(&cases, "", DatasetCode::FewCases).unwrap().level, FindingLevel::Info);
    assert_eq!(found(&cases, "", DatasetCode::ManyMustPass), None);
    cases.iter_mut().take(6).for_each(|case| case.must_pass = true);
    assert!(
        found(&cases, "", DatasetCode::ManyMustPass)
            .unwrap()
            .message
            .starts_with("6 of 20 cases must pass (30 %)")
    );
}

#[test]
fn labels_are_counted_and_other_answers_are_not() {
    let labelled = |labels: &[(&str, usize)]| -> Vec<Case> {
        let all = labels.iter().flat_map(|(label, count)| std::iter::repeat_n(*label, *count));
        all.enumerate()
            .map(|(number, label)| with_expected(asked(&format!("c{number}"), ""), label))
            .collect()
    };
    let small = found(&labelled(&[("refund", 9), ("shipping", 4)]), "", DatasetCode::SmallLabels).unwrap();
    assert_eq!((small.sets[0].name.as_deref(), small.cases.len()), (Some("shipping"), 4));
    assert_eq!(found(&labelled(&[("refund", 9), ("shipping", 5)]), "", DatasetCode::SmallLabels), None);
    let one = found(&labelled(&[("refund", 9)]), "", DatasetCode::OneLabel).unwrap();
    assert_eq!(one.sets[0].name.as_deref(), Some("refund"));
    let different = labelled(&[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1), ("f", 1)]);
    assert_eq!(found(&different, "", DatasetCode::SmallLabels), None);
    let mut mixed = labelled(&[("refund", 9), ("shipping", 4)]);
    mixed.push(with_expected(asked("long", ""), "a sentence that is far too long to be a label"));
    assert_eq!(found(&mixed, "", DatasetCode::SmallLabels), None);
}

mod of_reports {
    use super::*;

    const ALL: Option<TrialCounts> = Some(TrialCounts { passed: 3, of: 3 });
    const SOME: Option<TrialCounts> = Some(TrialCounts { passed: 1, of: 3 });
    const NONE: Option<TrialCounts> = Some(TrialCounts { passed: 0, of: 3 });

    fn history(
        cases: &[Case],
        reports: usize,
        results: impl Fn(usize, usize) -> [Option<TrialCounts>; 2],
    ) -> History {
        let mut history = History::new(cases);
        history.set_variants(2);
        for report in 0..reports {
            history.add_report();
            for place in 0..cases.len() {
                let [candidate, baseline] = results(place, report);
                history.add(place, candidate, baseline);
            }
        }
        history
    }

    fn codes(history: &History, cases: &[Case]) -> Vec<(DatasetCode, FindingLevel, Vec<String>)> {
        let findings = history.findings(cases).into_iter();
        findings.map(|finding| (finding.code, finding.level, finding.cases)).collect()
    }

    #[test]
    fn cases_that_never_discriminate_are_found() {
        let mut cases: Vec<Case> = ["passes", "fails", "flickers", "tells", "guard", "missing", "flips"]
            .map(|id| asked(id, id))
            .to_vec();
        cases[4].must_pass = true;
        let results = |place: usize, report: usize| match place {
            0 | 4 => [ALL, ALL],
            1 => [NONE, NONE],
            2 => [SOME, SOME],
            3 => [ALL, NONE],
            // A result in four of five reports is not enough.
            5 if report > 0 => [ALL, ALL],
            5 => [None, None],
            // Only the candidate flickers, and fails once.
            _ if report == 0 => [NONE, ALL],
            _ => [SOME, ALL],
        };
        let enough = history(&cases, 5, results);
        let ids = |id: &str| vec![id.to_owned()];
        assert_eq!(
            codes(&enough, &cases),
            [
                (DatasetCode::AlwaysPasses, FindingLevel::Info, ids("passes")),
                (DatasetCode::AlwaysFails, FindingLevel::Warning, ids("fails")),
                (DatasetCode::AlwaysFlickers, FindingLevel::Warning, ids("flickers")),
            ]
        );
        assert!(
            enough.findings(&cases)[0]
                .message
                .starts_with("1 of 5 cases that need not pass (20 %) always passed"),
            "{}",
            enough.findings(&cases)[0].message
        );
        let few = history(&cases, 4, results);
        assert_eq!(codes(&few, &cases), [(DatasetCode::TooFewReports, FindingLevel::Info, Vec::new())]);
        assert!(few.findings(&cases)[0].message.starts_with("not enough reports: 4 of 5"));
    }

    #[test]
    fn set_that_always_passes_is_a_warning() {
        let cases = [asked("a", "a"), asked("b", "b")];
        let all = history(&cases, 5, |_, _| [ALL, None]);
        let expected = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(codes(&all, &cases), [(DatasetCode::AlwaysPasses, FindingLevel::Warning, expected)]);
        let counted: Vec<_> = all.cases().map(|case| (case.reports, case.passed, case.trials)).collect();
        assert_eq!(counted, [(5, 15, 15), (5, 15, 15)]);
    }

    #[test]
    fn changed_rows_are_counted_apart() {
        let cases = [asked("a", "a")];
        let mut history = history(&cases, 5, |_, report| if report < 4 { [ALL, ALL] } else { [None, None] });
        history.add_changed(0);
        assert_eq!(codes(&history, &cases), []);
        assert_eq!(history.cases().map(|case| (case.reports, case.changed)).next(), Some((4, 1)));
    }
}

#[test]
fn many_cases_from_one_template_are_reviewed_in_bounded_work() {
    let words = ["red", "blue", "green", "round", "flat", "heavy", "light", "new", "old", "small"];
    let cases: Vec<Case> = (0..2000)
        .map(|number: usize| {
            let word = |place: usize| words[(number / 10_usize.pow(place as u32)) % 10];
            let text =
                format!("Is the {} {} {} thing in the shop for sale this week", word(0), word(1), word(2));
            asked(&format!("c{number}"), &text)
        })
        .collect();
    let one = reviewed(&cases, "");
    assert_eq!(one, reviewed(&cases, ""), "deterministic");
    let similar = one.iter().find(|finding| finding.code == DatasetCode::SimilarQuestions).unwrap();
    assert_eq!(similar.cases.len(), 2000, "each text occurs twice");
}
