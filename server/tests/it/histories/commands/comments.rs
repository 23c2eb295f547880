//! Comments: threads on traces and spans. They end with their trace.

use serde_json::{Value, json};
use verify::resources::Comment;

use super::super::bodies::SPANS;
use super::compared::{LIMIT, Listed, oldest_first, read, read_all, time};
use super::names::{comment_name, trace_name};
use super::{Body, Command, Compared, Creation};
use crate::harness::Random;

const COMMENTS: usize = 5;
/// The first ones are answered.
pub const ANSWERED: usize = 3;

/// One on each trace, an answer to the first, an answer to that, and one on a span.
pub fn creation(comment: usize) -> Creation {
    let mut body = json!({"trace_id": trace_name(usize::from(comment == 1)), "body": "Look at this, @bob"});
    match comment {
        2 => body["parent_id"] = json!(comment_name(0)),
        3 => body["parent_id"] = json!(comment_name(2)),
        4 => body["span_id"] = json!(SPANS[0]),
        _ => {}
    }
    if comment >= 2 {
        body["body"] = json!("@ann, @bob and @nobody: `@cyd`");
    }
    Creation::new("POST /comments", format!("comment {comment}"), body)
}

pub fn draw(random: &mut Random) -> Command {
    let creation = creation(*random.pick(&[0, 0, 0, 1, 2, 2, 3, COMMENTS - 1]));
    let if_match = random.percent(20).then(|| random.between(1, 3) as i64);
    match random.below(12) {
        0..6 => creation.into(),
        6..9 => {
            let mentioned = random.pick(&["", " @ann", " @bob"]);
            let body = Some(Body::Json(json!({"body": format!("text {}{mentioned}", random.below(9))})));
            Command { if_match, body, ..Command::about(random, creation, "PATCH /comments/{id}") }
        }
        9 => super::notifications::draw(random, creation),
        _ => Command { if_match, ..Command::about(random, creation, "DELETE /comments/{id}") },
    }
}

pub async fn compare(of: &Compared<'_>, random: &mut Random) -> Result<(), String> {
    for trace in of.traces {
        let on_trace =
            || of.all(|resources| &resources.collaboration.comments).filter(|(_, comment)| comment.trace_id == *trace);
        let mut listed: Vec<Listed> = on_trace()
            .map(|(id, comment)| {
                let replies = on_trace().filter(|(_, other)| other.parent_id.as_deref() == Some(id)).count();
                (comment.created_at, shown(id, comment, replies))
            })
            .collect();
        // Where nothing is said, it is enough to see now and then that nothing is shown.
        if listed.is_empty() && !random.percent(8) {
            continue;
        }
        oldest_first(&mut listed);
        let expected: Vec<Value> = listed.into_iter().map(|(_, shown)| shown).collect();
        let path = format!("/api/v1/comments?trace_id={trace}&{LIMIT}");
        if of.is_visible(trace) {
            read_all(of.client(), &path, "comments", &expected).await?;
        } else if let Some(left) = expected.first() {
            return Err(format!("of the trace {trace}, which is gone, the fold has {left}"));
        } else {
            read(of.client(), &path, false).await?;
        }
    }
    if random.percent(15) {
        let id = creation(random.below(COMMENTS)).id(of.by()).to_string();
        let is_there = of.resources.collaboration.comments.contains_key(&(of.tenant.to_owned(), id.clone()));
        read(of.client(), &format!("/api/v1/comments/{id}"), is_there).await?;
    }
    Ok(())
}

fn shown(id: &str, comment: &Comment, replies: usize) -> Value {
    json!({"id": id, "trace_id": comment.trace_id, "span_id": comment.span_id, "parent_id": comment.parent_id,
        "reply_to_id": comment.reply_to_id, "body": comment.body.as_ref().filter(|_| !comment.is_deleted),
        "mentions": comment.mentions, "reply_count": replies, "is_deleted": comment.is_deleted,
        "version": comment.version, "created_by": comment.created_by, "created_at": time(comment.created_at),
        "edited_at": comment.edited_at.map(time)})
}
