//! The measured code, the code that it is compared with, and the limits.
#![allow(dead_code, unused_imports, reason = "each bench uses a part of it")]

mod baseline;
mod built;
pub mod downloads;
mod growing;
pub mod heads;
pub mod million;
mod report;
pub mod sizes;
pub mod steps;
mod unusual;
pub mod writing;

use std::hint::black_box;

pub use report::Report;

/// Code that is executed repeatedly.
pub type Work = Box<dyn FnMut()>;

/// Two pieces of code. The first may cost at most a given multiple of the second.
pub struct Pair {
    pub name: String,
    pub ours: Work,
    pub other: Work,
    /// Number of executions of `other` that correspond to one of `ours`.
    pub scale: f64,
    /// The bars of this pair, instead of those of its group.
    pub bars: Option<MaxRatios>,
}

impl Pair {
    fn new(
        name: impl Into<String>,
        ours: impl FnMut() + 'static,
        other: impl FnMut() + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            ours: Box::new(ours),
            other: Box::new(other),
            scale: 1.0,
            bars: None,
        }
    }

    fn with_bar(self, instructions: f64) -> Self {
        Self { bars: Some(MaxRatios { instructions, time: f64::INFINITY }), ..self }
    }
}

/// Upper limits of a ratio.
#[derive(Clone, Copy)]
pub struct MaxRatios {
    pub instructions: f64,
    pub time: f64,
}

/// No limit: printed for comparison only.
const UNLIMITED: MaxRatios = MaxRatios { instructions: f64::INFINITY, time: f64::INFINITY };

/// Pairs with common limits.
pub struct Group {
    pub name: &'static str,
    pub pairs: Vec<Pair>,
    /// Limits of each pair.
    pub each: MaxRatios,
    /// Limits of the geometric mean of all pairs.
    pub mean: Option<MaxRatios>,
}

/// Returns everything that is measured in instructions and in time.
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
            each: MaxRatios { instructions: 0.80, time: 1.15 },
            mean: Some(MaxRatios { instructions: 0.70, time: 0.90 }),
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
            each: UNLIMITED,
            mean: Some(UNLIMITED),
        },
        Group {
            name: "baseline",
            pairs: read(|head| {
                let map = baseline::header_map(black_box(&head.bytes));
                black_box(baseline::get_and_parse(&map, head.is_response()));
            }),
            each: MaxRatios { instructions: 1.0 / 3.8, time: 1.0 / 4.5 },
            mean: None,
        },
        built::fields(heads),
        built::http(heads),
        unusual::complete(),
        unusual::invalid(),
        unusual::partial(),
        writing::acks(),
        writing::fragments(),
        writing::plain(),
        growing::group(),
        growing::head_sizes(),
        growing::head_sizes_of_httparse(),
        steps::group(heads),
        downloads::plans(),
        downloads::exchanges(),
        downloads::parts(),
        downloads::linear(),
        downloads::multipart(),
    ]
}
