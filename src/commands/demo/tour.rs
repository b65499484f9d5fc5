//! What `byok demo` prints: lines that can be pasted into another terminal.

use crate::commands::serve::greeting::exports;

/// A request of the tour.
struct Try {
    what: &'static str,
    path: &'static str,
    body: &'static str,
    stream: bool,
}

/// Every dialect, in one piece and as a stream. The models are of other vendors on purpose: any of them is served in any
/// dialect.
const TRIES: [Try; 8] = [
    Try {
        what: "OpenAI Chat Completions",
        path: "/v1/chat/completions",
        body: r#"{"model":"gpt-5.5","messages":[{"role":"user","content":"Hello"}]}"#,
        stream: false,
    },
    Try {
        what: "the same as a stream, answered by a Claude model",
        path: "/v1/chat/completions",
        body: r#"{"model":"claude-sonnet-5","stream":true,"messages":[{"role":"user","content":"Hello"}]}"#,
        stream: true,
    },
    Try {
        what: "OpenAI Responses",
        path: "/v1/responses",
        body: r#"{"model":"gpt-5.5","input":"Hello"}"#,
        stream: false,
    },
    Try {
        what: "the same as a stream, answered by a Gemini model",
        path: "/v1/responses",
        body: r#"{"model":"gemini-3.5-flash","stream":true,"input":"Hello"}"#,
        stream: true,
    },
    Try {
        what: "Anthropic Messages",
        path: "/v1/messages",
        body: r#"{"model":"claude-sonnet-5","max_tokens":1024,"messages":[{"role":"user","content":"Hello"}]}"#,
        stream: false,
    },
    Try {
        what: "the same as a stream, answered by an OpenAI model",
        path: "/v1/messages",
        body: r#"{"model":"gpt-5.5","max_tokens":1024,"stream":true,"messages":[{"role":"user","content":"Hello"}]}"#,
        stream: true,
    },
    Try {
        what: "Gemini",
        path: "/v1beta/models/gemini-3.5-flash:generateContent",
        body: r#"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#,
        stream: false,
    },
    Try {
        what: "the same as a stream, answered by a Claude model",
        path: "/v1beta/models/claude-sonnet-5:streamGenerateContent?alt=sse",
        body: r#"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#,
        stream: true,
    },
];

/// What to say in place of `Hello`.
const SCENARIOS: [(&str, &str); 7] = [
    ("sim:languages", "good morning in a dozen scripts"),
    ("sim:thinking", "the model thinks first"),
    ("sim:slow", "ten pieces, one every fifth of a second"),
    ("sim:long 50", "fifty pieces"),
    ("sim:429 20", "the vendor asks to wait 20 seconds; until then byok answers by itself"),
    ("sim:error_mid", "the stream breaks off, and the client is told in its own dialect"),
    ("sim:529", "the vendor is overloaded"),
];

/// The whole text for a server at `base`, with a link to the page of a login.
pub(super) fn text(base: &str, login: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut lines = vec![
        format!("byok {version} demo listens on {base}"),
        "Every answer is simulated; nobody is contacted, nothing is kept. Ctrl-C ends it.".to_owned(),
        "\nPaste any of these lines into another terminal:".to_owned(),
    ];
    for Try { what, path, body, stream } in TRIES {
        let flags = if stream { "-sN" } else { "-s" };
        lines.push(format!("\n# {what}"));
        lines.push(format!("curl {flags} '{base}{path}' -H 'content-type: application/json' -d '{body}'"));
    }
    lines.push(format!("\n# what can be asked for\ncurl -s '{base}/v1/models'"));
    lines.push("\nOr point a tool here; any API key will do:\n".to_owned());
    lines.extend(exports(base).iter().map(|line| line.trim_start().to_owned()));
    if let Some(link) = login {
        lines.push(format!(
            "\nTo see a login, of a simulated Claude plan, open this page (the link is good once, for 10 minutes; another start of the demo makes another):\n\n{link}"
        ));
    }
    lines.push("\nSay one of these in place of `Hello`:\n".to_owned());
    lines.extend(SCENARIOS.iter().map(|(say, what)| format!("  {say:<16}{what}")));
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use byok_simulator::SCENARIOS as KNOWN;

    #[test]
    fn every_scenario_of_the_tour_exists() {
        for (say, _) in SCENARIOS {
            let name = say.trim_start_matches("sim:").split(' ').next().unwrap();
            assert!(KNOWN.iter().any(|scenario| scenario.name == name), "{say}");
        }
    }
}
