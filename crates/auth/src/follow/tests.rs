use super::*;
use crate::{Network, Urls, claude, testing::transport};
use std::io::Write as _;

fn written(access: &str, left: i64) -> Vec<u8> {
    let ends = (SystemClock.now() + left) * 1000;
    format!(r#"{{"claudeAiOauth":{{"accessToken":"{access}","refreshToken":"sk-ant-ort01-x","expiresAt":{ends},"scopes":["user:inference"]}}}}"#)
        .into_bytes()
}

fn login(access: &str) -> (NewLogin, Arc<dyn Refresher>) {
    let vendor = claude::vendor(&Urls::none(), Network::default());
    let import = vendor.import.clone().unwrap();
    let mut found = import.read(".credentials.json", &written(access, 100), SystemClock.now()).unwrap();
    (found.remove(0).login, refresher(&vendor))
}

#[tokio::test]
async fn a_login_of_another_program_is_read_again_and_never_renewed() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let (login, refresher) = login("sk-ant-oat01-old");
    let Credential::Oauth(tokens) = follow(login, file.path()).credential else { panic!() };

    // Nothing newer: byok waits, and asks nobody (the vendor's own address could not be reached from here).
    file.write_all(&written("sk-ant-oat01-old", 100)).unwrap();
    let error = refresher.refresh(&transport(), &tokens).await.unwrap_err();
    assert!(matches!(&error, RefreshError::Transient { maybe_spent: false, .. }), "{error:?}");
    assert!(error.to_string().contains("use that program once"), "{error}");

    std::fs::write(file.path(), written("sk-ant-oat01-new", 3600)).unwrap();
    let (answer, _) = refresher.refresh(&transport(), &tokens).await.unwrap();
    assert_eq!(answer.access.expose(), "sk-ant-oat01-new");
    let renewed = answer.into_tokens(Some(&tokens), SystemClock.now());
    assert_eq!(followed(&renewed), followed(&tokens), "it stays followed");

    for gone in [b"{}".as_slice(), b"not json", b""] {
        std::fs::write(file.path(), gone).unwrap();
        let error = refresher.refresh(&transport(), &tokens).await.unwrap_err();
        assert!(matches!(error, RefreshError::Permanent { .. }), "{error:?}");
    }
}
