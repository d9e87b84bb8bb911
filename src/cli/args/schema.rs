//! `promptgate schema`.

use clap::Args;

use super::values::named;
use crate::app::schema::{SCHEMAS, Schema};

/// `promptgate schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The format.
    #[arg(value_parser = named(&SCHEMAS), value_name = "NAME")]
    pub(crate) name: Schema,
}
