//! The host's side of `state`: counters that outlive a request.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::cell::{Cell, Overrun};
use crate::contract::state;
use crate::tape::Asked;

/// Counters of one policy and tenant.
pub(crate) const NAMESPACE_KEYS: usize = 4_096;
/// Counters of all policies and tenants.
pub(crate) const KEYS: usize = 262_144;
/// Bytes of one key.
pub(crate) const KEY_BYTES: usize = 512;
/// The longest life of a counter, in seconds: 31 days.
pub(crate) const TTL_SECONDS: u32 = 31 * 86_400;
/// Milliseconds between two searches for expired counters while there is no room.
const SWEEP_MS: f64 = 1_000.0;

/// Counters of all policies, in memory. A key can repeat what a policy read, so only
/// its keyed digest is kept, under a key that dies with the process.
pub(crate) struct State {
    mac: Hmac<Sha256>,
    counters: Mutex<Counters>,
}

#[derive(Default)]
struct Counters {
    /// By the policy's name.
    policies: HashMap<String, Tenants>,
    count: usize,
    swept_ms: f64,
}

/// The counters of one policy, by digests of tenant and key.
type Tenants = HashMap<[u8; 32], HashMap<[u8; 32], Counter>>;

#[derive(Clone, Copy)]
struct Counter {
    value: f64,
    expires_ms: f64,
}

impl State {
    /// No counters. `key` keys the digests.
    pub(crate) fn new(key: &[u8; 32]) -> State {
        let mac = match Hmac::new_from_slice(key) {
            Ok(mac) => mac,
            // HMAC takes keys of every length (RFC 2104, section 2).
            Err(_) => unreachable!("HMAC refused a key of 32 bytes"),
        };
        State { mac, counters: Mutex::default() }
    }

    /// The counters of one policy as they are now, which go their own way from here.
    pub(crate) fn fork(&self, policy: &str) -> State {
        let tenants = self.lock().policies.get(policy).cloned().unwrap_or_default();
        let count = tenants.values().map(HashMap::len).sum();
        let policies = HashMap::from([(policy.to_owned(), tenants)]);
        let counters = Mutex::new(Counters { policies, count, swept_ms: 0.0 });
        State { mac: self.mac.clone(), counters }
    }

    fn get(&self, policy: &str, tenant: &str, key: &str, now_ms: f64) -> Option<f64> {
        let (tenant, key) = self.digests(policy, tenant, key);
        let counters = self.lock();
        let counter = counters.policies.get(policy)?.get(&tenant)?.get(&key)?;
        (counter.expires_ms > now_ms).then_some(counter.value)
    }

    fn add(
        &self,
        policy: &str,
        tenant: &str,
        key: &str,
        by: f64,
        ttl_seconds: u32,
        now_ms: f64,
    ) -> Result<f64, Overrun> {
        let (tenant, key) = self.digests(policy, tenant, key);
        let expires_ms = now_ms + f64::from(ttl_seconds.min(TTL_SECONDS)) * 1000.0;
        let mut counters = self.lock();
        let keys = counters.policies.get_mut(policy).and_then(|tenants| tenants.get_mut(&tenant));
        if let Some(counter) = keys.and_then(|keys| keys.get_mut(&key)) {
            if counter.expires_ms <= now_ms {
                *counter = Counter { value: 0.0, expires_ms };
            }
            let value = finite(counter.value + by)?;
            counter.value = value;
            return Ok(value);
        }
        let value = finite(by)?;
        if !counters.has_room(policy, &tenant) {
            counters.sweep(now_ms);
            if !counters.has_room(policy, &tenant) {
                return Err(Overrun::Memory);
            }
        }
        counters.count += 1;
        if !counters.policies.contains_key(policy) {
            counters.policies.insert(policy.to_owned(), HashMap::new());
        }
        let tenants = counters.policies.get_mut(policy);
        let Some(tenants) = tenants else { return Err(Overrun::Memory) };
        tenants.entry(tenant).or_default().insert(key, Counter { value, expires_ms });
        Ok(value)
    }

    fn digests(&self, policy: &str, tenant: &str, key: &str) -> ([u8; 32], [u8; 32]) {
        let mut namespace = self.mac.clone();
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        namespace.update(&(policy.len() as u64).to_be_bytes());
        namespace.update(policy.as_bytes());
        namespace.update(tenant.as_bytes());
        let mut mac = self.mac.clone();
        mac.update(key.as_bytes());
        (namespace.finalize().into_bytes().into(), mac.finalize().into_bytes().into())
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        // Nothing in here leaves the counters half changed.
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    fn has_room(&self, policy: &str, tenant: &[u8; 32]) -> bool {
        let tenants = self.policies.get(policy);
        let keys = tenants.and_then(|tenants| tenants.get(tenant)).map_or(0, HashMap::len);
        keys < NAMESPACE_KEYS && self.count < KEYS
    }

    /// Drops what has expired. At most once a second: a full store must not make every
    /// call walk through it.
    fn sweep(&mut self, now_ms: f64) {
        if (now_ms - self.swept_ms).abs() < SWEEP_MS {
            return;
        }
        self.swept_ms = now_ms;
        self.policies.retain(|_, tenants| {
            tenants.retain(|_, keys| {
                keys.retain(|_, counter| counter.expires_ms > now_ms);
                !keys.is_empty()
            });
            !tenants.is_empty()
        });
        let all = self.policies.values().flat_map(HashMap::values);
        self.count = all.map(HashMap::len).sum();
    }
}

impl state::Host for Cell {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.spend_call()?;
        check(&key)?;
        let asked = || Asked::StateGet { key: key.clone() };
        Ok(self.ask(asked, |cell| {
            let (shared, tenant) = (&cell.shared, &cell.tenant);
            let value = shared.state.get(&shared.name, tenant, &key, cell.now_ms);
            Ok(value.map(|value| value.to_string()))
        })?)
    }

    fn add(&mut self, key: String, by: f64, ttl_seconds: u32) -> wasmtime::Result<f64> {
        self.spend_call()?;
        check(&key)?;
        let by = finite(by)?;
        let asked = || Asked::StateAdd { key: key.clone(), by, ttl_seconds };
        Ok(self.ask(asked, |cell| {
            let (shared, tenant) = (&cell.shared, &cell.tenant);
            shared.state.add(&shared.name, tenant, &key, by, ttl_seconds, cell.now_ms)
        })?)
    }
}

fn check(key: &str) -> Result<(), Overrun> {
    if key.len() <= KEY_BYTES { Ok(()) } else { Err(Overrun::Misuse) }
}

fn finite(value: f64) -> Result<f64, Overrun> {
    if value.is_finite() { Ok(value) } else { Err(Overrun::Misuse) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::new(&[7; 32])
    }

    #[test]
    fn counters_count_and_expire() {
        let state = state();
        assert_eq!(state.get("p", "t", "k", 0.0), None);
        assert_eq!(state.add("p", "t", "k", 1.0, 10, 0.0), Ok(1.0));
        assert_eq!(state.add("p", "t", "k", 2.5, 10, 5_000.0), Ok(3.5));
        assert_eq!(state.get("p", "t", "k", 9_999.0), Some(3.5));
        assert_eq!(state.get("p", "t", "k", 10_000.0), None);
        assert_eq!(state.add("p", "t", "k", 1.0, 10, 10_000.0), Ok(1.0));
    }

    #[test]
    fn a_fork_begins_at_the_counters_of_its_policy_and_goes_its_own_way() {
        let live = state();
        live.add("p", "t", "k", 2.0, 10, 0.0).unwrap();
        live.add("q", "t", "k", 9.0, 10, 0.0).unwrap();
        let fork = live.fork("p");
        assert_eq!(fork.add("p", "t", "k", 1.0, 99, 0.0), Ok(3.0));
        assert_eq!(live.get("p", "t", "k", 0.0), Some(2.0));
        live.add("p", "t", "k", 5.0, 10, 0.0).unwrap();
        assert_eq!(fork.get("p", "t", "k", 0.0), Some(3.0));
        assert_eq!(fork.get("p", "t", "k", 10_000.0), None);
        assert_eq!((fork.get("q", "t", "k", 0.0), fork.lock().count), (None, 1));
    }

    #[test]
    fn policies_and_tenants_are_apart() {
        let state = state();
        state.add("ab", "c", "k", 1.0, 10, 0.0).unwrap();
        for (policy, tenant) in [("a", "bc"), ("ab", "d"), ("b", "c")] {
            assert_eq!(state.get(policy, tenant, "k", 0.0), None, "{policy} {tenant}");
        }
    }

    #[test]
    fn a_namespace_is_bounded_and_room_comes_back() {
        let state = state();
        for index in 0..NAMESPACE_KEYS {
            state.add("p", "t", &index.to_string(), 1.0, 10, 0.0).unwrap();
        }
        assert_eq!(state.add("p", "t", "one more", 1.0, 10, 0.0), Err(Overrun::Memory));
        assert_eq!(state.add("p", "t", "0", 1.0, 10, 0.0), Ok(2.0));
        assert_eq!(state.add("p", "u", "one more", 1.0, 10, 0.0), Ok(1.0));
        assert_eq!(state.add("p", "t", "one more", 1.0, 10, 20_000.0), Ok(1.0));
        assert_eq!(state.lock().count, 1);
    }

    #[test]
    fn all_namespaces_together_are_bounded() {
        let state = state();
        for index in 0..KEYS {
            let tenant = (index / NAMESPACE_KEYS).to_string();
            state.add("p", &tenant, &index.to_string(), 1.0, 10, 0.0).unwrap();
        }
        assert_eq!(state.add("q", "t", "k", 1.0, 10, 0.0), Err(Overrun::Memory));
    }

    #[test]
    fn values_stay_finite() {
        let state = state();
        assert_eq!(state.add("p", "t", "k", f64::NAN, 10, 0.0), Err(Overrun::Misuse));
        assert_eq!(state.add("p", "t", "k", f64::MAX, 10, 0.0), Ok(f64::MAX));
        assert_eq!(state.add("p", "t", "k", f64::MAX, 10, 0.0), Err(Overrun::Misuse));
        assert_eq!(state.get("p", "t", "k", 0.0), Some(f64::MAX));
    }

    #[test]
    fn a_long_key_is_refused() {
        assert!(check(&"k".repeat(KEY_BYTES)).is_ok());
        assert!(check(&"k".repeat(KEY_BYTES + 1)).is_err());
    }

    #[test]
    fn adding_is_atomic() {
        let state = state();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        state.add("p", "t", "k", 1.0, 10, 0.0).unwrap();
                    }
                });
            }
        });
        assert_eq!(state.get("p", "t", "k", 0.0), Some(4000.0));
    }
}
