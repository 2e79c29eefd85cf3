//! How many clients a broker has, according to the kernel: processes of this machine, and other machines.
//!
//! No request of Kafka's protocol returns it, and a client holds several connections. Without `/proc` it is not known.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

/// `/proc/net/tcp`, `proc(5)`: the state of a connection in use.
const ESTABLISHED: &str = "01";

/// An address and port as the kernel writes it; IPv4 mapped to IPv6 is written as IPv4.
type End = String;

/// One side of a connection that ends on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Side {
    local: End,
    remote: End,
    /// The inode of the socket, by which it appears in the owner's `/proc/PID/fd`.
    inode: String,
}

/// How many clients are connected to `port`, without this process; `None` if the system does not report it.
pub(super) fn count(port: u16) -> Option<usize> {
    let mut sides = sides(&fs::read_to_string("/proc/net/tcp").ok()?);
    sides.extend(sides_of_ipv6());
    let (near, far) = ends_of_clients(&sides, port);
    let owners = owners(&near);
    let programs: HashSet<&str> = near
        .iter()
        .map(|inode| owners.get(inode).map_or(inode.as_str(), String::as_str))
        .collect();
    let own = std::process::id().to_string();
    let others = programs.into_iter().filter(|owner| **owner != own).count();
    Some(others + far.len())
}

fn sides_of_ipv6() -> Vec<Side> {
    fs::read_to_string("/proc/net/tcp6").map_or_else(|_| Vec::new(), |text| sides(&text))
}

fn sides(table: &str) -> Vec<Side> {
    let side = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, local, remote, ESTABLISHED, _, _, _, _, _, inode, ..] = words[..] else {
            return None;
        };
        Some(Side {
            local: as_ipv4(local),
            remote: as_ipv4(remote),
            inode: inode.to_owned(),
        })
    };
    table.lines().filter_map(side).collect()
}

fn as_ipv4(end: &str) -> End {
    end.strip_prefix("0000000000000000FFFF0000")
        .unwrap_or(end)
        .to_owned()
}

/// The sockets of clients on this machine, and the addresses of other machines.
fn ends_of_clients(sides: &[Side], port: u16) -> (HashSet<String>, HashSet<String>) {
    let port = format!(":{port:04X}");
    let here: HashMap<(&str, &str), &Side> = sides
        .iter()
        .map(|side| ((side.local.as_str(), side.remote.as_str()), side))
        .collect();
    let (mut near, mut far) = (HashSet::new(), HashSet::new());
    for served in sides.iter().filter(|side| side.local.ends_with(&port)) {
        match here.get(&(served.remote.as_str(), served.local.as_str())) {
            Some(client) => near.insert(client.inode.clone()),
            None => far.insert(served.remote.split(':').next().unwrap_or_default().to_owned()),
        };
    }
    (near, far)
}

/// Which process has which socket; other users' sockets have no owner here.
fn owners(inodes: &HashSet<String>) -> HashMap<String, String> {
    let mut owners = HashMap::new();
    for process in names(Path::new("/proc")) {
        if !process.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let files = Path::new("/proc").join(&process).join("fd");
        for file in names(&files) {
            let Ok(target) = fs::read_link(files.join(file)) else {
                continue;
            };
            let target = target.to_string_lossy();
            let inode = target
                .strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'));
            if let Some(inode) = inode.filter(|inode| inodes.contains(*inode)) {
                owners.insert(inode.to_owned(), process.clone());
            }
        }
    }
    owners
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker on port 9092 (2384): a client of this machine by IPv6 with two connections, one that has gone, and
    /// another machine with two.
    const TABLES: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10 1 0
   1: 0100007F:2384 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 11 1 0
   2: 0100007F:2384 0100007F:C002 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0
   3: 0100007F:2384 0100007F:C003 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0
   4: 0200000A:2384 0300000A:D001 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0
   5: 0200000A:2384 0300000A:D002 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0
   6: 0000000000000000FFFF00000100007F:C001 0000000000000000FFFF00000100007F:2384 01 0:0 0:0 0 0 0 21 1 0
   7: 0100007F:C002 0100007F:2384 01 00000000:00000000 00:00000000 00000000     0        0 22 1 0
";

    #[test]
    fn connections_are_told_from_clients() {
        let (near, far) = ends_of_clients(&sides(TABLES), 9092);
        assert_eq!(near, ["21", "22"].map(str::to_owned).into());
        assert_eq!(far, ["0300000A".to_owned()].into());
    }
}
