//! The one step of `profile prompt`: a word for a shell's prompt, without any request, and without error messages.

use std::env;

use super::{Context, name_in_environment};
use crate::client::profile::{COLOR, Catalog, file::COLORS};
use crate::error::Result;

/// The form of the output.
#[derive(Debug)]
pub struct Prompt {
    /// With `%n`, `%b` and `%%`.
    pub format: String,
    pub shell: Option<Shell>,
}

/// A shell that must know which characters of its prompt have no width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The variables that name brokers, in order of precedence.
const VARIABLES: [&str; 2] = ["KAFKIT_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"];

/// Where commands are sent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Destination {
    name: String,
    brokers: String,
    color: Option<String>,
}

pub(super) fn run(prompt: &Prompt, context: &mut Context) -> Result<()> {
    let destination = Catalog::read().ok().and_then(|catalog| destination(&catalog));
    if let Some(destination) = destination {
        context.printer.text(rendered(prompt, &destination))?;
    }
    Ok(())
}

/// The profile in use. Brokers named in the environment take precedence over it.
fn destination(catalog: &Catalog) -> Option<Destination> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(brokers) = VARIABLES.into_iter().find_map(set) {
        return Some(Destination {
            name: brokers.clone(),
            brokers,
            color: None,
        });
    }
    let profile = catalog.select(name_in_environment().as_deref()).ok()??;
    Some(Destination {
        name: profile.written.name.clone(),
        brokers: profile
            .written
            .get("bootstrap.servers")
            .unwrap_or_default()
            .to_owned(),
        color: profile.written.get(COLOR).map(str::to_owned),
    })
}

fn rendered(prompt: &Prompt, destination: &Destination) -> String {
    let mut text = String::new();
    let mut letters = prompt.format.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.as_str().chars().next()) {
            ('%', Some('n')) => text.push_str(&clean(&destination.name, prompt.shell)),
            ('%', Some('b')) => text.push_str(&clean(&destination.brokers, prompt.shell)),
            ('%', Some('%')) => text.push_str(&clean("%", prompt.shell)),
            (letter, _) => {
                text.push(letter);
                continue;
            }
        }
        letters.next();
    }
    coloured(text, prompt.shell, destination.color.as_deref())
}

/// A name without characters that a terminal or a shell would interpret: it may come from a project's file.
fn clean(text: &str, shell: Option<Shell>) -> String {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_control() && !"$`\\".contains(*letter))
        .collect();
    // Zsh expands % in the output of a prompt's command.
    if shell == Some(Shell::Zsh) {
        text.replace('%', "%%")
    } else {
        text
    }
}

fn coloured(text: String, shell: Option<Shell>, color: Option<&str>) -> String {
    let place = color.and_then(|color| COLORS.iter().position(|known| *known == color));
    let (Some(shell), Some(place)) = (shell, place) else {
        return text;
    };
    let number = match COLORS.get(place) {
        Some(&"white") => 37,
        _ => 31 + place,
    };
    let (begin, end) = match shell {
        Shell::Bash => ("\x01", "\x02"),
        Shell::Zsh => ("%{", "%}"),
        Shell::Fish => ("", ""),
    };
    format!("{begin}\x1b[{number}m{end}{text}{begin}\x1b[0m{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_and_the_marks_of_the_shell() {
        let destination = Destination {
            name: "prod".to_owned(),
            brokers: "a:1".to_owned(),
            color: Some("red".to_owned()),
        };
        let rendered = |format: &str, shell| {
            let prompt = Prompt {
                format: format.to_owned(),
                shell,
            };
            rendered(&prompt, &destination)
        };
        assert_eq!(rendered("(%n at %b, 5%%) %x%", None), "(prod at a:1, 5%) %x%");
        assert_eq!(
            rendered("%n", Some(Shell::Bash)),
            "\x01\x1b[31m\x02prod\x01\x1b[0m\x02"
        );
        assert_eq!(rendered("%n", Some(Shell::Zsh)), "%{\x1b[31m%}prod%{\x1b[0m%}");
        assert_eq!(rendered("%n", Some(Shell::Fish)), "\x1b[31mprod\x1b[0m");
    }

    #[test]
    fn a_name_commands_neither_terminal_nor_shell() {
        assert_eq!(clean("a$(id)`b`\x1b[2J", Some(Shell::Bash)), "a(id)b[2J");
        assert_eq!(clean("50%", Some(Shell::Zsh)), "50%%");
    }
}
