//! The recorded output of the benches.

use std::fs;
use std::path::Path;

/// The lines of one file.
pub struct Figures {
    name: String,
    lines: Vec<Vec<String>>,
}

/// One line about an upload.
pub struct Measured {
    pub mib_per_second: f64,
    pub cpu_seconds: f64,
}

type Curve = (String, Vec<(f64, f64)>);

impl Figures {
    pub fn read(path: &Path) -> Self {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let words = lines.map(|line| line.split_whitespace().map(str::to_owned).collect());
        Self { name, lines: words.collect() }
    }

    fn number(&self, word: &str) -> f64 {
        word.parse().unwrap_or_else(|_| panic!("{}: {word} is not a number", self.name))
    }

    /// Returns the names and values of the lines `ratio NAME VALUE …`.
    fn ratios(&self) -> impl Iterator<Item = (&str, f64)> {
        self.lines.iter().filter_map(|words| match &words[..] {
            [kind, name, value, ..] if kind == "ratio" => Some((&**name, self.number(value))),
            _ => None,
        })
    }

    pub fn ratio(&self, name: &str) -> f64 {
        let found = self.ratios().find(|(other, _)| *other == name);
        found.unwrap_or_else(|| panic!("{}: no line {name}", self.name)).1
    }

    /// Returns the geometric mean of a group for messages of this kind, such as `read/upload/3-ack`.
    pub fn mean_of_kind(&self, group: &str, kind: &str) -> f64 {
        let is_of_kind = |name: &str| {
            let last = name.rsplit('/').next().and_then(|last| last.split_once('-'));
            name.split('/').next() == Some(group) && last.is_some_and(|(_, other)| other == kind)
        };
        let values: Vec<_> = self.ratios().filter(|(name, _)| is_of_kind(name)).collect();
        assert!(!values.is_empty(), "{}: no line of {group} for {kind}", self.name);
        let product: f64 = values.iter().map(|(_, value)| value).product();
        product.powf(1.0 / values.len() as f64)
    }

    /// Returns the points of a group with names such as `head-size/16-KiB`. The first is (1, 1) or the unit.
    pub fn by_number(&self, group: &str, unit: &str) -> Vec<(f64, f64)> {
        let point = |(name, value): (&str, f64)| {
            let number = name.strip_prefix(group)?.strip_prefix('/')?.strip_suffix(unit)?;
            Some((self.number(number.strip_suffix('-')?), value))
        };
        let points: Vec<_> = self.ratios().filter_map(point).collect();
        assert!(points.len() > 1, "{}: too few lines of {group}", self.name);
        points
    }

    /// Returns one curve for each program: by MiB per fragment, or constant without fragments.
    pub fn throughput(&self, value: impl Fn(&Measured) -> f64) -> Vec<Curve> {
        let mut curves: Vec<Curve> = Vec::new();
        for words in self.lines.iter().filter(|words| words[0] == "throughput") {
            let [_, name, fragment, mib_per_second, cpu_seconds] = &words[..] else {
                panic!("{}: not a line about throughput: {words:?}", self.name)
            };
            let measured = Measured {
                mib_per_second: self.number(mib_per_second),
                cpu_seconds: self.number(cpu_seconds),
            };
            let point = (self.number(fragment), value(&measured));
            // A program with both has a name of its own for its own choice of the length.
            let name = if name == "bits" && point.0 == 0.0 { "bits, by default" } else { name };
            match curves.iter_mut().find(|(other, _)| other == name) {
                Some((_, points)) => points.push(point),
                None => curves.push((name.to_owned(), vec![point])),
            }
        }
        assert!(!curves.is_empty(), "{}: no line about throughput", self.name);
        let all = curves.iter().flat_map(|(_, points)| points.iter().map(|point| point.0));
        let longest = all.fold(0.0, f64::max);
        for (_, points) in &mut curves {
            if let [(0.0, value)] = points[..] {
                *points = vec![(0.0, value), (longest, value)];
            }
        }
        curves
    }
}
