//! Items that do not occur, with the reason.

/// Items of a group that cannot occur.
pub struct Exception {
    pub group: &'static str,
    pub names: &'static [&'static str],
    pub reason: &'static str,
}

pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        group: "exchange of a download",
        names: &[
            "ready, reset",
            "sending, reset",
            "awaiting, reset",
            "receiving, reset",
            "back-off, reset",
            "back-off, backoff-elapsed",
            "unauthorized, reset",
            "suspended, reset",
        ],
        reason: "a download that drops a request or ends a back-off becomes ready without looking up the event",
    },
    Exception {
        group: "exchange of a download",
        names: &["back-off, given-up"],
        reason: "a download gives up only when a request fails, and none is in flight during a back-off",
    },
    Exception {
        group: "download",
        names: &["size, invalidated"],
        reason: "the download has no bytes in this state: it discards them before it requests the length again",
    },
    Exception {
        group: "upload",
        names: &["get-reply, fallback"],
        reason: "only a request that gets no response starts the timer, and the Ack before this state stops it",
    },
    Exception {
        group: "observer",
        names: &["no-session, refused", "no-session, not-found"],
        reason: "a refusal changes the session that its request belongs to, and this state has no session",
    },
];
