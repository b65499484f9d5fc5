//! Tests of the store through its public face.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod support;
