mod logging;
mod metrics;
mod tracing;

pub use self::{
    logging::Logging,
    metrics::{MethodStats, Metrics},
    tracing::Tracing,
};
