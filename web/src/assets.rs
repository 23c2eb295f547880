//! Scripts, styles and the icon, served below a hash of all of them.

use std::sync::LazyLock;

use xxhash_rust::xxh3::Xxh3;

pub struct Asset {
    pub content_type: &'static str,
    pub bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal)*) => { &[$(($path, include_bytes!(concat!("../assets/", $path)) as &[u8])),*] };
}

static FILES: &[(&str, &[u8])] = files! {
    "base.css" "page.css" "player.css" "noscript.css" "icon.svg" "theme.js" "page.js"
    "player/chat.js" "player/detail.js" "player/diff.js" "player/dom.js" "player/keys.js" "player/lanes.js"
    "player/list.js" "player/main.js" "player/outline.js" "player/playback.js" "player/steps.js" "player/text.js"
    "player/timeline.js" "player/value.js"
};

static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Xxh3::new();
    for (path, bytes) in FILES {
        hash.update(path.as_bytes());
        hash.update(&bytes.len().to_le_bytes());
        hash.update(bytes);
    }
    format!("{:016x}", hash.digest())
});

/// Where the files are: modules import each other by relative paths, so that one hash serves all.
pub(crate) fn folder() -> String {
    format!("/assets/{}", *HASH)
}

/// The modules of the player, to be loaded at once instead of one after the other.
pub(crate) fn modules() -> Vec<&'static str> {
    FILES.iter().map(|(path, _)| *path).filter(|path| path.starts_with("player/")).collect()
}

/// The file at `path`, which is what follows `/assets/`. One of another version is not there: its page asks for its own.
pub fn asset(path: &str) -> Option<Asset> {
    let (hash, name) = path.split_once('/')?;
    let (_, bytes) = FILES.iter().find(|(path, _)| *path == name).filter(|_| hash == *HASH)?;
    let content_type = match name.rsplit('.').next()? {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        _ => "image/svg+xml",
    };
    Some(Asset { content_type, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_found_under_the_folder_and_nothing_else_is() {
        let folder = folder();
        let folder = folder.trim_start_matches("/assets/");
        for (path, bytes) in FILES {
            assert_eq!(asset(&format!("{folder}/{path}")).map(|found| found.bytes), Some(*bytes));
        }
        for path in ["", "base.css", "0000/base.css", &format!("{folder}/../Cargo.toml"), &format!("{folder}/")] {
            assert!(asset(path).is_none(), "{path}");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let listed = |folder: &str| {
            let path = format!("{}/assets/{folder}", env!("CARGO_MANIFEST_DIR"));
            let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
            files.filter(|entry| entry.file_type().unwrap().is_file()).count()
        };
        assert_eq!(listed("") + listed("player"), FILES.len());
    }
}
