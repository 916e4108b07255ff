//! Child processes that are signalled by their id, and end with the rig.

use std::{path::Path, process::Stdio, time::Duration};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::error::{Doing, LabError, Result};

/// Longest wait for the end of a process that was told to end.
const END_LIMIT: Duration = Duration::from_mins(1);

/// A child; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    /// Starts a program. It is killed with this value and, where the system can do that, with this process.
    ///
    /// # Errors
    /// The program is not there.
    pub fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child =
            command.stdin(Stdio::null()).kill_on_drop(true).spawn().doing(&format!("start {name}"))?;
        Ok(Self { child, name })
    }

    /// Its id; `None` once it was waited for.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its standard output, if it was piped and not taken yet.
    pub fn stdout(&mut self) -> Option<tokio::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// It has ended already.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.ok_or_else(|| LabError::new(format!("{} has ended already", self.name)))?;
        kill_process(pid, signal).doing(&format!("signal {}", self.name))
    }

    /// Waits for its end; the exit code, or `None` when a signal ended it.
    ///
    /// # Errors
    /// It did not end within 60 s.
    pub async fn wait(&mut self) -> Result<Option<i32>> {
        let ended = timeout(END_LIMIT, self.child.wait()).await;
        let ended = ended.map_err(|_| LabError::new(format!("{} does not end", self.name)))?;
        Ok(ended.doing(&format!("wait for {}", self.name))?.code())
    }

    /// Ends it at once (SIGKILL), as a power cut would.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub async fn kill(&mut self) -> Result<()> {
        timeout(END_LIMIT, self.child.kill())
            .await
            .map_err(|_| LabError::new(format!("{} does not die", self.name)))?
            .doing(&format!("kill {}", self.name))
    }
}

/// A command for a program that shall end with this process even when that is killed outright.
///
/// `end` is the signal it then gets. Without util-linux' `setpriv` it is started as it is.
pub fn dying_with_us(program: &Path, end: &str, user: Option<&str>) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.exists() {
        let Some(user) = user else { return Command::new(program) };
        let mut command = Command::new("runuser");
        command.args(["-u", user, "--"]).arg(program);
        return command;
    }
    let mut command = Command::new(setpriv);
    if let Some(user) = user {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]).arg(setpriv);
    }
    // Changing the user forgets the parent's signal, so that comes last.
    command.args(["--pdeathsig", end]).arg(program);
    command
}
