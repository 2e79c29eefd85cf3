//! The channel to a running broker: a socket in its data directory, with one line of JSON for a question and one for
//! its answer. A process whose node the broker runs stays connected.
//!
//! Only users who may write to the directory can connect. Owns the socket; messages are in `broker/host/control.rs`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::broker::host::control::{Question, Reply};
use crate::client::mini_place::shown;
use crate::error::{Error, Result, io_words};
use crate::plain_words;

const SOCKET: &str = ".kafkit-control.sock";
/// How long an answer may take. A node that is stopped flushes its logs first.
const PATIENCE: Duration = Duration::from_secs(60);
/// Paths of this many bytes fit into the address of a socket on every system.
const LONGEST_PATH: usize = 100;

/// The socket of a broker that serves; dropping this removes it.
#[derive(Debug)]
pub(super) struct ControlSocket {
    path: PathBuf,
}

impl ControlSocket {
    /// Creates the socket in a data directory; one that a killed broker left is replaced.
    ///
    /// # Errors
    ///
    /// The directory cannot hold a socket.
    pub(super) fn open(dir: &Path) -> Result<(UnixListener, Self)> {
        let path = dir.join(SOCKET);
        // The owner of an existing one is gone: the directory has one broker at a time.
        let _ = fs::remove_file(&path);
        let listener = at_path(dir, |path| UnixListener::bind(path))
            .map_err(|error| Error::from(error).context(format!("cannot listen on {}", shown(&path))))?;
        Ok((listener, Self { path }))
    }
}

/// A link from another data directory to the socket of a broker; dropping this removes it.
#[derive(Debug)]
pub(super) struct ControlLink(PathBuf);

impl ControlLink {
    /// Links `dir` to the socket of the broker that serves `host`; `None` where it needs no link or cannot have one.
    pub(super) fn open(dir: &Path, host: &Path) -> Option<Self> {
        let path = dir.join(SOCKET);
        if dir == host {
            return None;
        }
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(host.join(SOCKET), &path).ok()?;
        Some(Self(path))
    }
}

impl Drop for ControlLink {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Asks the broker that serves `dir`.
///
/// # Errors
///
/// No broker runs there, it does not answer, or it refuses.
pub(super) fn ask(dir: &Path, question: &Question) -> Result<Reply> {
    let none = |_| Error::not_found(format!("no mini broker runs on {}", shown(dir)));
    let stream = connect(dir).map_err(none)?;
    let silent =
        |why: &str| Error::unreachable(format!("the broker on {} does not answer: {why}", shown(dir)));
    let exchanged = patient(&stream)
        .and_then(|()| say(&stream, question))
        .and_then(|()| read_line(&mut BufReader::new(&stream)));
    let line = exchanged.map_err(|error| silent(&io_words(&error)))?;
    let line = line.ok_or_else(|| silent("it has ended"))?;
    let reply = parse(&line).map_err(|error| error.context(format!("the broker on {}", shown(dir))))?;
    match reply {
        Reply::Refused(why) => Err(Error::failed(why)),
        reply => Ok(reply),
    }
}

/// Connects to the broker that serves `dir`, if it is this user's.
///
/// # Errors
///
/// No broker runs there.
pub(super) fn connect(dir: &Path) -> io::Result<UnixStream> {
    if fs::metadata(dir.join(SOCKET))?.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    at_path(dir, |path| UnixStream::connect(path))
}

/// Sends one line.
///
/// # Errors
///
/// The other side has closed the connection.
pub(super) fn say(mut stream: &UnixStream, question: &Question) -> io::Result<()> {
    let mut asked = serde_json::to_vec(question)?;
    asked.push(b'\n');
    stream.write_all(&asked)
}

/// Waits for the next answer; `None` if the other side has ended.
///
/// # Errors
///
/// The line is not an answer.
pub(super) fn read_reply(input: &mut impl BufRead) -> Result<Option<Reply>> {
    match read_line(input) {
        // A process that is killed may leave a question unread, which resets the connection.
        Err(_) | Ok(None) => Ok(None),
        Ok(Some(line)) => parse(&line).map(Some),
    }
}

fn patient(stream: &UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}

fn read_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    Ok((input.read_line(&mut line)? > 0).then_some(line))
}

fn parse(line: &str) -> Result<Reply> {
    serde_json::from_str(line).map_err(|error| {
        let why = plain_words::of_json(&error);
        Error::failed(format!("its answer makes no sense: {why}")).hint("is it of another version of kafkit?")
    })
}

/// The error for an answer that does not belong to the question.
pub(super) fn not_understood() -> Error {
    Error::failed("the broker answers another question").hint("is it of another version of kafkit?")
}

/// Calls `work` with the path of the socket. The address of a socket holds about a hundred bytes: a longer directory is
/// named by its descriptor.
fn at_path<T>(dir: &Path, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = dir.join(SOCKET);
    if path.as_os_str().len() <= LONGEST_PATH {
        return work(&path);
    }
    let dir = File::open(dir)?;
    work(
        &Path::new("/proc/self/fd")
            .join(dir.as_raw_fd().to_string())
            .join(SOCKET),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_in_a_directory_of_any_length() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["short", &"long".repeat(40)] {
            let dir = folder.path().join(name);
            fs::create_dir(&dir).unwrap();
            assert!(ask(&dir, &Question::ListFaults).is_err(), "nobody is there");
            let (listener, socket) = ControlSocket::open(&dir).unwrap();
            let broker = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = String::new();
                BufReader::new(&stream).read_line(&mut asked).unwrap();
                stream.write_all(b"{\"added\":[1]}\n").unwrap();
                asked
            });
            let added = ask(&dir, &Question::AddFaults(Vec::new())).unwrap();
            assert_eq!(added, Reply::Added(vec![1]));
            assert_eq!(broker.join().unwrap(), "{\"add_faults\":[]}\n");
            drop(socket);
            assert!(!dir.join(SOCKET).exists());
        }
    }

    #[test]
    fn a_broker_that_ends_or_says_nonsense_is_told_about() {
        let folder = tempfile::tempdir().unwrap();
        let (listener, _socket) = ControlSocket::open(folder.path()).unwrap();
        for (answer, why) in [
            ("", "does not answer"),
            ("{\"sung\":[]}\n", "makes no sense"),
            ("{\"refused\":\"no\"}\n", "no"),
        ] {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let (mut stream, _) = listener.accept().unwrap();
                    BufReader::new(&stream).read_line(&mut String::new()).unwrap();
                    stream.write_all(answer.as_bytes()).unwrap();
                });
                let refusal = ask(folder.path(), &Question::ListFaults).unwrap_err();
                assert!(refusal.to_string().contains(why), "{answer:?}: {refusal}");
            });
        }
    }
}
