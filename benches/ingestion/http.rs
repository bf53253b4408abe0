//! As much of HTTP/1.1 as a load generator needs, so that it takes little of the processor that it
//! shares with what is measured: requests are bytes that are made beforehand, answers have a
//! `Content-Length`, a connection stays.

use anyhow::Context;
use httparse::{EMPTY_HEADER, Response, Status};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the buffer of answers has room for at first.
const ROOM: usize = 64 * 1024;

/// How many headers an answer may have.
const MAX_HEADERS: usize = 32;

/// The head of a request that posts JSON of that length, with a further header.
pub fn head(path: &str, (name, value): (&str, &str), length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         {name}: {value}\r\ncontent-length: {length}\r\n\r\n"
    )
}

#[derive(Debug)]
pub struct Answer<'c> {
    pub status: u16,
    pub body: &'c [u8],
}

/// A connection that stays.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; ROOM] })
    }

    /// Sends a whole request, and reads its answer.
    pub fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request)?;
        let mut filled = 0;
        let head = loop {
            filled += self.fill(filled)?;
            if let Some(head) = Head::parse(self.buffer.get(..filled).unwrap_or_default())? {
                break head;
            }
        };
        let end = head.length + head.body;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        while filled < end {
            filled += self.fill(filled)?;
        }
        anyhow::ensure!(filled == end, "the server sent more than it had announced");
        let body = self.buffer.get(head.length..end).unwrap_or_default();
        Ok(Answer { status: head.status, body })
    }

    /// Reads what there is to the place `from` of the buffer.
    fn fill(&mut self, from: usize) -> anyhow::Result<usize> {
        let room = self.buffer.get_mut(from..).unwrap_or_default();
        anyhow::ensure!(!room.is_empty(), "a head of more than {ROOM} bytes");
        let count = self.stream.read(room).context("no answer")?;
        anyhow::ensure!(count > 0, "the server closed the connection");
        Ok(count)
    }
}

/// What the head of an answer says.
struct Head {
    status: u16,
    /// Bytes of the head itself.
    length: usize,
    /// Bytes of the body.
    body: usize,
}

impl Head {
    /// `None` while it is not whole.
    fn parse(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut response = Response::new(&mut headers);
        let Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
        let body = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("content-length"))
            .context("an answer without Content-Length")?;
        let body = std::str::from_utf8(body.value)?.trim().parse()?;
        Ok(Some(Self { status: response.code.context("no status")?, length, body }))
    }
}
