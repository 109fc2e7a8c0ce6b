//! Faults with files that change, and after the client was killed.

use super::{fails, sends};
use crate::double::Fault;

pub const FAULTS: &[(&str, Fault)] = &[
    sends!(
        "file.rewritten",
        |past, sent| past.is("file.rewritten") && sent.is("Fragment") => {
            let bytes = std::fs::read(&past.file).expect("a file");
            if let Some([first, last, _]) = sent.range() {
                sent.body = bytes[first as usize..=last as usize].to_vec();
            }
        }
    ),
    (
        "file.truncated",
        Fault::Ends(|past| {
            (past.is("file.truncated") && past.count("Fragment") > 0).then_some(Ok(()))
        }),
    ),
    fails!("killed.fragment", |past| past.is_repeated),
    fails!("killed.close", |past| past.is_repeated),
];
