//! A provider encodes no request as it came from the client.
use ringfence_chat::Request;
use ringfence_fence::{Masked, Provider};

fn encode(provider: &dyn Provider, request: &Request) {
    let _ = provider.encode(request);
    let _ = provider.encode(&Masked { request: request.clone() });
}

fn main() {}
