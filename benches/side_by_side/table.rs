//! The table that `make bench` prints: one row for each measurement, kafkit beside each peer, with ratios.

/// A figure of one program.
#[derive(Clone, Debug)]
pub struct Figure {
    pub who: &'static str,
    pub value: f64,
}

/// One measurement of all programs; kafkit's is the first figure.
#[derive(Clone, Debug)]
pub struct Row {
    pub question: String,
    pub unit: &'static str,
    pub figures: Vec<Figure>,
}

impl Row {
    pub fn new(question: impl Into<String>, unit: &'static str, figures: Vec<(&'static str, f64)>) -> Self {
        let figures = figures
            .into_iter()
            .map(|(who, value)| Figure { who, value })
            .collect();
        Self {
            question: question.into(),
            unit,
            figures,
        }
    }

    /// Prints the row: each peer with its ratio to kafkit.
    pub fn print(&self) {
        let Some((ours, peers)) = self.figures.split_first() else {
            return;
        };
        print!(
            "{:<52} {:>10} {:<7}",
            self.question,
            number(ours.value),
            self.unit
        );
        for peer in peers {
            print!(
                "  {} {} ({:.2}×)",
                peer.who,
                number(peer.value),
                peer.value / ours.value
            );
        }
        println!();
    }
}

/// Three significant digits.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value if value >= 0.1 => format!("{value:.3}"),
        value => format!("{value:.4}"),
    }
}
