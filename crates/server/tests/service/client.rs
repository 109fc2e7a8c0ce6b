//! The client of the core against the service.

use std::time::Duration;

use bits_proto::client::{Options, Poll, Upload};
use bits_proto::message::{Ack, NO_EXTRAS};
use bits_server::storage::StorageError;
use bytes::Bytes;
use http::Uri;
use http_body_util::Full;

use crate::support::World;
use crate::support::hooked::Operation;

/// Uploads an entity to `/f`, and returns the number of requests.
async fn upload(world: &World, entity: &[u8]) -> usize {
    let mut now = Duration::from_secs(1_700_000_000);
    let mut upload = Upload::new(entity.len() as u64, Options::DEFAULT, 7);
    let mut requests = 0;
    loop {
        match upload.poll() {
            Poll::Send(transmit) => {
                let head = transmit.request().to_http(Uri::from_static("/f"), &NO_EXTRAS).unwrap();
                let range = transmit.entity();
                let body = &entity[range.start as usize..range.end as usize];
                upload.handle_sending(now).unwrap();
                upload.handle_sent(now).unwrap();
                let answer =
                    world.send(head.map(|()| Full::new(Bytes::copy_from_slice(body)))).await;
                let mut response = http::Response::new(());
                (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
                let ack = Ack::from_http(&response, &transmit.ack_context()).unwrap();
                let is_refusal = matches!(ack.message, Ack::Refused(_));
                assert!(is_refusal || ack.deviations.is_empty(), "{:?}", ack.deviations);
                upload.handle_ack(&ack.message, now).unwrap();
                requests += 1;
            }
            Poll::Wait(until) => {
                now = until;
                upload.handle_timeout(now);
            }
            Poll::Finished => return requests,
            poll => panic!("{poll:?}"),
        }
    }
}

#[tokio::test]
async fn the_client_of_the_core_uploads_an_entity() {
    let world = World::new(|builder| builder).await;
    let entity: Vec<u8> = (0..3_000_000).map(|index| (index % 251) as u8).collect();
    upload(&world, &entity).await;
    assert_eq!(world.published("f").unwrap(), entity);
}

#[tokio::test]
async fn the_client_of_the_core_survives_failures_of_the_storage() {
    let world = World::new(|builder| builder).await;
    let entity = vec![7; 3_000_000];
    world.hooks.fail(Operation::Flush, StorageError::other("bucket is unreachable"));
    world.hooks.fail(Operation::Publish, StorageError::other("bucket is unreachable"));
    upload(&world, &entity).await;
    assert_eq!(world.published("f").unwrap(), entity);
}
