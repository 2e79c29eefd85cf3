//! What the screen shows, compared with files in `tests/golden/top`; `KAFKIT_GENERATE=1` writes them.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::draw::{draw, rows_of};
use super::screen::Look;
use crate::monitor::page::Listing;
use crate::monitor::scene::after;
use crate::monitor::top_state::{Event, Key, TopState};

fn look() -> Look {
    Look {
        place: "kafka1:9092".to_owned(),
        is_coloured: true,
        is_unicode: true,
    }
}

/// The screen as text, blanks at line ends left out.
fn shown(state: &mut TopState, look: &Look, now: Instant, width: u16, height: u16) -> String {
    state.handle(Event::Height(rows_of(height)), now);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(state, look, now, &mut buffer);
    let line = |y| {
        let cells = (0..width).map(|x| buffer.cell((x, y)).map_or(" ", |cell| cell.symbol()));
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    (0..height).map(line).collect()
}

fn press(state: &mut TopState, keys: &[Key], now: Instant) {
    for key in keys {
        state.handle(Event::Key(*key), now);
    }
}

fn hold_against(name: &str, screen: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/top")
        .join(name);
    if std::env::var_os("KAFKIT_GENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, screen).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, screen, "{name}");
}

#[test]
fn the_pages_fit_a_terminal_of_80_and_of_60_columns_and_a_wide_one() {
    for (word, listing) in [
        ("brokers", Listing::Brokers),
        ("topics", Listing::Topics),
        ("partitions", Listing::Partitions),
        ("groups", Listing::Groups),
    ] {
        for (width, height) in [(80, 24), (60, 16), (140, 20)] {
            let (mut state, now) = after(12, &listing);
            let screen = shown(&mut state, &look(), now, width, height);
            hold_against(&format!("{word}-{width}x{height}.txt"), &screen);
        }
    }
}

#[test]
fn a_group_opens() {
    let (mut state, now) = after(12, &Listing::Groups);
    press(&mut state, &[Key::Down, Key::Enter], now);
    let screen = shown(&mut state, &look(), now, 80, 24);
    hold_against("one-group-80x24.txt", &screen);
}

#[test]
fn a_topic_opens_and_is_searched_in() {
    let (mut state, now) = after(12, &Listing::Topics);
    press(&mut state, &[Key::Enter, Key::Char('/'), Key::Char('x')], now);
    let screen = shown(&mut state, &look(), now, 80, 12);
    hold_against("filter-80x12.txt", &screen);
}

#[test]
fn the_help_fits() {
    let (mut state, now) = after(1, &Listing::Topics);
    press(&mut state, &[Key::Char('?')], now);
    let screen = shown(&mut state, &look(), now, 60, 28);
    hold_against("help-60x28.txt", &screen);
}

#[test]
fn a_cluster_that_is_gone_is_told_with_the_age_of_the_figures() {
    let (mut state, now) = after(12, &Listing::Brokers);
    let later = now + Duration::from_secs(75);
    let why = "cannot reach kafka1:9092: connection refused after 6 tries in 2 s";
    state.handle(Event::Failed(why.into()), now + Duration::from_secs(3));
    state.handle(Event::Failed(why.into()), later);
    let screen = shown(&mut state, &look(), later, 80, 10);
    hold_against("gone-80x10.txt", &screen);
}

#[test]
fn a_terminal_without_utf8_is_sent_ascii() {
    for listing in [Listing::Topics, Listing::Groups] {
        let (mut state, now) = after(12, &listing);
        let ascii = Look {
            is_unicode: false,
            ..look()
        };
        let screen = shown(&mut state, &ascii, now, 60, 16);
        assert!(screen.is_ascii(), "{screen}");
    }
}

proptest! {
    #[test]
    fn no_screen_is_too_small(
        width in 0_u16..150,
        height in 0_u16..40,
        page in 0_usize..4,
        key in prop::sample::select(vec![Key::Enter, Key::Char('?'), Key::Char('/'), Key::Char('s'), Key::End]),
    ) {
        let listing = crate::monitor::page::TABS[page].clone();
        let (mut state, now) = after(3, &listing);
        press(&mut state, &[key], now);
        shown(&mut state, &look(), now, width, height);
    }
}
