//! An SMS provider that answers as a test has written it: real HTTP on a loopback socket.

use reqwest::Url;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a provider does with a request.
#[derive(Clone)]
pub(crate) enum Reaction {
    /// Answers with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Says nothing until the caller gives up.
    Silence,
    /// Closes the connection.
    Close,
}

impl Reaction {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self::Answer(status, Vec::new(), body.to_string())
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// By names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Arrived {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The fields of a form.
    pub(crate) fn form(&self) -> HashMap<String, String> {
        let url = Url::parse(&format!("http://form/?{}", self.body)).unwrap();
        url.query_pairs().into_owned().collect()
    }
}

/// The provider; it ends with its test.
pub(crate) struct Provider {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    reaction: Reaction,
    arrived: Vec<Arrived>,
}

impl Provider {
    /// One that reacts so to every request.
    pub(crate) async fn start(reaction: Reaction) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { reaction, arrived: Vec::new() }));
        let shared = Arc::clone(&state);
        actix_web::rt::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                actix_web::rt::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, state }
    }

    /// Reacts so from now on.
    pub(crate) fn react(&self, reaction: Reaction) {
        self.state.lock().unwrap().reaction = reaction;
    }

    /// What has arrived since this was asked last.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.state.lock().unwrap().arrived)
    }

    /// The one request that has arrived since this was asked last.
    #[track_caller]
    pub(crate) fn only_arrived(&self) -> Arrived {
        let mut arrived = self.arrived();
        assert_eq!(arrived.len(), 1, "{arrived:?}");
        arrived.remove(0)
    }
}

/// One request a connection. Whoever breaks off early gets no answer.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream).await?;
    let reaction = {
        let mut state = state.lock().unwrap();
        state.arrived.push(request);
        state.reaction.clone()
    };
    match reaction {
        Reaction::Answer(status, headers, body) => {
            let mut answer = format!(
                "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n",
                body.len()
            );
            for (name, value) in headers {
                answer.push_str(&format!("{name}: {value}\r\n"));
            }
            answer.push_str("\r\n");
            answer.push_str(&body);
            stream.write_all(answer.as_bytes()).await.ok()?;
            stream.shutdown().await.ok()
        }
        Reaction::Silence => stream.read_to_end(&mut Vec::new()).await.ok().map(drop),
        Reaction::Close => None,
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Arrived> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |it| it.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Arrived { method, target, headers, body: String::from_utf8(body).unwrap() })
}
