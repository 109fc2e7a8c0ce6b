//! What is measured, beside what, and how much of it may be spent.
#![allow(dead_code, unused_imports, reason = "each bench uses a part of it")]

mod baseline;
mod built;
mod growing;
pub mod heads;
pub mod million;
mod report;
pub mod sizes;
pub mod steps;
pub mod writing;

use std::hint::black_box;

pub use report::{line, report};

/// Something that is done over and over.
pub type Work = Box<dyn FnMut()>;

/// Two things of which one may cost a part, or some times, of what the other costs.
pub struct Pair {
    pub name: String,
    pub ours: Work,
    pub other: Work,
    /// How many times `other` is worth one `ours`, where that is not once.
    pub scale: f64,
}

impl Pair {
    fn new(
        name: impl Into<String>,
        ours: impl FnMut() + 'static,
        other: impl FnMut() + 'static,
    ) -> Self {
        Self { name: name.into(), ours: Box::new(ours), other: Box::new(other), scale: 1.0 }
    }
}

/// The most that a ratio may be.
#[derive(Clone, Copy)]
pub struct Bars {
    pub instructions: f64,
    pub time: f64,
}

/// No bar: shown so that it can be compared.
const SHOWN: Bars = Bars { instructions: f64::INFINITY, time: f64::INFINITY };

/// Pairs with the same bars.
pub struct Group {
    pub name: &'static str,
    pub pairs: Vec<Pair>,
    /// For each pair.
    pub each: Bars,
    /// For the geometric mean of all of them.
    pub mean: Option<Bars>,
}

/// Everything that can be measured in instructions and in time.
pub fn groups() -> Vec<Group> {
    let heads: &'static [heads::Head] = heads::all().leak();
    let read = |other: fn(&'static heads::Head)| {
        let pair = move |head: &'static heads::Head| {
            Pair::new(&*head.name, move || head.read(), move || other(head))
        };
        heads.iter().map(pair).collect::<Vec<_>>()
    };
    vec![
        Group {
            name: "read",
            pairs: read(|head| baseline::httparse_alone(&head.bytes)),
            each: Bars { instructions: 1.30, time: 1.40 },
            mean: Some(Bars { instructions: 1.22, time: 1.28 }),
        },
        Group {
            name: "head",
            pairs: heads
                .iter()
                .map(|head| {
                    let floor = move || baseline::httparse_alone(&head.bytes);
                    Pair::new(&*head.name, move || head.read_head(), floor)
                })
                .collect(),
            each: SHOWN,
            mean: Some(SHOWN),
        },
        Group {
            name: "today",
            pairs: read(|head| {
                let map = baseline::header_map(black_box(&head.bytes));
                black_box(baseline::get_and_parse(&map, head.is_response()));
            }),
            each: Bars { instructions: 1.0 / 3.8, time: 1.0 / 4.5 },
            mean: None,
        },
        built::fields(heads),
        built::http(heads),
        writing::acks(),
        writing::fragments(),
        writing::plain(),
        growing::group(),
        steps::group(heads),
    ]
}
