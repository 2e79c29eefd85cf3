//! `kafkit profile …` to `profile::Action`.

#![allow(
    clippy::doc_markdown,
    reason = "these comments are help texts, where backticks would show"
)]

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::connection_args::key_and_value;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use crate::client::profile::file::COLORS;
use crate::client::profile::import::Format;
use crate::client::settings::Settings;
use crate::commands::profile::{Action, Creation, Deletion, Importing, Prompt, Shell, Trusting};
use crate::error::Result;

/// Keep settings of clusters under names: create, use, list, show, edit, delete, import, prompt, trust
///
/// Profiles stand in ~/.config/kafkit/config.toml; a file .kafkit.toml in a project, up to the root of its repository,
/// adds its own. `--profile NAME` or KAFKIT_PROFILE selects one for a command, `kafkit profile use` for all to come.
#[derive(Args, Debug)]
pub struct ProfileArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(CreateArgs),
    /// Use a profile where no other is named
    ///
    /// Writes default-profile into the configuration file. The file of a project, --profile and KAFKIT_PROFILE are
    /// stronger.
    #[command(after_help = "Examples:
  kafkit profile use staging")]
    Use {
        /// The profile's name
        #[arg(value_name = "NAME", add = super::candidates::profiles())]
        name: String,
    },
    /// Show all profiles, and which one is in use
    #[command(after_help = "Examples:
  kafkit profile list
  kafkit profile list -o name")]
    List,
    /// Show what a profile says, secrets masked; that in use when none is named
    #[command(after_help = "Examples:
  kafkit profile show
  kafkit profile show staging -o json")]
    Show {
        /// The profile's name
        #[arg(value_name = "NAME", add = super::candidates::profiles())]
        name: Option<String>,
    },
    /// Change the configuration file in your editor
    ///
    /// The editor is $VISUAL, $EDITOR, or vi. The file is replaced only when what you have written makes sense; otherwise
    /// your text is kept and the next `edit` begins with it.
    #[command(after_help = "Examples:
  kafkit profile edit
  EDITOR='code --wait' kafkit profile edit")]
    Edit,
    Delete(DeleteArgs),
    Import(ImportArgs),
    Prompt(PromptArgs),
    Trust(TrustArgs),
}

/// Create a profile
///
/// A value may stand elsewhere: ${env:NAME}, ${file:PATH}, ${command:LINE}, ${keyring:SERVICE:ACCOUNT} or
/// ${prompt:QUESTION}. It is looked up each time it is needed, so that no secret has to be in the file.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit profile create staging -b kafka1:9092,kafka2:9092 --use
  kafkit profile create prod -b kafka1:9093 -X security.protocol=SASL_SSL -X sasl.mechanism=SCRAM-SHA-512 \\
      -X sasl.username=me -X 'sasl.password=${command:pass show kafka/prod}' --color red
  kafkit profile create old --command-config /etc/kafka/client.properties")]
struct CreateArgs {
    /// The profile's name
    #[arg(value_name = "NAME")]
    name: String,
    /// Brokers to ask first
    #[arg(short = 'b', long, value_name = "HOST:PORT")]
    bootstrap_server: Option<String>,
    /// A client setting; may be repeated
    #[arg(short = 'X', value_name = "KEY=VALUE", add = super::candidates::client_settings())]
    set: Vec<String>,
    /// A setting whose value is typed now, unseen, and kept in the file; may be repeated
    #[arg(long, value_name = "KEY")]
    ask: Vec<String>,
    /// A Java client.properties file that the profile builds on
    #[arg(long, value_name = "FILE")]
    command_config: Option<PathBuf>,
    /// What it is, in words
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The colour of its name in a prompt
    #[arg(long, value_name = "COLOR", value_parser = COLORS)]
    color: Option<String>,
    /// Use it from now on
    #[arg(long = "use")]
    use_it: bool,
}

/// Delete profiles
///
/// Shows what will go and asks; without a terminal it wants --yes.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit profile delete old --yes")]
struct DeleteArgs {
    /// Names of profiles
    #[arg(required = true, value_name = "NAME", add = super::candidates::profiles())]
    names: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Take over the settings of another program
///
/// Reads Java properties, kcat.conf, rpk.yaml and kafkactl's config.yml. What has no place in a profile is named with its
/// line. Secrets are copied: the configuration file is readable by you alone.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit profile import /etc/kafka/client.properties prod
  kafkit profile import ~/.config/kcat.conf local --dry-run
  kafkit profile import ~/.config/rpk/rpk.yaml
  kafkit profile import ~/.config/kafkactl/config.yml --only staging")]
struct ImportArgs {
    /// The file
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// The name of the profile, where the file has one; by default the file's own name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Whose file it is; by default told by its name and content
    #[arg(long, value_enum, value_name = "NAME")]
    format: Option<Program>,
    /// Of a file with several profiles only this one; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Replace profiles of the same names
    #[arg(long)]
    force: bool,
    /// Show what would be written, secrets masked, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Print the name of the profile in use, for a shell's prompt
///
/// Asks no cluster, and prints nothing where nothing is configured or anything is wrong. With --shell the name has the
/// profile's colour, in the marks that the shell needs to know the width of its prompt.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  PS1='$(kafkit profile prompt --shell bash) \\$ '
  kafkit profile prompt -f '(%n at %b)'")]
struct PromptArgs {
    /// What to print: %n is the name, %b the brokers, %% a per cent sign
    #[arg(short, long, value_name = "FORMAT", default_value = "%n")]
    format: String,
    /// The shell whose prompt it is
    #[arg(long, value_enum, value_name = "SHELL")]
    shell: Option<ShellName>,
}

/// Trust the file of the project you are in
///
/// Without trust, .kafkit.toml may only say which brokers to use and how, without secrets: it comes with a repository
/// that anybody may have written. Shows what the file would do and asks; without a terminal it wants --yes. A file that
/// changes has to be trusted anew.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit profile trust
  kafkit profile trust ~/src/shop/.kafkit.toml --yes
  kafkit profile trust --revoke")]
struct TrustArgs {
    /// The file; by default that of the project you are in
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Trust it no longer
    #[arg(long)]
    revoke: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Program {
    /// A properties file of Kafka's Java clients
    #[value(alias = "properties")]
    Java,
    /// librdkafka's properties, as kcat has them
    #[value(alias = "librdkafka")]
    Kcat,
    /// rpk.yaml or redpanda.yaml
    Rpk,
    /// kafkactl's config.yml
    Kafkactl,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShellName {
    Bash,
    Zsh,
    Fish,
}

impl IntoInvocation for ProfileArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        Ok(Invocation {
            command: Box::new(self.verb.into_action()?),
            settings: Settings::default(),
            output: self.output.into_options(),
        })
    }
}

impl Verb {
    fn into_action(self) -> Result<Action> {
        Ok(match self {
            Self::Create(args) => Action::Create(args.into_creation()?),
            Self::Use { name } => Action::Use(name),
            Self::List => Action::List,
            Self::Show { name } => Action::Show(name),
            Self::Edit => Action::Edit,
            Self::Delete(args) => Action::Delete(Deletion {
                names: args.names,
                is_sure: args.yes,
            }),
            Self::Import(args) => Action::Import(args.into_importing()),
            Self::Prompt(args) => Action::Prompt(Prompt {
                format: args.format,
                shell: args.shell.map(ShellName::into_shell),
            }),
            Self::Trust(args) => Action::Trust(Trusting {
                file: args.file,
                revokes: args.revoke,
                is_sure: args.yes,
            }),
        })
    }
}

impl CreateArgs {
    fn into_creation(self) -> Result<Creation> {
        let mut settings = Vec::new();
        if let Some(servers) = self.bootstrap_server {
            settings.push(("bootstrap.servers".to_owned(), servers));
        }
        for word in &self.set {
            let (key, value) = key_and_value(word)?;
            Settings::check_flag(key)?;
            settings.push((key.to_owned(), value.to_owned()));
        }
        Ok(Creation {
            name: self.name,
            settings,
            asked: self.ask,
            command_config: self.command_config,
            description: self.description,
            color: self.color,
            use_it: self.use_it,
        })
    }
}

impl ImportArgs {
    fn into_importing(self) -> Importing {
        Importing {
            file: self.file,
            name: self.name,
            format: self.format.map(|format| match format {
                Program::Java => Format::Java,
                Program::Kcat => Format::Kcat,
                Program::Rpk => Format::Rpk,
                Program::Kafkactl => Format::Kafkactl,
            }),
            only: self.only,
            replaces: self.force,
            is_dry_run: self.dry_run,
        }
    }
}

impl ShellName {
    fn into_shell(self) -> Shell {
        match self {
            Self::Bash => Shell::Bash,
            Self::Zsh => Shell::Zsh,
            Self::Fish => Shell::Fish,
        }
    }
}
