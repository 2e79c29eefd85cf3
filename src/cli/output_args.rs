//! The flags that say how results are shown, shared by every command.

use clap::Args;

use crate::output::{Format, OutputOptions};

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// How to show results
    #[arg(
        short = 'o',
        long,
        value_enum,
        default_value_t,
        global = true,
        value_name = "FORM"
    )]
    pub output: Format,

    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

impl OutputArgs {
    pub fn into_options(self) -> OutputOptions {
        OutputOptions {
            format: self.output,
            quiet: self.quiet,
            verbose: false,
        }
    }
}
