pub fn run(
    _: &tokio::runtime::Runtime,
    _: &mut crate::cli::screen::Screen,
) -> anyhow::Result<usize> {
    Ok(0)
}
