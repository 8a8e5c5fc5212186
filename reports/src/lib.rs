//! routedrill.
