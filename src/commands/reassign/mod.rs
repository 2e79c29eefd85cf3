//! The steps of moving replicas: plan, execute, verify, cancel, list, undo.

mod between_batches;
mod cancel;
mod checks;
mod cluster;
mod execute;
mod execution_throttles;
mod idle_throttles;
mod interrupt;
mod log_dir_moves;
mod patience;
mod plan;
pub mod throttles;
mod undo_file;
mod verify;
mod watch;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::command::{Command, Needs};
use super::context::Context;
use crate::error::{Error, Result};
use crate::reassignment::edited_plan::read_edited_plan;
use crate::reassignment::plan::Plan;
use crate::reassignment::planner::Goals;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    Plan(PlanAction),
    Execute(ExecuteAction),
    Undo(ExecuteAction),
    Verify(VerifyAction),
    Cancel(CancelAction),
    List,
}

/// A plan to be proposed.
#[derive(Debug)]
pub struct PlanAction {
    pub goals: Goals,
    /// Only these topics move; all if empty.
    pub topics: BTreeSet<String>,
    /// The file for the plan; stdout without one.
    pub out: Option<PathBuf>,
}

/// A plan to be executed.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag that stands alone")]
#[derive(Debug)]
pub struct ExecuteAction {
    /// `-` is stdin.
    pub plan: PathBuf,
    /// Bytes a second on each broker.
    pub throttle: Option<u64>,
    /// Bytes a second of moves between a broker's log directories.
    pub log_dir_throttle: Option<u64>,
    /// How many partitions move at a time; `None` for all at once.
    pub concurrent: Option<usize>,
    /// Whether to start although other partitions are moving, or these to somewhere else.
    pub additional: bool,
    pub allow_factor_change: bool,
    /// Whether to start the moves and not to wait for them.
    pub no_wait: bool,
    pub dry_run: bool,
    pub undo_file: Option<PathBuf>,
}

/// A plan to be compared with the cluster.
#[derive(Debug)]
pub struct VerifyAction {
    /// `None` for everything that moves.
    pub plan: Option<PathBuf>,
    pub watch: bool,
    pub preserve_throttles: bool,
    /// Clear all throttles, not only those that the plan set.
    pub clear_all_throttles: bool,
}

/// Moves to be stopped.
#[derive(Debug)]
pub struct CancelAction {
    /// `None` for all moves.
    pub plan: Option<PathBuf>,
    pub preserve_throttles: bool,
    pub dry_run: bool,
}

impl Action {
    /// Whether the command waits for moves to end.
    fn lasts(&self) -> bool {
        match self {
            Self::Execute(_) | Self::Undo(_) => true,
            Self::Verify(action) => action.watch,
            Self::Plan(_) | Self::Cancel(_) | Self::List => false,
        }
    }
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs {
            lasts: self.lasts(),
            ..Needs::ANSWERS
        }
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        run(*self, context)
    }
}

pub fn run(action: Action, context: &mut Context) -> Result<()> {
    match action {
        Action::Plan(action) => plan::run(&action, context),
        Action::Execute(action) => execute::run(&action, context),
        Action::Undo(action) => execute::undo(action, context),
        Action::Verify(action) => verify::run(&action, context),
        Action::Cancel(action) => cancel::run(&action, context),
        Action::List => verify::list(context),
    }
}

/// Reads a plan file; errors name the file, and a note lists what is ignored in it.
fn read_plan_file(path: &Path, context: &mut Context) -> Result<Plan> {
    let name = shown(path);
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Error::from(error).context(&name))?;
        text
    } else {
        let bytes = std::fs::read(path).map_err(|error| Error::from(error).context(&name))?;
        String::from_utf8(bytes).map_err(|_| Error::bad_data(format!("{name}: not UTF-8")))?
    };
    let read = read_edited_plan(&text).map_err(|error| Error::bad_data(format!("{name}: {error}")));
    let (plan, passed_over) = read?;
    for line in passed_over {
        context.printer.note(format_args!("{name}: {line}"));
    }
    Ok(plan)
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    }
}

/// A random seed for choices between equals.
pub fn seed() -> Result<u64> {
    getrandom::u64().map_err(|error| Error::failed(format!("no random numbers: {error}")))
}
