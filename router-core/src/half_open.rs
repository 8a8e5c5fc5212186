//! Half-open deployments: whose cooldown is over, and who gets a few calls only until one of them succeeds. LiteLLM sends
//! everybody back at once.

use crate::ids::DeploymentId;
use crate::plan::Plan;

/// Which deployments are half open. Entries with one id share one circuit.
#[derive(Debug)]
pub(crate) struct HalfOpen {
    /// How many calls at once. `None`: no deployment is ever half open, and nothing below is looked at.
    most: Option<u32>,
    circuits: Vec<Circuit>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Circuit {
    /// It was put into cooldown, and no probe has succeeded since.
    tripped: bool,
    /// Probes under way.
    probes: u32,
}

impl HalfOpen {
    pub(crate) fn new(plan: &Plan) -> Self {
        let most = plan.what_if().half_open;
        let circuits = most.map_or(0, |_| plan.deployments().len());
        Self { most, circuits: vec![Circuit::default(); circuits] }
    }

    fn of(&mut self, plan: &Plan, deployment: DeploymentId) -> Option<&mut Circuit> {
        self.circuits.get_mut(plan.deployment(deployment).twin.index())
    }

    /// A deployment was put into cooldown.
    pub(crate) fn trip(&mut self, plan: &Plan, deployment: DeploymentId) {
        if let Some(circuit) = self.of(plan, deployment) {
            circuit.tripped = true;
        }
    }

    /// Whether a deployment whose cooldown is over gets no further call for now.
    pub(crate) fn is_full(&self, plan: &Plan, deployment: DeploymentId) -> bool {
        let Some(most) = self.most else { return false };
        let circuit = &self.circuits[plan.deployment(deployment).twin.index()];
        circuit.tripped && circuit.probes >= most
    }

    /// Whether a deployment was put into cooldown, and no probe has succeeded since.
    pub(crate) fn is_tripped(&self, plan: &Plan, deployment: DeploymentId) -> bool {
        self.most.is_some() && self.circuits[plan.deployment(deployment).twin.index()].tripped
    }

    /// A probe begins.
    pub(crate) fn enter(&mut self, plan: &Plan, deployment: DeploymentId) {
        if let Some(circuit) = self.of(plan, deployment) {
            circuit.probes += 1;
        }
    }

    /// A probe is over, whatever came of it.
    pub(crate) fn leave(&mut self, plan: &Plan, deployment: DeploymentId) {
        if let Some(circuit) = self.of(plan, deployment) {
            circuit.probes -= 1;
        }
    }

    /// A probe succeeded: the deployment is there for everybody.
    pub(crate) fn close(&mut self, plan: &Plan, deployment: DeploymentId) {
        if let Some(circuit) = self.of(plan, deployment) {
            circuit.tripped = false;
        }
    }

    /// Probes under way.
    pub(crate) fn probes(&self, plan: &Plan, deployment: DeploymentId) -> u32 {
        self.circuits.get(plan.deployment(deployment).twin.index()).map_or(0, |circuit| circuit.probes)
    }
}
