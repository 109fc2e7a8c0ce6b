//! IP packets and the TCP segments in them.

use etherparse::{IpNumber, LaxIpSlice, LenSource, TcpSlice, err};

use super::layer::{Layer, Step};
use super::unread::Unread;
use super::{Segment, numbers};

/// The content of an IP packet.
pub enum Content<'b> {
    Segment(Segment<'b>),
    /// Another payload, and the number of its bytes that were not captured.
    Other(Step<'b>, usize),
}

/// Parses an IP packet. `cut` is the number of bytes after `data` that were not captured.
pub fn content(data: &[u8], cut: usize) -> Result<Content<'_>, Unread> {
    let (ip, stopped) = LaxIpSlice::from_slice(data).map_err(|error| match error {
        err::ip::LaxHeaderSliceError::Len(_) => Unread::Truncated(Layer::Ip),
        err::ip::LaxHeaderSliceError::Content(_) => Unread::Invalid(Layer::Ip),
    })?;
    let payload = ip.payload();
    if payload.fragmented {
        return Err(Unread::Fragment);
    }
    if let Some((error, _)) = stopped {
        return Err(match error {
            err::ipv6_exts::HeaderSliceError::Len(_) => Unread::Truncated(Layer::Ip),
            err::ipv6_exts::HeaderSliceError::Content(_) => Unread::Invalid(Layer::Ip),
        });
    }
    let cut = match payload.len_source {
        _ if payload.incomplete => declared_length(&ip).saturating_sub(payload.payload.len()),
        LenSource::Slice => cut,
        _ => 0,
    };
    let data = payload.payload;
    if payload.ip_number != IpNumber::TCP {
        return Ok(Content::Other(numbers::ip_protocol(payload.ip_number, data), cut));
    }
    let tcp = TcpSlice::from_slice(data).map_err(|error| match error {
        err::tcp::HeaderSliceError::Len(_) => Unread::Truncated(Layer::Tcp),
        err::tcp::HeaderSliceError::Content(_) => Unread::Invalid(Layer::Tcp),
    })?;
    Ok(Content::Segment(segment(&ip, &tcp, cut)))
}

/// Returns the length of the payload according to the IP header.
fn declared_length(ip: &LaxIpSlice<'_>) -> usize {
    let (length, headers) = match ip {
        LaxIpSlice::Ipv4(ip) => {
            let extensions = ip.extensions().auth.map_or(0, |auth| auth.slice().len());
            (ip.header().total_len(), ip.header().slice().len() + extensions)
        }
        LaxIpSlice::Ipv6(ip) => (ip.header().payload_length(), ip.extensions().slice().len()),
    };
    usize::from(length).saturating_sub(headers)
}

fn segment<'b>(ip: &LaxIpSlice<'_>, tcp: &TcpSlice<'b>, cut: usize) -> Segment<'b> {
    Segment {
        from: (ip.source_addr(), tcp.source_port()).into(),
        to: (ip.destination_addr(), tcp.destination_port()).into(),
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
        is_syn: tcp.syn(),
        is_fin: tcp.fin(),
        is_reset: tcp.rst(),
        data: tcp.payload(),
        cut,
    }
}
