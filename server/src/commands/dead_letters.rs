//! `retrace dead-letters`: what the projections have refused, and once more.

use std::collections::BTreeMap;

use anyhow::bail;
use projector::redrive::redrive;
use runtime::Settings;
use runtime::kafka::refusals::{Letter, Place, letters};

use crate::cli::DeadLettersCommand;

pub async fn run(settings: &Settings, command: DeadLettersCommand) -> anyhow::Result<()> {
    let letters = refused(settings).await?;
    match command {
        DeadLettersCommand::List => {
            for letter in &letters {
                say(&line(letter));
            }
            let waiting = letters.iter().filter(|letter| letter.redriven.is_none()).count();
            say(&format!("{} refused, {waiting} of them not re-driven", letters.len()));
        }
        DeadLettersCommand::Redrive { origin: None, projection } => {
            let ours = |letter: &&Letter| projection.as_ref().is_none_or(|name| *name == letter.projection);
            let waiting: Vec<&Letter> =
                letters.iter().filter(ours).filter(|letter| letter.redriven.is_none()).collect();
            for letter in &waiting {
                say(&format!("{} → {}", letter.origin, redrive(settings, letter).await?));
            }
            say(&format!("{} re-driven; what is refused again is a new letter", waiting.len()));
        }
        DeadLettersCommand::Redrive { origin: Some(origin), projection } => {
            let ours = |letter: &&Letter| {
                letter.origin == origin && projection.as_ref().is_none_or(|name| *name == letter.projection)
            };
            let Some(letter) = letters.iter().find(ours) else { bail!("no projection has refused {origin}") };
            say(&format!("{origin} → {}", redrive(settings, letter).await?));
        }
    }
    Ok(())
}

/// One of each projection and origin: a letter may come twice, and the note of a re-drive follows it.
pub async fn refused(settings: &Settings) -> anyhow::Result<Vec<Letter>> {
    let settings = settings.clone();
    let all = tokio::task::spawn_blocking(move || letters(&settings)).await??;
    let mut known: BTreeMap<(String, Place), Letter> = BTreeMap::new();
    for letter in all {
        let held = known.entry((letter.projection.clone(), letter.origin.clone())).or_insert_with(|| letter.clone());
        held.redriven = letter.redriven.or(held.redriven.take());
    }
    Ok(known.into_values().collect())
}

fn line(letter: &Letter) -> String {
    let Letter { projection, origin, event_id, reason, redriven } = letter;
    let redriven = redriven.as_ref().map(|place| format!("; re-driven as {place}")).unwrap_or_default();
    format!("{projection} {origin} {event_id}: {reason}{redriven}")
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
fn say(text: &str) {
    println!("{text}");
}
