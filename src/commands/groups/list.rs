//! Listing groups: all, or those of some names, states and types.

use super::inactive;
use crate::client::admin::groups::GroupListing;
use crate::commands::context::Context;
use crate::commands::topic_selection::Selection;
use crate::error::Result;
use crate::output::{Format, group_list as output};

/// The groups to list; all by default.
#[derive(Debug, Default)]
pub struct Listing {
    pub selection: Selection,
    /// `stable`, `empty`, …, in lower case without hyphens; all if empty.
    pub states: Vec<String>,
    /// `classic`, `consumer`, `share`, …; all if empty.
    pub kinds: Vec<String>,
}

impl Listing {
    fn has(&self, group: &GroupListing) -> bool {
        let is_among = |word: &str, words: &[String]| {
            words.is_empty() || words.iter().any(|known| known.eq_ignore_ascii_case(word))
        };
        is_among(&group.state, &self.states) && is_among(&group.kind, &self.kinds)
    }
}

/// Lists the groups. If only names are wanted, nothing else is requested. A name without a group is an error.
pub(in crate::commands) fn run(listing: &Listing, context: &mut Context) -> Result<()> {
    let is_selected = listing.selection.matcher()?;
    let mut groups = context.client.admin()?.list_groups()?;
    if !listing.selection.is_regex {
        let is_there = |name: &&String| groups.iter().any(|group| group.id == **name);
        if let Some(missing) = listing.selection.words.iter().find(|name| !is_there(name)) {
            return Err(inactive::not_found(missing, context));
        }
    }
    groups.retain(|group| is_selected(&group.id) && listing.has(group));
    if context.printer.format() == Format::Name {
        return groups
            .iter()
            .try_for_each(|group| context.printer.line(&group.id));
    }
    let summaries = context.client.admin()?.summaries_of(groups)?;
    output::list(&mut context.printer, &summaries)
}
