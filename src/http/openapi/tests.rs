use crate::problem::Problem;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::{App, ResponseError};
use beeiq_core::diagnostics::Code;

#[test]
fn the_document_is_openapi_3_1_with_a_license() {
    let document = serde_json::to_value(crate::http::document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["license"]["identifier"], "Apache-2.0");
    assert_eq!(document["components"]["securitySchemes"]["session"]["scheme"], "bearer");
}

/// A route that is described but not served would slip through without it.
#[actix_web::test]
async fn every_operation_of_the_document_has_a_route() {
    let app = init_service(App::new().configure(crate::http::routes)).await;
    let document = serde_json::to_value(crate::http::document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let request = TestRequest::with_uri(path)
                .method(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap())
                .to_request();
            let status = match try_call_service(&app, request).await {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            let missing = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
            assert!(!missing.contains(&status), "{method} {path}: {status}");
        }
    }
}

/// Whoever handles a status has to know which codes it can come with.
#[test]
fn every_error_is_a_problem_with_the_codes_of_its_status() {
    let document = serde_json::to_value(crate::http::document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let told = response["description"].as_str().unwrap_or_default();
                assert!(!told.is_empty(), "{method} {path} {status} has no description");
                if status.as_str() < "400" {
                    continue;
                }
                let kinds: Vec<_> = response["content"].as_object().unwrap().keys().collect();
                assert_eq!(kinds, ["application/problem+json"], "{method} {path} {status}");
                let codes: Vec<_> = codes_in(told).collect();
                assert!(!codes.is_empty(), "{method} {path} {status} lists no code: {told}");
                for code in codes {
                    let its = Problem::new(code, "").status_code();
                    let code = code.as_str();
                    assert_eq!(its.as_str(), status, "{method} {path} lists {code}: {told}");
                }
            }
        }
    }
}

fn codes_in(text: &str) -> impl Iterator<Item = Code> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|word| Code::ALL.iter().copied().find(|code| code.as_str() == word))
}

#[test]
fn every_operation_has_a_summary_and_a_tag() {
    let document = serde_json::to_value(crate::http::document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(summary.len() > 5, "{method} {path} has the summary \"{summary}\"");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{method} {path}");
        }
    }
}

#[test]
fn every_operation_has_an_id_of_its_own() {
    let document = serde_json::to_value(crate::http::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
    let mut ids: Vec<_> = operations.map(|it| it["operationId"].to_string()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    assert!(ids.iter().all(|id| !id.contains('_') && id != "null"), "{ids:?}");
    assert!(ids.contains(&"\"createDealStage\"".to_owned()));
}

#[test]
fn a_setting_has_all_its_fields_and_a_change_has_any_of_them() {
    let document = serde_json::to_value(crate::http::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let required = |name: &str| schemas[name]["required"].to_string();
    assert_eq!(required("Sla").matches(',').count(), 4, "{}", schemas["Sla"]);
    assert!(schemas["Sla"].get("additionalProperties").is_none());
    assert!(schemas["SlaChange"].get("required").is_none());
    assert_eq!(schemas["SlaChange"]["additionalProperties"], false);
    assert!(schemas["Page_Sla"]["properties"]["data"].is_object());
    assert!(schemas["OrgUser"]["properties"].get("password").is_none());
    for (name, schema) in schemas.as_object().unwrap() {
        for used in schema.to_string().split("#/components/schemas/").skip(1) {
            let used = used.split('"').next().unwrap();
            assert!(schemas.get(used).is_some(), "{name} uses {used}, which there is not");
        }
    }
}

/// A schema closed to but the settings would make every listener invalid.
#[test]
fn a_listener_has_more_than_its_settings_and_a_change_has_any_of_them() {
    let document = serde_json::to_value(crate::http::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let listener = &schemas["Listener"];
    assert!(listener["properties"].is_object() && listener.get("additionalProperties").is_none());
    for field in ["name", "rateLimit", "id", "url", "createdAt", "lastDeliveryAt"] {
        assert!(listener["properties"][field].is_object(), "{listener}");
    }
    assert!(schemas["ListenerChange"].get("required").is_none());
    assert_eq!(schemas["ListenerChange"]["additionalProperties"], false);
}
