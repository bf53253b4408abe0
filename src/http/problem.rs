//! A problem as an answer: `application/problem+json` (RFC 9457).

use crate::clock;
use crate::problem::Problem;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use beeiq_core::diagnostics::Code;

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let request_id = self.request_id.unwrap_or_else(clock::new_id);
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.code == Code::Unauthorized {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        match serde_json::to_vec(&self.body(request_id)) {
            Ok(body) => response.body(body),
            Err(_) => response.finish(),
        }
    }
}
