//! Parts of messages, and where instructions stand.

use crate::support::{
    CHAT, GEMINI, MESSAGES, RESPONSES, Row, and, check, compatible, dropped, emulated, has, lacks, refused,
    row, says, silence, silent,
};
use byok_types::{Dialect, ModelFacts};
use serde_json::{Value, json};

const PNG: &str = "iVBORw0KGgoAAAAA";
const PDF: &str = "JVBERi0xLjQK";
const SOUND: &str = "UklGRiQAAABXQVZF";

/// Where the one part of the message stands in each dialect.
const IN_CHAT: &str = "/messages/0/content/0";
const IN_RESPONSES: &str = "/input/0/content/0";
const IN_GEMINI: &str = "/contents/0/parts/0";

/// A row about a part that stands behind a text.
fn behind(name: &'static str, client: Dialect, part: &Value) -> Row {
    let text = match client {
        CHAT | MESSAGES => json!({"type": "text", "text": "x"}),
        RESPONSES => json!({"type": "input_text", "text": "x"}),
        GEMINI => json!({"text": "x"}),
    };
    row(name, client, &said(client, "user", &json!([text, part])))
}

/// A row about one part of a user's message.
fn part(name: &'static str, client: Dialect, part: &Value) -> Row {
    row(name, client, &said(client, "user", &json!([part])))
}

fn said(client: Dialect, role: &str, parts: &Value) -> Value {
    match client {
        CHAT | MESSAGES => json!({"messages": [{"role": role, "content": parts}]}),
        RESPONSES => json!({"input": [{"type": "message", "role": role, "content": parts}]}),
        GEMINI => json!({"contents": [{"role": role, "parts": parts}]}),
    }
}

fn without_addresses(facts: &mut ModelFacts) {
    facts.input.url = false;
}

#[test]
fn pictures_in_data_urls() {
    let svg = json!({"type": "image_url", "image_url": {"url": "data:image/svg+xml;utf8,<svg/>"}});
    check(&[
        part("image as text in a data URL", CHAT, &svg)
            .to(RESPONSES, has("/input/0/content/0/image_url", "data:image/svg+xml;base64,PHN2Zy8+"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(
                GEMINI,
                has(IN_GEMINI, json!({"inlineData": {"mimeType": "image/svg+xml", "data": "PHN2Zy8+"}})),
            ),
        part("image at no address", CHAT, &json!({"type": "image_url", "image_url": {"url": ""}}))
            .to(RESPONSES, refused("messages[0].content[0]"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, refused("messages[0].content[0]")),
        part(
            "data URL without data",
            RESPONSES,
            &json!({"type": "input_image", "image_url": "data:image/png"}),
        )
        .to(CHAT, refused("input[0].content[0]"))
        .to(MESSAGES, refused("input[0].content[0]"))
        .to(GEMINI, refused("input[0].content[0]")),
        part(
            "data URL as the address of a file",
            GEMINI,
            &json!({"fileData": {"fileUri": "data:image/png,%89PNG"}}),
        )
        .to(CHAT, says("data:image/png;base64,iVBORw=="))
        .to(RESPONSES, says("data:image/png;base64,iVBORw=="))
        .to(MESSAGES, says(r#""media_type":"image/png","data":"iVBORw==""#)),
    ]);
}

#[test]
fn pictures() {
    let data_url = format!("data:image/png;base64,{PNG}");
    let in_chat = json!({"type": "image_url", "image_url": {"url": data_url, "detail": "low"}});
    let in_responses = json!({"type": "input_image", "image_url": data_url, "detail": "low"});
    let source = json!({"type": "base64", "media_type": "image/png", "data": PNG});
    let in_messages = json!({"type": "image", "source": source});
    let in_gemini = json!({"inlineData": {"mimeType": "image/png", "data": PNG}});
    let wrong = json!({"type": "image_url", "image_url": {"url": format!("data:image/jpeg;base64,{PNG}")}});
    let tiff = json!({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,SUkqAAgA"}});
    let address = "https://e.org/a.png";
    let at_address = json!({"type": "image_url", "image_url": {"url": address}});
    check(&[
        part("image and detail", CHAT, &in_chat)
            .to(RESPONSES, has(IN_RESPONSES, in_responses.clone()))
            .to(
                MESSAGES,
                and(has("/messages/0/content/0/source", source.clone()), silent("messages[0].content[0]")),
            )
            .to(GEMINI, and(has(IN_GEMINI, in_gemini.clone()), silent("messages[0].content[0]"))),
        part("image and detail", RESPONSES, &in_responses)
            .to(CHAT, has(IN_CHAT, in_chat.clone()))
            .to(
                MESSAGES,
                and(has("/messages/0/content/0/source", source.clone()), silent("input[0].content[0]")),
            )
            .to(GEMINI, and(has(IN_GEMINI, in_gemini.clone()), silent("input[0].content[0]"))),
        part("image", MESSAGES, &in_messages)
            .to(CHAT, has("/messages/0/content/0/image_url/url", data_url.clone()))
            .to(RESPONSES, has("/input/0/content/0/image_url", data_url.clone()))
            .to(GEMINI, has(IN_GEMINI, in_gemini.clone())),
        part("image", GEMINI, &in_gemini)
            .to(CHAT, has("/messages/0/content/0/image_url/url", data_url.clone()))
            .to(RESPONSES, has("/input/0/content/0/image_url", data_url.clone()))
            .to(MESSAGES, has("/messages/0/content/0/source", source.clone())),
        part("image with a wrong label", CHAT, &wrong)
            .to(RESPONSES, has("/input/0/content/0/image_url", data_url.clone()))
            .to(MESSAGES, has("/messages/0/content/0/source", source.clone()))
            .to(GEMINI, has(IN_GEMINI, in_gemini.clone())),
        part("image of a type that Claude does not see", CHAT, &tiff)
            .to(RESPONSES, says("data:image/tiff"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, has("/contents/0/parts/0/inlineData/mimeType", "image/tiff")),
        part("image at a model that sees none", CHAT, &in_chat)
            .at(|facts| facts.input.image = false)
            .to(RESPONSES, refused("messages[0].content[0]"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, refused("messages[0].content[0]")),
        part("image at an address", CHAT, &at_address)
            .to(RESPONSES, has("/input/0/content/0/image_url", address))
            .to(MESSAGES, has("/messages/0/content/0/source", json!({"type": "url", "url": address})))
            .to(GEMINI, has("/contents/0/parts/0/fileData/fileUri", address)),
        part("image at an address that is not fetched", CHAT, &at_address)
            .at(without_addresses)
            .to(RESPONSES, refused("messages[0].content[0]"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, refused("messages[0].content[0]")),
        part("image at an address", RESPONSES, &json!({"type": "input_image", "image_url": address}))
            .to(CHAT, has("/messages/0/content/0/image_url/url", address))
            .to(MESSAGES, has("/messages/0/content/0/source/url", address))
            .to(GEMINI, has("/contents/0/parts/0/fileData/fileUri", address)),
        part(
            "image at an address",
            MESSAGES,
            &json!({"type": "image", "source": {"type": "url", "url": address}}),
        )
        .to(CHAT, has("/messages/0/content/0/image_url/url", address))
        .to(RESPONSES, has("/input/0/content/0/image_url", address))
        .to(GEMINI, has("/contents/0/parts/0/fileData/fileUri", address)),
        part(
            "image at an address",
            GEMINI,
            &json!({"fileData": {"mimeType": "image/png", "fileUri": address}}),
        )
        .to(CHAT, has("/messages/0/content/0/image_url/url", address))
        .to(RESPONSES, has("/input/0/content/0/image_url", address))
        .to(MESSAGES, has("/messages/0/content/0/source/url", address)),
        part("image by file id", RESPONSES, &json!({"type": "input_image", "file_id": "file-1"}))
            .to(CHAT, refused("input[0].content[0]"))
            .to(MESSAGES, refused("input[0].content[0]"))
            .to(GEMINI, refused("input[0].content[0]")),
        part(
            "image by file id",
            MESSAGES,
            &json!({"type": "image", "source": {"type": "file", "file_id": "f"}}),
        )
        .to(CHAT, refused("messages[0].content[0]"))
        .to(RESPONSES, refused("messages[0].content[0]"))
        .to(GEMINI, refused("messages[0].content[0]")),
    ]);
}

#[test]
fn documents() {
    let data_url = format!("data:application/pdf;base64,{PDF}");
    let in_chat = json!({"type": "file", "file": {"filename": "a.pdf", "file_data": data_url}});
    let in_responses = json!({"type": "input_file", "filename": "a.pdf", "file_data": data_url});
    let source = json!({"type": "base64", "media_type": "application/pdf", "data": PDF});
    let in_gemini = json!({"inlineData": {"mimeType": "application/pdf", "data": PDF}});
    let address = "https://e.org/a.pdf";
    let by_id = json!({"type": "file", "file": {"file_id": "file-1"}});
    let no_pdf = |facts: &mut ModelFacts| facts.input.pdf = false;
    let words = json!({"type": "document", "title": "T", "context": "K", "citations": {"enabled": true},
        "source": {"type": "text", "media_type": "text/plain", "data": "words"}});
    let found = json!({"type": "search_result", "source": "https://e.org", "title": "T",
        "content": [{"type": "text", "text": "words"}], "citations": {"enabled": true}});
    check(&[
        part("PDF", CHAT, &in_chat)
            .to(RESPONSES, has(IN_RESPONSES, in_responses.clone()))
            .to(MESSAGES, has("/messages/0/content/0/source", source.clone()))
            .to(GEMINI, has(IN_GEMINI, in_gemini.clone())),
        part("PDF", RESPONSES, &in_responses)
            .to(CHAT, has(IN_CHAT, in_chat.clone()))
            .to(MESSAGES, has("/messages/0/content/0/source", source.clone()))
            .to(GEMINI, has(IN_GEMINI, in_gemini.clone())),
        part("PDF", MESSAGES, &json!({"type": "document", "source": source}))
            .to(
                CHAT,
                and(has("/messages/0/content/0/file/file_data", data_url.clone()), says("document.pdf")),
            )
            .to(RESPONSES, and(has("/input/0/content/0/file_data", data_url.clone()), says("document.pdf")))
            .to(GEMINI, has(IN_GEMINI, in_gemini.clone())),
        part("PDF", GEMINI, &in_gemini)
            .to(CHAT, has("/messages/0/content/0/file/file_data", data_url.clone()))
            .to(RESPONSES, has("/input/0/content/0/file_data", data_url.clone()))
            .to(MESSAGES, has("/messages/0/content/0/source", source.clone())),
        part("PDF at a model that reads none", MESSAGES, &json!({"type": "document", "source": source}))
            .at(no_pdf)
            .to(CHAT, refused("messages[0].content[0]"))
            .to(RESPONSES, refused("messages[0].content[0]"))
            .to(GEMINI, refused("messages[0].content[0]")),
        part("PDF at a model that reads none", CHAT, &in_chat)
            .at(no_pdf)
            .to(RESPONSES, refused("messages[0].content[0]"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, refused("messages[0].content[0]")),
        part("PDF at an address", RESPONSES, &json!({"type": "input_file", "file_url": address}))
            .to(CHAT, refused("input[0].content[0]"))
            .to(MESSAGES, has("/messages/0/content/0/source", json!({"type": "url", "url": address})))
            .to(GEMINI, has("/contents/0/parts/0/fileData/fileUri", address)),
        part(
            "PDF at an address that is not fetched",
            RESPONSES,
            &json!({"type": "input_file", "file_url": address}),
        )
        .at(without_addresses)
        .to(CHAT, refused("input[0].content[0]"))
        .to(MESSAGES, refused("input[0].content[0]"))
        .to(GEMINI, refused("input[0].content[0]")),
        part(
            "PDF at an address",
            MESSAGES,
            &json!({"type": "document", "source": {"type": "url", "url": address}}),
        )
        .to(CHAT, refused("messages[0].content[0]"))
        .to(RESPONSES, has("/input/0/content/0/file_url", address))
        .to(GEMINI, has("/contents/0/parts/0/fileData/fileUri", address)),
        part("file by id", CHAT, &by_id)
            .to(RESPONSES, has("/input/0/content/0/file_id", "file-1"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, refused("messages[0].content[0]")),
        part("file by id at a compatible server", CHAT, &by_id)
            .at(compatible)
            .to(RESPONSES, refused("messages[0].content[0]"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, refused("messages[0].content[0]")),
        part("file by id", RESPONSES, &json!({"type": "input_file", "file_id": "file-1"}))
            .to(CHAT, has("/messages/0/content/0/file/file_id", "file-1"))
            .to(MESSAGES, refused("input[0].content[0]"))
            .to(GEMINI, refused("input[0].content[0]")),
        part(
            "file by id",
            MESSAGES,
            &json!({"type": "document", "source": {"type": "file", "file_id": "f"}}),
        )
        .to(CHAT, refused("messages[0].content[0]"))
        .to(RESPONSES, refused("messages[0].content[0]"))
        .to(GEMINI, refused("messages[0].content[0]")),
        part("text document", MESSAGES, &words)
            .to(CHAT, and(says("T\\n\\nK\\n\\nwords"), dropped("messages[0].content[0].citations")))
            .to(RESPONSES, and(says("T\\n\\nK\\n\\nwords"), dropped("messages[0].content[0].citations")))
            .to(GEMINI, and(says("T\\nK\\n\\nwords"), dropped("messages[0].content[0].citations"))),
        part("search result", MESSAGES, &found)
            .to(
                CHAT,
                and(says("https://e.org"), and(says("words"), dropped("messages[0].content[0].citations"))),
            )
            .to(
                RESPONSES,
                and(says("https://e.org"), and(says("words"), dropped("messages[0].content[0].citations"))),
            )
            .to(
                GEMINI,
                and(says("https://e.org"), and(says("words"), dropped("messages[0].content[0].citations"))),
            ),
    ]);
}

#[test]
fn sound_and_films() {
    let sound = json!({"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}});
    let film = json!({"type": "video_url", "video_url": {"url": "https://youtu.be/1"}});
    let own_film = json!({"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/1"}});
    check(&[
        part("sound", CHAT, &sound)
            .to(RESPONSES, refused("messages[0].content[0]"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, has(IN_GEMINI, json!({"inlineData": {"mimeType": "audio/wav", "data": SOUND}}))),
        part("sound", GEMINI, &json!({"inlineData": {"mimeType": "audio/wav", "data": SOUND}}))
            .to(CHAT, has(IN_CHAT, sound.clone()))
            .to(RESPONSES, refused("contents[0].parts[0]"))
            .to(MESSAGES, refused("contents[0].parts[0]")),
        part("film", CHAT, &film)
            .to(RESPONSES, refused("messages[0].content[0]"))
            .to(MESSAGES, refused("messages[0].content[0]"))
            .to(GEMINI, has("/contents/0/parts/0/fileData/fileUri", "https://youtu.be/1")),
        part("film", GEMINI, &own_film)
            .to(CHAT, refused("contents[0].parts[0]"))
            .to(RESPONSES, refused("contents[0].parts[0]"))
            .to(MESSAGES, refused("contents[0].parts[0]")),
        part("film at a compatible server", GEMINI, &own_film)
            .at(compatible)
            .to(CHAT, has(IN_CHAT, film.clone()))
            .to(RESPONSES, refused("contents[0].parts[0]"))
            .to(MESSAGES, refused("contents[0].parts[0]")),
        row("sound is wanted", CHAT, &json!({"modalities": ["text", "audio"], "audio": {"voice": "v"}}))
            .to(RESPONSES, refused("modalities"))
            .to(MESSAGES, and(silence("audio"), and(dropped("modalities"), dropped("audio"))))
            .to(
                GEMINI,
                and(has("/generationConfig/responseModalities", json!(["TEXT", "AUDIO"])), dropped("audio")),
            ),
        row("nothing but sound is wanted", CHAT, &json!({"modalities": ["audio"], "audio": {"voice": "v"}}))
            .to(RESPONSES, refused("modalities"))
            .to(MESSAGES, refused("modalities"))
            .to(GEMINI, has("/generationConfig/responseModalities", json!(["AUDIO"]))),
        row(
            "nothing but sound is wanted",
            GEMINI,
            &json!({"generationConfig": {"responseModalities": ["AUDIO"], "speechConfig": {"a": 1}}}),
        )
        .to(CHAT, refused("generationConfig.responseModalities"))
        .to(RESPONSES, refused("generationConfig.responseModalities"))
        .to(MESSAGES, refused("generationConfig.responseModalities")),
        row(
            "sound beside text",
            GEMINI,
            &json!({"generationConfig": {"responseModalities": ["TEXT", "AUDIO"], "speechConfig": {"a": 1}}}),
        )
        .to(
            MESSAGES,
            and(dropped("generationConfig.responseModalities"), dropped("generationConfig.speechConfig")),
        )
        .to(
            CHAT,
            and(dropped("generationConfig.responseModalities"), dropped("generationConfig.speechConfig")),
        )
        .to(RESPONSES, refused("generationConfig.responseModalities")),
        row(
            "a picture is wanted",
            GEMINI,
            &json!({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}),
        )
        .to(CHAT, dropped("generationConfig.responseModalities"))
        .to(RESPONSES, has("/tools/0/type", "image_generation"))
        .to(MESSAGES, dropped("generationConfig.responseModalities")),
    ]);
}

#[test]
fn what_only_one_dialect_has() {
    let (chat, responses, gemini) = ("messages[0].content[1]", "input[0].content[1]", "contents[0].parts[1]");
    let item = "input[0]";
    check(&[
        behind("unknown part", CHAT, &json!({"type": "mystery", "x": "secret"}))
            .to(RESPONSES, and(silence("secret"), dropped(chat)))
            .to(MESSAGES, and(silence("secret"), dropped(chat)))
            .to(GEMINI, and(silence("secret"), dropped(chat))),
        behind("unknown part", RESPONSES, &json!({"type": "input_mystery", "x": "secret"}))
            .to(CHAT, and(silence("secret"), dropped(responses)))
            .to(MESSAGES, and(silence("secret"), dropped(responses)))
            .to(GEMINI, and(silence("secret"), dropped(responses))),
        row("unknown item", RESPONSES, &json!({"input": [{"type": "mystery", "x": "secret"},
                {"type": "message", "role": "user", "content": "x"}]}))
        .to(CHAT, and(silence("secret"), dropped(item)))
        .to(MESSAGES, and(silence("secret"), dropped(item)))
        .to(GEMINI, and(silence("secret"), dropped(item))),
        behind("unknown block", MESSAGES, &json!({"type": "mystery", "x": "secret"}))
            .to(CHAT, and(silence("secret"), dropped(chat)))
            .to(RESPONSES, and(silence("secret"), dropped(chat)))
            .to(GEMINI, and(silence("secret"), dropped(chat))),
        behind("unknown part", GEMINI, &json!({"mystery": {"x": "secret"}}))
            .to(CHAT, and(silence("secret"), dropped(gemini)))
            .to(RESPONSES, and(silence("secret"), dropped(gemini)))
            .to(MESSAGES, and(silence("secret"), dropped(gemini))),
        behind("container upload", MESSAGES, &json!({"type": "container_upload", "file_id": "secret"}))
            .to(CHAT, and(silence("secret"), dropped(chat)))
            .to(RESPONSES, and(silence("secret"), dropped(chat)))
            .to(GEMINI, and(silence("secret"), dropped(chat))),
        row("sealed compaction", RESPONSES, &json!({"input": [{"type": "compaction", "encrypted_content": "secret"},
                {"type": "message", "role": "user", "content": "x"}]}))
        .to(CHAT, and(silence("secret"), dropped(item)))
        .to(MESSAGES, and(silence("secret"), dropped(item)))
        .to(GEMINI, and(silence("secret"), dropped(item))),
        row("readable compaction", MESSAGES, &json!({"messages": [
                {"role": "assistant", "content": [{"type": "compaction", "content": "the summary"}]},
                {"role": "user", "content": "x"}]}))
        .to(CHAT, and(says("the summary"), emulated("messages[0].content[0]")))
        .to(RESPONSES, and(says("the summary"), emulated("messages[0].content[0]")))
        .to(GEMINI, says("the summary")),
        row("tools that come later", RESPONSES, &json!({"input": [
                {"type": "additional_tools", "tools": [{"type": "function", "name": "later", "parameters": null}]},
                {"type": "message", "role": "user", "content": "x"}]}))
        .to(CHAT, says("later"))
        .to(MESSAGES, and(says("later"), emulated(item)))
        .to(GEMINI, says("later")),
    ]);
}

#[test]
fn system_and_developer() {
    let user = json!({"role": "user", "content": "x"});
    let leading = json!({"messages": [{"role": "system", "content": "a"}, {"role": "developer", "content": "b"}, user]});
    let middle = json!({"messages": [user, {"role": "assistant", "content": "y"},
        {"role": "system", "content": "rule"}, user]});
    let reminder = "<system-reminder>\\nrule\\n</system-reminder>";
    let items = json!({"instructions": "a", "input": [
        {"type": "message", "role": "developer", "content": "b"},
        {"type": "message", "role": "user", "content": "x"}]});
    let blocks = |texts: [&str; 2]| json!({"system": [{"type": "text", "text": texts[0]}, {"type": "text", "text": texts[1]}]});
    check(&[
        row("who speaks", CHAT, &json!({"messages": [{"role": "user", "name": "ada", "content": "x"}]}))
            .to(RESPONSES, dropped("messages[0].name"))
            .to(MESSAGES, dropped("messages[0].name"))
            .to(GEMINI, dropped("messages[0].name")),
        row("leading", CHAT, &leading)
            .to(RESPONSES, has("/instructions", "a\n\nb"))
            .to(MESSAGES, and(has("/system/0/text", "a"), has("/system/1/text", "b")))
            .to(GEMINI, has("/systemInstruction", json!({"parts": [{"text": "a\n\nb"}]}))),
        row("leading", RESPONSES, &items)
            .to(
                CHAT,
                and(
                    has("/messages/0", json!({"role": "system", "content": "a"})),
                    has("/messages/1/role", "developer"),
                ),
            )
            .to(MESSAGES, and(has("/system/0/text", "a"), has("/system/1/text", "b")))
            .to(GEMINI, has("/systemInstruction", json!({"parts": [{"text": "a\n\nb"}]}))),
        row("leading", MESSAGES, &blocks(["a", "b"]))
            .to(CHAT, has("/messages/0", json!({"role": "system", "content": "a\n\nb"})))
            .to(RESPONSES, has("/instructions", "a\n\nb"))
            .to(GEMINI, has("/systemInstruction", json!({"parts": [{"text": "a\n\nb"}]}))),
        row("leading", GEMINI, &json!({"systemInstruction": {"parts": [{"text": "a"}]}}))
            .to(CHAT, has("/messages/0", json!({"role": "system", "content": "a"})))
            .to(RESPONSES, has("/instructions", "a"))
            .to(MESSAGES, has("/system/0/text", "a")),
        row("developer at a compatible server", RESPONSES, &items)
            .at(compatible)
            .to(CHAT, has("/messages/0", json!({"role": "system", "content": "a\n\nb"})))
            .to(MESSAGES, has("/system/1/text", "b"))
            .to(GEMINI, says("a\\n\\nb")),
        row("in the middle", CHAT, &middle)
            .to(RESPONSES, and(has("/input/2/role", "system"), has("/input/2/content/0/text", "rule")))
            .to(MESSAGES, and(says(reminder), and(lacks("/system"), emulated("messages[2].content[0]"))))
            .to(
                GEMINI,
                and(says(reminder), and(lacks("/systemInstruction"), emulated("messages[2].content[0]"))),
            ),
        row("in the middle at a model with system turns", CHAT, &middle)
            .at(|facts| facts.system_turns = true)
            .to(RESPONSES, has("/input/2/role", "system"))
            .to(MESSAGES, says("\"role\":\"system\""))
            .to(GEMINI, says(reminder)),
        row(
            "in the middle",
            RESPONSES,
            &json!({"input": [{"type": "message", "role": "user", "content": "x"},
                {"type": "message", "role": "developer", "content": "rule"}]}),
        )
        .to(CHAT, has("/messages/1/role", "developer"))
        .to(MESSAGES, says(reminder))
        .to(GEMINI, says(reminder)),
        row("system alone", CHAT, &json!({"messages": [{"role": "system", "content": "a"}]}))
            .to(RESPONSES, has("/input/0/role", "user"))
            .to(MESSAGES, has("/messages/0/role", "user"))
            .to(GEMINI, has("/contents/0/role", "user")),
        row(
            "prefill where none is taken",
            CHAT,
            &json!({"messages": [user, {"role": "assistant", "content": "begun"}]}),
        )
        .at(|facts| facts.prefill = false)
        .to(RESPONSES, says("begun"))
        .to(MESSAGES, and(silence("begun"), dropped("messages")))
        .to(GEMINI, says("begun")),
        row("prefill", MESSAGES, &json!({"messages": [user, {"role": "assistant", "content": "begun"}]}))
            .to(CHAT, says("begun"))
            .to(RESPONSES, says("begun"))
            .to(GEMINI, says("begun")),
    ]);
}

#[test]
fn pictures_of_the_model_in_the_history() {
    let item = json!({"input": [{"type": "message", "role": "user", "content": "draw"},
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG},
        {"type": "message", "role": "user", "content": "again"}]});
    let part = json!({"contents": [{"role": "user", "parts": [{"text": "draw"}]},
        {"role": "model", "parts": [{"text": "here"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}]},
        {"role": "user", "parts": [{"text": "again"}]}]});
    let sealed = "a picture that the model made";
    check(&[
        row("picture", RESPONSES, &item)
            .to(CHAT, and(silence(PNG), dropped("input[1].content[0]")))
            .to(MESSAGES, and(and(silence(PNG), says(sealed)), dropped("input[1].content[0]")))
            .to(GEMINI, has("/contents/1/parts/0/inlineData/data", PNG)),
        row("picture beside text", GEMINI, &part)
            .to(CHAT, and(silence(PNG), dropped("contents[1].parts[1]")))
            .to(RESPONSES, and(silence(PNG), dropped("contents[1].parts[1]")))
            .to(
                MESSAGES,
                and(
                    and(silence(PNG), has("/messages/1/content/0/text", "here")),
                    and(says(sealed), dropped("contents[1].parts[1]")),
                ),
            ),
        row("at a model that continues nothing", GEMINI, &{
            let mut last = part.clone();
            last["contents"].as_array_mut().unwrap().pop();
            last
        })
        .at(|facts| facts.prefill = false)
        .to(CHAT, silence(PNG))
        .to(RESPONSES, silence(PNG))
        .to(MESSAGES, and(lacks("/messages/1"), dropped("contents"))),
    ]);
}
