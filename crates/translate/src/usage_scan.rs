//! Reading token counts and the end of an answer beside a stream that is passed through.
//!
//! The scanner follows the JSON structure byte by byte, so a text that contains `"usage":{` never counts; it is right for any
//! split of the bytes and holds nothing but a short key, a short word and a number.

use byok_types::{Dialect, Usage};

/// Deepest level at which keys are followed; no counter stands deeper.
const LEVELS: usize = 8;
/// Longest key or word that matters.
const WORD: usize = 64;

/// Follows the bytes of an answer.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent observations, one line each")]
pub struct UsageScanner {
    dialect: Dialect,
    line: Line,
    json: Json,
    done: Done,
    usage: Usage,
    /// What the vendor gives as the sum (Chat).
    total: Option<u64>,
    /// A counter was seen.
    seen: bool,
    /// Events of a Responses stream by their running number.
    events: u64,
    /// The id under which a Responses stream began.
    response: Option<String>,
    ended: bool,
    /// Whether a choice of a Chat answer has ended.
    finished: bool,
    failed: bool,
}

/// Where in a line of server-sent events the scanner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// The body is one JSON text without lines.
    None,
    /// Matching the letters of `data:`; the number says how many have been seen.
    Name(u8),
    /// In the data of a line.
    Data,
    /// In a line that does not matter.
    Skip,
}

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent states of a scanner that is copied nowhere")]
struct Json {
    depth: usize,
    /// For each level: the key in it, if it matters (see `key_id`), or 0.
    path: [u8; LEVELS],
    /// For each level: whether it is an object.
    object: [bool; LEVELS],
    /// In an object: whether a key comes next (else a value).
    expect_key: bool,
    in_string: bool,
    escaped: bool,
    string_is_key: bool,
    word: Word,
    number: Option<u64>,
    number_broken: bool,
}

#[derive(Debug)]
struct Word {
    bytes: [u8; WORD],
    length: usize,
}

impl Default for Word {
    fn default() -> Self {
        Self { bytes: [0; WORD], length: 0 }
    }
}

impl Word {
    fn clear(&mut self) {
        self.length = 0;
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.length < WORD {
                self.bytes[self.length] = byte;
            }
            self.length = (self.length + 1).min(WORD + 1);
        }
    }

    fn get(&self) -> &[u8] {
        if self.length <= WORD { &self.bytes[..self.length] } else { &[] }
    }
}

/// Keys that lead to a counter or to the end of an answer. 0 is every other key, 255 is an element of a list.
macro_rules! keys {
    ($($id:ident = $number:literal : $($text:literal)|+ ;)*) => {
        $( const $id: u8 = $number; )*
        fn key_id(key: &[u8]) -> u8 {
            match std::str::from_utf8(key).unwrap_or_default() {
                $( $($text)|+ => $number, )*
                _ => 0,
            }
        }
    };
}
keys! {
    USAGE = 1: "usage" | "usageMetadata";
    MESSAGE = 2: "message" | "response";
    INPUT = 3: "prompt_tokens" | "input_tokens" | "promptTokenCount";
    OUTPUT = 4: "completion_tokens" | "output_tokens" | "candidatesTokenCount";
    INPUT_DETAILS = 5: "prompt_tokens_details" | "input_tokens_details";
    OUTPUT_DETAILS = 6: "completion_tokens_details" | "output_tokens_details";
    CACHED = 7: "cached_tokens" | "cache_read_input_tokens" | "cachedContentTokenCount" | "prompt_cache_hit_tokens"
        | "num_cached_tokens";
    WRITTEN = 8: "cache_write_tokens" | "cache_creation_input_tokens";
    REASONING = 9: "reasoning_tokens" | "thinking_tokens" | "thoughtsTokenCount";
    TOOL_INPUT = 10: "toolUsePromptTokenCount";
    TYPE = 11: "type";
    ERROR = 12: "error";
    CHOICES = 13: "choices" | "candidates";
    FINISH = 14: "finish_reason" | "finishReason";
    STATUS = 15: "status";
    STOP = 16: "stop_reason";
    BLOCKED = 17: "promptFeedback";
    SEQUENCE = 18: "sequence_number";
    TOTAL = 19: "total_tokens";
    ID = 20: "id";
    BASE = 21: "base_resp";
    CODE = 22: "status_code";
}
const ELEMENT: u8 = 255;

impl UsageScanner {
    /// Follows an answer of `dialect`, a stream of events or (`stream` false) one JSON text.
    pub fn new(dialect: Dialect, stream: bool) -> Self {
        let line = if stream { Line::Name(0) } else { Line::None };
        Self {
            dialect,
            line,
            json: Json::default(),
            done: Done::default(),
            usage: Usage::default(),
            total: None,
            seen: false,
            events: 0,
            response: None,
            ended: false,
            finished: false,
            failed: false,
        }
    }

    /// The counters so far; `None` if none was stated.
    pub fn usage(&self) -> Option<Usage> {
        if !self.seen {
            return None;
        }
        let mut usage = self.usage.clone();
        match self.dialect {
            // Messages counts cached parts beside the input, Gemini counts thoughts beside the output.
            Dialect::Messages => {
                let cached = usage.cache_read.unwrap_or(0).saturating_add(usage.cache_write.unwrap_or(0));
                usage.input = usage.input.map(|n| n.saturating_add(cached));
            }
            Dialect::Gemini => {
                let visible = usage.output.or(usage.reasoning.map(|_| 0));
                usage.output = visible.map(|n| n.saturating_add(usage.reasoning.unwrap_or(0)));
            }
            // xAI counts reasoning in the total only; everywhere else it is part of the completion.
            Dialect::Chat => {
                let sum =
                    usage.input.zip(usage.output).zip(usage.reasoning).map(|((input, output), reasoning)| {
                        let output = output.saturating_add(reasoning);
                        (input.saturating_add(output), output)
                    });
                if let (Some((sum, output)), Some(total), true) = (sum, self.total, usage.reasoning > Some(0))
                    && sum == total
                {
                    usage.output = Some(output);
                }
            }
            Dialect::Responses => {}
        }
        Some(usage)
    }

    /// The running number of the next event, where events are numbered (Responses).
    pub fn next_event(&self) -> u64 {
        self.events
    }

    /// The id under which the upstream began the answer, where its end has to repeat it (Responses).
    pub fn response(&self) -> Option<&str> {
        self.response.as_deref()
    }

    /// Whether the upstream said that the answer is over, in success or failure.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether the answer may end here: some Chat servers close a stream behind the last choice and send no `[DONE]`.
    pub fn may_end(&self) -> bool {
        self.ended || self.finished
    }

    /// Whether every object and list of a text that was passed whole is closed.
    pub fn is_closed(&self) -> bool {
        self.json.depth == 0 && !self.json.in_string
    }

    /// Whether the upstream said that the answer failed.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            match self.line {
                Line::None => {
                    self.json(bytes);
                    return;
                }
                Line::Name(seen) => {
                    bytes = rest;
                    self.line = match (first, seen) {
                        (b'\n' | b'\r', _) => Line::Name(0),
                        (b':', 4) => {
                            self.json = Json::default();
                            self.done = Done::default();
                            Line::Data
                        }
                        (byte, n) if n < 4 && byte == b"data"[n as usize] => Line::Name(n + 1),
                        _ => Line::Skip,
                    };
                }
                Line::Data | Line::Skip => {
                    let end = memchr::memchr2(b'\n', b'\r', bytes);
                    let (text, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    if self.line == Line::Data {
                        self.data(text, end.is_some());
                    }
                    if end.is_some() {
                        self.line = Line::Name(0);
                    }
                    bytes = rest.get(usize::from(end.is_some())..).unwrap_or_default();
                }
            }
        }
    }

    fn data(&mut self, text: &[u8], line_ends: bool) {
        if self.dialect == Dialect::Chat {
            self.done.push(text);
            self.ended |= line_ends && self.done.matched();
        }
        self.json(text);
        if line_ends {
            self.value_ends();
        }
    }

    fn json(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            if self.json.in_string {
                at += self.string(&bytes[at..]);
                continue;
            }
            let byte = bytes[at];
            at += 1;
            match byte {
                b'"' => {
                    let level = self.json.level();
                    self.json.in_string = true;
                    self.json.string_is_key = self.json.expect_key
                        && self.json.depth > 0
                        && level.is_some_and(|l| self.json.object[l]);
                    self.json.word.clear();
                }
                b'{' | b'[' => self.open(byte == b'{'),
                b'}' | b']' => {
                    self.value_ends();
                    self.json.depth = self.json.depth.saturating_sub(1);
                    self.json.expect_key = false;
                }
                b',' => {
                    self.value_ends();
                    self.json.expect_key = true;
                }
                b':' => self.json.expect_key = false,
                b'0'..=b'9' => self.json.digit(byte),
                b'-' | b'+' | b'.' | b'e' | b'E' => self.json.number_broken = true,
                b' ' | b'\t' | b'\n' | b'\r' => self.value_ends(),
                // Of the bare words `null` and `false` mean that a key is as good as absent.
                b't' => self.word_value(false),
                _ => {}
            }
        }
    }

    /// Passes the inside of a string; returns how many bytes it took.
    fn string(&mut self, bytes: &[u8]) -> usize {
        if self.json.escaped {
            self.json.escaped = false;
            // An escaped character makes the word one that no key of ours is.
            self.json.word.length = WORD + 1;
            return 1;
        }
        let Some(end) = memchr::memchr2(b'"', b'\\', bytes) else {
            self.json.word.add(bytes);
            return bytes.len();
        };
        self.json.word.add(&bytes[..end]);
        if bytes[end] == b'\\' {
            self.json.escaped = true;
        } else {
            self.json.in_string = false;
            if self.json.string_is_key {
                if let Some(level) = self.json.level() {
                    self.json.path[level] = key_id(self.json.word.get());
                }
            } else {
                self.word_value(true);
            }
        }
        end + 1
    }

    fn open(&mut self, object: bool) {
        self.json.number = None;
        if object && self.path() == [ERROR] {
            self.failed = true;
            self.ended = true;
        }
        if object && self.dialect == Dialect::Gemini && self.path() == [BLOCKED] {
            self.ended = true;
        }
        let depth = self.json.depth;
        self.json.depth = depth.saturating_add(1);
        if depth < LEVELS {
            self.json.object[depth] = object;
            self.json.path[depth] = if object { 0 } else { ELEMENT };
        }
        self.json.expect_key = object;
    }

    /// The keys that lead to the value at hand, elements of an outermost list (Gemini without `alt=sse`) left out. Empty for
    /// a value deeper than any counter.
    fn path(&self) -> &[u8] {
        let depth = self.json.depth;
        if depth == 0 || depth > LEVELS {
            return &[];
        }
        let path = &self.json.path[..depth];
        if path[0] == ELEMENT { &path[1..] } else { path }
    }

    /// A string (its content is the word) or a bare word that is not `null` stands at the path.
    fn word_value(&mut self, string: bool) {
        let word = if string { self.json.word.get() } else { b"" };
        if self.dialect == Dialect::Responses && self.response.is_none() && self.path() == [MESSAGE, ID] {
            self.response = std::str::from_utf8(word).ok().filter(|id| !id.is_empty()).map(str::to_owned);
        }
        let (ended, failed) = match (self.dialect, self.path()) {
            (Dialect::Messages, [TYPE]) => (word == b"message_stop" || word == b"error", word == b"error"),
            (Dialect::Messages, [STOP]) if self.line == Line::None => (true, false),
            (Dialect::Responses, [TYPE]) => (
                matches!(
                    word,
                    b"response.completed" | b"response.incomplete" | b"response.failed" | b"error"
                ),
                matches!(word, b"response.failed" | b"error"),
            ),
            (Dialect::Responses, [STATUS]) if self.line == Line::None => (true, word == b"failed"),
            (Dialect::Gemini, [CHOICES, ELEMENT, FINISH]) => (true, false),
            (Dialect::Chat, [CHOICES, ELEMENT, FINISH]) => (self.line == Line::None, false),
            (_, [ERROR]) => (true, true),
            _ => (false, false),
        };
        let finished = self.dialect == Dialect::Chat && self.path() == [CHOICES, ELEMENT, FINISH];
        self.finished |= finished && !word.is_empty();
        self.ended |= ended;
        self.failed |= failed;
    }

    fn value_ends(&mut self) {
        let number = self.json.number.take();
        let broken = std::mem::take(&mut self.json.number_broken);
        let Some(number) = number.filter(|_| !broken) else { return };
        let path = self.path();
        // MiniMax refuses by a code within an answer of status 200.
        if self.dialect == Dialect::Chat && path == [BASE, CODE] {
            self.failed |= number != 0;
            self.ended |= number != 0;
            return;
        }
        if path == [SEQUENCE] {
            self.events = number.saturating_add(1);
            return;
        }
        let ([USAGE, inner @ ..] | [MESSAGE, USAGE, inner @ ..]) = path else { return };
        let slot = match inner {
            [INPUT] => &mut self.usage.input,
            [OUTPUT] => &mut self.usage.output,
            [CACHED] | [INPUT_DETAILS, CACHED] => &mut self.usage.cache_read,
            [WRITTEN] | [INPUT_DETAILS, WRITTEN] => &mut self.usage.cache_write,
            [REASONING] | [OUTPUT_DETAILS, REASONING] => &mut self.usage.reasoning,
            [TOOL_INPUT] => &mut self.usage.tool_input,
            [TOTAL] => {
                self.total = Some(number);
                return;
            }
            _ => return,
        };
        // A zero never takes the place of a number: all-zero usage is a placeholder of some vendors.
        if number > 0 || slot.is_none() {
            *slot = Some(number);
        }
        self.seen = true;
    }
}

impl Json {
    fn level(&self) -> Option<usize> {
        self.depth.checked_sub(1).filter(|level| *level < LEVELS)
    }

    fn digit(&mut self, byte: u8) {
        let digit = u64::from(byte - b'0');
        self.number = Some(self.number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
    }
}

/// Recognises a line of data that says `[DONE]`.
#[derive(Debug, Default)]
struct Done {
    seen: usize,
    broken: bool,
}

impl Done {
    const WORD: &[u8] = b"[DONE]";

    fn push(&mut self, text: &[u8]) {
        for byte in text.iter().filter(|b| !b.is_ascii_whitespace()) {
            if self.broken || Self::WORD.get(self.seen) != Some(byte) {
                self.broken = true;
                return;
            }
            self.seen += 1;
        }
    }

    fn matched(&self) -> bool {
        !self.broken && self.seen == Self::WORD.len()
    }
}

#[cfg(test)]
mod tests;
