use crate::{
    Ids, NameRules, Names, call_ids, compact, emulate,
    ir::{OutputFormat, Request},
};
use byok_types::{Dialect, Family, ModelFacts, StructuredOutput};
use std::{collections::HashSet, sync::Arc};

/// What the answer side must know of the request: made once, when the request has been encoded for its upstream.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each of them read in another place")]
pub struct Exchange {
    /// Dialect of the client.
    pub client: Dialect,
    /// Dialect of the upstream.
    pub upstream: Dialect,
    /// The model as the client wrote it; answers name it and never the upstream's.
    pub model: String,
    /// Creation time told to the client, Unix seconds.
    pub created: i64,
    /// Ids for envelopes and items.
    pub ids: Ids,
    /// Names of tools on both sides.
    pub names: Arc<Names>,
    /// Ids of the calls that the conversation has so far; those of the answer must be others.
    pub call_ids: Arc<HashSet<String>>,
    /// Whether a Chat client asked for the usage chunk.
    pub include_usage: bool,
    /// Whether a Chat client reads calls only as `function_call`, as they were before there were tools.
    pub old_functions: bool,
    /// Whether a Gemini client asked for a stream without `alt=sse`: a JSON array.
    pub json_array: bool,
    /// Who makes the reasoning blobs of this upstream.
    pub family: Family,
    /// Short hash of the account, written into carriers of blobs that are bound to it.
    pub account: Option<String>,
    /// An estimate of the prompt in tokens, shown until the upstream says better.
    pub input_estimate: Option<u64>,
    /// Running number of the first event (Responses): above 0 where byok ends a stream that the upstream began.
    pub first_event: u64,
    /// Id of the response that the client has been told of already (Responses), in the same case.
    pub begun: Option<String>,
    /// Stop sequences that byok cuts at, because the upstream takes none.
    pub stop: Vec<String>,
    /// Whether structured output was asked for by way of a forced tool.
    pub json_tool: bool,
    /// Whether the answer is to be a compaction that the upstream knows nothing of.
    pub compact: bool,
    /// Fields of the request that a Responses answer repeats. Messages are not among them.
    pub echo: Option<Arc<Request>>,
}

impl Exchange {
    /// What the answer to `request` must know. `created` is in Unix seconds, `seed` makes its ids unique.
    pub fn new(request: &Request, facts: &ModelFacts, upstream: Dialect, created: i64, seed: &str) -> Self {
        let compact = compact::is_emulated(request, upstream);
        let echo = (request.dialect == Dialect::Responses).then(|| Arc::new(without_messages(request)));
        Self {
            client: request.dialect,
            upstream,
            model: request.model.clone(),
            created,
            ids: Ids::new(seed),
            names: Arc::new(Names::of(request, NameRules::of(upstream, facts))),
            call_ids: Arc::new(call_ids::of_history(request)),
            include_usage: request.stream_options.include_usage.unwrap_or(false),
            old_functions: request.old_functions,
            json_array: false,
            family: facts.family,
            account: None,
            input_estimate: None,
            first_event: 0,
            begun: None,
            stop: emulate::own_stops(request, upstream).to_vec(),
            json_tool: !compact
                && emulate::structured_output(request, facts, upstream) == StructuredOutput::ForcedTool
                && matches!(request.output_format, OutputFormat::JsonSchema { .. }),
            compact,
            echo,
        }
    }
}

fn without_messages(request: &Request) -> Request {
    let mut echo = Request::new(request.dialect, request.model.clone());
    echo.system.clone_from(&request.system);
    echo.tools.clone_from(&request.tools);
    echo.tool_choice.clone_from(&request.tool_choice);
    echo.parallel_tool_calls = request.parallel_tool_calls;
    echo.max_tool_calls = request.max_tool_calls;
    echo.reasoning.clone_from(&request.reasoning);
    echo.output_format.clone_from(&request.output_format);
    echo.verbosity.clone_from(&request.verbosity);
    echo.sampling.clone_from(&request.sampling);
    echo.max_tokens = request.max_tokens;
    echo.service_tier.clone_from(&request.service_tier);
    echo.metadata.clone_from(&request.metadata);
    echo.end_user.clone_from(&request.end_user);
    echo.store = request.store;
    echo.cache.clone_from(&request.cache);
    echo.state.clone_from(&request.state);
    echo.include.clone_from(&request.include);
    echo
}
