//! `promptgate schema`.

use clap::Args;

use super::values::{Named, named};
use crate::app::schema::Schema;

const SCHEMAS: [Named<Schema>; 6] = [
    ("config", Schema::Config, "promptgate.yaml"),
    ("case", Schema::Case, "A row of the dataset"),
    ("report", Schema::Report, "report.json"),
    ("shard", Schema::Shard, "shard-k-of-n.json"),
    ("plan", Schema::Plan, "Output of `plan --format json`"),
    ("calibration", Schema::Calibration, "calibration.json"),
];

/// `promptgate schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The format.
    #[arg(value_parser = named(&SCHEMAS))]
    pub(crate) name: Schema,
}
