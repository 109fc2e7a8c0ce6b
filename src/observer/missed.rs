//! Messages, and parts of messages, that the observer misses.

use super::pending::{Packet, PendingRequest, SessionRef};
use super::{Accepted, Observer, SequenceRule, State, Violation};
use crate::message::MessageKind;

impl Observer {
    /// Handles the end of a request before the end of its body, of which `arrived` bytes did arrive.
    ///
    /// The request is the latest one on the connection. Its client closed its side of the
    /// connection, or the connection broke. Bytes that the caller itself missed count as arrived.
    /// If a server acknowledges the other bytes, it violates
    /// [`AcknowledgedUnsent`](SequenceRule::AcknowledgedUnsent). The violation is reported with the
    /// Ack, or here if the server has already sent it.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::http1::Progress;
    /// use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};
    /// use bits_proto::observer::Observer;
    ///
    /// let fragment = b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\n\
    ///     BITS-Session-Id: 1\r\nContent-Range: bytes 0-29/90\r\nContent-Length: 30\r\n\r\n";
    /// let ack = b"HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: 1\r\n\
    ///     BITS-Received-Content-Range: 30\r\nContent-Length: 0\r\n\r\n";
    /// let mut observer = Observer::mid_stream();
    /// let mut violations = Vec::new();
    ///
    /// let mut slots = HeaderSlots::new();
    /// let Progress::Complete(head) = RequestHead::parse(fragment, &mut slots)? else { panic!() };
    /// observer.handle_request(1, &head, |it| violations.push(it));
    /// observer.handle_incomplete_request(1, 10, |it| violations.push(it));
    /// let mut slots = HeaderSlots::new();
    /// let Progress::Complete(head) = ResponseHead::parse(ack, &mut slots)? else { panic!() };
    /// observer.handle_response(1, &head, |it| violations.push(it));
    ///
    /// assert_eq!(violations[0].rule(), "acknowledged-unsent");
    /// assert!(violations[0].to_string().ends_with("(20 of 30 bytes are missing)"));
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn handle_incomplete_request(
        &mut self,
        connection: u32,
        arrived: u64,
        mut report: impl FnMut(Violation),
    ) {
        match self.pending.latest_mut(connection) {
            Some(PendingRequest::Packet(packet)) => {
                packet.arrived = Some(arrived);
                let packet = *packet;
                self.retract_missing(&packet);
            }
            Some(_) => {}
            None => {
                let response = self.last_response.as_mut();
                let response = response.filter(|response| response.connection == connection);
                if let Some(accepted) = response.and_then(|response| response.accepted.take()) {
                    let Accepted { packet, received } = accepted;
                    let packet = Packet { arrived: Some(arrived), ..packet };
                    packet.check_arrived(received, &mut report);
                }
            }
        }
    }

    /// Handles a request that passed on a connection without being observed.
    ///
    /// The next response on the connection answers it. It is checked by itself if it is an Ack. A
    /// monitor that sees only the responses on a connection calls this method before each of them.
    pub fn handle_missed_request(&mut self, connection: u32) {
        self.add_pending(connection, PendingRequest::Missed);
        self.forget_progress();
    }

    /// Handles a response that passed on a connection without being observed.
    ///
    /// It answers the oldest pending request on the connection. Its content is unknown, so the
    /// observer reports nothing that depends on it. A monitor that sees only the requests on a
    /// connection calls this method after each of them. If it sees TCP acknowledgements of the
    /// client, it calls this method when they show that the response arrived; a request before that
    /// is a [`PipelinedRequest`](SequenceRule::PipelinedRequest).
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::http1::Progress;
    /// use bits_proto::message::{HeaderSlots, RequestHead};
    /// use bits_proto::observer::Observer;
    ///
    /// let ping = b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n";
    /// let mut slots = HeaderSlots::new();
    /// let Progress::Complete(head) = RequestHead::parse(ping, &mut slots)? else { panic!() };
    /// let mut observer = Observer::new();
    /// for _ in 0..2 {
    ///     observer.handle_request(1, &head, |violation| panic!("{violation}"));
    ///     observer.handle_missed_response(1);
    /// }
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn handle_missed_response(&mut self, connection: u32) {
        if let Some(PendingRequest::Packet(packet)) = self.pending.take(connection) {
            self.forget_outcome(&packet);
        }
    }

    /// Lowers the end of the bytes that were sent to the end of those that arrived.
    fn retract_missing(&mut self, packet: &Packet) {
        let SessionRef::Session(serial) = packet.session_ref else { return };
        let (Some(range), Some(held)) = (packet.range, packet.held_up_to()) else { return };
        if let Some(session) = self.session(serial) {
            // A later fragment may have been sent on another connection.
            if session.sent_up_to == Some(range.end()) {
                session.sent_up_to = Some(held);
            }
        }
    }

    /// Forgets what the response to a packet may have changed, as it is invalid or was missed.
    pub(super) fn forget_outcome(&mut self, packet: &Packet) {
        if matches!(packet.kind, None | Some(MessageKind::CreateSession)) {
            // The server may have issued a session and named another host.
            self.forget_progress();
            self.assigned_host = None;
        }
        let SessionRef::Session(serial) = packet.session_ref else { return };
        let Some(session) = self.session(serial) else { return };
        match packet.kind {
            Some(MessageKind::Fragment) => {
                if session.next.is_none_or(|next| next == 0) {
                    // The server does not keep the length of a first fragment that it refuses.
                    session.total = None;
                }
                (session.next, session.rejected_len) = (None, None);
                if packet.leaves_gap {
                    session.sent_up_to = None;
                }
            }
            // The server may have refused to end the session.
            _ if matches!(session.state, State::Closing | State::Cancelling) => {
                session.state = State::Unknown;
            }
            _ => {}
        }
    }
}

impl Packet {
    /// Reports the bytes that an Ack with the offset `received` acknowledges although they did not
    /// arrive.
    pub(super) fn check_arrived(&self, received: u64, report: &mut impl FnMut(Violation)) {
        let (Some(range), Some(held)) = (self.range, self.held_up_to()) else { return };
        let missing = received.saturating_sub(held);
        if missing > 0 {
            report(SequenceRule::AcknowledgedUnsent.with_missing(missing, range.len()));
        }
    }
}
