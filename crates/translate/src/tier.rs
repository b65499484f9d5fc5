//! The tier that an answer was served at. Vendors name the same few by other words, and clients read them as enumerations.

use byok_types::Dialect;

/// The word that clients of `client` know for what the upstream called `word`; `None` where they know none.
pub(crate) fn told(word: &str, client: Dialect) -> Option<&'static str> {
    let [chat, responses, messages, gemini] = match word {
        "default" | "standard" => [Some("default"), Some("default"), Some("standard"), Some("standard")],
        "priority" | "fast" => [Some("priority"); 4],
        "flex" => [Some("flex"), Some("flex"), None, Some("flex")],
        "auto" => [Some("auto"), Some("auto"), None, None],
        "scale" => [Some("scale"), Some("scale"), None, None],
        "ultrafast" => [None, Some("ultrafast"), None, None],
        "batch" => [None, None, Some("batch"), None],
        _ => [None; 4],
    };
    match client {
        Dialect::Chat => chat,
        Dialect::Responses => responses,
        Dialect::Messages => messages,
        Dialect::Gemini => gemini,
    }
}
