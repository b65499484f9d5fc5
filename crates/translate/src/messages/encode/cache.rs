//! Cache markers: the vendor takes four, long-lived ones first.

use super::{
    shape::{Entry, Speaker, What},
    tools::Declared,
    words::{Field, name},
};
use crate::{
    Losses,
    ir::{CacheHint, Extra, Part, Request},
};
use byok_types::{Dialect, Family, ModelFacts};

/// The most markers of a request.
const MOST: usize = 4;

/// One block of the instructions.
#[derive(Debug)]
pub(super) struct SystemBlock<'a> {
    pub(super) what: What<'a>,
    pub(super) mark: Option<CacheHint>,
}

/// Everything that can hold a marker, in the order of the prompt.
pub(super) struct Markable<'m, 'a> {
    pub(super) tools: &'m mut [Declared],
    pub(super) system: &'m mut [SystemBlock<'a>],
    pub(super) entries: &'m mut [Entry<'a>],
}

/// Keeps the client's markers as far as the vendor takes them; sets some for a client that knows none. The answer is whether
/// the request as a whole gets the automatic marker.
pub(super) fn settle(
    mut all: Markable<'_, '_>,
    request: &Request,
    facts: &ModelFacts,
    losses: &mut Losses,
) -> bool {
    if !facts.first_party {
        // Compatible servers refuse members that they do not know.
        all.slots().flatten().for_each(|mark| mark.extra = Extra::default());
    }
    let set_by_client = all.slots().filter(|mark| mark.is_some()).count();
    // Markers inside results and vendor's blocks cannot be taken away here, and the automatic one counts too.
    let fixed = inner_marks(all.entries) + usize::from(request.cache.hint.is_some());
    if set_by_client + fixed == 0 {
        let wanted = request.dialect != Dialect::Messages && facts.family == Family::Claude;
        if wanted {
            automatic(&mut all, facts.first_party);
        }
        return wanted && facts.first_party;
    }
    let mut surplus = (set_by_client + fixed).saturating_sub(MOST);
    let mut short_seen = false;
    let mut changed = false;
    for slot in all.slots() {
        let Some(mark) = slot else { continue };
        if surplus > 0 {
            // A later marker covers what an earlier one covers.
            *slot = None;
            surplus -= 1;
            changed = true;
            continue;
        }
        let long = vendor_ttl(mark, request.dialect);
        changed |= long.as_deref() == Some("1h") && short_seen;
        mark.ttl = if short_seen { long.filter(|ttl| ttl != "1h") } else { long };
        short_seen |= mark.ttl.as_deref() != Some("1h");
    }
    if changed {
        losses.dropped(
            format!("{}.cache_control", name(request.dialect, Field::Messages)),
            "the vendor takes four cache markers, those for an hour first",
        );
    }
    request.cache.hint.is_some()
}

/// The lifetime in the vendor's words: five minutes unless said otherwise, or an hour.
fn vendor_ttl(mark: &CacheHint, dialect: Dialect) -> Option<String> {
    match mark.ttl.as_deref() {
        Some("1h" | "12h" | "24h") => Some("1h".to_owned()),
        Some(other) if dialect == Dialect::Messages => Some(other.to_owned()),
        _ => None,
    }
}

/// The last tool and the last system block. The end of the conversation is marked by the vendor itself where it can, so that
/// earlier turns keep their bytes; else the last user turn and the one before it are.
fn automatic(all: &mut Markable<'_, '_>, by_vendor: bool) {
    if let Some(tool) = all.tools.last_mut() {
        tool.mark = Some(CacheHint::default());
    }
    if let Some(block) = all.system.last_mut() {
        block.mark = Some(CacheHint::default());
    }
    if by_vendor {
        return;
    }
    let users = all.entries.iter_mut().rev().filter(|entry| entry.role == Speaker::User).take(2);
    for entry in users {
        if let Some(item) = entry.items.iter_mut().rev().find(|item| takes_mark(&item.what)) {
            item.mark = Some(CacheHint::default());
        }
    }
}

fn takes_mark(what: &What<'_>) -> bool {
    match what {
        What::Part(part) => matches!(
            part.as_ref(),
            Part::Text(_) | Part::Image(_) | Part::Document(_) | Part::SearchResult(_)
        ),
        What::Call { .. } | What::Result { .. } | What::Text(_) => true,
    }
}

fn inner_marks(entries: &[Entry<'_>]) -> usize {
    let marked = |part: &Part| match part {
        Part::Text(text) => text.cache.is_some(),
        Part::Image(image) => image.cache.is_some(),
        Part::Document(document) => document.cache.is_some(),
        Part::SearchResult(result) => result.cache.is_some(),
        Part::Opaque(opaque) => opaque.json.get().contains("\"cache_control\""),
        Part::ServerCall(call) => {
            call.verbatim.as_ref().is_some_and(|o| o.json.get().contains("\"cache_control\""))
        }
        Part::ServerResult(result) => {
            result.verbatim.as_ref().is_some_and(|o| o.json.get().contains("\"cache_control\""))
        }
        _ => false,
    };
    let inner = |what: &What<'_>| match what {
        What::Result { result, shown, .. } => {
            shown.iter().filter(|index| result.parts.get(**index).is_some_and(marked)).count()
        }
        What::Part(part) => match part.as_ref() {
            part @ (Part::Opaque(_) | Part::ServerCall(_) | Part::ServerResult(_)) => {
                usize::from(marked(part))
            }
            _ => 0,
        },
        What::Call { .. } | What::Text(_) => 0,
    };
    entries.iter().flat_map(|entry| &entry.items).map(|item| inner(&item.what)).sum()
}

impl Markable<'_, '_> {
    /// The places for markers in the order of the prompt.
    fn slots(&mut self) -> impl Iterator<Item = &mut Option<CacheHint>> {
        let tools = self.tools.iter_mut().map(|tool| &mut tool.mark);
        let system = self.system.iter_mut().map(|block| &mut block.mark);
        let items = self.entries.iter_mut().flat_map(|entry| &mut entry.items).map(|item| &mut item.mark);
        tools.chain(system).chain(items)
    }
}
