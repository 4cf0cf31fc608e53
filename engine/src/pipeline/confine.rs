//! Takes from a decode thread what decoding does not need: a picture that takes over a decoder can open no file or socket
//! and start nothing. On Linux, by seccomp (seccomp(2)): every system call that is not on the list fails with `EPERM`.
//!
//! What it still can: write to what is open already, since that is how threads wake each other (eventfd), and everything
//! within the memory of the process.

/// How the decode threads of a pool are confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// By a filter of system calls.
    Seccomp,
    /// The system has none, or refused it.
    None,
}

impl Confinement {
    /// As statistics and `farpane info` show it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Seccomp => "confined (seccomp)",
            Self::None => "not confined",
        }
    }
}

/// What a new thread of this process comes to with [`this_thread`].
pub fn probe() -> Confinement {
    let thread = std::thread::Builder::new().name("farpane-probe".to_owned()).spawn(this_thread);
    thread.ok().and_then(|thread| thread.join().ok()).unwrap_or(Confinement::None)
}

/// Confines the calling thread, and all that it will start, for good.
#[cfg(target_os = "linux")]
pub fn this_thread() -> Confinement {
    linux::leave_signals_to_others();
    match linux::filter().and_then(|program| seccompiler::apply_filter(&program)) {
        Ok(()) => Confinement::Seccomp,
        Err(error) => {
            tracing::warn!(%error, "the decoders are not confined");
            Confinement::None
        }
    }
}

/// The same, where there is no such thing.
#[cfg(not(target_os = "linux"))]
pub fn this_thread() -> Confinement {
    Confinement::None
}

#[cfg(target_os = "linux")]
mod linux {
    #![expect(unsafe_code, reason = "a thread's signals are the C library's")]

    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

    /// What threads that compute, wait for each other and end need, and what says why one failed.
    const ALLOWED: [libc::c_long; 27] = [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_gettimeofday,
        libc::SYS_madvise,
        libc::SYS_membarrier,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_nanosleep,
        libc::SYS_restart_syscall,
        libc::SYS_rseq,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_getaffinity,
        libc::SYS_sched_yield,
        libc::SYS_set_robust_list,
        libc::SYS_sigaltstack,
        libc::SYS_write,
        libc::SYS_writev,
    ];

    /// Those that are this thread's own doing.
    const FAULTS: [libc::c_int; 7] =
        [libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGSEGV, libc::SIGSYS, libc::SIGTRAP];

    /// Signals of the process are handled by any thread that takes them. Here a handler could not do what it has to
    /// (tokio's sends itself a byte, which is refused), and the signal would be lost.
    pub fn leave_signals_to_others() {
        // SAFETY: the set is filled before it is used, and lives until the end of the calls.
        unsafe {
            let mut signals = std::mem::zeroed();
            libc::sigfillset(&raw mut signals);
            for fault in FAULTS {
                libc::sigdelset(&raw mut signals, fault);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut());
        }
    }

    /// # Errors
    /// If there are no filters for this kind of processor.
    pub fn filter() -> Result<BpfProgram, seccompiler::Error> {
        let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let arch = TargetArch::try_from(std::env::consts::ARCH)?;
        let rules = ALLOWED.map(|call| (call, Vec::new())).into_iter().collect();
        Ok(SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch)?.try_into()?)
    }
}
