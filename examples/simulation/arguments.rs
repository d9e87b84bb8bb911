//! The command line of a simulation.

/// The command line.
pub(crate) struct Arguments {
    pub(crate) runs: usize,
    pub(crate) seed: u64,
    pub(crate) only: Option<String>,
}

impl Arguments {
    /// Reads `--runs`, `--seed` and `--only`; `None` for anything else.
    pub(crate) fn read(runs: usize) -> Option<Self> {
        let mut read = Self { runs, seed: 1, only: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next()?;
            match name.as_str() {
                "--runs" => read.runs = value.parse().ok().filter(|runs| *runs > 0)?,
                "--seed" => read.seed = value.parse().ok()?,
                "--only" => read.only = Some(value),
                _ => return None,
            }
        }
        Some(read)
    }
}
