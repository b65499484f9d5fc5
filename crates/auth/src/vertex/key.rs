//! The key file of a service account, and what is signed with it.

use crate::{LoginError, endpoint::fixed};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use byok_store::AccountDetails;
use byok_types::{OauthTokens, Secret, TokenFacts};
use serde_json::{Value, json};
use url::Url;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// The longest life of a statement.
const LIFE: i64 = 3600;

/// A service account with its key.
#[derive(Clone, Debug)]
pub(super) struct ServiceAccount {
    pub(super) client_email: String,
    pub(super) project: String,
    key_id: String,
    /// The key as DER in base64, without the lines around it.
    pub(super) private_key: Secret,
    pub(super) token_uri: Url,
}

impl ServiceAccount {
    /// Reads a key file. The errors quote nothing of it.
    pub(super) fn read(content: &str) -> Result<Self, String> {
        let file: Value =
            serde_json::from_str(content.trim().trim_start_matches('\u{feff}')).map_err(|_| {
                "it is not whole JSON; give the key file of the service account as the Cloud console wrote it"
                    .to_owned()
            })?;
        match file["type"].as_str() {
            Some("service_account") => {}
            Some("authorized_user") => {
                return Err("it is a login of gcloud, not of a service account; make a key of a service account in the \
                            Cloud console".to_owned());
            }
            _ => return Err(
                "its `type` is not `service_account`; make a key of a service account in the Cloud console"
                    .to_owned(),
            ),
        }
        let text = |name: &str| {
            let value = file[name].as_str().map(str::trim).filter(|text| !text.is_empty());
            value
                .map(str::to_owned)
                .ok_or_else(|| format!("its `{name}` is missing; download the key file again"))
        };
        let project = text("project_id")?;
        if !project.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte)) {
            return Err("its `project_id` is no id of a project".to_owned());
        }
        let token_uri = match file["token_uri"].as_str() {
            // A file from anywhere decides about no address, whichever way it comes in.
            Some(stated) => trusted(stated).ok_or(
                "its `token_uri` is not an address of Google, and byok sends what the account signs to no other that a \
                 file names; write https://oauth2.googleapis.com/token there, and set `providers.vertex.urls.token` if \
                 tokens are to be bought elsewhere",
            )?,
            None => fixed(TOKEN_URI),
        };
        let account = Self {
            client_email: text("client_email")?,
            project,
            key_id: file["private_key_id"].as_str().unwrap_or_default().to_owned(),
            private_key: Secret::new(key_of(&text("private_key")?)?),
            token_uri,
        };
        account.pair().map_err(str::to_owned)?;
        Ok(account)
    }

    /// The account behind stored tokens.
    pub(super) fn of_tokens(tokens: &OauthTokens) -> Option<Self> {
        Some(Self {
            client_email: tokens.fact("client_email")?.to_owned(),
            project: tokens.fact("project")?.to_owned(),
            key_id: tokens.fact("key_id").unwrap_or_default().to_owned(),
            private_key: tokens.refresh.clone()?,
            token_uri: tokens.fact("token_uri").and_then(trusted).unwrap_or_else(|| fixed(TOKEN_URI)),
        })
    }

    /// Whose it is.
    pub(super) fn details(&self, location: &str) -> AccountDetails {
        AccountDetails {
            identity: Some(format!("{} {} {location}", self.client_email, self.project)),
            email: Some(self.client_email.clone()),
            plan: None,
        }
    }

    /// What is stored beside the tokens.
    pub(super) fn facts(&self, location: &str) -> TokenFacts {
        let facts = [
            ("client_email", self.client_email.as_str()),
            ("project", &self.project),
            ("key_id", &self.key_id),
            ("token_uri", self.token_uri.as_str()),
            ("location", location),
        ];
        facts.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect()
    }

    fn pair(&self) -> Result<RsaKeyPair, &'static str> {
        let wrong = "its `private_key` is no RSA key; download the key file again";
        let der = STANDARD.decode(self.private_key.expose()).map_err(|_| wrong)?;
        // PKCS#8, or PKCS#1 in files of old.
        RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).map_err(|_| wrong)
    }

    /// The signed statement that buys a token (RFC 7523), as of Unix time `now`.
    pub(super) fn statement(&self, now: i64) -> Result<String, &'static str> {
        let mut head = json!({"alg": "RS256", "typ": "JWT"});
        if !self.key_id.is_empty() {
            head["kid"] = json!(self.key_id);
        }
        // The audience is this constant even where the file names another endpoint.
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": TOKEN_URI, "iat": now, "exp": now + LIFE,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&head), encode(&claims));
        let pair = self.pair()?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "the key of the service account cannot sign; download the key file again")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The file comes from anywhere: only Google's own endpoints are taken from it.
fn trusted(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str().unwrap_or_default();
    (url.scheme() == "https" && host.ends_with(".googleapis.com")).then_some(url)
}

/// The base64 of a key in PEM, however it was pasted: with `\r\n` or a literal `\n`, colours of a terminal, on one line.
fn key_of(pem: &str) -> Result<String, String> {
    let wrong = || "its `private_key` is no key in PEM; download the key file again".to_owned();
    let mut text = String::with_capacity(pem.len());
    let mut chars =
        pem.replace("\\r", "").replace("\\n", "\n").chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            // An escape code of a terminal ends with a letter.
            while chars.next().is_some_and(|char| !char.is_ascii_alphabetic()) {}
        } else {
            text.push(char);
        }
    }
    let body = match text.split_once("-----BEGIN ") {
        Some((_, rest)) => {
            rest.split_once("-----").ok_or_else(wrong)?.1.split("-----END").next().unwrap_or_default()
        }
        None => &text,
    };
    let body: String = body.chars().filter(|char| !char.is_whitespace()).collect();
    if body.is_empty() || STANDARD.decode(&body).is_err() {
        return Err(wrong());
    }
    Ok(body)
}

/// A location becomes part of a host name.
pub(super) fn location(answer: &str) -> Result<&str, LoginError> {
    let answer = answer.trim();
    let good = !answer.is_empty()
        && answer.len() <= 40
        && answer.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !answer.starts_with('-')
        && !answer.ends_with('-');
    if good {
        Ok(answer)
    } else {
        let why = "`location`: a location is a name such as global, us, eu or europe-west4".to_owned();
        Err(LoginError::NotUsable { why })
    }
}
