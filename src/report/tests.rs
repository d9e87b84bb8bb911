use super::*;
#[test]
fn look() {
    for parts in [
        sample::pass(),
        sample::fail(),
        sample::inconclusive(),
        sample::incomplete(),
        sample::no_baseline(),
        sample::interrupted(),
    ] {
        let mut out = Vec::new();
        let f = if std::env::var("MD").is_ok() { Format::Markdown } else { Format::Terminal };
        write(
            &parts.report(),
            f,
            &mut out,
            Style {
                color: std::env::var("COL").is_ok(),
                width: std::env::var("W").ok().and_then(|w| w.parse().ok()).unwrap_or(100),
                files: vec!["promptgate-report/report.json".into(), "report.md".into()],
            },
        )
        .unwrap();
        println!("{}\n=======", String::from_utf8(out).unwrap());
    }
}
