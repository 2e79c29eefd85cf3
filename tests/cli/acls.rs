//! `kafkit acls …`: what is refused before a broker is asked; what brokers with an authorizer do is held by
//! `make interop`.

use crate::support::shell::Shell;

#[test]
fn what_is_to_change_has_to_be_said() {
    let shell = Shell::new();
    shell
        .kafkit(&["acls", "add", "alice", "--topic", "orders"])
        .exits(2)
        .complains("no ACL to add");
    shell
        .kafkit(&["acls", "remove", "--yes"])
        .exits(2)
        .complains("no ACL is named");
    shell
        .kafkit(&["acls", "add", "alice", "--operation", "fly", "--topic", "orders"])
        .exits(2)
        .complains("operations are all, read, write");
    shell
        .kafkit(&["acls", "add", "--from", "no-such-file.json"])
        .exits(5)
        .complains("cannot read no-such-file.json");
}
