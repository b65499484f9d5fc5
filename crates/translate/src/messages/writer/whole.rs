//! Parts that come whole.

use super::{Head, Piece, Sink};
use crate::{
    Json, Losses,
    ir::{Opaque, Part},
    media,
    messages::{object::Object, server},
};
use byok_types::Dialect;

/// Writes a part that has no deltas. Returns whether a block was written.
pub(super) fn write(part: &Part, sink: &mut impl Sink, losses: &mut Losses) -> bool {
    let mut note = |what: &str| {
        losses.dropped("content", "this dialect has no such output");
        sink.open(&Head::Text);
        sink.piece(&Piece::Text(what));
        sink.close();
        true
    };
    let block = match part {
        Part::ServerCall(call) => {
            let Some(block) = server::write_call(call, &Json::empty_object()) else {
                losses.silent("content", "this dialect has no block for this tool of the vendor");
                return false;
            };
            sink.open(&Head::Whole(&block));
            if call.input.is_object() {
                sink.piece(&Piece::Input(call.input.get()));
            }
            sink.close();
            return true;
        }
        Part::ServerResult(result) => server::write_result(result),
        Part::Opaque(opaque) => own(opaque),
        Part::Compaction(compaction) => own(&compaction.verbatim),
        Part::ConfigChange(change) => change.verbatim.as_ref().and_then(own),
        Part::ContainerUpload(upload) => {
            let mut out = Vec::new();
            let mut object = Object::typed(&mut out, "container_upload");
            object.string("file_id", &upload.file_id);
            object.extras(upload.extra.of(Dialect::Messages));
            object.end();
            Some(out)
        }
        Part::Image(_) => return note("[The model made an image, which this API cannot carry.]"),
        Part::Audio(audio) => return note(media::sound_in_words(audio)),
        Part::Video(_) => return note("[The model made a film, which this API cannot carry.]"),
        _ => None,
    };
    let Some(block) = block else {
        losses.silent("content", "this dialect has no such block");
        return false;
    };
    sink.open(&Head::Whole(&block));
    sink.close();
    true
}

fn own(opaque: &Opaque) -> Option<Vec<u8>> {
    (opaque.dialect == Dialect::Messages).then(|| {
        let mut out = Vec::new();
        crate::wire::write::json(&mut out, &opaque.json);
        out
    })
}
