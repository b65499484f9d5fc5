//! Pages that Gemini read for an answer: `urlContextMetadata`. Like the sources of a search it stands beside the answer; the
//! other dialects have a call and a result for each page.

use super::fields::{self, Fields, object};
use crate::{
    Json, content_id,
    ir::{Part, SearchHit, ServerCall, ServerResult, ServerTool},
};
use serde::Deserialize;

const SUCCESS: &str = "URL_RETRIEVAL_STATUS_SUCCESS";
const ERROR: &str = "URL_RETRIEVAL_STATUS_ERROR";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "urlMetadata", alias = "url_metadata")]
    pages: Option<Vec<Retrieved>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Retrieved {
    #[serde(alias = "retrieved_url")]
    retrieved_url: Option<String>,
    #[serde(alias = "url_retrieval_status")]
    url_retrieval_status: Option<String>,
}

/// A call and a result for each page. What was on it Gemini does not say. `answer` makes the ids differ from those of other
/// answers.
pub(super) fn parts(metadata: &Json, answer: &str) -> Vec<Part> {
    let metadata: Metadata = metadata.read().unwrap_or_default();
    let mut parts = Vec::new();
    for (place, page) in metadata.pages.unwrap_or_default().into_iter().enumerate() {
        let Some(url) = page.retrieved_url.filter(|url| !url.is_empty()) else { continue };
        let id = content_id("srv_", &[answer, &place.to_string(), &url]);
        let failed = page.url_retrieval_status.filter(|status| status != SUCCESS);
        let tool = ServerTool::WebFetch;
        parts.push(Part::ServerCall(ServerCall {
            id: id.clone(),
            tool,
            name: "urlContext".to_owned(),
            input: object(|fields| fields.string("url", &url)),
            status: None,
            verbatim: None,
        }));
        parts.push(Part::ServerResult(ServerResult {
            call_id: id,
            tool,
            hits: vec![SearchHit { url, ..SearchHit::default() }],
            output: None,
            error_code: failed,
            verbatim: None,
        }));
    }
    parts
}

/// Collects the pages that another vendor read, to be written as `urlContextMetadata`.
#[derive(Debug, Default)]
pub(super) struct Read(Vec<Page>);

#[derive(Debug)]
struct Page {
    call: String,
    url: String,
    status: &'static str,
}

impl Read {
    /// Takes a call, or the result that says how it ended.
    pub(super) fn note(&mut self, part: &Part) {
        #[derive(Deserialize)]
        struct Input {
            url: String,
        }
        match part {
            Part::ServerCall(call) if call.tool == ServerTool::WebFetch => {
                if let Ok(Input { url }) = call.input.read() {
                    self.0.push(Page {
                        call: call.id.clone(),
                        url,
                        status: "URL_RETRIEVAL_STATUS_UNSPECIFIED",
                    });
                }
            }
            Part::ServerResult(result) if result.tool == ServerTool::WebFetch => {
                let page = self.0.iter_mut().find(|page| page.call == result.call_id);
                if let Some(page) = page {
                    page.status = if result.error_code.is_some() { ERROR } else { SUCCESS };
                }
            }
            _ => {}
        }
    }

    /// The metadata; `None` if no page was read.
    pub(super) fn metadata(&self) -> Option<Json> {
        (!self.0.is_empty()).then(|| {
            object(|metadata| {
                fields::list(metadata.key("urlMetadata"), &self.0, |out, page| {
                    let mut entry = Fields::open(out);
                    entry.string("retrievedUrl", &page.url);
                    entry.string("urlRetrievalStatus", page.status);
                    entry.close();
                });
            })
        })
    }
}
