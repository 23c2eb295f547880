//! A picture to draw boxes and text on.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use crate::Error;

pub(super) type Colour = [u8; 3];

pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

/// Where a box is, in pixels, and how round its corners are.
pub(super) struct Area {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
    pub round: f32,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, ground: Colour) -> Self {
        Self { width, height, pixels: vec![ground; width * height] }
    }

    fn blend(&mut self, x: i32, y: i32, colour: Colour, coverage: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.width || y >= self.height {
            return;
        }
        let pixel = &mut self.pixels[y * self.width + x];
        for (below, over) in pixel.iter_mut().zip(colour) {
            let mixed = f32::from(*below) + (f32::from(over) - f32::from(*below)) * coverage.clamp(0.0, 1.0);
            *below = mixed.round() as u8;
        }
    }

    /// A filled box with smooth edges: each pixel is covered by how far its middle lies within.
    pub(super) fn fill(&mut self, area: &Area, colour: Colour) {
        let round = area.round.min(area.width / 2.0).min(area.height / 2.0);
        let (middle_x, middle_y) = (area.left + area.width / 2.0, area.top + area.height / 2.0);
        for y in area.top.floor() as i32..=(area.top + area.height).ceil() as i32 {
            for x in area.left.floor() as i32..=(area.left + area.width).ceil() as i32 {
                let beyond_x = (x as f32 + 0.5 - middle_x).abs() - area.width / 2.0 + round;
                let beyond_y = (y as f32 + 0.5 - middle_y).abs() - area.height / 2.0 + round;
                let outside = beyond_x.max(0.0).hypot(beyond_y.max(0.0)) + beyond_x.max(beyond_y).min(0.0) - round;
                self.blend(x, y, colour, 0.5 - outside);
            }
        }
    }

    pub(super) fn triangle(&mut self, left: f32, top: f32, size: f32, colour: Colour) {
        for y in 0..size.ceil() as i32 {
            let share = 1.0 - ((y as f32 + 0.5) / size * 2.0 - 1.0).abs();
            for x in 0..size.ceil() as i32 {
                self.blend(left as i32 + x, top as i32 + y, colour, share * size * 0.88 - x as f32);
            }
        }
    }

    /// A line of text that stands on `baseline`; characters that the font lacks are left out.
    pub(super) fn write(&mut self, text: &str, at: (f32, f32), type_: &Type<'_>, colour: Colour) {
        let (mut x, baseline) = at;
        let scaled = type_.font.as_scaled(type_.scale());
        for character in text.chars() {
            let glyph = type_.font.glyph_id(character);
            if let Some(outline) =
                type_.font.outline_glyph(glyph.with_scale_and_position(type_.scale(), point(x, baseline)))
            {
                let bounds = outline.px_bounds();
                let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
                outline.draw(|dx, dy, coverage| self.blend(left + dx as i32, top + dy as i32, colour, coverage));
            }
            x += scaled.h_advance(glyph);
        }
    }

    pub(super) fn png(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.pixels.as_flattened())?;
        writer.finish()?;
        Ok(bytes)
    }
}

/// A font at a size.
pub(super) struct Type<'a> {
    pub font: FontRef<'a>,
    pub pixels: f32,
}

impl Type<'_> {
    fn scale(&self) -> PxScale {
        // A font's own measure of height is of the line; sizes are meant of the em.
        let line = self.font.height_unscaled();
        PxScale::from(self.pixels * line / self.font.units_per_em().unwrap_or(line))
    }

    pub(super) fn width(&self, text: &str) -> f32 {
        let scaled = self.font.as_scaled(self.scale());
        text.chars().map(|character| scaled.h_advance(self.font.glyph_id(character))).sum()
    }

    pub(super) fn has(&self, character: char) -> bool {
        self.font.glyph_id(character).0 != 0
    }

    /// `text` in at most `most` lines of `width`; an ellipsis where that is not all.
    pub(super) fn lines(&self, text: &str, width: f32, most: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let last = lines.len() - 1;
            let longer = if lines[last].is_empty() { word.to_owned() } else { format!("{} {word}", lines[last]) };
            if self.width(&longer) <= width || lines[last].is_empty() {
                lines[last] = longer;
            } else if lines.len() < most {
                lines.push(word.to_owned());
            } else {
                lines[last] = format!("{longer}…");
                break;
            }
        }
        lines.into_iter().map(|line| self.fitting(line, width)).collect()
    }

    /// A line that is too long, without its end.
    fn fitting(&self, mut line: String, width: f32) -> String {
        if self.width(&line) <= width {
            return line;
        }
        while line.pop().is_some() && self.width(&line) + self.width("…") > width {}
        format!("{}…", line.trim_end())
    }
}
