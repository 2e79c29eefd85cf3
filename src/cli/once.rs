//! Names that are given twice on a command line: harmless where something is shown or deleted, an error where something
//! is created or set.

use std::collections::HashSet;

use crate::error::{Error, Result};

/// The names in their order, without duplicates.
pub(super) fn once<T: PartialEq>(names: Vec<T>) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(names.len());
    for name in names {
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept
}

/// Refuses a name that is given twice; `what` is the kind of name.
pub(super) fn refuse_twice<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::usage(format!("{what} {name} is given twice"))),
    }
}
