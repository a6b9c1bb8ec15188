//! ringfence-ledger
