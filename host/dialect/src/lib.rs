//! ringfence-dialect
