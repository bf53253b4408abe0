//! What is counted as it happens (`api.md` 1). Labels hold route patterns and words of ours only:
//! never a token, an address or an org.

use beeiq_core::diagnostics::Code;
use beeiq_core::records::connection::{RunStatus, Source};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Bounds of durations, in seconds: from what one statement takes to what a proxy waits for.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The counters of a server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Counters {
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    deliveries: Family<DeliveryLabels, Counter>,
    actions: Family<ActionLabels, Counter>,
    given_up: Counter,
    refused_events: Family<RefusalLabels, Counter>,
    runs: Family<RunLabels, Counter>,
    items: Family<ItemLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    kind: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ItemLabels {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    action: String,
    status: &'static str,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            deliveries: Family::default(),
            actions: Family::default(),
            given_up: Counter::default(),
            refused_events: Family::default(),
            runs: Family::default(),
            items: Family::default(),
        }
    }
}

impl Counters {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let Self {
            requests,
            request_seconds,
            deliveries,
            actions,
            given_up,
            refused_events,
            runs,
            items,
        } = self;
        registry.register("beeiq_http_requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "beeiq_http_request_duration",
            "From a request's first line to its answer",
            Unit::Seconds,
            request_seconds.clone(),
        );
        registry.register(
            "beeiq_deliveries",
            "Deliveries kept, by what became of them",
            deliveries.clone(),
        );
        registry.register("beeiq_actions", "Actions answered, dry runs left out", actions.clone());
        registry.register(
            "beeiq_deliveries_given_up",
            "Deliveries answered 202 that could not be applied, for their own fault",
            given_up.clone(),
        );
        registry.register(
            "beeiq_connection_events_refused",
            "Events pushed to connections that were not kept, by why",
            refused_events.clone(),
        );
        registry.register(
            "beeiq_connection_runs",
            "Runs in which connections were asked, by what became of them",
            runs.clone(),
        );
        registry.register(
            "beeiq_connection_items",
            "What was made of the items that were pulled, by what became of it",
            items.clone(),
        );
        self.begin_at_zero();
    }

    /// Tells of connections before anything has happened: what is not there cannot be watched.
    fn begin_at_zero(&self) {
        for code in [Code::BadSignature, Code::WrongBusiness] {
            self.refused_events.get_or_create(&RefusalLabels { code: code.as_str() }).inc_by(0);
        }
        for kind in Source::ALL.map(Source::as_str) {
            for status in [RunStatus::Succeeded, RunStatus::Partial, RunStatus::Failed] {
                self.runs.get_or_create(&RunLabels { kind, status: status.as_str() }).inc_by(0);
            }
            self.items.get_or_create(&ItemLabels { kind, result: "failed" }).inc_by(0);
        }
    }

    /// Counts a request that was answered. `route` is its pattern, `none` where it has none.
    pub(crate) fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        let (route, method) = (route.to_owned(), known_method(method));
        let labels = RouteLabels { route: route.clone(), method };
        self.request_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { route, method, status }).inc();
    }

    /// Counts a delivery that is kept. `status` is its own (`listener.md` 9), or `repeated`.
    pub(crate) fn delivered(&self, status: &str) {
        self.deliveries.get_or_create(&DeliveryLabels { status: status.to_owned() }).inc();
    }

    /// Counts a deferred delivery that is not tried any more.
    pub(crate) fn gave_up(&self) {
        self.given_up.inc();
    }

    /// Counts a run of a connection of that kind, and what became of what it brought.
    pub(crate) fn pulled(
        &self,
        kind: &'static str,
        status: &'static str,
        results: &[(&'static str, u32)],
    ) {
        self.runs.get_or_create(&RunLabels { kind, status }).inc();
        for &(result, count) in results {
            self.items.get_or_create(&ItemLabels { kind, result }).inc_by(count.into());
        }
    }

    /// Counts an event pushed to a connection that is not kept; `code` says why.
    pub(crate) fn refused_event(&self, code: &'static str) {
        self.refused_events.get_or_create(&RefusalLabels { code }).inc();
    }

    /// Counts actions whose answer is committed, by their types and statuses.
    pub(crate) fn applied<'a>(&self, actions: impl IntoIterator<Item = (&'a str, &'static str)>) {
        for (action, status) in actions {
            let labels = ActionLabels { action: action.to_owned(), status };
            self.actions.get_or_create(&labels).inc();
        }
    }
}

/// A method as a label; there is no end to those that a client can make up.
fn known_method(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_clients_make_up_are_one_label() {
        let counters = Counters::default();
        for method in ["GET", "BREW", "STIR"] {
            counters.answered("none", method, 405, Duration::ZERO);
        }
        let of = |method| {
            let labels = RequestLabels { route: "none".to_owned(), method, status: 405 };
            counters.requests.get_or_create(&labels).get()
        };
        assert_eq!((of("GET"), of("other")), (1, 2));
    }
}
