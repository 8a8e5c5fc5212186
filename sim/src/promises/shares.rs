//! Which share of its group's calls each deployment got, beside the share that is its due.

use router_core::{Deployment, DeploymentId, NameId, Number, Plan, RoutingStrategy};

/// Calls of a group before its shares can be told from chance.
const CALLS_MIN: u64 = 100;

/// The groups of a run whose deployments have due shares.
#[derive(Clone, Debug, Default)]
pub(super) struct Shares {
    groups: Vec<Group>,
    /// Where each name is in `groups`.
    index: Vec<Option<u32>>,
}

#[derive(Clone, Debug)]
struct Group {
    members: Vec<DeploymentId>,
    due: Vec<f64>,
    calls: Vec<u64>,
}

/// The deployment that is furthest off its due share.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unfair {
    /// Which one.
    pub deployment: DeploymentId,
    /// Its share of the calls, from 0 to 1.
    pub got: f64,
    /// The share that is its due.
    pub due: f64,
}

impl Unfair {
    /// How far off it is, either way.
    pub fn off(&self) -> f64 {
        (self.got - self.due).abs()
    }
}

impl Shares {
    /// The due shares of every group with several deployments; none where the strategy knows no shares.
    pub(super) fn new(plan: &Plan) -> Self {
        let mut shares = Self { groups: Vec::new(), index: vec![None; plan.name_count()] };
        if plan.settings().routing_strategy.value != RoutingStrategy::SimpleShuffle {
            return shares;
        }
        for (name, slot) in (0..).map(NameId).zip(&mut shares.index) {
            let members = plan.members(name);
            if members.len() > 1 {
                *slot = Some(shares.groups.len() as u32);
                let due = due(&members.iter().map(|id| plan.deployment(*id)).collect::<Vec<_>>());
                shares.groups.push(Group { calls: vec![0; members.len()], due, members });
            }
        }
        shares
    }

    /// A deployment was chosen from so many.
    pub(super) fn picked(&mut self, name: NameId, deployment: DeploymentId, eligible: u32) {
        let Some(Some(index)) = self.index.get(name.index()) else { return };
        let group = &mut self.groups[*index as usize];
        if eligible as usize != group.members.len() {
            return;
        }
        if let Some(place) = group.members.iter().position(|member| *member == deployment) {
            group.calls[place] += 1;
        }
    }

    /// The deployment that is furthest off; `None` where no group had calls enough to tell.
    pub(super) fn worst(&self) -> Option<Unfair> {
        let judged = self.groups.iter().filter_map(|group| {
            let all: u64 = group.calls.iter().sum();
            (all >= CALLS_MIN).then_some((group, all as f64))
        });
        let each =
            judged.flat_map(|(group, all)| {
                (group.members.iter().zip(&group.due).zip(&group.calls))
                    .map(move |((&deployment, &due), &calls)| Unfair { deployment, got: calls as f64 / all, due })
            });
        each.reduce(|worst, one| if one.off() > worst.off() { one } else { worst })
    }
}

/// The shares that the deployments of a group should get: by the first metric that all of them have.
fn due(members: &[&Deployment]) -> Vec<f64> {
    let weights = |metric: usize| -> Option<Vec<f64>> {
        let of = |deployment: &&Deployment| match deployment.shuffle[metric] {
            Some(Number::Is(weight)) if weight >= 0.0 => Some(weight),
            _ => None,
        };
        members.iter().map(of).collect::<Option<Vec<f64>>>().filter(|weights| weights.iter().sum::<f64>() > 0.0)
    };
    let weights = (0..3).find_map(weights).unwrap_or_else(|| vec![1.0; members.len()]);
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use router_core::{Config, ModelEntry};

    use super::*;

    fn plan(rpm: [Option<f64>; 2]) -> Plan {
        let entry = |(id, rpm): (&str, Option<f64>)| {
            let mut entry = ModelEntry { model_name: "chat".to_owned(), id: id.to_owned(), ..ModelEntry::default() };
            entry.model = "openai/gpt-4o".to_owned();
            entry.rpm.params = rpm;
            entry
        };
        let model_list = ["a", "b"].into_iter().zip(rpm).map(entry).collect();
        Plan::new(&Config { model_list, ..Config::default() }).expect("a plan")
    }

    fn told(rpm: [Option<f64>; 2], calls: [u64; 2]) -> Option<Unfair> {
        let plan = plan(rpm);
        let chat = plan.name_id("chat").expect("the group");
        let mut shares = Shares::new(&plan);
        for (id, calls) in (0..).map(DeploymentId).zip(calls) {
            (0..calls).for_each(|_| shares.picked(chat, id, 2));
            // Nobody could have chosen the other one here.
            (0..1000).for_each(|_| shares.picked(chat, DeploymentId(0), 1));
        }
        shares.worst()
    }

    #[test]
    fn due_shares_follow_what_every_deployment_has() {
        assert_eq!(told([Some(30.0), Some(10.0)], [75, 25]).map(|unfair| unfair.off()), Some(0.0));
        assert_eq!(told([None, None], [60, 60]).map(|unfair| unfair.off()), Some(0.0));
    }

    #[test]
    fn a_limit_on_one_deployment_alone_gives_it_everything_and_is_unfair() {
        let unfair = told([Some(30.0), None], [200, 0]).expect("calls enough");
        assert_eq!((unfair.got, unfair.due, unfair.off()), (1.0, 0.5, 0.5));
    }

    #[test]
    fn a_few_calls_tell_nothing() {
        assert_eq!(told([None, None], [99, 0]), None);
    }
}
