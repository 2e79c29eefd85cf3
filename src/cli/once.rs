//! Names that stand on a command line twice: harmless where something is shown or taken away, a mistake where something is
//! made or set.

use std::collections::HashSet;

use crate::error::{Error, Result};

/// The names in their order, each once.
pub(super) fn once<T: PartialEq>(names: Vec<T>) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(names.len());
    for name in names {
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept
}

/// Refuses a name that is given twice; `what` is what it names.
pub(super) fn refuse_twice<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::usage(format!("{what} {name} is given twice"))),
    }
}
