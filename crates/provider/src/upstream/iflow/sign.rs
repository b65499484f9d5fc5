//! The signature of a request, which is made under the name of the vendor's program. Only with the consent of its owner.

use super::super::set;
use http::{HeaderMap, HeaderName, header::USER_AGENT};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

const PROGRAM: &str = "iFlow-Cli";
const SESSION: HeaderName = HeaderName::from_static("session-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-iflow-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-iflow-signature");
/// Block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// Signs a call that is made now.
pub(super) fn headers(key: &str, headers: &mut HeaderMap) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    signed(key, &format!("session-{}", Uuid::new_v4()), &since.as_millis().to_string(), headers);
}

pub(super) fn signed(key: &str, session: &str, millis: &str, headers: &mut HeaderMap) {
    set(headers, USER_AGENT, PROGRAM, false);
    set(headers, SESSION, session, false);
    set(headers, TIMESTAMP, millis, false);
    set(headers, SIGNATURE, &hmac(key.as_bytes(), &format!("{PROGRAM}:{session}:{millis}")), true);
}

/// HMAC-SHA-256 (RFC 2104), in lower-case hex.
fn hmac(key: &[u8], message: &str) -> String {
    let hashed;
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    let padded = |pad: u8| {
        let mut block = [pad; BLOCK];
        block.iter_mut().zip(key).for_each(|(byte, of_key)| *byte ^= of_key);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message.as_bytes()).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    let mut hex = String::with_capacity(64);
    for byte in outer {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::hmac;

    #[test]
    fn published_examples() {
        // RFC 4231, test cases 2 and 6.
        let long = [0xaa; 131];
        for (key, message, expected) in [
            (
                &b"Jefe"[..],
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &long[..],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hmac(key, message), expected, "{message}");
        }
    }
}
