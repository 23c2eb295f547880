//! What is taken out of a trace before it is public.

use std::collections::{HashMap, HashSet};

use insights::redaction::{self, Cause, Detector, LEFT_OUT, Path, Place};
use runtime::Problem;
use schemas::events::PayloadField;
use schemas::tapes::{StepLine, TraceLine};
use serde_json::value::RawValue;

use super::documents::TapeRedaction;
use super::parse::Redact;

/// Of those that are listed; all are counted.
const MOST_LISTED: usize = 1_000;

pub struct Cutter<'a> {
    redact: &'a Redact,
    pub listed: Vec<TapeRedaction>,
    pub count: usize,
}

impl<'a> Cutter<'a> {
    pub fn new(redact: &'a Redact) -> Cutter<'a> {
        Cutter { redact, listed: Vec::new(), count: 0 }
    }

    pub fn trace(&mut self, trace: &mut TraceLine) -> Result<(), Problem> {
        self.text(None, "name", &mut trace.name);
        self.error(None, &mut trace.error);
        for (field, payload) in [
            (PayloadField::Input, &mut trace.input),
            (PayloadField::Output, &mut trace.output),
            (PayloadField::Metadata, &mut trace.metadata),
        ] {
            self.payload(None, field, payload)?;
        }
        Ok(())
    }

    pub fn step(&mut self, step: &mut StepLine) -> Result<(), Problem> {
        let id = Some(step.id.as_str());
        self.text(id, "name", &mut step.name);
        self.error(id, &mut step.error);
        for (field, text) in [
            ("agent_id", &mut step.agent_id),
            ("parent_agent_id", &mut step.parent_agent_id),
            ("agent_role", &mut step.agent_role),
        ] {
            if let Some(text) = text {
                self.text(id, field, text);
            }
        }
        for (field, payload) in [
            (PayloadField::Input, &mut step.input),
            (PayloadField::Output, &mut step.output),
            (PayloadField::Metadata, &mut step.metadata),
            (PayloadField::TokenIds, &mut step.token_ids),
            (PayloadField::Logprobs, &mut step.logprobs),
        ] {
            self.payload(id, field, payload)?;
        }
        Ok(())
    }

    /// The ways into a payload that are left out.
    fn paths(&self, field: PayloadField) -> Vec<Path> {
        self.redact.fields.iter().filter(|(of, _)| *of == field).map(|(_, path)| path.clone()).collect()
    }

    fn payload(
        &mut self,
        span: Option<&str>,
        field: PayloadField,
        payload: &mut Option<Box<RawValue>>,
    ) -> Result<(), Problem> {
        let Some(json) = payload.as_ref() else { return Ok(()) };
        let paths = self.paths(field);
        if paths.iter().any(Vec::is_empty) {
            *payload = None;
            self.note(span, field.as_str(), "", Cause::LeftOut);
            return Ok(());
        }
        let mut places = Vec::new();
        if let Some(text) = redaction::redact(json.get(), &self.redact.detectors, &paths, &mut places) {
            *payload = Some(RawValue::from_string(text).map_err(Problem::internal)?);
        }
        for Place { path, cause } in places {
            self.note(span, field.as_str(), &path, cause);
        }
        Ok(())
    }

    /// Of text there are no parts to leave out; that it failed stays.
    fn error(&mut self, span: Option<&str>, error: &mut Option<String>) {
        let Some(text) = error else { return };
        if self.paths(PayloadField::Error).iter().any(Vec::is_empty) {
            LEFT_OUT.clone_into(text);
            return self.note(span, PayloadField::Error.as_str(), "", Cause::LeftOut);
        }
        self.text(span, PayloadField::Error.as_str(), text);
    }

    fn text(&mut self, span: Option<&str>, field: &str, text: &mut String) {
        let (masked, found) = redaction::mask(text, &self.redact.detectors);
        if !found.is_empty() {
            *text = masked.into_owned();
        }
        for detector in found {
            self.note(span, field, "", Cause::Detected(detector));
        }
    }

    fn note(&mut self, span: Option<&str>, field: &str, path: &str, cause: Cause) {
        self.count += 1;
        if self.listed.len() < MOST_LISTED {
            let cause = match cause {
                Cause::Detected(detector) => Detector::as_str(detector),
                Cause::LeftOut => "left_out",
            };
            let (span_id, field, path) = (span.map(str::to_owned), field.to_owned(), path.to_owned());
            self.listed.push(TapeRedaction { span_id, field, path, cause: cause.to_owned() });
        }
    }
}

/// The steps without those that are not to be public. What hung on one hangs on what that hung on.
pub fn without(steps: Vec<StepLine>, spans: &HashSet<String>) -> Result<Vec<StepLine>, Problem> {
    let parents: HashMap<String, Option<String>> = steps
        .iter()
        .filter(|step| spans.contains(&step.id))
        .map(|step| (step.id.clone(), step.parent_id.clone()))
        .collect();
    if let Some(unknown) = spans.iter().filter(|span| !parents.contains_key(*span)).min() {
        return Err(Problem::bad_request(format!("redact.spans: the trace has no span {unknown}")));
    }
    let kept = steps.into_iter().filter(|step| !spans.contains(&step.id)).map(|mut step| {
        // As many times as there are spans left out: they may hang on one another in a circle.
        for _ in 0..=parents.len() {
            match step.parent_id.as_ref().and_then(|parent| parents.get(parent)) {
                Some(above) => step.parent_id.clone_from(above),
                None => break,
            }
        }
        step.parent_id = step.parent_id.take().filter(|parent| !parents.contains_key(parent));
        step
    });
    Ok(kept.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, parent: Option<&str>) -> StepLine {
        let parent = parent.map_or_else(String::new, |parent| format!(",\"parent_id\":\"{parent}\""));
        let text = format!(
            "{{\"id\":\"{id}\"{parent},\"span_type\":\"action\",\"name\":\"of ann@example.com\",\"error\":\"Bearer abcdefghijklmnop\",\"input\":{{\"a\":1.0}}}}"
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_hung_on_a_span_hangs_on_what_it_hung_on() {
        let spans = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<HashSet<_>>();
        let steps = vec![step("a", None), step("b", Some("a")), step("c", Some("b")), step("d", Some("c"))];
        let kept = without(steps.clone(), &spans(&["b", "c"])).unwrap();
        let parents: Vec<_> = kept.iter().map(|step| (step.id.as_str(), step.parent_id.as_deref())).collect();
        assert_eq!(parents, [("a", None), ("d", Some("a"))]);
        assert!(without(steps, &spans(&["x"])).unwrap_err().message.ends_with("no span x"));
        let circle = vec![step("a", Some("b")), step("b", Some("a")), step("c", Some("a"))];
        assert_eq!(without(circle, &spans(&["a", "b"])).unwrap()[0].parent_id, None);
    }

    #[test]
    fn what_is_taken_out_is_told() {
        let mut redact = Redact { fields: vec![(PayloadField::Input, vec!["a".to_owned()])], ..Redact::default() };
        let mut one = step("a", None);
        let mut cutter = Cutter::new(&redact);
        cutter.step(&mut one).unwrap();
        assert_eq!((one.name.as_str(), one.error.as_deref()), ("of <email>", Some("Bearer <credentials>")));
        assert_eq!(one.input.unwrap().get(), r#"{"a":"<left out>"}"#);
        let told: Vec<_> = cutter.listed.iter().map(|place| (place.field.as_str(), place.cause.as_str())).collect();
        assert_eq!((told, cutter.count), (vec![("name", "emails"), ("error", "keys"), ("input", "left_out")], 3));

        redact.detectors.clear();
        redact.fields = vec![(PayloadField::Error, Vec::new()), (PayloadField::Input, Vec::new())];
        let mut one = step("a", None);
        Cutter::new(&redact).step(&mut one).unwrap();
        assert_eq!(
            (one.name.as_str(), one.error.as_deref(), one.input.is_none()),
            ("of ann@example.com", Some(LEFT_OUT), true)
        );
    }
}
