//! Suites over Azure.

use std::sync::Arc;

use bits_proto_test_servers::azure::{self, CONTAINER, Emulator};
use bits_proto_test_tools::interop::Area;
use bits_server::sessions::ObjectSessions;
use bits_server::storage::ObjectStorage;
use bits_server::testing;
use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};

/// Returns a client.
fn store(emulator: &Emulator) -> MicrosoftAzure {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = MicrosoftAzureBuilder::new().with_container_name(CONTAINER);
    let variables = emulator.variables().into_iter();
    let builder = variables.fold(builder, |builder, (name, value)| {
        builder.with_config(name.to_ascii_lowercase().parse().expect("a setting"), value)
    });
    builder.build().expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_in_azure_conform() {
    let Some(emulator) = Emulator::start().map(Arc::new) else { return };
    let report = testing::session_store(move |name| {
        let sessions = ObjectSessions::new(store(&emulator)).prefix(name);
        async { Ok(sessions) }
    });
    report.await.assert_passed();
    let action = "suite for stores of sessions (bits_server::testing::session_store)";
    azure::record(Area::Stores, action, &[], "passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_in_azure_conform() {
    let Some(emulator) = Emulator::start().map(Arc::new) else { return };
    let report = testing::storage(move |name| {
        let storage = ObjectStorage::new(store(&emulator)).prefix(name);
        async { Ok(storage) }
    });
    report.await.assert_passed();
    let action = "suite for storages (bits_server::testing::storage)";
    azure::record(Area::Stores, action, &[], "passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_that_are_assembled_apart_in_azure_conform() {
    let Some(emulator) = Emulator::start().map(Arc::new) else { return };
    let report = testing::storage(move |name| {
        let storage = ObjectStorage::new(store(&emulator)).prefix(name).assemble_apart(true);
        async { Ok(storage) }
    });
    report.await.assert_passed();
    let action = "suite for storages (bits_server::testing::storage), with assemble_apart";
    azure::record(Area::Stores, action, &[], "passed");
}
