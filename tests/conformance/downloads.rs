//! [MC-BUP] 3.5 and 3.6: downloads, which this crate has nothing to do with.

pub const ROWS: &str = "
R3.5.4.1-1 n/a | the caller gives new content | downloads
R3.5.4.1-2 n/a | content and length are replaced | downloads
R3.5.4.1-3 n/a | so is the time of the change | downloads
R3.5.5-1 n/a | messages as HTTP has them | downloads
R3.5.5-2 n/a | GET and HEAD | downloads
R3.5.5-3 n/a | requests of one range | downloads
R3.5.5-4 n/a | requests of several ranges | downloads
R3.5.5-5 n/a | lengths of what is answered | downloads
R3.5.5.1-1 n/a | checking the ranges of a GET | downloads
R3.5.5.1-2 n/a | ranges of the content | downloads
R3.5.5.1-3 n/a | Last-Modified | downloads
R3.5.5.1-4 n/a | the order of several ranges | downloads
R3.5.5.2-1 n/a | HEAD is GET without a body | downloads

R3.6.1-1 n/a | one range over everything | downloads
R3.6.1-2 n/a | the form of credentials | downloads
R3.6.3-1 n/a | starting the peer cache | downloads
R3.6.4.1-1 n/a | pausing | downloads
R3.6.4.2-1 n/a | resuming | downloads
R3.6.5.1-1 n/a | the request timer starts | downloads
R3.6.5.1-2 n/a | the request timer stops | downloads
R3.6.5.1-3 n/a | the response timer starts | downloads
R3.6.5.1-4 n/a | the response timer stops | downloads
R3.6.5.2.1-1 n/a | the first state, with peers | downloads
R3.6.5.2.1-2 n/a | the first state, without | downloads
R3.6.5.2.4-1 n/a | everything is there | downloads
R3.6.5.2.4.1-1 n/a | how often a peer is tried | downloads
R3.6.5.2.4.2-1 n/a | no Range for everything | downloads
R3.6.5.2.4.2-2 n/a | a server that knows one range only | downloads
R3.6.5.2.4.3-1 n/a | ranges are one row of bytes | downloads
R3.6.5.2.4.3-2 n/a | where a part ends | downloads
R3.6.5.2.4.3-3 n/a | a part that is too long | downloads
R3.6.5.2.4.3-4 n/a | the ranges of a part | downloads
R3.6.5.2.4.3-5 n/a | an example of that | downloads
R3.6.5.2.4.4-1 n/a | one URL a request | downloads
R3.6.5.3-1 n/a | successes | downloads
R3.6.5.3-2 n/a | challenges | downloads
R3.6.5.3-3 n/a | failures | downloads
R3.6.6.1-1 n/a | a request that takes too long | downloads
R3.6.6.2-1 n/a | a response that takes too long | downloads
";
