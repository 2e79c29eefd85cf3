//! The figures of `top` once, for a pipe: one listing as a table, or all of them as one JSON document.

use serde_json::{Map, Value, json};

use super::columns::{cell, column};
use crate::error::Result;
use crate::monitor::field::Field;
use crate::monitor::page::{Listing, Row, TABS};
use crate::monitor::top_state::TopState;
use crate::output::table::{Column, Table};
use crate::output::{Format, Printer};

/// Prints the listing; as JSON, everything. `is_first`: nothing was printed before.
pub fn print(printer: &mut Printer, state: &TopState, listing: &Listing, is_first: bool) -> Result<()> {
    let format = printer.format();
    if format == Format::Json {
        printer.json(&document(state))?;
        return printer.flush();
    }
    if format == Format::Table && !is_first {
        printer.line("")?;
    }
    let table = table(listing, &state.rows_of(listing));
    if format == Format::Tsv && !is_first {
        table.print_rows(printer)?;
    } else {
        table.print(printer)?;
    }
    printer.flush()
}

fn table(listing: &Listing, rows: &[Row]) -> Table {
    let column = |field: &Field| match (field, listing) {
        // This listing has a column of what is read beside it.
        (Field::Written, Listing::Groups) => Column {
            heading: "WRITTEN/S",
            ..column(*field)
        },
        _ => column(*field),
    };
    let columns: Vec<_> = listing.fields().iter().map(column).collect();
    let mut table = Table::new(&columns);
    for row in rows {
        table.row(row.figures.iter().map(cell).collect());
    }
    table
}

/// Every listing by its name, and the sums.
fn document(state: &TopState) -> Value {
    let figures = &state.figures;
    let (records, bytes) = figures.total_rates();
    let tenths = |rate: f64| (rate * 10.0).round() / 10.0;
    let mut document = Map::new();
    document.insert("cluster".to_owned(), json!(figures.layout.cluster_id));
    document.insert("controller".to_owned(), json!(figures.layout.controller));
    document.insert("written_per_second".to_owned(), json!(records.map(tenths)));
    document.insert("bytes_per_second".to_owned(), json!(bytes.map(tenths)));
    document.insert("lag".to_owned(), json!(figures.total_lag()));
    for listing in TABS {
        let table = table(&listing, &state.rows_of(&listing));
        document.insert(name(&listing).to_owned(), table.objects().collect());
    }
    Value::Object(document)
}

fn name(listing: &Listing) -> &'static str {
    match listing {
        Listing::Brokers | Listing::OfBroker(_) => "brokers",
        Listing::Topics | Listing::OfTopic(_) => "topics",
        Listing::Partitions => "partitions",
        Listing::Groups | Listing::OfGroup(_) => "groups",
    }
}
