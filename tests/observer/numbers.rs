//! The numbers in the texts of violations.

use crate::support;
use crate::support::conversations::BEGUN;
use bits_proto::observer::{Numbers, Observer, Violation};
use support::script::violations;

#[test]
fn violations_contain_the_numbers_that_disagree() {
    for (script, rule, numbers) in [
        ("> fragment A 50-99/300", "offset-goes-back", "received 50, expected 100"),
        ("> fragment A 150-199/300", "offset-skips-ahead", "received 150, expected 100"),
        ("> fragment A 100-199/301", "total-changes", "received 301, expected 300"),
        ("> close A", "close-before-whole", "200 of 300 bytes are missing"),
        (
            "> fragment A 150-199/300 ! \n < received A 200",
            "gap-granted",
            "received 150, expected 100",
        ),
        (
            "> fragment A 100-199/300 \n < received A 99",
            "received-goes-back",
            "received 99, expected 100",
        ),
        (
            "> fragment A 100-199/300 \n < received A 150",
            "received-short",
            "received 150, expected 200",
        ),
        (
            "> fragment A 100-199/300 \n < resync 201",
            "resynchronised-beyond-sent",
            "received 201, limit 200",
        ),
        (
            "> fragment A 100-199/300 \n ~ 1 \n < received A 200",
            "acknowledged-unsent",
            "99 of 100 bytes are missing",
        ),
        ("> notify 300", "early-notification", "200 of 300 bytes are missing"),
        (
            "> fragment A 100-299/300 \n < received A 300 \n > notify 299",
            "notification-length",
            "received 299, expected 300",
        ),
        (
            "> create \n < created B \n > fragment B 0-5999/9000 \n < refused 413
             > fragment B 0-6000/9000",
            "fragment-not-smaller",
            "received 6001, limit 5999",
        ),
        (
            "> create \n < created B \n > fragment B 0-99/9000 \n < refused 413
             > fragment B 0-5120/9000",
            "fragment-not-smaller",
            "received 5121, limit 5120",
        ),
    ] {
        let seen = violations(Observer::new(), &format!("{BEGUN} {script}"));
        let [violation] = seen[..] else { panic!("{script}: {seen:?}") };
        assert_eq!(violation.rule(), rule, "{script}");
        let Violation::Sequence { rule, numbers: Some(of) } = violation else { panic!("{script}") };
        assert_eq!(of.to_string(), numbers, "{script}");
        assert_eq!(violation.to_string(), format!("{} ({numbers})", rule.description()));
    }
}

#[test]
fn numbers_can_be_read() {
    let seen = violations(Observer::new(), &format!("{BEGUN} > fragment A 50-99/300"));
    let expected = Numbers::Mismatch { received: 50, expected: 100 };
    assert!(matches!(seen[..], [Violation::Sequence { numbers: Some(it), .. }] if it == expected));
}
