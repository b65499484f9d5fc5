//! A login that is made while the server runs is used without a restart, by whatever way it was made.

use crate::{
    login::log_in_by_paste,
    support::{Home, Vendor, client},
};
use std::time::{Duration, Instant};

/// Longest time that is waited on a busy machine; the promise is one second.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_login_is_used_at_once() {
    let (home, vendor) = (Home::new(), Vendor::start());
    let base = vendor.simulator.base_url();
    let settings = format!(
        "{}  codex:
    urls: {{ authorize: '{base}/openai-auth/oauth/authorize', token: '{base}/openai-auth/oauth/token',
      device: '{base}/openai-auth/api/accounts/deviceauth/usercode', verify: '{base}/openai-auth/codex/device',
      inference: '{base}/backend-api/codex' }}
  xai: {{ base_url: '{base}/xai', urls: {{ profile: '{base}/nowhere', inference: '{base}/xai' }} }}
  vertex: {{ urls: {{ token: '{base}/google/token', inference: '{base}/vertex' }} }}
  qwen: {{ urls: {{ token: '{base}/qwen/token', inference: '{base}/qwen/elsewhere/v1' }} }}
",
        vendor.config()
    );
    home.write_config(&settings);
    let mut server = home.start(&["serve", "--port", "0"]);
    let url = format!("{}/v1/models", server.base_url());
    let models =
        || vendor.runtime.block_on(async { client().get(&url).send().await.unwrap().text().await.unwrap() });
    let key_file = home.path().join("robot.json");
    std::fs::write(&key_file, vendor.simulator.service_account("proj-1").unwrap().json).unwrap();
    let kept = home.path().join("oauth_creds.json");
    let far = 4_000_000_000_000_u64;
    std::fs::write(
        &kept,
        format!(r#"{{"access_token":"a","refresh_token":"r","token_type":"Bearer","expiry_date":{far}}}"#),
    )
    .unwrap();
    let with_file = format!("file={}", key_file.display());
    let run = |args: &[&str], stdin: &str| {
        let output = home.run_with(&[&["login"], args].concat(), &[], stdin);
        assert_eq!(output.code, 0, "{args:?}: {}", output.err);
    };
    let mut times = Vec::new();
    for way in ["browser", "device", "key", "file", "import"] {
        let before = models();
        match way {
            "browser" => drop(log_in_by_paste(&home, &vendor, "ada@example.org", &[])),
            "device" => run(&["codex", "--method", "device"], ""),
            "key" => run(&["xai", "--method", "key"], "xai-0123456789"),
            "file" => run(&["vertex", "--with", &with_file, "--with", "location=europe-west4"], ""),
            _ => run(&["qwen", "--import", kept.to_str().unwrap()], ""),
        }
        let done = Instant::now();
        while models() == before {
            assert!(done.elapsed() < PATIENCE, "{way}: the login is not seen: {before}");
        }
        times.push((way, done.elapsed()));
    }
    // The machine may be busy once, but not each time.
    assert!(times.iter().any(|(_, time)| *time < Duration::from_secs(1)), "{times:?}");
}
