//! The release lifecycle: from a suite and its report to published versions.

pub(crate) mod content;
#[cfg_attr(not(test), allow(dead_code, reason = "read by the commands that publish"))]
pub(crate) mod evidence;
