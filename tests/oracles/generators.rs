//! Generates events, policies and options from the input.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use bits_proto::client::{FragmentSizing, Mode, Options, Upload};
use bits_proto::field::ContentRange;
use bits_proto::server::{CommitAt, EarlyClose, HostError, Notified, OverlapRule, Policy};

use crate::support::any_session::{Bytes, Event, Range, Which};
use crate::support::any_upload::{Answer, Step};
use crate::support::events::{DENIALS, REPLIES, host_errors};
use crate::support::session::PLAIN;
use crate::support::upload::SESSION_NOT_FOUND;

type Input<'a, 'b> = &'a mut Unstructured<'b>;

pub fn policy(input: Input<'_, '_>) -> Result<Policy<'static>> {
    let flags: u8 = input.arbitrary()?;
    let is_set = |bit: u8| flags & 1 << bit != 0;
    Ok(PLAIN
        .with_overlap(if is_set(0) { OverlapRule::Refuse } else { OverlapRule::Trim })
        .with_commit_at(if is_set(1) { CommitAt::LastFragment } else { CommitAt::Close })
        .with_empty_entities(is_set(2))
        .with_early_close(if is_set(3) { EarlyClose::Refuse } else { EarlyClose::Discard })
        .with_notification(is_set(4))
        .with_max_entity(if is_set(5) { 40 } else { u64::MAX })
        .with_max_fragment(if is_set(6) { 20 } else { u64::MAX })
        .with_drain_limit(*input.choose(&[0, 10, u64::MAX])?))
}

pub fn event(input: Input<'_, '_>) -> Result<Event> {
    Ok(match input.int_in_range(0..=25_u8)? {
        0..6 => Event::Fragment { range: near(input)?, is_ours: true },
        6 => Event::Fragment { range: Range::Any(range(input)?), is_ours: input.arbitrary()? },
        7 => Event::Close,
        8 => Event::Cancel,
        9 => Event::Ping,
        10 => Event::Create,
        11 => Event::Access(*input.choose(&DENIALS)?),
        12..15 => Event::Stored { token: which(input)?, bytes: bytes(input)? },
        15 => Event::Notified(which(input)?, notified(input)?),
        16 => Event::Committed(which(input)?),
        17 => Event::Discarded(which(input)?),
        18 => Event::Failed(which(input)?, host_error(input)?),
        19 => Event::Disconnected(which(input)?),
        20 if input.arbitrary()? => Event::Recover,
        20 => Event::Expire,
        21 => Event::Timeout,
        22 => Event::Time {
            seconds: *input.choose(&[0, 1, 299, 300, 1_000, 14 * 86_400])?,
            back: input.arbitrary()?,
        },
        23 => Event::Accepted(which(input)?, input.arbitrary()?),
        24 => Event::Replied(which(input)?, *input.choose(&REPLIES)?),
        _ => Event::Policy(Box::new(policy(input)?)),
    })
}

fn near(input: Input<'_, '_>) -> Result<Range> {
    Ok(Range::Near {
        before: *input.choose(&[0, 0, 0, 1, 5, 40, u64::MAX])?,
        len: input.int_in_range(1..=59)?,
        total: *input.choose(&[40, 40, 40, 41, 9])?,
    })
}

/// Returns any valid range.
pub fn range(input: Input<'_, '_>) -> Result<ContentRange> {
    let mut ends: [u64; 3] = input.arbitrary()?;
    ends.sort_unstable();
    let total = ends[2].max(1);
    let last = ends[1].min(total - 1);
    Ok(ContentRange::new(ends[0].min(last), last, total).expect("its ends are in order"))
}

fn which(input: Input<'_, '_>) -> Result<Which> {
    Ok(match input.int_in_range(0..=9_u8)? {
        8 => Which::Older,
        9 => Which::OfAnother,
        _ => Which::Due,
    })
}

fn bytes(input: Input<'_, '_>) -> Result<Bytes> {
    Ok(match input.int_in_range(0..=63_u8)? {
        few @ 0..45 => Bytes::Some(u64::from(few)),
        45 => Bytes::TooMany,
        _ => Bytes::All,
    })
}

fn notified(input: Input<'_, '_>) -> Result<Notified> {
    let copy_to_destination = input.arbitrary()?;
    let reply = *input.choose(&REPLIES)?;
    Ok(Notified::new(copy_to_destination, reply))
}

fn host_error(input: Input<'_, '_>) -> Result<HostError> {
    input.choose(&host_errors()).copied()
}

pub fn upload(input: Input<'_, '_>) -> Result<Upload> {
    let total = match input.int_in_range(0..=31)? {
        31 => u64::MAX,
        total => total,
    };
    let length = input.int_in_range(0..=19)?;
    let (min, max) = (input.int_in_range(0..=9)?, input.int_in_range(0..=39)?);
    let options = Options::default()
        .with_mode(if input.arbitrary()? { Mode::UploadReply } else { Mode::Upload })
        .with_fragments(FragmentSizing::with_bounds(length, min, max))
        .with_max_retries(input.int_in_range(0..=11)?)
        .with_max_restarts(input.int_in_range(0..=3)?)
        .with_max_stalls(input.int_in_range(0..=3)?);
    Ok(Upload::new(total, options, input.arbitrary::<u8>()?.into()))
}

pub fn step(input: Input<'_, '_>) -> Result<Step> {
    Ok(match input.int_in_range(0..=31_u8)? {
        0..3 => Step::Sending,
        3..5 => Step::Sent,
        5..8 => Step::Ack(answer(input)?),
        8..18 => Step::Exchange(answer(input)?),
        18 => Step::Unreadable(status(input)?),
        19 => Step::Broken,
        20 => Step::Passes(passes(input)?),
        21..24 => Step::Wait,
        24 => Step::Fetched,
        25 => Step::Unfetched,
        26 => Step::Pause,
        27 => Step::Resume,
        28 => Step::Cancel,
        29 => Step::Credentials,
        30 => Step::PingFirst,
        _ => match input.int_in_range(0..=53)? {
            50..=53 => Step::Restart,
            48..50 => Step::RetryAfter(passes(input)?),
            47 => Step::NoReply,
            length => Step::Length(length),
        },
    })
}

fn status(input: Input<'_, '_>) -> Result<Option<u16>> {
    let code = input.int_in_range(99..=999)?;
    Ok((code > 99).then_some(code))
}

fn passes(input: Input<'_, '_>) -> Result<Duration> {
    Ok(match input.int_in_range(0..=2_u8)? {
        0 => Duration::from_nanos(input.int_in_range(0..=2_000_000_000)?),
        1 => Duration::from_secs(input.int_in_range(0..=999)?),
        _ => Duration::from_secs(1 << 40),
    })
}

fn offset(input: Input<'_, '_>) -> Result<u64> {
    match input.int_in_range(0..=31)? {
        31 => input.arbitrary(),
        near => Ok(near),
    }
}

/// Returns the status of a refusal, but not 416, which needs an offset.
fn refusal(input: Input<'_, '_>) -> Result<u16> {
    let code = match input.int_in_range(0..=8_u8)? {
        8 => input.int_in_range(300..=999)?,
        usual => [401, 403, 407, 413, 500, 503, 302, 409][usize::from(usual)],
    };
    Ok(if code == 416 { 417 } else { code })
}

fn answer(input: Input<'_, '_>) -> Result<Answer> {
    Ok(match input.int_in_range(0..=18_u8)? {
        0..6 => Answer::Correct,
        6 => Answer::Created,
        7 => Answer::CreatedOn(match input.arbitrary::<u8>()? {
            0xFF => None,
            0xFE => Some(u32::MAX),
            few => Some(few.into()),
        }),
        8 => Answer::Pinged,
        9 => Answer::Held(offset(input)?),
        10 => Answer::HeldWithReply(offset(input)?),
        11 => Answer::Closed,
        12 => Answer::Cancelled,
        13 => Answer::OutOfSync(offset(input)?),
        14 => Answer::Refused(refusal(input)?),
        16 => Answer::RefusedByApplication(input.int_in_range(300..=999)?),
        17 => Answer::Busy(input.arbitrary::<u16>()?.into()),
        18 => {
            let (status, code) = *input.choose(&[(404, None), (400, None), (500, Some(1))])?;
            code.map_or(Answer::Refused(status), |code| Answer::RefusedWith(status, code))
        }
        _ => {
            let codes = [SESSION_NOT_FOUND, 0x8007_0005, 0x8007_0057, 0x8020_0020, 1];
            Answer::RefusedWith(refusal(input)?, *input.choose(&codes)?)
        }
    })
}
