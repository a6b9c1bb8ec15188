//! ringfence-policy
