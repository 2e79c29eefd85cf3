//! The two clusters of a command: the one that every command has, and the one of `--to`; they may be the same.

use super::context::Context;
use crate::client::settings::Settings;
use crate::error::Result;
use crate::output::{OutputOptions, Printer};

/// A cluster and another, which may be the same.
#[derive(Debug)]
pub(super) struct TwoClusters<'a> {
    pub(super) here: &'a mut Context,
    there: Option<Context>,
}

impl<'a> TwoClusters<'a> {
    /// Prepares the other cluster, where settings name one. Nothing is connected yet.
    pub(super) fn new(
        here: &'a mut Context,
        settings: Option<&Settings>,
        output: OutputOptions,
    ) -> Result<Self> {
        let there = settings.map(|settings| -> Result<Context> {
            let mut there = Context::new(settings.clone(), Printer::new(output));
            there.note_settings();
            there.find_cluster()?;
            there.client.wait_for_each_answer();
            Ok(there)
        });
        Ok(Self {
            here,
            there: there.transpose()?,
        })
    }

    /// The other cluster.
    pub(super) fn there(&mut self) -> &mut Context {
        self.there.as_mut().unwrap_or(self.here)
    }

    /// The ids of both; very old brokers have none.
    pub(super) fn ids(&mut self) -> Result<(Option<String>, Option<String>)> {
        let here = self.here.client.admin()?.cluster_id()?.map(ToOwned::to_owned);
        let there = self.there().client.admin()?.cluster_id()?.map(ToOwned::to_owned);
        Ok((here, there))
    }

    /// Whether both are one cluster.
    pub(super) fn are_one(&mut self) -> Result<bool> {
        if self.there.is_none() {
            return Ok(true);
        }
        let (here, there) = self.ids()?;
        Ok(here.is_some() && here == there)
    }
}
