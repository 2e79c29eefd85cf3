//! A terminal session as a picture: input and output, as SVG that looks the same in every font.

use std::fmt::Write as _;

/// The width of a letter and the height of a line, in pixels.
const LETTER: f64 = 8.4;
const LINE: usize = 20;
/// The space around the text, and the height of the bar above it.
const MARGIN: usize = 16;
const BAR: usize = 34;

/// A line of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Input at the prompt.
    Typed(String),
    /// Output on stdout.
    Printed(String),
    /// Output on stderr.
    Said(String),
}

/// The session as SVG.
pub fn svg(title: &str, lines: &[Line]) -> String {
    let columns = lines
        .iter()
        .map(|line| line.text().chars().count())
        .max()
        .unwrap_or(0);
    let width = (columns.max(60) as f64 * LETTER).ceil() as usize + 2 * MARGIN;
    let height = BAR + lines.len() * LINE + MARGIN;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n\
         <style>\n\
         text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre; }}\n\
         .typed {{ fill: #f0f6fc; font-weight: bold; }}\n\
         .printed {{ fill: #c9d1d9; }}\n\
         .said {{ fill: #8b949e; }}\n\
         .prompt {{ fill: #3fb950; }}\n\
         </style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#0d1117\"/>\n",
        escaped(title)
    );
    for (place, color) in ["#ff5f57", "#febc2e", "#28c840"].into_iter().enumerate() {
        let x = MARGIN + 4 + place * 20;
        let _ = writeln!(picture, "<circle cx=\"{x}\" cy=\"17\" r=\"6\" fill=\"{color}\"/>");
    }
    for (place, line) in lines.iter().enumerate() {
        draw(&mut picture, line, BAR + place * LINE + 15);
    }
    picture.push_str("</svg>\n");
    picture
}

fn draw(picture: &mut String, line: &Line, y: usize) {
    let text = line.text();
    if text.trim().is_empty() {
        return;
    }
    // Every letter gets the same width, in any font.
    let length = format!("{:.1}", text.chars().count() as f64 * LETTER);
    let begin = format!(
        "<text x=\"{MARGIN}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\""
    );
    let _ = match line {
        Line::Typed(command) => writeln!(
            picture,
            "{begin} class=\"typed\"><tspan class=\"prompt\">$</tspan> {}</text>",
            escaped(command)
        ),
        Line::Printed(text) => writeln!(picture, "{begin} class=\"printed\">{}</text>", escaped(text)),
        Line::Said(text) => writeln!(picture, "{begin} class=\"said\">{}</text>", escaped(text)),
    };
}

impl Line {
    fn text(&self) -> String {
        match self {
            Self::Typed(command) => format!("$ {command}"),
            Self::Printed(text) | Self::Said(text) => text.clone(),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
