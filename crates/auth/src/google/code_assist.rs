//! Which Cloud project an account's requests belong to, and under which plan: the private API of Code Assist.

use super::{Client, error_of};
use crate::{
    LoginError,
    endpoint::{Ask, Body},
    gemini::NO_LICENCE,
    login::plain,
    refusal::Refusal,
};
use byok_transport::{BufferedReply, Transport};
use byok_types::Secret;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

const LIMIT: Duration = Duration::from_secs(30);
/// How long an account may take to be set up.
const SET_UP_WITHIN: Duration = Duration::from_mins(1);
/// The longest pause between two looks at it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who asks, in the words of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The Gemini plug-in, whatever editor it is in.
    Gemini,
    /// Antigravity; only with the consent of the account's owner.
    Antigravity,
}

impl Speaker {
    fn metadata(self, project: Option<&str>) -> Value {
        match self {
            Self::Antigravity => json!({"ideType": "ANTIGRAVITY"}),
            Self::Gemini => {
                let mut metadata = json!({
                    "ideType": "IDE_UNSPECIFIED", "platform": "PLATFORM_UNSPECIFIED", "pluginType": "GEMINI",
                });
                if let Some(project) = project {
                    metadata["duetProject"] = json!(project);
                }
                metadata
            }
        }
    }
}

/// The addresses of the lookup.
#[derive(Clone, Debug)]
pub(crate) struct Assist {
    pub(crate) load: Url,
    pub(crate) onboard: Url,
    /// The first pause while an account is set up; each is twice as long as the one before.
    pub(crate) pause: Duration,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The project for all requests.
    pub(crate) project: String,
    /// The plan, as Google calls it.
    pub(crate) plan: Option<String>,
}

/// One lookup.
pub(crate) struct Lookup<'a> {
    pub(crate) client: &'a Client,
    pub(crate) assist: &'a Assist,
    pub(crate) transport: &'a Transport,
    pub(crate) token: &'a Secret,
    pub(crate) speaker: Speaker,
    /// The value of the claim, with consent.
    pub(crate) agent: Option<&'a str>,
    /// The project that the person named.
    pub(crate) project: Option<&'a str>,
}

/// The answer to the question for a project: `auto` and nothing mean that Google chooses.
pub(crate) fn named_project(answer: Option<&str>) -> Result<Option<&str>, LoginError> {
    let Some(project) = answer.map(str::trim).filter(|text| !text.is_empty() && *text != "auto") else {
        return Ok(None);
    };
    let bad = |why: &str| LoginError::NotUsable { why: format!("`project`: {why}") };
    if project.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad("give the id of the project (such as `my-project-123`), not its number"));
    }
    if !project.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte)) {
        return Err(bad("an id has letters, digits and dashes only"));
    }
    Ok(Some(project))
}

impl Lookup<'_> {
    /// Finds the project, and sets the account up first where Google wants that.
    pub(crate) async fn place(&self) -> Result<Place, LoginError> {
        let mut body = json!({"metadata": self.speaker.metadata(self.project)});
        if let Some(project) = self.project.filter(|_| self.speaker != Speaker::Antigravity) {
            body["cloudaicompanionProject"] = json!(project);
        }
        let reply = self.post(&self.assist.load, body).await?;
        let answer = if reply.status.is_success() { Self::read(&reply)? } else { self.refused(&reply)? };
        let tier = answer.get("currentTier").filter(|tier| tier.is_object());
        let project = project_of(&answer["cloudaicompanionProject"]);
        let Some(tier) = tier else {
            self.check_eligible(&answer)?;
            let tier = default_tier(&answer);
            let project = match project {
                Some(project) if self.speaker == Speaker::Antigravity => project,
                _ => self.set_up(&tier).await?,
            };
            return Ok(Place { project, plan: plan_of(&answer, &tier) });
        };
        let plan = plan_of(&answer, tier);
        let project = project.or_else(|| self.project.map(str::to_owned));
        if let Some(project) = project {
            return Ok(Place { project, plan });
        }
        if self.speaker == Speaker::Antigravity {
            let project = self.set_up(tier).await?;
            return Ok(Place { project, plan });
        }
        self.check_eligible(&answer)?;
        Err(self.needs_project())
    }

    /// Sets the account up. The project is the one of the answer: Google may replace the one that was asked for.
    async fn set_up(&self, tier: &Value) -> Result<String, LoginError> {
        let id = tier["id"].as_str().unwrap_or("free-tier");
        let wants_own = tier["userDefinedCloudaicompanionProject"] == true;
        if wants_own && self.project.is_none() {
            return Err(self.needs_project());
        }
        // With a project the free tier answers "Precondition Failed".
        let project = self.project.filter(|_| id != "free-tier");
        let mut body = json!({"tierId": id, "metadata": self.speaker.metadata(project)});
        if let Some(project) = project {
            body["cloudaicompanionProject"] = json!(project);
        }
        let (mut waited, mut pause) = (Duration::ZERO, self.assist.pause);
        loop {
            let reply = self.post(&self.assist.onboard, body.clone()).await?;
            let answer = if reply.status.is_success() { Self::read(&reply)? } else { self.refused(&reply)? };
            if answer["done"] == true {
                let given = project_of(&answer["response"]["cloudaicompanionProject"]);
                return given.or_else(|| project.map(str::to_owned)).ok_or_else(|| self.needs_project());
            }
            if waited >= SET_UP_WITHIN {
                return Err(LoginError::NoAccess {
                    why: format!(
                        "Google is still setting it up; log in again with `byok login {}` in some minutes",
                        self.client.provider
                    ),
                });
            }
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn post(&self, url: &Url, body: Value) -> Result<BufferedReply, LoginError> {
        let bearer = format!("Bearer {}", self.token.expose());
        let agent = self.agent.map(|agent| [("user-agent", agent)]);
        let headers = agent.as_ref().map_or(&[][..], |headers| &headers[..]);
        let ask = Ask { headers, authorization: Some(&bearer), ..Ask::post(url, Body::Json(body), LIMIT) };
        Ok(self.client.endpoint(self.transport).ask(ask).await?)
    }

    fn read(reply: &BufferedReply) -> Result<Value, LoginError> {
        let value: Option<Value> = serde_json::from_slice(&reply.body).ok();
        value.filter(Value::is_object).ok_or(LoginError::BadAnswer)
    }

    /// An error of the service. One means that the project is behind a wall of its organisation, and is no error.
    fn refused(&self, reply: &BufferedReply) -> Result<Value, LoginError> {
        let (reason, error) = error_of(&reply.body);
        if reason.as_deref() == Some("SECURITY_POLICY_VIOLATED") && self.project.is_some() {
            return Ok(json!({"currentTier": {"id": "standard-tier"}}));
        }
        let said = plain(error["message"].as_str().unwrap_or_default());
        let status = reply.status.as_u16();
        if status == 429 || status >= 500 || Refusal::read(reply, &[]).is_in_front() {
            return Err(LoginError::NoAccess {
                why: format!(
                    "Google cannot set it up now ({}); log in again in some minutes",
                    if said.is_empty() { status.to_string() } else { format!("{status}, {said}") }
                ),
            });
        }
        let unlicensed =
            reason.as_deref() == Some("SUBSCRIPTION_REQUIRED") && self.client.provider == "gemini";
        let way = if unlicensed {
            NO_LICENCE
        } else {
            "use another project with `--with project=ID`, or an API key"
        };
        let words: Vec<_> = reason.as_deref().map(plain).into_iter().chain([said]).collect();
        let words: Vec<_> = words.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        let words = if words.is_empty() { "Google does not say why".to_owned() } else { words.join(": ") };
        Err(LoginError::NoAccess { why: format!("{words} ({status}); {way}") })
    }

    /// Says why Google does not let the account in.
    fn check_eligible(&self, answer: &Value) -> Result<(), LoginError> {
        let reasons: Vec<&Value> = answer["ineligibleTiers"].as_array().into_iter().flatten().collect();
        let text = |tier: &Value, name: &str| plain(tier[name].as_str().unwrap_or_default());
        let with = |code: &str| reasons.iter().find(|tier| tier["reasonCode"] == code);
        if let Some(tier) = with("VALIDATION_REQUIRED")
            && let Some(url) = tier["validationUrl"].as_str()
        {
            return Err(LoginError::NoAccess {
                why: format!(
                    "Google wants to verify it first: open {} in a browser, then log in again",
                    plain(url)
                ),
            });
        }
        let allowed = answer["allowedTiers"].as_array().is_some_and(|tiers| !tiers.is_empty());
        if let Some(tier) = with("UNSUPPORTED_CLIENT").filter(|_| !allowed || self.project.is_none()) {
            let way = if self.client.provider == "gemini" {
                NO_LICENCE
            } else {
                "bring a Cloud project with Gemini for Google Cloud (`--with project=ID`), or use an API key \
                 (`byok login gemini --method key`)"
            };
            return Err(LoginError::NoAccess {
                why: format!("{}; {way}", says(&text(tier, "reasonMessage"))),
            });
        }
        if !allowed && !reasons.is_empty() {
            let said: Vec<String> = reasons.iter().map(|tier| text(tier, "reasonMessage")).collect();
            return Err(LoginError::NoAccess {
                why: format!(
                    "{}; use an API key (`byok login gemini --method key`)",
                    says(said.join(" ").trim())
                ),
            });
        }
        Ok(())
    }

    fn needs_project(&self) -> LoginError {
        LoginError::NoAccess {
            why: format!(
                "its plan needs a Cloud project of yours; log in again with `byok login {} --with project=ID`",
                self.client.provider
            ),
        }
    }
}

fn says(words: &str) -> String {
    if words.is_empty() { "Google does not say why".to_owned() } else { format!("Google says `{words}`") }
}

/// A project as a text or as an object with an id.
fn project_of(value: &Value) -> Option<String> {
    let id = value.as_str().or_else(|| value["id"].as_str())?;
    (!id.trim().is_empty()).then(|| id.to_owned())
}

/// The tier for those who have none yet.
fn default_tier(answer: &Value) -> Value {
    let tiers = answer["allowedTiers"].as_array();
    let default = tiers.into_iter().flatten().find(|tier| tier["isDefault"] == true);
    default
        .cloned()
        .unwrap_or_else(|| json!({"id": "legacy-tier", "userDefinedCloudaicompanionProject": true}))
}

/// The plan as Google calls it: that of the paid tier first.
fn plan_of(answer: &Value, tier: &Value) -> Option<String> {
    let named = |tier: &Value| ["name", "id"].iter().find_map(|name| tier[*name].as_str().map(str::to_owned));
    named(&answer["paidTier"]).or_else(|| named(tier)).map(|name| plain(&name))
}
