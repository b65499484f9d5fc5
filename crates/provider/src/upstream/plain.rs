//! Responses as servers speak it that are not the first vendor of the dialect.

/// Words of bodies that have to be said anew: kinds of tools and items that only the first vendor has.
const FOREIGN: [&str; 9] = [
    "\"namespace\"",
    "\"custom\"",
    "\"additional_tools\"",
    "\"tool_search\"",
    "\"tool_search_call\"",
    "\"local_shell\"",
    "\"local_shell_call\"",
    "\"agent_message\"",
    "\"custom_tool_call\"",
];

/// Whether a body has nothing that must be translated.
pub(super) fn is_plain(body: &[u8]) -> bool {
    FOREIGN.iter().all(|word| memchr::memmem::find(body, word.as_bytes()).is_none())
}
