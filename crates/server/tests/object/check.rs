//! Checks at start.

use bits_proto::error::error_chain;
use bits_proto_test_servers::s3::Server;
use bits_server::sessions::{ObjectSessions, SessionStore};
use bits_server::storage::{ObjectStorage, Storage};
use object_store::aws::S3ConditionalPut;
use object_store::memory::InMemory;

use crate::observed::Observed;
use crate::s3::builder;

#[tokio::test]
async fn a_store_without_conditional_writes_is_rejected() {
    let server = Server::start().await;
    let disabled = builder(&server).with_conditional_put(S3ConditionalPut::Disabled);
    let sessions = ObjectSessions::new(disabled.build().expect("a client"));
    let error = error_chain(&sessions.check().await.expect_err("no conditional writes"));
    assert!(error.contains("aws_conditional_put=etag"), "{error}");

    let store = Observed::new(InMemory::new());
    store.ignore_conditions();
    let error = ObjectSessions::new(store).check().await;
    let error = error_chain(&error.expect_err("no conditional writes"));
    assert!(error.contains("ignored the condition If-None-Match"), "{error}");
}

#[tokio::test]
async fn a_missing_bucket_is_reported_with_advice() {
    let server = Server::start().await;
    let store = builder(&server).with_bucket_name("missing").build().expect("a client");
    let storage = ObjectStorage::new(store.clone()).prefix("logs");
    for error in [
        error_chain(&storage.check().await.expect_err("no bucket")),
        error_chain(&ObjectSessions::new(store).check().await.expect_err("no bucket")),
    ] {
        assert!(
            error.contains("missing") && error.contains("check the name of the bucket"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_check_leaves_nothing_behind() {
    let store = Observed::new(InMemory::new());
    ObjectStorage::new(store.clone()).check().await.expect("the store works");
    ObjectSessions::new(store.clone()).check().await.expect("the store works");
    assert_eq!(store.objects().await, 0);
}
