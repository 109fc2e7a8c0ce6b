//! Two kinds of charts.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const WIDTH: u32 = 760;
const COLOURS: [RGBColor; 5] = [
    RGBColor(0x1f, 0x77, 0xb4),
    RGBColor(0xff, 0x7f, 0x0e),
    RGBColor(0x2c, 0xa0, 0x2c),
    RGBColor(0x9e, 0x4f, 0xb8),
    RGBColor(0x7f, 0x7f, 0x7f),
];

fn text(size: u32) -> (FontFamily<'static>, u32) {
    (FontFamily::SansSerif, size)
}

/// Draws into the text of an SVG file, which cannot fail for want of resources.
fn svg(height: u32, draw: impl FnOnce(&Area<'_>) -> Result<(), DrawingError>) -> String {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE).and_then(|()| draw(&area)).and_then(|()| area.present()).expect("a chart");
    drop(area);
    svg
}

type Area<'s> = DrawingArea<SVGBackend<'s>, plotters::coord::Shift>;
type DrawingError = DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>;

/// Horizontal bars, in groups of one bar for each series.
pub struct Bars<'b> {
    pub title: &'b str,
    pub unit: &'b str,
    pub series: &'b [&'b str],
    pub rows: Vec<(String, Vec<f64>)>,
}

impl Bars<'_> {
    pub fn draw(&self) -> String {
        let height = 130 + 24 * (self.rows.len() * (self.series.len() + 1)) as u32;
        svg(height, |area| self.draw_on(area))
    }

    fn draw_on(&self, area: &Area<'_>) -> Result<(), DrawingError> {
        // The alternative is 1.
        let values = self.rows.iter().flat_map(|(_, values)| values);
        let longest = values.fold(1.0, |longest, value| f64::max(longest, *value));
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, text(18))
            .margin(12)
            .margin_right(30)
            .margin_left(230)
            .x_label_area_size(45)
            // The first row is at the top.
            .build_cartesian_2d(0.0..longest * 1.1, self.rows.len() as f64..-0.6)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_desc(self.unit)
            .label_style(text(13))
            .draw()?;
        let thickness = 0.8 / self.series.len() as f64;
        let top = |row: usize, series: usize| row as f64 + 0.1 + series as f64 * thickness;
        for (series, name) in self.series.iter().enumerate() {
            let style = COLOURS[series].filled();
            let bars = self.rows.iter().enumerate().map(|(row, (_, values))| {
                let (top, bottom) = (top(row, series), top(row, series + 1));
                Rectangle::new([(0.0, top), (values[series], bottom)], style)
            });
            let drawn = chart.draw_series(bars)?;
            drawn
                .label(*name)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], style));
        }
        let anchor = |horizontal| Pos::new(horizontal, VPos::Center);
        let label = text(13).into_text_style(area);
        for (row, (name, values)) in self.rows.iter().enumerate() {
            let position = chart.plotting_area().map_coordinate(&(0.0, row as f64 + 0.5));
            area.draw_text(name, &label.pos(anchor(HPos::Right)), (position.0 - 8, position.1))?;
            for (series, value) in values.iter().enumerate() {
                let end = (*value, top(row, series) + thickness / 2.0);
                let end = chart.plotting_area().map_coordinate(&end);
                let value = format!("{value:.2}");
                area.draw_text(&value, &label.pos(anchor(HPos::Left)), (end.0 + 5, end.1))?;
            }
        }
        chart
            .draw_series([PathElement::new([(1.0, -0.6), (1.0, self.rows.len() as f64)], BLACK)])?;
        draw_legend(&mut chart, SeriesLabelPosition::UpperRight)
    }
}

/// Curves through points.
pub struct Curves<'c> {
    pub title: &'c str,
    pub x: &'c str,
    pub y: &'c str,
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
}

impl Curves<'_> {
    pub fn draw(&self) -> String {
        svg(420, |area| self.draw_on(area))
    }

    fn draw_on(&self, area: &Area<'_>) -> Result<(), DrawingError> {
        let points = || self.curves.iter().flat_map(|(_, points)| points);
        let first = points().fold(f64::INFINITY, |first, point| first.min(point.0));
        let last = points().fold(0.0, |last, point| f64::max(last, point.0));
        let highest = points().fold(0.0, |highest, point| f64::max(highest, point.1));
        // Without this, the axis would have no end.
        assert!(first < last && highest > 0.0, "{}: too few points", self.title);
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, text(18))
            .margin(12)
            .margin_right(30)
            .x_label_area_size(45)
            .y_label_area_size(65)
            .build_cartesian_2d(first..last, 0.0..highest * 1.3)?;
        let mesh_style = text(13);
        chart.configure_mesh().x_desc(self.x).y_desc(self.y).label_style(mesh_style).draw()?;
        for (index, (name, points)) in self.curves.iter().enumerate() {
            let style = COLOURS[index].stroke_width(2);
            let drawn = chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            drawn.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
            let dots = points.iter().map(|point| Circle::new(*point, 3, COLOURS[index].filled()));
            chart.draw_series(dots)?;
        }
        draw_legend(&mut chart, SeriesLabelPosition::UpperRight)
    }
}

type Chart<'a, 's> = ChartContext<
    'a,
    SVGBackend<'s>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn draw_legend<'a, 's: 'a>(
    chart: &mut Chart<'a, 's>,
    position: SeriesLabelPosition,
) -> Result<(), DrawingError> {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE)
        .border_style(RGBColor(0xcc, 0xcc, 0xcc))
        .label_font(text(13))
        .draw()
}
