use super::*;

#[test]
fn a_blob_opens_only_for_its_maker_and_seed() {
    let seal = Seal::new(1);
    let makers = [Maker::Anthropic, Maker::Openai, Maker::Google];
    for maker in makers {
        let blob = seal.issue(maker, Some("account"), "thought");
        let opened = seal.open(maker, &blob);
        assert_eq!(opened, Some(Opened { bound: tag("account"), text: tag("thought") }), "{maker:?}");
        for other in makers.into_iter().filter(|other| *other != maker) {
            assert_eq!(seal.open(other, &blob), None, "{maker:?} is not {other:?}");
        }
        assert_eq!(Seal::new(2).open(maker, &blob), None, "another seed");
    }
}

#[test]
fn a_changed_blob_is_refused() {
    let seal = Seal::new(1);
    let blob = seal.issue(Maker::Anthropic, None, "thought");
    let mut bytes = decode_any(&blob).unwrap();
    for at in 0..bytes.len() {
        bytes[at] ^= 1;
        assert_eq!(seal.open(Maker::Anthropic, &STANDARD.encode(&bytes)), None, "byte {at}");
        bytes[at] ^= 1;
    }
    assert_eq!(seal.open(Maker::Anthropic, "SIG"), None);
}

#[test]
fn blobs_look_like_the_vendors() {
    let seal = Seal::new(1);
    assert!(seal.issue(Maker::Anthropic, None, "x").starts_with('E'));
    assert!(seal.issue(Maker::Openai, None, "x").starts_with("gAAAA"));
    assert!(seal.issue(Maker::Google, None, "x").starts_with('C'));
}
