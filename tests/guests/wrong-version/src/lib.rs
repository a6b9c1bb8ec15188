//! A policy for another version of the contract.

use exports::ringfence::policy::judge::Guest;

wit_bindgen::generate!({ path: "wit", world: "policy" });

struct WrongVersion;

impl Guest for WrongVersion {
    fn configure(_: String) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    fn judge(request: String) -> Result<String, String> {
        Ok(request)
    }
}

export!(WrongVersion);
