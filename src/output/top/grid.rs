//! Which columns fit a width, and how wide each is: first the name, then the most important columns, then the trend.

use crate::monitor::field::{Field, Figure};
use crate::monitor::page::{Listing, Order, Row};

use super::columns::{TREND_RANK, heading, is_number, rank, text};

/// Blanks between two columns.
pub(super) const GUTTER: usize = 2;
/// The least and the most columns of a trend.
const TREND: std::ops::RangeInclusive<usize> = 8..=40;
/// The name is at least this wide while there are other columns.
const LEAST_NAME: usize = 16;

/// One column that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) field: Field,
    /// The index in the figures of a row.
    pub(super) figure: usize,
    pub(super) width: usize,
    pub(super) is_right: bool,
}

/// The columns of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) places: Vec<Place>,
    /// The width of the trend, 0 where there is none.
    pub(super) trend: usize,
}

impl Grid {
    /// The columns for these rows.
    pub(super) fn fit(listing: &Listing, order: Order, rows: &[Row], width: usize) -> Self {
        let mut places = wanted(listing, order, rows);
        let is_name = |place: &Place| is_flexible(place.field);
        let natural = places
            .iter()
            .find(|place| is_name(place))
            .map_or(0, |place| place.width);
        let shortest = natural.min(LEAST_NAME.max(width / 4));
        set_name(&mut places, shortest);
        let weight = |place: &Place| {
            if place.field == order.field {
                0
            } else {
                rank(place.field)
            }
        };
        let has_history = rows.iter().any(|row| !row.history.is_empty());
        loop {
            let worst = places.iter().map(weight).max().unwrap_or(0);
            let for_trend = if has_history && worst >= TREND_RANK {
                TREND.start() + GUTTER
            } else {
                0
            };
            if total(&places) + for_trend <= width || worst == 0 {
                break;
            }
            let last = places.iter().rposition(|place| weight(place) == worst);
            last.map(|last| places.remove(last));
        }
        let left = width.saturating_sub(total(&places));
        let trend = left.saturating_sub(GUTTER).min(*TREND.end());
        let trend = if has_history && TREND.contains(&trend) {
            trend
        } else {
            0
        };
        // If the name lacks columns, they are taken from the trend, down to its least width.
        let spare = left - if trend > 0 { TREND.start() + GUTTER } else { 0 };
        let more = spare.min(natural - shortest);
        set_name(&mut places, shortest + more);
        let trend = trend.min((left - more).saturating_sub(GUTTER));
        Self { places, trend }
    }
}

/// Whether it is the first word of a row, which may be shortened.
fn is_flexible(field: Field) -> bool {
    matches!(field, Field::Topic | Field::Group | Field::Address)
}

fn set_name(places: &mut [Place], width: usize) {
    if let Some(name) = places.iter_mut().find(|place| is_flexible(place.field)) {
        name.width = width;
    }
}

fn total(places: &[Place]) -> usize {
    let widths: usize = places.iter().map(|place| place.width).sum();
    widths + GUTTER * places.len().saturating_sub(1)
}

/// All columns that are not empty, each as wide as its widest value.
fn wanted(listing: &Listing, order: Order, rows: &[Row]) -> Vec<Place> {
    let fields = listing.fields().iter().enumerate();
    let shown = fields.filter(|(figure, field)| !is_hidden(**field, *figure, listing, rows));
    let place = |(figure, field): (usize, &Field)| {
        let values = rows.iter().filter_map(|row| row.figures.get(figure));
        let widest = values.map(|value| text(value).chars().count()).max().unwrap_or(0);
        let mark = usize::from(*field == order.field);
        Place {
            field: *field,
            figure,
            width: widest.max(heading(*field, listing).len() + mark),
            is_right: is_number(*field, listing),
        }
    };
    shown.map(place).collect()
}

fn is_hidden(field: Field, figure: usize, listing: &Listing, rows: &[Row]) -> bool {
    let values = || rows.iter().filter_map(|row| row.figures.get(figure));
    match field {
        // The page is about one topic, whose name stands above.
        Field::Topic => matches!(listing, Listing::OfTopic(_)),
        Field::Rack | Field::Member => values().all(Figure::is_unknown),
        Field::Health => rows.iter().all(|row| row.health.is_well()),
        _ => false,
    }
}
