//! A link to Postgres that goes silent, or breaks at a COMMIT.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What a transaction writes that a link is to break at; before it others commit, such as those that
/// set numbers aside.
const MARK: &[u8] = b"Huy";

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Flowing,
    /// Nothing passes, either way.
    Frozen,
    /// The next marked COMMIT arrives; its connection breaks before the answer.
    SwallowAnswer,
    /// The connection of the next marked COMMIT breaks, and what it sent waits.
    HoldCommit,
    /// A COMMIT waits on a broken connection: it arrives once the link flows.
    Held,
    /// The connection of the next marked COMMIT breaks on both sides before that arrives.
    LoseCommit,
}

type State = Arc<(Mutex<Mode>, Condvar)>;

pub(crate) struct Link {
    port: u16,
    state: State,
}

impl Link {
    /// A link to the server that the URL names, which is reached by a socket in a folder.
    pub(crate) fn to(url: &str) -> Self {
        let (_, rest) = url.split_once('@').unwrap();
        let (host, rest) = rest.split_once(':').unwrap();
        let (port, _) = rest.split_once('/').unwrap();
        let path = format!("{}/.s.PGSQL.{port}", host.replace("%2F", "/"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state: State = Arc::new((Mutex::new(Mode::Flowing), Condvar::new()));
        let its = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, state) = (UnixStream::connect(&path), Arc::clone(&its));
                let Ok(server) = server else { continue };
                thread::spawn(move || connection(client, server, &state));
            }
        });
        Self { port, state }
    }

    /// The same database over this link.
    pub(crate) fn url(&self, direct: &str) -> String {
        let (user, rest) = direct.split_once('@').unwrap();
        let (_, database) = rest.split_once('/').unwrap();
        format!("{user}@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn set(&self, mode: Mode) {
        set(&self.state, mode);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.set(Mode::Flowing);
    }
}

fn set(state: &State, mode: Mode) {
    *state.0.lock().unwrap() = mode;
    state.1.notify_all();
}

/// How it is, once it does not hold everything up.
fn thawed(state: &State) -> Mode {
    let (mode, changed) = &**state;
    *changed.wait_while(mode.lock().unwrap(), |now| *now == Mode::Frozen).unwrap()
}

fn connection(mut client: TcpStream, mut server: UnixStream, state: &State) {
    let (mut answers, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let its = Arc::clone(state);
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            thawed(&its);
            if to.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 16 * 1024];
    let mut marked = false;
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let sent = &buffer[..count];
        let has = |word: &[u8]| sent.windows(word.len()).any(|it| it == word);
        marked |= has(MARK);
        let commits = marked && has(b"COMMIT");
        match thawed(state) {
            Mode::SwallowAnswer if commits => {
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.write_all(sent);
                set(state, Mode::Flowing);
                return;
            }
            Mode::HoldCommit if commits => {
                let _ = client.shutdown(Shutdown::Both);
                set(state, Mode::Held);
                let (mode, changed) = &**state;
                drop(changed.wait_while(mode.lock().unwrap(), |it| *it == Mode::Held).unwrap());
                let _ = server.write_all(sent);
                return;
            }
            Mode::LoseCommit if commits => {
                let _ = client.shutdown(Shutdown::Both);
                set(state, Mode::Flowing);
                break;
            }
            _ => {}
        }
        if server.write_all(sent).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}
