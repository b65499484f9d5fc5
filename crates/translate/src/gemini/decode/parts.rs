use super::{
    content::Content,
    keep_inner,
    media::{file_part, inline_part},
};
use crate::{
    Json, content_id,
    gemini::{
        MADE_UP, blob,
        fields::object,
        is_made_up,
        keys::{camel, canonical},
        server,
        wire::{WireCall, WireContent, WirePart, WireResult},
    },
    ir::{BlobSlot, Extra, Failure, Opaque, Part, Role, Text, Thinking, ToolCall, ToolResult},
    open_calls::{Known, OpenCalls},
    wire,
};
use byok_types::Dialect;

/// Says where something stands in the request; asked only if something is wrong with it.
pub(super) type Field<'f> = &'f dyn Fn() -> String;

/// Reads the parts of one content after the other and remembers the calls, so that results without an id find theirs.
#[derive(Default)]
pub(super) struct Reader {
    turn: usize,
    calls: OpenCalls,
    /// Whether somebody else spoke since the last call: the next model turn begins a new step.
    answered: bool,
    /// The id of the last call of a tool that Gemini runs.
    server_call: String,
}

/// What stands beside the data of a part.
struct Side {
    signature: Option<String>,
    extra: Extra,
}

impl Reader {
    /// The next content begins.
    pub(super) fn turn(&mut self, index: usize, role: Role) {
        self.turn = index;
        if role == Role::Assistant {
            if std::mem::take(&mut self.answered) {
                self.calls.clear();
            }
        } else {
            self.answered = true;
        }
    }

    /// The parts of a content. `field` says where it stands in the request.
    pub(super) fn content(&mut self, field: Field<'_>, content: WireContent) -> Result<Vec<Part>, Failure> {
        let mut parts = Content::with_capacity(content.parts.0.len());
        self.add(field, content, &mut parts)?;
        Ok(parts.finish())
    }

    /// Adds the parts of a content to those that came before it.
    pub(super) fn add(
        &mut self,
        field: Field<'_>,
        content: WireContent,
        parts: &mut Content,
    ) -> Result<(), Failure> {
        for (index, part) in content.parts.0.into_iter().enumerate() {
            self.part(&|| format!("{}.parts[{index}]", field()), index, part, parts)?;
        }
        Ok(())
    }

    fn part(
        &mut self,
        field: Field<'_>,
        index: usize,
        mut part: WirePart,
        out: &mut Content,
    ) -> Result<(), Failure> {
        let mut extra = Extra::default();
        for (name, value) in std::mem::take(&mut part.extra) {
            extra.push(Dialect::Gemini, canonical(name), value);
        }
        if let Some(resolution) = part.resolution.take() {
            extra.push(Dialect::Gemini, "mediaResolution", camel(resolution));
        }
        if let Some(call) = part.call.take() {
            return self.call(field, index, call, Side { signature: part.signature, extra }, out);
        }
        if let Some(result) = part.result.take() {
            let result = self.result(field, result, extra)?;
            out.push(Part::ToolResult(result));
            return Ok(());
        }
        if part.inline.is_some() || part.file.is_some() {
            // Generated pictures are signed, too; their parts have no other slot for it.
            if let Some(signature) = part.signature.as_deref().filter(|s| !s.is_empty()) {
                extra.push(Dialect::Gemini, "thoughtSignature", Json::string(signature));
            }
            if part.thought {
                extra.push(
                    Dialect::Gemini,
                    "thought",
                    Json::from_value(&true).unwrap_or_else(|_| Json::null()),
                );
            }
        }
        if let Some(inline) = part.inline.take() {
            out.push(inline_part(field, inline, part.video, extra)?);
            return Ok(());
        }
        if let Some(file) = part.file.take() {
            out.push(file_part(field, file, part.video, extra)?);
            return Ok(());
        }
        if part.code.is_some()
            || part.code_result.is_some()
            || part.tool_call.is_some()
            || part.tool_response.is_some()
        {
            self.server_part(part, &extra, out);
            return Ok(());
        }
        text_part(part, extra, out);
        Ok(())
    }

    fn call(
        &mut self,
        field: Field<'_>,
        index: usize,
        call: WireCall,
        side: Side,
        out: &mut Content,
    ) -> Result<(), Failure> {
        let Side { signature, mut extra } = side;
        if call.name.is_empty() {
            return Err(Failure::bad_request(
                format!("{}.functionCall.name", field()),
                "a function call has no name. Send it as the model made it.",
            ));
        }
        keep_inner(&mut extra, "functionCall", call.extra);
        let arguments = call.args.filter(|args| !args.is_null()).unwrap_or_else(Json::empty_object);
        let call_id = call
            .id
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| made_up_id(&self.turn.to_string(), index, &call.name, arguments.get()));
        self.calls.push(call_id.clone(), call.name.clone(), is_made_up(&call_id));
        let blob = out.attach(signature.as_deref(), BlobSlot::Call);
        out.push(Part::ToolCall(ToolCall {
            call_id,
            name: call.name,
            arguments: arguments.get().to_owned(),
            blob,
            extra,
            ..ToolCall::default()
        }));
        Ok(())
    }

    fn result(
        &mut self,
        field: Field<'_>,
        result: WireResult,
        mut extra: Extra,
    ) -> Result<ToolResult, Failure> {
        keep_inner(&mut extra, "functionResponse", result.extra);
        let call_id = self.call_of(&result.name, result.id.as_deref().unwrap_or_default());
        let response = result.response.unwrap_or_else(Json::empty_object);
        let (text, failed) = result_text(&response);
        let mut parts = Content::default();
        parts.push(Part::text(text));
        for (index, part) in result.parts.0.into_iter().enumerate() {
            self.part(&|| format!("{}.functionResponse.parts[{index}]", field()), index, part, &mut parts)?;
        }
        Ok(ToolResult {
            call_id,
            name: (!result.name.is_empty()).then_some(result.name),
            parts: parts.finish(),
            object: response.is_object().then_some(response),
            is_error: failed.then_some(true),
            extra,
            ..ToolResult::default()
        })
    }

    /// The id of the call that a result answers: the one it names, else the first open call of that name, else the first
    /// open call at all.
    fn call_of(&mut self, name: &str, id: &str) -> String {
        if id.is_empty() {
            let found = if name.is_empty() {
                self.calls.answer_first()
            } else {
                self.calls.answer(Known::Name, name)
            };
            let found = found.map(str::to_owned);
            return found
                .unwrap_or_else(|| made_up_id(&self.turn.to_string(), self.calls.len(), name, "result"));
        }
        // A second result for a call stays with it.
        if self.calls.answer(Known::Id, id).is_some() || self.calls.has(id) {
            return id.to_owned();
        }
        self.calls.answer(Known::NameOnly, name).unwrap_or(id).to_owned()
    }

    /// Parts of tools that Gemini runs. They go back to Gemini as they came, signature and all.
    fn server_part(&mut self, part: WirePart, extra: &Extra, out: &mut Content) {
        let members = [
            ("executableCode", part.code),
            ("codeExecutionResult", part.code_result),
            ("toolCall", part.tool_call),
            ("toolResponse", part.tool_response),
        ];
        for (name, member) in members {
            let Some(member) = member else { continue };
            let member = server::camel_member(name, member);
            let verbatim =
                server::verbatim(name, &member, part.signature.as_deref(), extra.of(Dialect::Gemini));
            let read = server::read(name, &member, &mut self.server_call, verbatim);
            out.push(read);
        }
    }
}

/// The id of a call to which nobody gave one. It follows from where and what the call is, so a client that sends the
/// history again gets the same id again.
pub(in crate::gemini) fn made_up_id(turn: &str, index: usize, name: &str, arguments: &str) -> String {
    let tree = serde_json::from_str::<serde_json::Value>(arguments).map(|mut tree| {
        tree.sort_all_objects();
        tree.to_string()
    });
    content_id(MADE_UP, &[turn, &index.to_string(), name, tree.as_deref().unwrap_or(arguments)])
}

fn text_part(part: WirePart, extra: Extra, out: &mut Content) {
    if part.thought {
        let blob = part.signature.as_deref().and_then(|s| blob(s, BlobSlot::Thinking));
        let summary: Vec<_> = part.text.into_iter().filter(|t| !t.is_empty()).collect();
        if blob.is_some() || !summary.is_empty() {
            let redacted = Thinking::is_hidden(blob.as_ref());
            out.push(Part::Thinking(Thinking { summary, redacted, blob, extra, ..Thinking::default() }));
        }
        return;
    }
    let signature = part.signature.as_deref();
    match part.text {
        Some(text) => {
            let sealed = out.attach(signature, BlobSlot::Text);
            // An empty text that only brought the sealed reasoning of another vendor has done its work.
            let done = text.is_empty()
                && sealed.is_none()
                && signature.is_some_and(|s| blob(s, BlobSlot::Text).is_some());
            if !done {
                out.push(Part::Text(Text { text, blob: sealed, extra, ..Text::default() }));
            }
        }
        None if extra.is_empty() => {
            if let Some(sealed) = out.attach(signature, BlobSlot::Text) {
                out.push(Part::Text(Text { blob: Some(sealed), ..Text::default() }));
            }
        }
        None => {
            let json = object(|fields| {
                fields.all(extra.of(Dialect::Gemini).iter().map(|(name, value)| (name.as_str(), value)));
                fields.option("thoughtSignature", part.signature.as_ref());
                fields.option("videoMetadata", part.video.as_ref());
            });
            out.push(Part::Opaque(Opaque { dialect: Dialect::Gemini, json }));
        }
    }
}

/// What a function response says as text, and whether it reports a failure. An object whose only field is `output` or `error`
/// is taken for that field: the vendor documents these two keys, and any other object is the answer itself.
fn result_text(response: &Json) -> (String, bool) {
    if let Some(said) = only_output(response.get()) {
        return (said, false);
    }
    let mut members = response.members().unwrap_or_default();
    let (failed, said) = match members.pop() {
        Some((key, value)) if members.is_empty() && matches!(key.as_str(), "output" | "error") => {
            (key.as_str() == "error", value.get())
        }
        _ => (false, response.get()),
    };
    (wire::string(said).unwrap_or_else(|| said.to_owned()), failed)
}

/// The text of `{"output":"…"}`, which is what nearly all results are, without reading its members first.
fn only_output(response: &str) -> Option<String> {
    let (said, rest) = wire::leading_string(response.strip_prefix("{\"output\":")?)?;
    (rest == "}").then(|| said.into_owned())
}
