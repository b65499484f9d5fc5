use super::{Clients, Host, ProxyChoice, Route, STREAMS_PER_CLIENT};
use std::time::Duration;
use url::Url;

#[tokio::test]
async fn a_full_client_gets_a_sibling() {
    let route =
        Route { proxy: ProxyChoice::Direct, ca_files: Vec::new(), connect_timeout: Duration::from_secs(1) };
    let clients = Clients::new(route);
    let https = Host::of(&Url::parse("https://api.example.com/").unwrap()).unwrap();
    let http = Host::of(&Url::parse("http://localhost/").unwrap()).unwrap();
    let mut running = Vec::new();
    for _ in 0..STREAMS_PER_CLIENT {
        running.push(clients.pick(&https).await.unwrap().1);
    }
    assert_eq!(clients.count(), 1);
    running.push(clients.pick(&https).await.unwrap().1);
    assert_eq!(clients.count(), 2);
    for _ in 0..STREAMS_PER_CLIENT {
        running.push(clients.pick(&http).await.unwrap().1);
    }
    assert_eq!(clients.count(), 2, "plain HTTP needs no siblings");
    running.clear();
    clients.pick(&https).await.unwrap();
    assert_eq!(clients.count(), 2);
}
