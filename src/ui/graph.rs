//! Small graphs.

use egui::epaint::Vertex;
use egui::{Color32, Mesh, Pos2, Rect, Shape, Stroke};

/// The course of `values` over the width of `rect`, scaled to the largest: a line over a filled
/// area on a faint track.
pub fn sparkline(values: &[f64], rect: Rect, color: Color32) -> Vec<Shape> {
    let ground = Stroke::new(1.0, color.gamma_multiply(0.25));
    let baseline = Shape::hline(rect.x_range(), rect.bottom(), ground);
    let largest = values.iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 || values.len() < 2 {
        return vec![baseline];
    }
    let step = rect.width() / (values.len() - 1) as f32;
    let points: Vec<Pos2> = values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let height = (value / largest).clamp(0.0, 1.0) as f32 * (rect.height() - 1.0);
            Pos2::new(rect.left() + index as f32 * step, rect.bottom() - height)
        })
        .collect();
    vec![area(&points, rect.bottom(), color, 0.45), baseline, Shape::line(points, Stroke::new(1.0, color))]
}

/// The area between a line and `bottom`, fading downwards from `opacity`.
pub fn area(points: &[Pos2], bottom: f32, color: Color32, opacity: f32) -> Shape {
    let mut mesh = Mesh::default();
    for point in points {
        mesh.vertices.push(Vertex::untextured(*point, color.gamma_multiply(opacity)));
        mesh.vertices
            .push(Vertex::untextured(Pos2::new(point.x, bottom), color.gamma_multiply(opacity / 6.0)));
    }
    for pair in 0..points.len().saturating_sub(1) as u32 {
        let first = 2 * pair;
        mesh.add_triangle(first, first + 1, first + 2);
        mesh.add_triangle(first + 1, first + 2, first + 3);
    }
    Shape::mesh(mesh)
}
