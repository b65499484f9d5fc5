//! The table of scenarios, as people read it.

/// What a scenario changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScenarioKind {
    /// What is answered.
    Answer,
    /// How fast, and how the bytes lie on the wire.
    Wire,
    /// The call fails before an answer begins.
    Failure,
    /// The answer breaks or is broken.
    Broken,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioDoc {
    /// Name behind `sim:`.
    pub name: &'static str,
    /// Arguments, with their defaults.
    pub arguments: &'static str,
    /// What it changes.
    pub kind: ScenarioKind,
    /// What happens, in one sentence.
    pub what: &'static str,
}

const fn row(
    name: &'static str,
    arguments: &'static str,
    kind: ScenarioKind,
    what: &'static str,
) -> ScenarioDoc {
    ScenarioDoc { name, arguments, kind, what }
}

use ScenarioKind::{Answer, Broken, Failure, Wire};

/// Every scenario by name.
pub const SCENARIOS: &[ScenarioDoc] = &[
    row("text", "[WORDS]", Answer, "says WORDS"),
    row("languages", "", Answer, "says good morning in a dozen scripts"),
    row(
        "thinking",
        "[WORDS]",
        Answer,
        "thinks WORDS first, with a signature that is checked when it comes back",
    ),
    row("redacted", "", Answer, "thinks first and shows only the blob of it"),
    row(
        "tool",
        "NAME [JSON]",
        Answer,
        "calls the tool; without JSON its arguments are made from its schema; several make parallel calls",
    ),
    row("tools", "", Answer, "calls every declared tool in parallel"),
    row("empty_args", "NAME", Answer, "calls the tool with no arguments at all"),
    row("no_ids", "", Answer, "gives calls no ids (Gemini)"),
    row("loop", "[TURNS=2]", Answer, "calls the tools again until so many rounds of results have come back"),
    row(
        "overage",
        "",
        Answer,
        "answers and says in headers (Claude, Copilot) or in the usage from then on (Kiro, Kimi, xAI) that it is charged beyond the plan",
    ),
    row("refusal", "", Answer, "refuses in the vendor's own way"),
    row("search", "[WORDS]", Answer, "runs the vendor's web search and cites two sources"),
    row(
        "json",
        "",
        Answer,
        "answers with a JSON document (a declared schema is honoured without being asked)",
    ),
    row("stop", "REASON", Answer, "stops for REASON, in the vendor's spelling"),
    row(
        "usage",
        "[in=N] [cached=N] [written=N] [out=N] [reasoning=N]",
        Answer,
        "reports these numbers of tokens",
    ),
    row("no_usage", "", Answer, "states no numbers of tokens (Chat)"),
    row("long", "[CHUNKS=200]", Wire, "answers in so many text deltas"),
    row("late", "[MS=1000]", Wire, "sends the response headers so many milliseconds late"),
    row("slow", "[CHUNKS=10] [MS=200]", Wire, "answers in so many text deltas, one every MS milliseconds"),
    row("pace", "[MS=20] [FIRST_MS=0]", Wire, "pauses MS between deltas and FIRST_MS before the first"),
    row("split", "[CHARACTERS=1]", Wire, "makes text deltas of so many characters"),
    row("split_utf8", "", Wire, "ends chunks inside UTF-8 characters"),
    row("one_byte", "", Wire, "sends every byte as a chunk of its own"),
    row("coalesce", "", Wire, "sends all frames in one chunk"),
    row("crlf", "", Wire, "ends lines with CR LF"),
    row("noise", "", Wire, "puts comments and events that no client knows between the frames"),
    row("unstreamed", "", Wire, "answers with one JSON text where a stream was asked for"),
    row("gzip", "", Wire, "compresses the body"),
    row("gzip_silent", "", Wire, "compresses the body and does not say so"),
    row(
        "bench",
        "[chunks=64] [bytes=32] [gap_ms=0] [first_ms=0]",
        Wire,
        "skips all checks and sends a precomputed answer",
    ),
    row("400", "", Failure, "invalid request"),
    row("401", "", Failure, "credential refused, always"),
    row("401_once", "", Failure, "credential refused at the first call of a key"),
    row("402", "", Failure, "no money left"),
    row("403", "", Failure, "not allowed"),
    row("404", "", Failure, "model not found"),
    row("413", "", Failure, "body too large"),
    row("429", "[SECONDS]", Failure, "rate limit, with the vendor's headers or details"),
    row("quota", "[SECONDS=3600]", Failure, "a window of the plan is used up until then"),
    row(
        "third_party",
        "",
        Failure,
        "a plan that does not serve this program (Claude); elsewhere an invalid request",
    ),
    row(
        "extra_usage",
        "",
        Failure,
        "a feature that the plan does not pay for (Claude, 429); elsewhere a rate limit",
    ),
    row("banned", "", Failure, "the account or its organisation is closed"),
    row("context", "", Failure, "the prompt is longer than the context"),
    row("500", "", Failure, "internal error"),
    row("502", "", Failure, "bad gateway, as a web page"),
    row("503", "", Failure, "unavailable"),
    row("504", "", Failure, "gateway timeout"),
    row("529", "", Failure, "overloaded"),
    row("fail", "[TIMES=1] [STATUS=503]", Failure, "fails so many times for a key, then works"),
    row("silent", "", Failure, "reads the request and never answers"),
    row("reset", "", Failure, "resets the connection before any header"),
    row("close", "", Failure, "closes the connection before any header"),
    row("html", "[STATUS=200]", Broken, "a web page"),
    row("error_200", "", Broken, "an error object with status 200"),
    row("empty", "", Broken, "status 200 and an empty body"),
    row("error_first", "", Broken, "the stream begins with an error event"),
    row("error_mid", "[DELTAS=2]", Broken, "an error event after so many deltas"),
    row("error_bare", "[DELTAS=2]", Broken, "a bare JSON error between the frames after so many deltas"),
    row("reset_mid", "[DELTAS=2]", Broken, "the connection is reset after so many deltas"),
    row("close_mid", "[DELTAS=2]", Broken, "the connection is closed after so many deltas"),
    row(
        "half_mid",
        "[DELTAS=2]",
        Broken,
        "the connection is reset in the middle of the frame after so many deltas",
    ),
    row("stall", "", Broken, "nothing comes after the headers"),
    row(
        "stall_comments",
        "[MS=20]",
        Broken,
        "nothing but comments comes after the headers, one every MS milliseconds",
    ),
    row("stall_mid", "[DELTAS=2]", Broken, "nothing comes after so many deltas"),
    row("no_end", "", Broken, "the stream ends without its terminal event"),
    row("no_done", "", Broken, "the stream ends without `[DONE]` (Chat)"),
    row("endless_line", "[MIB=80]", Broken, "one line of so many MiB without an end"),
    row("invalid_utf8", "", Broken, "bytes that are no UTF-8 inside the text"),
    row("gzip_bomb", "[MIB=1024]", Broken, "a small body that unpacks to so many MiB of spaces"),
    row("huge_headers", "[KIB=64]", Broken, "so many KiB of response headers before a good answer"),
];

/// Whether there is a scenario of this name.
pub(super) fn known(name: &str) -> bool {
    SCENARIOS.iter().any(|row| row.name == name)
}
