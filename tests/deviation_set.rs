//! Deviations: their names, and sets of them.

use std::collections::BTreeSet;

use bits_proto::deviation::{Deviation, Deviations};

#[test]
fn names_sections_and_descriptions_are_well_formed() {
    let names: BTreeSet<_> = Deviation::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(names.len(), Deviation::ALL.len(), "a name is used twice");
    let descriptions: BTreeSet<_> = Deviation::ALL.iter().map(|it| it.description()).collect();
    assert_eq!(descriptions.len(), Deviation::ALL.len(), "a description is used twice");
    for deviation in Deviation::ALL {
        let (name, section) = (deviation.name(), deviation.section());
        let word = |it: &str| {
            !it.is_empty() && it.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        assert!(name.split('-').all(word), "{name:?} is kebab-case");
        assert_eq!(deviation.to_string(), name);
        assert!(section.split('.').all(|part| part.parse::<u8>().is_ok()), "{name}: {section:?}");
        assert!(section.starts_with("2.2"), "{name}: {section:?} is about messages");
        assert!(!deviation.description().ends_with('.'), "{name}: {:?}", deviation.description());
        let name_of_variant = format!("{deviation:?}").to_lowercase();
        assert_eq!(name.replace('-', ""), name_of_variant, "the variant of {name}");
    }
}

#[test]
fn a_set_contains_only_inserted_deviations() {
    for deviation in Deviation::ALL {
        let mut set = Deviations::EMPTY;
        let (len, is_empty) = (set.len(), set.is_empty());
        assert_eq!((len, is_empty), (0, true), "{deviation}: the empty set");
        for _ in 0..2 {
            set.insert(*deviation);
            assert_eq!((set.len(), set.is_empty()), (1, false), "{deviation}");
            for other in Deviation::ALL {
                assert_eq!(set.contains(*other), other == deviation, "{other} in {{{deviation}}}");
            }
        }
    }
}

#[test]
fn a_set_lists_its_members_in_order() {
    let all = Deviations::from_iter(Deviation::ALL.iter().rev().copied());
    assert_eq!(all.len(), Deviation::ALL.len());
    assert!(all.iter().eq(Deviation::ALL.iter().copied()), "{all:?}");
    assert!(Deviation::ALL.is_sorted(), "the order of ALL is the order of the type");
    let mut set = Deviations::default();
    assert_eq!(set, Deviations::EMPTY);
    assert_eq!(set.to_string(), "");
    set.extend([Deviation::RelativeStaticUrl, Deviation::Http10, Deviation::Http10]);
    assert_eq!(set.to_string(), "http-1-0, relative-static-url");
    assert_eq!(format!("{set:?}"), "{Http10, RelativeStaticUrl}");
}

#[test]
fn an_intersection_contains_the_common_deviations() {
    let every = |step: usize| Deviations::from_iter(Deviation::ALL.iter().step_by(step).copied());
    let (two, three, six) = (every(2), every(3), every(6));
    assert_eq!(two.intersection(three), six);
    assert_eq!(three.intersection(two), six);
    assert_eq!(two.intersection(two), two);
    assert_eq!(two.intersection(Deviations::EMPTY), Deviations::EMPTY);
    assert_ne!(two, three);
}

#[test]
fn set_operators_agree_with_sets_of_the_standard_library() {
    let set = |seed: usize| {
        Deviations::from_iter(
            Deviation::ALL.iter().copied().filter(|it| seed >> (*it as usize) & 1 == 1),
        )
    };
    let members = |set: Deviations| set.into_iter().collect::<BTreeSet<_>>();
    for (left, right) in [(0, 0), (0, 7), (5, 6), (0x3_5555_5555, 0x3_3333_3333), (1 << 33, 3)] {
        let (left, right) = (set(left), set(right));
        let (ours, theirs) = (members(left), members(right));
        assert_eq!(members(left | right), &ours | &theirs);
        assert_eq!(members(left & right), &ours & &theirs);
        assert_eq!(members(left - right), &ours - &theirs);
        for member in right {
            assert_eq!(left | member, left | Deviations::from(member));
            assert!(!(left - member).contains(member));
        }
        let mut assigned = left;
        assigned |= right;
        assert_eq!(assigned, left.union(right));
        assigned &= right;
        assert_eq!(assigned, right);
        assigned -= right;
        assert!(assigned.is_empty());
        assert_eq!((&left).into_iter().len(), left.len());
    }
    let both = Deviation::Http10 | Deviation::PlainPost;
    assert_eq!(members(both), [Deviation::Http10, Deviation::PlainPost].into());
}
