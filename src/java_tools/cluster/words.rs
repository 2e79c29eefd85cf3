//! The output of `kafka-cluster list-endpoints`, to the letter.

use crate::client::admin::registration::Endpoint;
use crate::error::Result;
use crate::output::Printer;

/// One endpoint a line; the columns of hosts and racks are as wide as their content. Controllers have no state.
pub(super) fn endpoints(printer: &mut Printer, endpoints: &[Endpoint], of_controllers: bool) -> Result<()> {
    let rack = |endpoint: &Endpoint| endpoint.rack.clone().unwrap_or_else(|| "null".to_owned());
    let hosts = endpoints.iter().map(|endpoint| endpoint.host.len());
    let host_width = hosts.fold("HOST".len(), usize::max);
    if of_controllers {
        printer.line(format_args!(
            "{:<10} {:<host_width$} {:<10} {:<10} {:<15}",
            "ID", "HOST", "PORT", "RACK", "ENDPOINT_TYPE"
        ))?;
        return endpoints.iter().try_for_each(|endpoint| {
            let (id, host, port) = (endpoint.id, &endpoint.host, endpoint.port);
            let (rack, kind) = (rack(endpoint), "controller");
            printer.line(format_args!(
                "{id:<10} {host:<host_width$} {port:<10} {rack:<10} {kind:<15}"
            ))
        });
    }
    let racks = endpoints.iter().map(|endpoint| rack(endpoint).len());
    let rack_width = racks.fold("RACK".len(), usize::max);
    printer.line(format_args!(
        "{:<10} {:<host_width$} {:<10} {:<rack_width$} {:<10} {:<15}",
        "ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE"
    ))?;
    endpoints.iter().try_for_each(|endpoint| {
        let state = if endpoint.is_fenced { "fenced" } else { "unfenced" };
        let (id, host, port) = (endpoint.id, &endpoint.host, endpoint.port);
        let (rack, kind) = (rack(endpoint), "broker");
        printer.line(format_args!(
            "{id:<10} {host:<host_width$} {port:<10} {rack:<rack_width$} {state:<10} {kind:<15}"
        ))
    })
}
