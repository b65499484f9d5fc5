//! Tests of the store through its public face.

#[cfg(test)]
mod conformance;
#[cfg(test)]
#[cfg(unix)]
mod files;
#[cfg(test)]
mod handles;
#[cfg(test)]
#[cfg(unix)]
mod processes;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod support;
#[cfg(test)]
mod usage;
