//! Starting a child that dies with this process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{getpid, getppid, set_parent_process_death_signal};

use super::recipe::Launch;

impl Launch {
    /// To be spawned from a thread that outlives the child: the kernel takes the end of the spawning *thread* for the
    /// parent's death.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        // `/` can be entered by every account; a group of its own keeps the terminal's Ctrl-C away, for this process
        // stops its children in order.
        command.current_dir("/").process_group(0);
        if let Some(account) = self.run_as {
            command.uid(account.uid).gid(account.gid);
        }
        let inherit = self.inherit.clone();
        let signal = self.when_parent_dies;
        let parent = getpid();
        let before_exec = move || {
            set_parent_process_death_signal(Some(signal))?;
            // The parent may have died before the line above.
            if getppid() != Some(parent) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if let Some(folder) = &inherit {
                fcntl_setfd(folder, FdFlags::empty())?;
            }
            Ok(())
        };
        // SAFETY: between fork and exec the closure makes three system calls and neither allocates nor locks.
        unsafe { command.pre_exec(before_exec) };
        command
    }
}
