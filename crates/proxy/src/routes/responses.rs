//! Responses that were kept: shown, forgotten, and what was asked.

use super::{Visit, dialects::stored_for, rest_of};
use crate::{
    app::App,
    reply,
    stored::{Kept, Place},
};
use axum::{
    extract::{Extension, State},
    response::Response,
};
use byok_translate::responses::stored::{Page, deleted, input_items as list};
use byok_types::{Blame, Dialect, Failure, FailureKind};
use http::{StatusCode, Uri};
use std::sync::Arc;

pub(crate) async fn get(State(app): State<App>, Extension(visit): Extension<Visit>, uri: Uri) -> Response {
    let streamed = pairs(&uri).any(|(name, value)| name == "stream" && value == "true");
    let found = find(&app, &visit, &uri).and_then(|(_, _, kept)| {
        if streamed {
            let text = "a kept response cannot be streamed again. Leave `stream` out.";
            return Err(Failure::bad_request("stream", text));
        }
        Ok(kept)
    });
    answer(&visit, found.map(|kept| kept.response.clone().into_bytes()))
}

pub(crate) async fn delete(State(app): State<App>, Extension(visit): Extension<Visit>, uri: Uri) -> Response {
    let found = find(&app, &visit, &uri).map(|(place, id, _)| {
        place.shelf.remove(&(place.owner, id.clone()));
        deleted(&id)
    });
    answer(&visit, found)
}

pub(crate) async fn input_items(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    uri: Uri,
) -> Response {
    let mut page = Page::default();
    for (name, value) in pairs(&uri) {
        match name.as_ref() {
            "order" => page.ascending = value == "asc",
            "limit" => page.limit = value.parse().ok(),
            "after" => page.after = Some(value.into_owned()),
            _ => {}
        }
    }
    answer(&visit, find(&app, &visit, &uri).map(|(_, _, kept)| list(&kept.input, &page)))
}

fn pairs(uri: &Uri) -> url::form_urlencoded::Parse<'_> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

fn answer(visit: &Visit, found: Result<Vec<u8>, Failure>) -> Response {
    match found {
        Ok(body) => reply::json(StatusCode::OK, body),
        Err(failure) => reply::failure(Dialect::Responses, &failure, visit.id.as_str()),
    }
}

/// The kept response that the path names.
fn find(app: &App, visit: &Visit, uri: &Uri) -> Result<(Place, String, Arc<Kept>), Failure> {
    let rest = rest_of(uri, "/v1/responses/")?;
    let id = rest.strip_suffix("/input_items").unwrap_or(&rest).to_owned();
    let Some(place) = stored_for(app, visit) else {
        return Err(missing(
            "byok keeps no responses. Set `stored_responses.enabled` in the config to have those kept that are made from \
             then on; what a vendor itself has stored is reached by `/passthrough`."
                .to_owned(),
        ));
    };
    let Some(kept) = place.find(&id) else {
        let shown: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
        return Err(missing(format!("Response with id '{shown}' not found.")));
    };
    Ok((place, id, kept))
}

fn missing(message: String) -> Failure {
    Failure::new(FailureKind::NotFound, Blame::Client, message).with_code("not_found")
}
