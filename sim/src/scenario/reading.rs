//! The reader's notebook: takes values out of a tree and writes down what is wrong with them.

use router_core::{Config, DeploymentId};

use super::file::Spread;
use super::meant::Quantiles;
use super::quantity::{Complaint, Quantity, Share};
use super::select::Selector;
use super::tree::{NodeId, Tree};
use super::written::{Located, Written};
use crate::litellm::Inventory;
use crate::problem::{Problem, Problems};
use crate::source::Source;

/// A file that is being read, and its problems so far.
pub(super) struct Reading<'a> {
    pub(super) source: &'a Source,
    pub(super) tree: &'a Tree,
    pub(super) problems: Problems,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(source: &'a Source, tree: &'a Tree) -> Self {
        Self { source, tree, problems: Problems::new() }
    }

    /// Everything that is written down, in the order of the file.
    pub(super) fn close(self) -> Problems {
        self.problems.or(()).err().unwrap_or_default()
    }

    /// Writes down what is wrong with a node.
    pub(super) fn complain(&mut self, node: NodeId, complaint: Complaint) {
        let Complaint { message, help } = complaint;
        self.problems.push(Problem::at(self.source, self.tree.span(node), message, help.unwrap_or_default()));
    }

    /// What a text means.
    pub(super) fn value<Q: Quantity>(&mut self, written: &Written<Q>) -> Option<Q> {
        let result = written.read(self.tree);
        self.kept(written.node(), result)
    }

    /// What a text means, if there is one.
    pub(super) fn optional<Q: Quantity>(&mut self, written: &Option<Written<Q>>) -> Option<Q> {
        written.as_ref().and_then(|written| self.value(written))
    }

    /// A whole number that must fit into 32 bits.
    pub(super) fn narrow(&mut self, written: &Written<super::quantity::Count>) -> Option<u32> {
        let count = self.value(written)?;
        let narrow =
            u32::try_from(count.0).map_err(|_| Complaint::new("this count is too large").help("at most 4294967295"));
        self.kept(written.node(), narrow)
    }

    /// The selector that a key spells.
    pub(super) fn selector(&mut self, key: NodeId) -> Option<Selector> {
        let result = Selector::parse(self.tree.text(key));
        self.kept(key, result)
    }

    /// The deployments of a selector.
    pub(super) fn selected(
        &mut self,
        selector: &Selector,
        node: NodeId,
        config: &Config,
        inventory: &Inventory,
    ) -> Option<Vec<DeploymentId>> {
        self.kept(node, selector.resolve(config, inventory))
    }

    /// The deployments of several selectors together, each once, in their order.
    pub(super) fn all_selected(
        &mut self,
        selectors: &[Written<Selector>],
        config: &Config,
        inventory: &Inventory,
    ) -> Option<Vec<DeploymentId>> {
        let mut all = Vec::new();
        let mut complete = true;
        for written in selectors {
            let selected = self.value(written).and_then(|by| self.selected(&by, written.node(), config, inventory));
            complete &= selected.is_some();
            all.extend(selected.unwrap_or_default());
        }
        all.sort_unstable();
        all.dedup();
        complete.then_some(all)
    }

    /// A distribution.
    pub(super) fn spread<Q: Quantity>(
        &mut self,
        spread: &Located<Spread<Q>>,
        number: impl Fn(Q) -> f64,
    ) -> Option<Quantiles> {
        let named = match &spread.value {
            Spread::Always(written) => return self.value(written).map(|value| Quantiles(vec![(0.5, number(value))])),
            Spread::Quantiles(named) => named,
        };
        if named.0.is_empty() {
            let help = "write one value, or quantiles like `{p50: .., p95: ..}`";
            self.complain(spread.node, Complaint::new("a distribution needs one quantile at least").help(help));
            return None;
        }
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut complete = true;
        for (key, written) in &named.0 {
            let share = quantile(self.tree.text(*key)).and_then(|share| {
                // The ends of a distribution are not quantiles of it.
                if share < 1.0 {
                    Ok(share)
                } else {
                    Err(Complaint::new("a distribution ends before p100").help("write `p99.99`"))
                }
            });
            let share = self.kept(*key, share);
            let value = self.value(written).map(&number);
            let (Some(share), Some(value)) = (share, value) else {
                complete = false;
                continue;
            };
            if let Some(&(last_share, last_value)) = points.last()
                && (share <= last_share || value < last_value)
            {
                let help = "write quantiles from the lowest to the highest, with values that rise";
                self.complain(*key, Complaint::new("this quantile is not above the one before it").help(help));
                complete = false;
            }
            points.push((share, value));
        }
        complete.then_some(Quantiles(points))
    }

    /// A result, or nothing and its complaint in the notebook.
    pub(super) fn kept<T>(&mut self, node: NodeId, result: Result<T, Complaint>) -> Option<T> {
        result.map_err(|complaint| self.complain(node, complaint)).ok()
    }
}

/// The share that a quantile's name stands for: `p99.9`, `max`.
pub(super) fn quantile(name: &str) -> Result<f64, Complaint> {
    let unknown =
        || Complaint::new(format!("`{name}` is not a quantile")).help("quantiles are written `p50`, `p99.9` or `max`");
    if name == "max" {
        return Ok(1.0);
    }
    let number = name.strip_prefix('p').ok_or_else(unknown)?;
    match Share::parse(&format!("{number}%")) {
        Ok(Share(share)) if share > 0.0 => Ok(share),
        _ => Err(unknown()),
    }
}
