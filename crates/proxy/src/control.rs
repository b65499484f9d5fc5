//! The control socket: HTTP on a Unix socket that only its owner can open. The CLI asks the running server here.

use crate::{app::App, listing::ModelInfo, logins, reply, status::Status};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    response::Response,
    routing::{get, post},
};
use byok_auth::{LOGIN_WINDOW, Wish};
use byok_types::{AccountId, Blame, Fault, Retry};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::{
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long the CLI waits for the server.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer of the server.
const LARGEST: usize = 16 << 20;

/// The control socket could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another server keeps its data in this directory.
    #[error(
        "another byok keeps its data in this directory (its control socket `{0}` answers); stop it, or name a database in \
         another directory with `--db`"
    )]
    Running(PathBuf),
    /// The place of the socket is taken by something else.
    #[error("`{0}` is not a socket of byok; move it away")]
    NotASocket(PathBuf),
    /// The socket belongs to another user, who could answer anything.
    #[error(
        "the control socket `{0}` belongs to another user; run byok as that user, or name a database of your own with `--db`"
    )]
    NotOurs(PathBuf),
    /// The socket could not be made.
    #[error("the control socket `{path}` could not be made: {source}; check who owns its directory")]
    Bind {
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// No server listens.
    #[error("no byok is running here; start it with `byok serve`")]
    NotRunning,
    /// The server answered with an error or not at all.
    #[error("the running byok did not answer: {0}; look at its log")]
    NoAnswer(String),
}

impl Fault for ControlError {
    fn blame(&self) -> Blame {
        Blame::Byok
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoAnswer(_) => Retry::Now,
            Self::Running(_)
            | Self::NotASocket(_)
            | Self::NotOurs(_)
            | Self::Bind { .. }
            | Self::NotRunning => Retry::AfterPerson,
        }
    }
}

/// Listens on the socket at `path` until `stop`. The socket has mode 0600 from its first moment: it is made in a private
/// directory under another name and then moved.
pub async fn serve(
    path: PathBuf,
    app: App,
    stop: CancellationToken,
    tasks: TaskTracker,
) -> Result<(), ControlError> {
    let listener = bind(&path).await?;
    let router = Router::new()
        .route("/status", get(status))
        .route("/models", get(models))
        .route("/reload", post(reload))
        .route("/logins", post(login))
        .route("/renewed", post(renewed))
        .with_state(app);
    let inner = tasks.clone();
    tasks.spawn(async move {
        loop {
            let stream = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "control socket");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            inner.spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // A caller that hangs up is no event.
                let _ = connection.await;
            });
        }
        // Whoever comes next must not find a socket that nobody answers.
        let _ = std::fs::remove_file(&path);
    });
    Ok(())
}

async fn bind(path: &Path) -> Result<UnixListener, ControlError> {
    let failed = |source| ControlError::Bind { path: path.to_owned(), source };
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(ControlError::NotASocket(path.to_owned()));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(ControlError::Running(path.to_owned()));
        }
    }
    let parent = path.parent().ok_or_else(|| failed(io::Error::other("it has no directory")))?;
    let room = tempfile::Builder::new().prefix(".control-").tempdir_in(parent).map_err(failed)?;
    let temporary = room.path().join("s");
    let listener = UnixListener::bind(&temporary).map_err(failed)?;
    std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)?;
    Ok(listener)
}

/// How long a look at the state waits for what vendors say of quotas.
const QUOTA_PATIENCE: Duration = Duration::from_secs(3);

async fn status(State(app): State<App>) -> Response {
    let current = app.current();
    app.executor().refresh_quotas(&current.state, QUOTA_PATIENCE).await;
    reply::json(StatusCode::OK, serde_json::to_vec(&Status::of(&app).await).unwrap_or_default())
}

async fn models(State(app): State<App>) -> Response {
    app.executor().refresh_models(&app.current().state);
    reply::json(StatusCode::OK, serde_json::to_vec(&ModelInfo::of(&app)).unwrap_or_default())
}

async fn reload(State(app): State<App>) -> Response {
    app.live().reload_now();
    app.rebuild().await;
    status(State(app)).await
}

/// What a login through a page is asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LoginWish {
    /// The provider.
    pub provider: String,
    /// The account to log in again, or the name of a new one.
    pub account: Option<String>,
    /// The address under which the page is opened from elsewhere.
    pub public: Option<url::Url>,
}

/// An account that has a new credential, or that its owner has enabled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Renewed {
    /// Its id.
    pub account: AccountId,
}

/// Says whether the account rested.
async fn renewed(State(app): State<App>, Json(renewed): Json<Renewed>) -> Response {
    let rested = app.renewed(&renewed.account).await;
    reply::json(StatusCode::OK, rested.to_string())
}

/// What opens the page. It goes over this socket and nowhere else.
#[derive(Clone, Serialize, Deserialize)]
pub struct LoginTicket {
    /// The one-time token.
    pub token: String,
    /// Address that byok listens on.
    pub address: String,
    /// How long the token is good.
    pub minutes: u64,
}

async fn login(State(app): State<App>, Json(wish): Json<LoginWish>) -> Response {
    let Some(desk) = app.logins() else { return reply::empty(StatusCode::NOT_FOUND) };
    let LoginWish { provider, account, public } = wish;
    let token = desk.issue(Wish { provider: Some(provider), account, public });
    let ticket = LoginTicket {
        token: logins::text_of(&token).to_owned(),
        address: app.address().to_string(),
        minutes: LOGIN_WINDOW.as_secs() / 60,
    };
    reply::json(StatusCode::OK, serde_json::to_vec(&ticket).unwrap_or_default())
}

/// Asks the server that listens at `path`. Returns the body of its answer.
pub async fn ask(path: &Path, method: http::Method, target: &str) -> Result<Vec<u8>, ControlError> {
    ask_with(path, method, target, Vec::new()).await
}

/// The same with a body of JSON.
pub async fn ask_with(
    path: &Path,
    method: http::Method,
    target: &str,
    json: Vec<u8>,
) -> Result<Vec<u8>, ControlError> {
    let me = rustix::process::geteuid().as_raw();
    if !is_of(me, path) {
        return Err(ControlError::NotOurs(path.to_owned()));
    }
    let stream = UnixStream::connect(path).await.map_err(|_| ControlError::NotRunning)?;
    // The path may have changed since: who listens counts.
    if stream.peer_cred().is_ok_and(|peer| peer.uid() != me) {
        return Err(ControlError::NotOurs(path.to_owned()));
    }
    let asked = tokio::time::timeout(PATIENCE, exchange(stream, method, target, json)).await;
    asked.map_err(|_| ControlError::NoAnswer("it took too long".to_owned()))?
}

/// Whether the socket and its directory, as far as they are there, belong to this user. One of somebody else is not asked: it
/// could lie.
fn is_of(user: u32, path: &Path) -> bool {
    let of = |found: io::Result<std::fs::Metadata>| found.map_or(true, |found| found.uid() == user);
    of(std::fs::symlink_metadata(path))
        && of(std::fs::metadata(path))
        && path.parent().is_none_or(|parent| of(std::fs::metadata(parent)))
}

async fn exchange(
    stream: UnixStream,
    method: http::Method,
    target: &str,
    json: Vec<u8>,
) -> Result<Vec<u8>, ControlError> {
    let failed = |error: &dyn std::fmt::Display| ControlError::NoAnswer(error.to_string());
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "byok")
        .header("content-type", "application/json")
        .body(Body::from(json))
        .map_err(|e| failed(&e))?;
    let talk = async {
        let answer = sender.send_request(request).await.map_err(|e| failed(&e))?;
        let ok = answer.status().is_success();
        let body = http_body_util::Limited::new(answer.into_body(), LARGEST)
            .collect()
            .await
            .map_err(|e| failed(&e))?;
        let bytes = body.to_bytes().to_vec();
        if ok { Ok(bytes) } else { Err(ControlError::NoAnswer(String::from_utf8_lossy(&bytes).into_owned())) }
    };
    tokio::pin!(talk);
    tokio::select! {
        answer = &mut talk => answer,
        // The connection ends when the talk is over; if it ends first, the talk says why.
        _ = connection => talk.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_of_another_user_is_not_asked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.sock");
        let me = rustix::process::geteuid().as_raw();
        assert!(is_of(me, &path), "where there is none nobody lies");
        let _listener = bind(&path).await.unwrap();
        assert!(is_of(me, &path));
        assert!(!is_of(me + 1, &path));
        if me == 0 {
            std::os::unix::fs::lchown(&path, Some(1), None).unwrap();
            let asked = ask(&path, http::Method::GET, "/status").await;
            assert!(matches!(asked, Err(ControlError::NotOurs(_))), "{asked:?}");
        }
    }
}
