//! ringfence-local
