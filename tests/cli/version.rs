//! The program knows its name and version, under every name.

use crate::support::suite::Suite;

#[test]
fn version_is_the_package_version() {
    let expected = format!("kafkit {}\n", env!("CARGO_PKG_VERSION"));
    for word in ["--version", "-V", "version"] {
        Suite::new().run([word]).succeeds().prints(&expected);
    }
}

#[test]
fn no_arguments_is_a_usage_error() {
    Suite::new()
        .run([] as [&str; 0])
        .exits(2)
        .complains("Usage: kafkit");
}
