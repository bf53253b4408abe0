//! A server that never comes to an end.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// As much is written to somebody who reads it all.
const MOST: usize = 2 * 1024 * 1024 * 1024;

/// Whoever connects is sent a beginning, and then letters for as long as they are read.
pub(crate) struct Endless {
    pub(crate) port: u16,
    broken_off: UnboundedReceiver<usize>,
}

impl Endless {
    pub(crate) fn start(beginning: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, broken_off) = unbounded_channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, told) = (stream.unwrap(), told.clone());
                thread::spawn(move || {
                    let letters = [b'x'; 64 * 1024];
                    let mut written = 0;
                    if stream.write_all(beginning.as_bytes()).is_ok() {
                        while written < MOST && stream.write_all(&letters).is_ok() {
                            written += letters.len();
                        }
                    }
                    // A test that has ended does not want to know.
                    let _ = told.send(written);
                });
            }
        });
        Self { port, broken_off }
    }

    /// How many letters the next of them took before they broke off.
    pub(crate) async fn broken_off(&mut self) -> usize {
        let next = tokio::time::timeout(std::time::Duration::from_secs(60), self.broken_off.recv());
        next.await.expect("somebody breaks off").unwrap()
    }
}
