//! The lane of wakes: when each actor wants to be woken, and who is first.
//!
//! A wake is not queued; it is a property of its actor, looked up after each of its steps. So there are no wakes that
//! went stale, and the arrivals of an open-loop client never pass through the calendar.

use router_core::Time;

use crate::actor::ActorId;
use crate::step::Stamp;

/// A tournament over the actors' wakes: each node holds the earlier of its two children.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wakes {
    /// The root at 1, the actors' own wakes from `leaves` on.
    nodes: Vec<(Time, ActorId)>,
    leaves: usize,
}

impl Wakes {
    /// Gets ready for so many actors, none of whom wants to be woken.
    pub(crate) fn restart(&mut self, actors: usize) {
        self.leaves = actors.next_power_of_two();
        self.nodes.clear();
        self.nodes.resize(2 * self.leaves, (Time::MAX, ActorId(0)));
    }

    /// From now on `actor` wants to be woken at `at`; [`Time::MAX`] is never.
    pub(crate) fn set(&mut self, actor: ActorId, at: Time) {
        let mut node = self.leaves + actor.0 as usize;
        if self.nodes[node] == (at, actor) {
            return;
        }
        self.nodes[node] = (at, actor);
        while node > 1 {
            let earlier = self.nodes[node].min(self.nodes[node ^ 1]);
            node /= 2;
            if self.nodes[node] == earlier {
                return;
            }
            self.nodes[node] = earlier;
        }
    }

    /// The first wake. Its time is [`Time::MAX`] when nobody wants to be woken.
    pub(crate) fn first(&self) -> Stamp {
        let (at, actor) = self.nodes[1];
        Stamp::wake(at, actor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_wake_is_the_earliest_and_of_equals_the_lowest_actor(
            actors in 1usize..40,
            changes in prop::collection::vec((0usize..40, 0u64..20), 1..200),
        ) {
            let mut wakes = Wakes::default();
            wakes.restart(actors);
            let mut plain = vec![u64::MAX; actors];
            for (actor, at) in changes {
                let (actor, at) = (actor % actors, if at == 0 { u64::MAX } else { at });
                wakes.set(ActorId(actor as u32), Time::from_nanos(at));
                plain[actor] = at;
                let first = plain.iter().enumerate().map(|(actor, at)| (*at, actor)).min().unwrap();
                prop_assert_eq!(wakes.first().at.as_nanos(), first.0);
                if first.0 < u64::MAX {
                    prop_assert_eq!(wakes.first().to.0 as usize, first.1);
                }
            }
        }
    }
}
