//! The state of the screen of `kafkit top`: samples, keys and the clock in, rows and requests to the cluster out.
//!
//! Pure: the clock enters as `now`. The meaning of keys is decided here; the layout in `output/top`.

use std::time::{Duration, Instant};

use super::field::{Field, Figure, Health};
use super::figures::Figures;
use super::page::{Listing, Order, Row, RowName, TABS};
use super::rows;
use super::sample::Sample;

/// The shortest and the longest interval of looks.
pub const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);
/// The most characters of a filter.
const LONGEST_FILTER: usize = 100;

/// A key of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Tab,
    BackTab,
    Backspace,
    /// Ctrl-U: empties what is typed.
    ClearLine,
    /// Ctrl-C.
    Interrupt,
}

/// An event of the screen.
#[derive(Debug)]
pub enum Event {
    /// A look at the cluster.
    Sample(Box<Sample>),
    /// A look had no answer, for this reason.
    Failed(String),
    Key(Key),
    /// This many rows fit on the screen.
    Height(usize),
}

/// What the caller must do, apart from drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    /// Change the subject of the next looks.
    Ask(Interest),
    Quit,
    Interrupted,
}

/// The subject of looks at the cluster, apart from offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// The interval of looks.
    pub every: Duration,
    pub is_paused: bool,
    /// The groups on the screen.
    pub groups: Vec<String>,
    /// The group whose members are shown.
    pub opened: Option<String>,
}

/// How keys are interpreted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Browse,
    /// As letters of the filter.
    Filter,
    /// Any key ends the help.
    Help,
}

/// A page, as the user left it.
#[derive(Clone, Debug)]
pub struct Page {
    pub listing: Listing,
    pub order: Order,
    /// Only rows with this text in one of their words are shown.
    pub filter: String,
    selected: Option<RowName>,
    /// The index of the selected row, for when the row disappears.
    place: usize,
    /// The first row on the screen.
    first: usize,
}

impl Page {
    fn new(listing: Listing) -> Self {
        Self {
            order: listing.first_order(),
            listing,
            filter: String::new(),
            selected: None,
            place: 0,
            first: 0,
        }
    }
}

/// The screen.
#[derive(Debug)]
pub struct TopState {
    pub figures: Figures,
    pub mode: Mode,
    pub with_internal: bool,
    /// Why there is no answer, and since when.
    pub trouble: Option<(String, Instant)>,
    tabs: [Page; 4],
    tab: usize,
    /// The pages that were opened from the tab; the last one is on the screen.
    opened: Vec<Page>,
    /// All rows of the current page, sorted.
    rows: Vec<Row>,
    height: usize,
    every: Duration,
    is_paused: bool,
    asked: Option<Interest>,
}

impl TopState {
    /// A screen before the first look, on one of the [`TABS`].
    pub fn new(listing: &Listing, every: Duration) -> Self {
        Self {
            figures: Figures::default(),
            mode: Mode::default(),
            with_internal: false,
            trouble: None,
            tabs: TABS.map(Page::new),
            tab: TABS.iter().position(|tab| tab == listing).unwrap_or(0),
            opened: Vec::new(),
            rows: Vec::new(),
            height: 1,
            every,
            is_paused: false,
            asked: None,
        }
    }

    /// Handles an event.
    pub fn handle(&mut self, event: Event, now: Instant) -> Effect {
        match event {
            Event::Sample(sample) => {
                self.trouble = None;
                self.figures.take(*sample, now);
            }
            Event::Failed(why) => {
                let since = self.trouble.take().map_or(now, |(_, since)| since);
                self.trouble = Some((why, since));
                return Effect::Nothing;
            }
            Event::Height(height) => self.height = height.max(1),
            Event::Key(Key::Interrupt) => return Effect::Interrupted,
            Event::Key(key) => {
                if self.key(key) == Effect::Quit {
                    return Effect::Quit;
                }
            }
        }
        self.settle();
        self.ask()
    }

    /// The current page.
    pub fn page(&self) -> &Page {
        self.opened
            .last()
            .or_else(|| self.tabs.get(self.tab))
            .unwrap_or(&self.tabs[0])
    }

    fn page_mut(&mut self) -> &mut Page {
        let tab = self.tab.min(self.tabs.len() - 1);
        self.opened.last_mut().unwrap_or(&mut self.tabs[tab])
    }

    /// The tab that the page belongs to.
    pub fn tab(&self) -> &Listing {
        TABS.get(self.tab).unwrap_or(&TABS[0])
    }

    /// The rows of the page that pass the filter.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows on the screen.
    pub fn visible(&self) -> &[Row] {
        let first = self.page().first.min(self.rows.len());
        let end = (first + self.height).min(self.rows.len());
        self.rows.get(first..end).unwrap_or_default()
    }

    /// The index of the selected row among the visible ones.
    pub fn selected(&self) -> Option<usize> {
        (!self.rows.is_empty()).then(|| self.page().place.saturating_sub(self.page().first))
    }

    /// The index of the selected row among all, from 0.
    pub fn place(&self) -> usize {
        self.page().place
    }

    pub fn every(&self) -> Duration {
        self.every
    }

    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// How many partitions of the cluster have which problem.
    pub fn health(&self) -> Health {
        rows::health_of_all(&self.figures)
    }

    /// All rows of any listing, in its initial order, for printing.
    pub fn rows_of(&self, listing: &Listing) -> Vec<Row> {
        let mut rows = rows::rows(&self.figures, listing, self.with_internal);
        listing.first_order().sort(&mut rows, listing.fields());
        rows
    }

    /// Makes the rows again; the selection stays with its row.
    fn settle(&mut self) {
        let page = self.page();
        let mut rows = rows::rows(&self.figures, &page.listing, self.with_internal);
        let filter = page.filter.to_lowercase();
        rows.retain(|row| filter.is_empty() || has_word(row, &filter));
        page.order.sort(&mut rows, page.listing.fields());
        let found = page
            .selected
            .as_ref()
            .and_then(|name| rows.iter().position(|row| row.name == *name));
        let place = found.unwrap_or(page.place).min(rows.len().saturating_sub(1));
        let selected = rows.get(place).map(|row| row.name.clone());
        let height = self.height;
        let last_first = rows.len().saturating_sub(height);
        let page = self.page_mut();
        page.place = place;
        // Before the user has moved, the first row is selected, whichever that is.
        page.selected = selected.filter(|_| page.selected.is_some() || place > 0);
        page.first = page
            .first
            .min(place)
            .max((place + 1).saturating_sub(height))
            .min(last_first);
        self.rows = rows;
    }

    /// A request for a new subject of looks, if it has changed.
    fn ask(&mut self) -> Effect {
        let opened = match &self.page().listing {
            Listing::OfGroup(name) => Some(name.clone()),
            _ => None,
        };
        let on_screen = self.visible().iter().filter_map(|row| match &row.name {
            RowName::Group(name) => Some(name.clone()),
            _ => None,
        });
        let mut groups: Vec<String> = on_screen.chain(opened.clone()).collect();
        groups.sort();
        let interest = Interest {
            every: self.every,
            is_paused: self.is_paused,
            groups,
            opened,
        };
        if self.asked.as_ref() == Some(&interest) {
            return Effect::Nothing;
        }
        self.asked = Some(interest.clone());
        Effect::Ask(interest)
    }

    fn key(&mut self, key: Key) -> Effect {
        match self.mode {
            Mode::Help => self.mode = Mode::Browse,
            Mode::Filter => self.type_filter(key),
            Mode::Browse => return self.browse(key),
        }
        Effect::Nothing
    }

    fn type_filter(&mut self, key: Key) {
        match key {
            Key::Enter | Key::Down | Key::Up => self.mode = Mode::Browse,
            Key::Escape => {
                self.page_mut().filter.clear();
                self.mode = Mode::Browse;
            }
            Key::Backspace => drop(self.page_mut().filter.pop()),
            Key::ClearLine => self.page_mut().filter.clear(),
            Key::Char(letter) if self.page().filter.chars().count() < LONGEST_FILTER => {
                self.page_mut().filter.push(letter);
            }
            _ => {}
        }
    }

    fn browse(&mut self, key: Key) -> Effect {
        let page = i64::try_from(self.height).unwrap_or(i64::MAX);
        match key {
            Key::Char('q') => return Effect::Quit,
            Key::Up | Key::Char('k') => self.move_by(-1),
            Key::Down | Key::Char('j') => self.move_by(1),
            Key::PageUp => self.move_by(-page),
            Key::PageDown => self.move_by(page),
            Key::Home | Key::Char('g') => self.move_by(i64::MIN),
            Key::End | Key::Char('G') => self.move_by(i64::MAX),
            Key::Enter | Key::Right | Key::Char('l') => self.open(),
            Key::Escape | Key::Left | Key::Backspace | Key::Char('h') => self.back(),
            Key::Tab => self.show_tab((self.tab + 1) % TABS.len()),
            Key::BackTab => self.show_tab((self.tab + TABS.len() - 1) % TABS.len()),
            Key::Char(digit @ '1'..='4') => self.show_tab(digit as usize - '1' as usize),
            Key::Char('/') => self.mode = Mode::Filter,
            Key::Char('?') => self.mode = Mode::Help,
            Key::Char('s' | '>') => self.sort_by_next(1),
            Key::Char('S' | '<') => self.sort_by_next(-1),
            Key::Char('r') => {
                let order = &mut self.page_mut().order;
                order.is_descending = !order.is_descending;
            }
            Key::Char('i') => self.with_internal = !self.with_internal,
            Key::Char(' ' | 'p') => self.is_paused = !self.is_paused,
            Key::Char('+' | '=') => self.set_every(self.every * 2),
            Key::Char('-') => self.set_every(self.every / 2),
            _ => {}
        }
        Effect::Nothing
    }

    fn set_every(&mut self, every: Duration) {
        self.every = every.clamp(SHORTEST, LONGEST);
    }

    fn move_by(&mut self, rows: i64) {
        let last = i64::try_from(self.rows.len()).unwrap_or(i64::MAX) - 1;
        let here = i64::try_from(self.page().place).unwrap_or(0);
        let place = here.saturating_add(rows).min(last).max(0) as usize;
        let selected = self.rows.get(place).map(|row| row.name.clone());
        let page = self.page_mut();
        page.place = place;
        page.selected = selected;
    }

    fn open(&mut self) {
        let row = self.rows.get(self.page().place);
        let Some(opened) = row.and_then(|row| self.page().listing.opens(&row.name)) else {
            return;
        };
        let selected = row.map(|row| row.name.clone());
        self.page_mut().selected.clone_from(&selected);
        let mut page = Page::new(opened);
        // A partition keeps its selection when its topic is opened.
        page.selected = selected.filter(|name| matches!(name, RowName::Partition(_)));
        self.opened.push(page);
    }

    /// Undoes the last step: clears the filter, or leaves the page.
    fn back(&mut self) {
        if self.page().filter.is_empty() {
            self.opened.pop();
        } else {
            self.page_mut().filter.clear();
        }
    }

    fn show_tab(&mut self, tab: usize) {
        self.tab = tab;
        self.opened.clear();
    }

    fn sort_by_next(&mut self, step: isize) {
        let page = self.page_mut();
        let fields = page.listing.fields();
        let here = fields
            .iter()
            .position(|field| *field == page.order.field)
            .unwrap_or(0);
        let count = fields.len() as isize;
        let next = (here as isize + step).rem_euclid(count);
        let field = fields.get(next as usize).copied().unwrap_or(Field::Topic);
        page.order = Order::of(field);
        // After a new order the user looks at the first rows, not at the selected one.
        (page.selected, page.place) = (None, 0);
    }
}

/// Whether one of the words of a row contains the text.
fn has_word(row: &Row, text: &str) -> bool {
    row.figures.iter().any(|figure| match figure {
        Figure::Word(word) => word.to_lowercase().contains(text),
        _ => false,
    })
}
