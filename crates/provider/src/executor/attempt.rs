//! One call by one seat, up to the point where its answer is known to be good or refused.

use super::{
    Inbound, Inner, Refused, hold,
    keeper::Keeper,
    opened::OpenedBody,
    outbound::{Ready, relayed_headers},
    peek::Peek,
    prepare::{Prepared, Way, as_client_says, forbid, log, log_answer},
    raw::Raw,
    reply::{
        cut_off, failure_inside, is_json, read, read_counted, retry_after, transport_failure, unreadable,
        web_page,
    },
};
use crate::{
    ledger::Ledger,
    pool::{Access, Seat},
    registry::Candidate,
    state::State,
    upstream::{Ask, Next, Operation, Refusal, Scope, Shaping, Token, Verdict},
};
use byok_auth::AuthError;
use byok_config::Timeouts;
use byok_translate::{
    Loss, Losses, UsageScanner, codec, ir::Fold, looks_like_events, looks_like_html, read_answer,
};
use byok_transport::{Call, CallTimeouts, Host, Reply, TransportError};
use byok_types::{Failure, FailureKind, RawFailure, Secret, SecretHash};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE},
};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

/// Most bytes of an error that are kept.
const ERROR_LIMIT: usize = 1 << 20;
/// How long a seat rests that nothing reached; it is asked all the same when no other can be.
const UNREACHED_REST: Duration = Duration::from_secs(30);
/// How often a call that never reached the vendor is made again on the same seat.
const RECONNECTS: u32 = 2;

/// What an attempt works with.
pub(super) struct Attempt<'a> {
    pub(super) executor: &'a Arc<Inner>,
    pub(super) state: &'a Arc<State>,
    pub(super) inbound: &'a Inbound,
    pub(super) peek: &'a Peek,
    pub(super) candidate: &'a Candidate,
    pub(super) seat: &'a Arc<Seat>,
    pub(super) prepared: &'a Prepared,
    /// What the vendor's own rules left out of the body.
    pub(super) shaped_away: OnceLock<Vec<Loss>>,
}

impl Attempt<'_> {
    /// Makes the call; refreshes the token once if the vendor refuses it. What a refusal says about the seat is noted.
    pub(super) async fn run(&self, ledger: &mut Ledger) -> Result<Ready, Refused> {
        let mut refreshed = false;
        loop {
            let token = self.token().await?;
            let body = match self.claimed(&token) {
                Ok(body) => body,
                Err(refused) => return Err(self.noted(refused, &token).await),
            };
            let stale = token.hash;
            match self.call(&token, body, ledger).await {
                Ok(ready) => {
                    self.seat.health.succeeded(&self.candidate.facts.id);
                    return Ok(ready);
                }
                Err(refused) if refused.verdict.next == Next::Refresh && !refreshed && stale.is_some() => {
                    refreshed = true;
                    match self.refresh(stale).await {
                        Ok(()) => {}
                        // It was renewed a moment ago, and that is what the vendor refuses.
                        Err(AuthError::Refused { .. }) => {
                            return Err(self.noted(self.refused_anew(refused, false), &token).await);
                        }
                        Err(error) => return Err(self.no_token(&error)),
                    }
                }
                Err(refused) if refreshed && refused.verdict.next == Next::Refresh => {
                    return Err(self.noted(self.refused_anew(refused, true), &token).await);
                }
                Err(refused) => return Err(self.noted(refused, &token).await),
            }
        }
    }

    async fn token(&self) -> Result<Token, Refused> {
        match &self.seat.access {
            Access::Client => Ok(Token::key(self.inbound.brought.clone().unwrap_or_else(|| Secret::new("")))),
            // A server that asks for no key is sent none.
            Access::Key(key) if key.is_blank() => Ok(Token::key(key.clone())),
            Access::Key(key) => self.sendable(Token::key(key.clone())),
            Access::Account { .. } => match self.executor.tokens.access(&self.seat.id).await {
                Ok(access) => self.sendable(Token::of(&access)),
                Err(error) => Err(self.no_token(&error)),
            },
        }
    }

    async fn refresh(&self, stale: Option<SecretHash>) -> Result<(), AuthError> {
        let (Some(stale), Access::Account { .. }) = (stale, &self.seat.access) else { return Ok(()) };
        self.executor.tokens.refresh_now(&self.seat.id, stale).await.map(|_| ())
    }

    async fn call(&self, token: &Token, body: Bytes, ledger: &mut Ledger) -> Result<Ready, Refused> {
        // What has no dialect is passed on, however large it is.
        let large = if self.inbound.raw.is_some() { 0 } else { body.len() };
        let call = self.executor.aside.run(large, || self.build(token, body)).await?;
        let provider = &self.candidate.provider;
        let mut reconnects = 0;
        let transport = self.executor.transport();
        let reply = loop {
            ledger.attempt(&provider.id, &self.seat.id, self.prepared.dialect, &self.candidate.facts.id);
            match transport.send(call.clone()).await {
                Ok(reply) => break reply,
                // Nothing reached the vendor: the same call may be made again.
                Err(error)
                    if !error.request_was_sent() && is_of_the_moment(&error) && reconnects < RECONNECTS =>
                {
                    reconnects += 1;
                    tracing::debug!(provider = provider.id.as_str(), %error, "calling again");
                }
                Err(error) => return Err(self.unreached(&error)),
            }
        };
        self.seat.known.told(provider.upstream.windows(&reply.headers, self.now()), self.now());
        if provider.upstream.list_mark(&reply.headers).is_some_and(|mark| self.seat.known.list_changed(mark))
        {
            super::Executor(self.executor.clone()).refresh_list(provider, self.seat);
        }
        if reply.status.as_u16() >= 400 {
            return Err(self.refused(reply, token).await);
        }
        if self.begins_to_charge(&reply.headers) {
            self.stop_charging().await;
        } else {
            self.look_for_charges();
        }
        self.look_for_facts();
        self.answered(reply, ledger).await
    }

    /// Now, Unix time in seconds, as far as a request has one.
    fn now(&self) -> i64 {
        self.inbound.at_ms / 1000
    }

    fn build(&self, token: &Token, body: Bytes) -> Result<Call, Refused> {
        let local = |failure| Refused::local(failure, Next::GiveUp);
        if let Some(raw) = &self.inbound.raw {
            return self.build_raw(raw, token, body).map_err(local);
        }
        let upstream = &self.candidate.provider.upstream;
        let mut ask = Ask {
            operation: if self.inbound.count {
                Operation::Count
            } else {
                Operation::Generate { stream: self.peek.stream }
            },
            dialect: self.prepared.dialect,
            model: &self.candidate.facts.id,
            client: matches!(self.prepared.way, Way::Pass { .. }).then_some(&self.inbound.headers),
            needed: &self.prepared.needed,
            claims: &self.seat.claims,
        };
        let stream = !self.inbound.count && (self.peek.stream || upstream.only_streams(&ask));
        if !self.inbound.count {
            ask.operation = Operation::Generate { stream };
        }
        if upstream.demands(&ask, token).is_some() {
            return Err(Refused::local(self.claim_missing(), Next::OtherAccount));
        }
        let shaping = Shaping {
            ask: &ask,
            token,
            facts: &self.candidate.facts,
            client: &self.inbound.headers,
            request_id: self.inbound.id.as_str(),
            at_ms: self.inbound.at_ms,
        };
        let mut losses = Losses::default();
        let body = upstream.shape(body, &shaping, &mut losses).map_err(local)?;
        self.note(losses).map_err(local)?;
        self.built(token, body, stream, &shaping).map_err(local)
    }

    /// Keeps what the vendor's own rules left out of the body, once: a second call of the attempt leaves out the same.
    fn note(&self, losses: Losses) -> Result<(), Failure> {
        let client = self.inbound.dialect;
        let losses: Vec<Loss> =
            losses.attach(()).losses.into_iter().map(|loss| as_client_says(loss, client)).collect();
        forbid(&losses, self.candidate)?;
        log(&losses);
        let _ = self.shaped_away.set(losses);
        Ok(())
    }

    /// The hosts that a call to `url` may go to: those of the seat, or one of the vendor that the credential names.
    pub(super) fn hosts_for(&self, url: &url::Url) -> Arc<[Host]> {
        let upstream = &self.candidate.provider.upstream;
        match Host::of(url) {
            Ok(host)
                if !self.seat.hosts.contains(&host)
                    && upstream.trusts(url.host_str().unwrap_or_default()) =>
            {
                [host].into()
            }
            _ => self.seat.hosts.clone(),
        }
    }

    fn built(
        &self,
        token: &Token,
        body: Bytes,
        stream: bool,
        shaping: &Shaping<'_>,
    ) -> Result<Call, Failure> {
        let ask = shaping.ask;
        let upstream = &self.candidate.provider.upstream;
        let url = self.seat.addresses.of(&**upstream, &upstream.base(&self.seat.base, token), ask)?;
        let times = &self.candidate.provider.timeouts;
        let timeouts = CallTimeouts::stream(headers_timeout(times, stream, self.reasons()), times.idle);
        let mut call = Call::new(Method::POST, url.clone(), self.hosts_for(&url), timeouts);
        call.body = body;
        call.without_secrets = token.secret.is_blank();
        call.proxy.clone_from(&self.seat.proxy);
        let headers = &mut call.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let accept = if stream { "text/event-stream" } else { "application/json" };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        upstream.headers(ask, token, headers);
        upstream.headers_of_body(&call.body, shaping, headers);
        headers.extend(self.seat.headers.clone());
        Ok(call)
    }

    pub(super) fn reasons(&self) -> bool {
        !self.candidate.facts.thinking.forms.is_empty()
    }

    fn unreached(&self, error: &TransportError) -> Refused {
        tracing::warn!(provider = self.candidate.provider.id.as_str(), %error, "upstream not reached");
        let rest = (!error.request_was_sent()).then_some((Scope::Account, UNREACHED_REST));
        Refused {
            failure: transport_failure(error),
            verdict: Verdict::other(rest),
            headers: HeaderMap::new(),
        }
    }

    /// Reads a refusal and has the upstream judge it.
    async fn refused(&self, reply: Reply, token: &Token) -> Refused {
        let status = reply.status.as_u16();
        let content_type = reply.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = read(reply.body, ERROR_LIMIT, true).await.unwrap_or_default();
        // The network in front of a vendor refuses with a page. That says nothing about the account and its rights.
        if status == 403 && looks_like_html(&body) {
            return self.broken(web_page(self.candidate.provider.id.as_str()));
        }
        let upstream = &self.candidate.provider.upstream;
        let mut failure = upstream.read_failure(self.prepared.dialect, status, &reply.headers, &body);
        if let Some(refused) = self.does_not_count(&failure) {
            return refused;
        }
        // What is no JSON is a page of the network in front of the vendor, or a word of it: no client could read it as an error.
        let as_it_is = self.inbound.raw.as_ref().is_some_and(Raw::is_any_path) || is_json(&body);
        failure.raw = as_it_is.then(|| RawFailure {
            dialect: self.prepared.dialect,
            content_type,
            body: body.to_vec(),
        });
        let until = || {
            let left = upstream.opens_at(&failure, &reply.headers, self.now())? - self.now();
            u64::try_from(left).ok().map(Duration::from_secs)
        };
        let stated = retry_after(&reply.headers, SystemTime::now());
        failure.retry_after = stated.or(failure.retry_after).or_else(until);
        let mut refused = self.judged(failure, relayed_headers(&reply.headers), &reply.headers, token.oauth);
        if !upstream.relays_refusals() {
            refused.failure.raw = None;
        }
        refused
    }

    fn judged(&self, failure: Failure, relayed: HeaderMap, headers: &HeaderMap, oauth: bool) -> Refused {
        let refusal = Refusal {
            failure: &failure,
            model: &self.candidate.facts.id,
            headers,
            oauth,
            now: self.inbound.at_ms / 1000,
        };
        let verdict = self.candidate.provider.upstream.judge(&refusal);
        tracing::warn!(
            provider = self.candidate.provider.id.as_str(),
            account = self.seat.id.as_str(),
            failure = %failure,
            code = failure.code.as_deref().unwrap_or("-"),
            next = ?verdict.next,
            "upstream refused"
        );
        Refused { failure, verdict, headers: relayed }
    }

    /// Judges a stream that was refused in its first events.
    pub(super) fn judge_stream(&self, failure: Failure, headers: &HeaderMap) -> Refused {
        self.judged(failure, relayed_headers(headers), headers, self.seat.is_oauth())
    }

    async fn answered(&self, reply: Reply, ledger: &mut Ledger) -> Result<Ready, Refused> {
        if let Some(raw) = &self.inbound.raw {
            return self.answered_raw(raw, reply, ledger).await;
        }
        let envelope = self.candidate.provider.upstream.envelope_of(&self.candidate.facts);
        let events = reply
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| envelope.is_stream(&kind.trim_start().to_ascii_lowercase()));
        if events && self.peek.stream {
            return hold::until_good(self, reply).await;
        }
        let limit = self.state.config.limits.answer;
        let headers = reply.headers;
        // Held until the answer is translated.
        let mut share = self.executor.budget.share();
        let translates = self.prepared.way == Way::Translate;
        let holds = |bytes| {
            if translates {
                share.hold(bytes);
            }
        };
        let body = if events {
            read_counted(OpenedBody::new(reply.body, envelope), limit, false, holds).await
        } else {
            read_counted(reply.body, limit, false, holds).await.map(|body| envelope.open_whole(&body))
        };
        let body = body.map_err(|failure| self.broken(failure))?;
        if let Some(failure) = self.candidate.provider.upstream.refusal_in(&body) {
            return Err(self.judged(failure, relayed_headers(&headers), &headers, self.seat.is_oauth()));
        }
        if looks_like_html(&body) {
            return Err(self.broken(web_page(self.candidate.provider.id.as_str())));
        }
        // An answer of a model is an object, a list, or a stream of events; nothing else is passed on as one.
        let json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
        let events = events || looks_like_events(&body);
        if !json && !events {
            return Err(self.broken(unreadable(self.candidate.provider.id.as_str())));
        }
        match self.prepared.way {
            Way::Pass { .. } if !events && !self.peek.stream => self.passed_whole(&body, &headers, ledger),
            _ if self.inbound.count => self.counted(&body),
            _ => self.translated_whole(&body, events, &headers, ledger),
        }
    }

    pub(super) fn broken(&self, failure: Failure) -> Refused {
        self.judged(failure, HeaderMap::new(), &HeaderMap::new(), self.seat.is_oauth())
    }

    pub(super) fn passed_whole(
        &self,
        body: &Bytes,
        headers: &HeaderMap,
        ledger: &mut Ledger,
    ) -> Result<Ready, Refused> {
        let dialect = self.prepared.dialect;
        let mut scanner = UsageScanner::new(dialect, false);
        scanner.push(body);
        if scanner.failed() {
            // Some gateways answer with an error object and status 200.
            return Err(self.broken(failure_inside(dialect, body)));
        }
        if !scanner.is_closed() {
            return Err(self.broken(cut_off(self.candidate.provider.id.as_str(), body.len())));
        }
        if let Some(usage) = scanner.usage() {
            ledger.usage(usage);
        }
        let body = self.prepared.relay().map_or_else(|| body.clone(), |relay| relay.whole(body));
        Ok(Ready::whole(self, body, headers))
    }

    fn counted(&self, body: &Bytes) -> Result<Ready, Refused> {
        let Some(tokens) = codec::decode_count(self.prepared.dialect, body) else {
            return Err(self.broken(unreadable(self.candidate.provider.id.as_str())));
        };
        Ok(Ready::counted(self.inbound, tokens))
    }

    /// An answer that has to be read whole: translated, or in another framing than the client asked for.
    fn translated_whole(
        &self,
        body: &Bytes,
        events: bool,
        headers: &HeaderMap,
        ledger: &mut Ledger,
    ) -> Result<Ready, Refused> {
        let exchange = &self.prepared.exchange;
        let (list, mut losses) = if events {
            let mut reader = byok_translate::StreamReader::new(exchange, self.state.config.limits.frame);
            let mut list = Vec::new();
            reader.push(body, &mut list);
            reader.finish(&mut list);
            (list, reader.losses())
        } else {
            let answer = read_answer(body, exchange).map_err(|failure| self.broken(failure))?;
            (answer.value, answer.losses)
        };
        if let Some(mut keeper) = Keeper::of(self) {
            for event in &list {
                keeper.note(event);
            }
        }
        if self.peek.stream {
            let mut encoder = codec::StreamEncoder::new(exchange);
            let mut progress = byok_translate::Progress::default();
            let mut out = Vec::new();
            for event in list {
                progress.note(&event);
                encoder.push(event, &mut out);
            }
            losses.extend_from_slice(encoder.losses());
            log_answer(&losses);
            if let Some(failure) = progress.failure.filter(|_| !progress.good) {
                return Err(self.broken(failure));
            }
            let estimated = progress.usage.as_ref().is_some_and(|usage| usage.estimated);
            if let Some(usage) = progress.usage {
                ledger.usage(usage);
            }
            return Ok(Ready::events(self, out.into(), headers).estimated(estimated));
        }
        let mut fold = Fold::default();
        for event in list {
            fold.push(event);
        }
        let response = fold.finish().map_err(|failure| self.broken(failure))?;
        if let Some(usage) = &response.usage {
            ledger.usage(usage.clone());
        }
        let encoded = codec::encode_answer(&response, exchange);
        losses.extend(encoded.losses);
        log_answer(&losses);
        let estimated = response.usage.is_some_and(|usage| usage.estimated);
        Ok(Ready::whole(self, encoded.value.into(), headers).estimated(estimated))
    }
}

pub(super) fn headers_timeout(times: &Timeouts, stream: bool, reasons: bool) -> Duration {
    match (stream, reasons) {
        (true, _) => times.stream_headers,
        (false, true) => times.reasoning_headers,
        (false, false) => times.answer_headers,
    }
}

/// Whether a failure is trouble of the vendor's and not a limit of the account.
pub(super) const fn is_of_the_vendor(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Overloaded | FailureKind::Server | FailureKind::Timeout | FailureKind::UpstreamTruncated
    )
}

/// Whether a connection that did not come about may come about at once.
const fn is_of_the_moment(error: &TransportError) -> bool {
    matches!(
        error,
        TransportError::Connect { .. } | TransportError::Proxy { .. } | TransportError::Reset { .. }
    )
}
