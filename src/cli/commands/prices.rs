//! `promptgate prices`: the prices of the suite's models, and their update from a file.

use crate::app::prices::listed::{self, ListedPrice};
use crate::app::prices::update::{self, Updated};
use crate::app::{Environment, Failure, pretty_json};
use crate::cli::args::{PricesArguments, PricesCommand, PricesFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::model::{Price, price_table};

/// Lists or updates.
pub(super) async fn prices(
    arguments: &PricesArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    if let Some(PricesCommand::Update(arguments)) = &arguments.command {
        let (path, updated) = update::update(&arguments.options(), environment).await?;
        output::print_lines(&updates(&path, &updated))?;
        return Ok(ExitStatus::Pass);
    }
    let listed = listed::list(&arguments.options(), environment).await?;
    match arguments.format {
        PricesFormat::Json => output::print(&pretty_json(&listed, "the prices")?)?,
        PricesFormat::Terminal => output::print_lines(&table(&listed))?,
    }
    Ok(ExitStatus::Pass)
}

fn table(listed: &[ListedPrice]) -> String {
    let width = listed.iter().map(|it| it.model.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for ListedPrice { model, roles, price, higher_above_tokens } in listed {
        let found = match price {
            None => "not known: add it to `prices`".to_owned(),
            Some(price) => {
                let source = match price.as_of {
                    Some(day) => format!("as of {day}"),
                    None => "of the configuration".to_owned(),
                };
                let more = higher_above_tokens
                    .map_or_else(String::new, |tokens| format!("; more for requests above {tokens} tokens"));
                format!("{}, {source}{more}", amounts(price))
            }
        };
        text.push_str(&format!("{model:<width$}  {:<16}  {found}\n", roles.join(", ")));
    }
    text.push_str("US dollars per million tokens\n");
    if listed.iter().any(|it| it.price.is_some_and(|price| price.as_of.is_some())) {
        let (day, source) = (price_table::table_date(), price_table::table_source());
        text.push_str(&format!("as of {day}: {source}\n"));
    }
    text
}

fn amounts(price: &Price) -> String {
    let cached =
        price.cached_input_per_million.map_or_else(String::new, |cached| format!(" ({cached} cached)"));
    format!("{} in{cached}, {} out", price.input_per_million, price.output_per_million)
}

fn updates(path: &str, updated: &[Updated]) -> String {
    let mut text = String::new();
    for Updated { model, result } in updated {
        text.push_str(&match result {
            Ok((price, name)) if name == model => format!("{model}: {}\n", amounts(price)),
            Ok((price, name)) => format!("{model}: {} (`{name}`)\n", amounts(price)),
            Err(why) => format!("{model}: left as it is: {why}\n"),
        });
    }
    let count = updated.iter().filter(|it| it.result.is_ok()).count();
    text.push_str(&match count {
        0 => format!("nothing was written to {path}\n"),
        count => format!("{count} of {} models written to `prices` of {path}\n", updated.len()),
    });
    text
}
