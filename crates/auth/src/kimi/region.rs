//! The two regions, and what lies where.

use super::{Own, REGION};
use crate::{Answers, LoginError, endpoint::fixed, login::plain};
use byok_types::OauthTokens;
use url::Url;

/// Where an account lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Region {
    /// `kimi.com`.
    #[default]
    MainlandCn,
    /// `kimi.ai`.
    Global,
}

impl Region {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::MainlandCn => "mainland-cn",
            Self::Global => "global",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        match name.trim() {
            "mainland-cn" | "cn" => Some(Self::MainlandCn),
            "global" => Some(Self::Global),
            _ => None,
        }
    }

    pub(super) fn checked(name: &str) -> Result<Self, LoginError> {
        Self::named(name).ok_or_else(|| LoginError::NotUsable {
            why: format!("`{}` is no region; it is mainland-cn or global", plain(name)),
        })
    }

    /// The region that a person named, else the vendor's default.
    pub(super) fn answered(answers: &Answers) -> Result<Self, LoginError> {
        answers.get(REGION).map_or(Ok(Self::default()), |name| Self::checked(name))
    }

    pub(super) fn of(tokens: &OauthTokens) -> Self {
        tokens.fact(REGION).and_then(Self::named).unwrap_or_default()
    }
}

/// The addresses of one region.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) device: Url,
    pub(super) token: Url,
    pub(super) profile: Url,
    pub(super) models: Url,
}

impl Places {
    /// The person's own addresses, else those of the region.
    pub(super) fn of(region: Region, own: &Own) -> Self {
        let [device, token, profile, models] = match region {
            Region::MainlandCn => [
                "https://auth.kimi.com/api/oauth/device_authorization",
                "https://auth.kimi.com/api/oauth/token",
                "https://api.kimi.com/coding/v1/me",
                "https://api.kimi.com/coding/v1/models",
            ],
            Region::Global => [
                "https://auth.kimi.ai/api/oauth/device_authorization",
                "https://auth.kimi.ai/api/oauth/token",
                "https://api.kimi.ai/coding/v1/me",
                "https://api.kimi.ai/coding/v1/models",
            ],
        };
        let below = |tail: &str| {
            let base =
                own.inference.as_ref()?.as_str().trim_end_matches('/').trim_end_matches("/v1").to_owned();
            Url::parse(&format!("{base}/v1/{tail}")).ok()
        };
        Self {
            device: own.device.clone().unwrap_or_else(|| fixed(device)),
            token: own.token.clone().unwrap_or_else(|| fixed(token)),
            profile: own.profile.clone().or_else(|| below("me")).unwrap_or_else(|| fixed(profile)),
            models: below("models").unwrap_or_else(|| fixed(models)),
        }
    }
}
