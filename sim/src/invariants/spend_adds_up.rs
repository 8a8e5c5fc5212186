//! Budgets count what answers cost: a deployment is left out when the sum of its answers has reached its budget, and
//! not before.

use router_core::{DeploymentId, Plan, RoutingStrategy, Time, Usage};

use super::law::About;

pub(super) const ABOUT: About = About {
    name: "spend-adds-up",
    says: "a deployment is left out when the sum of its answers has reached its budget, and not before",
    source: "RouterBudgetLimiting",
};

/// What each deployment has spent of its budget, added up from answers.
#[derive(Clone, Debug)]
pub(super) struct Spend {
    /// By deployment, of the first of its twins: dollars, and when their window ends.
    accounts: Vec<(f64, Option<Time>)>,
}

impl Spend {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { accounts: vec![(0.0, None); plan.deployments().len()] }
    }

    /// An answer is paid.
    pub(super) fn pay(&mut self, plan: &Plan, deployment: DeploymentId, usage: Usage, now: Time) {
        let one = plan.deployment(deployment);
        let Some(budget) = one.budget else { return };
        let (spent, ends) = &mut self.accounts[one.twin.index()];
        if ends.is_none_or(|ends| ends < now) {
            (*spent, *ends) = (0.0, Some(now + budget.window));
        }
        let (prompt, completion) = one.token_prices;
        *spent += f64::from(usage.prompt_tokens) * prompt + f64::from(usage.completion_tokens) * completion;
    }

    /// Whether nothing is left of a budget. One of 0 is none.
    pub(super) fn is_spent(&self, plan: &Plan, deployment: DeploymentId, now: Time) -> bool {
        let one = plan.deployment(deployment);
        let (spent, ends) = self.accounts[one.twin.index()];
        // The strategy without an asynchronous form knows no budgets.
        one.budget.filter(|_| plan.settings().routing_strategy.value != RoutingStrategy::UsageBased).is_some_and(
            |budget| budget.dollars != 0.0 && ends.is_some_and(|ends| now <= ends) && spent >= budget.dollars,
        )
    }
}

/// A pick from so many of a group with budgets, where so many should have been there.
pub(super) fn of_eligible(eligible: u32, counted: u32) -> Option<String> {
    (eligible != counted).then(|| format!("picked from {eligible}, where {counted} had something left of their budget"))
}
