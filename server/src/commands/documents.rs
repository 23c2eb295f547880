//! Documents generated from the code; CI compares the committed copies.

use runtime::settings::documented;

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub fn openapi() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&crate::services::document())?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub fn settings() -> anyhow::Result<()> {
    println!("# Settings\n");
    println!(
        "As keys of a TOML file (`--config`), or in the environment as `RETRACE_` and the key in capitals. An unknown key is"
    );
    println!("an error. Printed by `retrace settings`.\n");
    println!("| key | default | meaning |\n|---|---|---|");
    for (key, default, meaning) in documented() {
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        println!("| `{key}` | {default} | {} |", meaning.replace('\n', " ").replace('|', "\\|"));
    }
    Ok(())
}
