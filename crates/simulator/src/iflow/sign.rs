//! The signature of a request.

use sha2::{Digest, Sha256};
use std::fmt::Write;

const BLOCK: usize = 64;

/// HMAC-SHA-256 (RFC 2104) in lower-case hex.
pub(super) fn hmac(key: &str, message: &str) -> String {
    let mut block = [0; BLOCK];
    let hashed = Sha256::digest(key);
    let short = if key.len() > BLOCK { hashed.as_slice() } else { key.as_bytes() };
    block[..short.len()].copy_from_slice(short);
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    outer.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_published_example() {
        // RFC 4231, test case 2.
        assert_eq!(
            super::hmac("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
