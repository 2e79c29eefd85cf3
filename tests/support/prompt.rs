//! A shell at its prompt on a pseudo terminal, with kafkit's completions, and a test that presses the tab key.

use std::process::Command;

use super::terminal::{Program, Terminal};

/// A shell that tests type into.
#[derive(Debug)]
pub struct Prompt {
    program: Program,
    name: &'static str,
    /// How many lines have been typed.
    count: usize,
}

/// The installed shells, of which bash is required. The interop judge of the shells requires all three.
pub fn shells() -> Vec<&'static str> {
    let is_there = |name: &&str| Command::new(*name).arg("--version").output().is_ok();
    let found: Vec<_> = ["bash", "zsh", "fish"].into_iter().filter(is_there).collect();
    assert!(found.contains(&"bash"), "bash is not installed");
    found
}

/// How often a line is tried: a broker on a busy machine may be late, and is asked again in the background.
const TRIES: usize = 40;

impl Prompt {
    /// The shell without any user's configuration.
    pub fn of(name: &'static str, terminal: &Terminal) -> Self {
        let (start, prepare) = match name {
            "zsh" => (
                "zsh -f -i",
                "autoload -U compinit; compinit -u -D; source <(kafkit completions zsh)",
            ),
            "fish" => ("fish --no-config -i", "kafkit completions fish | source"),
            _ => ("bash --noprofile --norc -i", "source <(kafkit completions bash)"),
        };
        let mut prompt = Self::start(name, start, terminal);
        prompt.program.types(&format!("{prepare}\n"));
        prompt
    }

    /// A shell that reads the start files in the terminal's home.
    pub fn with_its_files(name: &'static str, terminal: &Terminal) -> Self {
        Self::start(name, name, terminal)
    }

    fn start(name: &'static str, start: &str, terminal: &Terminal) -> Self {
        // Wide enough that no line is wrapped.
        let start = format!("stty rows 50 cols 400; export TERM=xterm; exec {start}");
        Self {
            program: terminal.start_on_a_screen(&start),
            name,
            count: 0,
        }
    }

    /// The words of a line after one press of the tab key at its end.
    pub fn completed(&mut self, line: &str) -> Vec<String> {
        self.count += 1;
        let (begin, end) = (format!("<begin{}>", self.count), format!("<end{}>", self.count));
        let [begin_word, end_word] = [&begin, &end].map(|mark| mark.trim_matches(['<', '>']).to_owned());
        // Back to the beginning of the line, so that the shell itself prints the words.
        self.program.types(&format!(
            "\u{15}{line}\t {end_word}\u{1}printf '<%s>\\n' {begin_word} \n"
        ));
        let shown = self.program.prints_until(&format!("{end}\r\n"));
        let (_, words) = shown
            .rsplit_once(&begin)
            .unwrap_or_else(|| panic!("{}: {shown}", self.name));
        let words = words.split_once(&end).map_or("", |(words, _)| words);
        words
            .split("\r\n")
            .filter_map(|word| word.trim().strip_prefix('<')?.strip_suffix('>'))
            .map(str::to_owned)
            .collect()
    }

    /// Presses the tab key at the end of the line until its last words are these.
    #[track_caller]
    pub fn completes(&mut self, line: &str, to: &[&str]) {
        let mut words = Vec::new();
        for _ in 0..TRIES {
            words = self.completed(line);
            if words.ends_with(&to.iter().map(ToString::to_string).collect::<Vec<_>>()) {
                return;
            }
        }
        panic!("{}: {line}⇥ became {words:?}, not … {to:?}", self.name);
    }

    /// Presses the tab key at the end of the line, which must not change.
    #[track_caller]
    pub fn leaves(&mut self, line: &str) {
        let words = self.completed(line);
        let typed: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, typed, "{}: {line}⇥", self.name);
    }
}
