//! HTTP in front: the routes of the dialects, access control, records.
#![forbid(unsafe_code)]
