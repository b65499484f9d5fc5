use super::named;
use crate::testing::provider;
use byok_types::{Account, AccountId, AccountState, CredentialKind};

fn account(id: &str, label: &str, email: Option<&str>) -> Account {
    Account {
        id: AccountId::new(id).unwrap(),
        provider: provider(),
        label: label.to_owned(),
        kind: CredentialKind::Oauth,
        identity: None,
        email: email.map(str::to_owned),
        plan: None,
        state: AccountState::Ready,
        claims: Vec::new(),
        expires_at: None,
        created_at: 0,
        updated_at: 0,
    }
}

#[test]
fn labels_before_ids_before_addresses_before_beginnings() {
    let accounts = [
        account("1", "work", Some("ada@example.org")),
        // Its label is the address of the other one.
        account("2", "ada@example.org", Some("bob@example.org")),
        account("3", "2", Some("both@example.org")),
        account("4", "work at night", Some("both@example.org")),
        account("5", "spare", None),
    ];
    let cases: [(&str, &[&str], &[&str]); 9] = [
        ("ada@example.org", &["2"], &["2"]),
        ("work", &["1"], &["1"]),
        ("2", &["3"], &["3"]),
        ("4", &["4"], &["4"]),
        ("bob@example.org", &["2"], &["2"]),
        ("Bob@Example.org", &["2"], &["2"]),
        ("both@example.org", &["3", "4"], &["3", "4"]),
        ("wor", &[], &["1", "4"]),
        ("sp", &[], &["5"]),
    ];
    for (name, exactly, begins) in cases {
        for (beginning, expected) in [(false, exactly), (true, begins)] {
            let found = named(&accounts, name, beginning);
            let ids: Vec<_> = found.iter().map(|account| account.id.as_str()).collect();
            assert_eq!(ids, expected, "{name} {beginning}");
        }
    }
}
