//! Known defects of a LiteLLM release: what it does although no user would want it. The model does the same, so none is
//! a broken law; each is counted wherever it shows, and told under its name.

use router_core::{DeploymentId, RequestId, Time};

/// A known defect of a release.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Defect {
    /// Behind the proxy, only the first failure of a request reaches least-busy routing, and no cancelled call does: what
    /// it counted for the others is never taken off.
    LeastBusyLeak,
    /// A cooldown that is begun while a longer one lasts ends the longer one with it.
    CooldownCutShort,
    /// A cooldown that is begun while a shorter one lasts ends with the shorter one.
    CooldownNotExtended,
    /// A failure that was nobody's, or another's, is put down to the deployment that is called next, or was called last.
    BlamesTheNext,
    /// After the last failed retry it waits once more before it says so.
    WaitsBeforeGivingUp,
}

impl Defect {
    /// All of them, in the order in which reports list them.
    pub const ALL: [Self; 5] = [
        Self::LeastBusyLeak,
        Self::CooldownCutShort,
        Self::CooldownNotExtended,
        Self::BlamesTheNext,
        Self::WaitsBeforeGivingUp,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeastBusyLeak => "least-busy-leak",
            Self::CooldownCutShort => "cooldown-cut-short",
            Self::CooldownNotExtended => "cooldown-not-extended",
            Self::BlamesTheNext => "blames-the-next",
            Self::WaitsBeforeGivingUp => "waits-before-giving-up",
        }
    }

    /// What happens, in one sentence without a full stop.
    pub const fn says(self) -> &'static str {
        match self {
            Self::LeastBusyLeak => "least-busy routing never takes some calls off its count when they are over",
            Self::CooldownCutShort => "a shorter cooldown ends a longer one that was under way",
            Self::CooldownNotExtended => "a longer cooldown ends with a shorter one that was under way",
            Self::BlamesTheNext => "a failure that was nobody's is put down to whoever is called next",
            Self::WaitsBeforeGivingUp => "a request waits once more after its last retry failed",
        }
    }

    /// The LiteLLM function that does it.
    pub const fn source(self) -> &'static str {
        match self {
            Self::LeastBusyLeak => "LeastBusyLoggingHandler, has_run_logging",
            Self::CooldownCutShort => "_corrected_active_cooldown",
            Self::CooldownNotExtended => "InMemoryCache.allow_ttl_override",
            Self::BlamesTheNext => "deployment_callback_on_failure",
            Self::WaitsBeforeGivingUp => "async_function_with_retries",
        }
    }
}

/// A defect where it first showed.
#[derive(Clone, PartialEq, Debug)]
pub struct Sighting {
    /// Which defect.
    pub defect: Defect,
    /// Whose request, if one met it.
    pub request: Option<RequestId>,
    /// Whose deployment, if one is concerned.
    pub deployment: Option<DeploymentId>,
    /// When.
    pub at: Time,
    /// What happened, in one sentence without a full stop.
    pub what: String,
}

/// The defects that showed in a run: how often each, and where first.
#[derive(Clone, Debug, Default)]
pub struct Defects {
    counts: [u64; Defect::ALL.len()],
    first: Vec<Sighting>,
}

impl Defects {
    pub(super) fn add(
        &mut self,
        defect: Defect,
        at: Time,
        request: Option<RequestId>,
        deployment: Option<DeploymentId>,
        what: impl FnOnce() -> String,
    ) {
        let count = &mut self.counts[defect as usize];
        *count += 1;
        if *count == 1 {
            self.first.push(Sighting { defect, request, deployment, at, what: what() });
        }
    }

    /// Adds what showed in another run. Where a defect showed first, the earlier run says.
    pub fn absorb(&mut self, other: &Self) {
        for sighting in &other.first {
            if self.count(sighting.defect) == 0 {
                self.first.push(sighting.clone());
            }
        }
        self.counts.iter_mut().zip(other.counts).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// How often a defect showed.
    pub fn count(&self, defect: Defect) -> u64 {
        self.counts[defect as usize]
    }

    /// Where each defect that showed did so first, in the order of time.
    pub fn first(&self) -> &[Sighting] {
        &self.first
    }
}
