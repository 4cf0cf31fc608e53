//! The `farpane` program: command line → configuration → what was asked for → exit code.

use std::process::ExitCode;

use farpane::app;
use farpane::cli::{self, Failure, Invocation, RawArgs};
use farpane::config;
use farpane::session::{CloseReason, Secret};
use farpane::stats::alloc::CountingAllocator;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Counts allocations, for the overlay's field and `farpane bench`; `cargo bench --bench allocator` says what that costs.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    cli::core_dumps::refuse();
    let password = config::take_password();
    #[cfg(unix)]
    if let Some(code) = cli::askpass::run() {
        return code;
    }
    match parse().and_then(|arguments| run(arguments, password)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Also where an address stands in the place of something else, such as a file.
            let addresses = arguments().filter(|argument| argument.contains('@'));
            cli::output::error(&cli::args::without_passwords(&failure.message, addresses));
            ExitCode::from(failure.code)
        }
    }
}

/// The command line, as far as it is text.
fn arguments() -> impl Iterator<Item = String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned())
}

/// `--help`, `--version` and what clap does not understand end here, the latter with exit code 2.
fn parse() -> Result<RawArgs, Failure> {
    cli::relevant::parse(std::env::args_os()).map_err(|error| {
        match cli::args::explained(&error, arguments()) {
            Some(message) => Failure { message, code: cli::EXIT_USAGE },
            None if !error.use_stderr() => error.exit(),
            None => {
                let said = error.render().to_string();
                let safe = cli::args::without_passwords(&said, arguments());
                if said == safe {
                    error.exit();
                }
                cli::output::usage(&safe);
                std::process::exit(error.exit_code());
            }
        }
    })
}

fn run(arguments: RawArgs, password: Option<Secret>) -> Result<(), Failure> {
    let settings = config::Settings {
        variable: password,
        proxies: farpane::net::proxy::Environment::of_process(),
        ..arguments.settings(&arguments.files())?
    };
    let options = settings.options().map_err(cli::UsageError::from)?;
    start_log(options.log.as_deref())?;
    match arguments.validate(settings)? {
        Invocation::Attach(config) => attach(config),
        #[cfg(unix)]
        Invocation::List(None) => {
            cli::list::here();
            Ok(())
        }
        #[cfg(unix)]
        Invocation::List(Some(config)) => cli::list::there(&config),
        Invocation::ListNearby => cli::nearby::list(),
        #[cfg(not(unix))]
        Invocation::List(_) => Err(Failure {
            message: "sessions are listed on Unix systems only".to_owned(),
            code: cli::EXIT_OTHER,
        }),
        Invocation::Connect { settings, opened } => {
            Ok(app::connect(*settings, opened.map(|opened| *opened))?)
        }
        Invocation::Screenshot(config, args) => Ok(cli::screenshot::run(&config, &args)?),
        Invocation::Record(config, args) => cli::record::run(&config, &args),
        Invocation::Replay(args, options) => cli::replay::replay(&args, &options),
        Invocation::Serve { play, bind, time } => cli::replay::serve(&play, bind, time),
        Invocation::Info(config) => Ok(cli::info::run(&config)?),
        Invocation::Command(config, command) => Ok(cli::command::run(&config, command)?),
        Invocation::Trust(config, wanted) => cli::trust::ask(&config, wanted),
        Invocation::ManageTrust(trust) => cli::trust::manage(&trust),
        Invocation::Bench(bench) => Ok(cli::bench::run(&bench)?),
        Invocation::Demo(demo, options) => cli::demo::run(demo, &options),
        Invocation::ShowConfig(settings) => {
            cli::output::print(&config::file::shown(&settings.layer()));
            Ok(())
        }
        Invocation::ShowConfigPaths(files) => {
            cli::help::paths(&files);
            Ok(())
        }
        Invocation::Completions(shell) => {
            cli::help::completions(shell);
            Ok(())
        }
        Invocation::Man { out } => cli::help::man(out.as_deref()),
    }
}

fn attach(config: config::Config) -> Result<(), Failure> {
    match app::run(config)?.reason {
        CloseReason::User => Ok(()),
        reason => Err(reason.into()),
    }
}

/// Logs go to stderr: warnings, or what `filter` says.
fn start_log(filter: Option<&str>) -> Result<(), Failure> {
    let filter = match filter {
        Some(filter) => {
            let asked: Targets = filter.parse().map_err(|error| Failure {
                message: format!("`{filter}` is not a log filter: {error}"),
                code: cli::EXIT_USAGE,
            })?;
            // Some of `farpane`'s modules are compiled in a crate of their own.
            let of_engine = |(name, level): (&str, LevelFilter)| {
                Some((name.strip_prefix("farpane::")?.to_owned(), level))
            };
            let engine: Vec<_> = asked.iter().filter_map(of_engine).collect();
            let name = |(module, level)| (format!("farpane_engine::{module}"), level);
            asked.with_targets(engine.into_iter().map(name))
        }
        // These warn about drivers, desktops and peers in ways that users can do nothing about.
        None => Targets::new().with_default(Level::WARN).with_targets(
            ["wgpu_hal", "wgpu_core", "naga", "winit", "rustls"].map(|library| (library, Level::ERROR)),
        ),
    };
    let colours = cli::output::stderr_has_colours();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    Ok(())
}
