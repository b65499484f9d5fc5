//! Logins at Google: Gemini Code Assist, Antigravity and Vertex AI, from the login to the answer.

use super::{
    login::{Login, byok, known},
    table::{Does, Make},
};
use crate::support::{
    ask::{Ask, Said, Tool},
    byok::PATIENCE,
    client::{Answer, Call},
    dialect,
    world::{World, each, equal},
};
use byok_simulator::{GoogleAccounts, Simulator};
use byok_types::Dialect;
use serde_json::{Value, json};
use std::fmt;

pub(super) fn settings(simulator: &Simulator) -> Value {
    let base = simulator.base_url();
    let google = |path: &str| format!("{base}/google{path}");
    let login = json!({
        "client_secret": "sim-client-secret",
        "urls": {
            "authorize": google("/o/oauth2/v2/auth"), "token": google("/token"), "profile": google("/userinfo"),
            "revoke": google("/revoke"), "projects": google("/v1internal:loadCodeAssist"),
            "onboard": google("/v1internal:onboardUser"), "inference": google(""),
        },
    });
    json!({"providers": {
        "gemini": login, "antigravity": login,
        "vertex": {"urls": {"token": google("/token"), "inference": format!("{base}/vertex")}},
    }})
}

async fn world() -> World {
    World::of(settings, |setup| setup).await
}

const CONSENT: [&str; 2] = ["--accept-claim", "antigravity-user-agent"];

/// Logs in to all three.
async fn log_in_everywhere(world: &World) {
    let said = Login::start(world, &["gemini", "--with", "project=mine-1"]).await.paste(world).await;
    assert!(said.contains("logged in to gemini as ada@example.org, plan Google AI Pro"), "{said}");
    assert!(said.contains("Since 2026-06-18"), "{said}");
    let said = Login::start(world, &[&["antigravity"][..], &CONSENT].concat()).await.paste(world).await;
    assert!(said.contains("logged in to antigravity as ada@example.org"), "{said}");
    let key = world.simulator.service_account("proj-1").unwrap();
    let file = world.byok.home().join("key.json");
    std::fs::write(&file, key.json).unwrap();
    let with = format!("file={}", file.display());
    let said = Login::run(world, &["vertex", "--with", &with, "--with", "location=europe-west4"]).await;
    assert!(said.contains("logged in to vertex as robot@proj-1.iam.gserviceaccount.com"), "{said}");
    for provider in ["gemini", "antigravity", "vertex"] {
        known(world, provider).await;
    }
}

/// A client, a model, and whether it streams.
#[derive(Clone, Copy)]
struct Case {
    client: Dialect,
    model: &'static str,
    stream: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} {} {}]", self.client, self.model, self.stream)
    }
}

impl Case {
    fn all() -> Vec<Self> {
        let models = [
            "gemini/gemini-2.5-pro",
            "gemini/gemini-3.5-flash",
            "antigravity/claude-sonnet-4-6",
            "antigravity/gemini-3-flash",
            "antigravity/gpt-oss-120b-medium",
            "vertex/gemini-2.5-flash",
            "vertex/gemini-3.5-flash",
        ];
        let mut all = Vec::new();
        for model in models {
            for client in Dialect::ALL {
                all.extend([false, true].map(|stream| Self { client, model, stream }));
            }
        }
        all
    }

    async fn send(self, world: &World, ask: &Ask) -> Answer {
        let ask = ask.clone().model(self.model).stream(self.stream);
        dialect::call(self.client, &ask).send(world.byok.address()).await
    }

    async fn say(self, world: &World, ask: &Ask) -> Result<Said, String> {
        dialect::read(self.client, self.stream, &self.send(world, ask).await)
    }
}

fn tools() -> Vec<Tool> {
    let city = json!({"type": "object", "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]}}, "required": ["city"]});
    let nothing = json!({"type": "object", "properties": {}});
    vec![Tool { name: "get_weather", parameters: city }, Tool { name: "ping", parameters: nothing }]
}

#[tokio::test]
async fn a_chat_a_tool_round_trip_and_a_stream_in_all_dialects() {
    let world = world().await;
    log_in_everywhere(&world).await;
    each(Case::all(), async |case| {
        let said = case.say(&world, &Ask::new(format!("good morning {case}"))).await?;
        equal("echo", &said.text.contains("good morning"), &true)?;
        equal("usage", &(said.usage.input > 0 && said.usage.output > 0), &true)?;
        let text = "sim:text Checking. sim:tool get_weather {\"city\":\"Oslo\"} sim:tool ping {}";
        let ask = Ask::new(text).with(|ask| {
            ask.tools = tools();
            ask.max_tokens = Some(4000);
        });
        let said = case.say(&world, &ask).await?;
        equal("text", &said.text.as_str(), &"Checking.")?;
        let calls: Vec<_> =
            said.calls.iter().map(|call| (call.name.as_str(), call.arguments.clone())).collect();
        equal("calls", &calls, &vec![("get_weather", json!({"city": "Oslo"})), ("ping", json!({}))])?;
        let next = case.say(&world, &ask.answered(&said, &["heavy rain", "pong"])).await?;
        equal("results", &(next.text.contains("heavy rain") && next.text.contains("pong")), &true)
            .map_err(|error| format!("{error}: {}", next.text))
    })
    .await;
}

#[tokio::test]
async fn what_the_services_see() {
    let world = world().await;
    log_in_everywhere(&world).await;
    for model in ["gemini/gemini-2.5-pro", "antigravity/claude-sonnet-4-6", "vertex/gemini-2.5-flash"] {
        let case = Case { client: Dialect::Chat, model, stream: false };
        let ask = Ask::new(format!("where is it {model}")).with(|ask| ask.tools = tools());
        case.say(&world, &ask).await.unwrap();
    }
    let seen = |mark: &str| world.seen(mark).unwrap();
    let gemini = seen("where is it gemini/");
    assert_eq!(
        (gemini.path.as_str(), gemini.json()["project"].as_str()),
        ("/google/v1internal:generateContent", Some("mine-1"))
    );
    assert!(gemini.headers["user-agent"].to_str().unwrap().starts_with("byok/"));
    assert!(gemini.headers["authorization"].to_str().unwrap().starts_with("Bearer ya29.gemini-"));
    let agent = seen("where is it antigravity/");
    assert_eq!(
        (agent.path.as_str(), agent.query.as_str()),
        ("/google/v1internal:streamGenerateContent", "alt=sse"),
        "it only streams"
    );
    assert_eq!(agent.headers["user-agent"], "antigravity");
    assert_eq!(agent.json()["request"]["toolConfig"]["functionCallingConfig"]["mode"], "VALIDATED");
    let required = &agent.json()["request"]["tools"][0]["functionDeclarations"][1]["parameters"]["required"];
    assert_eq!(required, &json!(["byok_placeholder"]));
    let vertex = seen("where is it vertex/");
    assert_eq!(
        vertex.path,
        "/vertex/v1/projects/proj-1/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent"
    );
    assert!(
        !vertex.headers.contains_key("x-goog-api-key") && !vertex.headers.contains_key("x-goog-user-project")
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let world = world().await;
    log_in_everywhere(&world).await;
    for (model, mark) in [
        ("gemini/gemini-2.5-pro", "one"),
        ("antigravity/gemini-3-flash", "two"),
        ("vertex/gemini-2.5-flash", "three"),
    ] {
        let case = Case { client: Dialect::Messages, model, stream: true };
        case.say(&world, &Ask::new(format!("before {mark}"))).await.unwrap();
        let seen = world.seen(&format!("before {mark}")).unwrap();
        let token = seen.headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        let before = world.simulator.google_counts();
        world.simulator.expire(&token);
        case.say(&world, &Ask::new(format!("after {mark}"))).await.unwrap();
        let after = world.simulator.google_counts();
        let bought = |counts: byok_simulator::GoogleCounts| counts.refreshes + counts.statements;
        assert_eq!(bought(after), bought(before) + 1, "{model}");
    }
}

#[tokio::test]
async fn a_plan_that_google_does_not_serve_is_not_stored() {
    let world = world().await;
    for (accounts, words) in [
        (GoogleAccounts::Unsupported, "byok login antigravity"),
        (GoogleAccounts::Unverified, "https://accounts.google.com/signin/continue?sim"),
    ] {
        world.simulator.google_accounts(accounts);
        let login = Login::start(&world, &["gemini"]).await;
        let (code, said) = login.end(&world).await;
        assert_ne!(code, Some(0), "{said}");
        assert!(said.contains(words), "{said}");
    }
    assert!(!world.byok.status().await.to_string().contains("ada@example.org"));
    // An account without a plan is set up first.
    world.simulator.google_accounts(GoogleAccounts::Fresh);
    Login::start(&world, &["gemini"]).await.paste(&world).await;
    known(&world, "gemini").await;
    let case = Case { client: Dialect::Gemini, model: "gemini/gemini-2.5-pro", stream: false };
    case.say(&world, &Ask::new("set up")).await.unwrap();
    assert_eq!(world.seen("set up").unwrap().json()["project"], "sim-onboarded-1");
}

#[tokio::test]
async fn without_consent_antigravity_hears_nothing() {
    let world = world().await;
    let said = Login::start(&world, &["antigravity"]).await.paste(&world).await;
    assert!(said.contains("terms do not allow") && said.contains("byok does not send it"), "{said}");
    known(&world, "antigravity").await;
    let case = Case { client: Dialect::Chat, model: "antigravity/gemini-3-flash", stream: false };
    let answer = case.send(&world, &Ask::new("hello")).await;
    assert_eq!(
        (answer.status, answer.json()["error"]["code"].as_str()),
        (400, Some("claim_not_accepted")),
        "{}",
        answer.text()
    );
    assert!(
        world.simulator.requests().iter().all(|seen| !seen.path.contains("v1internal")),
        "nothing was asked"
    );
    assert!(said.contains("so this account serves nobody"), "{said}");
    let status = world.byok.status().await.to_string();
    assert!(status.contains("it serves nobody") && !status.contains("callers that say it"), "{status}");
    let listed = async || Call::get("/v1/models").send(world.byok.address()).await.text();
    assert!(!listed().await.contains("antigravity/"), "nobody can ask for them");

    // From the consent on everything is asked, without a wait and without another login: the project, too.
    let consent = ["accounts", "claims", "antigravity", "--accept", CONSENT[1]];
    byok(&world, &consent).await;
    let begun = std::time::Instant::now();
    while !world.byok.status().await.to_string().contains("\"windows\":[{") {
        assert!(begun.elapsed() < PATIENCE, "no limits are known: {}", world.byok.status().await);
    }
    assert!(listed().await.contains("antigravity/"));
    case.say(&world, &Ask::new("found")).await.unwrap();
    // A login that is made again where nobody asks for consent keeps it, and finds its project again.
    let said = Login::start(&world, &["antigravity"]).await.paste(&world).await;
    assert!(said.contains("your consent to the claim `antigravity-user-agent` stays"), "{said}");
    case.say(&world, &Ask::new("found again")).await.unwrap();
    assert!(world.seen("found again").unwrap().json()["project"].is_string());
}

#[tokio::test]
async fn refusals_of_the_services() {
    let world = world().await;
    log_in_everywhere(&world).await;
    let case = Case { client: Dialect::Chat, model: "antigravity/gemini-3-flash", stream: true };
    let bare = case.send(&world, &Ask::new("sim:google bare")).await;
    assert_eq!(
        (bare.status, bare.header("x-byok-hint").contains("not your quota")),
        (429, true),
        "{}",
        bare.text()
    );
    let old = case.send(&world, &Ask::new("sim:google old")).await;
    assert!(old.status >= 500 && old.text().contains("no longer supported"), "{} {}", old.status, old.text());
    let other = Case { model: "antigravity/gemini-pro-agent", ..case };
    other.say(&world, &Ask::new("still there")).await.unwrap();
    let gone = Case { model: "antigravity/claude-sonnet-4-6", ..case };
    // The second time without a call: waiting does not bring a model, so it stays a 404.
    for wish in ["sim:404", "are you there now?"] {
        let gone = gone.send(&world, &Ask::new(wish)).await;
        assert_eq!(
            (gone.status, gone.text().contains("Requested entity was not found")),
            (404, true),
            "{}",
            gone.text()
        );
    }
    let status = world.byok.status().await.to_string();
    assert!(status.contains("Google offers this model not to this account"), "{status}");

    let quota =
        Case { model: "gemini/gemini-2.5-flash", ..case }.send(&world, &Ask::new("sim:quota 7200")).await;
    assert_eq!(quota.status, 429, "{}", quota.text());
    // One model rests, the account serves the others.
    let case = Case { model: "gemini/gemini-2.5-pro", ..case };
    case.say(&world, &Ask::new("another model")).await.unwrap();
    for (model, wish, words) in [
        ("gemini/gemini-2.5-pro", "sim:google verify", "https://accounts.google.com/signin/continue?sim"),
        ("antigravity/gemini-pro-agent", "sim:banned", "violation of Terms of Service"),
    ] {
        let answer = Case { model, ..case }.send(&world, &Ask::new(wish)).await;
        assert_eq!(answer.status, 503, "a refused login of byok is no 403 of the client: {}", answer.text());
        let mut status = String::new();
        for _ in 0..200 {
            status = world.byok.status().await.to_string();
            if status.contains(words) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(status.contains(words), "{status}");
    }
}

#[tokio::test]
async fn all_three_do_what_the_readme_says() {
    let world = world().await;
    log_in_everywhere(&world).await;
    let rows: [(_, Make, _); 3] = [
        ("gemini", byok_auth::gemini::vendor, "gemini/gemini-3.5-flash"),
        ("antigravity", byok_auth::antigravity::vendor, "antigravity/gemini-3-flash"),
        ("vertex", byok_auth::vertex::vendor, "vertex/gemini-3.5-flash"),
    ];
    for (provider, make, model) in rows {
        Does { provider, make, model, thinks: model, sees: model }.what_the_readme_says(&world.byok).await;
    }
}
