//! The faults that are planted, and where each can be.

use retrace_insights::root_cause::Kind;

use super::plan::{Agent, Leaf, What, leaves};
use super::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    RateLimit,
    Timeout,
    SlowPart,
    ContextOverflow,
    BadArguments,
    Authentication,
    ProviderError,
    InvalidRequest,
    ContentFiltered,
    EmptyOutput,
    MalformedOutput,
    Loop,
    DependencyError,
    ToolError,
    OutOfMemory,
    Killed,
    Hang,
    MissingStep,
    UnexpectedStep,
    OnlyOnTrace,
    RetriesExhausted,
    Cancelled,
}

impl Fault {
    pub const ALL: [Fault; 22] = [
        Fault::RateLimit,
        Fault::Timeout,
        Fault::SlowPart,
        Fault::ContextOverflow,
        Fault::BadArguments,
        Fault::Authentication,
        Fault::ProviderError,
        Fault::InvalidRequest,
        Fault::ContentFiltered,
        Fault::EmptyOutput,
        Fault::MalformedOutput,
        Fault::Loop,
        Fault::DependencyError,
        Fault::ToolError,
        Fault::OutOfMemory,
        Fault::Killed,
        Fault::Hang,
        Fault::MissingStep,
        Fault::UnexpectedStep,
        Fault::OnlyOnTrace,
        Fault::RetriesExhausted,
        Fault::Cancelled,
    ];

    pub fn kind(self) -> Kind {
        match self {
            Fault::RateLimit => Kind::RateLimit,
            Fault::Timeout | Fault::SlowPart => Kind::Timeout,
            Fault::ContextOverflow => Kind::ContextOverflow,
            Fault::BadArguments => Kind::BadArguments,
            Fault::Authentication => Kind::Authentication,
            Fault::ProviderError => Kind::ProviderError,
            Fault::InvalidRequest => Kind::InvalidRequest,
            Fault::ContentFiltered => Kind::ContentFiltered,
            Fault::EmptyOutput => Kind::EmptyOutput,
            Fault::MalformedOutput => Kind::MalformedOutput,
            Fault::Loop => Kind::Loop,
            Fault::DependencyError => Kind::DependencyError,
            Fault::ToolError => Kind::ToolError,
            Fault::OutOfMemory | Fault::Killed => Kind::ResourceExhausted,
            Fault::Hang => Kind::Unfinished,
            Fault::MissingStep => Kind::MissingStep,
            Fault::UnexpectedStep => Kind::Divergence,
            // Of what is planted there, see `World`.
            Fault::OnlyOnTrace => Kind::Unknown,
            Fault::RetriesExhausted => Kind::RetriesExhausted,
            Fault::Cancelled => Kind::Cancelled,
        }
    }

    /// Fails now and then, so that it is tried again.
    pub fn is_transient(self) -> bool {
        matches!(self, Fault::RateLimit | Fault::ProviderError | Fault::DependencyError | Fault::Timeout)
    }

    fn fits(self, leaf: &Leaf, is_last_model: bool) -> bool {
        let tool = matches!(leaf.what, What::Tool(_));
        let model = leaf.what == What::Model;
        match self {
            Fault::ContextOverflow | Fault::ProviderError | Fault::InvalidRequest | Fault::ContentFiltered => model,
            Fault::DependencyError | Fault::ToolError | Fault::OutOfMemory => tool,
            Fault::BadArguments | Fault::Loop => tool && leaf.follows_model,
            Fault::EmptyOutput | Fault::MalformedOutput => is_last_model,
            Fault::MissingStep | Fault::UnexpectedStep => tool && leaf.follows_model && !leaf.parallel,
            Fault::SlowPart => (tool || model) && leaf.before + leaf.after > 0,
            Fault::OnlyOnTrace => (tool || model) && !leaf.parallel,
            _ => tool || model,
        }
    }

    /// A leaf of an agent's plan in which the fault can be.
    pub fn place(self, agent: &Agent, random: &mut Random) -> Option<usize> {
        let leaves = leaves(&agent.plan);
        let last_model = leaves.iter().rposition(|leaf| leaf.what == What::Model);
        let fitting: Vec<usize> =
            (0..leaves.len()).filter(|place| self.fits(&leaves[*place], last_model == Some(*place))).collect();
        (!fitting.is_empty()).then(|| fitting[random.below(fitting.len())])
    }
}
