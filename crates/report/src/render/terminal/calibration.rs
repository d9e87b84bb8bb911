//! A calibration as tables.

use std::io::{self, Write};

use super::table;
use super::tables::{line, note, write_table};
use crate::calibration::{Agreement, Calibration};
use crate::v1::Interval;
use crate::view::number;
use promptgate_core::text::neutral;

/// Maximum number of slices shown.
const MAX_SLICES: usize = 20;

/// Writes the calibration as tables of at most `width` columns.
///
/// # Errors
/// Those of `out`.
pub fn write_calibration(calibration: &Calibration, out: &mut impl Write, width: usize) -> io::Result<()> {
    let width = u16::try_from(width.max(60)).unwrap_or(u16::MAX);
    let all = &calibration.overall;
    let text = |text: &str, most| neutral::clip(&neutral::terminal(text), most);
    let judge = text(&calibration.judge.panel.join(" + "), 50);
    line(out, &format!("CALIBRATION  {} by {judge}", text(&calibration.metric, 40)))?;
    let labels = &calibration.labels;
    let missing = match labels.missing {
        0 => String::new(),
        missing => format!(", {} that the judge could not grade", number::count(missing as u64)),
    };
    line(
        out,
        &format!(
            "             {} of {}: {} rated and judged{missing}\n",
            number::counted(labels.answers as u64, "answer"),
            text(&labels.file, 50),
            number::count(all.answers as u64)
        ),
    )?;
    confusion(all, out, width)?;
    figures(calibration, out, width)?;
    slices(calibration, out, width)?;
    for text in &calibration.notes {
        note(out, text, width)?;
    }
    Ok(())
}

fn confusion(all: &Agreement, out: &mut impl Write, width: u16) -> io::Result<()> {
    let row = |name: &str, good: usize, bad: usize| {
        let (good, bad) = (good as u64, bad as u64);
        vec![name.to_owned(), number::count(good), number::count(bad), number::count(good + bad)]
    };
    let rows = vec![
        row("judge passes", all.true_positives, all.false_positives),
        row("judge fails", all.false_negatives, all.true_negatives),
        row("together", all.true_positives + all.false_negatives, all.false_positives + all.true_negatives),
    ];
    let header = ["confusion", "people pass", "people fail", "together"];
    write_table(out, &table(&header, &[1, 2, 3], 0, rows, width))
}

/// A figure: name, value, interval and note.
type Figure = (&'static str, Option<f64>, Option<Interval>, String);

fn figures(calibration: &Calibration, out: &mut impl Write, width: u16) -> io::Result<()> {
    let all = &calibration.overall;
    let of = |interval: &Option<Interval>| (interval.as_ref().map(|it| it.mean), *interval);
    let (sensitivity, specificity, bias) = (of(&all.sensitivity), of(&all.specificity), of(&all.bias));
    let (kappa, balanced) = (of(&all.kappa), of(&all.balanced_accuracy));
    let error =
        all.kappa_standard_error.map_or_else(String::new, |error| format!("standard error {error:.3}"));
    let mut rows: Vec<Figure> = vec![
        ("prevalence", Some(all.prevalence), None, "share that people pass".into()),
        ("judge passes", Some(all.judge_passes), None, "share that the judge passes".into()),
        ("sensitivity", sensitivity.0, sensitivity.1, "of what people pass".into()),
        ("specificity", specificity.0, specificity.1, "of what people fail".into()),
        ("balanced accuracy", balanced.0, balanced.1, "0.5 is a coin".into()),
        ("accuracy", Some(all.accuracy), None, "same verdict".into()),
        ("Cohen's kappa", kappa.0, kappa.1, error),
        ("Gwet's AC1", all.ac1, None, String::new()),
        ("Spearman", all.spearman, None, "score and rating".into()),
        ("Kendall's tau-b", all.kendall, None, "score and rating".into()),
    ];
    if let Some(weighted) = all.weighted_kappa {
        rows.push(("weighted kappa", Some(weighted), None, "quadratic".into()));
    }
    rows.push(("bias", bias.0, bias.1, "above 0 the judge is lenient".into()));
    rows.push(("Youden's J", all.youden, None, drop_words(all.youden, "the pass rate")));
    rows.push(("slope", all.slope, None, drop_words(all.slope, "the mean score")));
    if let Some(cut_off) = &all.cut_off {
        let note = format!(
            "from this score on: balanced accuracy {:.3}, kappa {:.3}",
            cut_off.balanced_accuracy, cut_off.kappa
        );
        rows.push(("best cut-off", Some(cut_off.score), None, note));
    }
    match &calibration.humans {
        Some(humans) => {
            let note = format!(
                "{} with several raters, one against another",
                number::counted(humans.answers as u64, "answer")
            );
            rows.push(("alpha of people", humans.alpha, None, note));
        }
        None => rows.push(("alpha of people", None, None, "no answer has two raters".into())),
    }
    match &calibration.repeatability {
        Some(itself) => {
            let note = format!(
                "{} answers, {} times; the same verdict on {:.1} %",
                itself.answers,
                itself.repeats,
                itself.same_verdict * 100.0
            );
            rows.push(("alpha with itself", itself.alpha, None, note));
        }
        None => rows.push(("alpha with itself", None, None, "judged once: --repeats 2".into())),
    }
    match &calibration.corrections {
        Some(corrections) => {
            let answers = number::counted(corrections.answers as u64, "answer");
            let note =
                format!("of {answers} that only the judge saw; it passes {:.3}", corrections.judge_passes);
            let (share, mean) = (of(&corrections.share), of(&corrections.mean));
            rows.push(("people would pass", share.0, share.1, note));
            rows.push(("mean they would give", mean.0, mean.1, "prediction-powered".into()));
        }
        None => rows.push(("people would pass", None, None, "no answer without a rating: --report".into())),
    }
    let rows = rows.into_iter().map(|(name, value, interval, note)| {
        let shown = |value: f64| format!("{value:.3}");
        let interval = interval.map_or_else(
            || number::NONE.to_owned(),
            |interval| number::bounds(interval.lower, interval.upper, shown),
        );
        let value = value.map_or_else(|| number::NONE.to_owned(), shown);
        vec![name.to_owned(), value, interval, note]
    });
    write_table(out, &table(&["figure", "value", "95 % bounds", ""], &[1, 2], 3, rows.collect(), width))
}

/// A drop of five points in the answers as this judge measures it.
fn drop_words(share: Option<f64>, of: &str) -> String {
    match share {
        Some(power) if power > 0.0 => {
            format!("a true drop of 5.0 points shows as {:.1} in {of}", power * 5.0)
        }
        Some(_) => "the judge cannot tell good answers from bad ones".to_owned(),
        None => "people gave one verdict only".to_owned(),
    }
}

fn slices(calibration: &Calibration, out: &mut impl Write, width: u16) -> io::Result<()> {
    if calibration.slices.is_empty() {
        return Ok(());
    }
    let shown =
        |value: Option<f64>| value.map_or_else(|| number::NONE.to_owned(), |value| format!("{value:.3}"));
    let rows = calibration.slices.iter().take(MAX_SLICES).map(|slice| {
        let of = &slice.agreement;
        vec![
            neutral::clip(&neutral::terminal(&slice.slice), 28),
            of.answers.to_string(),
            of.true_positives.to_string(),
            of.false_positives.to_string(),
            of.false_negatives.to_string(),
            of.true_negatives.to_string(),
            shown(of.balanced_accuracy.as_ref().map(|balanced| balanced.mean)),
            shown(of.kappa.as_ref().map(|kappa| kappa.mean)),
            shown(of.bias.as_ref().map(|bias| bias.mean)),
        ]
    });
    let header =
        ["slice", "n", "both pass", "judge only", "people only", "both fail", "bal. acc.", "kappa", "bias"];
    write_table(out, &table(&header, &[1, 2, 3, 4, 5, 6, 7, 8], 0, rows.collect(), width))?;
    match calibration.slices.len().saturating_sub(MAX_SLICES) {
        0 => Ok(()),
        more => line(out, &format!(" and {more} more in the file\n")),
    }
}
