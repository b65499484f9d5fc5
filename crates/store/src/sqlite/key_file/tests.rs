use super::*;

#[test]
fn a_new_key_is_read_again_and_never_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    assert!(read(&path).unwrap().is_none());
    let key = create(&path).unwrap();
    assert_eq!(read(&path).unwrap().unwrap(), key);
    assert_eq!(create(&path).unwrap(), key, "the key that is there counts");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left lying about");
    assert_ne!(create(&directory.path().join("other")).unwrap(), key);
}

#[test]
fn of_many_that_make_a_key_all_get_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let keys: Vec<_> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..8).map(|_| scope.spawn(|| create(&path).unwrap())).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[test]
fn only_64_digits_are_a_key() {
    let expected: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap());
    let digits = hex(&expected);
    for (text, is_key) in [
        (digits.clone(), true),
        (digits.to_uppercase(), true),
        (format!(" {digits}\r\n"), true),
        (String::new(), false),
        (digits[1..].to_owned(), false),
        (format!("{digits}0"), false),
        (format!("{}g", &digits[1..]), false),
        (format!("{}é", &digits[2..]), false),
    ] {
        let parsed = parse(text.as_bytes().trim_ascii());
        assert_eq!(parsed.map(|key| *key), is_key.then_some(expected), "{text:?}");
    }
}
