//! What must not build: a departure that no decision permits, or that is not masked.

#[test]
fn an_unpermitted_or_unmasked_departure_does_not_build() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
