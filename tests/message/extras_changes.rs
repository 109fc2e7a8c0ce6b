//! Extra fields that are added, replaced and removed: they behave like a list of names and values.

use bits_proto::error::ErrorKind;
use bits_proto::http1::RequestTarget;
use bits_proto::message::{Ack, Extras, Ping, PingAck, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::cases::config;
use crate::support::messages::{extras, written};
use crate::support::values::content;

/// Room for all that a test adds.
const ROOM: usize = 1024;

#[derive(Clone, Debug)]
enum Change {
    Push(&'static str, Vec<u8>),
    Set(&'static str, Vec<u8>),
    Remove(&'static str),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let name = || select(vec!["Accept", "Date", "DATE", "host", "X", "Connection", "connection"]);
    // Values with an invalid byte must leave the fields as they are.
    let value = || prop_oneof![4 => content(0..12), 1 => Just(b"a\r\nb".to_vec())];
    let change = prop_oneof![
        3 => (name(), value()).prop_map(|(name, value)| Change::Push(name, value)),
        3 => (name(), value()).prop_map(|(name, value)| Change::Set(name, value)),
        1 => name().prop_map(Change::Remove),
    ];
    vec(change, 0..20)
}

type List = Vec<(&'static str, Vec<u8>)>;

/// Changes the extras and a list, which must agree.
fn apply(change: Change, extras: &mut Extras<[u8; ROOM]>, list: &mut List) {
    let error = match change {
        Change::Push(name, value) => {
            let error = extras.push(name, &value).err();
            if error.is_none() {
                list.push((name, value));
            }
            error
        }
        Change::Set(name, value) => {
            let error = extras.set(name, &value).err();
            let field = list.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name));
            match field {
                _ if error.is_some() => (),
                Some(field) => field.1 = value,
                None => list.push((name, value)),
            }
            error
        }
        Change::Remove(name) => {
            extras.remove(name);
            list.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            None
        }
    };
    if let Some(error) = error {
        assert_eq!(error.kind(), ErrorKind::ExtraValue);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn changed_extras_are_written_like_new_ones(changes in changes()) {
        let (mut extras, mut list) = (Extras::new([0xFF; ROOM]), List::new());
        for change in changes {
            apply(change, &mut extras, &mut list);
            prop_assert!(extras.iter().eq(list.iter().map(|(name, value)| (*name, &value[..]))));
            for (name, _) in &list {
                let first = list.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
                prop_assert_eq!(extras.get(name), first.map(|(_, value)| &value[..]));
            }
            let new = Extras::from_fields([0; ROOM], list.iter().map(|(name, value)| (name, value)));
            let new = new.expect("fields that were accepted");
            let (ping, ack) = (Request::from(Ping::default()), Ack::from(PingAck));
            let target = RequestTarget::try_from("/e").expect("a target");
            prop_assert_eq!(
                written(&ping.encode(target, &extras).expect("no field of a Ping")),
                written(&ping.encode(target, &new).expect("no field of a Ping"))
            );
            prop_assert_eq!(
                written(&ack.encode(&extras).expect("no field of an Ack")),
                written(&ack.encode(&new).expect("no field of an Ack"))
            );
        }
    }
}

#[test]
fn the_storage_is_used_to_its_last_byte() {
    let lines = b"\r\nDate: now\r\nX: ".len();
    let mut storage = [0; 16];
    assert_eq!(storage.len(), lines);
    let mut extras = Extras::new(&mut storage[..]);
    extras.push("Date", "now").expect("room for the first field");
    extras.push("X", "").expect("room for the second field");
    let needed = lines + 1;
    for error in [extras.set("Date", "then"), extras.set("X", "1"), extras.push("", "")] {
        let kind = error.expect_err("no room, or no name").kind();
        assert!([ErrorKind::BufferTooSmall { needed }, ErrorKind::ExtraName].contains(&kind));
    }
    assert!(extras.iter().eq([("Date", &b"now"[..]), ("X", b"")]), "unchanged");
    extras.set("Date", "no").expect("a shorter value");
    extras.set("X", "1").expect("the byte that is free now");
    assert!(extras.iter().eq([("Date", &b"no"[..]), ("X", b"1")]));
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_grows() {
    let mut extras = Extras::<Vec<u8>>::default();
    assert_eq!(extras.iter().count(), 0);
    extras.push("Host", "a").expect("a field");
    extras.set("Host", "b".repeat(5000)).expect("a longer value");
    extras.push("Date", "now").expect("a field");
    assert_eq!(extras.get("HOST").map(<[u8]>::len), Some(5000));
    let clone = extras.clone();
    extras.remove("host");
    assert!(extras.iter().eq([("Date", &b"now"[..])]));
    assert_eq!(clone.iter().count(), 2, "a clone has its own fields");
}

#[test]
fn values_are_not_printed() {
    let text = format!("{:?}", extras([("Authorization", "Basic dTpw"), ("Host", "h")]));
    assert_eq!(text, r#"["Authorization", "Host"]"#);
    let ack = Ack::from(PingAck);
    let text = format!("{:?}", ack.encode(&extras([("X-Token", "secret")])));
    assert!(text.contains("X-Token") && !text.contains("secret"), "{text}");
}
