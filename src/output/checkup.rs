//! The findings of `doctor`, a line each as they come.

use std::time::Duration;

use serde_json::Value;

use super::table::{Cell, Table, numbers, words};
use super::{Format, Printer, plural};
use crate::client::checkup::{Fact, Finding, Outcome, Step};
use crate::error::{Kind, Result};
use crate::wire::first_steps::TlsSession;

/// How many partitions are named at most.
const NAMED: usize = 5;
/// A shorter time is not shown: no user waits for it.
const SHOWN_FROM: Duration = Duration::from_micros(10);

/// The report, and the counts that its last line is made of.
#[derive(Debug)]
pub struct CheckupReport {
    /// The rows of the formats that are printed as one document.
    table: Table,
    steps: u64,
    doubtful: u64,
    failed: u64,
    first_failure: Option<Kind>,
}

impl Default for CheckupReport {
    fn default() -> Self {
        Self {
            table: table(),
            steps: 0,
            doubtful: 0,
            failed: 0,
            first_failure: None,
        }
    }
}

impl CheckupReport {
    /// Prints a finding, or keeps it for the end where the format is one document.
    pub fn finding(&mut self, finding: &Finding, printer: &mut Printer) -> Result<()> {
        self.steps += 1;
        match &finding.outcome {
            Outcome::Good(_) => {}
            Outcome::Doubtful(_) => self.doubtful += 1,
            Outcome::Failed(error) => {
                self.failed += 1;
                self.first_failure.get_or_insert(error.kind());
            }
        }
        match printer.format() {
            Format::Table => printer.block(&line(finding))?,
            Format::Jsonl => {
                let mut one = table();
                one.row(cells(finding));
                one.print(printer)?;
            }
            Format::Json | Format::Tsv | Format::Name => self.table.row(cells(finding)),
        }
        printer.flush()
    }

    /// Prints the rows that were kept. Returns a line with the number of steps, and the class of the first failure.
    pub fn end(self, printer: &mut Printer) -> Result<(String, Option<Kind>)> {
        if matches!(printer.format(), Format::Json | Format::Tsv | Format::Name) {
            self.table.print(printer)?;
        }
        let steps = plural(self.steps, "step");
        let doubtful = match self.doubtful {
            0 => String::new(),
            count => format!(", {count} to look at"),
        };
        let sum = match self.failed {
            0 if self.doubtful == 0 => format!("{steps}, all is well"),
            0 => format!("{steps}{doubtful}"),
            failed => format!("{failed} of {steps} failed{doubtful}"),
        };
        Ok((sum, self.first_failure))
    }
}

fn table() -> Table {
    Table::new(&[
        words("STATUS", "status"),
        words("STEP", "step"),
        words("PLACE", "place"),
        words("TEXT", "text"),
        words("HINT", "hint"),
        numbers("TOOK MS", "took_ms"),
    ])
}

fn status(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Good(_) => "ok",
        Outcome::Doubtful(_) => "look",
        Outcome::Failed(_) => "FAILED",
    }
}

fn step(step: Step) -> &'static str {
    match step {
        Step::Settings => "settings",
        Step::Name => "name",
        Step::Connect => "connect",
        Step::Tls => "tls",
        Step::Protocol => "protocol",
        Step::Sasl => "sasl",
        Step::Brokers => "brokers",
        Step::Broker => "broker",
        Step::Clock => "clock",
        Step::Permissions => "permissions",
        Step::Partitions => "partitions",
    }
}

fn line(finding: &Finding) -> String {
    let begin = format!("{:<6}  {:<11}  ", status(&finding.outcome), step(finding.step));
    let text = text(finding);
    let took = finding.took.filter(|took| *took >= SHOWN_FROM);
    let took = took.map_or_else(String::new, |took| format!("  ({})", milliseconds(took)));
    let hint = hint(finding).map_or_else(String::new, |hint| format!(" ({hint})"));
    format!("{begin}{text}{hint}{took}")
}

fn cells(finding: &Finding) -> Vec<Cell> {
    let took = finding.took.map(|took| {
        let exact = (took.as_secs_f64() * 1e6).round() / 1e3;
        Cell::both(milliseconds(took), Value::from(exact))
    });
    vec![
        Cell::text(status(&finding.outcome).to_lowercase()),
        Cell::text(step(finding.step)),
        Cell::text(finding.place.as_str()),
        Cell::text(text(finding)),
        Cell::or_unknown(hint(finding).map(Cell::text)),
        Cell::or_unknown(took),
    ]
}

fn milliseconds(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    let decimals = if millis < 1.0 { 2 } else { 1 };
    format!("{millis:.decimals$} ms")
}

fn hint(finding: &Finding) -> Option<String> {
    match &finding.outcome {
        Outcome::Failed(error) => error.hint_text().map(str::to_owned),
        Outcome::Good(_) | Outcome::Doubtful(_) => None,
    }
}

fn text(finding: &Finding) -> String {
    let place = &finding.place;
    match &finding.outcome {
        Outcome::Failed(error) => {
            let message = error.message();
            match finding.step {
                Step::Broker => format!("broker {place}: {message}"),
                // The message names the host.
                Step::Name => message,
                _ if place.is_empty() => message,
                _ => format!("{place}: {message}"),
            }
        }
        Outcome::Doubtful(Fact::Answers(address)) => {
            format!("broker {place} answers slowly at {address}")
        }
        Outcome::Good(fact) | Outcome::Doubtful(fact) => words_of(fact, place),
    }
}

fn words_of(fact: &Fact, place: &str) -> String {
    match fact {
        Fact::Addresses(addresses) => {
            let mut list: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            list.dedup();
            format!("{place} is {}", list.join(", "))
        }
        Fact::Connected => format!("{place} takes connections"),
        Fact::NoAnswer(why) => format!("{place}: {why}; the host's other address answers"),
        Fact::Tls(session) => tls(session, place),
        Fact::Ends(session, days) if *days < 0 => format!("{}, which is over", tls(session, place)),
        Fact::Ends(session, days) => format!(
            "{}, in {}: the broker needs a new one soon",
            tls(session, place),
            plural(u64::try_from(*days).unwrap_or(0), "day")
        ),
        Fact::Serves(kinds) => format!("{place} speaks Kafka's protocol, {kinds} kinds of requests"),
        Fact::Authenticated(mechanism) => format!("{place} knows who we are ({mechanism})"),
        Fact::Brokers(count, controller) => {
            let brokers = plural(*count as u64, "broker");
            match controller {
                Some(id) => format!("{brokers}, broker {id} speaks for the controller"),
                None => format!("{brokers} and no controller: topics can be neither created nor changed"),
            }
        }
        Fact::Answers(address) => format!("broker {place} answers at {address}"),
        Fact::Absent(replicas) => {
            let replicas = plural(*replicas as u64, "replica");
            format!("broker {place} is not up, and has {replicas}")
        }
        Fact::ClockAhead(0) => "the controller's clock and ours agree".to_owned(),
        Fact::ClockAhead(ahead) => {
            let seconds = ahead.unsigned_abs() as f64 / 1e3;
            let how = if *ahead > 0 { "ahead of" } else { "behind" };
            format!("the controller's clock is {seconds:.1} s {how} ours")
        }
        Fact::May(operations) if operations.is_empty() => {
            "ACLs let us ask for nothing about the cluster as a whole, and show us only what they name"
                .to_owned()
        }
        Fact::May(operations) => format!("on the cluster we may: {}", operations.join(", ")),
        Fact::Partitions(count, lacking) => partitions(*count, lacking),
    }
}

fn tls(session: &TlsSession, place: &str) -> String {
    let version = session.version.replace("TLSv", "TLS ");
    let Some(shown) = &session.certificate else {
        return format!("{place} speaks {version} without a certificate");
    };
    let owner = if shown.hosts.is_empty() {
        shown.subject.clone()
    } else {
        let mut hosts: Vec<&str> = Vec::new();
        for host in &shown.hosts {
            if !hosts.contains(&host.as_str()) {
                hosts.push(host);
            }
        }
        hosts.join(", ")
    };
    let end = jiff::Timestamp::from_second(shown.not_after).map_or_else(
        |_| String::new(),
        |end| format!(" until {}", end.strftime("%Y-%m-%d")),
    );
    format!(
        "{place} speaks {version}; its certificate is for {owner}, signed by {},{end}",
        shown.issuer
    )
}

fn partitions(count: usize, lacking: &[crate::topic_partition::TopicPartition]) -> String {
    let all = plural(count as u64, "partition");
    if lacking.is_empty() {
        return format!("{all}, every replica in sync");
    }
    let mut names: Vec<String> = lacking.iter().take(NAMED).map(ToString::to_string).collect();
    if lacking.len() > NAMED {
        names.push("…".to_owned());
    }
    format!(
        "{} of {all} UNDER-REPLICATED: {}",
        lacking.len(),
        names.join(", ")
    )
}
