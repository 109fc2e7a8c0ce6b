//! The suite passes on `bits-server`, and each fault fails its case.

use bits_conformance::server::cases;
use bits_conformance::{Case, CaseReport, Report, Verdict};
use http::Response;
use hyper::body::Bytes;

use crate::double::{Double, Fault, Place, Reply, set};
use crate::faults::faults;
use crate::tables::{self, describe};

async fn examine(double: &Double) -> Report {
    double.suite().run(|_| {}).await.expect("a BITS server")
}

/// Returns the cases without a result, except those that the predicate permits.
fn unexamined(report: &Report, is_permitted: impl Fn(&CaseReport) -> bool) -> Vec<String> {
    let cases = report.cases.iter().filter(|it| it.verdict != Verdict::Pass && !is_permitted(it));
    cases.map(|it| format!("{}: {:?}", it.case.id, it.verdict)).collect()
}

/// The cases that need entities of more than 4 GiB.
const BEYOND_4_GIB: [&str; 4] = [
    "fragment.gap.beyond_4_gib",
    "fragment.gap.alias",
    "fragment.gap.alias_36_bits",
    "fragment.total.beyond_4_gib",
];

fn not_applicable(report: &Report) -> Vec<&str> {
    let cases = report.cases.iter().filter(|it| matches!(it.verdict, Verdict::NotApplicable(_)));
    cases.map(|it| it.case.id).collect()
}

/// Asserts that every case passes that does not need one of these options.
async fn assert_passes(double: &Double, missing: &[&str]) {
    let report = examine(double).await;
    assert!(report.is_success(), "{}", describe(&report));
    let is_permitted = |it: &CaseReport| {
        let reason = it.verdict.reason().unwrap_or_default();
        missing.iter().any(|option| reason.starts_with(&format!("needs {option}")))
    };
    let unexamined = unexamined(&report, is_permitted);
    assert!(unexamined.is_empty(), "{unexamined:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_passes_on_bits_server() {
    assert_passes(&Double::start(None).await, &["--root"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_passes_on_bits_server_with_a_bucket() {
    let double = Double::start_with(Place::Bucket).await;
    assert_passes(&double, &["--root", "--application"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_passes_on_bits_server_with_a_root() {
    let double = Double::start_with(Place::Folder).await;
    let report = examine(&double).await;
    assert!(report.is_success(), "{}", describe(&report));
    let unexamined = unexamined(&report, |_| false);
    assert!(unexamined.is_empty(), "{unexamined:?}");
    assert_eq!(double.files(), Vec::<String>::new(), "the suite removes its files");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_case_fails_on_a_server_that_limits_the_length_of_entities() {
    let report = examine(&Double::start_limited(1 << 20).await).await;
    assert!(report.is_success(), "{}", describe(&report));
    assert_eq!(not_applicable(&report), BEYOND_4_GIB);
}

#[test]
fn every_case_has_a_fault() {
    tables::have_faults(cases(), faults().map(|(id, _)| id));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_fails_its_case_and_no_other() {
    let faults = faults().map(|(id, fault)| (find(id), fault));
    tables::fail_their_cases_only(faults, 8, |_, fault, pattern| async move {
        let double = Double::start(Some(fault)).await;
        double.suite().only(pattern).run(|_| {}).await.expect("a BITS server")
    })
    .await;
}

fn find(id: &str) -> Case {
    cases().find(|case| case.id == id).expect("a case")
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_that_lose_data_are_marked() {
    for (id, loses_data) in [
        ("upload.empty", true),
        ("fragment.overlap", true),
        ("fragment.gap.first", true),
        ("body.never_arrives", true),
        ("ping.body", false),
        ("cancel.discards", false),
    ] {
        let (_, fault) = faults().find(|(it, _)| *it == id).expect("a fault");
        let report = examine_only(id, fault).await;
        let case = report.cases.iter().find(|it| it.case.id == id).expect("a case");
        assert!(case.verdict.is_fail(), "{id}: {:?}", case.verdict);
        assert_eq!(case.loses_data, loses_data, "{id}: {:?}", case.verdict);
    }
}

async fn examine_only(pattern: &str, fault: Fault) -> Report {
    let double = Double::start(Some(fault)).await;
    double.suite().only(pattern).run(|_| {}).await.expect("a BITS server")
}

/// Examines an area and the rules of all conversations.
async fn examine_area(area: &str, fault: Fault) -> Report {
    let double = Double::start(Some(fault)).await;
    let suite = double.suite().only(area).only("message");
    suite.run(|_| {}).await.expect("a BITS server")
}

/// A refusal without an error code.
fn refusal(status: u16, packet_type: &str) -> Option<Reply> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status.try_into().expect("a status");
    set(&mut response, "BITS-Packet-Type", packet_type);
    Some(Reply::Response(response))
}

#[tokio::test(flavor = "multi_thread")]
async fn features_that_a_server_lacks_are_not_applicable() {
    let limited = Fault::Answers(|seen| match seen.range() {
        Some([_, _, total]) if total > 1 << 20 => refusal(413, "Ack"),
        _ => None,
    });
    let report = examine_area("fragment", limited).await;
    assert!(report.is_success(), "{}", describe(&report));
    assert_eq!(not_applicable(&report), BEYOND_4_GIB);

    // The refusal comes from the HTTP stack.
    let expects_nothing =
        Fault::Answers(|seen| if seen.has("Expect") { refusal(417, "") } else { None });
    let report = examine_area("connection", expects_nothing).await;
    assert!(report.is_success(), "{}", describe(&report));
    assert_eq!(not_applicable(&report), ["connection.expect"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_id_without_a_timeout_is_a_matter_of_advice() {
    let fault = Fault::Changes(|seen, response| {
        if seen.is("create-session") && response.status() == 200 {
            set(response, "BITS-Host-Id", "localhost");
        }
    });
    let report = examine_area("ping", fault).await;
    let failed = report.failures().map(|it| it.case.id).collect::<Vec<_>>();
    assert_eq!(failed, ["message.advised"], "{}", describe(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_are_attacked_only_if_the_effect_can_be_seen() {
    let double = Double::start(None).await;
    let report = double.suite().only("path.dots").run(|_| {}).await.expect("a BITS server");
    let [case] = &report.cases[..] else { panic!("{} cases", report.cases.len()) };
    assert_eq!(case.verdict, Verdict::Skipped("needs --root".into()));
    assert!(case.evidence.is_empty(), "{:?}", case.evidence);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entities_that_remain_include_that_of_the_first_requests() {
    let examine = async |double: Double| {
        // This case creates no entity.
        let suite = double.suite().only("ping.answered");
        suite.run(|_| {}).await.expect("a BITS server").remaining
    };
    let remaining = examine(Double::start(None).await).await;
    assert!(remaining.iter().any(|name| name.ends_with("-2.bin")), "{remaining:?}");
    assert!(examine(Double::start_with(Place::Folder).await).await.is_empty());
}
