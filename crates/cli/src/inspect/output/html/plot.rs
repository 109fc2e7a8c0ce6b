//! The offset of a transfer over time.

use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;

use super::conversation::Labels;
use crate::inspect::dialogues::{Dialogue, Message};

const SIZE: (u32, u32) = (900, 225);
// These colours have sufficient contrast on light and on dark backgrounds.
const SENT: RGBColor = RGBColor(0x2F, 0x7F, 0xE6);
const ACKNOWLEDGED: RGBColor = RGBColor(0x1A, 0x93, 0x57);
const REPEATED: RGBColor = RGBColor(0xD9, 0x82, 0x1B);
const VIOLATION: RGBColor = RGBColor(0xD6, 0x33, 0x2C);
/// Maximum number of marks of a series, without the last one. More marks are combined or left out.
const MAX_MARKS: usize = 300;

/// Bytes that were sent, at a point in time.
#[derive(Clone, Copy)]
struct Range {
    x: f64,
    first: f64,
    end: f64,
}

/// The marks of a conversation.
#[derive(Default)]
struct Marks {
    sent: Vec<Range>,
    repeated: Vec<Range>,
    acknowledged: Vec<(f64, f64)>,
    /// Positions of the messages with violations.
    violations: Vec<f64>,
    is_download: bool,
}

/// Returns the plot of a conversation, or `None` if it transfers nothing.
pub fn plot(labels: &Labels<'_>, dialogue: &Dialogue<'_>) -> Option<Markup> {
    let is_timed = labels.start.is_some();
    let marks = Marks::new(labels, dialogue);
    if marks.sent.is_empty() && marks.repeated.is_empty() {
        return None;
    }
    let axis = if is_timed { Axis::Seconds } else { Axis::Numbers };
    let svg = draw(&marks, axis).ok()?;
    let sent = if marks.is_download { "bytes of responses" } else { "bytes of fragments" };
    Some(html! {
        figure.plot {
            div.scroll tabindex="0" { (PreEscaped(svg)) }
            figcaption {
                "Offset in the entity: "
                span.key.sent { (sent) }
                @if !marks.repeated.is_empty() { " " span.key.repeated { "sent again" } }
                @if !marks.acknowledged.is_empty() { " " span.key.acknowledged { "acknowledged by the server" } }
                @if !marks.violations.is_empty() { " " span.key.violation { "message with a violation" } }
            }
        }
    })
}

/// The horizontal axis.
#[derive(Clone, Copy)]
enum Axis {
    Seconds,
    Numbers,
}

impl Axis {
    fn description(self) -> &'static str {
        match self {
            Self::Seconds => "seconds after the first message",
            Self::Numbers => "number of the message",
        }
    }

    /// Returns the text at a position. Messages have whole numbers.
    fn label(self, x: f64) -> String {
        match self {
            Self::Seconds => rounded(x),
            Self::Numbers if x.fract() == 0.0 => format!("#{x}"),
            Self::Numbers => String::new(),
        }
    }
}

impl Marks {
    fn new(labels: &Labels<'_>, dialogue: &Dialogue<'_>) -> Self {
        let mut marks = Self::default();
        for message in dialogue.messages() {
            let Some(x) = position(labels, message) else { continue };
            let effect = &message.effect;
            marks.is_download |= effect.delivered.is_some();
            if let Some(range) = effect.sent.as_ref().or(effect.delivered.as_ref()) {
                let range = Range { x, first: range.start as f64, end: range.end as f64 };
                let ranges = if effect.is_repeated { &mut marks.repeated } else { &mut marks.sent };
                ranges.push(range);
            }
            marks.acknowledged.extend(effect.acknowledged.map(|offset| (x, offset as f64)));
            marks.violations.extend((!message.report.violations.is_empty()).then_some(x));
        }
        marks.sent = combined(&marks.sent);
        marks.repeated = combined(&marks.repeated);
        marks.violations = thinned(&marks.violations);
        marks.acknowledged = thinned(&marks.acknowledged);
        marks
    }

    fn bounds(&self) -> (f64, f64, f64) {
        let ranges = || self.sent.iter().chain(&self.repeated);
        let xs = ranges().map(|range| range.x).chain(self.acknowledged.iter().map(|it| it.0));
        let xs = xs.chain(self.violations.iter().copied());
        let ys = ranges().map(|range| range.end).chain(self.acknowledged.iter().map(|it| it.1));
        let (first, last) = xs.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), x| {
            (first.min(x), last.max(x))
        });
        (first, last, ys.fold(1.0, f64::max))
    }
}

fn position(labels: &Labels<'_>, message: &Message<'_>) -> Option<f64> {
    let Some(start) = labels.start else { return Some(message.report.index as f64) };
    message.report.time.map(|time| time.0.saturating_sub(start.0) as f64 / 1e9)
}

/// Combines neighbours, so that at most [`MAX_MARKS`] ranges remain.
fn combined(ranges: &[Range]) -> Vec<Range> {
    let step = ranges.len().div_ceil(MAX_MARKS).max(1);
    let combine = |ranges: &[Range]| Range {
        x: ranges[0].x,
        first: ranges.iter().map(|it| it.first).fold(f64::INFINITY, f64::min),
        end: ranges.iter().map(|it| it.end).fold(0.0, f64::max),
    };
    ranges.chunks(step).map(combine).collect()
}

/// Keeps at most [`MAX_MARKS`] marks at equal distances, and the last one.
fn thinned<T: Copy + PartialEq>(marks: &[T]) -> Vec<T> {
    let step = marks.len().div_ceil(MAX_MARKS).max(1);
    let mut kept: Vec<_> = marks.iter().copied().step_by(step).collect();
    let last = marks.last().filter(|last| kept.last() != Some(last));
    kept.extend(last);
    kept
}

type DrawingError = DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>;

fn draw(marks: &Marks, axis: Axis) -> Result<String, DrawingError> {
    let mut svg = String::new();
    let (first, last, highest) = marks.bounds();
    let margin = margin(first, last);
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let text = || (FontFamily::SansSerif, 13);
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(44)
            .y_label_area_size(78)
            .build_cartesian_2d(first - margin..last + margin, 0.0..highest * 1.05)?;
        chart
            .configure_mesh()
            .x_desc(axis.description())
            .x_label_formatter(&|x| axis.label(*x))
            .y_label_formatter(&|offset| bytes(*offset))
            .x_labels(10)
            .y_labels(6)
            .max_light_lines(1)
            .bold_line_style(BLACK.mix(0.12))
            .label_style(text())
            .axis_desc_style(text())
            .draw()?;
        let vertical = |x: &f64| {
            PathElement::new([(*x, 0.0), (*x, highest * 1.05)], VIOLATION.mix(0.6).stroke_width(2))
        };
        chart.draw_series(marks.violations.iter().map(vertical))?;
        let steps = steps(&marks.acknowledged);
        chart.draw_series(LineSeries::new(steps, ACKNOWLEDGED.stroke_width(2)))?;
        for (ranges, colour, width) in [(&marks.sent, SENT, 3), (&marks.repeated, REPEATED, 5)] {
            let line = |range: &Range| {
                PathElement::new(
                    [(range.x, range.first), (range.x, range.end)],
                    colour.stroke_width(width),
                )
            };
            chart.draw_series(ranges.iter().map(line))?;
        }
        let dot = |point: &(f64, f64)| Circle::new(*point, 3, ACKNOWLEDGED.filled());
        chart.draw_series(marks.acknowledged.iter().map(dot))?;
        area.present()?;
    }
    Ok(svg)
}

/// Returns the margin of the horizontal axis. `plotters` draws thousands of labels if `f64` has few values on the axis.
fn margin(first: f64, last: f64) -> f64 {
    if last > first {
        ((last - first) * 0.02).max(last.abs() * 1e-9)
    } else {
        0.5 + last.abs() * 1e-6
    }
}

/// Returns the corners of a line that changes only at the points.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut corners = Vec::new();
    for point in points {
        let before = corners.last().map(|(_, y): &(f64, f64)| (point.0, *y));
        corners.extend(before);
        corners.push(*point);
    }
    corners
}

/// Returns a number without digits that are errors of rounding.
fn rounded(x: f64) -> String {
    // Adding zero removes the sign of zero.
    format!("{}", (x * 1e6).round() / 1e6 + 0.0)
}

/// Returns an offset with a decimal unit, such as `1.5 MB`.
fn bytes(offset: f64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut value, mut unit) = (offset, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    // Two decimals without trailing zeros.
    format!("{} {}", (value * 100.0).round() / 100.0, UNITS[unit])
}
