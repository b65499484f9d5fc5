//! Reading a form with files.

use crate::{call::Call, refusal::Refusal};
use serde_json::{Map, Value, json};

/// The fields of a form: texts as they are, files as their name and size.
pub(super) fn read(call: &Call) -> Result<Value, Refusal> {
    let kind = call.header("content-type").unwrap_or_default();
    let Some(boundary) =
        kind.strip_prefix("multipart/form-data; boundary=").map(|text| text.trim_matches('"'))
    else {
        return Err(malformed("Content-Type must be multipart/form-data"));
    };
    let mark = format!("--{boundary}");
    let body = &call.body[..];
    let mut fields = Map::new();
    let mut rest = body.strip_prefix(mark.as_bytes()).ok_or_else(|| malformed("no boundary at the start"))?;
    while !rest.starts_with(b"--\r\n") {
        let part = rest.strip_prefix(b"\r\n").ok_or_else(|| malformed("no line behind a boundary"))?;
        let end = memchr::memmem::find(part, format!("\r\n{mark}").as_bytes());
        let end = end.ok_or_else(|| malformed("no last boundary"))?;
        let split = memchr::memmem::find(&part[..end], b"\r\n\r\n")
            .ok_or_else(|| malformed("a part without a head"))?;
        let head = String::from_utf8_lossy(&part[..split]).into_owned();
        let value = &part[split + 4..end];
        let parameter = |name: &str| {
            let start = head.find(&format!(" {name}=\""))? + name.len() + 3;
            head[start..].split('"').next().map(str::to_owned)
        };
        let name = parameter("name").ok_or_else(|| malformed("a part without a name"))?;
        let value = match parameter("filename") {
            Some(filename) => json!({"filename": filename, "bytes": value.len()}),
            None => Value::from(String::from_utf8_lossy(value).into_owned()),
        };
        if fields.insert(name.clone(), value).is_some() {
            return Err(malformed(&format!("'{name}' twice")));
        }
        rest = &part[end + 2 + mark.len()..];
    }
    Ok(Value::Object(fields))
}

fn malformed(why: &str) -> Refusal {
    Refusal::new(400, "invalid_request_error", format!("Could not parse multipart form ({why})"))
}
