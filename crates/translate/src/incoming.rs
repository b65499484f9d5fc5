/// A request as it came in: the body, and what the path says where the dialect puts it there.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The model of the path (Gemini); the other dialects name it in the body.
    pub model: Option<&'a str>,
    /// Whether the path asks for a stream (Gemini); the other dialects say so in the body.
    pub stream: Option<bool>,
}

impl<'a> Incoming<'a> {
    /// A request that says everything in its body.
    pub const fn body(body: &'a [u8]) -> Self {
        Self { body, model: None, stream: None }
    }
}
