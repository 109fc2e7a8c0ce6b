//! [MC-BUP] 3.5 and 3.6: downloads, which are outside this crate.

pub const ROWS: &str = "
R3.5.4.1-1 n/a | the caller provides new content | downloads
R3.5.4.1-2 n/a | content and length are replaced | downloads
R3.5.4.1-3 n/a | the modification time is replaced | downloads
R3.5.5-1 n/a | messages have HTTP's syntax | downloads
R3.5.5-2 n/a | GET and HEAD | downloads
R3.5.5-3 n/a | requests of one range | downloads
R3.5.5-4 n/a | requests of several ranges | downloads
R3.5.5-5 n/a | lengths of responses | downloads
R3.5.5.1-1 n/a | checking the ranges of a GET | downloads
R3.5.5.1-2 n/a | ranges of the content | downloads
R3.5.5.1-3 n/a | Last-Modified | downloads
R3.5.5.1-4 n/a | the order of several ranges | downloads
R3.5.5.2-1 n/a | HEAD is GET without a body | downloads

R3.6.1-1 n/a | one range for the whole entity | downloads
R3.6.1-2 n/a | type of credentials | downloads
R3.6.3-1 n/a | starting the peer cache | downloads
R3.6.4.1-1 n/a | pausing | downloads
R3.6.4.2-1 n/a | resuming | downloads
R3.6.5.1-1 n/a | the request timer starts | downloads
R3.6.5.1-2 n/a | the request timer stops | downloads
R3.6.5.1-3 n/a | the response timer starts | downloads
R3.6.5.1-4 n/a | the response timer stops | downloads
R3.6.5.2.1-1 n/a | the first state, with peers | downloads
R3.6.5.2.1-2 n/a | the first state, without | downloads
R3.6.5.2.4-1 n/a | the download is complete | downloads
R3.6.5.2.4.1-1 n/a | number of attempts per peer | downloads
R3.6.5.2.4.2-1 n/a | no Range for the whole entity | downloads
R3.6.5.2.4.2-2 n/a | a server that supports one range only | downloads
R3.6.5.2.4.3-1 n/a | ranges are contiguous bytes | downloads
R3.6.5.2.4.3-2 n/a | end of a part | downloads
R3.6.5.2.4.3-3 n/a | a part that is too long | downloads
R3.6.5.2.4.3-4 n/a | the ranges of a part | downloads
R3.6.5.2.4.3-5 n/a | an example | downloads
R3.6.5.2.4.4-1 n/a | one URL per request | downloads
R3.6.5.3-1 n/a | successes | downloads
R3.6.5.3-2 n/a | challenges | downloads
R3.6.5.3-3 n/a | failures | downloads
R3.6.6.1-1 n/a | a request that takes too long | downloads
R3.6.6.2-1 n/a | a response that takes too long | downloads
";
