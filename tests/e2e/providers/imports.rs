//! `byok login NAME --import`: the login of the vendor's own program, where that program keeps it, serves.

use super::{LoggedIn, becomes, codex, copilot, google, iflow, kimi, log_in, run, xai};
use crate::support::{
    ask::Ask,
    byok::{Byok, Setup},
    client::{Answer, Call},
};
use byok_simulator::{GoogleClient, Plan, SimOptions, Simulator};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const FORM: &str = "application/x-www-form-urlencoded";

/// A file of another program, below the home.
type File = (&'static str, String);

/// A provider whose program has a login.
struct Case {
    provider: &'static str,
    program: &'static str,
    settings: Value,
    files: Vec<File>,
    arguments: &'static [&'static str],
    models: &'static [&'static str],
    /// Whether the vendor uses refresh tokens up, so that the login is followed.
    followed: bool,
}

fn in_an_hour() -> i64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap() + Duration::from_secs(3600);
    i64::try_from(now.as_secs()).unwrap()
}

/// Puts the files into their places and takes the login over with the command; then a server that has run all the time serves
/// with it, and it can be renewed.
async fn imported(simulator: Simulator, case: Case) {
    let Case { provider, program, settings, files, arguments, models, followed } = case;
    let config = json!({"providers": {provider: settings}, "log": "debug"});
    let byok = Setup::new(config.to_string()).start().await;
    let none = log_in(&byok, provider, &[&["--import"], arguments].concat(), "").await.unwrap_err();
    assert!(none.contains(&format!("no program on this machine keeps a login of `{provider}`")), "{none}");
    write(&byok, &files);
    let said = log_in(&byok, provider, &[&["--import"], arguments].concat(), "").await;
    let said = said.unwrap_or_else(|said| panic!("{provider}: {said}"));
    for part in [format!("found a login of {program}"), format!("logged in to {provider}")] {
        assert!(said.contains(&part), "{part}: {said}");
    }
    assert_eq!(said.contains("byok follows this login"), followed, "{provider}: {said}");
    let world = LoggedIn { simulator, byok, said };
    becomes(&world, "ready").await;
    serves(&world, provider, models).await;

    let again = log_in(&world.byok, provider, &[&["--import", "--take-over"], arguments].concat(), "").await;
    again.unwrap_or_else(|said| panic!("{provider}: {said}"));
    let renewed = run(&world.byok, &["accounts", "refresh", provider], "").await;
    assert_eq!(
        (renewed.code, renewed.err.contains("renewed: ")),
        (Some(0), true),
        "{provider}: {}",
        renewed.err
    );
    serves(&world, provider, models).await;
    for (name, content) in files {
        let now = std::fs::read_to_string(world.byok.home().join(name)).unwrap();
        assert_eq!(now, content, "{provider}: the file is only read");
    }
}

async fn serves(world: &LoggedIn, provider: &str, models: &[&str]) {
    for model in models {
        for (client, stream) in [(Dialect::Chat, false), (Dialect::Messages, true)] {
            let ask = Ask::new("Good morning.").model(model).stream(stream);
            let said = world.say(client, &ask).await;
            let said = said.unwrap_or_else(|error| panic!("{provider} {model} {client}: {error}"));
            assert!(said.text.contains("Good morning."), "{provider} {model} {client}: {}", said.text);
        }
    }
}

fn write(byok: &Byok, files: &[File]) {
    for (name, content) in files {
        let file = byok.home().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
}

async fn simulator() -> Simulator {
    Simulator::start(SimOptions::default()).await.unwrap()
}

#[tokio::test]
async fn codex_cli() {
    let simulator = simulator().await;
    let grant = simulator.plan_grant(Plan::Codex, "ada@example.org");
    let file = json!({
        "auth_mode": "chatgpt", "OPENAI_API_KEY": null, "last_refresh": "2026-11-01T00:00:00Z",
        "tokens": {"id_token": grant.id_token, "access_token": grant.access_token,
            "refresh_token": grant.refresh_token, "account_id": "ws-ada"},
    });
    let settings = codex::settings(&simulator.base_url());
    let case = Case {
        provider: "codex",
        program: "Codex CLI",
        settings,
        files: vec![(".codex/auth.json", file.to_string())],
        arguments: &[],
        models: &["codex/gpt-5.5"],
        followed: true,
    };
    imported(simulator, case).await;
}

#[tokio::test]
async fn grok_cli() {
    let simulator = simulator().await;
    let grant = simulator.plan_grant(Plan::Xai, "ada@example.org");
    let client = "b1a00492-073a-47ea-816f-4c329264a828";
    let file = json!({format!("https://auth.x.ai::{client}"): {
        "key": grant.access_token, "auth_mode": "oidc", "expires_at": "2999-01-01T00:00:00Z",
        "refresh_token": grant.refresh_token, "oidc_client_id": client, "user_id": "user-ada",
        "email": "ada@example.org", "principal_type": "User", "principal_id": "user-ada",
    }});
    let settings = xai::settings(&simulator.base_url());
    let case = Case {
        provider: "xai",
        program: "Grok CLI",
        settings,
        files: vec![(".grok/auth.json", file.to_string())],
        arguments: &["--accept-claim", "grok-cli-version"],
        models: &["xai/grok-4.6"],
        followed: true,
    };
    imported(simulator, case).await;
}

#[tokio::test]
async fn gemini_cli_and_antigravity() {
    for (provider, program, client, name, arguments, models) in [
        (
            "gemini",
            "Gemini CLI",
            GoogleClient::Gemini,
            ".gemini/oauth_creds.json",
            &[][..],
            &["gemini/gemini-2.5-pro"][..],
        ),
        (
            "antigravity",
            "Antigravity",
            GoogleClient::Antigravity,
            ".gemini/antigravity-cli/antigravity-oauth-token",
            &["--accept-claim", "antigravity-user-agent"],
            &["antigravity/gemini-3-flash", "antigravity/claude-sonnet-4-6"],
        ),
    ] {
        let simulator = simulator().await;
        let grant = simulator.google_grant(client);
        let file = json!({
            "access_token": grant.access_token, "refresh_token": grant.refresh_token, "token_type": "Bearer",
            "expiry_date": in_an_hour() * 1000,
        });
        let settings = google::settings(&simulator)["providers"][provider].clone();
        let files = vec![(name, file.to_string())];
        imported(simulator, Case { provider, program, settings, files, arguments, models, followed: false })
            .await;
    }
}

/// Both programs of Kimi. The vendor binds a login to the id of the installation that made it, which lies beside it.
#[tokio::test]
async fn kimi_code_and_kimi_cli() {
    for (program, file, beside) in [
        ("Kimi Code", ".kimi-code/credentials/kimi-code.json", ".kimi-code/device_id"),
        ("kimi-cli", ".kimi/credentials/kimi-code.json", ".kimi/device_id"),
    ] {
        let simulator = simulator().await;
        let device = "0199a213-0000-4000-8000-00000000cafe";
        let client = "client_id=17e5f671-d194-4dfb-9706-5516cb48c098";
        let post = async |path: &str, body: String| -> Value {
            let call = Call::post(format!("/kimi/api/oauth/{path}"), body).headers(&[
                ("content-type", FORM),
                ("x-msh-platform", "kimi_cli"),
                ("x-msh-version", "1.0"),
                ("x-msh-device-id", device),
            ]);
            call.send(simulator.address()).await.json()
        };
        let code = post("device_authorization", client.to_owned()).await;
        let code = code["device_code"].as_str().unwrap().to_owned();
        let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
        let ask = || post("token", format!("{client}&{grant}&device_code={code}"));
        ask().await;
        let mut login = ask().await;
        login["expires_at"] = json!(in_an_hour());
        let settings = kimi::settings(&simulator.base_url());
        let case = Case {
            provider: "kimi",
            program,
            settings,
            files: vec![(file, login.to_string()), (beside, device.to_owned())],
            arguments: &[],
            models: &["kimi/k3"],
            followed: true,
        };
        imported(simulator, case).await;
    }
}

#[tokio::test]
async fn iflow_cli() {
    let simulator = simulator().await;
    let redirect = "http://localhost:11451/oauth2callback";
    let page = format!(
        "/iflow/oauth?loginMethod=phone&type=phone&client_id=10009311001&state=s&redirect={redirect}"
    );
    let page: Answer = Call::get(page).send(simulator.address()).await;
    let code = page.header("location").split_once("code=").unwrap().1.split_once('&').unwrap().0.to_owned();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={redirect}&client_id=10009311001&client_secret=sim-secret"
    );
    let call = Call::post("/iflow/oauth/token", form).headers(&[
        ("content-type", FORM),
        ("accept", "application/json"),
        ("authorization", "Basic MTAwMDkzMTEwMDE6c2ltLXNlY3JldA=="),
    ]);
    let login = call.send(simulator.address()).await.json();
    let token = login["access_token"].as_str().unwrap();
    let about = format!("/iflow/api/oauth/getUserInfo?accessToken={token}");
    let about = Call::get(about).send(simulator.address()).await.json();
    let file = json!({
        "access_token": token, "refresh_token": login["refresh_token"], "expiry_date": in_an_hour() * 1000,
        "apiKey": about["data"]["apiKey"], "token_type": "bearer", "scope": "read", "userId": "u-1",
    });
    let mut settings = iflow::settings(&simulator.base_url());
    settings["client_secret"] = json!("sim-secret");
    let case = Case {
        provider: "iflow",
        program: "iFlow CLI",
        settings,
        files: vec![(".iflow/oauth_creds.json", file.to_string())],
        arguments: &["--accept-claim", "iflow-cli"],
        models: &["iflow/glm-4.6"],
        followed: true,
    };
    imported(simulator, case).await;
}

#[tokio::test]
async fn a_plugin_of_copilot() {
    let simulator = simulator().await;
    let file = json!({"github.com:Iv1.b507a08c87ecfe98": {
        "user": "octocat", "oauth_token": simulator.github_grant(), "githubAppId": "Iv1.b507a08c87ecfe98",
    }});
    let settings = copilot::settings(&simulator.base_url());
    let case = Case {
        provider: "copilot",
        program: "a Copilot editor plugin",
        settings,
        files: vec![(".config/github-copilot/apps.json", file.to_string())],
        arguments: &["--accept-claim", "copilot-integration-id,copilot-editor-version"],
        models: &["copilot/gpt-5-mini"],
        followed: false,
    };
    imported(simulator, case).await;
}
