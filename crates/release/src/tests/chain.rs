use super::*;
use crate::chain::{lines, read};

fn written(events: &[Event]) -> (String, Option<Digest>) {
    lines(None, events).unwrap()
}

proptest! {
    #[test]
    fn written_events_are_read_back(events in accepted_events(), split in 0_usize..40) {
        let (text, tip) = written(&events);
        let chain = read(&text).unwrap();
        prop_assert_eq!((&chain.events, &chain.tip), (&events, &tip));
        // Appending in two steps writes the same bytes.
        let split = split.min(events.len());
        let (first, middle) = written(&events[..split]);
        let (second, end) = lines(middle.as_ref(), &events[split..]).unwrap();
        prop_assert_eq!((first + &second, end), (text, tip));
    }

    #[test]
    fn every_damaged_byte_is_found(events in accepted_events(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (text, tip) = written(&events);
        prop_assume!(!text.is_empty());
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(damaged) = String::from_utf8(bytes) {
            prop_assert!(is_damaged(&damaged, &tip));
        }
    }

    #[test]
    fn every_cut_is_found(events in accepted_events(), at in any::<prop::sample::Index>()) {
        let (text, tip) = written(&events);
        prop_assume!(!text.is_empty());
        let cut = text.get(..at.index(text.len()));
        prop_assert!(cut.is_none_or(|cut| is_damaged(cut, &tip)));
    }

    #[test]
    fn every_removed_doubled_or_swapped_line_is_found(
        events in accepted_events(),
        first in any::<prop::sample::Index>(),
        second in any::<prop::sample::Index>(),
    ) {
        let (text, tip) = written(&events);
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        prop_assume!(all.len() > 1);
        let (first, second) = (first.index(all.len()), second.index(all.len()));
        let mut removed = all.clone();
        removed.remove(first);
        prop_assert!(is_damaged(&removed.concat(), &tip));
        let mut doubled = all.clone();
        doubled.insert(first, all[first]);
        prop_assert!(is_damaged(&doubled.concat(), &tip));
        let mut swapped = all.clone();
        swapped.swap(first, second);
        prop_assert!(first == second || is_damaged(&swapped.concat(), &tip));
    }
}

/// Whether reading fails, or ends at another digest: the last line has nothing after it that names it.
fn is_damaged(text: &str, tip: &Option<Digest>) -> bool {
    read(text).map_or(true, |chain| chain.tip != *tip)
}

#[test]
fn damage_is_reported_with_its_line() {
    let events = [event(0, published(0)), event(1, published(1)), event(2, published(2))];
    let (text, _) = written(&events);
    let changed = text.replacen("\"bot\"", "\"bob\"", 1);
    assert_eq!(read(&changed).unwrap_err().to_string(), "line 2: the line before it was changed or removed");
    assert_eq!(read(&text[..text.len() - 1]).unwrap_err().to_string(), "line 3: the line is cut off");
    let (first, _) = text.split_once('\n').unwrap();
    let error = read(&format!("{first}\n\n")).unwrap_err();
    assert_eq!(error.line, 2);
    assert!(error.problem.starts_with("not an event: "), "{error}");
    assert!(read("").unwrap().events.is_empty());
}

#[test]
fn numbers_that_json_does_not_hold_are_not_written() {
    for number in [f64::NAN, f64::INFINITY] {
        let criterion = EvidenceCriterion {
            name: "faithfulness".to_owned(),
            verdict: EvidenceVerdict::Pass,
            estimate: Some(0.9),
            interval: Some([number, 1.0]),
        };
        let bad = Evidence { criteria: vec![criterion], ..evidence(0, None) };
        let latency = Evidence { latency_p95_ms: Some(number), ..evidence(0, None) };
        assert!(lines(None, &[event(0, evaluated(0, bad))]).is_err());
        assert!(lines(None, &[event(0, evaluated(0, latency))]).is_err());
    }
}
