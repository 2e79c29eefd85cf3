//! `kafkit consume …` to `consume::Action`.

use std::io::IsTerminal as _;

use clap::Args;

use super::condition_args::ConditionArgs;
use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::offset_words;
use super::times::parse_time;
use crate::client::offset_reset;
use crate::client::record_source::{OnCorrupt, Position};
use crate::client::settings::{Origin, Settings, Use};
use crate::commands::consume::{Action, Ends, Missing, Start, Topics, Wanted};
use crate::error::{Error, Result};
use crate::output::OutputOptions;
use crate::output::printable::JsonOnTerminal;
use crate::output::record::RecordFormatter;
use crate::output::record_json::JsonFormatter;
use crate::output::record_lines::LineFormatter;
use crate::output::record_template::{Template, unescape};
use crate::output::voice::NativeVoice;

const EXAMPLES: &str = "\
Examples:
  kafkit consume orders                     all records from the first on, then those to come
  kafkit consume orders -e                  all records there are now
  kafkit consume orders -o -10 -e           the last ten of each partition
  kafkit consume orders --since 10m --until 5m
  kafkit consume orders -f '%p/%o %{timestamp:%T} %k=%s\\n'
  kafkit consume orders --json | jq -r .key
  kafkit consume orders --group billing     as a member; what was printed is committed
  kafkit consume orders --where '.id == 7 and headers.source ~ \"^web\"'
  kafkit consume orders --tail 10           the last ten of the whole topic, by time
  kafkit consume orders -e --expect 5 -q > /dev/null

Tokens of -f:
  %t topic      %p partition      %o offset      %k key      %s value
  %K and %S     the lengths of key and value; -1 is null
  %R            the value's length as four bytes, big endian
  %T            time in milliseconds since 1970
  %h            headers           %%             a percent sign
  %{value:base64}, %{value:hex}, %{key:json}     other forms
  %{value:.user.id}, %{key:.items[0]}            what is inside of JSON
  %{timestamp:%F %T%z}, %{header:NAME}           a time in words, one header
  \\n \\t \\r \\0 \\xHH                               control characters, bytes

Conditions of --where:
  .user.id, .items[0], .\"odd name\"      inside the value's JSON; what is not there is null
  value, key, headers.NAME, topic, partition, offset, time
  == != < <= > >=, in (1, 2), exists      ~ \"regular expression\"
  and, or, not, ( )
  Texts stand in quotation marks; time takes those of --since: time >= \"10m\"";

/// Print the records of topics
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ConsumeArgs {
    /// The topics to read, all their partitions
    #[arg(required = true, value_name = "TOPIC", add = super::candidates::topics())]
    topics: Vec<String>,

    /// The names are regular expressions that must match whole names; Kafka's own topics are left out
    #[arg(long)]
    regex: bool,

    #[command(flatten)]
    range: RangeArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    form: FormArgs,
    #[command(flatten)]
    connection: ConnectionArgs,

    /// Read as a member of this group, from where it was, and commit what was printed
    #[arg(short, long, value_name = "NAME", help_heading = "Which records", add = super::candidates::groups())]
    group: Option<String>,

    /// Say nothing but records and errors
    #[arg(short, long)]
    quiet: bool,

    /// Say which engine carries the records, and why
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Which records")]
struct RangeArgs {
    /// Stop at what is the end now, instead of waiting for more
    #[arg(short, long)]
    exit: bool,

    /// Stop after so many records
    #[arg(short = 'n', long, value_name = "COUNT", allow_negative_numbers = true)]
    count: Option<u64>,

    /// Where to start: earliest, latest, an offset, -N for N before the end, +N for N after the beginning, @TIME; or
    /// A..B, from A up to B (B not included)
    #[arg(
        short = 'o',
        long,
        value_name = "OFFSET",
        allow_hyphen_values = true,
        conflicts_with = "since"
    )]
    offset: Option<String>,

    /// The first so many records by time, of the first ones of all partitions; then end
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["count", "tail"])]
    head: Option<u64>,

    /// The last so many records by time, of the last ones of all partitions; then end
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["count", "offset", "since"])]
    tail: Option<u64>,

    /// Start with the first record at or after this time: 10m (ago), RFC 3339, a date
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    since: Option<i64>,

    /// Stop before the first record at or after this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    until: Option<i64>,

    /// These partitions only, as 0,3,5-7; -1 is all
    #[arg(short, long, value_name = "LIST", allow_negative_numbers = true)]
    partition: Option<String>,

    /// Pass over batches that cannot be decoded, and say so, instead of ending with exit 6
    #[arg(long)]
    skip_corrupt: bool,

    /// Which records of transactions to print
    #[arg(long, value_name = "LEVEL", value_parser = ["read_uncommitted", "read_committed"])]
    isolation: Option<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Only some of them")]
struct FilterArgs {
    #[command(flatten)]
    conditions: ConditionArgs,

    /// Exit with 1 when fewer records came
    #[arg(long, value_name = "COUNT")]
    expect: Option<u64>,

    /// Exit with 1 when no record came
    #[arg(long, conflicts_with = "expect")]
    fail_empty: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "How records are printed")]
struct FormArgs {
    /// A template; see below
    #[arg(short, long, value_name = "TEMPLATE", conflicts_with = "json")]
    format: Option<String>,

    /// JSON lines that lose nothing: nulls, headers, bytes that are not UTF-8 (as base64)
    #[arg(long)]
    json: bool,

    /// End each record with a zero byte instead of a line end, for `xargs -0`
    #[arg(short = '0', long, conflicts_with = "json")]
    null_delimited: bool,

    /// Put the key and these bytes before each value (escapes \n \t \xHH)
    #[arg(short = 'K', long, value_name = "BYTES", conflicts_with_all = ["format", "json"])]
    key_separator: Option<String>,
}

impl IntoInvocation for ConsumeArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let patience = self.connection.time_without_answer();
        let mut settings = self.connection.into_raw_settings()?;
        if let Some(group) = self.group {
            settings.set("group.id", group, Origin::Flag);
        }
        let is_member = is_member(&mut settings)?;
        settings.note_unused(if is_member {
            Use::Consume
        } else {
            Use::ConsumeAlone
        });
        let range = self.range;
        if is_member && range.is_fixed() {
            return Err(Error::usage(
                "--group reads from where the group was: --since, --until, --partition, --head and --tail go without it",
            ));
        }
        let wanted = wanted(self.filter, &range)?;
        let start = match range.start()? {
            Some(start) => start,
            None => start_of_reset(&settings, is_member)?,
        };
        let mut overrides: Vec<(String, String)> = Vec::new();
        if !is_member {
            overrides.push(("group.id".into(), String::new()));
        }
        overrides.extend(
            range
                .isolation
                .clone()
                .map(|level| ("isolation.level".into(), level)),
        );
        let reset = match start {
            _ if is_member && range.offset.is_none() && resets_to_nothing(&settings) => "error",
            start => reset_to(start, is_member)?,
        };
        settings.set("auto.offset.reset", reset, Origin::Flag);
        overrides.push(("auto.offset.reset".into(), reset.into()));
        let partitions = range.partitions()?;
        let action = Action {
            topics: if self.regex {
                Topics::matching_any(&self.topics)?
            } else {
                Topics::named(self.topics)
            },
            partitions,
            start,
            until: range.until,
            exits_at_end: range.exit || wanted.ends.is_some(),
            limit: range.count,
            idle: None,
            formatter: self.form.formatter()?,
            skips_bad: false,
            on_corrupt: range.on_corrupt(),
            missing: Missing::Refuse,
            is_member,
            patience,
            overrides,
            defaults: if range.exit || range.until.is_some() || wanted.ends.is_some() {
                vec![("fetch.wait.max.ms".into(), "50".into())]
            } else {
                Vec::new()
            },
            voice: &NativeVoice,
            wanted,
        };
        Ok(Invocation {
            command: Box::new(action),
            settings,
            output: OutputOptions {
                quiet: self.quiet,
                verbose: self.verbose,
                ..OutputOptions::default()
            },
        })
    }
}

/// Whether stdout is a terminal.
fn on_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Which of the records that are read are printed.
fn wanted(filter: FilterArgs, range: &RangeArgs) -> Result<Wanted> {
    let at_least = match filter.expect {
        Some(count) => count,
        None => u64::from(filter.fail_empty),
    };
    let before = range.before()?;
    let has_end = range.exit || range.until.is_some() || range.count.is_some() || before.is_some();
    let ends = match (range.head, range.tail) {
        (Some(count), _) => Some(Ends::First(count)),
        (None, Some(count)) => Some(Ends::Last(count)),
        (None, None) => None,
    };
    if at_least > 0 && !has_end && ends.is_none() {
        let flag = if filter.fail_empty {
            "--fail-empty"
        } else {
            "--expect"
        };
        return Err(Error::usage(format!(
            "{flag} needs an end to count at: add --exit, --until, --head, --tail or --count"
        )));
    }
    Ok(Wanted {
        filter: filter.conditions.into_expression(),
        ends,
        before,
        at_least,
    })
}

/// Whether the command reads as a member of a group: only if the command line names one. A file or a profile may belong
/// to an application, whose group must not be joined.
fn is_member(settings: &mut Settings) -> Result<bool> {
    let key = "group.id";
    match settings.given_here(key).map(str::trim) {
        Some("") => Err(Error::usage("--group is empty").hint("name a group, or leave it out")),
        Some(_) => Ok(true),
        None => {
            if settings.get(key).is_some_and(|group| !group.trim().is_empty()) {
                settings.note_ignored(key, "say --group NAME to read as a member of a group");
            }
            Ok(false)
        }
    }
}

/// Where `auto.offset.reset` says to start; at the beginning without it.
fn start_of_reset(settings: &Settings, is_member: bool) -> Result<Start> {
    let key = "auto.offset.reset";
    let Some(reset) = settings.get(key).map(str::trim) else {
        return Ok(Start::At(Position::Beginning));
    };
    match reset {
        "earliest" | "beginning" | "smallest" => Ok(Start::At(Position::Beginning)),
        "latest" | "end" | "largest" => Ok(Start::At(Position::End)),
        "none" | "error" if is_member => Ok(Start::At(Position::Beginning)),
        "none" | "error" => Err(settings
            .complaint(
                key,
                "without a group nothing is committed, so that nothing says where to start",
            )
            .hint("add --offset or --group")),
        _ => match offset_reset::since(reset, is_member) {
            Ok(Some(time)) => Ok(Start::At(Position::Time(time))),
            _ if is_member && reset.starts_with("by_duration") => {
                Err(settings.complaint(key, "members of a group cannot start at a duration"))
            }
            _ => {
                let problem = format!("it takes earliest, latest, none or by_duration:PT1H, not \"{reset}\"");
                Err(settings.complaint(key, problem))
            }
        },
    }
}

/// The value of `auto.offset.reset` for a start.
fn reset_to(start: Start, is_member: bool) -> Result<&'static str> {
    match start {
        Start::At(Position::Beginning) => Ok("earliest"),
        Start::At(Position::End) => Ok("latest"),
        _ if is_member => Err(Error::usage(
            "with --group, --offset takes earliest or latest, for partitions without a commit",
        )),
        _ => Ok("earliest"),
    }
}

/// Whether a partition without a committed offset is an error.
fn resets_to_nothing(settings: &Settings) -> bool {
    let reset = settings.get("auto.offset.reset").map(str::trim);
    matches!(reset, Some("none" | "error"))
}

impl RangeArgs {
    /// Only these partitions; `None` for all.
    fn partitions(&self) -> Result<Option<Vec<i32>>> {
        self.partition
            .as_deref()
            .map_or(Ok(None), offset_words::partitions)
    }

    fn on_corrupt(&self) -> OnCorrupt {
        if self.skip_corrupt {
            OnCorrupt::Skip
        } else {
            OnCorrupt::Fail
        }
    }

    /// Whether the range is fixed by flags, so that a group cannot be used.
    fn is_fixed(&self) -> bool {
        let ends = self.head.is_some() || self.tail.is_some();
        ends || self.since.is_some() || self.until.is_some() || self.partition.is_some()
    }

    /// The offset that `A..B` ends at.
    fn before(&self) -> Result<Option<i64>> {
        self.offset.as_deref().map_or(Ok(None), offset_words::before)
    }

    /// The start in the flags, if there is one.
    fn start(&self) -> Result<Option<Start>> {
        match (self.since, self.offset.as_deref()) {
            (Some(time), _) => Ok(Some(Start::At(Position::Time(time)))),
            (None, Some(text)) => offset_words::start(text).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl FormArgs {
    /// One record a line, for a reader at a terminal.
    fn lines(&self, template: Template) -> Box<dyn RecordFormatter> {
        if self.null_delimited {
            return Box::new(template);
        }
        Box::new(LineFormatter::new(template, on_terminal()))
    }

    fn formatter(&self) -> Result<Box<dyn RecordFormatter>> {
        if self.json {
            return Ok(if on_terminal() {
                Box::new(JsonOnTerminal(JsonFormatter))
            } else {
                Box::new(JsonFormatter)
            });
        }
        let end: &[u8] = if self.null_delimited { b"\0" } else { b"\n" };
        if let Some(text) = &self.format {
            let mut template =
                Template::compile(text).map_err(|problem| Error::usage(format!("--format: {problem}")))?;
            if self.null_delimited {
                template.push_end(end);
            }
            return Ok(Box::new(template.for_terminal(on_terminal())));
        }
        if let Some(separator) = &self.key_separator {
            let bytes =
                unescape(separator).map_err(|problem| Error::usage(format!("--key-separator: {problem}")))?;
            return Ok(self.lines(Template::key_value_and(&bytes, end)));
        }
        Ok(self.lines(Template::value_and(end)))
    }
}
