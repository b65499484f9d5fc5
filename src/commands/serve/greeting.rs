//! What `byok serve` says when it listens.

use crate::{commands::login::link, logging, runtime::Running, terminal};
use byok_auth::Wish;
use byok_proxy::{AccountStatus, ModelInfo, ProviderStatus, Status};
use serde_json::{Value, json};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};
use tracing::level_filters::LevelFilter;

/// Says that it listens, to whoever reads it.
pub(super) async fn say(running: &Running, file: Option<&Path>) {
    let status = Status::of(running.app()).await;
    if logging::is_for_programs() {
        tell(running, &status, file);
    } else {
        terminal::say(text(running, &status, file));
    }
}

/// The facts alone, as one event, and an event for each thing that is wrong.
fn tell(running: &Running, status: &Status, file: Option<&Path>) {
    let base = base_url(running.address());
    let serves: Vec<_> = status.providers.iter().map(counted).collect();
    let nothing = ModelInfo::of(running.app()).is_empty();
    let facts = [
        ("url", Some(json!(base))),
        ("listens", Some(json!(running.address().to_string()))),
        ("keys_required", Some(json!(status.keys_required))),
        ("settings", file.map(|file| json!(file.display().to_string()))),
        ("serves", Some(json!(serves))),
        ("login_page", nothing.then(|| one_time_link(running, &base)).flatten().map(Value::from)),
    ];
    let facts = facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?)));
    logging::tell(LevelFilter::INFO, &format!("byok {} listens on {base}", status.version), facts.collect());
    status.config.problems.iter().for_each(terminal::warn);
}

/// What a person wants to know first: the address, who serves, what to try.
fn text(running: &Running, status: &Status, file: Option<&Path>) -> String {
    let base = base_url(running.address());
    let mut lines = vec![format!("byok {} listens on {base}", status.version)];
    lines.extend(network(running.address()));
    lines.push(match file {
        Some(file) => format!("  settings  {}", file.display()),
        None => "  settings  none yet; `byok config example` prints a file to begin with".to_owned(),
    });
    if let Some(model) = ModelInfo::of(running.app()).first() {
        let serves: Vec<_> = status.providers.iter().map(counted).collect();
        lines.push(format!("  serves    {}", serves.join(", ")));
        lines.push("\ntry".to_owned());
        lines.push(format!("  {}", request(&base, &model.id, status.keys_required)));
        lines.push("  byok models            what can be asked for".to_owned());
    } else {
        lines.push("  serves    nothing yet".to_owned());
        lines.push("\nto begin".to_owned());
        lines.push("  byok login claude      log in to a Claude plan".to_owned());
        lines.push("  byok config example    how API keys are set".to_owned());
        lines.push("  byok demo              see it work without any account".to_owned());
        lines.extend(page(running, &base));
    }
    lines.push("  byok status            who serves, and how they fare".to_owned());
    lines.push("\nin the shell of a tool".to_owned());
    lines.extend(exports(&base));
    lines.extend(status.config.problems.iter().map(|problem| format!("\nwarning: {problem}")));
    lines.push(String::new());
    lines.join("\n")
}

/// That others than this machine can reach it.
fn network(address: SocketAddr) -> Option<String> {
    let (ip, port) = (address.ip(), address.port());
    if ip.is_loopback() {
        return None;
    }
    let all = if ip.is_unspecified() {
        format!("it listens on all addresses of this machine ({ip}, port {port}): ")
    } else {
        String::new()
    };
    Some(format!("  network   {all}other machines can reach it, with a client key"))
}

/// A login on a page, for a server that has none.
fn page(running: &Running, base: &str) -> Option<String> {
    let link = one_time_link(running, base)?;
    Some(format!("  or log in on this page (the link is good once, for 10 minutes):\n  {link}"))
}

/// The link to it. Where nobody sits at a terminal the token would stand in a log.
fn one_time_link(running: &Running, base: &str) -> Option<String> {
    let desk = running.app().logins().filter(|_| terminal::is_read_by_a_person())?;
    Some(link::for_any(base, &desk.issue(Wish::default())))
}

fn request(base: &str, model: &str, key: bool) -> String {
    let key = if key { "-H \"authorization: Bearer $BYOK_KEY\" " } else { "" };
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hello"}}]}}"#);
    format!("curl {base}/v1/chat/completions {key}-H 'content-type: application/json' -d '{body}'")
}

/// `claude (1 key, 2 logins)`.
fn counted(provider: &ProviderStatus) -> String {
    let count = |kind: &str, what: &str| {
        let is = |account: &&AccountStatus| account.kind == kind;
        match provider.accounts.iter().filter(is).count() {
            0 => None,
            1 => Some(format!("1 {what}")),
            n => Some(format!("{n} {what}s")),
        }
    };
    let counts: Vec<_> = [count("api_key", "key"), count("login", "login")].into_iter().flatten().collect();
    format!("{} ({})", provider.name, counts.join(", "))
}

/// The variables by which the SDKs of the vendors find byok.
pub(in crate::commands) fn exports(base: &str) -> [String; 3] {
    [
        format!("  export OPENAI_BASE_URL={base}/v1"),
        format!("  export ANTHROPIC_BASE_URL={base}"),
        format!("  export GOOGLE_GEMINI_BASE_URL={base}"),
    ]
}

/// The address as a client on this machine writes it.
pub(in crate::commands) fn base_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::{base_url, network};

    #[test]
    fn clients_write_an_address_that_they_can_reach() {
        for (address, expected) in [
            ("127.0.0.1:8018", "http://127.0.0.1:8018"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("192.168.1.2:80", "http://192.168.1.2:80"),
        ] {
            assert_eq!(base_url(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn that_the_network_can_reach_it_is_said() {
        let told = |address: &str| network(address.parse().unwrap()).unwrap_or_default();
        for address in ["127.0.0.1:8018", "[::1]:8018"] {
            assert_eq!(told(address), "");
        }
        assert_eq!(told("192.168.1.2:80"), "  network   other machines can reach it, with a client key");
        for (address, expected) in
            [("0.0.0.0:8018", "(0.0.0.0, port 8018): other"), ("[::]:80", "(::, port 80): other")]
        {
            assert!(told(address).contains("all addresses of this machine"), "{}", told(address));
            assert!(told(address).contains(expected), "{}", told(address));
        }
    }
}
