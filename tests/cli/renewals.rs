//! Renewals whose result cannot be kept.

use crate::support::{Home, Vendor};
use rusqlite::Connection;
use serde_json::json;

#[test]
fn a_renewal_that_cannot_be_stored_is_no_success() {
    let (home, vendor) = (Home::new(), Vendor::start());
    home.write_config(&vendor.config());
    let grant = vendor.simulator.grant_to("ada@example.org");
    let tokens =
        json!({"access_token": grant.access_token, "refresh_token": grant.refresh_token, "expires_in": 3600});
    let added = home.run_with(&["accounts", "add", "claude", "--account", "work"], &[], &tokens.to_string());
    assert_eq!(added.code, 0, "{}", added.err);
    // The mark of the renewal is written before the vendor is asked; only what the vendor gives is not taken.
    let database = Connection::open(home.file("tokens.db")).unwrap();
    let deny = "CREATE TRIGGER full BEFORE UPDATE ON secrets BEGIN SELECT RAISE(ABORT, 'no room'); END";
    database.execute_batch(deny).unwrap();
    let refresh = || home.run(&["accounts", "refresh", "claude"]);
    let lost = refresh();
    assert_eq!((lost.code, vendor.simulator.oauth_counts().refreshes), (73, 1), "{}", lost.err);
    let told = "the login of work (claude) was renewed, but could not be stored";
    assert!(lost.err.contains(told) && lost.err.contains("`byok login claude`"), "{}", lost.err);
    assert!(!lost.err.contains("renewed: work"), "{}", lost.err);
    // The vendor has used the token up that is there.
    database.execute_batch("DROP TRIGGER full").unwrap();
    let dead = refresh();
    assert_eq!((dead.code, dead.err.contains("log in again")), (77, true), "{}", dead.err);
}
