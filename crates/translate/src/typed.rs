//! Tools that have a type of their own and that the client runs, for models that know no such type.

use crate::{
    ir::{Flavour, FunctionTool, TypedTool},
    messages, responses,
};
use byok_types::Dialect;

/// The tool as a plain function; `None` for one that only the models of its vendor can use.
pub(crate) fn as_function(tool: &TypedTool) -> Option<FunctionTool> {
    match tool.verbatim.dialect {
        Dialect::Responses => responses::typed::as_function(tool),
        Dialect::Chat | Dialect::Messages | Dialect::Gemini => messages::typed::as_function(tool),
    }
}

/// Whether the client can do something with such arguments of a call, which are JSON.
pub(crate) fn can_be_run(flavour: Flavour, arguments: &str) -> bool {
    flavour != Flavour::LocalShell || responses::typed::command(arguments).is_some()
}
