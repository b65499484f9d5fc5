use super::*;
use byok_types::Credential;

#[test]
fn the_login_and_what_is_wrong_with_it() {
    let json = json!({"type": "oauth", "refresh": "r", "access": "sk-ant-oat01-x", "expires": 1_769_700_000_000_i64});
    let taken = auth(&json, 1_800_000_000);
    let Credential::Oauth(tokens) = &taken.logins[0].found.login.credential else { panic!() };
    // Its end has passed, which is usual: the refresh token is good.
    assert_eq!((tokens.access.expose(), tokens.expires_at), ("sk-ant-oat01-x", Some(1_769_700_000)));
    assert_eq!(tokens.refresh.as_ref().unwrap().expose(), "r");
    assert!(taken.logins[0].found.shared_rotation);

    let console = json!({"type": "oauth", "refresh": "r", "access": "other", "expires": 1});
    assert!(auth(&console, 0).logins[0].notes[0].contains("may be billed"));
    let cases = [
        (json!({"type": "oauth", "access": "", "refresh": ""}), "no tokens"),
        (json!({"type": "oauth", "access": 1, "refresh": []}), "no tokens"),
    ];
    for (json, why) in cases {
        let taken = auth(&json, 0);
        assert!(taken.logins.is_empty() && taken.left[0].why.contains(why), "{taken:?}");
    }
}
