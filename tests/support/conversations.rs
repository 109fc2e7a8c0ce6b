//! Conversations that violate each sequence rule of the observer, and similar ones that violate none. Each
//! consists of what came before and what follows.

/// A session of 300 bytes, of which 100 were received.
pub const BEGUN: &str = "
    > create
    < created A
    > fragment A 0-99/300
    < received A 100
";

/// A session whose bytes were all received.
pub const WHOLE: &str = "
    > create
    < created A
    > fragment A 0-299/300
    < received A 300
";

/// Rules for clients.
pub const REQUESTS: &[(&str, &str)] = &[
    ("", "> fragment A 0-99/300     ! request-before-create"),
    ("", "> close A                 ! request-before-create"),
    ("", "> cancel A                ! request-before-create"),
    ("", "> ping \n < pinged \n > create \n < created A"),
    ("> create \n < refused 403 0x80070005", "> close A   ! request-before-create"),
    (BEGUN, "> fragment B 100-199/300  ! unknown-session"),
    (BEGUN, "> close B                 ! unknown-session"),
    (BEGUN, "> cancel B                ! unknown-session"),
    (BEGUN, "> fragment aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa 100-199/300"),
    (WHOLE, "> close A \n < closed A \n > close A               ! request-after-end"),
    (WHOLE, "> close A \n < closed A \n > cancel A              ! request-after-end"),
    (BEGUN, "> cancel A \n < cancelled A \n > fragment A 100-199/300  ! request-after-end"),
    (BEGUN, "> fragment A 100-199/300 \n < lost \n > close A    ! request-after-end"),
    (WHOLE, "> close A \n < closed A \n > create \n < created B \n > close A ! request-after-end"),
    (WHOLE, "> close A \n < closed A \n > ping \n < pinged \n > create \n < created B"),
    (BEGUN, "> fragment A 100-199/300 \n < lost \n > create \n < created B \n > fragment B 0-9/10"),
    (WHOLE, "> close A \n x \n > fragment A 0-99/300    ! fragment-after-close, offset-goes-back"),
    (BEGUN, "> cancel A \n x \n > fragment A 100-199/300    ! request-after-cancel"),
    (BEGUN, "> cancel A \n x \n > close A    ! request-after-cancel, close-before-whole"),
    (WHOLE, "> close A \n x \n > close A \n < closed A"),
    (WHOLE, "> close A \n x \n > cancel A \n < cancelled A"),
    (WHOLE, "> close A \n < refused 503 \n > close A \n < closed A"),
    (BEGUN, "> fragment A 99-199/300   ! offset-goes-back"),
    (BEGUN, "> fragment A 0-99/300     ! offset-goes-back"),
    (WHOLE, "> fragment A 0-299/300    ! offset-goes-back"),
    (
        BEGUN,
        "> fragment A 100-199/300 \n < resync 50 \n > fragment A 50-199/300 \n < received A 200",
    ),
    (BEGUN, "> fragment A 100-199/300 \n < refused 503 \n > fragment A 100-149/300"),
    (BEGUN, "> fragment A 101-199/300  ! offset-skips-ahead"),
    ("> create \n < created A", "> fragment A 1-9/10   ! offset-skips-ahead"),
    (BEGUN, "> fragment A 100-199/301  ! total-changes"),
    (
        BEGUN,
        "> fragment A 100-199/299  ! total-changes \n < refused 400 0x80070057
             > fragment A 100-199/300",
    ),
    (
        BEGUN,
        "> fragment A 100-199/300 | Content-Name: a \n < received A 200
             > fragment A 200-299/300 | Content-Name: b   ! content-name-changes",
    ),
    (
        "> create | Content-Name: a \n < created A",
        "> fragment A 0-9/10 | Content-Name: A    ! content-name-changes",
    ),
    (
        "> create | Content-Name: a \n < created A",
        "> fragment A 0-8/10 | Content-Name: a \n < received A 9 \n > fragment A 9-9/10",
    ),
    (
        "> create | Content-Name: a \n < created A \n > cancel A \n < cancelled A
      > create | Content-Name: b \n < created B",
        "> fragment B 0-9/10 | Content-Name: b",
    ),
    (
        "> create \n < created A",
        "> fragment A 0-9999/90000 \n < refused 413 \n > fragment A 0-9998/90000",
    ),
    (
        "> create \n < created A",
        "> fragment A 0-9999/90000 \n < refused 413 \n > ping \n < pinged
             > fragment A 0-9999/90000",
    ),
    // After a fragment was accepted, another one of the same length is allowed.
    (
        "> create \n < created A",
        "> fragment A 0-9999/90000 \n < refused 413 \n > fragment A 0-5999/90000
             < received A 6000 \n > fragment A 6000-15999/90000",
    ),
    (
        "> create \n < created A",
        "> fragment A 0-5120/9000 \n < refused 413
             > fragment A 0-5120/9000    ! fragment-not-smaller",
    ),
    (
        "> create \n < created A",
        "> fragment A 0-5119/9000 \n < refused 413
             > fragment A 0-5119/9000",
    ),
    // A rejected total does not fix the total.
    (
        "> create \n < created A",
        "> fragment A 0-9/900 \n < refused 500 0x80200020
             > fragment A 0-9/30",
    ),
    (
        "> create \n < created A",
        "> fragment A 0-9/900 \n x
             > fragment A 0-9/30          ! total-changes",
    ),
    (BEGUN, "> close A                 ! close-before-whole"),
    (BEGUN, "> fragment A 100-299/300 \n x \n > close A     ! close-before-whole"),
    ("> create \n < created A", "> close A"),
    (BEGUN, "> fragment A 100-299/300 \n < resync 300 \n > close A"),
    ("> create", "> create                  ! pipelined-request"),
    (BEGUN, "> fragment A 100-199/300 \n > ping             ! pipelined-request"),
    (BEGUN, "> get \n > ping \n < bare 200 \n < pinged"),
    (BEGUN, "> fragment A 100-199/300 \n 2> ping             ! concurrent-request"),
    // Reported once for each pending request.
    (
        BEGUN,
        "> fragment A 100-199/300 \n 2> ping             ! concurrent-request \n 2< pinged
             2> ping \n 2< pinged \n 3> ping \n 3< pinged",
    ),
    (
        BEGUN,
        "> fragment A 100-199/300 \n 2> ping             ! concurrent-request
             > ping                                         ! pipelined-request",
    ),
    (
        BEGUN,
        "> fragment A 100-199/300 \n 2> line BITS_POST /e HTTP/1.1 | Content-Length: 1x ! not-decimal, concurrent-request",
    ),
    (BEGUN, "> fragment A 100-199/300 \n x \n 2> ping \n 2< pinged"),
    (
        "> create | Host: origin.example
      < created A | BITS-Host-Id: Node.example | BITS-Host-Id-Fallback-Timeout: 60",
        "> ping | Host: origin.example       ! host-id-ignored",
    ),
    (
        "> create | Host: origin.example
      < created A | BITS-Host-Id: [2001:db8::1] | BITS-Host-Id-Fallback-Timeout: 60",
        "> ping | Host: 2001:DB8::1 \n < pinged
             > fragment A 0-9/10 | Host: [2001:db8::1]:8080",
    ),
    (
        "> create | Host: origin.example
      < created A | BITS-Host-Id: Node.example | BITS-Host-Id-Fallback-Timeout: 60",
        "> ping | Host: node.EXAMPLE:8080 \n < pinged \n > create | Host: origin.example",
    ),
];

/// The host that BITS-Host-Id names, and the location of the reply.
pub const HOSTS: &[(&str, &str)] = &[
    (
        ELSEWHERE,
        "> ping | Host: origin.example       ! host-id-ignored \n < pinged
                 > fragment A 0-9/10 | Host: origin.example",
    ),
    (ELSEWHERE, "> ping | Host: NODE.example.:80 \n < pinged"),
    // The Ack may have been lost, and a new session may start on any host.
    (ELSEWHERE, "2> create | Host: origin.example \n 2< created B"),
    // The host could not be reached.
    (ELSEWHERE, "> ping | Host: node.example \n x \n > ping | Host: origin.example \n < pinged"),
    (
        ELSEWHERE,
        "> ping | Host: node.example \n < pinged \n x
                 > ping | Host: origin.example       ! host-id-ignored",
    ),
    (
        ELSEWHERE,
        "> fragment A 0-9/10 | Host: node.example
                 < received A 10 | BITS-Reply-URL: http://node.example/r",
    ),
    (
        ELSEWHERE,
        "> fragment A 0-9/10 | Host: node.example
                 < received A 10 | BITS-Reply-URL: http://origin.example./r",
    ),
    (
        ELSEWHERE,
        "> fragment A 0-9/10 | Host: node.example
                 < received A 10 | BITS-Reply-URL: http://third.example/r   ! reply-url-elsewhere",
    ),
    // The origin is the host where the session was created.
    (
        "",
        "> ping | Host: other.example \n < pinged \n > create | Host: origin.example \n < created A
          > fragment A 0-9/10 \n < received A 10 | BITS-Reply-URL: http://origin.example/r",
    ),
];

/// A session on another host.
const ELSEWHERE: &str = "
    > create | Host: origin.example
    < created A | BITS-Host-Id: node.example | BITS-Host-Id-Fallback-Timeout: 60
";

/// Rules for servers.
pub const RESPONSES: &[(&str, &str)] = &[
    ("", "< pinged                      ! unasked-answer"),
    (BEGUN, "< received A 200          ! unasked-answer"),
    (BEGUN, "> ping \n < pinged \n < pinged         ! unasked-answer"),
    (BEGUN, "> ping \n 2< pinged                   ! unasked-answer"),
    (BEGUN, "> ping \n < bare 100 \n < pinged"),
    (BEGUN, "> ping \n < pinged | BITS-Received-Content-Range: 100     ! wrong-ack"),
    (BEGUN, "> ping \n < resync 100                                   ! wrong-ack"),
    (
        WHOLE,
        "> close A \n < closed A | BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931} ! wrong-ack",
    ),
    (WHOLE, "> close A \n < closed A | BITS-Original-Request-URL: http://a/   ! unexpected-field"),
    (BEGUN, "> create \n < created A                ! session-id-reused"),
    (BEGUN, "> create \n < created B \n > create \n < created A     ! session-id-reused"),
    (BEGUN, "> create \n < created B"),
    ("> create", "< created opaque         ! session-id-not-guid"),
    ("> create", "< created 01234567-89ab-CDEF-0123-456789abcdef"),
    ("", "> close A   ! request-before-create \n < closed A   ! granted-without-session"),
    (
        BEGUN,
        "> fragment B 0-9/10   ! unknown-session \n < received B 10  ! granted-without-session",
    ),
    (BEGUN, "> cancel B   ! unknown-session \n < lost \n > cancel A \n < cancelled A"),
    (WHOLE, "> close A \n < closed A \n x \n > close A \n < closed A      ! granted-after-end"),
    (
        BEGUN,
        "> cancel A \n < cancelled A \n x \n > cancel A \n < cancelled A   ! granted-after-end",
    ),
    (
        BEGUN,
        "> fragment A 100-199/300 \n < lost \n x \n > fragment A 100-199/300
             < received A 200         ! granted-after-end",
    ),
    (
        WHOLE,
        "> close A \n < closed A \n > create \n < created B
             > close A  ! request-after-end \n < closed A   ! granted-after-end",
    ),
    (WHOLE, "> close A \n < closed A \n x \n > close A \n < lost"),
    (
        BEGUN,
        "> fragment A 200-100/300  ! first-beyond-last
             < received A 300         ! granted-despite-error",
    ),
    (
        BEGUN,
        "> line BITS_POST /e HTTP/1.1 | Content-Length: 1x   ! not-decimal
             < pinged                 ! granted-despite-error",
    ),
    (BEGUN, "> fragment A 200-100/300  ! first-beyond-last \n < refused 400 0x80070057"),
    (
        BEGUN,
        "> fragment A 200-299/300  ! offset-skips-ahead
             < received A 300         ! gap-granted",
    ),
    (
        BEGUN,
        "> fragment A 200-299/300  ! offset-skips-ahead
             < resync 100",
    ),
    // Bytes after a rejected gap count as not sent.
    ("> create \n < created A \n > fragment A 0-9/30 \n < received A 10",
            "> fragment A 20-24/30 ! offset-skips-ahead \n < resync 22 ! resynchronised-beyond-sent"),
    ("> create \n < created A \n > fragment A 0-9/30 \n < received A 10",
            "> fragment A 20-29/30 ! offset-skips-ahead \n < resync 10 \n > fragment A 10-19/30
             < received A 30       ! received-beyond-sent"),
    ("> create \n < created A",
            "> fragment A 20-24/30 ! offset-skips-ahead \n < resync 0
             > fragment A 25-29/30 ! offset-skips-ahead \n < received A 30 ! gap-granted
             > close A \n < closed A"),
    ("> create \n < created A",
            "> fragment A 20-29/30 ! offset-skips-ahead \n 2> notify 30 ! early-notification"),
    ("> create \n < created A", "2> notify 30             ! early-notification"),
    ("> create \n < created A", "> close A \n 2> notify 0 \n 2< bare 200 \n < closed A"),
    // A length that was rejected with the first fragment does not fix the total, for any reason.
    ("> create \n < created A", "> fragment A 0-9/900 \n < refused 413 \n > fragment A 0-4/30"),
    ("> create \n < created A", "> fragment A 5-9/900 ! offset-skips-ahead \n < resync 0
             > fragment A 0-9/30"),
    (BEGUN, "> fragment A 100-199/300 \n ~ 30 \n < received A 200   ! acknowledged-unsent"),
    (BEGUN, "> fragment A 100-199/300 \n ~ 100 \n < received A 200"),
    (BEGUN, "> fragment A 100-199/300 \n < received A 99      ! received-goes-back"),
    (BEGUN, "> fragment A 100-199/300 \n < received A 199     ! received-short"),
    (BEGUN, "> fragment A 100-199/300 \n < received A 100     ! received-short"),
    (BEGUN, "> fragment A 100-299/300 \n x \n > fragment A 100-199/300 \n < received A 300"),
    (BEGUN, "> fragment A 100-199/300 \n < resync 100         ! needless-resynchronisation"),
    (BEGUN, "> fragment A 100-199/300 \n < resync 99"),
    (BEGUN, "> fragment A 100-199/300 \n < resync 201         ! resynchronised-beyond-sent"),
    (BEGUN, "> fragment A 100-199/300 \n < resync 200"),
    (BEGUN, "> ping \n < lost                                 ! no-session-to-lose"),
    ("", "> create \n < lost                                  ! no-session-to-lose"),
    (
        "> create | Host: origin.example \n < created A",
        "> fragment A 0-9/10 \n < received A 10 | BITS-Reply-URL: http://other.example/r ! reply-url-elsewhere",
    ),
    (
        "> create | Host: origin.example \n < created A",
        r"> fragment A 0-9/10
              < received A 10 | BITS-Reply-URL: \\other.example/r      ! reply-url-elsewhere",
    ),
    (
        "> create | Host: origin.example:8080 \n < created A",
        "> fragment A 0-9/10 \n < received A 10 | BITS-Reply-URL: http://ORIGIN.example/r",
    ),
    (
        "> create | Host: origin.example \n < created A",
        r"> fragment A 0-9/10 \n < received A 10 | BITS-Reply-URL: Replies\r",
    ),
    (BEGUN, "> close A   ! close-before-whole \n < resync 100                  ! wrong-ack"),
    (BEGUN, "> cancel A \n < refused 500 | BITS-Received-Content-Range: 100   ! wrong-ack"),
    (BEGUN, "> ping \n < refused 404 0x8020001F   ! unusual-status, no-session-to-lose"),
    (BEGUN, "> fragment A 100-199/300 \n < refused 404 0x8020001F            ! unusual-status"),
    (BEGUN, "> fragment A 100-199/300 \n < refused 403 0x80070057            ! unusual-status"),
    (BEGUN, "> fragment A 100-199/300 \n < refused 500 0x80070005            ! unusual-status"),
    (BEGUN, "> fragment A 100-199/300 \n < refused 500 0x80070005 | BITS-Error-Context: 0x7"),
    (BEGUN, "> fragment A 100-199/300 \n < resync 100 | BITS-Error: 0x80070057 | BITS-Error-Context: 0x5 ! needless-resynchronisation"),
    (BEGUN, "> fragment A 100-199/300 \n < refused 501 0x80070005 \n > ping \n < refused 411 0x80070057"),
    (WHOLE, "2> fragment A 0-299/300 \n 2< received A 300 | BITS-Reply-URL: /a
             3> fragment A 0-299/300 \n 3< received A 300 | BITS-Reply-URL: /b   ! reply-url-changes"),
    (WHOLE, "2> fragment A 0-299/300 \n 2< received A 300 | BITS-Reply-URL: /a
             3> fragment A 0-299/300 \n 3< received A 300 | BITS-Reply-URL: /a"),
    ("", "> notify 3                                        ! early-notification"),
    (WHOLE, "> notify 299                                   ! notification-length"),
    (WHOLE, "> notify 0 | BITS-Request-DataFile-Name: a | BITS-Response-DataFile-Name: b
             < bare 200 | Content-Length: 3                 ! unexpected-body"),
    (WHOLE, "> notify 0 | BITS-Request-DataFile-Name: a | BITS-Response-DataFile-Name: b
             < bare 403 | Content-Length: 3"),
    (WHOLE, "> notify 300 \n < bare 200 | Content-Length: 3"),
    (BEGUN, "> fragment A 100-199/300 \n 2> notify 300       ! early-notification"),
    (BEGUN, "> fragment A 100-299/300 \n 2> notify 300 \n 2< bare 200 \n < received A 300"),
];
