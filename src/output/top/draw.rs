//! The whole screen: three lines about the cluster, the rows, and the line of keys.

use std::time::Instant;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Modifier, Style};
use ratatui_core::text::Line;

use super::columns::{heading, text};
use super::frame_lines::{self, BOLD, DIM, Sides};
use super::grid::{GUTTER, Grid, Place};
use super::help;
use super::screen::Look;
use crate::monitor::page::Row;
use crate::monitor::top_state::{Mode, TopState};

/// Lines that are not rows: title, sums, tabs, headings, keys.
const FRAME: u16 = 5;

/// How many rows fit on a screen.
pub(super) fn rows_of(height: u16) -> usize {
    usize::from(height.saturating_sub(FRAME)).max(1)
}

/// Draws the screen.
pub(super) fn draw(state: &TopState, look: &Look, now: Instant, buffer: &mut Buffer) {
    let area = buffer.area;
    if area.height <= FRAME {
        put(buffer, area, 0, &Line::raw("the screen has too few lines"));
        return;
    }
    sides(buffer, area, 0, &frame_lines::title(state, look, now));
    sides(buffer, area, 1, &frame_lines::sums(state, look));
    sides(buffer, area, 2, &frame_lines::tabs(state));
    if state.mode == Mode::Help {
        for (place, line) in (3_u16..).zip(help::LINES) {
            put(buffer, area, place, &Line::raw(*line));
        }
    } else {
        list(state, look, buffer, area);
    }
    let last = area.height - 1;
    let blank = Rect::new(area.x, area.y + last, area.width, 1);
    for x in blank.left()..blank.right() {
        if let Some(cell) = buffer.cell_mut((x, blank.y)) {
            cell.reset();
        }
    }
    parts(buffer, blank, &frame_lines::footer(state, look, now));
}

/// Writes a text at the left end of a line.
fn put(buffer: &mut Buffer, area: Rect, line: u16, text: &Line<'_>) {
    if line < area.height {
        set(buffer, area.x, area.y + line, text, area.width);
    }
}

/// Writes a line; the styles of its words take precedence over that of the line.
fn set(buffer: &mut Buffer, x: u16, y: u16, line: &Line<'_>, width: u16) {
    let used = u16::try_from(line.width()).unwrap_or(u16::MAX).min(width);
    buffer.set_style(Rect::new(x, y, used, 1), line.style);
    buffer.set_line(x, y, line, width);
}

/// Writes parts of a line one after the other, up to the first one that does not fit; the first part is always written.
fn parts(buffer: &mut Buffer, area: Rect, parts: &[Line<'_>]) {
    let mut x = area.x;
    for (number, part) in parts.iter().enumerate() {
        let left = area.right().saturating_sub(x);
        if number > 0 && part.width() > usize::from(left) {
            return;
        }
        set(buffer, x, area.y, part, left);
        x += u16::try_from(part.width()).unwrap_or(left).min(left);
    }
}

/// Writes parts at the left end of a line, and one at the right end, which is never cut.
fn sides(buffer: &mut Buffer, area: Rect, line: u16, (left, right): &Sides<'_>) {
    let needed = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    let gap = if needed > 0 { 2 } else { 0 };
    let room = area.width.saturating_sub(needed + gap);
    parts(buffer, Rect::new(area.x, area.y + line, room, 1), left);
    set(buffer, area.right() - needed, area.y + line, right, needed);
}

fn list(state: &TopState, look: &Look, buffer: &mut Buffer, area: Rect) {
    let page = state.page();
    // The widths are those of all rows, so that they stay the same while the user scrolls.
    let grid = Grid::fit(&page.listing, page.order, state.rows(), usize::from(area.width));
    let mut headings = String::new();
    for place in &grid.places {
        let mut word = heading(place.field, &page.listing).to_owned();
        if place.field == page.order.field {
            word.push(look.arrow(page.order.is_descending));
        }
        push(&mut headings, &word, *place, look);
    }
    put(buffer, area, 3, &Line::styled(headings, DIM));
    if state.rows().is_empty() {
        put(buffer, area, 4, &Line::raw(frame_lines::no_rows(state)));
    }
    let selected = state.selected();
    for (place, row) in state.visible().iter().enumerate() {
        let Ok(line) = u16::try_from(place) else { break };
        let y = area.y + 4 + line;
        if y + 1 >= area.bottom() {
            break;
        }
        row_line(row, &grid, look, buffer, Rect::new(area.x, y, area.width, 1));
        if selected == Some(place) {
            let style = Style::new().add_modifier(Modifier::REVERSED);
            buffer.set_style(Rect::new(area.x, y, area.width, 1), style);
        }
    }
}

fn row_line(row: &Row, grid: &Grid, look: &Look, buffer: &mut Buffer, area: Rect) {
    let mut x = area.x;
    for (number, place) in grid.places.iter().enumerate() {
        let Some(figure) = row.figures.get(place.figure) else {
            continue;
        };
        let mut words = String::new();
        push(&mut words, &text(figure), *place, look);
        let style = match number {
            0 if !row.health.is_well() => frame_lines::ALARM,
            0 => BOLD,
            _ => frame_lines::style_of(figure),
        };
        let left = area.right().saturating_sub(x);
        buffer.set_stringn(x, area.y, &words, usize::from(left), style);
        x = x.saturating_add(u16::try_from(place.width + GUTTER).unwrap_or(u16::MAX));
    }
    if grid.trend > 0 && !row.history.is_empty() && x < area.right() {
        let span = frame_lines::trend_of(look.bars().draw(&row.history, grid.trend));
        buffer.set_span(x, area.y, &span, area.right() - x);
    }
}

/// Appends a word in its column; if it is too long, its end is cut.
fn push(line: &mut String, word: &str, place: Place, look: &Look) {
    if !line.is_empty() {
        line.push_str(&" ".repeat(GUTTER));
    }
    let length = word.chars().count();
    let word = if length > place.width {
        let kept = word.chars().take(place.width.saturating_sub(1));
        kept.chain([look.cut()]).collect()
    } else {
        word.to_owned()
    };
    let blanks = " ".repeat(place.width.saturating_sub(length));
    if place.is_right {
        line.push_str(&blanks);
        line.push_str(&word);
    } else {
        line.push_str(&word);
        line.push_str(&blanks);
    }
}
