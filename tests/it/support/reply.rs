//! What came back.

use super::conformance::{self, Answered};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

/// An answer, read.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// Sends a request, reads what comes back, and holds it against the API's document.
    pub(crate) async fn to(request: reqwest::RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let method = request.method().clone();
        Self::read(&method, client.execute(request).await.unwrap()).await
    }

    async fn read(method: &Method, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let url = response.url().clone();
        let text = response.text().await.unwrap();
        conformance::check(&Answered {
            method,
            path: url.path(),
            status,
            content_type: headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()),
            text: &text,
        });
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// Fails the test, with the body, unless the status is that.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:#}", self.body);
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body without what is new in every answer, for comparing refusals.
    pub(crate) fn body_but_request_id(&self) -> Value {
        let mut body = self.body.clone();
        let id = body.as_object_mut().and_then(|body| body.remove("requestId"));
        assert!(id.is_some(), "a problem without a requestId: {:#}", self.body);
        body
    }

    /// The result of one action.
    #[track_caller]
    pub(crate) fn result(&self, index: usize) -> &Value {
        let result = &self.body["results"][index];
        assert!(result.is_object(), "no result {index}: {:#}", self.body);
        result
    }

    /// The statuses of all actions, in order.
    pub(crate) fn statuses(&self) -> Vec<&str> {
        let results = self.body["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        results.iter().map(|result| result["status"].as_str().unwrap()).collect()
    }

    /// The code of an action's first fault, and its place.
    #[track_caller]
    pub(crate) fn fault(&self, index: usize) -> (&str, &str) {
        let error = &self.result(index)["error"];
        (error["code"].as_str().unwrap_or_default(), error["pointer"].as_str().unwrap_or_default())
    }

    /// The problem's code, and those of its single faults with their places.
    pub(crate) fn problem(&self) -> (&str, Vec<(&str, &str)>) {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let errors = errors
            .iter()
            .map(|e| {
                (e["code"].as_str().unwrap_or_default(), e["pointer"].as_str().unwrap_or_default())
            })
            .collect();
        (self.body["code"].as_str().unwrap_or_default(), errors)
    }

    /// The message of the first single fault.
    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        let message = self.body["errors"][0]["message"].as_str();
        message.unwrap_or_else(|| panic!("no fault: {:#}", self.body))
    }

    /// The records of a list.
    #[track_caller]
    pub(crate) fn data(&self) -> &[Value] {
        self.body["data"].as_array().unwrap_or_else(|| panic!("no list: {:#}", self.body))
    }

    /// What `field` is in each record of a list.
    #[track_caller]
    pub(crate) fn each(&self, field: &str) -> Vec<&str> {
        self.data().iter().map(|record| record[field].as_str().unwrap_or_default()).collect()
    }
}
