use super::*;
use crate::testing::{tokens, transport};
use byok_store::AccountDetails;
use byok_types::Credential;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// Answers from a list, and when it was asked.
struct Scripted {
    answers: Mutex<VecDeque<Result<Polled, LoginError>>>,
    asked: Mutex<Vec<Duration>>,
    begun: Instant,
}

impl DeviceLogin for Scripted {
    fn start<'a>(&'a self, _: &'a Transport, _: &'a Answers) -> LoginFuture<'a, DeviceCode> {
        Box::pin(async { Ok(code()) })
    }

    fn poll<'a>(&'a self, _: &'a Transport, _: &'a DeviceCode) -> LoginFuture<'a, Polled> {
        self.asked.lock().push(self.begun.elapsed());
        let answer = self.answers.lock().pop_front().unwrap_or(Ok(Polled::Pending));
        Box::pin(async { answer })
    }
}

fn code() -> DeviceCode {
    DeviceCode {
        user_code: "ABCD-EFGH".to_owned(),
        page: Url::parse("https://example.com/device").unwrap(),
        page_with_code: None,
        expires_in: Duration::from_mins(1),
        interval: Duration::from_secs(5),
        facts: TokenFacts::new(),
    }
}

fn done() -> Polled {
    let credential = Credential::Oauth(tokens(3600));
    Polled::Done(Box::new(NewLogin { credential, details: AccountDetails::default() }))
}

async fn run(answers: Vec<Result<Polled, LoginError>>) -> (Result<NewLogin, LoginError>, Vec<u64>) {
    run_and_hear(answers, &|_| {}).await
}

async fn run_and_hear(
    answers: Vec<Result<Polled, LoginError>>,
    tell: &(dyn Fn(&str) + Sync),
) -> (Result<NewLogin, LoginError>, Vec<u64>) {
    let login =
        Scripted { answers: Mutex::new(answers.into()), asked: Mutex::default(), begun: Instant::now() };
    let result = await_device(&transport(), &login, &code(), tell).await;
    let asked = login.asked.lock().iter().map(Duration::as_secs).collect();
    (result, asked)
}

#[tokio::test(start_paused = true)]
async fn the_pace_of_questions() {
    let (result, asked) =
        run(vec![Ok(Polled::Pending), Ok(Polled::SlowDown(None)), Ok(Polled::Pending), Ok(done())]).await;
    assert!(result.is_ok());
    assert_eq!(asked, [5, 10, 20, 30], "slower by five seconds after the vendor said so");
    let slower = |seconds| Ok(Polled::SlowDown(Some(Duration::from_secs(seconds))));
    let (result, asked) = run(vec![slower(15), slower(2), Ok(done())]).await;
    assert!(result.is_ok());
    assert_eq!(asked, [5, 20, 40], "by the larger of both");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_vendor_asks_for() {
    let wait = |seconds| Ok(Polled::Later(Duration::from_secs(seconds)));
    let (result, asked) = run(vec![wait(12), wait(1), Ok(Polled::Pending), Ok(done())]).await;
    assert!(result.is_ok());
    assert_eq!(asked, [5, 17, 22, 27], "once, and never faster than before");
    let (result, asked) = run(vec![wait(300)]).await;
    assert!(matches!(result, Err(LoginError::TimedOut(_))), "{result:?}");
    assert_eq!(asked, [5], "the code ends before");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_way_is_told_until_it_is_gone() {
    let unclear = |why: &str, wait| Ok(Polled::Unclear { why: why.to_owned(), wait });
    let answers = vec![
        unclear("403, with a web page", None),
        unclear("503", Some(Duration::from_secs(12))),
        Ok(Polled::Pending),
        Ok(done()),
    ];
    let heard = Mutex::new(Vec::new());
    let (result, asked) = run_and_hear(answers, &|said| heard.lock().push(said.to_owned())).await;
    assert!(result.is_ok());
    assert_eq!(asked, [5, 10, 22, 27]);
    let heard = heard.into_inner();
    assert_eq!(heard, ["the vendor answers 403, with a web page", "the vendor answers 503", "", ""]);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_enters() {
    let (result, asked) = run(Vec::new()).await;
    assert!(matches!(result, Err(LoginError::TimedOut(_))), "{result:?}");
    assert_eq!(asked.last(), Some(&55), "never asked when the code is dead");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_it_and_a_lost_connection_does_not() {
    let lost = || {
        Err(LoginError::Transport(byok_transport::TransportError::HeadersTimeout {
            host: byok_transport::Host::of(&code().page).unwrap(),
            after: Duration::from_secs(1),
        }))
    };
    let (result, asked) = run(vec![lost(), Err(LoginError::Denied { why: "access_denied".into() })]).await;
    assert!(matches!(result, Err(LoginError::Denied { .. })), "{result:?}");
    assert_eq!(asked, [5, 10]);
}
