//! What looks odd and is not why the trace failed.

use retrace_insights::root_cause::Kind;

use super::plan::What;
use super::world::World;

impl World<'_> {
    /// Slow or empty, and no harm done.
    pub(super) fn odd(&mut self, place: usize) {
        let slower = self.random.between(2, 5);
        let span = &mut self.spans[place];
        if span.span_type == "tool_call" {
            span.output = span.output.is_some().then(|| "[]".to_owned());
        } else if let (Some(start), Some(end)) = (span.started_at, span.ended_at) {
            span.ended_at = Some(start + (end - start) * slower);
        }
    }

    /// Something that fails before a step, and is got over.
    pub(super) fn decoy(&mut self, number: usize, parent: usize, at: i64) -> i64 {
        let leaf = self.leaves[number].clone();
        let took = self.usual(number);
        match self.random.below(3) {
            // Tried again: the step itself follows.
            0 => {
                let place = self.step(number, parent, at, took / 2);
                let text = self.other_text(&leaf.what);
                self.set_failed(place, text);
                self.spans[place].ended_at.unwrap() + self.random.between(1_000, 500_000)
            }
            // A tool that the model goes on without.
            1 if leaf.what == What::Model && number > 0 => {
                let place = self.begin(Some(parent), "tool_call", "optional_lookup", at);
                self.spans[place].ended_at = Some(at + took);
                self.record(place, "{\"id\": 7}", None);
                let text = self.other_text(&What::Tool(String::new()));
                self.set_failed(place, text);
                at + took
            }
            // A failure that what it is in has caught.
            _ => {
                let outer = self.begin(Some(parent), "action", "try_cache", at);
                let place = self.begin(Some(outer), "tool_call", "cache_get", at + 100);
                self.spans[place].ended_at = Some(at + took / 3 + 200);
                let text = self.other_text(&What::Tool(String::new()));
                self.set_failed(place, text);
                self.spans[outer].ended_at = Some(at + took / 3 + 400);
                at + took / 3 + 500
            }
        }
    }

    fn other_text(&mut self, what: &What) -> String {
        const KINDS: [Kind; 4] = [Kind::RateLimit, Kind::Timeout, Kind::ProviderError, Kind::DependencyError];
        loop {
            let kind = KINDS[self.random.below(4)];
            let texts = if *what == What::Model { (self.says.of_model)(kind) } else { (self.says.of_tool)(kind) };
            if !texts.is_empty() {
                return self.say(texts, "cache_get");
            }
        }
    }
}
