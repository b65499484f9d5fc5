//! Pictures and documents that a request names by address and that the encoder of an upstream would refuse for it: whoever
//! drives the call may fetch the bytes and put them in the place of the address.

use crate::{
    gemini,
    ir::{Audio, Document, Failure, Image, Part, Request, Role, Source, Video},
    loss::words,
    media,
};
use byok_types::{Dialect, ModelFacts};

/// A picture or document that is named by address.
#[derive(Debug)]
pub struct Address<'r> {
    /// Its field, in the words of the client.
    pub field: String,
    /// The address (http or https).
    pub url: String,
    /// Whether the client says that it is a picture; else it says that it is a document.
    pub picture: bool,
    source: &'r mut Source,
}

impl Address<'_> {
    /// Puts bytes in the place of the address. `data` is standard base64 with padding.
    pub fn replace(self, media_type: &str, data: String) {
        *self.source = Source::Base64 { media_type: media_type.to_owned(), data };
    }
}

/// The addresses in what the user and the tools say that an upstream of `dialect` cannot be given, in their order.
///
/// Sound and films are not among them, nor what the model could not be shown anyway.
pub fn addresses<'r>(request: &'r mut Request, dialect: Dialect, facts: &ModelFacts) -> Vec<Address<'r>> {
    let mut search = Search { client: request.dialect, dialect, facts, found: Vec::new() };
    for (index, message) in request.messages.iter_mut().enumerate() {
        let said_by_user = matches!(message.role, Role::User | Role::Tool);
        for (place, part) in message.parts.iter_mut().enumerate() {
            if said_by_user || matches!(part, Part::ToolResult(_)) {
                search.part(part, Spot { message: index, part: place, inner: None });
            }
        }
    }
    search.found
}

/// Where a part stands in the request.
#[derive(Clone, Copy)]
struct Spot {
    message: usize,
    part: usize,
    /// Place in a tool result.
    inner: Option<usize>,
}

struct Search<'a, 'r> {
    client: Dialect,
    dialect: Dialect,
    facts: &'a ModelFacts,
    found: Vec<Address<'r>>,
}

impl<'r> Search<'_, 'r> {
    fn part(&mut self, part: &'r mut Part, spot: Spot) {
        match part {
            Part::Image(Image { source, .. }) if self.facts.input.image => self.source(source, true, spot),
            Part::Document(Document { source: Source::Parts(parts), .. }) => {
                for part in parts {
                    self.part(part, spot);
                }
            }
            Part::Document(Document { source, .. }) if self.facts.input.pdf => {
                self.source(source, false, spot);
            }
            Part::ToolResult(result) => {
                for (inner, part) in result.parts.iter_mut().enumerate() {
                    self.part(part, Spot { inner: Some(inner), ..spot });
                }
            }
            _ => {}
        }
    }

    fn source(&mut self, source: &'r mut Source, picture: bool, spot: Spot) {
        if let Source::Url { url, .. } = source
            && is_http(url)
            && !self.takes(url, picture)
        {
            let (field, url) = (self.field(spot), url.clone());
            self.found.push(Address { field, url, picture, source });
        }
    }

    /// Whether the encoder passes the address on.
    fn takes(&self, url: &str, picture: bool) -> bool {
        let (native, by_url) = (self.client == self.dialect, self.facts.input.url);
        if self.client == Dialect::Gemini && !native && gemini::is_stored_by_google(url) {
            return false;
        }
        match self.dialect {
            Dialect::Chat if picture => by_url,
            // A document has no address in this dialect; what a client of its own says there is the server's to judge.
            Dialect::Chat => native,
            Dialect::Responses => native || by_url,
            Dialect::Messages => by_url,
            Dialect::Gemini => native || by_url || gemini::is_google(url),
        }
    }

    fn field(&self, spot: Spot) -> String {
        spot.field(self.client)
    }
}

impl Spot {
    /// In the words of the client.
    fn field(self, client: Dialect) -> String {
        let Self { message, part, inner } = self;
        match inner {
            Some(inner) => words::within(client, message, part, inner),
            None => words::content(client, message, part),
        }
    }
}

/// The first field that names what lies in a store of Google's, which no other vendor can read.
pub(crate) fn stored_by_google(request: &Request) -> Option<String> {
    let stored = |part: &Part| {
        let (Part::Image(Image { source, .. }) | Part::Document(Document { source, .. })) = part else {
            return false;
        };
        matches!(source, Source::Url { url, .. } if gemini::is_stored_by_google(url))
    };
    for (message, said) in request.messages.iter().enumerate() {
        for (at, part) in said.parts.iter().enumerate() {
            let inner = match part {
                Part::ToolResult(result) => result.parts.iter().position(stored),
                _ => None,
            };
            if inner.is_some() || stored(part) {
                return Some(Spot { message, part: at, inner }.field(request.dialect));
            }
        }
    }
    None
}

/// Refuses what is named by an address where there is none: one that is empty, and a data URL without data. Whoever speaks the
/// dialect of the vendor is told by the vendor.
pub(crate) fn check(request: &Request) -> Result<(), Failure> {
    for (message, said) in request.messages.iter().enumerate() {
        if !matches!(said.role, Role::User | Role::Tool) {
            continue;
        }
        for (at, part) in said.parts.iter().enumerate() {
            match part {
                Part::ToolResult(result) => {
                    for (inner, part) in result.parts.iter().enumerate() {
                        check_part(part, Spot { message, part: at, inner: Some(inner) }, request.dialect)?;
                    }
                }
                part => check_part(part, Spot { message, part: at, inner: None }, request.dialect)?,
            }
        }
    }
    Ok(())
}

fn check_part(part: &Part, spot: Spot, client: Dialect) -> Result<(), Failure> {
    let (Part::Image(Image { source, .. })
    | Part::Document(Document { source, .. })
    | Part::Video(Video { source, .. })
    | Part::Audio(Audio { source: Some(source), .. })) = part
    else {
        return Ok(());
    };
    let Source::Url { url, .. } = source else { return Ok(()) };
    let what = match url.trim() {
        "" => "has an empty address: send an address, or the bytes in base64",
        url if media::is_data_url(url) => "has a data URL without data: send data:TYPE;base64,DATA",
        _ => return Ok(()),
    };
    let field = spot.field(client);
    let message = format!("`{field}` {what}.");
    Err(Failure::bad_request(field, message))
}

fn is_http(url: &str) -> bool {
    let begins =
        |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

#[cfg(test)]
mod tests;
