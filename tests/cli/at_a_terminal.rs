//! What does a person see who sits at a terminal, and what does a pipe get?

use std::net::TcpListener;

use crate::support::cluster::Cluster;
use crate::support::terminal::Terminal;

#[test]
fn records_that_are_typed_are_prompted_for_and_the_end_is_told_once() {
    let cluster = Cluster::start();
    let b = cluster.bootstrap();
    let terminal = Terminal::new();
    let mut screen = terminal.start_on_a_screen(&format!("kafkit produce typed -b {b}"));
    screen.prints_until("each line is a record; Ctrl-D ends\r\n>");
    screen.types("one\n");
    screen.prints_until("one\r\n>");
    screen.types("two\n");
    screen.prints_until("two\r\n>");
    screen.types("\u{4}");
    let shown = screen.prints_until("2 records to typed");
    assert_eq!(shown.matches("Ctrl-D").count(), 1, "{shown}");
    screen.leave();
    terminal
        .run(&format!("kafkit consume typed -e -b {b}"))
        .succeeds()
        .prints("one\ntwo\n");
}

#[test]
fn control_characters_of_records_reach_a_pipe_and_no_terminal() {
    let cluster = Cluster::start();
    let b = cluster.bootstrap();
    let terminal = Terminal::new();
    // Clears the screen, renames the window, rings, and is no UTF-8.
    let record = "a\\033[2J\\033]0;gotcha\\007b\\377c";
    terminal
        .run(&format!(
            "printf '{record}\\n' | kafkit produce nasty -q -K '|' --no-separator value -b {b}"
        ))
        .succeeds();
    let piped = terminal
        .run(&format!("kafkit consume nasty -e -b {b}"))
        .succeeds();
    assert_eq!(piped.stdout, b"a\x1b[2J\x1b]0;gotcha\x07b\xffc\n");
    terminal
        .run(&format!("kafkit backup saved nasty -q -b {b}"))
        .succeeds();
    terminal.file("names", "no\u{1b}[2Jgotcha\n");
    let consume = format!("kafkit consume nasty -e -b {b}");
    let lines = [
        consume.clone(),
        format!("{consume} -f \"%s\\n\""),
        format!("{consume} -K :"),
        format!("{consume} --json"),
        "kafkit dump-log --values saved".to_owned(),
        "kafkit dump-log --json saved".to_owned(),
        // What a message quotes is somebody else's, too.
        format!("kafkit produce nasty --value-file -b {b} < names || true"),
    ];
    for line in lines {
        let screen = terminal.start_on_a_screen(&line);
        let shown = screen.prints_until("\r\n");
        screen.leave();
        // As JSON, what is no UTF-8 is base64.
        assert!(
            shown.contains("gotcha") || line.contains("--json"),
            "{line}: {shown:?}"
        );
        let harmful = |letter: char| letter.is_control() && !"\r\n\t".contains(letter);
        assert!(!shown.chars().any(harmful), "{line}: {shown:?}");
    }
}

#[test]
fn a_password_is_asked_for_twice_and_never_shown() {
    let cluster = Cluster::start();
    let b = cluster.bootstrap();
    let terminal = Terminal::new();
    let mut screen = terminal.start_on_a_screen(&format!("kafkit users create alice -b {b}"));
    screen.prints_until("Password of alice: ");
    screen.types("hunter2\n");
    screen.prints_until("The same once more: ");
    screen.types("hunter2\n");
    let shown = screen.prints_until("alice");
    assert!(!shown.contains("hunter2"), "{shown}");
    screen.leave();
    let listed = terminal
        .run(&format!("kafkit users list -o name -b {b}"))
        .succeeds();
    assert_eq!(listed.stdout(), "alice\n");
}

#[test]
fn the_name_alone_says_where_commands_would_go() {
    let cluster = Cluster::start();
    let b = cluster.bootstrap();
    let terminal = Terminal::new();
    terminal
        .run(&format!("kafkit topics create orders -b {b}"))
        .succeeds();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let shown = |variable: &str| {
        let screen = terminal.start_on_a_screen(&format!("{variable} kafkit"));
        let shown = screen.prints_until("kafkit --help");
        screen.leave();
        shown
    };
    // On a busy machine anything may be late, and is then said to be.
    let (live, silent) = (
        format!("KAFKIT_BOOTSTRAP_SERVERS={b}"),
        format!("KAFKIT_BOOTSTRAP_SERVERS={silent}"),
    );
    for (variable, wanted) in [
        ("", "not running; the next command starts it\r\n"),
        (silent.as_str(), "NOT REACHED: "),
        ("KAFKIT_BOOTSTRAP_SERVERS=127.0.0.1:1", "NOT REACHED: "),
        (live.as_str(), "1 broker, 1 topic"),
    ] {
        let seen = (0..40).any(|_| shown(variable).contains(wanted));
        assert!(seen, "{variable}: never {wanted}");
    }
    let shown = shown(&live);
    assert!(
        shown.contains(&format!("cluster  {b} (KAFKIT_BOOTSTRAP_SERVERS)")),
        "{shown}"
    );
    // In a pipe it is the help, as ever.
    terminal
        .run("kafkit")
        .exits(2)
        .complains("Usage: kafkit <COMMAND>");
}
