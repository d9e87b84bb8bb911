//! Questions on a terminal, each with a default that Enter takes.

use std::io::{self, BufRead, Write};
use std::path::Path;

use crate::app::Failure;
use crate::app::init::{Choice, CiChoice, CiSystem, Request, Survey, Task, fitting};
use promptgate_core::model::Diagnostic;
use promptgate_core::text::neutral;

/// Lines of answers, and where questions are written.
pub(super) struct Questions<R, W> {
    pub(super) input: R,
    pub(super) output: W,
}

impl<R: BufRead, W: Write> Questions<R, W> {
    /// Asks until the answer is valid; an empty line is the default.
    fn ask<T>(
        &mut self,
        question: &str,
        default: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<T, Failure> {
        loop {
            write!(self.output, "{question} [{default}] ")
                .and_then(|()| self.output.flush())
                .map_err(ended)?;
            let mut line = String::new();
            if self.input.read_line(&mut line).map_err(ended)? == 0 {
                return Err(ended(io::Error::other("the input ended")));
            }
            let answer = line.trim();
            match parse(if answer.is_empty() { default } else { answer }) {
                Some(value) => return Ok(value),
                None => writeln!(self.output, "expected {expected}").map_err(ended)?,
            }
        }
    }

    fn list(&mut self, title: &str, items: &[String]) -> Result<(), Failure> {
        writeln!(self.output, "{title}").map_err(ended)?;
        for (index, item) in items.iter().enumerate() {
            writeln!(self.output, "  {}  {}", index + 1, neutral::terminal(item)).map_err(ended)?;
        }
        Ok(())
    }

    /// Which of several prompts and files to import; `all` prompts.
    pub(super) fn which(&mut self, survey: &Survey) -> Result<Vec<String>, Failure> {
        let prompts = survey.prompts.iter().map(|prompt| prompt.path.clone());
        let items: Vec<String> = prompts.chain(survey.sources.iter().map(|(path, _)| path.clone())).collect();
        self.list("Several prompts were found:", &items)?;
        let parse = |answer: &str| match answer {
            "all" if survey.prompts.is_empty() => None,
            "all" => Some(vec!["all".to_owned()]),
            answer => {
                let chosen: Option<Vec<String>> = answer
                    .split([',', ' '])
                    .filter(|number| !number.is_empty())
                    .map(|number| items.get(number.parse::<usize>().ok()?.checked_sub(1)?).cloned())
                    .collect();
                chosen.filter(|chosen| !chosen.is_empty())
            }
        };
        let default = if survey.prompts.is_empty() { "1" } else { "all" };
        self.ask("Which one? A number, several, or all:", default, parse, "numbers of the list, or all")
    }

    /// Completes a request about prompts: dataset, task, model and CI system, unless flags say so.
    pub(super) fn complete(
        &mut self,
        survey: &Survey,
        choice: &Choice,
        request: &mut Request,
    ) -> Result<(), Failure> {
        let Choice::Prompts(prompts) = choice else { return Ok(()) };
        if let ([prompt], None) = (prompts.as_slice(), &request.suite.dataset) {
            let folder: &Path = &request.folder;
            let datasets = fitting(folder, survey, prompt);
            if datasets.len() > 1 {
                self.list("Several datasets fit the prompt:", &datasets)?;
                let parse =
                    |answer: &str| datasets.get(answer.parse::<usize>().ok()?.checked_sub(1)?).cloned();
                let chosen = self.ask("Which one? A number:", "1", parse, "a number of the list")?;
                request.suite.dataset = Some(folder.join(chosen).display().to_string());
            }
        }
        if request.suite.task.is_none() {
            let names: Vec<&str> = Task::ALL.into_iter().map(Task::name).collect();
            let parse = |answer: &str| match answer {
                "guess" => Some(None),
                answer => Task::ALL.into_iter().find(|task| task.name() == answer).map(Some),
            };
            let question = format!("Task: {}, or guess:", names.join(", "));
            let expected = format!("{} or guess", names.join(", "));
            request.suite.task = self.ask(&question, "guess", parse, &expected)?;
        }
        if request.suite.model.is_none() {
            let is_name = |answer: &str| (!answer.contains(char::is_whitespace)).then(|| answer.to_owned());
            request.suite.model = Some(self.ask(
                "Model, unless a prompt names one:",
                "gpt-4o-mini",
                is_name,
                "a name without spaces",
            )?);
        }
        if request.ci.is_none() && survey.repository.root.is_some() {
            let names: Vec<&str> = CiSystem::ALL.into_iter().map(CiSystem::name).collect();
            let parse = |answer: &str| match answer {
                "none" => Some(CiChoice::None),
                answer => {
                    CiSystem::ALL.into_iter().find(|system| system.name() == answer).map(CiChoice::System)
                }
            };
            let default = survey.repository.ci.first().map_or("none", |(system, _)| system.name());
            let question = format!("CI system: {}, none:", names.join(", "));
            let expected = format!("{} or none", names.join(", "));
            request.ci = Some(self.ask(&question, default, parse, &expected)?);
        }
        Ok(())
    }
}

fn ended(error: io::Error) -> Failure {
    Diagnostic::new(format!("no answer: {error}; nothing was written"))
        .help("answer with Enter for the default, or use --yes and flags")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answers: &str, survey: &Survey) -> (Result<Vec<String>, Failure>, String) {
        let mut questions = Questions { input: answers.as_bytes(), output: Vec::new() };
        let chosen = questions.which(survey);
        (chosen, String::from_utf8(questions.output).unwrap())
    }

    #[test]
    fn list_is_answered_by_numbers_all_and_enter() {
        let source = |path: &str| (path.to_owned(), "a GitHub prompt");
        let survey =
            Survey { sources: vec![source("a.prompt.yml"), source("b.prompt.yml")], ..Survey::default() };
        for (answers, expected) in [
            ("2\n", &["b.prompt.yml"][..]),
            ("1, 2\n", &["a.prompt.yml", "b.prompt.yml"]),
            ("\n", &["a.prompt.yml"]),
        ] {
            assert_eq!(asked(answers, &survey).0.unwrap(), expected, "{answers}");
        }
        let (chosen, text) = asked("0\n3\nx\nall\n1\n", &survey);
        assert_eq!(chosen.unwrap(), ["a.prompt.yml"]);
        assert_eq!(text.matches("expected numbers").count(), 4, "{text}");
        assert!(text.starts_with("Several prompts were found:\n  1  a.prompt.yml\n"), "{text}");
    }

    #[test]
    fn end_of_the_input_is_an_error() {
        let survey =
            Survey { sources: vec![("a".to_owned(), "x"), ("b".to_owned(), "x")], ..Survey::default() };
        let (chosen, _) = asked("", &survey);
        let error = chosen.unwrap_err().diagnostics();
        assert!(error[0].message.contains("nothing was written"), "{error:?}");
    }
}
