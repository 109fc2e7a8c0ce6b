//! Sizes of types, in bytes.

use bits_proto::backend::Notification;
use bits_proto::client::Upload;
use bits_proto::http1::HeadScanner;
use bits_proto::message::{
    Ack, AckContext, CancelSession, CancelSessionAck, CloseSession, CloseSessionAck, CreateSession,
    CreateSessionAck, Decoded, Fragment, FragmentAck, HeaderSlots, NotificationRequest,
    NotificationResponse, Ping, PingAck, Refusal, Request, RequestHead, ResponseHead,
};
use bits_proto::observer::Observer;
use bits_proto::server::{Record, Session};

use super::Report;

/// Prints a line for each public message, session, and type used for parsing.
pub fn print(report: &mut Report) {
    macro_rules! sizes {
        ($($type:ty $(: $limit:literal)?),+ $(,)?) => {
            [$((stringify!($type), size_of::<$type>(), [$($limit,)? f64::INFINITY][0])),+]
        };
    }
    let sizes = sizes![
        Request<'_>,
        Ping<'_>,
        CreateSession<'_>,
        Fragment<'_>,
        CloseSession<'_>,
        CancelSession<'_>,
        Ack<'_>,
        PingAck,
        CreateSessionAck<'_>,
        FragmentAck<'_>,
        CloseSessionAck<'_>,
        CancelSessionAck<'_>,
        Refusal<'_>,
        NotificationRequest<'_>,
        NotificationResponse<'_>,
        Decoded<Request<'_>>,
        Decoded<Ack<'_>>,
        AckContext<'_>,
        RequestHead<'_, '_>,
        ResponseHead<'_, '_>,
        HeaderSlots<'_>,
        HeadScanner,
        Session: 88.0,
        Record: 192.0,
        Upload,
        Notification,
        Observer: 2048.0,
    ];
    for (name, size, bar) in sizes {
        report.line(&format!("size/{}", name.replace(' ', "")), size as f64, bar);
    }
}
