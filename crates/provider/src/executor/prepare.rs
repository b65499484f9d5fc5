//! The body of a call for one candidate: the client's own bytes with a few edits, or a translation.

use super::{Inbound, aside::Aside, cap, media::Remote, peek::Peek, raw::renamed};
use crate::{
    pool::{Access, Seat},
    registry::Candidate,
    replay::{Place, Replay},
    tokens,
    upstream::Lack,
};
use byok_translate::{
    Exchange, Ids, Incoming, Keep, Loss, LossAction, Maker, Relay, Translated, account_at, budget_edits,
    codec, continues_answer, drop_seals,
    ir::{Family, Request},
    keep_seals_of, messages,
    scan::{Edit, splice},
    seal_edits, thinking_edits,
};
use byok_types::{Blame, Dialect, Failure, FailureKind, SecretHash, THREAD_UNSUPPORTED, ThinkingForm};
use bytes::Bytes;
use std::sync::Arc;

/// A body that is ready to be sent.
pub(super) struct Prepared {
    /// Dialect of the upstream.
    pub(super) dialect: Dialect,
    /// The body.
    pub(super) body: Bytes,
    /// How the answer comes back.
    pub(super) way: Way,
    /// Headers that the body needs.
    pub(super) needed: Vec<(&'static str, String)>,
    /// What could not be said to the upstream.
    pub(super) losses: Vec<Loss>,
    /// What the answer must know of the request.
    pub(super) exchange: Exchange,
    /// Where the reasoning of the answer is kept for a client that has no place for it.
    pub(super) place: Option<Place>,
}

/// What the body of a call depends on beside the request and the candidate.
pub(super) struct Means<'a, 'r> {
    /// Gets what the client names by address, where that is allowed.
    pub(super) remote: Option<&'a mut Remote<'r>>,
    /// Reasoning that was kept for the client.
    pub(super) replay: Replay,
    /// Where large bodies are worked on.
    pub(super) aside: Aside,
    /// The upstream has refused a seal: none is sent.
    pub(super) unsealed: bool,
    /// The account that is asked, where its vendor takes back only what it has sealed for the same one.
    pub(super) account: Option<&'a str>,
}

/// The account as carriers name it, where the vendor binds its seals to it: `OpenAI` does, and of who else speaks Responses
/// nobody knows that it does not.
pub(super) fn account_of(candidate: &Candidate, seat: &Seat, peek: &Peek) -> Option<String> {
    let responses = candidate.dialect(peek.dialect) == Dialect::Responses;
    if !responses || matches!(seat.access, Access::Client) {
        return None;
    }
    let maker = &candidate.provider.maker;
    let account = SecretHash::of(&format!("{maker} {}", seat.id)).short();
    match candidate.facts.family {
        Family::Openai => Some(account),
        Family::Other => Some(account_at(maker, &account)),
        Family::Claude | Family::Gemini => None,
    }
}

/// How the answer comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As the upstream's bytes.
    Pass {
        /// Whether the client gets another model name than the upstream says.
        rename: bool,
        /// Whether the usage chunk was asked for by byok alone.
        hide_usage: bool,
        /// Whether the upstream gives an item of a Responses stream another id in every event.
        item_ids: bool,
        /// Whether the upstream tells of a failure as text of the answer.
        watch: bool,
    },
    /// Translated.
    Translate,
}

impl Prepared {
    /// The body for a candidate. What the client names by address and the upstream takes only as bytes may have to be fetched;
    /// everything else is done without waiting.
    pub(super) async fn of(
        inbound: &Inbound,
        peek: &Peek,
        candidate: &Candidate,
        means: Means<'_, '_>,
    ) -> Result<Self, Failure> {
        if let Some(raw) = &inbound.raw {
            let body = raw.body(inbound, peek, candidate, means.account)?;
            return Ok(Self::raw(inbound, peek, candidate, body));
        }
        let dialect = candidate.dialect(peek.dialect);
        thread_goes_on(inbound, peek, candidate, dialect)?;
        // A Chat upstream does not take tools in the shape of Responses; translation gives them that of Chat.
        let own = dialect == peek.dialect && peek.dialect == inbound.dialect && !peek.flat_tools;
        if own
            && !candidate.provider.upstream.reads_all()
            && candidate.provider.upstream.takes_as_is(dialect, &candidate.facts, &inbound.body)
        {
            let pass = || Self::pass(inbound, peek, candidate, means.unsealed, means.account);
            let mut prepared = means.aside.run(inbound.body.len(), pass).await;
            if !inbound.count && !candidate.provider.upstream.answers_as_is(&inbound.headers) {
                prepared.way = Way::Translate;
            }
            prepared.seal_for(means.account);
            return Ok(prepared);
        }
        let read = || Self::read(inbound, peek, candidate, &means);
        let (mut request, place) = means.aside.run(inbound.body.len(), read).await?;
        if let Some(remote) = means.remote {
            remote.bring(&mut request.value, dialect, &candidate.facts).await?;
        }
        let write = || Self::translate(inbound, peek, candidate, dialect, request);
        let mut prepared = means.aside.run(inbound.body.len(), write).await?;
        prepared.seal_for(means.account);
        Ok(Self { place, ..prepared })
    }

    /// What the answer seals is marked as of this account.
    pub(super) fn seal_for(&mut self, account: Option<&str>) {
        if let Some(account) = account {
            self.exchange.account = Some(account.to_owned());
        }
    }

    /// The request with what was kept for its client and without what the upstream must not see.
    fn read(
        inbound: &Inbound,
        peek: &Peek,
        candidate: &Candidate,
        means: &Means<'_, '_>,
    ) -> Result<(Translated<Request>, Option<Place>), Failure> {
        let mut request = decode(inbound, peek)?;
        let place = (peek.dialect == Dialect::Chat && !inbound.count).then(|| {
            means.replay.restore(inbound.client_key.as_ref(), &mut request.value, inbound.at);
            Place::behind(inbound.client_key.as_ref(), &request.value)
        });
        if means.unsealed {
            drop_seals(&mut request);
        }
        let maker = Maker { provider: &candidate.provider.maker, account: means.account };
        keep_seals_of(maker, &mut request);
        if let Some(wish) = &candidate.thinking {
            request.value.reasoning.switch = wish.switch;
            request.value.reasoning.effort = wish.effort;
            request.value.reasoning.by_name = wish.by_name;
        }
        Ok((request, place))
    }

    fn pass(
        inbound: &Inbound,
        peek: &Peek,
        candidate: &Candidate,
        unsealed: bool,
        account: Option<&str>,
    ) -> Self {
        let (scan, body) = (&peek.scan, &inbound.body);
        let model = &candidate.facts.id;
        let rename = peek.model != *model;
        let maker = Maker { provider: &candidate.provider.maker, account };
        let keep = Keep { none: unsealed, ..Keep::of(&candidate.facts, maker) };
        let mut edits: Vec<Edit> = seal_edits(inbound.dialect, body, keep);
        let mut losses = Vec::new();
        // A turn whose reasoning is taken out cannot be thought on by a budget, whatever else the model takes.
        let thinking = &candidate.facts.thinking;
        let silent = unsealed && inbound.dialect == Dialect::Messages && continues_answer(body);
        let budget = if silent { budget_edits(body) } else { Vec::new() };
        if silent && (!budget.is_empty() || thinking.unknown || thinking.takes(ThinkingForm::Budget)) {
            if !budget.is_empty() || candidate.thinking.is_some() {
                losses.push(Loss {
                    field: "thinking".to_owned(),
                    action: LossAction::Dropped,
                    reason: "the turn that waits for tool results has no reasoning of this model",
                });
            }
            edits.extend(budget);
            log(&losses);
        } else if let Some(wish) = &candidate.thinking
            // What Gemini counts has no place for settings of the answer.
            && !(inbound.count && inbound.dialect == Dialect::Gemini)
        {
            let thinking = thinking_edits(inbound.dialect, body, wish, &candidate.facts);
            edits.extend(thinking.value);
            losses = thinking.losses;
            log(&losses);
        }
        // Gemini has the model in the path; a body that names it again must say the same.
        if rename && inbound.dialect != Dialect::Gemini {
            edits.push(scan.set("model", &serde_json::Value::from(model.as_str()).to_string()));
        } else if rename && (inbound.count || scan.value("model").is_some()) {
            edits.extend(renamed(body, model));
        }
        let mut hide_usage = false;
        if inbound.dialect == Dialect::Chat
            && peek.stream
            && !inbound.count
            && let Some(edit) =
                ask_for_usage(scan.text(body, "stream_options"), |value| scan.set("stream_options", value))
        {
            edits.push(edit);
            hide_usage = true;
        }
        let mut echo = Request::new(inbound.dialect, peek.model.clone());
        echo.stream = peek.stream;
        let mut exchange = exchange(inbound, candidate, &echo, inbound.dialect);
        exchange.include_usage = !hide_usage;
        Self {
            dialect: inbound.dialect,
            body: cap::as_known(splice(body, edits), inbound.dialect, candidate),
            way: Way::Pass {
                rename,
                hide_usage,
                item_ids: inbound.dialect == Dialect::Responses
                    && candidate.provider.upstream.changes_item_ids(),
                watch: inbound.dialect == Dialect::Chat
                    && candidate.provider.upstream.tells_failures_as_text(),
            },
            needed: Vec::new(),
            losses,
            exchange,
            place: None,
        }
    }

    /// What is passed on as it is, beside the dialects.
    fn raw(inbound: &Inbound, peek: &Peek, candidate: &Candidate, body: Bytes) -> Self {
        let echo = Request::new(peek.dialect, peek.model.clone());
        let rename = !candidate.facts.id.is_empty() && peek.model != candidate.facts.id;
        Self {
            dialect: peek.dialect,
            body,
            way: Way::Pass { rename, hide_usage: false, item_ids: false, watch: false },
            needed: Vec::new(),
            losses: Vec::new(),
            exchange: exchange(inbound, candidate, &echo, peek.dialect),
            place: None,
        }
    }

    fn translate(
        inbound: &Inbound,
        peek: &Peek,
        candidate: &Candidate,
        dialect: Dialect,
        mut request: Translated<Request>,
    ) -> Result<Self, Failure> {
        request.value.stream = peek.stream;
        let facts = &candidate.facts;
        let mut ids = Ids::new(inbound.id.as_str());
        let encoded = if inbound.count {
            codec::encode_count_request(dialect, &request.value, facts, &mut ids)?
        } else {
            codec::encode_request(dialect, &request.value, facts, &mut ids)?
        };
        let mut losses = request.losses;
        losses.extend(encoded.losses);
        forbid(&losses, candidate)?;
        let needed = match dialect {
            Dialect::Messages => messages::headers_for(&request.value, facts),
            Dialect::Chat | Dialect::Responses | Dialect::Gemini => Vec::new(),
        };
        let mut exchange = exchange(inbound, candidate, &request.value, dialect);
        exchange.client = inbound.dialect;
        for lack in candidate.provider.upstream.lacks() {
            losses.extend(lacking(*lack, &request.value, &mut exchange));
        }
        log(&losses);
        Ok(Self {
            dialect,
            body: encoded.value.into(),
            way: Way::Translate,
            needed,
            losses,
            exchange,
            place: None,
        })
    }

    /// The relay for an answer that passes through.
    pub(super) fn relay(&self) -> Option<Relay> {
        let Way::Pass { rename, hide_usage, item_ids, watch } = self.way else { return None };
        let relay = Relay::new(self.dialect, rename.then_some(self.exchange.model.as_str()), hide_usage);
        let relay = if item_ids { relay.steady_items() } else { relay };
        let relay = if watch { relay.watching() } else { relay };
        // The upstream is always asked for events: an array is made of them here.
        Some(if self.exchange.json_array { relay.as_array() } else { relay })
    }
}

/// Refuses a thread of Messages where Claude itself does not answer. Its later turns have only what is new, and an upstream that
/// does not keep threads would answer them without the conversation. Anthropic's clients understand the refusal: they send the
/// whole conversation instead.
fn thread_goes_on(
    inbound: &Inbound,
    peek: &Peek,
    candidate: &Candidate,
    dialect: Dialect,
) -> Result<(), Failure> {
    let asked = peek.dialect == Dialect::Messages
        && peek.scan.text(&inbound.body, "thread").is_some_and(|thread| thread != "null");
    if !asked || (dialect == Dialect::Messages && candidate.facts.first_party) {
        return Ok(());
    }
    let why = format!(
        "`thread`: `{}` keeps no conversations; send the whole conversation in `messages`, without `thread`.",
        peek.model
    );
    Err(Failure::bad_request("thread", why).with_code(THREAD_UNSUPPORTED))
}

/// Says in the log what could not be said to the upstream, also what the client is not told.
pub(super) fn log(losses: &[Loss]) {
    for loss in losses {
        tracing::debug!(field = %loss.field, action = ?loss.action, reason = loss.reason, "lost in the request");
    }
}

/// Says in the log what of an answer the client could not be told. Its headers are gone when that is known.
pub(super) fn log_answer(losses: &[Loss]) {
    for loss in losses {
        tracing::debug!(field = %loss.field, action = ?loss.action, reason = loss.reason, "lost in the answer");
    }
}

/// Refuses the request where nothing may be left out.
pub(super) fn forbid(losses: &[Loss], candidate: &Candidate) -> Result<(), Failure> {
    let loss = losses.iter().find(|loss| candidate.provider.strict && loss.action == LossAction::Dropped);
    loss.map_or(Ok(()), |loss| {
        let message = format!(
            "`{}` cannot be said to `{}` ({}), and `strict_translation` is on. Leave the field out.",
            loss.field, candidate.provider.id, loss.reason
        );
        Err(Failure::bad_request(loss.field.clone(), message))
    })
}

/// The limit of an answer in the words of each dialect.
fn limit_in(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Messages => "max_tokens",
        Dialect::Responses => "max_output_tokens",
        Dialect::Gemini => "generationConfig.maxOutputTokens",
    }
}

/// What clients of each dialect call what an upstream of another may have no place for: Chat and Responses, Messages, Gemini.
const WISHES: [[&str; 3]; 4] = [
    ["temperature", "temperature", "generationConfig.temperature"],
    ["top_p", "top_p", "generationConfig.topP"],
    ["top_k", "top_k", "generationConfig.topK"],
    ["tool_choice", "tool_choice", "toolConfig.functionCallingConfig"],
];

/// A loss of a body in the dialect of the upstream, in the words of the client.
pub(super) fn as_client_says(mut loss: Loss, client: Dialect) -> Loss {
    if let Some([openai, messages, gemini]) = WISHES.iter().find(|names| names.contains(&&*loss.field)) {
        loss.field = match client {
            Dialect::Chat | Dialect::Responses => openai,
            Dialect::Messages => messages,
            Dialect::Gemini => gemini,
        }
        .to_string();
    }
    if loss.field == limit_in(Dialect::Responses) {
        limit_in(client).clone_into(&mut loss.field);
        // A client of Messages has to write one, so its absence upstream is nothing new to it.
        if client == Dialect::Messages && loss.action == LossAction::Dropped {
            loss.action = LossAction::DroppedSilently;
        }
    }
    loss
}

fn exchange(inbound: &Inbound, candidate: &Candidate, request: &Request, dialect: Dialect) -> Exchange {
    let mut exchange =
        Exchange::new(request, &candidate.facts, dialect, inbound.at_ms / 1000, inbound.id.as_str());
    exchange.json_array = inbound.json_array;
    exchange.input_estimate = Some(estimated(inbound.body.len()));
    if let Some(echo) = &mut exchange.echo {
        let echo = Arc::make_mut(echo);
        echo.store = Some(inbound.kept);
        if let Some(id) = &inbound.previous_response {
            echo.state.previous_response_id = Some(id.clone());
        }
    }
    // Of a known family its vendor says how far a seal holds (`account_of`); of anyone else nobody knows. In Chat they are the
    // server's own.
    let bound = exchange.family == Family::Other || dialect == Dialect::Chat;
    exchange.account = bound.then(|| candidate.provider.maker.clone());
    exchange
}

/// What becomes of a wish that the upstream's wire has no word for.
fn lacking(lack: Lack, request: &Request, exchange: &mut Exchange) -> Option<Loss> {
    let client = exchange.client;
    match lack {
        Lack::Stops if !request.sampling.stop.is_empty() => {
            let field = match client {
                Dialect::Chat | Dialect::Responses => "stop",
                Dialect::Messages => "stop_sequences",
                Dialect::Gemini => "generationConfig.stopSequences",
            };
            exchange.stop.clone_from(&request.sampling.stop);
            Some(Loss {
                field: field.to_owned(),
                action: LossAction::Emulated,
                reason: "the upstream takes no stop sequences; byok cuts at them",
            })
        }
        Lack::Limit if request.max_tokens.is_some() => {
            let loss = Loss {
                field: limit_in(Dialect::Responses).to_owned(),
                action: LossAction::Dropped,
                reason: "the upstream takes no limit of an answer",
            };
            Some(as_client_says(loss, client))
        }
        Lack::Stops | Lack::Limit => None,
    }
}

/// The edit by which a stream tells its usage; `None` if the client asked for it itself.
fn ask_for_usage(options: Option<&str>, set: impl FnOnce(&str) -> Edit) -> Option<Edit> {
    const WANTED: &str = "\"include_usage\":true";
    let Some(text) = options.filter(|text| *text != "null") else {
        return Some(set(&format!("{{{WANTED}}}")));
    };
    let asked: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    match asked.get("include_usage") {
        Some(serde_json::Value::Bool(true)) => None,
        Some(_) => {
            let mut asked = asked;
            asked.insert("include_usage".to_owned(), true.into());
            Some(set(&serde_json::Value::Object(asked).to_string()))
        }
        None => {
            let comma = if asked.is_empty() { "" } else { "," };
            let inner = text.trim_start().strip_prefix('{')?;
            Some(set(&format!("{{{WANTED}{comma}{inner}")))
        }
    }
}

fn decode(inbound: &Inbound, peek: &Peek) -> Result<Translated<Request>, Failure> {
    let incoming = Incoming { body: &inbound.body, model: inbound.model.as_deref(), stream: inbound.stream };
    let mut request = codec::decode_request(peek.dialect, &incoming)?;
    if peek.dialect != inbound.dialect {
        // A client of Chat means what Chat means by silence: without a word nothing is strict.
        request.value.loosen_tools();
    }
    Ok(request)
}

/// A first estimate of a prompt in tokens, for upstreams that cannot count: about four bytes of JSON are one token.
const fn estimated(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
}

/// The estimate for a request that only counts. The body must still be a request.
pub(super) async fn estimate(
    inbound: &Inbound,
    peek: &Peek,
    family: Family,
    aside: &Aside,
) -> Result<u64, Failure> {
    let request = aside.run(inbound.body.len(), || decode(inbound, peek)).await?.value;
    let counted = tokio::task::spawn_blocking(move || tokens::count(&request, family)).await;
    match counted {
        Ok(tokens) if tokens > 0 => Ok(tokens),
        Ok(_) => Err(Failure::new(
            FailureKind::BadRequest,
            Blame::Client,
            "there is nothing to count in this request. Send some content.",
        )),
        Err(_) => Err(Failure::new(
            FailureKind::Server,
            Blame::Byok,
            "byok could not count the tokens of this request. Send it again.",
        )),
    }
}
