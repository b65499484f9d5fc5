use super::{page::page, refused::refused};
use crate::{AuthorizationCode, Callback, LOGIN_WINDOW, LoginError, State};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::{
    convert::Infallible,
    fmt, io,
    net::{AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};
use url::{Url, form_urlencoded};

/// How often another free port is tried when only one of the two address families is free on it.
const PORT_TRIES: usize = 8;
/// The port in an address at which nobody listens, where the vendor takes any.
const UNHEARD_PORT: u16 = 8019;
/// A browser sends its request at once; anything slower is not one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a browser that comes again after a login that worked is still answered.
const LINGER: Duration = Duration::from_secs(5);
/// How long the last page may take to reach the browser.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// Waits on this machine for the browser to come back from the vendor with a code.
///
/// It listens on 127.0.0.1 and, where there is one, on `[::1]`, because vendors want `localhost` in the address and
/// browsers resolve that to either. It answers one path, for one login, and is gone soon after the answer.
pub struct CallbackServer {
    listeners: Vec<TcpListener>,
    port: u16,
    callback: Callback,
}

type Answer = Result<AuthorizationCode, LoginError>;

/// Where to wait for the browser in place of loopback, for a container whose port is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bind {
    /// The address to listen on.
    pub ip: IpAddr,
    /// The port, where the vendor takes any; else it is chosen.
    pub port: Option<u16>,
}

impl FromStr for Bind {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(both) = text.parse::<SocketAddr>() {
            return Ok(Self { ip: both.ip(), port: Some(both.port()) });
        }
        Ok(Self { ip: text.parse()?, port: None })
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" and ")
}

/// Why no port could be opened, with those that were tried.
fn named(ports: &[u16], last: io::Error) -> io::Error {
    let tried = list(ports);
    match ports.len() {
        0 => last,
        1 => io::Error::new(last.kind(), format!("port {tried}: {last}")),
        _ => io::Error::new(last.kind(), format!("ports {tried}: {last}")),
    }
}

struct Login {
    state: State,
    path: &'static str,
    port: u16,
    done: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl CallbackServer {
    /// Opens a port: the first free one of those that the vendor knows, or any. `bind` is an address to listen on in place of
    /// loopback, for a container whose port is published.
    ///
    /// # Errors
    /// [`LoginError::NoCallback`] when all are taken.
    pub async fn open(callback: Callback, bind: Option<Bind>) -> Result<Self, LoginError> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        let any = [0; PORT_TRIES];
        let wanted = bind.and_then(|bind| bind.port);
        let ports = match &wanted {
            Some(port)
                if callback.ports.is_empty()
                    || callback.ports.iter().any(|known| [0, *port].contains(known)) =>
            {
                std::slice::from_ref(port)
            }
            Some(port) => {
                return Err(LoginError::NoCallback(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("port {port}: the vendor knows only {}", list(callback.ports)),
                )));
            }
            None if callback.ports.is_empty() => &any,
            None => callback.ports,
        };
        for port in ports {
            if let Some(Bind { ip, .. }) = bind {
                match TcpListener::bind((ip, *port)).await {
                    Ok(only) => {
                        let port = only.local_addr().map_err(LoginError::NoCallback)?.port();
                        return Ok(Self { listeners: vec![only], port, callback });
                    }
                    Err(error) => last = error,
                }
                continue;
            }
            let v4 = match TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).await {
                Ok(v4) => v4,
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            let bound = v4.local_addr().map_err(LoginError::NoCallback)?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, bound)).await {
                Ok(v6) => return Ok(Self { listeners: vec![v4, v6], port: bound, callback }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                // A machine without IPv6.
                Err(_) => return Ok(Self { listeners: vec![v4], port: bound, callback }),
            }
        }
        Err(LoginError::NoCallback(named(callback.ports, last)))
    }

    /// The address to give to the vendor as redirect URI.
    ///
    /// # Errors
    /// Never in practice: the address is built from a number and a constant path.
    pub fn redirect_uri(&self) -> Result<Url, LoginError> {
        let Callback { host, path, .. } = self.callback;
        Url::parse(&format!("http://{host}:{}{path}", self.port))
            .map_err(|_| LoginError::NoCallback(io::ErrorKind::InvalidInput.into()))
    }

    /// The address for a login whose answer is pasted: nobody listens there, and the browser shows it.
    pub fn unheard(callback: Callback) -> Option<Url> {
        let port = callback.ports.first().copied().unwrap_or(UNHEARD_PORT);
        Url::parse(&format!("http://{}:{port}{}", callback.host, callback.path)).ok()
    }

    /// The addresses it listens on.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Waits for the code that belongs to `state`, for [`LOGIN_WINDOW`] at most. Dropping the future closes the port.
    ///
    /// Requests with a wrong state are answered and do not end the wait, so that nobody can cancel a login from outside.
    ///
    /// # Errors
    /// [`LoginError::Denied`] or [`LoginError::Refused`] when the vendor sent an error, [`LoginError::TimedOut`].
    pub async fn wait(self, state: &State) -> Answer {
        let (done, mut answer) = oneshot::channel();
        let login = Arc::new(Login {
            state: state.clone(),
            path: self.callback.path,
            port: self.port,
            done: Mutex::new(Some(done)),
        });
        let mut connections = JoinSet::new();
        let deadline = tokio::time::sleep(LOGIN_WINDOW);
        tokio::pin!(deadline);
        let result = loop {
            tokio::select! {
                answer = &mut answer => break answer.unwrap_or(Err(LoginError::BadAnswer)),
                () = &mut deadline => break Err(LoginError::TimedOut(LOGIN_WINDOW)),
                socket = self.accept() => {
                    if let Ok(socket) = socket {
                        connections.spawn(serve(socket, Arc::clone(&login)));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        };
        if result.is_ok() {
            let again = tokio::time::timeout(LINGER, self.serve_again(login));
            // It takes nothing any more, and ends with the program at the latest.
            tokio::spawn(again);
        } else {
            // Whoever tries again wants the same port.
            drop(self);
        }
        let last_page = async { while connections.join_next().await.is_some() {} };
        // A connection that a browser opened in advance may stay silent; it is not waited for.
        let _ = tokio::time::timeout(LAST_PAGE, last_page).await;
        result
    }

    /// Tells a browser that comes again, because its page was loaded anew, that all is done.
    async fn serve_again(self, login: Arc<Login>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                socket = self.accept() => {
                    if let Ok(socket) = socket {
                        connections.spawn(serve(socket, Arc::clone(&login)));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        let (socket, _) = match &self.listeners[..] {
            [v4, v6] => tokio::select! {
                accepted = v4.accept() => accepted?,
                accepted = v6.accept() => accepted?,
            },
            [only] => only.accept().await?,
            _ => std::future::pending().await,
        };
        Ok(socket)
    }
}

impl fmt::Debug for CallbackServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallbackServer(port {})", self.port)
    }
}

async fn serve(socket: TcpStream, login: Arc<Login>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = login.answer(&request);
        async move { Ok::<_, Infallible>(response) }
    });
    // What goes wrong on one connection concerns only whoever opened it.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

impl Login {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !self.is_for_us(request) {
            return page(
                StatusCode::FORBIDDEN,
                "Wrong address",
                "Open this page only by the link of your login.",
            );
        }
        if request.uri().path() != self.path {
            return page(StatusCode::NOT_FOUND, "Nothing here", "byok waits here for the end of a login.");
        }
        if request.method() != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, "Not like this", "byok waits here for a browser.");
        }
        match self.read(request.uri().query().unwrap_or_default()) {
            Ok(answer) => self.end(answer),
            Err(refusal) => page(StatusCode::BAD_REQUEST, "This is not the answer byok waits for", refusal),
        }
    }

    /// A page of another site can make a browser send requests here, but not under this name.
    fn is_for_us<B>(&self, request: &Request<B>) -> bool {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|name| host.as_bytes() == format!("{name}:{}", self.port).as_bytes())
    }

    /// What the query says; `Err` with a text for the page when it decides nothing.
    fn read(&self, query: &str) -> Result<Answer, &'static str> {
        const UNKNOWN: &str =
            "It does not belong to the login that is under way. Go back and use the newest login page.";
        let one = |name: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            match (values.next(), values.next()) {
                (Some((_, value)), None) => Ok(Some(value.into_owned())),
                (None, _) => Ok(None),
                (Some(_), Some(_)) => Err("A part of it is there twice."),
            }
        };
        let state = one("state")?;
        if state.as_ref().is_some_and(|state| !self.state.matches(state)) {
            return Err(UNKNOWN);
        }
        match (one("code")?, one("error")?) {
            (Some(_), _) if state.is_none() => Err(UNKNOWN),
            (Some(code), _) if !code.is_empty() => Ok(Ok(AuthorizationCode::new(code).with_query(query))),
            // A page that leads to several vendors names one in place of a code; the login says how to go on.
            (None, None) if state.is_some() && one("login_option")?.is_some() => {
                Ok(Ok(AuthorizationCode::new("").with_query(query)))
            }
            (Some(_), _) | (None, None) => Err("There is no code in it."),
            // Any page of the web can send a browser here with an error: its words are not shown, and end no login.
            (None, Some(_)) if state.is_none() => Err(
                "It speaks of a refusal and does not say of which login. If you declined, end the login where it was started.",
            ),
            (None, Some(error)) => {
                let [words, page] = [one("error_description")?, one("error_uri")?];
                let find = |name: &str| match name {
                    "state" => state.clone(),
                    "error_description" => words.clone(),
                    _ => page.clone(),
                };
                Ok(Err(refused(&error, find, &self.state)))
            }
        }
    }

    /// Ends the login with the first answer; the page of a later one says that it was not needed.
    fn end(&self, answer: Answer) -> Response<Full<Bytes>> {
        let Some(done) = self.done.lock().take() else {
            return page(
                StatusCode::CONFLICT,
                "Already done",
                "This login has its answer already. You can close this window.",
            );
        };
        let response = match &answer {
            Ok(_) => page(
                StatusCode::OK,
                "Almost there",
                "byok has the code. Go back to where the login was started; you can close this window.",
            ),
            Err(error) => page(StatusCode::BAD_REQUEST, "The login did not work", &error.to_string()),
        };
        // Nobody waits any more if the login was given up this very moment.
        let _ = done.send(answer);
        response
    }
}

#[cfg(test)]
mod tests;
