//! What a request says of itself at the top level of its body. The body itself stays bytes.

use super::Inbound;
use byok_config::Limits;
use byok_translate::scan::Scan;
use byok_types::{Blame, Dialect, Failure, FailureKind};

/// The routed fields of a request.
#[derive(Debug)]
pub(super) struct Peek {
    /// Where the known top-level fields stand.
    pub(super) scan: Scan,
    /// The model as the client wrote it.
    pub(super) model: String,
    /// Whether the answer is to be streamed.
    pub(super) stream: bool,
    /// The dialect that the body is written in. Differs from the client's for a Responses body sent to the Chat route.
    pub(super) dialect: Dialect,
    /// Whether tools of a Chat body have the shape of Responses.
    pub(super) flat_tools: bool,
}

impl Peek {
    pub(super) fn of(inbound: &Inbound, limits: &Limits) -> Result<Self, Failure> {
        let limit = limits.body;
        if inbound.body.len() > limit {
            return Err(Failure::new(
                FailureKind::PayloadTooLarge,
                Blame::Client,
                format!(
                    "the request body has {} bytes; the limit is {limit} (`limits.body` in the config).",
                    inbound.body.len()
                ),
            ));
        }
        if let Some(raw) = &inbound.raw {
            return raw.peek(inbound, limits);
        }
        let scan = Scan::within(&inbound.body, limits.json_depth)?;
        let model = model_of(inbound, &scan)?;
        let stream = match (inbound.stream, scan.text(&inbound.body, "stream")) {
            (Some(stream), _) => stream,
            (None, Some("true")) => true,
            (None, None | Some("false" | "null")) => false,
            (None, Some(_)) => return Err(Failure::bad_request("stream", "`stream` must be true or false.")),
        };
        // Some editors send Responses bodies to the Chat route.
        let responses_shape = inbound.dialect == Dialect::Chat
            && scan.value("input").is_some()
            && scan.value("messages").is_none();
        let dialect = if responses_shape { Dialect::Responses } else { inbound.dialect };
        let flat_tools = dialect == Dialect::Chat
            && scan.text(&inbound.body, "tools").is_some_and(byok_translate::chat::has_flat_tools);
        Ok(Self { scan, model, stream, dialect, flat_tools })
    }
}

/// The model that a JSON request asks for: of its path, or of its body.
pub(super) fn model_of(inbound: &Inbound, scan: &Scan) -> Result<String, Failure> {
    match (&inbound.model, scan.text(&inbound.body, "model")) {
        (Some(model), _) => Ok(model.clone()),
        (None, Some(_)) => scan.string(&inbound.body, "model").ok_or_else(|| {
            Failure::bad_request("model", "`model` must be a string. Name a model; `byok models` lists them.")
        }),
        (None, None) => Err(no_model()),
    }
}

/// The request names no model.
pub(super) fn no_model() -> Failure {
    Failure::bad_request("model", "`model` is missing. Name a model; `byok models` lists them.")
}
