//! How much windows vary beyond what their traces explain, and how much of that a day hands on to the next.

/// A residual of a window: what of its variance its traces explain, and by how much a spread of 1 would add to that.
#[derive(Clone, Copy)]
pub(super) struct Residual {
    pub value: f64,
    pub sampling: f64,
    pub growth: f64,
}

impl Residual {
    pub fn variance(&self, spread: f64) -> f64 {
        (self.sampling + spread * self.growth).max(1e-12)
    }

    /// In standard deviations.
    pub fn standard(&self, spread: f64) -> f64 {
        self.value / self.variance(spread).sqrt()
    }
}

/// The median of |Z|.
const MEDIAN_DEVIATION: f64 = 0.674_489_750_196_081_7;

/// The spread with which half of the residuals are within the median deviation, whatever the other half is.
pub(super) fn robust(residuals: &[Residual]) -> f64 {
    solve(residuals, |spread| {
        let mut sizes: Vec<f64> = residuals.iter().map(|residual| residual.standard(spread).abs()).collect();
        median(&mut sizes) > MEDIAN_DEVIATION
    })
}

/// The spread with which the squares add up to their degrees of freedom (Paule and Mandel, 1982).
pub(super) fn by_moments(residuals: &[Residual], df: f64) -> f64 {
    solve(residuals, |spread| residuals.iter().map(|residual| residual.standard(spread).powi(2)).sum::<f64>() > df)
}

/// The spread above which `too_small` is false. 0 if it is false everywhere.
fn solve(residuals: &[Residual], too_small: impl Fn(f64) -> bool) -> f64 {
    let most = residuals.iter().map(|residual| residual.value.powi(2) / residual.growth.max(1e-12)).sum::<f64>();
    let (mut low, mut high) = (0.0, most * 4.0);
    if !too_small(0.0) {
        return 0.0;
    }
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if too_small(middle) { low = middle } else { high = middle }
    }
    high
}

/// Of fewer pairs of days no correlation can be told.
const FEWEST_PAIRS: usize = 12;
/// So few days often seem to resemble each other more than they do, and then nothing would be an anomaly.
const MOST_MEMORY: f64 = 0.5;

/// The correlation of a window with the next, of standardised residuals by day.
pub(super) fn memory(residuals: &[(u16, f64)]) -> f64 {
    let mut in_order = residuals.to_vec();
    in_order.sort_by_key(|(day, _)| *day);
    let step = in_order.windows(2).map(|pair| pair[1].0 - pair[0].0).min().unwrap_or(1);
    let products: Vec<f64> =
        in_order.windows(2).filter(|pair| pair[1].0 - pair[0].0 == step).map(|pair| pair[0].1 * pair[1].1).collect();
    let count = in_order.len() as f64;
    let power = in_order.iter().map(|(_, value)| value * value).sum::<f64>() / count;
    if products.len() < FEWEST_PAIRS || power <= 1e-9 {
        return 0.0;
    }
    let seen = products.iter().sum::<f64>() / products.len() as f64 / power;
    // The mean that was taken off biases it by (1 + 3 r) / n (Marriott and Pope, 1954).
    ((seen + 1.0 / count) / (1.0 - 3.0 / count)).clamp(0.0, MOST_MEMORY)
}

pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}
