//! Who takes part in a run: the scenario's clients, the proxy, and an upstream for each set of deployments that share a
//! quota, in this order.
//!
//! Building the same cast twice gives the same actors in the same places under the same names. A crash is just that:
//! drop the actor and build it again.

use std::sync::Arc;

use router_core::{DeploymentId, Entropy, Plan, RetryAfter, Router, Span, Time, View};

use crate::actor::{Actor, ActorId, Effect, Ensemble, Event};
use crate::actors::clairvoyant::Clairvoyant;
use crate::actors::client::Client;
use crate::actors::proxy::Proxy;
use crate::actors::upstream::{Meter, Served, SharedQuota, Station, Upstream};
use crate::dice::QuantileTable;
use crate::faults::{Refusal, Texts, limits, strikes};
use crate::links::Link;
use crate::provider::{ErrorKind, Said, said};
use crate::scenario::{self, Quantiles, Scenario};

/// The actors of a run.
#[derive(Debug)]
pub struct Cast {
    actors: Vec<AnyActor>,
    names: Arc<[String]>,
    /// The texts of the error answers that the upstreams give.
    pub texts: Arc<Texts>,
}

/// An actor of any kind.
#[derive(Debug)]
#[expect(missing_docs, reason = "each holds what its name says")]
pub enum AnyActor {
    Client(Box<Client>),
    Proxy(Box<Proxy>),
    Clairvoyant(Box<Clairvoyant>),
    Upstream(Box<Upstream>),
}

/// The cast of a scenario before its first step, worked out once for any number of runs: tables of latencies and the texts of
/// errors cost more than a short run.
#[derive(Clone, Debug)]
pub struct Casting {
    clients: Vec<Client>,
    plan: Arc<Plan>,
    /// By deployment: its upstream, and the link there.
    sites: Vec<(usize, Link)>,
    /// How long an answer of the proxy travels to its client.
    latency: Span,
    upstreams: Vec<Upstream>,
    names: Arc<[String]>,
    texts: Arc<Texts>,
}

impl Casting {
    /// The cast of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let proxy = ActorId(scenario.traffic.len() as u32);
        let first_upstream = ActorId(proxy.0 + 1);
        let troupes = troupes(scenario);
        let mut texts = Texts::default();
        let mut tables = Tables::default();
        let mut names = Vec::new();

        let mut clients = Vec::new();
        for (source, traffic) in (0..).zip(&scenario.traffic) {
            let link = Link::new(proxy, scenario.links.client);
            clients.push(Client::new(source, traffic, scenario.duration, link));
            names.push(format!("client/{source}"));
        }

        names.push("proxy/0".to_owned());
        let mut upstreams = Vec::new();
        let mut sites = vec![(0, Link::new(first_upstream, scenario.links.upstream)); scenario.upstreams.len()];
        for (index, troupe) in troupes.iter().enumerate() {
            for deployment in troupe {
                let id = ActorId(first_upstream.0 + index as u32);
                sites[deployment.index()] = (index, Link::new(id, scenario.links.upstream));
            }
            upstreams.push(upstream(scenario, troupe, &mut texts, &mut tables));
            let name = upstream_name(scenario, troupe, &names);
            names.push(name);
        }
        let (plan, latency) = (scenario.plan.clone(), scenario.links.client);
        Self { clients, plan, sites, latency, upstreams, names: names.into(), texts: Arc::new(texts) }
    }

    /// Actors for a run, none of whom has taken a step.
    pub fn cast(&self) -> Cast {
        let router = Router::new(self.plan.clone());
        let links = self.sites.iter().map(|(_, link)| *link).collect();
        self.around(AnyActor::Proxy(Box::new(Proxy::new(router, &self.plan, links, self.latency))))
    }

    /// Actors for a run, with this one in the proxy's place.
    fn around(&self, proxy: AnyActor) -> Cast {
        let mut actors = Vec::with_capacity(self.names.len());
        actors.extend(self.clients.iter().map(|client| AnyActor::Client(Box::new(client.clone()))));
        actors.push(proxy);
        actors.extend(self.upstreams.iter().map(|upstream| AnyActor::Upstream(Box::new(upstream.clone()))));
        Cast { actors, names: self.names.clone(), texts: self.texts.clone() }
    }
}

impl Cast {
    /// The cast of a scenario that runs once.
    pub fn new(scenario: &Scenario) -> Self {
        Casting::new(scenario).cast()
    }

    /// The same with a router in the proxy's place that knows what will happen in a run under `seed`, and only in that.
    pub fn clairvoyant(scenario: &Scenario, seed: u64) -> Self {
        let casting = Casting::new(scenario);
        let proxy = ActorId(casting.clients.len() as u32);
        let names = casting.names[casting.clients.len() + 1..].iter().map(String::as_str);
        let upstreams: Vec<(&str, &Upstream)> = names.zip(&casting.upstreams).collect();
        let knowing = Clairvoyant::new(scenario, proxy, &upstreams, casting.sites.clone(), seed);
        casting.around(AnyActor::Clairvoyant(Box::new(knowing)))
    }

    /// The names of the actors, by [`ActorId`].
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Has the routers say at each selection who was eligible, who was passed over and why, and what decided. It costs time
    /// and changes nothing that happens.
    pub fn explain(&mut self) {
        for actor in &mut self.actors {
            if let AnyActor::Proxy(proxy) = actor {
                proxy.router_mut().explain(true);
            }
        }
    }

    /// A look inside the router, while no driver has the actors.
    pub fn router(&self) -> Option<View<'_>> {
        self.actors.iter().find_map(|actor| match actor {
            AnyActor::Proxy(proxy) => Some(proxy.router().view()),
            AnyActor::Client(_) | AnyActor::Clairvoyant(_) | AnyActor::Upstream(_) => None,
        })
    }
}

impl Ensemble for Cast {
    type Actor = AnyActor;

    fn actors(&mut self) -> &mut Vec<AnyActor> {
        &mut self.actors
    }

    fn name(&self, actor: ActorId) -> &str {
        &self.names[actor.0 as usize]
    }
}

impl Actor for AnyActor {
    fn handle(&mut self, now: Time, event: &Event, entropy: &mut dyn Entropy, out: &mut Vec<Effect>) {
        match self {
            Self::Client(client) => client.handle(now, event, entropy, out),
            Self::Proxy(proxy) => proxy.handle(now, event, entropy, out),
            Self::Clairvoyant(router) => router.handle(now, event, entropy, out),
            Self::Upstream(upstream) => upstream.handle(now, event, entropy, out),
        }
    }

    fn next_wake(&self) -> Option<(Time, &'static str)> {
        match self {
            Self::Client(client) => client.next_wake(),
            Self::Proxy(proxy) => proxy.next_wake(),
            Self::Clairvoyant(router) => router.next_wake(),
            Self::Upstream(upstream) => upstream.next_wake(),
        }
    }
}

/// The deployments, sorted into sets that share quotas; sets and members by rising deployment.
fn troupes(scenario: &Scenario) -> Vec<Vec<DeploymentId>> {
    // The lowest deployment of the set that each one belongs to.
    let mut lowest: Vec<usize> = (0..scenario.upstreams.len()).collect();
    for quota in &scenario.quotas {
        let Some(new) = quota.scope.iter().map(|id| lowest[id.index()]).min() else { continue };
        let joined: Vec<usize> = quota.scope.iter().map(|id| lowest[id.index()]).collect();
        lowest.iter_mut().filter(|set| joined.contains(set)).for_each(|set| *set = new);
    }
    let mut troupes: Vec<Vec<DeploymentId>> = vec![Vec::new(); lowest.len()];
    for (id, set) in (0..).map(DeploymentId).zip(lowest) {
        troupes[set].push(id);
    }
    troupes.retain(|troupe| !troupe.is_empty());
    troupes
}

/// The name of an upstream, from the ids of its deployments. LiteLLM allows an id twice; a name must not come twice.
fn upstream_name(scenario: &Scenario, troupe: &[DeploymentId], taken: &[String]) -> String {
    let ids: Vec<&str> = troupe.iter().map(|id| scenario.plan.deployment(*id).id.as_str()).collect();
    let name = format!("upstream/{}", ids.join("+"));
    if taken.contains(&name) { format!("{name}#{}", troupe[0].0) } else { name }
}

/// The answer to a call over a quota.
fn over_quota(upstream: &scenario::Upstream, kind: ErrorKind, texts: &mut Texts) -> Refusal {
    match said(upstream.dialect, kind, None) {
        Said::Error(answer) => texts.refusal(answer, RetryAfter::Absent),
        Said::Filtered => unreachable!("no provider filters an answer because of a quota"),
    }
}

/// The tables of latencies, each once: most upstreams share a few distributions, and tables that are shared stay in the
/// processor's cache.
#[derive(Debug, Default)]
struct Tables(Vec<(Quantiles, Arc<QuantileTable>)>);

impl Tables {
    /// The table of a distribution in seconds, in nanoseconds.
    fn nanos(&mut self, seconds: &Quantiles) -> Arc<QuantileTable> {
        if let Some((_, table)) = self.0.iter().find(|(known, _)| known == seconds) {
            return table.clone();
        }
        let table = Arc::new(QuantileTable::new(seconds, 1e9));
        self.0.push((seconds.clone(), table.clone()));
        table
    }
}

fn upstream(scenario: &Scenario, troupe: &[DeploymentId], texts: &mut Texts, tables: &mut Tables) -> Upstream {
    let mine: Vec<&scenario::Quota> =
        scenario.quotas.iter().filter(|quota| quota.scope.iter().any(|id| troupe.contains(id))).collect();
    let served = troupe.iter().map(|&deployment| {
        let upstream = &scenario.upstreams[deployment.index()];
        let counts = |quota: &scenario::Quota| quota.scope.contains(&deployment);
        Served {
            deployment,
            ttft: tables.nanos(&upstream.ttft),
            tpot: tables.nanos(&upstream.tpot),
            station: (upstream.servers.is_some() || upstream.full_speed.is_some())
                .then(|| Station::new(upstream.servers, upstream.full_speed)),
            quotas: (0..mine.len()).filter(|index| counts(mine[*index])).collect(),
            strikes: strikes(&scenario.faults, deployment, upstream.dialect, texts),
            over_quota: [ErrorKind::RateLimited, ErrorKind::TokensLimited]
                .map(|kind| over_quota(upstream, kind, texts)),
            retry_after: upstream.retry_after,
        }
    });
    let served = served.collect();
    let quotas = mine.iter().map(|quota| SharedQuota {
        unit: quota.unit,
        meter: Meter::new(quota.window, limits(&scenario.faults, quota)),
    });
    Upstream::new(served, quotas.collect(), scenario.links.upstream)
}

#[cfg(test)]
mod tests;
