//! Which account a person means by a name.

use byok_types::Account;

/// The accounts that a name can mean: those of that label, else of that id or its short form, else of that e-mail address, else, if `beginning` is
/// enough, those whose label or address begins so. More than one is for the person to tell apart.
pub fn named(accounts: &[Account], name: &str, beginning: bool) -> Vec<Account> {
    let email = |account: &Account| account.email.clone().unwrap_or_default();
    let fits: [&dyn Fn(&Account) -> bool; 4] = [
        &|account| account.label == name,
        &|account| account.id.as_str() == name || account.id.short() == name,
        &|account| account.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(name)),
        &|account| beginning && (account.label.starts_with(name) || email(account).starts_with(name)),
    ];
    let found = fits.iter().map(|fits| accounts.iter().filter(|account| fits(account)).cloned().collect());
    found.into_iter().find(|found: &Vec<Account>| !found.is_empty()).unwrap_or_default()
}

/// The labels of accounts, for a person who has to choose.
pub(crate) fn labels(accounts: &[Account]) -> String {
    let labels: Vec<_> = accounts.iter().map(|account| account.label.as_str()).collect();
    labels.join(", ")
}

#[cfg(test)]
mod tests;
