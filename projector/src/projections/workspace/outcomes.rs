//! What came of a command: decided once, by the id of its event, and kept for whoever waits for it (ADR 0016).

use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Debug)]
pub struct Outcome {
    /// As in HTTP.
    status: i16,
    version: Option<i64>,
    /// Where the command does not say which resource it is about.
    resource: Option<Uuid>,
    reason: Option<String>,
    left: Left,
}

/// Whose sealed content, come with the command or before it, belongs to nothing now.
#[derive(Debug)]
enum Left {
    Nobodys,
    TheSubjects,
    Of(Vec<String>),
}

impl Outcome {
    pub fn created(version: i64) -> Outcome {
        Outcome::done(201, Some(version))
    }

    pub fn changed(version: i64) -> Outcome {
        Outcome::done(200, Some(version))
    }

    /// It counts once what belongs to it has come too.
    pub fn accepted() -> Outcome {
        Outcome::done(202, None)
    }

    /// The resource is gone.
    pub fn deleted() -> Outcome {
        Outcome { left: Left::TheSubjects, ..Outcome::done(204, None) }
    }

    /// What was asked of several at once is done.
    pub fn applied() -> Outcome {
        Outcome::done(200, None)
    }

    /// Something of the resource is gone.
    pub fn removed() -> Outcome {
        Outcome::done(204, None)
    }

    /// There is no such resource.
    pub fn not_found(what: &str) -> Outcome {
        Outcome { left: Left::TheSubjects, ..Outcome::lacks(what) }
    }

    /// The resource is there, but not what the command names of it.
    pub fn lacks(what: &str) -> Outcome {
        Outcome::refused(404, None, format!("{what} not found"))
    }

    /// The resource is not the caller's to change so.
    pub fn forbidden(reason: String) -> Outcome {
        Outcome::refused(403, None, reason)
    }

    /// The resource stays as it is.
    pub fn conflict(reason: String) -> Outcome {
        Outcome::refused(409, None, reason)
    }

    /// The new resource does not come to be.
    pub fn taken(reason: String) -> Outcome {
        Outcome { left: Left::TheSubjects, ..Outcome::conflict(reason) }
    }

    /// `If-Match` named a version that is not the current one.
    pub fn stale(what: &str, asked: i64, current: i64) -> Outcome {
        let reason = format!("The {what} is at version {current}, not at {asked} as If-Match says");
        Outcome::refused(412, Some(current), reason)
    }

    /// Another condition of the command does not hold.
    pub fn overtaken(reason: String) -> Outcome {
        Outcome::refused(412, None, reason)
    }

    fn done(status: i16, version: Option<i64>) -> Outcome {
        Outcome { status, version, resource: None, reason: None, left: Left::Nobodys }
    }

    fn refused(status: i16, version: Option<i64>, reason: String) -> Outcome {
        Outcome { reason: Some(reason), ..Outcome::done(status, version) }
    }

    /// Names the resource that it is about.
    pub fn about(self, resource: Uuid) -> Outcome {
        Outcome { resource: Some(resource), ..self }
    }

    /// Names those whose content belongs to nothing now.
    pub fn leaving(self, left: Vec<String>) -> Outcome {
        Outcome { left: Left::Of(left), ..self }
    }

    /// Whose content is to be erased.
    pub fn left(self, subject: &str) -> Vec<String> {
        match self.left {
            Left::Nobodys => Vec::new(),
            Left::TheSubjects => vec![subject.to_owned()],
            Left::Of(owners) => owners,
        }
    }

    /// A command that comes again, from a retry whose answer was lost, has its outcome already.
    pub async fn is_known(connection: &mut PgConnection, event: Uuid) -> sqlx::Result<bool> {
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM command_outcomes WHERE event_id = $1)")
            .bind(event)
            .fetch_one(connection)
            .await
    }

    pub async fn keep(&self, connection: &mut PgConnection, event: Uuid) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO command_outcomes (event_id, status, version, resource, reason) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(event)
        .bind(self.status)
        .bind(self.version)
        .bind(self.resource)
        .bind(&self.reason)
        .execute(connection)
        .await
        .map(|_| ())
    }
}
