//! What all requests of a simulator share.

use crate::{
    bench::BenchAnswers, cache::PrefixCache, codex, copilot::GitHub, google, ids::IdMaker,
    iflow::Login as Iflow, kimi::Login as Kimi, kiro::Kiro, log::RequestLog, oauth::Oauth, plan,
    qwen::Login as Qwen, responses::Stored, scenario::Cause, seal::Seal, simulator::SimOptions, watch::Watch,
    xai,
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// State of a running simulator.
pub(crate) struct World {
    pub(crate) options: SimOptions,
    pub(crate) ids: IdMaker,
    pub(crate) seal: Seal,
    pub(crate) cache: PrefixCache,
    pub(crate) log: RequestLog,
    pub(crate) watch: Arc<Watch>,
    pub(crate) oauth: Oauth,
    pub(crate) google: google::Books,
    pub(crate) github: GitHub,
    pub(crate) kimi: Kimi,
    pub(crate) codex: plan::Books,
    pub(crate) xai: plan::Books,
    pub(crate) qwen: Qwen,
    pub(crate) iflow: Iflow,
    pub(crate) kiro: Kiro,
    pub(crate) stored: Stored,
    pub(crate) bench: BenchAnswers,
    /// Failures that a key has already had, by cause.
    failed: Mutex<HashMap<(String, Cause), u32>>,
    /// Whose usage tells of a charge beyond the plan: vendors of which nothing else tells it.
    beyond: Mutex<HashSet<&'static str>>,
}

impl World {
    pub(crate) fn new(options: SimOptions) -> Self {
        Self {
            ids: IdMaker::new(options.seed),
            seal: Seal::new(options.seed),
            cache: PrefixCache::default(),
            log: RequestLog::new(options.log_capacity),
            watch: Arc::default(),
            oauth: Oauth::new(options.seed, options.access_lifetime),
            google: google::Books::new(options.access_lifetime),
            github: GitHub::default(),
            kimi: Kimi::default(),
            codex: codex::books(options.access_lifetime),
            xai: xai::books(options.access_lifetime),
            qwen: Qwen::default(),
            iflow: Iflow::default(),
            kiro: Kiro::default(),
            stored: Stored::default(),
            bench: BenchAnswers::default(),
            failed: Mutex::default(),
            beyond: Mutex::default(),
            options,
        }
    }

    /// Real time in Unix seconds: resets and waits are told in it, or clients would never see them come.
    pub(crate) fn now(&self) -> i64 {
        let real =
            || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        self.options.now.unwrap_or_else(real)
    }

    /// An answer of a vendor was served beyond the plan.
    pub(crate) fn go_beyond(&self, vendor: &'static str) {
        self.beyond.lock().insert(vendor);
    }

    /// Whether one was.
    pub(crate) fn is_beyond(&self, vendor: &'static str) -> bool {
        self.beyond.lock().contains(vendor)
    }

    /// Whether a key has to fail once more before it works.
    pub(crate) fn must_fail(&self, key: &str, cause: Cause, times: u32) -> bool {
        let mut failed = self.failed.lock();
        let count = failed.entry((key.to_owned(), cause)).or_default();
        if *count >= times {
            return false;
        }
        *count += 1;
        true
    }
}
