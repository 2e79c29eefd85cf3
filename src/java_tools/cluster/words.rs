//! What `kafka-cluster list-endpoints` prints, to the letter.

use crate::client::admin::registration::Endpoint;
use crate::error::Result;
use crate::output::Printer;

/// One endpoint a line; the columns of hosts and racks are as wide as what is in them.
pub(super) fn endpoints(printer: &mut Printer, endpoints: &[Endpoint], of_controllers: bool) -> Result<()> {
    let rack = |endpoint: &Endpoint| endpoint.rack.clone().unwrap_or_else(|| "null".to_owned());
    let widest = |least: usize, lengths: &mut dyn Iterator<Item = usize>| lengths.fold(least, usize::max);
    let host_width = widest(
        "HOST".len(),
        &mut endpoints.iter().map(|endpoint| endpoint.host.len()),
    );
    let rack_width = widest(
        "RACK".len(),
        &mut endpoints.iter().map(|endpoint| rack(endpoint).len()),
    );
    let kind = if of_controllers { "controller" } else { "broker" };
    printer.line(format_args!(
        "{:<10} {:<host_width$} {:<10} {:<rack_width$} {:<10} {:<15}",
        "ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE"
    ))?;
    for endpoint in endpoints {
        let state = if endpoint.is_fenced { "fenced" } else { "unfenced" };
        let (host, rack) = (&endpoint.host, rack(endpoint));
        printer.line(format_args!(
            "{:<10} {host:<host_width$} {:<10} {rack:<rack_width$} {state:<10} {kind:<15}",
            endpoint.id, endpoint.port
        ))?;
    }
    Ok(())
}
