//! How keys and samples change the screen's state.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::field::{Field, Figure};
use super::page::{Listing, RowName};
use super::sample::Sample;
use super::scene::{EVERY, after, sample};
use super::top_state::{Effect, Event, Interest, Key, Mode, TopState};

fn press(state: &mut TopState, keys: &str) -> Effect {
    let mut effect = Effect::Nothing;
    for letter in keys.chars() {
        let key = match letter {
            '\n' => Key::Enter,
            '\x1b' => Key::Escape,
            '\t' => Key::Tab,
            letter => Key::Char(letter),
        };
        effect = state.handle(Event::Key(key), Instant::now());
    }
    effect
}

fn names(state: &TopState) -> Vec<String> {
    let name = |row: &super::page::Row| match &row.name {
        RowName::Broker(id) => id.to_string(),
        RowName::Topic(name) | RowName::Group(name) => name.clone(),
        RowName::Partition(place) => place.to_string(),
    };
    state.rows().iter().map(name).collect()
}

fn figure(state: &TopState, row: usize, field: Field) -> Figure {
    let place = state
        .page()
        .listing
        .fields()
        .iter()
        .position(|shown| *shown == field)
        .unwrap();
    state.rows()[row].figures[place].clone()
}

#[test]
fn rates_are_known_after_two_looks_and_the_busiest_comes_first() {
    let (state, _) = after(1, &Listing::Topics);
    assert_eq!(figure(&state, 0, Field::Written), Figure::Unknown);
    let (state, _) = after(4, &Listing::Topics);
    assert_eq!(
        names(&state),
        [
            "web.clicks",
            "payments-from-partners-of-the-north",
            "orders",
            "audit"
        ]
    );
    // 12 partitions times 25 000 records in two seconds, over six seconds; the variation of the first and last look is
    // equal.
    assert_eq!(figure(&state, 0, Field::Written), Figure::Rate(150_000.0));
    assert_eq!(figure(&state, 3, Field::Written), Figure::Unknown);
    assert_eq!(state.health().without_leader, 1);
    assert_eq!(state.health().under_replicated, 1);
}

#[test]
fn a_cluster_without_topics_has_figures_too() {
    let mut state = TopState::new(&Listing::Topics, EVERY);
    let empty = Sample {
        layout: Some(super::sample::Layout::default()),
        ends: Some(std::collections::BTreeMap::new()),
        ..Sample::default()
    };
    let now = Instant::now();
    state.handle(Event::Sample(Box::new(empty)), now);
    assert_eq!(state.figures.ends_at, Some(now));
}

#[test]
fn the_selection_stays_with_its_row_when_the_order_changes() {
    let (mut state, _) = after(4, &Listing::Topics);
    press(&mut state, "jj");
    assert_eq!(state.selected(), Some(2));
    press(&mut state, "r");
    assert_eq!(names(&state)[state.place()], "orders");
    press(&mut state, "i/clicks\n");
    assert_eq!(names(&state), ["web.clicks"]);
    assert_eq!(state.selected(), Some(0));
    press(&mut state, "\x1b");
    assert_eq!(state.rows().len(), 5, "internal topics too");
}

#[test]
fn a_row_opens_and_the_way_back_is_the_same() {
    let (mut state, _) = after(4, &Listing::Topics);
    press(&mut state, "1jj");
    assert_eq!(names(&state), ["1", "2", "3"]);
    press(&mut state, "\n");
    assert_eq!(state.page().listing, Listing::OfBroker(3));
    assert_eq!(names(&state), ["orders-5", "audit-0"]);
    press(&mut state, "\n");
    assert_eq!(state.page().listing, Listing::OfTopic("orders".into()));
    assert_eq!(names(&state)[state.place()], "orders-5");
    press(&mut state, "\x1b\x1b");
    assert_eq!((names(&state).len(), state.place()), (3, 2));
    press(&mut state, "\x1b");
    assert_eq!(
        state.page().listing,
        Listing::Brokers,
        "there is nothing behind a tab"
    );
}

#[test]
fn only_groups_on_the_screen_are_asked_about() {
    let (mut state, now) = after(2, &Listing::Topics);
    let nothing = Interest {
        every: EVERY,
        is_paused: false,
        groups: Vec::new(),
        opened: None,
    };
    state.handle(Event::Height(2), now);
    let Effect::Ask(interest) = press(&mut state, "4") else {
        panic!("nothing is asked")
    };
    assert_eq!(interest.groups, ["billing", "search-indexer"], "of three");
    let Effect::Ask(interest) = press(&mut state, "\n") else {
        panic!("nothing is asked")
    };
    assert_eq!(interest.opened.as_deref(), Some("search-indexer"));
    assert_eq!(interest.groups, ["search-indexer"]);
    assert_eq!(press(&mut state, "j"), Effect::Nothing);
    assert_eq!(press(&mut state, "1"), Effect::Ask(nothing.clone()));
    let paused = Interest {
        is_paused: true,
        ..nothing
    };
    assert_eq!(press(&mut state, "p"), Effect::Ask(paused));
}

#[test]
fn lag_and_the_time_left_are_those_of_the_last_looks() {
    let (mut state, _) = after(4, &Listing::Groups);
    assert_eq!(names(&state), ["search-indexer", "billing", "dashboard"]);
    assert_eq!(
        figure(&state, 1, Field::Lag),
        Figure::Number(6 * (9000 - 3 * 800))
    );
    // It shrinks by 400 a second in each of six partitions.
    assert_eq!(figure(&state, 1, Field::CaughtUpIn), Figure::Seconds(16.5));
    assert_eq!(figure(&state, 0, Field::CaughtUpIn), Figure::Unknown, "it grows");
    assert_eq!(figure(&state, 2, Field::CaughtUpIn), Figure::Seconds(0.0));
    press(&mut state, "j\n");
    assert_eq!(figure(&state, 0, Field::Member), Figure::Word("billing-0".into()));
}

#[test]
fn a_cluster_that_goes_away_keeps_its_figures_and_is_welcome_back() {
    let (mut state, now) = after(4, &Listing::Topics);
    state.handle(Event::Failed("connection refused".into()), now);
    state.handle(Event::Failed("connection refused".into()), now + EVERY);
    assert_eq!(
        state.trouble,
        Some(("connection refused".into(), now)),
        "since the first"
    );
    assert_eq!(state.rows().len(), 4);
    let later = now + Duration::from_secs(60);
    state.handle(Event::Sample(Box::new(sample(5))), later);
    assert_eq!(state.trouble, None);
    assert!(!figure(&state, 0, Field::Written).is_unknown());
}

#[test]
fn a_leader_that_does_not_answer_leaves_rates_unknown() {
    let (mut state, now) = after(4, &Listing::Topics);
    let silent = Sample {
        ends: Some(std::collections::BTreeMap::new()),
        ..Sample::default()
    };
    state.handle(Event::Sample(Box::new(silent)), now + EVERY);
    assert_eq!(figure(&state, 0, Field::Written), Figure::Unknown);
    let orders = names(&state).iter().position(|name| name == "orders").unwrap();
    assert!(
        !figure(&state, orders, Field::Offsets).is_unknown(),
        "what was known stays"
    );
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        prop::sample::select("q1234sSr<>iphjklgG+-/?abc ".chars().collect::<Vec<char>>()).prop_map(Key::Char),
        prop::sample::select(vec![
            Key::Up,
            Key::Down,
            Key::Left,
            Key::Right,
            Key::PageUp,
            Key::PageDown,
            Key::Home,
            Key::End,
            Key::Enter,
            Key::Escape,
            Key::Tab,
            Key::BackTab,
            Key::Backspace,
            Key::ClearLine,
        ]),
    ]
}

proptest! {
    /// Whatever is typed while samples arrive, the selected row is on the screen.
    #[test]
    fn the_selected_row_is_on_the_screen(
        keys in prop::collection::vec(keys(), 0..80),
        height in 1_usize..30,
        looks in 0_u32..4,
    ) {
        let (mut state, mut now) = after(looks, &Listing::Groups);
        state.handle(Event::Height(height), now);
        for (number, key) in keys.into_iter().enumerate() {
            now += Duration::from_millis(300);
            let was_typing = state.mode == Mode::Filter;
            let effect = state.handle(Event::Key(key), now);
            prop_assert!(effect != Effect::Quit || (key == Key::Char('q') && !was_typing));
            if number % 5 == 0 {
                let look = Box::new(sample(i64::try_from(number).unwrap()));
                state.handle(Event::Sample(look), now);
            }
            prop_assert!(state.visible().len() <= height);
            match state.selected() {
                Some(place) => prop_assert!(place < state.visible().len()),
                None => prop_assert!(state.rows().is_empty()),
            }
        }
    }
}
