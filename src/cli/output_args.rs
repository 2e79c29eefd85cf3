//! The flags for the format of results, shared by every command.

use clap::{Args, ValueEnum};

use crate::output::{Format, OutputOptions};

/// How results are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Aligned columns
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
    /// The JSON document as YAML
    Yaml,
    /// Tab-separated values under a heading
    Tsv,
    /// Names only, one a line
    Name,
}

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
    pub output: Form,

    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

impl OutputArgs {
    pub fn into_options(self) -> OutputOptions {
        OutputOptions {
            format: match self.output {
                Form::Table => Format::Table,
                Form::Json | Form::Yaml => Format::Json,
                Form::Jsonl => Format::Jsonl,
                Form::Tsv => Format::Tsv,
                Form::Name => Format::Name,
            },
            is_yaml: self.output == Form::Yaml,
            quiet: self.quiet,
            verbose: false,
        }
    }
}
