//! Authors of commits, by login. GraphQL alone names those of co-authors.

use serde_json::{Value, json};

use super::client::Client;
use super::error::{ApiError, ApiErrorKind};
use super::read::{text, unexpected};

/// Pages of commits; GitHub lists 250 commits of a pull request.
const MAX_PAGES: usize = 20;
const PEOPLE: &str = "authors(first:100){pageInfo{hasNextPage} nodes{name email user{login}}} \
                      committer{name email user{login}}";

/// A person of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitPerson {
    /// The account whose verified address the commit has; `None` where there is none.
    pub login: Option<String>,
    /// The name in the commit.
    pub name: String,
    /// The address in the commit.
    pub email: String,
}

/// The people of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPeople {
    /// The object name.
    pub commit: String,
    /// Author and co-authors.
    pub authors: Vec<GitPerson>,
    /// The committer; `None` for GitHub itself, which commits what people merge or edit on its pages.
    pub committer: Option<GitPerson>,
}

/// Returns the people of every commit of a pull request.
///
/// # Errors
/// Failed calls, responses of another form, and more commits or co-authors than GitHub lists.
pub async fn pull_request_people(
    client: &Client,
    repository: &str,
    number: u64,
) -> Result<Vec<CommitPeople>, ApiError> {
    let query = format!(
        "query($owner:String!,$name:String!,$number:Int!,$after:String){{repository(owner:$owner,name:$name)\
         {{pullRequest(number:$number){{commits(first:100,after:$after){{totalCount \
         pageInfo{{hasNextPage endCursor}} nodes{{commit{{oid {PEOPLE}}}}}}}}}}}}}"
    );
    let mut people = Vec::new();
    let mut after = None::<String>;
    for _ in 0..MAX_PAGES {
        let mut variables = variables(repository);
        variables["number"] = number.into();
        variables["after"] = after.into();
        let data = client.query(&query, &variables).await?;
        let commits = data.pointer("/repository/pullRequest/commits");
        let commits = commits.ok_or_else(|| unexpected("the commits of the pull request"))?;
        for node in commits.pointer("/nodes").and_then(Value::as_array).into_iter().flatten() {
            people.push(commit_people(node.get("commit").unwrap_or(&Value::Null))?);
        }
        if commits.pointer("/pageInfo/hasNextPage") == Some(&Value::Bool(false)) {
            let total = commits.get("totalCount").and_then(Value::as_u64);
            return if total == Some(people.len() as u64) { Ok(people) } else { Err(too_many(number)) };
        }
        after = text(commits, "/pageInfo/endCursor");
        if after.is_none() {
            return Err(unexpected("the next page of commits"));
        }
    }
    Err(too_many(number))
}

fn too_many(number: u64) -> ApiError {
    let message = format!("GitHub does not list every commit of pull request {number}");
    ApiError::new(ApiErrorKind::Unavailable, message).help("split large pull requests")
}

/// Returns the people of one commit.
///
/// # Errors
/// Failed calls, and responses of another form.
pub async fn people_of_commit(
    client: &Client,
    repository: &str,
    commit: &str,
) -> Result<CommitPeople, ApiError> {
    let query = format!(
        "query($owner:String!,$name:String!,$oid:GitObjectID!){{repository(owner:$owner,name:$name)\
         {{object(oid:$oid){{... on Commit{{oid {PEOPLE}}}}}}}}}"
    );
    let mut variables = variables(repository);
    variables["oid"] = commit.into();
    let data = client.query(&query, &variables).await?;
    commit_people(data.pointer("/repository/object").unwrap_or(&Value::Null))
}

fn variables(repository: &str) -> Value {
    let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
    json!({ "owner": owner, "name": name })
}

fn commit_people(commit: &Value) -> Result<CommitPeople, ApiError> {
    let oid = text(commit, "/oid").ok_or_else(|| unexpected("a commit"))?;
    let authors = commit.pointer("/authors/nodes").and_then(Value::as_array);
    let authors = authors.ok_or_else(|| unexpected("the authors of a commit"))?;
    if commit.pointer("/authors/pageInfo/hasNextPage") != Some(&Value::Bool(false)) {
        let message = format!("commit {oid} has more than 100 authors");
        return Err(ApiError::new(ApiErrorKind::Unavailable, message));
    }
    let committer = person(commit.get("committer").unwrap_or(&Value::Null));
    let is_github = |person: &GitPerson| {
        person.login.as_deref() == Some("web-flow")
            || (person.login.is_none() && person.email == "noreply@github.com")
    };
    Ok(CommitPeople {
        commit: oid,
        authors: authors.iter().map(person).collect(),
        committer: Some(committer).filter(|person| !is_github(person)),
    })
}

fn person(value: &Value) -> GitPerson {
    let part = |pointer: &str| text(value, pointer).unwrap_or_default();
    GitPerson { login: text(value, "/user/login"), name: part("/name"), email: part("/email") }
}
