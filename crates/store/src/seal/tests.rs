use super::*;
use proptest::prelude::*;

const HERE: Place<'static> = Place { provider: "claude", account: "one", column: "access" };

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&Zeroizing::new([byte; 32]))
}

#[test]
fn opens_only_in_its_place_with_its_key() {
    let sealed = sealer(1).seal("token", HERE).unwrap();
    assert_eq!(sealer(1).open(&sealed, HERE).unwrap().expose(), "token");
    for (what, key, place) in [
        ("provider", 1, Place { provider: "codex", ..HERE }),
        ("account", 1, Place { account: "two", ..HERE }),
        ("column", 1, Place { column: "refresh", ..HERE }),
        ("shifted", 1, Place { provider: "claud", account: "eone", ..HERE }),
        ("key", 2, HERE),
    ] {
        let opened = sealer(key).open(&sealed, place);
        assert!(matches!(opened, Err(StoreError::Unsealable)), "another {what} must not open it");
    }
}

#[test]
fn the_same_value_is_never_sealed_alike() {
    assert_ne!(sealer(1).seal("token", HERE).unwrap(), sealer(1).seal("token", HERE).unwrap());
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let sealed = sealer(1).seal("token", HERE).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut damaged = sealed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer(1).open(&damaged, HERE).is_err(), "bit {bit}");
    }
    for end in 0..sealed.len() {
        assert!(sealer(1).open(&sealed[..end], HERE).is_err(), "cut at {end}");
    }
}

proptest! {
    #[test]
    fn every_text_comes_back(text in ".*") {
        let sealed = sealer(7).seal(&text, HERE).unwrap();
        prop_assert_eq!(sealer(7).open(&sealed, HERE).unwrap().expose().to_owned(), text);
    }
}
