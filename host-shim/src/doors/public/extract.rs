//! Axum's extractors, with their refusals as pages in the user's language.

use axum::extract::{FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::pages::said;
use super::{Public, guard};
use crate::words;

/// What the query asks.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Public> for Asked<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, public: &Public) -> Result<Self, Response> {
        match Query::<T>::from_request_parts(parts, public).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(e) => Err(not_understood(public, &parts.headers, e.status())),
        }
    }
}

/// What a form sends.
pub(super) struct Form<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Public> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, public: &Public) -> Result<Self, Response> {
        let headers = request.headers().clone();
        match axum::extract::Form::<T>::from_request(request, public).await {
            Ok(axum::extract::Form(form)) => Ok(Self(form)),
            Err(e) => Err(not_understood(public, &headers, e.status())),
        }
    }
}

/// An address of ours, asked in a way it is not for.
pub(super) async fn wrong_method(State(public): State<Public>, headers: HeaderMap) -> Response {
    not_understood(&public, &headers, StatusCode::METHOD_NOT_ALLOWED)
}

fn not_understood(public: &Public, headers: &HeaderMap, status: StatusCode) -> Response {
    said(public, words::choose(None, guard::accept_language(headers)), "not-understood", status)
}
