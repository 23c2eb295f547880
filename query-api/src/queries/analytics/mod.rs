//! What was spent, as [`crate::spending`] reads it, and what less could be spent.

mod costs;
pub mod documents;
mod intelligence;

pub use costs::costs;
pub use intelligence::{
    Bounds, CostIntelligenceOut, Evidence, FeatureCosts, ModelEfficiency, Recommendation, cost_intelligence,
};
