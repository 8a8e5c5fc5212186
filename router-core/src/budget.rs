//! Deployments that have spent their budget (LiteLLM: `RouterBudgetLimiting`).

use crate::config::Budget;
use crate::ids::DeploymentId;
use crate::input::Usage;
use crate::plan::Plan;
use crate::time::Time;

/// What every deployment has cost. Entries with one id share one account.
#[derive(Debug)]
pub(crate) struct Budgets {
    accounts: Vec<Account>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// Dollars in the current window.
    spent: f64,
    /// When the window ends; `None` before the first answer.
    ends: Option<Time>,
}

impl Budgets {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { accounts: vec![Account::default(); plan.deployments().len()] }
    }

    /// Whether a deployment has spent its budget.
    pub(crate) fn is_spent(&self, plan: &Plan, id: DeploymentId, now: Time) -> bool {
        let deployment = plan.deployment(id);
        let Some(Budget { dollars, .. }) = deployment.budget else { return false };
        let account = &self.accounts[deployment.twin.index()];
        dollars != 0.0 && account.ends.is_some_and(|ends| now <= ends) && account.spent >= dollars
    }

    /// An answer is paid.
    pub(crate) fn pay(&mut self, plan: &Plan, id: DeploymentId, usage: Usage, now: Time) {
        let deployment = plan.deployment(id);
        let Some(Budget { window, .. }) = deployment.budget else { return };
        let (input, output) = deployment.token_prices;
        let account = &mut self.accounts[deployment.twin.index()];
        if account.ends.is_none_or(|ends| now > ends) {
            *account = Account { spent: 0.0, ends: Some(now + window) };
        }
        account.spent += f64::from(usage.prompt_tokens) * input + f64::from(usage.completion_tokens) * output;
    }
}
