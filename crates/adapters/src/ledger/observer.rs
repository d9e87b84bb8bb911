//! The points between two effects of an append, at which tests interrupt it.

/// Is called at each point of an append; does nothing outside tests.
#[derive(Clone, Default)]
pub(super) struct Observer {
    #[cfg(test)]
    pub(super) on_point: Option<std::sync::Arc<dyn Fn(&'static str) + Send + Sync>>,
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

impl Observer {
    /// Reports that the effects before a point are done, and none after it.
    pub(super) fn reached(&self, point: &'static str) {
        #[cfg(test)]
        if let Some(on_point) = &self.on_point {
            on_point(point);
        }
        #[cfg(not(test))]
        let _ = point;
    }
}
