use super::*;
use byok_auth::{Network, Urls, claude};
use std::time::Instant;
use tokio::time::sleep;

const WHOLE: &str =
    r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-x","refreshToken":"r","expiresAt":1,"scopes":[]}}"#;

#[tokio::test]
async fn a_file_that_is_being_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".credentials.json");
    let (id, vendor) =
        (ProviderId::new("claude").unwrap(), claude::vendor(&Urls::none(), Network::default()));
    let import = vendor.import.clone().unwrap();
    let read = || read_found(&id, &vendor, &*import, &file);

    fs::write(&file, &WHOLE[..50]).unwrap();
    let written = async {
        // Between the first look and the second.
        sleep(PAUSE / 4).await;
        fs::write(&file, WHOLE).unwrap();
    };
    let (found, ()) = tokio::join!(read(), written);
    assert_eq!(found.unwrap_or_default().len(), 1);

    fs::write(&file, &WHOLE[..50]).unwrap();
    let begun = Instant::now();
    assert!(read().await.is_err_and(|(_, empty)| !empty));
    assert!(begun.elapsed() >= PAUSE * (TRIES - 1), "in vain, and not for ever");

    // One that has logged out is as it should be.
    fs::write(&file, r#"{"claudeAiOauth":{"accessToken":""}}"#).unwrap();
    assert!(read().await.is_err_and(|(_, empty)| empty));
}
