//! One pass over the fields of a message: which are there, which twice, which too long.

use super::MessageKind;
use super::presence::{self, FieldSets};
use super::trouble::Trouble;
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, Flaw, Stage};
use crate::field::{Decode, FieldName, Found, Seen, SessionId, SupportedProtocols, bit};
use crate::head::{Fields, Framing, Head, Index, StartLine, trim_white_space};

/// The fields of one message that the protocol knows.
pub(crate) struct Scan<'h, 'b> {
    found: Found,
    values: Values<'h, 'b>,
    /// Further BITS-Supported-Protocols fields; the list may be spread over several.
    more_protocols: [&'b [u8]; 3],
    protocol_fields: usize,
    /// The fields that are there again with the same value, or with more of a list.
    repeated: u32,
    /// The fields that contradict themselves, and the first contradiction.
    contradicted: u32,
    conflict: Option<(ErrorKind, FieldName, &'b [u8])>,
    long: Option<(Option<FieldName>, &'b [u8])>,
    pub(super) deviations: Deviations,
}

/// Where the values are.
enum Values<'h, 'b> {
    /// In a head, at the places of its index.
    Head(Fields<'h, 'b>, &'h Index),
    /// In a room of their own, each at the number of its field.
    Room(&'h mut Room<'b>),
}

/// Room for the values of the fields that another HTTP stack has read.
pub(super) type Room<'b> = [&'b [u8]; FieldName::ALL.len()];

pub(super) const EMPTY_ROOM: Room<'_> = [&[]; FieldName::ALL.len()];

impl<'h, 'b> Scan<'h, 'b> {
    /// The fields of a head that was read from bytes. They were looked at when it was read; only
    /// where some are there again, or could be too long, they are gone through once more.
    #[inline(always)]
    pub(super) fn of_head<L: StartLine<'b>>(head: &'h Head<'_, 'b, L>, max_value: usize) -> Self {
        let index = head.index();
        let found = index.found;
        let mut scan = Self::new(found, Values::Head(head.fields(), index));
        if found.again != 0 || head.len() > max_value {
            scan.look_again(head.fields(), max_value);
        }
        scan
    }

    #[cold]
    fn look_again(&mut self, fields: Fields<'_, 'b>, max_value: usize) {
        let mut found = Found::NOTHING;
        for (name, value) in fields {
            self.observe_length(name, value, max_value);
            if let Some(Seen::Again(field)) = found.see(name, value) {
                self.observe_again(field, value);
            }
        }
    }

    /// No fields yet, and room for the values of those that another HTTP stack has read.
    #[inline(always)]
    pub(super) fn in_room(room: &'h mut Room<'b>) -> Self {
        Self::new(Found::NOTHING, Values::Room(room))
    }

    /// Looks at fields that another HTTP stack has read, and at their framing.
    #[inline(always)]
    pub(super) fn observe_pairs(
        &mut self,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        max_value: usize,
    ) -> Result<Framing, Error> {
        match self.observe_all_pairs(fields, max_value) {
            (framing, None) => Ok(framing),
            (_, Some(error)) => Err(error),
        }
    }

    /// The same, with what could be read of the framing beside what is wrong with it.
    #[inline(always)]
    pub(super) fn observe_all_pairs(
        &mut self,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        max_value: usize,
    ) -> (Framing, Option<Error>) {
        let (mut framing, mut error) = (Framing::default(), None);
        for (name, value) in fields {
            let value = trim_white_space(value);
            self.observe_length(name, value, max_value);
            let field = match self.found.see(name, value) {
                None => continue,
                Some(Seen::First(field)) => {
                    self.set(field, value);
                    field
                }
                Some(Seen::Again(field)) => {
                    self.observe_again(field, value);
                    field
                }
            };
            if let Err(flaw) = framing.observe(field, value) {
                error = error.or(Some(Framing::error(flaw, None)));
            }
        }
        (framing, error)
    }

    #[inline(always)]
    const fn new(found: Found, values: Values<'h, 'b>) -> Self {
        Self {
            found,
            values,
            more_protocols: [&[]; 3],
            protocol_fields: 0,
            repeated: 0,
            contradicted: 0,
            conflict: None,
            long: None,
            deviations: Deviations::EMPTY,
        }
    }

    #[inline(always)]
    fn observe_length(&mut self, name: &str, value: &'b [u8], max_value: usize) {
        if value.len() > max_value && self.long.is_none() {
            self.long = Some((FieldName::recognise(name), value));
        }
    }

    /// Keeps the value of a field that is there for the first time.
    #[inline(always)]
    fn set(&mut self, field: FieldName, value: &'b [u8]) {
        if let Values::Room(values) = &mut self.values {
            if let Some(slot) = values.get_mut(field as usize) {
                *slot = value;
            }
        }
    }

    /// A field that was there before.
    #[cold]
    fn observe_again(&mut self, field: FieldName, value: &'b [u8]) {
        match field {
            FieldName::SupportedProtocols => {
                self.repeated |= bit(field);
                match self.more_protocols.get_mut(self.protocol_fields) {
                    Some(slot) => *slot = value,
                    None => self.contradict(ErrorKind::ProtocolCount, field, value),
                }
                self.protocol_fields = self.protocol_fields.saturating_add(1);
            }
            // A list, which may be spread over several fields; only its first item matters.
            FieldName::AcceptEncoding => {}
            // What contradicts has been refused with the framing.
            FieldName::ContentLength => self.repeated |= bit(field),
            _ if self.get(field) == Some(value) => self.repeated |= bit(field),
            _ => self.contradict(ErrorKind::ConflictingField, field, value),
        }
    }

    /// Remembers the first contradiction.
    fn contradict(&mut self, kind: ErrorKind, field: FieldName, value: &'b [u8]) {
        self.contradicted |= bit(field);
        self.conflict = self.conflict.or(Some((kind, field, value)));
    }

    /// The value of a field that is there.
    #[inline(always)]
    pub(super) fn get(&self, field: FieldName) -> Option<&'b [u8]> {
        if !self.found.has(field) {
            return None;
        }
        match &self.values {
            Values::Head(fields, index) => fields.value_at(index.place(field)),
            Values::Room(values) => values.get(field as usize).copied(),
        }
    }

    /// A Transfer-Encoding that another HTTP stack has dealt with.
    #[inline(always)]
    pub(super) fn check_coding(&self, framing: Framing) -> Result<(), Trouble<'b>> {
        if !framing.transfer_encoding {
            return Ok(());
        }
        let value = self.get(FieldName::TransferEncoding).unwrap_or_default();
        let flaw = Flaw::new(ErrorKind::TransferEncoding, 0);
        let trouble = Trouble::in_value(FieldName::TransferEncoding, value, flaw);
        Err(trouble.at_stage(Stage::Http))
    }

    /// The first value that is longer than the limit.
    pub(super) fn long_value(&self) -> Option<Trouble<'b>> {
        let (field, value) = self.long?;
        Some(Trouble::in_long_value(field, value))
    }

    /// The same, and forgets it: what follows is read whatever its length.
    pub(super) fn take_long_value(&mut self) -> Option<Trouble<'b>> {
        let trouble = self.long_value();
        self.long = None;
        trouble
    }

    /// Fields that the message carries must not contradict themselves.
    #[inline(always)]
    pub(super) fn check_conflicts(&self, kind: MessageKind) -> Result<(), Trouble<'b>> {
        match self.contradicted & FieldSets::of(kind).carried() {
            0 => Ok(()),
            contradicted => Err(self.contradiction(contradicted)),
        }
    }

    #[cold]
    fn contradiction(&self, contradicted: u32) -> Trouble<'b> {
        let is_meant = |field: FieldName| contradicted & bit(field) != 0;
        let first = self.conflict.filter(|(_, field, _)| is_meant(*field));
        let (kind, field, value) = first.unwrap_or_else(|| {
            let field = FieldName::ALL.iter().copied().find(|field| is_meant(*field));
            let field = field.unwrap_or(FieldName::PacketType);
            (ErrorKind::ConflictingField, field, self.get(field).unwrap_or_default())
        });
        Trouble::in_value(field, value, Flaw::new(kind, 0)).at_stage(Stage::Limits)
    }

    /// Every contradiction of [`check_conflicts`](Self::check_conflicts), not only the first.
    pub(super) fn each_conflict(&self, kind: MessageKind, each: &mut impl FnMut(Trouble<'b>)) {
        let contradicted = self.contradicted & FieldSets::of(kind).carried();
        for field in FieldName::ALL.iter().filter(|field| contradicted & bit(**field) != 0) {
            each(self.contradiction(bit(*field)));
        }
    }

    /// Everything that is wrong with the fields the message carries, one by one: those that are
    /// missing, and those whose values cannot be read. Fields that are looked at in another light
    /// are `left_out`.
    pub(super) fn each_flaw(
        &mut self,
        kind: MessageKind,
        left_out: &[FieldName],
        each: &mut impl FnMut(Trouble<'b>),
    ) {
        for field in FieldName::ALL.iter().filter(|field| !left_out.contains(field)) {
            let trouble = match self.carried(kind, *field) {
                Err(missing) => Some(missing),
                Ok(None) => None,
                Ok(Some(_)) if *field == FieldName::SupportedProtocols => {
                    self.protocols(kind).err()
                }
                Ok(Some(value)) => field
                    .flaw_in(value, &mut self.deviations)
                    .map(|flaw| Trouble::in_value(*field, value, flaw)),
            };
            trouble.into_iter().for_each(&mut *each);
        }
    }

    /// Whether it carries what only the Acks for other requests carry.
    pub(super) const fn is_of_another(&self, kind: MessageKind) -> bool {
        self.found.present & FieldSets::of(kind).unexpected & presence::GRANTS != 0
    }

    /// Remarks on fields that the message does not carry, and on those it carries more than once
    /// or under a misspelt name.
    #[inline(always)]
    pub(super) fn remark_on_fields(&mut self, kind: MessageKind) {
        let sets = FieldSets::of(kind);
        let unexpected = self.found.present & sets.unexpected;
        if unexpected != 0 {
            self.remark_on_unexpected(kind, unexpected);
        }
        let repeated = self.repeated & sets.carried();
        if repeated & bit(FieldName::SupportedProtocols) != 0 {
            self.deviations.insert(Deviation::JoinedProtocols);
        }
        if repeated & !bit(FieldName::SupportedProtocols) != 0 {
            self.deviations.insert(Deviation::DuplicateField);
        }
        if self.found.is_misspelt && sets.carried() & bit(FieldName::ReceivedContentRange) != 0 {
            self.deviations.insert(Deviation::MisspeltReceived);
        }
    }

    #[cold]
    fn remark_on_unexpected(&mut self, kind: MessageKind, unexpected: u32) {
        const ERRORS: u32 =
            bit(FieldName::Error) | bit(FieldName::ErrorCode) | bit(FieldName::ErrorContext);
        let errors = if kind.is_grant() { unexpected & ERRORS } else { 0 };
        if errors != 0 {
            self.deviations.insert(Deviation::ErrorOnSuccess);
        }
        if unexpected != errors {
            self.deviations.insert(Deviation::UnexpectedField);
        }
    }

    /// Whether the message carries the field and it is there. Its absence is an error, a
    /// deviation or nothing, as the presence table has it.
    #[inline(always)]
    pub(super) fn carried(
        &mut self,
        kind: MessageKind,
        field: FieldName,
    ) -> Result<Option<&'b [u8]>, Trouble<'b>> {
        let sets = FieldSets::of(kind);
        if self.found.present & sets.carried() & bit(field) != 0 {
            return Ok(self.get(field));
        }
        if sets.required & bit(field) != 0 {
            return Err(Trouble::missing(field));
        }
        if sets.expected & bit(field) != 0 {
            self.deviations.insert(presence::absence(field));
        }
        Ok(None)
    }

    /// Takes back the remark that the field is not there.
    pub(super) fn forget_absence(&mut self, field: FieldName) {
        let absence = presence::absence(field);
        self.deviations = self.deviations.iter().filter(|it| *it != absence).collect();
    }

    /// The value of a field that the message may carry.
    #[inline(always)]
    pub(super) fn optional<T: Decode<'b>>(
        &mut self,
        kind: MessageKind,
    ) -> Result<Option<T>, Trouble<'b>> {
        let Some(value) = self.carried(kind, T::NAME)? else { return Ok(None) };
        T::decode(value, &mut self.deviations)
            .map(Some)
            .map_err(|flaw| Trouble::in_value(T::NAME, value, flaw))
    }

    /// The value of a field that the message must carry.
    #[inline(always)]
    pub(super) fn required<T: Decode<'b>>(&mut self, kind: MessageKind) -> Result<T, Trouble<'b>> {
        self.optional(kind)?.ok_or(Trouble::missing(T::NAME))
    }

    /// The value of a field, if it can be read and does not contradict itself.
    pub(super) fn certain<T: Decode<'b>>(&mut self, kind: MessageKind) -> Option<T> {
        if self.contradicted & bit(T::NAME) != 0 {
            return None;
        }
        self.optional(kind).ok().flatten()
    }

    /// The session that a request names.
    #[inline(always)]
    pub(super) fn session_id(&mut self, kind: MessageKind) -> Result<SessionId<'b>, Trouble<'b>> {
        self.required(kind).map_err(|trouble| trouble.at_stage(Stage::Session))
    }

    /// The list of protocols, from all the fields it is spread over.
    pub(super) fn protocols(
        &mut self,
        kind: MessageKind,
    ) -> Result<SupportedProtocols<'b>, Trouble<'b>> {
        let field = FieldName::SupportedProtocols;
        let value = self.carried(kind, field)?.ok_or(Trouble::missing(field))?;
        let [second, third, fourth] = self.more_protocols;
        SupportedProtocols::decode_joined([value, second, third, fourth], &mut self.deviations)
            .map_err(|(flaw, value)| Trouble::in_value(field, value, flaw))
    }
}
