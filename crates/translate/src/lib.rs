//! The intermediate representation and the four dialects. Pure: bytes in, bytes out.
#![forbid(unsafe_code)]
