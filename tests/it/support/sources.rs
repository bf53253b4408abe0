//! iAdvize and wolkvox as servers on a loopback socket, which misbehave as a test has written it.

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use beeiq::cli::demo::sources::{Answered, Asked, Iadvize, Wolkvox};
use beeiq::clock;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::Value;
use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is made up for a server.
pub(crate) trait Data: Send + Sync + 'static {
    /// The header with the key or token.
    const SECRET: &'static str;

    fn answer(&self, asked: &Asked<'_>) -> Answered;
}

impl Data for Iadvize {
    const SECRET: &'static str = "x-api-key";

    fn answer(&self, asked: &Asked<'_>) -> Answered {
        Self::answer(self, asked)
    }
}

impl Data for Wolkvox {
    const SECRET: &'static str = "wolkvox-token";

    fn answer(&self, asked: &Asked<'_>) -> Answered {
        Self::answer(self, asked)
    }
}

/// What a server does instead of answering well.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Answers with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// Says nothing until the caller gives up.
    Hang,
    /// Never comes to an end.
    Endless,
    /// Changes the answer, or whatever else is to happen then.
    Edit(Arc<dyn Fn(&mut Value) + Send + Sync>),
}

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
}

/// A server; it ends with its test.
pub(crate) struct FakeSource<D: Data> {
    pub(crate) url: String,
    pub(crate) data: Arc<D>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    requests: Mutex<Vec<Request>>,
    faults: Mutex<Vec<Planned>>,
    /// The requests under way by secret, and the most that there were.
    under_way: Mutex<HashMap<String, (usize, usize)>>,
    slowness: Mutex<Duration>,
    now: Mutex<Option<DateTime<Utc>>>,
    /// The bytes of answers without end.
    streamed: AtomicUsize,
}

struct Planned {
    part: &'static str,
    times: usize,
    fault: Fault,
}

impl<D: Data> FakeSource<D> {
    pub(crate) fn start(data: D) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (data, state) = (Arc::new(data), Arc::new(State::default()));
        let shared = (Arc::clone(&data), Arc::clone(&state));
        let server = HttpServer::new(move || {
            let shared = web::Data::new(shared.clone());
            App::new().app_data(shared).default_service(web::to(serve::<D>))
        });
        let server = server.workers(1).disable_signals().shutdown_timeout(0);
        actix_web::rt::spawn(server.listen(listener).unwrap().run());
        Self { url, data, state }
    }

    /// So many requests whose path and query hold that part, decoded, end so.
    pub(crate) fn fault(&self, part: &'static str, times: usize, fault: Fault) {
        self.state.faults.lock().unwrap().push(Planned { part, times, fault });
    }

    /// Each answer takes so long.
    pub(crate) fn slow_down(&self, to: Duration) {
        *self.state.slowness.lock().unwrap() = to;
    }

    /// What happens later than that is not known yet.
    pub(crate) fn set_now(&self, now: DateTime<Utc>) {
        *self.state.now.lock().unwrap() = Some(now);
    }

    /// What has arrived since this was asked last.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.requests.lock().unwrap())
    }

    /// Waits until so many more requests have arrived.
    pub(crate) async fn until_more(&self, requests: usize) {
        let expected = self.arrived() + requests;
        let arrived = async {
            let mut look = tokio::time::interval(Duration::from_millis(5));
            while self.arrived() < expected {
                look.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), arrived).await.expect("they arrive");
    }

    fn arrived(&self) -> usize {
        self.state.requests.lock().unwrap().len()
    }

    /// How many bytes of answers without end have been sent.
    pub(crate) fn streamed(&self) -> usize {
        self.state.streamed.load(Ordering::Relaxed)
    }

    /// The most requests that were under way at once with one secret.
    pub(crate) fn most_at_once(&self) -> usize {
        let under_way = self.state.under_way.lock().unwrap();
        under_way.values().map(|(_, most)| *most).max().unwrap_or_default()
    }
}

/// A request under way.
struct UnderWay {
    state: Arc<State>,
    secret: String,
}

impl UnderWay {
    fn begin(state: &Arc<State>, secret: &str) -> Self {
        let mut under_way = state.under_way.lock().unwrap();
        let (count, most) = under_way.entry(secret.to_owned()).or_default();
        *count += 1;
        *most = (*most).max(*count);
        Self { state: Arc::clone(state), secret: secret.to_owned() }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some((count, _)) = self.state.under_way.lock().unwrap().get_mut(&self.secret) {
            *count -= 1;
        }
    }
}

impl State {
    fn take_fault(&self, of: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let planned = faults.iter_mut().find(|it| it.times > 0 && of.contains(it.part))?;
        planned.times -= 1;
        Some(planned.fault.clone())
    }
}

async fn serve<D: Data>(
    request: HttpRequest,
    shared: web::Data<(Arc<D>, Arc<State>)>,
) -> HttpResponse {
    let (data, state) = (&shared.0, &shared.1);
    let secret = request.headers().get(D::SECRET).and_then(|value| value.to_str().ok());
    let _under_way = UnderWay::begin(state, secret.unwrap_or_default());
    let query =
        web::Query::<HashMap<String, String>>::from_query(request.query_string()).unwrap().0;
    let fields: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fault = state.take_fault(&format!("{}?&{}&", request.path(), fields.join("&")));
    let path = request.path().to_owned();
    state.requests.lock().unwrap().push(Request { path: path.clone(), query: query.clone() });
    let slowness = *state.slowness.lock().unwrap();
    if !slowness.is_zero() {
        actix_web::rt::time::sleep(slowness).await;
    }
    let now = state.now.lock().unwrap().unwrap_or_else(clock::now);
    let mut answered = data.answer(&Asked { path: &path, query: &query, secret, now });
    match fault {
        None => {}
        Some(Fault::Edit(edit)) => edit(&mut answered.body),
        Some(Fault::Answer(status, headers, body)) => {
            let mut response = HttpResponse::build(status.try_into().unwrap());
            for header in headers {
                response.insert_header(header);
            }
            return response.body(body);
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Endless) => {
            let piece = Bytes::from_static(&[b' '; 64 * 1024]);
            let state = Arc::clone(state);
            let pieces = stream::repeat_with(move || {
                state.streamed.fetch_add(piece.len(), Ordering::Relaxed);
                Ok::<_, actix_web::Error>(piece.clone())
            });
            return HttpResponse::Ok().streaming(pieces);
        }
    }
    HttpResponse::build(answered.status.try_into().unwrap()).json(answered.body)
}
