//! The completion scripts of shells: each calls kafkit for its candidates.

/// A shell with a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The placeholder in a script for the names of the commands that it completes.
const NAMES: &str = "NAMES";

impl Shell {
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    /// The name of the shell's program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shell| shell.name() == name)
    }
}

/// The script that completes kafkit and the commands with these other names.
pub fn script(shell: Shell, others: &[String]) -> String {
    let names = std::iter::once("kafkit").chain(others.iter().map(String::as_str));
    let names = names.collect::<Vec<_>>().join(" ");
    let script = match shell {
        Shell::Bash => include_str!("scripts/kafkit.bash"),
        Shell::Zsh => include_str!("scripts/_kafkit"),
        Shell::Fish => include_str!("scripts/kafkit.fish"),
    };
    script.replace(NAMES, &names)
}
