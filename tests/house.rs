//! What must stay true of the house as a whole: who may use whom, what must be absent, and that the papers say what the
//! code does.
#![cfg(test)]

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Which crate may use which. ARCHITECTURE.md shows the same table.
const GRAPH: [(&str, &[&str]); 10] = [
    ("types", &[]),
    ("config", &["types"]),
    ("store", &["types"]),
    ("translate", &["types"]),
    ("transport", &["types"]),
    ("auth", &["types", "config", "store", "transport"]),
    ("provider", &["types", "config", "store", "auth", "translate", "transport"]),
    ("proxy", &["types", "config", "store", "auth", "translate", "provider"]),
    ("simulator", &["types"]),
    (
        "byok",
        &["types", "config", "store", "translate", "transport", "auth", "provider", "proxy", "simulator"],
    ),
];

/// What tests may use besides.
const FOR_TESTS: [(&str, &str); 2] = [("proxy", "simulator"), ("proxy", "transport")];

/// What `translate` must not use: it knows neither network, nor time, nor chance, nor threads.
const IMPURE: [&str; 16] = [
    "axum",
    "futures",
    "futures-util",
    "getrandom",
    "http",
    "hyper",
    "hyper-util",
    "jiff",
    "parking_lot",
    "rand",
    "reqwest",
    "rusqlite",
    "tokio",
    "tokio-util",
    "tracing",
    "uuid",
];
/// The same in the words of its sources.
const IMPURE_WORDS: [&str; 8] =
    ["async fn", "SystemTime", "Instant::", "std::fs", "std::net", "std::env", "std::thread", "std::process"];

/// Longest source file; tables of tests may be longer.
const LINES: usize = 500;
/// Files that may be longer, and why.
const LONG_FILES: [(&str, &str); 0] = [];

/// Files that may look at the value of a secret, and why.
const SECRET_READERS: &[(&str, &str)] = &[
    ("crates/types/src/secret.rs", "the type itself"),
    ("crates/config/src/validate.rs", "whether a key may stand in a header"),
    ("crates/store/src/sqlite.rs", "sealing"),
    ("crates/store/src/sqlite/secrets.rs", "sealing"),
    ("crates/auth/src/claude/login.rs", "exchange of the code, and logout"),
    ("crates/auth/src/claude/refresh.rs", "exchange of the refresh token"),
    ("crates/auth/src/endpoint.rs", "the header of a call to a login server"),
    ("crates/auth/src/login/pending.rs", "comparison of the state"),
    ("crates/provider/src/executor/forward.rs", "the header of a call to the Amp service"),
    ("crates/provider/src/executor/trouble.rs", "a vendor that repeats a key is not repeated"),
    ("crates/provider/src/pool.rs", "whether a configured key is a login token"),
    ("crates/provider/src/registry/build.rs", "the address of a proxy with its password"),
    ("crates/provider/src/upstream/claude.rs", "the header of a call"),
    ("crates/provider/src/upstream/gemini.rs", "the header of a call"),
    ("crates/provider/src/upstream/openai.rs", "the header of a call"),
    ("crates/proxy/src/access/keys.rs", "comparison of client keys"),
    ("crates/proxy/src/logins/told.rs", "a token of a login goes to whoever asked for it"),
    ("src/commands/login/link.rs", "a token of a login is shown once"),
    ("src/client_key.rs", "a new client key is shown once"),
    ("src/commands/accounts/add.rs", "the form of a pasted token"),
    ("crates/auth/src/kiro/browser.rs", "exchange of the code"),
    ("crates/auth/src/kiro/identity.rs", "the header of a call that asks whose login it is"),
    ("crates/auth/src/kiro/import.rs", "whether a refresh token was cut off"),
    ("crates/auth/src/kiro/key.rs", "the form of a pasted key or token"),
    ("crates/auth/src/kiro/refresh.rs", "exchange of the refresh token"),
    ("crates/provider/src/upstream/kiro.rs", "the header of a call"),
    ("src/network.rs", "the address of a proxy with its password"),
    ("crates/auth/src/codex/browser.rs", "exchange of the code, and logout"),
    ("crates/auth/src/codex/device.rs", "exchange of the code"),
    ("crates/auth/src/codex/identity.rs", "what a token says of itself"),
    ("crates/auth/src/codex/key.rs", "the form of a key"),
    ("crates/auth/src/claude/key.rs", "the form of a key, and the header of a call"),
    ("crates/config/src/vendor_keys.rs", "the form of a key"),
    ("crates/auth/src/login/foreign.rs", "the form of a token, and what it says of itself"),
    ("crates/config/src/value/secret.rs", "whether it is the name of a variable"),
    ("crates/auth/src/codex/refresh.rs", "exchange of the refresh token"),
    ("crates/auth/src/xai/browser.rs", "exchange of the code"),
    ("crates/auth/src/xai/identity.rs", "what a token says of itself"),
    ("crates/auth/src/xai/import.rs", "what a token says of itself"),
    ("crates/auth/src/xai/key.rs", "the form of a key"),
    ("crates/auth/src/xai/refresh.rs", "exchange of the refresh token"),
    ("crates/provider/src/upstream/codex.rs", "the header of a call"),
    ("crates/auth/src/copilot.rs", "the header of a call to GitHub"),
    ("crates/auth/src/copilot/exchange.rs", "exchange of the GitHub token"),
    ("crates/auth/src/copilot/import.rs", "the form of a stored token"),
    ("crates/auth/src/copilot/token.rs", "the form of a pasted token"),
    ("crates/auth/src/kimi/import.rs", "what a token says of itself"),
    ("crates/auth/src/kimi/key.rs", "the form of a key"),
    ("crates/auth/src/kimi/refresh.rs", "exchange of the refresh token"),
    ("crates/provider/src/upstream/copilot.rs", "the header of a call"),
    ("crates/provider/src/upstream/kimi.rs", "the header of a call"),
    ("crates/provider/src/upstream/xai.rs", "the header of a call"),
    ("crates/provider/src/upstream/qwen.rs", "what is sent to its vendor"),
    ("crates/provider/src/upstream/vertex.rs", "what is sent to its vendor"),
    ("crates/provider/src/upstream/iflow.rs", "what is sent to its vendor"),
    ("crates/auth/src/qwen.rs", "what is sent to its vendor"),
    ("crates/auth/src/vertex.rs", "what is sent to its vendor"),
    ("crates/auth/src/google.rs", "what is sent to its vendor"),
    ("crates/auth/src/iflow/browser.rs", "what is sent to its vendor"),
    ("crates/auth/src/iflow/identity.rs", "what is sent to its vendor"),
    ("crates/auth/src/iflow/refresh.rs", "what is sent to its vendor"),
    ("crates/auth/src/iflow/cookie.rs", "what is sent to its vendor"),
    ("crates/auth/src/qwen/refresh.rs", "what is sent to its vendor"),
    ("crates/auth/src/vertex/key.rs", "what is sent to its vendor"),
    ("crates/auth/src/google/code_assist.rs", "what is sent to its vendor"),
    ("crates/auth/src/google/keys.rs", "what is sent to its vendor"),
    ("src/commands/accounts/transfer.rs", "the file that is sealed"),
    ("crates/provider/src/upstream/code_assist.rs", "what is sent to its vendor"),
];

/// Paths of the machine, names of private papers, hosts of package registries. Written in pieces, so that this file does
/// not contain what it looks for.
const FOREIGN: [&str; 15] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/tmp/", "bash_jobs"),
    concat!("fa", "cts/"),
    concat!("for", "mats.md"),
    concat!("formats", " sheet"),
    concat!("decis", "ions.md"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("pyp", "i.org"),
    concat!("python", "hosted.org"),
    concat!("registry.np", "mjs"),
    concat!("extra-index", "-url"),
    concat!("fact ", "sheet"),
    concat!("the ", "sheet"),
];

#[test]
fn crates_use_only_what_the_table_allows() {
    let allowed: BTreeMap<_, _> = GRAPH.into_iter().collect();
    let packages = packages();
    assert!(
        packages.keys().map(String::as_str).eq(allowed.keys().copied()),
        "every crate stands in the table"
    );
    for (from, uses) in &packages {
        for Use { name, for_tests } in uses {
            let Some(name) = name.strip_prefix("byok-") else { continue };
            let in_tests = *for_tests && FOR_TESTS.contains(&(from, name));
            assert!(allowed[from.as_str()].contains(&name) || in_tests, "`{from}` must not use `{name}`");
        }
    }
}

#[test]
fn the_architecture_shows_the_same_table() {
    let text = read("ARCHITECTURE.md");
    for (name, uses) in GRAPH {
        let uses = if uses.is_empty() { "–".to_owned() } else { uses.join(", ") };
        let row = format!("| {name} | {uses} |");
        assert!(text.lines().any(|line| line == row), "ARCHITECTURE.md lacks the row `{row}`");
    }
}

#[test]
fn what_the_architecture_names_is_there() {
    let text = read("ARCHITECTURE.md");
    let tests: String = files()
        .into_iter()
        .filter(|(path, _)| has_extension(path, "rs"))
        .filter_map(|(_, full)| fs::read_to_string(full).ok())
        .collect();
    for name in code_spans(&text) {
        let is_path = ["crates/", "src/", "tests/", "docs/"].iter().any(|start| name.starts_with(start));
        assert!(!is_path || root().join(name).exists(), "ARCHITECTURE.md names `{name}`, which is not there");
        let is_test =
            name.matches('_').count() >= 2 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(
            !is_test || tests.contains(&format!("fn {name}(")),
            "ARCHITECTURE.md names the test `{name}`"
        );
    }
}

#[test]
fn the_middle_form_has_the_types_that_its_page_names() {
    let page = read("docs/middle-form.md");
    let all = |start: &str| -> String {
        let inside =
            files().into_iter().filter(|(path, _)| path.starts_with(start) && has_extension(path, "rs"));
        inside.filter_map(|(_, full)| fs::read_to_string(full).ok()).collect()
    };
    let (types, tests) = (all("crates/translate/src/ir") + &all("crates/types/src"), all("crates/translate"));
    let is_type =
        |name: &str| ["struct", "enum"].iter().any(|kind| types.contains(&format!("pub {kind} {name} ")));
    for name in code_spans(&page).into_iter().filter(|name| !name.contains('/')) {
        let known = if let Some((owner, field)) = name.split_once('.') {
            is_type(owner) && types.contains(&format!("pub {field}: "))
        } else if let Some((owner, variant)) = name.split_once("::") {
            is_type(owner) && types.contains(&format!("\n    {variant}"))
        } else {
            is_type(name) || name == "Extra" || tests.contains(&format!("fn {name}("))
        };
        assert!(known, "docs/middle-form.md names `{name}`");
    }
}

#[test]
fn translation_is_pure() {
    for Use { name, for_tests } in &packages()["translate"] {
        assert!(*for_tests || !IMPURE.contains(&name.as_str()), "`translate` must not use `{name}`");
    }
    for (path, text) in sources().filter(|(path, _)| path.starts_with("crates/translate/")) {
        for word in IMPURE_WORDS {
            assert!(!text.contains(word), "{path}: `{word}` has no place in a pure crate");
        }
    }
}

#[test]
fn files_are_short() {
    let long: BTreeMap<_, _> = LONG_FILES.into_iter().collect();
    for (path, full) in files().into_iter().filter(|(path, _)| is_shipped(path)) {
        let lines = fs::read_to_string(full).unwrap().lines().count();
        if long.contains_key(path.as_str()) {
            assert!(lines > LINES, "{path} has {lines} lines and needs no exception any more");
        } else {
            assert!(lines <= LINES, "{path} has {lines} lines: look for the second reason to open it");
        }
    }
}

#[test]
fn secrets_are_looked_at_in_few_places() {
    let readers: BTreeSet<_> = sources()
        .filter(|(_, text)| text.contains(".expose()") || text.contains(".expose_secret()"))
        .map(|(path, _)| path)
        .collect();
    for path in &readers {
        assert!(SECRET_READERS.iter().any(|(known, _)| known == path), "{path} must not look at a secret");
    }
    for (path, _) in SECRET_READERS {
        assert!(readers.contains(*path), "{path} looks at no secret any more: take it off the list");
    }
}

#[test]
fn nothing_of_the_machine_it_was_written_on() {
    for (path, full) in files() {
        // Pictures and the like have no text to look into.
        let Ok(text) = fs::read_to_string(&full) else { continue };
        for pattern in FOREIGN {
            if let Some(line) = text.lines().position(|line| line.contains(pattern)) {
                panic!("{path}:{} contains `{pattern}`", line + 1);
            }
        }
    }
}

#[test]
fn both_readmes_say_the_same() {
    let (english, chinese) = (read("README.md"), read("README.zh.md"));
    assert_eq!(commands(&english), commands(&chinese), "blocks of code, without their comments");
    assert_eq!(
        code_spans(&english),
        code_spans(&chinese),
        "names in the text: commands, settings, providers"
    );
    assert_eq!(table_keys(&english), table_keys(&chinese), "first column of the tables");
    // Each names the other, and headings are in its own language.
    let elsewhere = |link: &String| !link.starts_with("README") && !link.starts_with('#');
    let targets = |text: &str| links(text).into_iter().filter(elsewhere).collect::<BTreeSet<_>>();
    assert_eq!(targets(&english), targets(&chinese), "links");
}

#[test]
fn the_readme_names_every_provider() {
    let readme = read("README.md");
    let spans = code_spans(&readme);
    for provider in byok_config::BUILT_IN {
        assert!(spans.contains(provider), "README.md says nothing about the provider `{provider}`");
    }
}

#[test]
fn links_lead_somewhere() {
    for (path, full) in files().into_iter().filter(|(path, _)| has_extension(path, "md")) {
        let text = read(&path);
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if target.is_empty() { full.clone() } else { full.parent().unwrap().join(target) };
            assert!(target.exists(), "{path}: the link `{link}` leads nowhere");
            if !anchor.is_empty() {
                let anchors = anchors(&fs::read_to_string(&target).unwrap());
                assert!(anchors.contains(anchor), "{path}: the link `{link}` names no heading");
            }
        }
    }
}

#[test]
fn the_papers_show_every_claim_and_notice() {
    let (page, changelog) = (read("docs/claims.md"), read("CHANGELOG.md"));
    for claim in byok_auth::claims::claims() {
        for words in [claim.name, claim.provider, claim.value] {
            assert!(page.contains(words), "docs/claims.md lacks `{words}`");
        }
        assert!(changelog.contains(claim.name), "CHANGELOG.md lacks the claim `{}`", claim.name);
    }
    // What is sent is what was consented to.
    let sent = byok_provider::upstream::ACCEPTED_SENTENCES[0];
    assert_eq!(byok_auth::claims::claim("claude-code-prompt").map(|claim| claim.value), Some(sent));
    for notice in byok_auth::claims::notices() {
        for words in [notice.rule, notice.risk] {
            assert!(page.contains(words), "docs/claims.md lacks the sentence `{words}`");
        }
    }
}

#[test]
fn every_command_that_is_named_exists() {
    let mut named = BTreeMap::new();
    for (path, full) in files().into_iter().filter(|(path, _)| has_extension(path, "md") || is_shipped(path))
    {
        let text = fs::read_to_string(full).unwrap();
        let lines = if has_extension(&path, "md") { commands(&text) } else { Vec::new() };
        let typed = lines.iter().filter_map(|line| line.strip_prefix("byok "));
        for line in typed.chain(text.split("`byok ").skip(1)) {
            // The last word of `byok config path|show` is a choice, of `byok login claude` an argument.
            let word = line.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
            named.entry(word.to_owned()).or_insert(path.clone());
        }
    }
    for (word, path) in named.iter().filter(|(word, _)| !word.is_empty()) {
        let help = Command::new(env!("CARGO_BIN_EXE_byok")).args(["help", word]).output().unwrap();
        assert!(help.status.success(), "{path} names `byok {word}`, which is no command");
    }
}

#[test]
fn the_tests_of_the_mutations_exist() {
    let page = read("crates/simulator/MUTATIONS.md");
    let code: String = files()
        .into_iter()
        .filter(|(path, _)| has_extension(path, "rs"))
        .map(|(_, full)| fs::read_to_string(full).unwrap())
        .collect();
    let names = |cell: &str| -> Vec<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(|name| name.rsplit("::").next().unwrap_or(name).to_owned())
            .collect()
    };
    let mut seen = 0;
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")) {
        let Some(cell) = line.split(" | ").nth(2) else { continue };
        for name in names(cell).iter().filter(|name| name.contains('_')) {
            let known =
                [format!("fn {name}("), format!("mod {name};")].iter().any(|place| code.contains(place));
            assert!(known, "MUTATIONS.md names the test `{name}`, which is gone");
            seen += 1;
        }
    }
    assert!(seen > 100, "the tables were not read: {seen}");
}

#[test]
fn every_field_of_a_record_is_explained() {
    let page = read("docs/records.md");
    let explained = table_keys(&page);
    let record = byok_types::RequestRecord {
        at_ms: 0,
        id: byok_types::RequestId::new("r").unwrap(),
        client_key: None,
        dialect: byok_types::Dialect::Chat,
        upstream_dialect: None,
        model_asked: String::new(),
        model_served: None,
        provider: None,
        account: None,
        attempts: 0,
        stream: false,
        status: 0,
        outcome: byok_types::Outcome::Complete,
        error: None,
        first_byte_ms: None,
        total_ms: 0,
        usage: byok_types::Usage::default(),
    };
    let record = serde_json::to_value(&record).unwrap();
    let fields = record.as_object().unwrap().keys().filter(|key| *key != "usage");
    for field in fields.chain(record["usage"].as_object().unwrap().keys()) {
        assert!(explained.contains(&field.as_str()), "docs/records.md lacks `{field}`");
    }
}

#[test]
fn the_check_before_a_merge_runs_the_command_of_the_readme() {
    let (readme, check) = (read("README.md"), read(".ci/run"));
    assert!(commands(&readme).iter().any(|line| line == "cargo test --workspace"));
    for step in ["cargo fmt", "cargo clippy", "cargo test --workspace"] {
        assert!(check.contains(step), ".ci/run does not run `{step}`");
    }
}

/// A package that a crate of ours uses.
struct Use {
    name: String,
    for_tests: bool,
}

/// What our crates use, as cargo understands their manifests. Names of crates are without their prefix.
fn packages() -> BTreeMap<String, Vec<Use>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let used =
        |dependency: &Value| Use { name: text(&dependency["name"]), for_tests: dependency["kind"] == "dev" };
    let entry = |package: &Value| {
        let name = text(&package["name"]);
        let short = name.strip_prefix("byok-").unwrap_or(&name).to_owned();
        (short, package["dependencies"].as_array().unwrap().iter().map(used).collect())
    };
    metadata["packages"].as_array().unwrap().iter().map(entry).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files of the repository: path from the root, and full path.
fn files() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if [".git", ".venv", "target", "node_modules"].contains(&name.as_ref()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let short = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push((short, path));
            }
        }
    }
    found.sort();
    found
}

/// Whether a path is Rust that ships: of a crate or the binary, and not a test.
fn is_shipped(path: &str) -> bool {
    let ours = path.starts_with("src/") || (path.starts_with("crates/") && path.contains("/src/"));
    let for_tests = |part: &str| ["tests", "tests.rs", "testing", "testing.rs"].contains(&part);
    ours && has_extension(path, "rs") && !path.split('/').any(for_tests)
}

fn has_extension(path: &str, wanted: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == wanted)
}

/// Sources without their tests.
fn sources() -> impl Iterator<Item = (String, String)> {
    files().into_iter().filter(|(path, _)| is_shipped(path)).map(|(path, full)| {
        let mut text = fs::read_to_string(full).unwrap();
        text.truncate(text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len()));
        (path, text)
    })
}

/// Lines of the blocks of code, without comments.
fn commands(text: &str) -> Vec<String> {
    let blocks = text.split("```").skip(1).step_by(2);
    // The first line of a block names its language.
    let lines = blocks.flat_map(|block| block.lines().skip(1));
    let code = lines.map(|line| line.split_once("# ").map_or(line, |(code, _)| code).trim_end());
    code.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// What stands between single backticks.
fn code_spans(text: &str) -> BTreeSet<&str> {
    text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

/// Code in the first cells of tables.
fn table_keys(text: &str) -> Vec<&str> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// Targets of links.
fn links(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let after = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    after.map(|(target, _)| target.to_owned()).collect()
}

/// Anchors of headings, as code hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let dashed = |c| if c == ' ' { '-' } else { c };
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let titles = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    titles.map(|title| title.chars().filter(kept).map(dashed).collect()).collect()
}
