//! A graph of positions that wait for one another, apart from what they stand for.

/// Nodes 0 … n-1, each with the nodes it needs.
#[derive(Clone, Debug)]
pub struct DependencyGraph {
    waiting_for: Vec<usize>,
    dependents: Vec<Vec<usize>>,
}

impl DependencyGraph {
    /// Makes a graph: `needs[n]` are the nodes that `n` waits for.
    ///
    /// # Errors
    ///
    /// Returns the nodes that lie on or behind a cycle, or need a node that is not there.
    pub fn new(needs: &[Vec<usize>]) -> Result<Self, Vec<usize>> {
        let count = needs.len();
        let unknown: Vec<usize> = (0..count)
            .filter(|node| needs[*node].iter().any(|need| *need >= count))
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let mut dependents = vec![Vec::new(); count];
        for (node, needed) in needs.iter().enumerate() {
            for need in needed {
                dependents[*need].push(node);
            }
        }
        let graph = Self {
            waiting_for: needs.iter().map(Vec::len).collect(),
            dependents,
        };
        let mut rehearsal = graph.clone();
        let mut done = vec![false; count];
        let mut ready = rehearsal.ready();
        while let Some(node) = ready.pop() {
            done[node] = true;
            ready.extend(rehearsal.finish(node));
        }
        let stuck: Vec<usize> = (0..count).filter(|node| !done[*node]).collect();
        if stuck.is_empty() {
            Ok(graph)
        } else {
            Err(stuck)
        }
    }

    /// Returns the nodes that wait for nothing.
    #[must_use]
    pub fn ready(&self) -> Vec<usize> {
        (0..self.waiting_for.len())
            .filter(|node| self.waiting_for[*node] == 0)
            .collect()
    }

    /// Marks a node as ended and returns the nodes that wait for nothing any more.
    pub fn finish(&mut self, node: usize) -> Vec<usize> {
        let mut ready = Vec::new();
        for dependent in &self.dependents[node] {
            self.waiting_for[*dependent] -= 1;
            if self.waiting_for[*dependent] == 0 {
                ready.push(*dependent);
            }
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cycle_is_found() {
        assert_eq!(
            DependencyGraph::new(&[vec![1], vec![0], vec![]]).unwrap_err(),
            vec![0, 1]
        );
        assert_eq!(DependencyGraph::new(&[vec![7]]).unwrap_err(), vec![0]);
    }

    proptest! {
        #[test]
        fn every_node_comes_after_its_needs(
            needs in (1usize..30).prop_flat_map(|count| {
                (0..count)
                    .map(|node| proptest::collection::vec(0..node.max(1), 0..node.min(4) + 1))
                    .collect::<Vec<_>>()
            })
        ) {
            let needs: Vec<Vec<usize>> = needs
                .into_iter()
                .enumerate()
                .map(|(node, needed)| needed.into_iter().filter(|need| *need < node).collect())
                .collect();
            let mut graph = DependencyGraph::new(&needs).unwrap();
            let mut ready = graph.ready();
            let mut done = Vec::new();
            while let Some(node) = ready.pop() {
                prop_assert!(needs[node].iter().all(|need| done.contains(need)));
                done.push(node);
                ready.extend(graph.finish(node));
            }
            prop_assert_eq!(done.len(), needs.len());
        }
    }
}
