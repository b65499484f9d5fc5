use crate::StoreFuture;
use byok_types::{Account, AccountId, AccountState, Credential, CredentialKind, ProviderId};
use std::fmt;

/// What a vendor says about an account. `None` keeps what is stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AccountDetails {
    /// E-mail address, or in its place the name by which the vendor knows the person.
    pub email: Option<String>,
    /// Plan, in the vendor's word.
    pub plan: Option<String>,
    /// The vendor's stable key of the person and organisation.
    pub identity: Option<String>,
}

impl fmt::Debug for AccountDetails {
    /// Says which details are there, not what they are: they name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDetails")
            .field("email", &self.email.is_some())
            .field("plan", &self.plan)
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

/// Why a login could not be renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshTrouble {
    /// The account.
    pub account: AccountId,
    /// When, Unix time in seconds.
    pub at: i64,
    /// Why, in a sentence that ends in what helps.
    pub what: String,
}

/// The accounts without their secrets.
///
/// Everything that changes one account fails with [`StoreError::NoSuchAccount`](crate::StoreError::NoSuchAccount)
/// if it is not there.
pub trait Accounts: Send + Sync {
    /// The accounts of one provider, or all, ordered by provider, then by age, the oldest first.
    fn list<'a>(&'a self, provider: Option<&'a ProviderId>) -> StoreFuture<'a, Vec<Account>>;

    /// One account.
    fn get<'a>(&'a self, id: &'a AccountId) -> StoreFuture<'a, Option<Account>>;

    /// The oldest account of the provider that has the given vendor identity and a credential of this kind: a key and a login
    /// of one person are two accounts.
    fn find_identity<'a>(
        &'a self,
        provider: &'a ProviderId,
        identity: &'a str,
        kind: CredentialKind,
    ) -> StoreFuture<'a, Option<Account>>;

    /// Stores an account and its secret in one transaction; an account with the same id is replaced.
    ///
    /// `kind` and `expires_at` of the account are taken from the credential. Fails with
    /// [`StoreError::LabelTaken`](crate::StoreError::LabelTaken) if another account of the provider has the label.
    fn insert(&self, account: Account, credential: Credential) -> StoreFuture<'_, ()>;

    /// Changes whether the account can be used.
    fn set_state<'a>(&'a self, id: &'a AccountId, state: AccountState) -> StoreFuture<'a, ()>;

    /// Takes over what the vendor says about the account.
    fn set_details<'a>(&'a self, id: &'a AccountId, details: AccountDetails) -> StoreFuture<'a, ()>;

    /// Replaces the claims that the owner consented to.
    fn set_claims<'a>(&'a self, id: &'a AccountId, claims: Vec<String>) -> StoreFuture<'a, ()>;

    /// Gives the account another label. Fails with [`StoreError::LabelTaken`](crate::StoreError::LabelTaken) if
    /// another account of the provider has it.
    fn rename<'a>(&'a self, id: &'a AccountId, label: &'a str) -> StoreFuture<'a, ()>;

    /// Removes the account and its secret; the bytes are overwritten. `false` if there was no such account.
    fn remove<'a>(&'a self, id: &'a AccountId) -> StoreFuture<'a, bool>;

    /// Notes why the login of the account could not be renewed now. Another credential of the account ends that.
    fn note_trouble<'a>(&'a self, id: &'a AccountId, what: &'a str) -> StoreFuture<'a, ()>;

    /// What was noted by [`note_trouble`](Self::note_trouble), one of an account.
    fn troubles(&self) -> StoreFuture<'_, Vec<RefreshTrouble>>;

    /// A number that grows whenever any process has changed accounts, secrets or client keys.
    ///
    /// Costs microseconds and never waits, so that a server may ask several times a second.
    fn generation(&self) -> u64;
}

/// The parts of an account that its credential decides.
pub(crate) fn adopt_credential(account: &mut Account, credential: &Credential) {
    account.kind = credential.kind();
    account.expires_at = match credential {
        Credential::ApiKey(_) => None,
        Credential::Oauth(tokens) => tokens.expires_at,
    };
}
