//! A mail server that keeps what it is given and does as it is told.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the server does with a mail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Takes it.
    Take,
    /// Takes it, and says so only after that time.
    TakeAfter(Duration),
    /// Answers `RCPT` with this line.
    Refuse(&'static str),
    /// Answers `MAIL` with this line.
    RefuseSender(&'static str),
    /// Takes it, and never says so.
    Hang,
    /// Closes the connection when the mail is to come.
    Close,
}

/// A mail that came whole, whether or not the server said so.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) raw: String,
    pub(crate) at: Instant,
}

impl Mail {
    /// Its header lines, unfolded.
    pub(crate) fn headers(&self) -> Vec<String> {
        let (head, _) = self.raw.split_once("\r\n\r\n").unwrap();
        head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
    }

    /// The value of a header that is there once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        let found: Vec<String> = self
            .headers()
            .iter()
            .filter_map(|it| it.strip_prefix(&start))
            .map(str::to_owned)
            .collect();
        let [value] = found.as_slice() else { panic!("{name} in {}", self.raw) };
        value.clone()
    }

    pub(crate) fn body(&self) -> &str {
        self.raw.split_once("\r\n\r\n").unwrap().1
    }
}

type Script = dyn Fn(&str, usize) -> Act + Send + Sync;

struct State {
    script: Box<Script>,
    /// How often each recipient was tried.
    tries: Mutex<HashMap<String, usize>>,
    /// The password that is taken; without one nobody has to sign in.
    password: Mutex<Option<&'static str>>,
    sign_ins: Mutex<usize>,
    connections: Mutex<usize>,
    mails: Mutex<Vec<Mail>>,
    arrived: UnboundedSender<Mail>,
    ended: AtomicBool,
}

impl State {
    fn act_on(&self, to: &str) -> Act {
        let mut tries = self.tries.lock().unwrap();
        let before = tries.entry(to.to_owned()).or_default();
        *before += 1;
        (self.script)(to, *before - 1)
    }
}

/// The running server; it ends with the test.
pub(crate) struct SmtpSink {
    address: SocketAddr,
    state: Arc<State>,
    arrivals: UnboundedReceiver<Mail>,
}

impl SmtpSink {
    /// A server that takes everything.
    pub(crate) fn start() -> Self {
        Self::with(|_, _| Act::Take)
    }

    /// A server that asks `script` what to do with a mail: its recipient, and how often a mail to
    /// them was tried before.
    pub(crate) fn with(script: impl Fn(&str, usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (arrived, arrivals) = unbounded_channel();
        let state = Arc::new(State {
            script: Box::new(script),
            tries: Mutex::default(),
            password: Mutex::default(),
            sign_ins: Mutex::default(),
            connections: Mutex::default(),
            mails: Mutex::default(),
            arrived,
            ended: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                *state.connections.lock().unwrap() += 1;
                // A connection that breaks off is the client's doing.
                thread::spawn(move || drop(serve(stream.unwrap(), &state)));
            }
        });
        Self { address, state, arrivals }
    }

    /// From now on one has to sign in, with that password.
    pub(crate) fn require(&self, password: &'static str) {
        *self.state.password.lock().unwrap() = Some(password);
    }

    /// Flags of `beeiq serve` by which it sends here.
    pub(crate) fn flags(&self) -> Vec<String> {
        vec![
            "--environment=production".to_owned(),
            format!("--smtp-url=smtp://beeiq:right@{}?security=none", self.address),
            "--smtp-from=BeeIQ <noreply@beeiq.test>".to_owned(),
        ]
    }

    /// The same for a server that lets nobody sign in.
    pub(crate) fn flags_without_sign_in(&self) -> Vec<String> {
        self.flags().iter().map(|flag| flag.replace("beeiq:right@", "")).collect()
    }

    /// Its port on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next mail to come.
    pub(crate) async fn next(&mut self) -> Mail {
        let next = tokio::time::timeout(Duration::from_secs(30), self.arrivals.recv());
        next.await.expect("a mail comes").unwrap()
    }

    /// All mails that came.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.state.mails.lock().unwrap().clone()
    }

    /// How often somebody tried to sign in.
    pub(crate) fn sign_ins(&self) -> usize {
        *self.state.sign_ins.lock().unwrap()
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Relaxed);
        // The thread that waits for connections gets one more, and ends.
        let _ = TcpStream::connect(self.address);
    }
}

/// The part of `<address>` in a command.
fn address(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).unwrap().0.to_owned()
}

fn serve(stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let say = |words: &str| (&stream).write_all(format!("{words}\r\n").as_bytes());
    say("220 sink.test ESMTP")?;
    let (mut from, mut to, mut act) = (String::new(), String::new(), Act::Take);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb = line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" if state.password.lock().unwrap().is_some() => {
                say("250-sink.test\r\n250 AUTH PLAIN LOGIN")?;
            }
            "EHLO" => say("250 sink.test")?,
            "AUTH" if signed_in(&line, state) => say("235 welcome")?,
            "AUTH" => say("535 5.7.8 wrong password")?,
            "MAIL" => {
                from = address(&line);
                // Whom it is to is not known yet; only a script for all can refuse here.
                match (state.script)("", 0) {
                    Act::RefuseSender(words) => say(words)?,
                    _ => say("250 sender ok")?,
                }
            }
            "RCPT" => {
                to = address(&line);
                act = state.act_on(&to);
                match act {
                    Act::Refuse(words) => say(words)?,
                    _ => say("250 recipient ok")?,
                }
            }
            "DATA" => {
                say("354 go on")?;
                if matches!(act, Act::Close) {
                    return Ok(());
                }
                let raw = data(&mut lines)?;
                let mail = Mail { from: from.clone(), to: to.clone(), raw, at: Instant::now() };
                state.mails.lock().unwrap().push(mail.clone());
                let _ = state.arrived.send(mail);
                match act {
                    Act::TakeAfter(time) => thread::sleep(time),
                    Act::Hang => return lines.read_line(&mut line).map(drop),
                    _ => {}
                }
                say("250 2.0.0 queued")?;
            }
            "RSET" | "NOOP" => say("250 ok")?,
            "QUIT" => return say("221 bye"),
            _ => say("502 what?")?,
        }
    }
}

fn signed_in(line: &str, state: &State) -> bool {
    *state.sign_ins.lock().unwrap() += 1;
    let given = line.trim().rsplit(' ').next().unwrap();
    let given = String::from_utf8(BASE64_STANDARD.decode(given).unwrap()).unwrap();
    state.password.lock().unwrap().is_some_and(|password| given == format!("\0beeiq\0{password}"))
}

/// A mail up to its final dot.
fn data(lines: &mut impl BufRead) -> std::io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(raw);
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
