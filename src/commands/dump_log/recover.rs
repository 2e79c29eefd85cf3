//! Good batches of a damaged log to a new file.
//!
//! Owns what is good: a whole batch whose checksum holds. The source is only read.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use super::Range;
use super::batches::tell_end;
use super::files::DumpFile;
use super::segment::Segment;
use crate::error::{Error, Result};
use crate::output::Printer;
use crate::output::log_dump::rows::grouped;

pub(super) fn run(file: &DumpFile, out: &Path, range: Range, printer: &mut Printer) -> Result<()> {
    let mut segment = Segment::open(file, range)?;
    let failed = |error: std::io::Error| Error::from(error).context(out.display());
    // Never over a file that is there, the source least of all.
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .map_err(failed)?;
    let mut writer = BufWriter::with_capacity(256 * 1024, opened);
    let (mut kept, mut bytes, mut lost) = (0_u64, 0_u64, 0_u64);
    let end = segment.each(|batch| {
        if batch.header.base_offset >= range.to {
            return Ok(ControlFlow::Break(()));
        }
        if batch.header.last_offset() < range.from {
            return Ok(ControlFlow::Continue(()));
        }
        if batch.is_valid() {
            writer.write_all(batch.bytes).map_err(failed)?;
            kept += 1;
            bytes += batch.bytes.len() as u64;
        } else {
            lost += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    writer.flush().map_err(failed)?;
    writer.get_ref().sync_all().map_err(failed)?;
    tell_end(&segment.name, &end, printer);
    printer.line(format_args!(
        "{}: {} batches, {} bytes kept; {} corrupt batches left out",
        out.display(),
        grouped(kept),
        grouped(bytes),
        grouped(lost)
    ))
}
