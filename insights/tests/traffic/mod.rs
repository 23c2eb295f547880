//! Made-up traffic for anomalies: the same hours of 28 days and of the day after.

use retrace_insights::anomalies::Window;
use retrace_insights::histogram::Histogram;

pub struct Random(pub u64);

impl Random {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.uniform() * bound as f64) as usize
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 500.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (mut count, mut left) = (0, self.uniform());
        let mut term = (-mean).exp();
        while left > term && count < 2_000 {
            left -= term;
            count += 1;
            term *= mean / count as f64;
        }
        count
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    Lognormal,
    /// Two agents, one of which costs a hundred times as much; of each, half the deviation.
    TwoAgents,
    /// Every hundredth trace costs up to a thousand times as much.
    HeavyTail,
}

/// What traffic looks like where nothing is wrong.
#[derive(Clone, Copy)]
pub struct Traffic {
    pub name: &'static str,
    /// In the average window.
    pub traces: f64,
    pub error_rate: f64,
    /// Standard deviation of the logarithms of amounts.
    pub deviation: f64,
    pub shape: Shape,
    /// Traces, costs and errors depend on the hour, up to eightfold.
    pub diurnal: bool,
    /// Traffic of weekends, relative to working days; amounts and errors are half as much more.
    pub weekend: f64,
    /// Standard deviation of what traces of a day have in common, in logarithms; and its correlation with the next day's.
    pub common: f64,
    pub memory: f64,
    /// Traces come in sessions of so many, which have something in common too.
    pub session: f64,
    /// Traffic grows by this factor a day.
    pub growth: f64,
    pub history: u16,
    /// Of the earlier days.
    pub incidents: usize,
    pub hours: u16,
}

pub const PLAIN: Traffic = Traffic {
    name: "independent",
    traces: 60.0,
    error_rate: 0.05,
    deviation: 1.0,
    shape: Shape::Lognormal,
    diurnal: false,
    weekend: 1.0,
    common: 0.0,
    memory: 0.0,
    session: 1.0,
    growth: 1.0,
    history: 28,
    incidents: 0,
    hours: 6,
};

/// By what factors a window differs from what it would have been.
#[derive(Clone, Copy)]
pub struct Incident {
    pub cost: f64,
    pub latency: f64,
    pub errors: f64,
    pub volume: f64,
}

pub const NONE: Incident = Incident { cost: 1.0, latency: 1.0, errors: 1.0, volume: 1.0 };

/// What a day has in common: traces, cost, duration, errors.
type Levels = [f64; 4];

pub fn simulate(traffic: Traffic, incident: Incident, random: &mut Random) -> (Vec<Window>, Window) {
    let (hour, today) = (random.below(24), random.below(7));
    let days = usize::from(traffic.history);
    let mut incidents = vec![false; days];
    let mut left = traffic.incidents;
    while left > 0 {
        let day = random.below(days);
        left -= usize::from(!std::mem::replace(&mut incidents[day], true));
    }
    let mut levels: Levels = std::array::from_fn(|_| random.normal());
    let mut windows: Vec<Window> = Vec::with_capacity(days + 1);
    for back in (0..=days).rev() {
        for level in &mut levels {
            *level = traffic.memory * *level + (1.0 - traffic.memory.powi(2)).sqrt() * random.normal();
        }
        let weekday = ((today + 7 * 28 - back) % 7) as u8;
        let here = match back {
            0 => incident,
            back if incidents[back - 1] => {
                let volume = [1.0, 1.0, 3.0, 0.1][random.below(4)];
                Incident { cost: 3.0, latency: 3.0, errors: 5.0, volume }
            }
            _ => NONE,
        };
        let mut window = Window { days_back: back as u16, weekday, ..Window::default() };
        for place in 0..usize::from(traffic.hours) {
            let grown = traffic.growth.powi(-(back as i32));
            fill(&mut window, traffic, (hour + place) % 24, grown, &levels, here, random);
        }
        windows.push(window);
    }
    let current = windows.pop().unwrap_or_default();
    (windows, current)
}

fn fill(
    window: &mut Window,
    traffic: Traffic,
    hour: usize,
    grown: f64,
    levels: &Levels,
    incident: Incident,
    random: &mut Random,
) {
    let ends = window.weekday >= 5;
    let cycle = if traffic.diurnal { (hour as f64 / 24.0 * std::f64::consts::TAU).sin() } else { 0.0 };
    let week = if ends && traffic.weekend != 1.0 { (traffic.weekend, 1.5) } else { (1.0, 1.0) };
    let [volume, cost, duration, errors] =
        levels.map(|level| (traffic.common * level - traffic.common.powi(2) / 2.0).exp());
    let rate = (traffic.error_rate * errors * week.1 * cycle.exp() * incident.errors).min(0.95);
    let mean = traffic.traces / f64::from(traffic.hours) * volume * week.0 * cycle.exp() * grown * incident.volume;
    for _ in 0..random.poisson(mean / traffic.session) {
        let (mut shared, mut fails) = ([0.0; 2], rate);
        if traffic.session > 1.0 {
            shared = [random.normal() * 0.5, random.normal() * 0.5];
            fails = (rate * if random.uniform() < 0.25 { 4.0 } else { 0.0 }).min(1.0);
        }
        // A geometric number, at least 1.
        loop {
            window.traces += 1;
            window.failed += u64::from(random.uniform() < fails);
            let scale = 0.3 * cycle;
            record(&mut window.cost, 1e9 * cost * week.1 * incident.cost, scale + shared[0], traffic, random);
            record(
                &mut window.duration,
                1e6 * duration * week.1 * incident.latency,
                scale + shared[1],
                traffic,
                random,
            );
            if random.uniform() < 1.0 / traffic.session {
                break;
            }
        }
    }
}

fn record(amounts: &mut Histogram, scale: f64, shift: f64, traffic: Traffic, random: &mut Random) {
    let own = match traffic.shape {
        Shape::Lognormal => traffic.deviation * random.normal(),
        Shape::TwoAgents => 0.5 * traffic.deviation * random.normal() + if random.uniform() < 0.5 { 4.6 } else { 0.0 },
        Shape::HeavyTail => {
            let far = if random.uniform() < 0.01 { 6.9 * random.uniform() } else { 0.0 };
            traffic.deviation * random.normal() + far
        }
    };
    amounts.record((scale * (shift + own).exp()) as u128);
}
