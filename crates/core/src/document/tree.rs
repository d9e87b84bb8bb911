//! The places of a value's parts: a tree of the same shape as the value.

/// A range of bytes in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// First byte.
    pub(super) start: u32,
    /// The byte after the last one.
    pub(super) end: u32,
}

/// Where a value and its key stand.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The key, in a map.
    pub(super) key: Option<Span>,
    /// The value.
    pub(super) span: Span,
    /// Parts in the order of the value's own.
    pub(super) children: Vec<Node>,
}

impl Node {
    /// A value without parts.
    pub(super) fn leaf(span: Span) -> Self {
        Self { key: None, span, children: Vec::new() }
    }

    /// Number of values in it, itself included.
    pub(super) fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    /// Levels below it.
    pub(super) fn height(&self) -> usize {
        self.children.iter().map(|child| child.height() + 1).max().unwrap_or(0)
    }
}
