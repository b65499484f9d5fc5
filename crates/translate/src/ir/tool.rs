use super::{CacheHint, Extra, Flavour, Opaque, ServerTool};
use crate::Json;

/// A tool that the model may use.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// A function with a JSON schema, run by the client.
    Function(FunctionTool),
    /// A tool with free text input, run by the client.
    Custom(CustomTool),
    /// Tools under a common name (Responses).
    Namespace {
        /// Name of the group.
        name: String,
        /// What the group is for.
        description: Option<String>,
        /// Functions and custom tools.
        tools: Vec<Tool>,
        /// Unknown fields.
        extra: Extra,
    },
    /// A tool that the vendor runs.
    Hosted(HostedTool),
    /// A tool whose schema the model knows and the client runs (Messages `bash_…`, `text_editor_…`, `memory_…`, Responses
    /// `local_shell`), or that is called in a form of its own (Responses `tool_search` at the client).
    Typed(TypedTool),
}

/// A function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionTool {
    /// Name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of the arguments, verbatim. `None` and `null` mean that there are none.
    pub schema: Option<Json>,
    /// Whether the vendor must enforce the schema.
    pub strict: Option<bool>,
    /// JSON schema of the answer.
    pub output_schema: Option<Json>,
    /// Whether it is shown to the model only after a tool search.
    pub defer_loading: Option<bool>,
    /// Example inputs (Messages).
    pub examples: Option<Json>,
    /// Who may call it (Messages and Responses).
    pub allowed_callers: Option<Json>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// Unknown fields.
    pub extra: Extra,
}

/// What the input of a custom tool looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CustomFormat {
    /// Any text.
    #[default]
    Text,
    /// Text by a grammar.
    Grammar {
        /// `lark` or `regex`.
        syntax: String,
        /// The grammar.
        definition: String,
    },
}

/// A tool with free text input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomTool {
    /// Name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// What the input looks like.
    pub format: CustomFormat,
    /// Whether it is shown to the model only after a tool search.
    pub defer_loading: Option<bool>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// Unknown fields.
    pub extra: Extra,
}

/// Settings of a hosted web search that more than one dialect knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebSearch {
    /// Most searches in one turn.
    pub max_uses: Option<u32>,
    /// Only these domains.
    pub allowed_domains: Vec<String>,
    /// Not these domains.
    pub blocked_domains: Vec<String>,
    /// Where the user is, verbatim: an object with `city`, `region`, `country`, `timezone`.
    pub user_location: Option<Json>,
    /// `low`, `medium` or `high`.
    pub context_size: Option<String>,
}

/// A tool that the vendor runs.
#[derive(Clone, Debug, PartialEq)]
pub struct HostedTool {
    /// Kind of tool.
    pub tool: ServerTool,
    /// The vendor's type (`web_search_20250305`, `web_search`, `googleSearch`, `web_search_options`).
    pub type_name: String,
    /// Settings, where the tool is a web search.
    pub web_search: Option<WebSearch>,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// The definition as it was sent, for targets of the same dialect.
    pub verbatim: Opaque,
}

/// A tool that has a type of its own and that the client runs.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedTool {
    /// The vendor's type (`bash_20250124`, `local_shell`).
    pub type_name: String,
    /// Name under which the model calls it.
    pub name: String,
    /// The form of its calls.
    pub flavour: Flavour,
    /// Cache marker.
    pub cache: Option<CacheHint>,
    /// The definition as it was sent.
    pub verbatim: Opaque,
}

/// A tool by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NamedTool {
    /// How it takes its input.
    pub flavour: Flavour,
    /// Name.
    pub name: String,
    /// Namespace (Responses).
    pub namespace: Option<String>,
}

impl NamedTool {
    /// Namespace and name.
    pub fn in_full(&self) -> (Option<&str>, &str) {
        (self.namespace.as_deref(), &self.name)
    }
}

/// Whether and which tool the model must use.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool.
    None,
    /// Some tool.
    Required,
    /// This tool.
    Named(NamedTool),
    /// One of these tools, or (unless `required`) none.
    Allowed {
        /// Whether a tool must be used.
        required: bool,
        /// The tools.
        tools: Vec<NamedTool>,
    },
    /// This tool of the vendor.
    Hosted {
        /// The vendor's type.
        type_name: String,
        /// Kind of tool.
        tool: ServerTool,
    },
    /// The model decides, and calls are checked against the schemas (Gemini `VALIDATED`).
    Validated,
    /// A choice known only verbatim.
    Opaque(Opaque),
}
