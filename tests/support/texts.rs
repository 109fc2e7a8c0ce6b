//! Checks any text as the value of every field.

use bits_proto::field::{
    ContentEncoding, ContentName, ContentRange, CopyFileToDestination, ErrorContext, HResult,
    HostId, HostIdFallbackTimeout, HttpDate, OriginalRequestUrl, PacketType, Protocol,
    ReceivedContentRange, ReplyUrl, RequestDataFileName, ResponseDataFileName, RetryAfter,
    SessionId, StaticResponseUrl, SupportedProtocols,
};

/// Checks that an accepted value displays as text that parses to the same value, without line ends or NUL.
macro_rules! check_values {
    ($text:expr; $($type:ident)+) => { $(
        if let Ok(value) = $type::try_from($text.as_bytes()) {
            let name = stringify!($type);
            let shown = value.to_string();
            let again = $type::try_from(shown.as_bytes());
            assert_eq!(again, Ok(value), "{name} from {:?} shown as {shown:?}", $text);
            assert_eq!(again.map(|again| again.to_string()), Ok(shown.clone()), "{name}");
            assert!(!shown.contains(['\r', '\n', '\0']), "{name} holds {shown:?}");
        }
    )+ };
}

pub fn check_as_every_value(text: &str) {
    check_values!(text;
        ContentEncoding ContentName ContentRange CopyFileToDestination HostId HttpDate RetryAfter
        HostIdFallbackTimeout OriginalRequestUrl PacketType Protocol ReceivedContentRange ReplyUrl
        RequestDataFileName ResponseDataFileName SessionId StaticResponseUrl SupportedProtocols
    );
    if let Ok(Some(code)) = HResult::parse(text) {
        assert_eq!(HResult::parse(code.to_string()), Ok(Some(code)), "HResult from {text:?}");
    }
    if let Ok(Some(context)) = ErrorContext::parse(text) {
        assert_eq!(ErrorContext::parse(context.to_string()), Ok(Some(context)), "from {text:?}");
    }
}
