//! Servers of several kinds that answer downloads of an entity with several versions.

use bits_proto::download::field::{Boundary, EntityTag};
use bits_proto::download::{
    ByteRange, Entity, HeaderSlots, Piece, Plan, PlanLimits, Request, RequestHead,
};
use bits_proto::field::HttpDate;
use bits_proto::http1::Progress;
use bits_proto::message::NO_EXTRAS;

/// The behaviour of a server, or of the caches before it, with several ranges and with conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    pub several: Several,
    /// Conditions are ignored, as by a cache.
    pub ignores_conditions: bool,
    pub has_tag: bool,
    pub has_date: bool,
    /// Tag and date are sent with responses to HEAD only.
    pub identifies_head_only: bool,
    /// The first answer has no length, as that of a cache to a range that it does not have.
    pub is_chunked_first: bool,
    pub supports_ranges: bool,
    pub supports_head: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Several {
    /// nginx: parts in order.
    Parts,
    /// lighttpd: parts sorted and merged.
    Sorted,
    /// Apache: one part where ranges are adjacent.
    Merged,
    /// Squid.
    Whole,
    /// Varnish.
    Unsatisfiable,
}

/// One version of the entity: its number is in every byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    pub number: u8,
    pub length: usize,
}

impl Version {
    pub fn byte(&self, offset: u64) -> u8 {
        // Every offset and every version differ in a period of 32 bytes.
        self.number.wrapping_mul(37) ^ (offset % 32) as u8
    }

    pub fn bytes(&self, range: ByteRange) -> Vec<u8> {
        (range.first()..range.end()).map(|offset| self.byte(offset)).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

impl Server {
    /// Returns true if the version of a body can be compared with that of another one.
    pub fn identifies_get(&self) -> bool {
        (self.has_date || self.has_tag) && !self.identifies_head_only
    }

    pub fn answer(&self, request: &[u8], version: &Version, is_first: bool) -> Answer {
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(request, &mut slots).expect("a valid head");
        let Progress::Complete(head) = head else { panic!("a complete head") };
        let is_head = head.line().method == "HEAD";
        if is_head && !self.supports_head {
            return Answer {
                head: b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n".into(),
                body: vec![],
            };
        }
        let range = head.fields().find(|(name, _)| *name == "Range").map(|(_, value)| value);
        let is_several = range.is_some_and(|value| value.contains(&b','));
        let fields = head.fields().filter(|(name, _)| match *name {
            "Range" => {
                self.supports_ranges && !(is_several && matches!(self.several, Several::Whole))
            }
            name if name.starts_with("If-") => !self.ignores_conditions,
            _ => true,
        });
        let mut fields: Vec<_> = fields.collect();
        let rewritten = range.filter(|_| is_several).and_then(|value| self.rewrite(value));
        if let (Some(rewritten), Some(field)) =
            (&rewritten, fields.iter_mut().find(|(name, _)| *name == "Range"))
        {
            field.1 = rewritten.as_bytes();
        }
        if is_several && self.supports_ranges && matches!(self.several, Several::Unsatisfiable) {
            let head = format!(
                "HTTP/1.1 416 No\r\nContent-Range: bytes */{}\r\nContent-Length: 0\r\n\r\n",
                version.length
            );
            return Answer { head: head.into_bytes(), body: Vec::new() };
        }
        let request =
            Request::from_fields(head.line(), fields.iter().copied()).expect("a download");
        let tag = format!("\"{}\"", version.number);
        let date = HttpDate::from_unix_seconds(1_000_000_000 + i64::from(version.number));
        let is_identified = is_head || !self.identifies_head_only;
        let entity = Entity::new(version.length as u64)
            .with_tag(EntityTag::try_from(&*tag).ok().filter(|_| self.has_tag && is_identified))
            .with_modified(date.filter(|_| self.has_date && is_identified));
        let limits = PlanLimits::DEFAULT.with_max_amplification(1000);
        let plan = Plan::new(&request, &entity, &limits, Boundary::from_random(5));
        let mut head = plan.encode(&NO_EXTRAS).expect("no extras").to_vec();
        let body = plan.pieces().flat_map(|piece| match piece {
            Piece::Framing(framing) => framing.to_vec(),
            Piece::Entity(range) => version.bytes(range),
            other => panic!("an unknown piece: {other:?}"),
        });
        let body = body.collect();
        if self.is_chunked_first && is_first && plan.status().get() == 200 {
            // The framing is decoded below.
            let text = String::from_utf8(head).expect("ASCII");
            let length = format!("Content-Length: {}", version.length);
            head = text.replace(&length, "Transfer-Encoding: chunked").into_bytes();
        }
        Answer { head, body }
    }

    /// Returns the ranges that a server uses in place of the requested ones.
    fn rewrite(&self, value: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(value).ok()?.strip_prefix("bytes=")?;
        let mut ranges: Vec<(u64, u64)> = text
            .split(',')
            .map(|range| {
                let (first, last) = range.split_once('-').expect("a closed range");
                (first.parse().expect("a number"), last.parse().expect("a number"))
            })
            .collect();
        match self.several {
            Several::Sorted => ranges.sort_unstable(),
            Several::Merged => {
                let mut merged: Vec<(u64, u64)> = Vec::new();
                for (first, last) in ranges {
                    match merged.last_mut().filter(|before| before.1 + 1 == first) {
                        Some(before) => before.1 = last,
                        None => merged.push((first, last)),
                    }
                }
                ranges = merged;
            }
            _ => return None,
        }
        let ranges: Vec<_> = ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        Some(format!("bytes={}", ranges.join(",")))
    }
}
