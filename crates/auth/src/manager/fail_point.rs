//! Places in a refresh at which a crash would hurt, for tests that crash there.

/// A place in a refresh.
#[cfg(any(test, feature = "fail-points"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailPoint {
    /// The refresh is on record; the request is not sent yet.
    BeforeRequest,
    /// The vendor has answered with new tokens; they are only in memory.
    BeforeCommit,
    /// The new tokens are stored.
    AfterCommit,
}

/// What happens at a place.
#[cfg(any(test, feature = "fail-points"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    GoOn,
    /// The refresh ends here as if the process had been killed: nothing is cleaned up.
    Die,
}

/// Decides at each place what happens; the hook may also end the process itself, or block.
#[cfg(any(test, feature = "fail-points"))]
#[derive(Clone)]
pub struct FailPoints(pub std::sync::Arc<dyn Fn(FailPoint) -> Fate + Send + Sync>);

#[cfg(any(test, feature = "fail-points"))]
impl Default for FailPoints {
    fn default() -> Self {
        Self(std::sync::Arc::new(|_| Fate::GoOn))
    }
}

/// `reached!(self, BeforeCommit)`: leaves the function with the given value if the hook says so. Nothing in a release.
macro_rules! reached {
    ($shared:expr, $point:ident, $died:expr) => {
        #[cfg(any(test, feature = "fail-points"))]
        if ($shared.fail_points.0)(super::FailPoint::$point) == super::Fate::Die {
            return $died;
        }
    };
}
pub(super) use reached;
