//! The least that a reverse proxy in this language can be: hyper on both sides and nothing between.

use anyhow::Result;
use http::{Request, Response, Uri, uri::PathAndQuery};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// Forwards everything to `upstream`; prints its own address.
pub(crate) async fn run(upstream: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<HttpConnector, Incoming> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(1024).build(connector);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let client = client.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
            let uri =
                Uri::builder().scheme("http").authority(upstream.to_string()).path_and_query(path).build();
            let client = client.clone();
            async move {
                *request.uri_mut() = uri?;
                anyhow::Ok::<Response<Incoming>>(client.request(request).await?)
            }
        });
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
