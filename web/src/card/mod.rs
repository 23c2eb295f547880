//! The picture that a link to a tape unfolds to: its title, its timeline, its figures.

mod canvas;

use ab_glyph::FontRef;
use canvas::{Area, Canvas, Colour, Type};

use crate::{
    Error,
    lanes::{Bar, bars},
    pages::{heading, summary},
    tape::{SPAN_TYPES, Tape},
    text::is_hidden,
};

pub(crate) const WIDTH: usize = 1200;
pub(crate) const HEIGHT: usize = 630;

static REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.otf");
static SEMI_BOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.otf");

// The dark theme of `assets/base.css`.
const GROUND: Colour = [0x11, 0x13, 0x17];
const TEXT: Colour = [0xe8, 0xea, 0xee];
const QUIET: Colour = [0xa0, 0xa7, 0xb4];
const ACCENT: Colour = [0xa3, 0xb0, 0xff];
const BAND: Colour = [0x19, 0x1c, 0x21];
/// As the span types are listed.
const TYPES: [Colour; SPAN_TYPES.len()] = [
    [0x8b, 0x9a, 0xff],
    [0x3c, 0xc4, 0xb0],
    [0x92, 0xcc, 0x6c],
    [0xc6, 0x8c, 0xf0],
    [0xe6, 0xae, 0x49],
    [0xff, 0x7d, 0x73],
    [0xf2, 0x8e, 0xc2],
];

const MARGIN: f32 = 72.0;
const INNER: f32 = WIDTH as f32 - 2.0 * MARGIN;
const TITLE_LINES: usize = 3;
const LINE: f32 = 74.0;
const MOST_LANES: usize = 7;
const BAND_TOP: f32 = 416.0;
const BAND_HEIGHT: f32 = 116.0;

/// The card as a PNG of 1200 × 630.
pub fn card(tape: &Tape<'_>) -> Result<Vec<u8>, Error> {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, GROUND);
    let title = Type { font: FontRef::try_from_slice(SEMI_BOLD)?, pixels: 62.0 };
    let brand = Type { font: FontRef::try_from_slice(SEMI_BOLD)?, pixels: 30.0 };
    let plain = Type { font: FontRef::try_from_slice(REGULAR)?, pixels: 30.0 };

    canvas.fill(&Area { left: MARGIN, top: 58.0, width: 44.0, height: 44.0, round: 12.0 }, ACCENT);
    canvas.triangle(MARGIN + 16.0, 69.0, 22.0, GROUND);
    canvas.write("Retrace", (MARGIN + 60.0, 91.0), &brand, TEXT);

    let shown = drawable(&heading(tape), &title).unwrap_or_else(|| "An agent at work, step by step".to_owned());
    let lines = title.lines(&shown, INNER, TITLE_LINES);
    for (i, line) in lines.iter().enumerate() {
        canvas.write(line, (MARGIN - 3.0, 196.0 + i as f32 * LINE), &title, TEXT);
    }
    if let Some(author) = tape.author.and_then(|author| drawable(author, &plain)).filter(|_| lines.len() < TITLE_LINES)
    {
        let by = plain.lines(&format!("By {author}"), INNER, 1);
        canvas.write(&by.concat(), (MARGIN, 190.0 + lines.len() as f32 * LINE), &plain, QUIET);
    }
    draw_timeline(&mut canvas, tape);
    canvas.write(&summary(tape), (MARGIN, 584.0), &plain, QUIET);
    canvas.png()
}

/// What of `text` the font has; None where that is less than half, as in a script that it lacks.
fn drawable(text: &str, type_: &Type<'_>) -> Option<String> {
    let kept: String = text.chars().filter(|c| !is_hidden(*c) && (c.is_whitespace() || type_.has(*c))).collect();
    (kept.chars().count() * 2 >= text.chars().count()).then_some(kept)
}

fn draw_timeline(canvas: &mut Canvas, tape: &Tape<'_>) {
    let band = Area {
        left: MARGIN - 16.0,
        top: BAND_TOP - 14.0,
        width: INNER + 32.0,
        height: BAND_HEIGHT + 28.0,
        round: 16.0,
    };
    canvas.fill(&band, BAND);
    let bars = bars(tape.steps, MOST_LANES);
    let lanes = bars.iter().map(|bar| bar.lane + 1).max().unwrap_or(1);
    let lane_height = (BAND_HEIGHT / lanes as f32).min(28.0);
    let top = BAND_TOP + (BAND_HEIGHT - lane_height * lanes as f32) / 2.0;
    for (bar, step) in bars.iter().zip(tape.steps) {
        let place = SPAN_TYPES.iter().position(|name| *name == step.span_type).unwrap_or(0);
        canvas.fill(&area(bar, top, lane_height), TYPES[place]);
    }
}

fn area(bar: &Bar, top: f32, lane_height: f32) -> Area {
    Area {
        left: MARGIN + bar.left as f32 * INNER,
        top: top + bar.lane as f32 * lane_height,
        width: ((bar.right - bar.left) as f32 * INNER - 2.0).max(3.0),
        height: lane_height - 4.0,
        round: 4.0,
    }
}
