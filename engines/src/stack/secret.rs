//! Generated passwords, kept in files that only their owner reads.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use ring::rand::{SecureRandom, SystemRandom};

pub(crate) fn read_or_make(path: &Path) -> anyhow::Result<String> {
    let unusable = || format!("The password file {} cannot be used", path.display());
    match fs::read_to_string(path) {
        Ok(secret) => return Ok(secret.trim().to_owned()),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(unusable);
        }
        Err(_) => {}
    }
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).ok().context("The system gives no random numbers")?;
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Written beside and renamed: a half-written password would lock everyone out.
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .with_context(unusable)?;
    file.write_all(secret.as_bytes()).and_then(|()| file.sync_all()).with_context(unusable)?;
    fs::rename(&temporary, path).with_context(unusable)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.password");
        let secret = read_or_make(&path).unwrap();
        assert_eq!((secret.len(), read_or_make(&path).unwrap()), (48, secret.clone()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
