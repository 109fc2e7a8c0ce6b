//! Suites over S3.

use std::sync::Arc;

use bits_proto_test_servers::s3::{self, BUCKET, Server};
use bits_proto_test_tools::interop::Area;
use bits_server::sessions::ObjectSessions;
use bits_server::storage::ObjectStorage;
use bits_server::testing;
use object_store::aws::{AmazonS3, AmazonS3Builder};

/// Returns the settings of a client.
pub(crate) fn builder(server: &Server) -> AmazonS3Builder {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let variables = server.variables().into_iter();
    variables.fold(AmazonS3Builder::new().with_bucket_name(BUCKET), |builder, (name, value)| {
        builder.with_config(name.to_ascii_lowercase().parse().expect("a setting"), value)
    })
}

/// Returns a client.
fn store(server: &Server) -> AmazonS3 {
    builder(server).build().expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_in_s3_conform() {
    let server = Arc::new(Server::start().await);
    let report = testing::session_store(move |name| {
        let sessions = ObjectSessions::new(store(&server)).prefix(name);
        async { Ok(sessions) }
    });
    report.await.assert_passed();
    let action = "suite for stores of sessions (bits_server::testing::session_store)";
    s3::record(Area::Stores, action, &[], "passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_in_s3_conform() {
    let server = Arc::new(Server::start().await);
    let report = testing::storage(move |name| {
        let storage = ObjectStorage::new(store(&server)).prefix(name);
        async { Ok(storage) }
    });
    report.await.assert_passed();
    let action = "suite for storages (bits_server::testing::storage)";
    s3::record(Area::Stores, action, &[], "passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_that_are_assembled_apart_in_s3_conform() {
    let server = Arc::new(Server::start().await);
    let report = testing::storage(move |name| {
        let storage = ObjectStorage::new(store(&server)).prefix(name).assemble_apart(true);
        async { Ok(storage) }
    });
    report.await.assert_passed();
    let action = "suite for storages (bits_server::testing::storage), with assemble_apart";
    s3::record(Area::Stores, action, &[], "passed");
}
