//! The steps of a plan as spans.

use super::plan::What;
use super::world::World;

impl World<'_> {
    /// A step of the plan that has ended.
    pub fn step(&mut self, number: usize, parent: usize, at: i64, took: i64) -> usize {
        let place = match &self.leaves[number].what.clone() {
            What::Model => {
                let place = self.begin(Some(parent), "llm_call", "chat", at);
                let next = self.leaves.get(number + 1).map(|leaf| leaf.what.clone());
                let output = match next {
                    Some(What::Tool(tool)) => format!(
                        "{{\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": [{{\"name\": \"{tool}\", \"arguments\": \"{{\\\"q\\\": {number}}}\"}}]}}"
                    ),
                    _ => format!("{{\"role\": \"assistant\", \"content\": \"So far {number} things are known.\"}}"),
                };
                self.record(place, &format!("[{{\"role\": \"user\", \"content\": \"turn {number}\"}}]"), Some(&output));
                self.spans[place].model = Some(self.agent.model.to_owned());
                self.spans[place].input_tokens = Some(self.tokens);
                self.spans[place].output_tokens = Some(self.random.between(20, 400));
                self.tokens += self.random.between(100, 1500);
                self.last_model = Some(place);
                place
            }
            What::Tool(name) => {
                let place = self.begin(Some(parent), "tool_call", name, at);
                self.record(place, &format!("{{\"q\": {number}}}"), Some("{\"rows\": [1, 2, 3]}"));
                place
            }
            What::Parser => {
                let place = self.begin(Some(parent), "action", "parse_answer", at);
                self.record(place, "the answer", Some("{\"ok\": true}"));
                place
            }
        };
        self.spans[place].ended_at = Some(at + took);
        place
    }
}
