//! A provider sends no request as it came from the client.
use ringfence_chat::Request;
use ringfence_fence::Provider;

fn send(provider: &dyn Provider, request: Request) {
    let _ = provider.send(request);
}

fn main() {}
