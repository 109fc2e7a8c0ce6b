//! The rules of downloads that an observer checks, and their severities.

use crate::observer::rule::rules;

rules! {
    /// A rule about the response to a download request. Later versions may add rules.
    DownloadRule
    // Rules about one response.
    /// Reported for 200 and 206.
    WithoutLength "download-without-length" "3.5.5" Must
        "response without Content-Length; a response with the entity must contain its length",
    /// Reported for 200 and 206.
    WithoutDate "download-without-date" "3.5.5.1" Must
        "response without Last-Modified; a response with the entity must contain the date of its last change",
    /// Reported if Accept-Encoding is `identity`.
    UnrequestedCoding "unrequested-coding" "3.5.5.1" Must
        "response with a content coding, but the client accepts only identity; the body must be bytes of the entity",
    /// The validators in the response show that the condition fails.
    ChangedDespiteCondition "changed-despite-condition" "3.5.5" Must
        "response with an entity that fails If-Match or If-Unmodified-Since; the status must be 412",
    /// The validators in the response show that the client has the entity.
    ConditionIgnored "condition-ignored" "3.5.5" Should
        "response with an entity that fails If-None-Match or If-Modified-Since; the status should be 304",
    /// The validators in the response show that the condition fails.
    RangesDespiteCondition "ranges-despite-condition" "3.5.5" Must
        "206 response with an entity that fails If-Range; the response must be the whole entity",

    // Rules about ranges.
    /// Caches answer so if they do not have the entity.
    RangeIgnored "range-ignored" "3.5.5" Should
        "200 response to a request for one range that the entity has; the response should be that range",
    /// RFC 9110 allows both.
    SeveralRangesRefused "several-ranges-refused" "3.5.5" Suspicious
        "200 or 416 response to a request for several ranges that the entity has; a server should support several ranges",
    /// The length of the entity in the response shows that it has the range.
    SatisfiableRangeRefused "satisfiable-range-refused" "3.5.5.1" Must
        "416 response to a request for a range that the entity has; the response must be that range",
    /// Ranges are compared after they are cut at the end of the entity.
    UnrequestedRange "unrequested-range" "3.5.5.1" Must
        "206 response with a range that was not requested; ranges must be those of the request",
    /// The client has to request the rest.
    ShortRange "short-range" "3.5.5.1" Suspicious
        "206 response with the beginning of a requested range; ranges must be complete",
    /// RFC 9110 forbids it, because a client may be unable to read it.
    UnexpectedMultipart "unexpected-multipart" "3.5.5.1" Must
        "206 response with parts to a request for at most one range; only several ranges are sent as parts",
    /// One part contains several requested ranges.
    MergedRanges "merged-ranges" "3.5.5.1" Must
        "206 response with requested ranges merged into one; ranges must not be merged",
    /// Reported once for each response.
    ReorderedRanges "reordered-ranges" "3.5.5.1" Must
        "206 response with parts in another order than requested; ranges must not be reordered",
    /// Ranges that the entity does not have are not missing.
    MissingParts "missing-parts" "3.5.5.1" Must
        "206 response without a requested range that the entity has; all ranges must be sent",
    /// The parts may belong to two versions of the entity. Reported once for each response.
    MixedLengths "mixed-lengths" "3.5.5.1" Must
        "206 response whose parts have different lengths of the entity; all parts must be of one version",

    // Rules about several responses.
    /// Compared are length, Last-Modified, and the presence of an entity tag, if the tag or the date
    /// shows that the entity is the same.
    HeadDiffers "head-differs" "3.5.5.2" Must
        "responses to HEAD and GET differ for the same entity; they must have the same length and validators",
    /// A date has a resolution of one second, in which an entity may change.
    UnchangedValidators "unchanged-validators" "3.5.4.1" Suspicious
        "the length or the date of the entity changes and its entity tag or date does not; a change must change the date",
}
