//! The backend that keeps everything in memory.

use crate::{
    AccountDetails, AccountLock, Accounts, ClientKeyRow, ClientKeys, CommitOutcome, EarlierRefresh, Records,
    RefreshMark, RefreshTrouble, Secrets, StoreError, StoreFuture,
    accounts::adopt_credential,
    lock::Turns,
    records,
    secrets::REMEMBERED,
    store::{Backend, unix_now},
};
use byok_types::{
    Account, AccountId, AccountState, ClientKeyId, Credential, CredentialKind, OauthTokens, ProviderId,
    RequestRecord, SecretHash,
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, VecDeque},
    future::ready,
    path::Path,
};

/// How many records are kept; older ones make room.
const KEPT_RECORDS: usize = 8192;

#[derive(Default)]
pub(crate) struct Memory {
    state: Mutex<State>,
    turns: Turns,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<AccountId, Entry>,
    client_keys: Vec<ClientKeyRow>,
    records: VecDeque<RequestRecord>,
    generation: u64,
}

struct Entry {
    account: Account,
    credential: Credential,
    refresh: Option<(SecretHash, EarlierRefresh)>,
    /// Tokens with which a renewal was begun, the oldest first.
    sent: VecDeque<SecretHash>,
    /// When the last renewal failed that somebody asked for, and why.
    trouble: Option<(i64, String)>,
}

impl State {
    fn entry(&mut self, id: &AccountId) -> Result<&mut Entry, StoreError> {
        self.accounts.get_mut(id).ok_or(StoreError::NoSuchAccount)
    }

    fn label_is_free(&self, id: &AccountId, provider: &ProviderId, label: &str) -> Result<(), StoreError> {
        let taken = self
            .accounts
            .values()
            .any(|e| e.account.id != *id && e.account.provider == *provider && e.account.label == label);
        if taken { Err(StoreError::LabelTaken) } else { Ok(()) }
    }

    fn sorted(&self, matches: impl Fn(&Account) -> bool) -> Vec<Account> {
        let mut list: Vec<_> =
            self.accounts.values().map(|e| &e.account).filter(|a| matches(a)).cloned().collect();
        list.sort_by(|a, b| (&a.provider, a.created_at, &a.id).cmp(&(&b.provider, b.created_at, &b.id)));
        list
    }
}

impl Memory {
    fn read<'a, T: Send + 'a>(&'a self, look: impl FnOnce(&State) -> T + Send + 'a) -> StoreFuture<'a, T> {
        Box::pin(async move { Ok(look(&self.state.lock())) })
    }

    fn write<'a, T: Send + 'a>(
        &'a self,
        change: impl FnOnce(&mut State) -> Result<T, StoreError> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let mut state = self.state.lock();
            let value = change(&mut state)?;
            state.generation += 1;
            Ok(value)
        })
    }

    /// Changes one account and the time of its last change.
    fn edit<'a>(
        &'a self,
        id: &'a AccountId,
        change: impl FnOnce(&mut Account) + Send + 'a,
    ) -> StoreFuture<'a, ()> {
        self.write(|state| {
            let account = &mut state.entry(id)?.account;
            change(account);
            account.updated_at = unix_now();
            Ok(())
        })
    }
}

impl Accounts for Memory {
    fn list<'a>(&'a self, provider: Option<&'a ProviderId>) -> StoreFuture<'a, Vec<Account>> {
        self.read(move |state| state.sorted(|a| provider.is_none_or(|p| a.provider == *p)))
    }

    fn get<'a>(&'a self, id: &'a AccountId) -> StoreFuture<'a, Option<Account>> {
        self.read(|state| state.accounts.get(id).map(|e| e.account.clone()))
    }

    fn find_identity<'a>(
        &'a self,
        provider: &'a ProviderId,
        identity: &'a str,
        kind: CredentialKind,
    ) -> StoreFuture<'a, Option<Account>> {
        self.read(move |state| {
            let same = |a: &Account| {
                a.provider == *provider && a.kind == kind && a.identity.as_deref() == Some(identity)
            };
            state.sorted(same).into_iter().next()
        })
    }

    fn insert(&self, mut account: Account, credential: Credential) -> StoreFuture<'_, ()> {
        adopt_credential(&mut account, &credential);
        self.write(move |state| {
            state.label_is_free(&account.id, &account.provider, &account.label)?;
            let sent = state.accounts.remove(&account.id).map(|entry| entry.sent).unwrap_or_default();
            let entry = Entry { account, credential, refresh: None, sent, trouble: None };
            state.accounts.insert(entry.account.id.clone(), entry);
            Ok(())
        })
    }

    fn set_state<'a>(&'a self, id: &'a AccountId, new: AccountState) -> StoreFuture<'a, ()> {
        self.edit(id, move |account| account.state = new)
    }

    fn set_details<'a>(&'a self, id: &'a AccountId, details: AccountDetails) -> StoreFuture<'a, ()> {
        self.edit(id, move |account| {
            let AccountDetails { email, plan, identity } = details;
            account.email = email.or(account.email.take());
            account.plan = plan.or(account.plan.take());
            account.identity = identity.or(account.identity.take());
        })
    }

    fn set_claims<'a>(&'a self, id: &'a AccountId, claims: Vec<String>) -> StoreFuture<'a, ()> {
        self.edit(id, move |account| account.claims = claims)
    }

    fn rename<'a>(&'a self, id: &'a AccountId, label: &'a str) -> StoreFuture<'a, ()> {
        self.write(|state| {
            let provider = state.entry(id)?.account.provider.clone();
            state.label_is_free(id, &provider, label)?;
            let account = &mut state.entry(id)?.account;
            label.clone_into(&mut account.label);
            account.updated_at = unix_now();
            Ok(())
        })
    }

    fn remove<'a>(&'a self, id: &'a AccountId) -> StoreFuture<'a, bool> {
        self.write(|state| Ok(state.accounts.remove(id).is_some()))
    }

    fn note_trouble<'a>(&'a self, id: &'a AccountId, what: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.state.lock().entry(id)?.trouble = Some((unix_now(), what.to_owned()));
            Ok(())
        })
    }

    fn troubles(&self) -> StoreFuture<'_, Vec<RefreshTrouble>> {
        self.read(|state| {
            let noted = state.accounts.iter().filter_map(|(id, entry)| Some((id, entry.trouble.clone()?)));
            noted.map(|(id, (at, what))| RefreshTrouble { account: id.clone(), at, what }).collect()
        })
    }

    fn generation(&self) -> u64 {
        self.state.lock().generation
    }
}

impl Secrets for Memory {
    fn load<'a>(&'a self, account: &'a AccountId) -> StoreFuture<'a, Option<Credential>> {
        self.read(|state| state.accounts.get(account).map(|e| e.credential.clone()))
    }

    fn put<'a>(&'a self, account: &'a AccountId, credential: Credential) -> StoreFuture<'a, ()> {
        self.write(move |state| {
            let entry = state.entry(account)?;
            adopt_credential(&mut entry.account, &credential);
            entry.account.updated_at = unix_now();
            entry.credential = credential;
            entry.refresh = None;
            entry.trouble = None;
            Ok(())
        })
    }

    fn begin_refresh<'a>(
        &'a self,
        account: &'a AccountId,
        token: SecretHash,
    ) -> StoreFuture<'a, RefreshMark> {
        Box::pin(async move {
            let mut state = self.state.lock();
            let entry = state.entry(account)?;
            let earlier = entry.refresh.take().filter(|(hash, _)| *hash == token).map(|(_, earlier)| earlier);
            let tries = earlier.map_or(0, |e| e.tries).saturating_add(1);
            entry.refresh = Some((token, EarlierRefresh { started_at: unix_now(), tries }));
            entry.sent.retain(|sent| *sent != token);
            entry.sent.push_back(token);
            if entry.sent.len() > usize::from(REMEMBERED) {
                entry.sent.pop_front();
            }
            Ok(RefreshMark { earlier })
        })
    }

    fn sender<'a>(
        &'a self,
        provider: &'a ProviderId,
        token: SecretHash,
    ) -> StoreFuture<'a, Option<AccountId>> {
        self.read(move |state| {
            let mut of_provider = state.accounts.values().filter(|entry| entry.account.provider == *provider);
            of_provider.find(|entry| entry.sent.contains(&token)).map(|entry| entry.account.id.clone())
        })
    }

    fn cancel_refresh<'a>(&'a self, account: &'a AccountId, token: SecretHash) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if let Some(entry) = self.state.lock().accounts.get_mut(account) {
                entry.refresh.take_if(|(hash, _)| *hash == token);
            }
            Ok(())
        })
    }

    fn commit_if<'a>(
        &'a self,
        account: &'a AccountId,
        old: SecretHash,
        new: &'a OauthTokens,
    ) -> StoreFuture<'a, CommitOutcome> {
        self.write(move |state| {
            let Some(Entry { account, credential: Credential::Oauth(stored), refresh, trouble, .. }) =
                state.accounts.get_mut(account)
            else {
                return Ok(CommitOutcome::Gone);
            };
            if stored.hash() != old {
                return Ok(CommitOutcome::Changed(stored.clone()));
            }
            *stored = new.clone();
            *refresh = None;
            *trouble = None;
            account.expires_at = new.expires_at;
            account.updated_at = unix_now();
            Ok(CommitOutcome::Committed)
        })
    }
}

impl Records for Memory {
    fn push(&self, mut record: RequestRecord) -> bool {
        records::trim(&mut record);
        let records = &mut self.state.lock().records;
        if records.len() == KEPT_RECORDS {
            records.pop_front();
        }
        records.push_back(record);
        true
    }

    fn flush(&self) -> StoreFuture<'_, ()> {
        Box::pin(ready(Ok(())))
    }

    fn forget_before(&self, at_ms: i64) -> StoreFuture<'_, usize> {
        let records = &mut self.state.lock().records;
        let before = records.len();
        records.retain(|record| record.at_ms >= at_ms);
        Box::pin(ready(Ok(before - records.len())))
    }

    fn dropped(&self) -> u64 {
        0
    }

    fn recent(&self, limit: usize) -> StoreFuture<'_, Vec<RequestRecord>> {
        self.read(move |state| {
            let mut newest: Vec<_> = state.records.iter().rev().cloned().collect();
            newest.sort_by_key(|record| std::cmp::Reverse(record.at_ms));
            newest.truncate(limit);
            newest
        })
    }
}

impl ClientKeys for Memory {
    fn list(&self) -> StoreFuture<'_, Vec<ClientKeyRow>> {
        self.read(|state| {
            let mut list = state.client_keys.clone();
            list.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
            list
        })
    }

    fn insert(&self, row: ClientKeyRow) -> StoreFuture<'_, ()> {
        self.write(move |state| {
            if state.client_keys.iter().any(|k| k.id == row.id || k.hash == row.hash) {
                return Err(StoreError::ClientKeyTaken);
            }
            state.client_keys.push(row);
            Ok(())
        })
    }

    fn find<'a>(&'a self, hash: &'a SecretHash) -> StoreFuture<'a, Option<ClientKeyRow>> {
        self.read(|state| state.client_keys.iter().find(|k| k.hash == *hash).cloned())
    }

    fn revoke<'a>(&'a self, id: &'a ClientKeyId) -> StoreFuture<'a, bool> {
        self.write(|state| {
            let Some(key) = state.client_keys.iter_mut().find(|k| k.id == *id) else { return Ok(false) };
            key.revoked_at.get_or_insert_with(unix_now);
            Ok(true)
        })
    }
}

impl Backend for Memory {
    fn location(&self) -> Option<&Path> {
        None
    }

    fn lock_dir(&self) -> Option<&Path> {
        None
    }

    fn lock_account<'a>(&'a self, account: &'a AccountId) -> StoreFuture<'a, AccountLock> {
        Box::pin(async { Ok(AccountLock::new(self.turns.wait(account).await, None)) })
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(ready(Ok(())))
    }
}
