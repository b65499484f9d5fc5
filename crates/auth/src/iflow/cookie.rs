//! Login by the cookie of the vendor's platform, which shows the API key and renews it.

use super::{API_KEY, Iflow, KEY_NAME};
use crate::{
    Answers, Clock as _, KeyLogin, LoginError, LoginFuture, NewLogin, RefreshError, SystemClock, TokenAnswer,
    endpoint::{Ask, Body},
    refusal::Refusal,
};
use byok_store::AccountDetails;
use byok_transport::{BufferedReply, Transport, TransportError};
use byok_types::{AccountState, Credential, CredentialKind, Secret, TokenFacts};
use serde::Deserialize;
use serde_json::json;
use url::Url;

/// The one part of the cookie that counts.
const COOKIE: &str = "BXAuth=";
/// The vendor writes local time without saying so.
const UTC_PLUS_8: i64 = 8 * 3600;
/// Life of a key whose end is not told.
const KEY_LIFE: i64 = 7 * 86_400;

/// Login by cookie.
#[derive(Debug)]
pub(super) struct ByCookie(pub(super) Iflow);

/// What the platform says of its key.
#[derive(Debug)]
struct Shown {
    name: String,
    key: Option<Secret>,
    /// Unix time in seconds.
    expires_at: Option<i64>,
}

/// Why the platform did not show a key.
enum Unshown {
    Transport(TransportError),
    /// The cookie does not log in any more.
    Refused(String),
    /// The platform is busy, or says something that is no answer.
    Busy(String),
    /// Something in front of the platform did not let byok through.
    InFront(Box<Refusal>),
}

impl KeyLogin for ByCookie {
    fn kind(&self) -> CredentialKind {
        CredentialKind::Oauth
    }

    fn finish<'a>(
        &'a self,
        transport: &'a Transport,
        pasted: Secret,
        _answers: &'a Answers,
    ) -> LoginFuture<'a, NewLogin> {
        Box::pin(async move {
            let cookie = Secret::new(only_what_counts(pasted.expose())?);
            let answer = self.0.renewed(transport, &cookie, None).await.map_err(|error| match error {
                Unshown::Transport(error) => LoginError::Transport(error),
                Unshown::Refused(why) => {
                    LoginError::Denied { why: format!("iFlow does not take the cookie ({why})") }
                }
                Unshown::InFront(refusal) => refusal.of_login(),
                Unshown::Busy(why) => LoginError::NoAccess {
                    why: format!("iFlow's platform showed no key ({why}); its service ended on 2026-04-17"),
                },
            })?;
            let identity = Some(format!("cookie-{}", cookie.hash().short()));
            let tokens = answer.into_tokens(None, SystemClock.now());
            Ok(NewLogin {
                credential: Credential::Oauth(tokens),
                details: AccountDetails { identity, ..AccountDetails::default() },
            })
        })
    }
}

/// Whether a refresh token is such a cookie.
pub(super) fn is_cookie(refresh: &str) -> bool {
    refresh.starts_with(COOKIE)
}

/// `BXAuth=…;` of what was pasted: a whole cookie header, or a part of it.
fn only_what_counts(pasted: &str) -> Result<String, LoginError> {
    let pasted = pasted.trim();
    let pasted = pasted.strip_prefix("Cookie:").or_else(|| pasted.strip_prefix("cookie:")).unwrap_or(pasted);
    let value = pasted.split(';').find_map(|part| part.trim().strip_prefix(COOKIE)).map(str::trim);
    match value {
        Some(value) if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(format!("{COOKIE}{value};"))
        }
        _ => Err(LoginError::NotUsable {
            why: "a cookie of platform.iflow.cn contains `BXAuth=`; copy the whole cookie header".to_owned(),
        }),
    }
}

impl Iflow {
    /// A fresh key for a cookie; `name` is that of the key, where it is known.
    async fn renewed(
        &self,
        transport: &Transport,
        cookie: &Secret,
        name: Option<&str>,
    ) -> Result<TokenAnswer, Unshown> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.key(transport, cookie, None).await?.name,
        };
        let shown = self.key(transport, cookie, Some(&name)).await?;
        let masked = |key: &Secret| key.is_blank() || key.expose().contains('*');
        let key = shown.key.filter(|key| !masked(key));
        let key = key.ok_or_else(|| Unshown::Busy("the key is masked".to_owned()))?;
        let facts: TokenFacts =
            [(API_KEY.to_owned(), key.clone()), (KEY_NAME.to_owned(), Secret::new(shown.name))].into();
        let life = shown.expires_at.map_or(KEY_LIFE, |end| end - SystemClock.now());
        Ok(TokenAnswer {
            access: key,
            refresh: Some(cookie.clone()),
            expires_in: Some(life),
            refresh_expires_in: None,
            scope: None,
            facts,
        })
    }

    /// A refresh of a login by cookie.
    pub(super) async fn refreshed_by_cookie(
        &self,
        transport: &Transport,
        cookie: &Secret,
        name: Option<&str>,
    ) -> Result<TokenAnswer, RefreshError> {
        self.renewed(transport, cookie, name).await.map_err(|error| match error {
            Unshown::Transport(error) => error.into(),
            Unshown::Busy(why) => RefreshError::busy(why, None),
            Unshown::InFront(refusal) => RefreshError::busy(refusal.to_string(), None),
            Unshown::Refused(why) => {
                let reason = format!(
                    "iFlow does not take the cookie any more ({why}); log in again with `byok login iflow --method cookie`"
                );
                RefreshError::Permanent { state: AccountState::NeedsLogin { reason } }
            }
        })
    }

    /// Asks for the key; with its name, the platform renews it and shows it whole.
    async fn key(
        &self,
        transport: &Transport,
        cookie: &Secret,
        name: Option<&str>,
    ) -> Result<Shown, Unshown> {
        let url = &self.urls.exchange;
        let origin = url.origin().ascii_serialization();
        let page = format!("{origin}/");
        let mut headers = vec![("cookie", cookie.expose()), ("accept", "application/json, text/plain, */*")];
        let ask = match name {
            None => Ask { headers: &headers, ..Ask::get(url, self.timeout()) },
            Some(name) => {
                headers.extend([("origin", origin.as_str()), ("referer", page.as_str())]);
                let body = Body::Json(json!({"name": name}));
                Ask { headers: &headers, ..Ask::post(url, body, self.timeout()) }
            }
        };
        let reply = self.endpoint(transport).ask(ask).await.map_err(Unshown::Transport)?;
        shown(&reply, cookie.expose(), url)
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    success: bool,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    name: String,
    #[serde(default)]
    api_key: Option<Secret>,
    #[serde(default)]
    expire_time: Option<String>,
}

fn shown(reply: &BufferedReply, sent: &str, url: &Url) -> Result<Shown, Unshown> {
    let refusal = Refusal::read(reply, &[sent]);
    if refusal.is_in_front() {
        return Err(Unshown::InFront(Box::new(refusal)));
    }
    // A page to log in at stands where a cookie is not good any more.
    let elsewhere = reply.status.is_redirection();
    if elsewhere || matches!(reply.status.as_u16(), 401 | 403) || matches!(&*refusal.code, "401" | "403") {
        return Err(Unshown::Refused(refusal.to_string()));
    }
    let answer = serde_json::from_slice::<Answer>(&reply.body).ok();
    let data = answer.filter(|answer| answer.success && reply.status.is_success()).and_then(|a| a.data);
    let Some(data) = data.filter(|data| !data.name.is_empty()) else {
        let host = url.host_str().unwrap_or_default();
        return Err(Unshown::Busy(format!("{host} answered {refusal}")));
    };
    Ok(Shown { name: data.name, key: data.api_key, expires_at: data.expire_time.as_deref().and_then(unix) })
}

/// `2026-01-31 12:00`, local time of the vendor, as Unix time.
fn unix(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(' ')?;
    let numbers =
        |text: &str, at: char| text.split(at).map(|n| n.parse::<i64>().ok()).collect::<Option<Vec<_>>>();
    let [year, month, day] = numbers(date, '-')?.try_into().ok()?;
    let time = numbers(time, ':')?;
    let (hour, minute) = (*time.first()?, *time.get(1)?);
    let sane = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute);
    // Days since 1970 in the Gregorian calendar, counted in years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    sane.then(|| days * 86_400 + hour * 3600 + minute * 60 - UTC_PLUS_8)
}

#[cfg(test)]
mod tests {
    use super::{only_what_counts, unix};

    #[test]
    fn times_of_the_vendor() {
        for (text, expected) in [
            ("1970-01-01 08:00", Some(0)),
            ("2026-01-31 12:00", Some(1_769_832_000)),
            ("2024-02-29 23:59", Some(1_709_222_340)),
            ("2026-03-01 00:00:30", Some(1_772_294_400)),
            ("2026-13-01 00:00", None),
            ("2026-01-31", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(unix(text), expected, "{text}");
        }
    }

    #[test]
    fn of_a_cookie_one_part_counts() {
        for (pasted, expected) in [
            ("BXAuth=abc", Some("BXAuth=abc;")),
            (" cookie: a=b;  BXAuth=abc= ; c=d", Some("BXAuth=abc=;")),
            ("a=b", None),
            ("BXAuth=", None),
            ("BXAuth=a b", None),
            ("", None),
        ] {
            assert_eq!(only_what_counts(pasted).ok().as_deref(), expected, "{pasted}");
        }
    }
}
