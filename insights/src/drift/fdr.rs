//! Many questions at once: how many of the drifts reported are none?

/// Adjusted p-values (Benjamini–Hochberg), in the order given: reporting those at or below q makes the expected share of
/// false ones at most q.
pub fn false_discovery(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; count];
    let mut least = 1.0f64;
    for (rank, place) in order.into_iter().enumerate().rev() {
        least = least.min(p_values[place] * count as f64 / (rank + 1) as f64);
        adjusted[place] = least;
    }
    adjusted
}
