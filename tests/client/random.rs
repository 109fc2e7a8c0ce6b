//! Random inputs: invariants hold after each, and the upload ends with a conforming server.

use crate::support;
use std::time::Duration;

use bits_proto::client::{FragmentSizing, Mode, Options, Upload};
use proptest::collection::vec;
use proptest::prelude::*;
use support::any_upload::{Answer, Format, Run, Step};
use support::cases::config;
use support::upload::SESSION_NOT_FOUND;

fn any_answer() -> impl Strategy<Value = Answer> {
    let offset = || prop_oneof![8 => 0..30_u64, 1 => any::<u64>()];
    let timeout = proptest::option::of(prop_oneof![0..5_u32, 0..500_u32, Just(u32::MAX)]);
    let code = || {
        prop_oneof![
            3 => prop::sample::select(&[401, 403, 407, 413, 500, 503, 302, 409][..]),
            1 => (300..1000_u16).prop_filter("needs an offset", |code| *code != 416),
        ]
    };
    let error =
        prop::sample::select(&[SESSION_NOT_FOUND, 0x8007_0005, 0x8007_0057, 0x8020_0020, 1][..]);
    prop_oneof![
        8 => Just(Answer::Correct),
        1 => Just(Answer::Created),
        1 => timeout.prop_map(Answer::CreatedOn),
        1 => Just(Answer::Pinged),
        3 => offset().prop_map(Answer::Held),
        1 => offset().prop_map(Answer::HeldWithReply),
        1 => Just(Answer::Closed),
        1 => Just(Answer::Cancelled),
        2 => offset().prop_map(Answer::OutOfSync),
        2 => code().prop_map(Answer::Refused),
        2 => (code(), error).prop_map(|(code, error)| Answer::RefusedWith(code, error)),
        1 => (300..1000_u16).prop_map(Answer::RefusedByApplication),
        1 => prop_oneof![0..200_u64, any::<u64>()].prop_map(Answer::Busy),
        1 => prop::sample::select(&[(404, 1), (500, 1), (400, 1)][..])
            .prop_map(|(code, error)| Answer::RefusedWith(code, error)),
        1 => prop::sample::select(&[404_u16, 400][..]).prop_map(Answer::Refused),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let passes = prop_oneof![
        (0..2_000_000_000_u64).prop_map(Duration::from_nanos),
        (0..1000_u64).prop_map(Duration::from_secs),
        Just(Duration::from_secs(1 << 40)),
    ];
    prop_oneof![
        4 => Just(Step::Sending),
        3 => Just(Step::Sent),
        4 => any_answer().prop_map(Step::Ack),
        12 => any_answer().prop_map(Step::Exchange),
        1 => proptest::option::of(100..1000_u16).prop_map(Step::Unreadable),
        3 => Just(Step::Broken),
        3 => passes.prop_map(Step::Passes),
        5 => Just(Step::Wait),
        1 => Just(Step::Fetched),
        1 => Just(Step::Unfetched),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => prop::bool::weighted(0.3).prop_map(|it| if it { Step::Restart } else { Step::Wait }),
        1 => (0..10_000_u64).prop_map(|seconds| Step::RetryAfter(Duration::from_secs(seconds))),
        1 => prop::bool::weighted(0.2).prop_map(|it| if it { Step::Cancel } else { Step::Resume }),
        2 => Just(Step::Credentials),
        1 => Just(Step::PingFirst),
        1 => (0..50_u64).prop_map(Step::Length),
        1 => Just(Step::NoReply),
    ]
}

fn any_upload() -> impl Strategy<Value = Upload> {
    let total = prop_oneof![6 => 0..30_u64, 1 => Just(u64::MAX)];
    let sizes = (0..20_u64, 0..10_u64, 0..40_u64);
    let counts = (0..12_u32, 0..4_u32, 0..4_u32, any::<bool>(), any::<u64>());
    (total, sizes, counts).prop_map(|(total, (length, floor, ceiling), counts)| {
        let (max_retries, restarts, max_stalls, reply, seed) = counts;
        let options = Options::DEFAULT
            .with_mode(if reply { Mode::UploadReply } else { Mode::Upload })
            .with_fragments(FragmentSizing::with_bounds(length, floor, ceiling))
            .with_max_retries(max_retries)
            .with_max_restarts(restarts)
            .with_max_stalls(max_stalls);
        Upload::new(total, options, seed)
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_inputs_keep_the_invariants_and_lead_to_an_end(
        upload in any_upload(),
        steps in vec(any_step(), 0..80),
        held_by_server in 0..30_u64,
    ) {
        let mut run = Run::new(upload);
        for step in steps {
            run.check_step(step);
            Format::ALL.into_iter().for_each(|format| run.check_persistence(format));
        }
        run.check_ends(held_by_server);
    }
}
