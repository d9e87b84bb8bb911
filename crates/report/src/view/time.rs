//! Timestamps cut to the minute.

/// A time to the minute: `2026-11-20 09:12`.
pub(crate) fn minute(time: &str) -> String {
    let day = time.get(..10).unwrap_or(time);
    time.get(11..16).map_or_else(|| day.to_owned(), |clock| format!("{day} {clock}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_the_minute() {
        assert_eq!(minute("2026-11-20T09:12:33Z"), "2026-11-20 09:12");
        assert_eq!(minute("soon"), "soon");
    }
}
