//! ringfence-cloud
