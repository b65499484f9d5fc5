//! The body of an upstream's answer, out of what the vendor puts around it.

use byok_translate::{Envelope, Opener};
use byok_transport::{ReplyBody, TransportError};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// A body whose wrapping is taken off as it is read.
pub(super) struct OpenedBody {
    body: ReplyBody,
    opener: Option<Box<Opener>>,
    out: BytesMut,
}

impl OpenedBody {
    pub(super) fn new(body: ReplyBody, envelope: Envelope) -> Self {
        Self { body, opener: envelope.opener().map(Box::new), out: BytesMut::new() }
    }
}

impl Body for OpenedBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        let Some(opener) = &mut this.opener else { return Pin::new(&mut this.body).poll_frame(cx) };
        loop {
            let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)).transpose()? else {
                opener.finish(&mut this.out);
                this.opener = None;
                let rest = this.out.split().freeze();
                return Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))));
            };
            let Ok(data) = frame.into_data() else { continue };
            opener.push(&data, &mut this.out);
            if !this.out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(this.out.split().freeze()))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.opener.is_none() && self.body.is_end_stream()
    }
}
