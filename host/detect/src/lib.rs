//! ringfence-detect
