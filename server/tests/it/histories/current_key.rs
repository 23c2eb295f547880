//! A user's current API key, made anew or taken away while he goes on: with a named one, so that an answer that is lost
//! locks nobody out.

use reqwest::Method;
use serde_json::json;

use super::history::USERS;
use super::play::{Answered, Play};

impl Play<'_> {
    pub async fn change_current_key(&self, user: usize, is_made: bool) -> Answered {
        self.have_named_key(user).await?;
        let (method, path) = (if is_made { Method::POST } else { Method::DELETE }, "/api/v1/api-keys");
        let (answer, tries) = self.until_answered(user, method, path, &[], None).await?;
        if answer.status == 201 {
            self.learn_key(user, answer.json()["key"].as_str().unwrap_or_default());
        }
        Ok((Some(answer), tries))
    }

    /// From then on he asks with that.
    async fn have_named_key(&self, user: usize) -> Result<(), String> {
        if self.named_keys.lock().unwrap().contains(&user) {
            return Ok(());
        }
        let first = self.client(user);
        self.learn_key(user, &first.key);
        let body = json!({"name": "another", "scopes": ["admin"]}).to_string();
        let (answer, _) = self.until_answered(user, Method::POST, "/api/v1/api-keys/all", &[], Some(&body)).await?;
        if answer.status != 201 {
            return Err(format!("a named key was answered {}", answer.text));
        }
        let key = answer.json()["key"].as_str().unwrap_or_default().to_owned();
        self.learn_key(user, &key);
        *self.clients[user].lock().unwrap() = first.with_key(&key);
        self.named_keys.lock().unwrap().insert(user);
        Ok(())
    }

    fn learn_key(&self, user: usize, key: &str) {
        self.answers.made(&self.tenants[USERS[user].0], key);
    }
}
