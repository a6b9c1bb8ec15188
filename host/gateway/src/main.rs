//! The binary `ringfence`. Reads top to bottom as the life of the process: the command
//! line, the configuration, the house, the port, the signal, the way down.

mod banner;
mod cli;
mod demo;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use clap::Parser as _;
use ringfence::admin::AdminPort;
use ringfence::house::{BuildError, House};
use ringfence::reload::{Change, Reload, Reloader};
use ringfence::server;
use tokio::runtime::{Handle, Runtime};
use tokio::signal;

use cli::screen::Screen;
use cli::{Command, CommandLine, Serving, Trouble};

/// A request makes a few hundred small allocations, on whichever thread it is.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tell_only_where();
    let CommandLine { serving, command } = CommandLine::parse();
    let ended = match command {
        None => serve(&serving),
        Some(Command::Serve(serving)) => serve(&serving),
        Some(Command::Demo) => demonstrate(),
        Some(command) => cli::run(command, &mut Screen::stdout()).map_err(anyhow::Error::from),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // The standard error may be closed as well.
            let _ = writeln!(std::io::stderr(), "ringfence: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A panic's own words can quote what a client sent, so only its place is told.
fn tell_only_where() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or("an unknown place".into(), ToString::to_string);
        let _ = writeln!(std::io::stderr(), "ringfence: this is a bug: panicked at {place}");
    }));
}

/// Serves until a signal.
fn serve(serving: &Serving) -> anyhow::Result<()> {
    cli::log::start(serving.log);
    let config = serving.config().map_err(|mistakes| anyhow!("{mistakes}"))?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }

    let runtime = runtime()?;
    let inside = runtime.enter();
    let house = Arc::new(House::build(&config).map_err(all)?);

    runtime.block_on(async {
        let address = config.server.address;
        let bound = server::bind(Arc::clone(&house), config.server.clone())
            .await
            .with_context(|| format!("cannot listen on {address}; give another with --address"))?;
        house.open_books().await.context("the ledger cannot be written")?;
        banner::show(&mut Screen::stdout(), &house, &config, bound.address())?;

        let again = serving.clone();
        let read = move || {
            again.config().map_err(|mistakes| {
                mistakes.0.iter().map(|mistake| BuildError::new(mistake.to_string())).collect()
            })
        };
        let admin = config.admin.clone();
        let reloader = Reload::new(Arc::clone(&house), config, Box::new(read))
            .start(Handle::current())
            .context("no thread to watch the files with")?;
        reload_on_hangup(reloader.clone());
        if let Some(admin) = admin {
            let port = AdminPort::bind(Arc::clone(&house), reloader, &admin).await;
            let address = admin.address;
            let port = port.with_context(|| format!("[admin] cannot listen on {address}"))?;
            tracing::info!(address = %port.address(), "the admin API listens");
            tokio::spawn(port.run());
        }

        Arc::clone(&house.keeper).start().context("no thread to keep the limits' counts with")?;

        bound.run(asked_to_end()).await;
        house.keeper.keep().context("the counts of the limits were not written")?;
        anyhow::Ok(())
    })?;
    drop(inside);
    Ok(())
}

/// Runs the demonstration.
fn demonstrate() -> anyhow::Result<()> {
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let missed = demo::run(&runtime, &mut Screen::stdout())?;
    if missed > 0 {
        return Err(anyhow!("{missed} expectations of the demonstration were not met"));
    }
    Ok(())
}

fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no threads to serve with")
}

/// `SIGHUP` reloads at once, whether a file has changed or not.
#[cfg(unix)]
fn reload_on_hangup(reloader: Reloader) {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        tracing::warn!("SIGHUP cannot be listened to");
        return;
    };
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            // What becomes of it is in the log.
            let _ = reloader.reload(Change::Files).await;
        }
    });
}

#[cfg(not(unix))]
fn reload_on_hangup(_: Reloader) {}

/// Resolves at the first request to end; a second one ends the process at once.
async fn asked_to_end() {
    one_signal().await;
    tracing::info!("asked to end: requests in flight may finish");
    tokio::spawn(async {
        one_signal().await;
        std::process::exit(130);
    });
}

async fn one_signal() {
    #[cfg(unix)]
    let terminated = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        interrupted = signal::ctrl_c() => {
            if interrupted.is_err() {
                std::future::pending::<()>().await;
            }
        }
        () = terminated => {}
    }
}

fn all(errors: Vec<BuildError>) -> anyhow::Error {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    anyhow!("{}", lines.join("\nringfence: "))
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
            || matches!(cause.downcast_ref(), Some(Trouble::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
