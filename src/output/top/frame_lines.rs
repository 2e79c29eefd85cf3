//! The lines above and below the rows: the cluster, sums, tabs, keys, and problems.

use std::time::{Duration, Instant};

use ratatui_core::style::{Color, Modifier, Style};
use ratatui_core::text::{Line, Span};

use super::columns::{per_second, status};
use super::screen::Look;
use crate::monitor::field::Figure;
use crate::monitor::page::{Listing, TABS};
use crate::monitor::top_state::{Mode, TopState};
use crate::output::table::{count, grouped, size, span};

pub(super) const ALARM: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
const FINE: Style = Style::new().fg(Color::Green);
const TRENDS: Style = Style::new().fg(Color::Cyan);
pub(super) const DIM: Style = Style::new().add_modifier(Modifier::DIM);
pub(super) const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// Figures are marked as late when they are older than this many intervals.
const LATE: u32 = 3;

/// The width of the trend of all records written, in columns.
const TREND: usize = 16;

/// The left side, in parts of which the last are left out where there is no space, and the right side.
pub(super) type Sides<'a> = (Vec<Line<'a>>, Line<'a>);

/// The cluster, and how old the figures are.
pub(super) fn title<'a>(state: &TopState, look: &Look, now: Instant) -> Sides<'a> {
    let layout = &state.figures.layout;
    let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let partitions = layout.topics.iter().map(|topic| topic.partitions.len()).sum();
    let counts = [
        count(length(layout.brokers.len()), "broker"),
        count(length(layout.topics.len()), "topic"),
        count(length(partitions), "partition"),
        count(length(state.figures.groups.len()), "group"),
    ];
    let name = [
        Line::styled("kafkit top", BOLD),
        Line::raw(format!("  {}", look.place)),
    ];
    let counts = counts.into_iter().enumerate().map(|(number, count)| {
        let before = if number == 0 { "  " } else { ", " };
        Line::styled(format!("{before}{count}"), DIM)
    });
    (name.into_iter().chain(counts).collect(), age(state, now))
}

/// `2 s old, every 2 s`.
fn age<'a>(state: &TopState, now: Instant) -> Line<'a> {
    let every = state.every();
    if state.is_paused() {
        return Line::styled("paused", ALARM);
    }
    let Some(at) = state.figures.ends_at else {
        return Line::styled("no figures yet", DIM);
    };
    let age = now.saturating_duration_since(at);
    let text = format!(
        "{} s old, every {}",
        age.as_secs(),
        span(i64::try_from(every.as_millis()).unwrap_or(i64::MAX))
    );
    let is_late = state.trouble.is_some() || age > every * LATE + Duration::from_secs(2);
    Line::styled(text, if is_late { ALARM } else { DIM })
}

/// Sums over the cluster, and its health.
pub(super) fn sums<'a>(state: &TopState, look: &Look) -> Sides<'a> {
    let figures = &state.figures;
    let (records, bytes) = figures.total_rates();
    let history: Vec<f64> = figures.written.last(TREND).collect();
    let rate = records.map_or_else(|| "-".to_owned(), grouped_rate);
    let bytes = bytes.map_or_else(|| "-".to_owned(), |rate| size(rate.round() as i64));
    let mut parts = vec![
        Line::from(vec![Span::styled(rate, BOLD), Span::raw(" records/s")]),
        Line::from(vec![Span::raw("   "), Span::styled(bytes, BOLD), Span::raw("/s")]),
    ];
    if let Some(lag) = figures.total_lag() {
        parts.push(Line::from(vec![
            Span::raw("   lag "),
            Span::styled(grouped(lag), BOLD),
        ]));
    }
    let trend = look.bars().draw(&history, TREND).trim_start().to_owned();
    parts.push(Line::from(vec![Span::raw("   "), trend_of(trend)]));
    (parts, well_being(state))
}

fn grouped_rate(rate: f64) -> String {
    if rate < 10.0 {
        per_second(rate)
    } else {
        grouped(rate.round() as i64)
    }
}

fn well_being<'a>(state: &TopState) -> Line<'a> {
    let health = state.health();
    match status(health) {
        ill if !ill.is_empty() => Line::styled(ill, ALARM),
        _ if health.partitions == 0 => Line::raw(""),
        _ => Line::styled("all in sync", FINE),
    }
}

/// The pages, and what is opened or hidden on this one.
pub(super) fn tabs<'a>(state: &TopState) -> Sides<'a> {
    let mut parts = Vec::new();
    for (number, tab) in TABS.iter().enumerate() {
        let style = if tab == state.tab() {
            BOLD.add_modifier(Modifier::UNDERLINED)
        } else {
            DIM
        };
        let word = Span::styled(format!("{} {}", number + 1, name(tab)), style);
        parts.push(Line::from(vec![word, Span::raw("  ")]));
    }
    let opened = match &state.page().listing {
        Listing::OfBroker(id) => format!("> broker {id}"),
        Listing::OfTopic(name) | Listing::OfGroup(name) => format!("> {name}"),
        _ => String::new(),
    };
    parts.push(Line::styled(opened, BOLD));
    let rows = state.rows().len();
    let place = if rows > state.visible().len() {
        format!("{} of {rows}", state.place() + 1)
    } else {
        String::new()
    };
    (parts, Line::styled(place, DIM))
}

fn name(tab: &Listing) -> &'static str {
    match tab {
        Listing::Brokers | Listing::OfBroker(_) => "brokers",
        Listing::Topics | Listing::OfTopic(_) => "topics",
        Listing::Partitions => "partitions",
        Listing::Groups | Listing::OfGroup(_) => "groups",
    }
}

/// The last line: the filter, a problem, or the keys.
pub(super) fn footer<'a>(state: &TopState, look: &Look, now: Instant) -> Vec<Line<'a>> {
    match notice(state, now) {
        Some(notice) => vec![notice],
        None => keys(look),
    }
}

/// A notice that takes the place of the keys.
fn notice<'a>(state: &TopState, now: Instant) -> Option<Line<'a>> {
    let filter = &state.page().filter;
    if state.mode == Mode::Filter {
        return Some(Line::from(vec![
            Span::styled(format!("/{filter}"), BOLD),
            Span::styled("_", Style::new().add_modifier(Modifier::SLOW_BLINK)),
            Span::styled("   Enter keeps it, Esc clears it", DIM),
        ]));
    }
    if let Some((why, since)) = &state.trouble {
        let lasted = now.saturating_duration_since(*since).as_secs();
        return Some(Line::styled(format!("no answer for {lasted} s: {why}"), ALARM));
    }
    if let Some(complaint) = state.figures.complaints.first() {
        return Some(Line::styled(complaint.clone(), ALARM));
    }
    (!filter.is_empty()).then(|| {
        Line::from(vec![
            Span::raw("only "),
            Span::styled(filter.clone(), BOLD),
            Span::styled("   Esc shows all", DIM),
        ])
    })
}

fn keys<'a>(look: &Look) -> Vec<Line<'a>> {
    let arrows = if look.is_unicode {
        "↑↓ move"
    } else {
        "j k move"
    };
    let keys = [
        "q quit  ",
        "? help  ",
        "Enter open  ",
        "Esc back  ",
        "Tab page  ",
        "/ filter  ",
        "s sort  ",
        "r reverse  ",
        arrows,
    ];
    keys.map(|key| Line::styled(key, DIM)).into()
}

/// The bars of a trend.
pub(super) fn trend_of<'a>(bars: String) -> Span<'a> {
    Span::styled(bars, TRENDS)
}

/// The text in place of rows where there are none.
pub(super) fn no_rows(state: &TopState) -> String {
    if !state.page().filter.is_empty() {
        return "nothing matches the filter".to_owned();
    }
    let is_known = state.figures.ends_at.is_some();
    match &state.page().listing {
        _ if !is_known && state.trouble.is_none() => "asking the cluster ...".to_owned(),
        Listing::OfGroup(_) => "nothing committed".to_owned(),
        listing => format!("no {}", name(listing)),
    }
}

/// The style of a value: problems are emphasized.
pub(super) fn style_of(figure: &Figure) -> Style {
    match figure {
        Figure::Health(health) if !health.is_well() => ALARM,
        Figure::Unknown => DIM,
        _ => Style::new(),
    }
}
