//! The account that Postgres runs under when `retrace` runs as root, which Postgres refuses.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

const NOBODY: Account = Account { uid: 65534, gid: 65534 };

/// The user `postgres` if the machine has one, else `nobody`; `None` when not root.
pub(crate) fn account() -> Option<Account> {
    rustix::process::geteuid().is_root().then(|| {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        entry(&passwd, "postgres").or_else(|| entry(&passwd, "nobody")).unwrap_or(NOBODY)
    })
}

fn entry(passwd: &str, name: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2).map(str::parse);
    Some(Account { uid: fields.next()?.ok()?, gid: fields.next()?.ok()? })
}

/// Whether that account gets at a path: every folder above it and itself must be open to all.
pub(crate) fn can_reach(path: &Path) -> bool {
    !rustix::process::geteuid().is_root()
        || path.ancestors().filter(|part| !part.as_os_str().is_empty()).all(|part| {
            // A folder that is yet to be made will be open.
            fs::metadata(part).map_or(true, |metadata| metadata.mode() & 0o001 != 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read() {
        let passwd = "root:x:0:0::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(entry(passwd, "postgres"), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(entry(passwd, "nobody"), None);
    }
}
