//! Refusals in the words and the shape of each protocol.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::Answer;
use super::operation::{Operation, Protocol};

pub fn denied(operation: &Operation) -> Answer {
    let message = format!(
        "User: arn:aws:sts::123456789012:assumed-role/test/test is not authorized to perform: {}",
        operation.action()
    );
    match operation.protocol {
        Protocol::Rest => error(operation, 403, "AccessDeniedException", &message),
        Protocol::Json => error(operation, 400, "AccessDeniedException", &message),
        Protocol::Form => error(operation, 403, "AccessDenied", &message),
    }
}

pub fn throttled(operation: &Operation) -> Answer {
    match operation.protocol {
        Protocol::Rest => error(operation, 429, "ThrottlingException", "Rate exceeded"),
        Protocol::Json => error(operation, 400, "ThrottlingException", "Rate exceeded"),
        Protocol::Form => error(operation, 400, "Throttling", "Rate exceeded"),
    }
}

/// A service's answer with an error; codes and messages have nothing in them that XML would need escaped.
pub fn error(operation: &Operation, status: u16, code: &str, message: &str) -> Answer {
    let answer = Response::builder().status(status);
    match operation.protocol {
        Protocol::Rest => answer
            .header("content-type", "application/json")
            .header("x-amzn-errortype", code)
            .body(Bytes::from(json!({"message": message}).to_string())),
        Protocol::Json => answer
            .header("content-type", "application/x-amz-json-1.1")
            .body(Bytes::from(json!({"__type": code, "message": message}).to_string())),
        Protocol::Form => answer.header("content-type", "text/xml").body(Bytes::from(format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
        ))),
    }
    .unwrap()
}

/// To a request that is of no operation that the front knows.
pub fn unknown(what: &str) -> Answer {
    let mut answer =
        Response::new(Bytes::from(format!("the front before the emulator does not know: {what}\n")));
    *answer.status_mut() = StatusCode::NOT_IMPLEMENTED;
    answer
}
