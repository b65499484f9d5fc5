//! Sources of statements: `groundingMetadata` (pages that a search found) and `citationMetadata` (text that is quoted).
//!
//! Google counts bytes of UTF-8, the other dialects count characters.

use super::fields::{self, Fields, object};
use crate::{
    Json,
    ir::{Citation, CitationPlace, PartId},
};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Grounding {
    #[serde(rename = "webSearchQueries", alias = "web_search_queries")]
    queries: Option<Vec<String>>,
    #[serde(rename = "groundingChunks", alias = "grounding_chunks")]
    chunks: Option<Vec<Source>>,
    #[serde(rename = "groundingSupports", alias = "grounding_supports")]
    supports: Option<Vec<Support>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Source {
    web: Option<Page>,
    maps: Option<Page>,
    #[serde(alias = "retrieved_context")]
    retrieved_context: Option<Page>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    uri: Option<String>,
    title: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Support {
    segment: Option<Segment>,
    #[serde(alias = "grounding_chunk_indices")]
    grounding_chunk_indices: Option<Vec<usize>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Segment {
    #[serde(alias = "part_index")]
    part_index: Option<usize>,
    #[serde(alias = "start_index")]
    start_index: Option<usize>,
    #[serde(alias = "end_index")]
    end_index: Option<usize>,
    text: Option<String>,
}

/// The address of a page and its title.
pub(super) type Titled = (String, Option<String>);

impl Source {
    fn page(self) -> Option<Titled> {
        let page = self.web.or(self.maps).or(self.retrieved_context)?;
        Some((page.uri.filter(|uri| !uri.is_empty())?, page.title))
    }
}

/// A visible text of the answer, and where it begins among all of them.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) part: PartId,
    pub(super) from: usize,
}

/// The text that offsets refer to.
pub(super) struct Places<'t> {
    /// All visible text of the answer.
    pub(super) text: &'t str,
    /// The parts that it is made of, in their order.
    pub(super) spoken: &'t [Spoken],
    /// Where each part of a whole answer begins in it; empty for streams, whose increments count as one part.
    pub(super) part_starts: &'t [usize],
    /// Whether more text may follow: then what is cited may stand in it, and is not looked for elsewhere.
    pub(super) grows: bool,
}

/// A citation that byok has read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cited {
    /// The place of its text among the spoken ones.
    pub(super) at: usize,
    url: String,
    title: Option<String>,
    start: u64,
    end: u64,
}

impl Cited {
    pub(super) fn citation(&self) -> Citation {
        Citation {
            place: CitationPlace::Web { url: self.url.clone(), encrypted_index: None },
            title: self.title.clone(),
            cited_text: None,
            start: Some(self.start),
            end: Some(self.end),
            verbatim: None,
        }
    }
}

impl Places<'_> {
    /// The bytes that a segment means. Where they do not hold its words, the nearest place that does.
    fn bytes(&self, segment: &Segment) -> Option<(usize, usize)> {
        let base = self.part_starts.get(segment.part_index.unwrap_or(0)).copied().unwrap_or(0);
        let start = base.checked_add(segment.start_index.unwrap_or(0))?;
        let end = base.checked_add(segment.end_index?)?;
        let words = segment.text.as_deref().filter(|words| !words.is_empty());
        if self.text.get(start..end).is_some_and(|found| words.is_none_or(|words| words == found)) {
            return Some((start, end));
        }
        let words = words.filter(|_| !self.grows)?;
        let found = self.text.match_indices(words).map(|(at, _)| at).min_by_key(|at| at.abs_diff(start))?;
        Some((found, found + words.len()))
    }

    /// The texts that a segment covers, each with the characters of it that are meant.
    fn chars(&self, segment: &Segment) -> Vec<(usize, u64, u64)> {
        let Some((start, end)) = self.bytes(segment) else { return Vec::new() };
        let first = self.spoken.partition_point(|text| text.from <= start).saturating_sub(1);
        let texts = self.spoken.iter().enumerate().skip(first).take_while(|(_, text)| text.from < end);
        let within = |(at, text): (usize, &Spoken)| {
            let to = self.spoken.get(at + 1).map_or(self.text.len(), |next| next.from);
            let (start, end) = (start.max(text.from), end.min(to));
            let count = |to: usize| self.text.get(text.from..to).map(|text| text.chars().count() as u64);
            (start < end).then_some((at, count(start)?, count(end)?))
        };
        texts.filter_map(within).collect()
    }
}

/// The citations that a `groundingMetadata` makes.
pub(super) fn citations(metadata: &Json, places: &Places<'_>) -> Vec<Cited> {
    let Ok(grounding) = metadata.read::<Grounding>() else { return Vec::new() };
    let pages: Vec<_> = grounding.chunks.unwrap_or_default().into_iter().map(Source::page).collect();
    let mut citations = Vec::new();
    for support in grounding.supports.unwrap_or_default() {
        let found = support.segment.as_ref().map(|segment| places.chars(segment)).unwrap_or_default();
        let indices = support.grounding_chunk_indices.unwrap_or_default();
        for (at, start, end) in found {
            for index in &indices {
                if let Some(Some((url, title))) = pages.get(*index) {
                    citations.push(Cited { at, url: url.clone(), title: title.clone(), start, end });
                }
            }
        }
    }
    citations
}

/// The citations that a `citationMetadata` makes.
pub(super) fn recitations(metadata: &Json, places: &Places<'_>) -> Vec<Cited> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Metadata {
        #[serde(alias = "citationSources", alias = "citation_sources")]
        citations: Option<Vec<Quote>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Quote {
        start_index: Option<usize>,
        end_index: Option<usize>,
        uri: Option<String>,
        title: Option<String>,
    }
    let quotes = metadata.read::<Metadata>().unwrap_or_default().citations.unwrap_or_default();
    let mut citations = Vec::new();
    for quote in quotes {
        let segment =
            Segment { start_index: quote.start_index, end_index: quote.end_index, ..Segment::default() };
        let Some(url) = quote.uri else { continue };
        for (at, start, end) in places.chars(&segment) {
            citations.push(Cited { at, url: url.clone(), title: quote.title.clone(), start, end });
        }
    }
    citations
}

/// What was searched for and the pages that were found. `None` if nothing was: pages that Gemini read by their address, and
/// those of a store, are sources without a search.
pub(super) fn search(metadata: &Json) -> Option<(String, Vec<Titled>)> {
    let grounding: Grounding = metadata.read().ok()?;
    let mut queries = grounding.queries.unwrap_or_default();
    queries.retain(|query| !query.is_empty());
    let pages: Vec<_> = grounding.chunks.unwrap_or_default().into_iter().filter_map(Source::page).collect();
    (!queries.is_empty()).then(|| (queries.join("; "), pages))
}

/// Collects what other dialects say about sources, to be written as `groundingMetadata`.
#[derive(Debug, Default)]
pub(super) struct Collected {
    queries: Vec<String>,
    pages: Vec<Titled>,
    supports: Vec<(usize, usize, String, Vec<usize>)>,
}

impl Collected {
    /// A search was made.
    pub(super) fn query(&mut self, query: String) {
        if !query.is_empty() && !self.queries.contains(&query) {
            self.queries.push(query);
        }
    }

    /// A page was found.
    pub(super) fn page(&mut self, url: &str, title: Option<&String>) -> usize {
        if let Some(known) = self.pages.iter().position(|(known, _)| known == url) {
            return known;
        }
        self.pages.push((url.to_owned(), title.cloned()));
        self.pages.len() - 1
    }

    /// The bytes `start..end` of the answer, which say `text`, rest on a page.
    pub(super) fn support(&mut self, start: usize, end: usize, text: &str, page: usize) {
        match self.supports.iter_mut().find(|s| (s.0, s.1) == (start, end)) {
            Some((.., pages)) if pages.contains(&page) => {}
            Some((.., pages)) => pages.push(page),
            None => self.supports.push((start, end, text.to_owned(), vec![page])),
        }
    }

    /// The metadata; `None` if there is nothing to say.
    pub(super) fn metadata(&self) -> Option<Json> {
        if self.queries.is_empty() && self.pages.is_empty() {
            return None;
        }
        Some(object(|metadata| {
            if !self.queries.is_empty() {
                metadata.value("webSearchQueries", &self.queries);
            }
            if !self.pages.is_empty() {
                fields::list(metadata.key("groundingChunks"), &self.pages, |out, (url, title)| {
                    let mut chunk = Fields::open(out);
                    let mut web = Fields::open(chunk.key("web"));
                    web.string("uri", url);
                    web.option("title", title.as_ref());
                    web.close();
                    chunk.close();
                });
            }
            if !self.supports.is_empty() {
                fields::list(
                    metadata.key("groundingSupports"),
                    &self.supports,
                    |out, (start, end, text, pages)| {
                        let mut support = Fields::open(out);
                        let mut segment = Fields::open(support.key("segment"));
                        segment.value("startIndex", start);
                        segment.value("endIndex", end);
                        segment.string("text", text);
                        segment.close();
                        support.value("groundingChunkIndices", pages);
                        support.close();
                    },
                );
            }
        }))
    }
}

/// The byte at which the character `index` of `text` begins; the end for an index beyond it.
pub(super) fn byte_of_char(text: &str, index: u64) -> usize {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
}
