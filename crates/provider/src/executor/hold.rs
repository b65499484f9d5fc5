//! Holding a stream back until it is known to be good.
//!
//! Vendors accept a call with status 200 and refuse it in the first events. Until something comes that the client can show,
//! nothing is sent to it, so that a refusal is still an HTTP status and another account can still be asked.

use super::{
    Refused,
    answer::{AnswerBody, Running, Source},
    attempt::Attempt,
    first::{FirstEvent, silent},
    keeper::Keeper,
    opened::OpenedBody,
    outbound::Ready,
    prepare::Way,
    reply::transport_failure,
};
use byok_translate::{Progress, StreamReader, UsageScanner, codec, ir::Event};
use byok_transport::{Reply, TransportError};
use byok_types::{Blame, Failure, FailureKind};
use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::Instant;

/// Reads the beginning of a stream until it is good, refused, or has been held long enough.
pub(super) async fn until_good(attempt: &Attempt<'_>, reply: Reply) -> Result<Ready, Refused> {
    let times = &attempt.candidate.provider.timeouts;
    let reasons = !attempt.candidate.facts.thinking.forms.is_empty();
    let first_event = if reasons { times.reasoning_first_event } else { times.first_event };
    let begun = Instant::now();
    let patience = attempt.state.config.timeouts.hold;
    let Reply { headers, body, .. } = reply;
    let mut body =
        OpenedBody::new(body, attempt.candidate.provider.upstream.envelope_of(&attempt.candidate.facts));

    let mut reader = StreamReader::new(&attempt.prepared.exchange, attempt.state.config.limits.frame);
    let mut progress = Progress::default();
    let mut chunks: Vec<Bytes> = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let mut held = 0;
    let mut over = false;
    while !progress.good && !over {
        let frame = match tokio::time::timeout_at(begun + patience.min(first_event), body.frame()).await {
            // With a short limit for the first event the wait is over before the answer has to be committed.
            Err(_) if first_event <= patience => return Err(refused(attempt, silent(first_event), &headers)),
            Err(_) => break,
            Ok(Some(Ok(frame))) => frame.into_data().ok(),
            Ok(Some(Err(error))) => return Err(broken(attempt, &error)),
            Ok(None) => None,
        };
        let seen = events.len();
        match frame {
            Some(data) => {
                held += data.len();
                if held > attempt.state.config.limits.frame {
                    return Err(refused(attempt, nothing_in_it(held), &headers));
                }
                reader.push(&data, &mut events);
                chunks.push(data);
            }
            None if body.is_end_stream() => {
                over = true;
                reader.finish(&mut events);
            }
            None => {}
        }
        events[seen..].iter().for_each(|event| progress.note(event));
        if !progress.good
            && let Some(failure) = progress.failure.take()
        {
            return Err(refused(attempt, failure, &headers));
        }
        over |= reader.ended();
    }
    // What the upstream has sent with the first event goes out with it and with the head, in one piece.
    if !over {
        tokio::task::yield_now().await;
    }
    let mut along = None;
    let source = match attempt.prepared.way {
        Way::Pass { .. } => {
            let scanner = UsageScanner::new(attempt.prepared.dialect, true);
            let relay = attempt
                .prepared
                .relay()
                .unwrap_or_else(|| byok_translate::Relay::new(attempt.prepared.dialect, None, false));
            along = Some(reader);
            Source::pass(relay, scanner, chunks)
        }
        Way::Translate => {
            let encoder = codec::StreamEncoder::new(&attempt.prepared.exchange);
            let keeper = Keeper::of(attempt);
            Source::translate(reader, encoder, events, attempt.executor.budget.share(), keeper)
        }
    };
    let waits = !progress.good && !over;
    let first = waits.then(|| FirstEvent::new(begun, first_event, along));
    let running = Running::new(attempt, body, source, first);
    Ok(Ready::stream(attempt, AnswerBody::new(running), &headers))
}

fn nothing_in_it(bytes: usize) -> Failure {
    Failure::new(
        FailureKind::Server,
        Blame::Upstream,
        format!("the upstream sent {bytes} bytes and no event that carries anything (`limits.frame`)."),
    )
    .with_status(502)
}

/// A stream that failed before anything good came: judged like an HTTP refusal.
fn refused(attempt: &Attempt<'_>, failure: Failure, headers: &HeaderMap) -> Refused {
    let kind = failure.kind;
    let failure = if kind == FailureKind::UpstreamTruncated { failure.with_status(502) } else { failure };
    attempt.judge_stream(failure, headers)
}

fn broken(attempt: &Attempt<'_>, error: &TransportError) -> Refused {
    let failure = transport_failure(error);
    debug_assert!(failure.blame != Blame::Client);
    attempt.judge_stream(failure, &HeaderMap::new())
}
