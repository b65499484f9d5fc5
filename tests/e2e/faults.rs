//! What goes wrong: the vendor refuses or breaks, the client sends nonsense, byok is stopped or reconfigured.

mod input;
mod life;
mod refusals;
mod slow;

use crate::support::world::{Pair, World, key, model, provider};
use byok_simulator::Simulator;
use byok_types::Dialect;
use serde_json::{Value, json};

/// The name of the provider of one case: every case has its own, since a refusal puts a key to rest.
fn case(pair: Pair, wish: &str) -> String {
    format!("{pair}-{}", wish.replace(['_', ' '], "-")).to_lowercase()
}

/// A provider for each pair and wish, with the keys that `keys` gives it.
fn providers(
    simulator: &Simulator,
    pairs: &[Pair],
    wishes: &[&str],
    keys: impl Fn(Dialect, &str) -> Vec<String>,
) -> Value {
    let mut all = json!({});
    for pair in pairs {
        for wish in wishes {
            let keys = keys(pair.upstream, &wish.replace(['_', ' '], "-"));
            all[case(*pair, wish)] = provider(pair.upstream, simulator, &keys);
        }
    }
    all
}

/// A world with a provider for each pair and wish, whose only key asks for the wish.
async fn world_of_troubles(pairs: &[Pair], wishes: &[&str], settings: Value) -> World {
    let build = |simulator: &Simulator| {
        let mut all = settings;
        all["providers"] =
            providers(simulator, pairs, wishes, |dialect, wish| vec![key(dialect, &format!("-sim-{wish}"))]);
        all
    };
    World::of(build, |setup| setup).await
}

/// The model of a case.
fn named(pair: Pair, wish: &str) -> String {
    format!("{}/{}", case(pair, wish), model(pair.upstream))
}
