//! One document laid over another: what `extends:` means, before any type is made of it.

use super::document::{Content, Document, Node, NodeId};
use crate::diagnostic::Span;

impl Document {
    /// Lays this document over `base`: what this one does not say is taken from there, each node
    /// with its own place.
    ///
    /// `merges` tells for the path of a mapping that both have (`[]` is the whole document)
    /// whether it is taken key by key; everything else is taken whole. Keys come in the order of
    /// the base, then the new ones. Keys of the top level in `own` are never taken from the base.
    pub fn lay_over(&mut self, base: Document, own: &[&str], merges: &dyn Fn(&[&str]) -> bool) {
        let offset = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let moved = |id: NodeId| NodeId(id.0.saturating_add(offset));
        let base_root = moved(base.root);
        for duplicate in base.duplicates.0 {
            self.duplicates.push(duplicate);
        }
        self.nodes.extend(base.nodes.into_iter().map(|node| {
            Node {
                content: match node.content {
                    Content::Scalar(value) => Content::Scalar(value),
                    Content::List(items) => Content::List(items.into_iter().map(moved).collect()),
                    Content::Map(entries) => Content::Map(
                        entries
                            .into_iter()
                            .map(|(key, value)| (moved(key), moved(value)))
                            .collect(),
                    ),
                },
                parent: node.parent.map(moved),
                key: node.key.map(moved),
                ..node
            }
        }));
        self.merge(self.root, base_root, own, &mut Vec::new(), merges);
    }

    fn merge(
        &mut self,
        over: NodeId,
        base: NodeId,
        own: &[&str],
        path: &mut Vec<String>,
        merges: &dyn Fn(&[&str]) -> bool,
    ) {
        let (Content::Map(mine), Content::Map(theirs)) =
            (&self.node(over).content, &self.node(base).content)
        else {
            return;
        };
        let mut left = mine.clone();
        let theirs = theirs.clone();
        let mut entries = Vec::with_capacity(left.len() + theirs.len());
        for (key, value) in theirs {
            let name = self.scalar(key).map(|key| key.written.clone());
            if path.is_empty() && name.as_deref().is_some_and(|name| own.contains(&name)) {
                continue;
            }
            let same = left
                .iter()
                .position(|(mine, _)| self.scalar(*mine).map(|key| &key.written) == name.as_ref());
            let Some(position) = same else {
                for id in [key, value] {
                    self.node_mut(id).parent = Some(over);
                }
                entries.push((key, value));
                continue;
            };
            let mine = left.remove(position);
            path.push(name.unwrap_or_default());
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            if merges(&names) {
                self.merge(mine.1, value, own, path, merges);
            }
            path.pop();
            entries.push(mine);
        }
        entries.extend(left);
        self.node_mut(over).content = Content::Map(entries);
    }

    /// Returns the value of a key of the top level.
    #[must_use]
    pub fn top_level(&self, name: &str) -> Option<NodeId> {
        let Content::Map(entries) = &self.node(self.root).content else {
            return None;
        };
        entries
            .iter()
            .find(|(key, _)| self.scalar(*key).is_some_and(|key| key.written == name))
            .map(|(_, value)| *value)
    }

    /// Returns the place of the whole document.
    #[must_use]
    pub fn root_span(&self) -> Span {
        self.span(self.root)
    }

    /// Returns the nodes that hold a scalar and are part of the document, mapping keys left out.
    #[must_use]
    pub fn scalars(&self) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut open = vec![self.root];
        while let Some(id) = open.pop() {
            match &self.node(id).content {
                Content::Scalar(_) => found.push(id),
                Content::List(items) => open.extend(items.iter().rev()),
                Content::Map(entries) => open.extend(entries.iter().rev().map(|(_, value)| *value)),
            }
        }
        found
    }
}
