//! Does `kafkit produce --resume-from` go on where an earlier run was cut?

use std::fs;
use std::process::{Command, Stdio};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

/// A broker, a folder with an input file, and the file of the progress.
struct Setting {
    suite: Suite,
    cluster: Cluster,
}

impl Setting {
    fn new(input: &str) -> Self {
        let suite = Suite::new();
        fs::write(suite.home().join("input"), input).unwrap();
        Self {
            suite,
            cluster: Cluster::start(),
        }
    }

    fn command(&self, flags: &[&str]) -> Command {
        let home = self.suite.home();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kafkit"));
        command
            .args(["produce", "t", "input", "--resume-from", "progress"])
            .args(["-b", &self.cluster.bootstrap()])
            .args(flags)
            .env_clear()
            .env("HOME", home)
            .current_dir(home)
            .stdin(Stdio::null());
        command
    }

    /// The exit code, and what was said on stderr.
    fn produce(&self, flags: &[&str]) -> (Option<i32>, String) {
        let output = self.command(flags).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    fn values(&self, template: &str) -> String {
        let bootstrap = self.cluster.bootstrap();
        let words = ["consume", "t", "-e", "-q", "-f", template, "-b", &bootstrap];
        self.suite.run(words).succeeds().stdout()
    }
}

#[test]
fn an_input_that_is_shorter_than_what_was_sent_is_another_one() {
    let setting = Setting::new("a\nb\nc\n");
    assert_eq!(setting.produce(&[]).0, Some(0));
    fs::write(setting.suite.home().join("input"), "d\n").unwrap();
    let (code, said) = setting.produce(&[]);
    assert_eq!(code, Some(6), "{said}");
    assert!(
        said.contains("ends after 1 piece") && said.contains("3 of them were sent"),
        "{said}"
    );
}

#[test]
fn an_input_that_took_the_place_of_what_was_sent_is_another_one() {
    let setting = Setting::new("a\nb\nc\n");
    assert_eq!(setting.produce(&[]).0, Some(0));
    let input = setting.suite.home().join("input");
    fs::write(&input, "a\nB\nc\nd\n").unwrap();
    for flags in [&[][..], &["-X", "transactional.id=x"]] {
        let (code, said) = setting.produce(flags);
        assert_eq!(code, Some(6), "{said}");
        assert!(
            said.contains("the first 3 pieces of the input are not those"),
            "{said}"
        );
    }
    fs::write(&input, "a\nb\nc\nd\n").unwrap();
    assert_eq!(setting.produce(&[]).0, Some(0));
    assert_eq!(setting.values("%s,"), "a,b,c,d,");
}

#[test]
fn each_run_sends_what_the_ones_before_have_not() {
    let setting = Setting::new("a\nb\nc\nd\ne\n");
    let (code, said) = setting.produce(&["-n", "2"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("continuing"), "{said}");
    let (code, said) = setting.produce(&["-n", "2"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("continuing behind 2 pieces of the input"), "{said}");
    assert_eq!(setting.produce(&[]).0, Some(0));
    assert_eq!(setting.values("%s"), "abcde");
    // Nothing is left, until the file grows.
    assert_eq!(setting.produce(&[]).0, Some(0));
    fs::write(setting.suite.home().join("input"), "a\nb\nc\nd\ne\nf\n").unwrap();
    assert_eq!(setting.produce(&[]).0, Some(0));
    assert_eq!(setting.values("%s"), "abcdef");
}

#[test]
fn a_heading_is_read_again_and_a_bad_line_is_not_passed_over() {
    let setting = Setting::new("id,name\n1,one\n2,two,too many\n3,three\n");
    let (code, said) = setting.produce(&["--csv", "--key", "id"]);
    assert_eq!(code, Some(6), "{said}");
    let (code, said) = setting.produce(&["--csv", "--key", "id"]);
    assert_eq!(code, Some(6), "{said}");
    let mended = "id,name\n1,one\n2,two\n3,three\n";
    fs::write(setting.suite.home().join("input"), mended).unwrap();
    let (code, said) = setting.produce(&["--csv", "--key", "id"]);
    assert_eq!(code, Some(0), "{said}");
    let keys = setting.values("%k=%{value:.name} ");
    assert_eq!(keys, "1=one 2=two 3=three ");
}

#[test]
fn a_run_that_is_killed_loses_nothing() {
    let lines: Vec<String> = (0..400).map(|number| format!("{number}\n")).collect();
    let setting = Setting::new(&lines.concat());
    let progress = setting.suite.home().join("progress");
    let mut killed = setting
        .command(&["--rate", "50"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("some of it has arrived", || progress.exists());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let (code, said) = setting.produce(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("continuing behind"), "{said}");
    let mut arrived: Vec<u32> = setting
        .values("%s\\n")
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    assert!(
        arrived.len() < 800,
        "{} records: all was sent again",
        arrived.len()
    );
    arrived.sort_unstable();
    arrived.dedup();
    assert_eq!(arrived, (0..400).collect::<Vec<u32>>());
}

#[test]
fn what_a_transaction_did_not_commit_is_sent_again() {
    // The second transaction is aborted by its second line, which has no key.
    let setting = Setting::new("k:a\nk:b\nk:c\nd\n");
    let flags = ["--transactional-id", "x", "--transaction-every", "2", "-K", ":"];
    assert_eq!(setting.produce(&flags).0, Some(6));
    fs::write(setting.suite.home().join("input"), "k:a\nk:b\nk:c\nk:d\nk:e\n").unwrap();
    let (code, said) = setting.produce(&flags);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("continuing behind 2 pieces of the input"), "{said}");
    let bootstrap = setting.cluster.bootstrap();
    let words = [
        "consume",
        "t",
        "-e",
        "-q",
        "-f",
        "%s",
        "--isolation",
        "read_committed",
        "-b",
        &bootstrap,
    ];
    assert_eq!(setting.suite.run(words).succeeds().stdout(), "abcde");
}

#[test]
fn a_file_about_something_else_is_refused() {
    let setting = Setting::new("a\n");
    fs::write(
        setting.suite.home().join("progress"),
        "{\"topic\":\"other\",\"input\":[\"input\"],\"done\":1}",
    )
    .unwrap();
    let (code, said) = setting.produce(&[]);
    assert_eq!(code, Some(6), "{said}");
    assert!(
        said.contains("progress: this is about topic \"other\", not \"t\""),
        "{said}"
    );
}
