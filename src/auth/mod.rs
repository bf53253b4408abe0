//! Who is asking: sign-in, sessions, roles.

pub mod passwords;
pub mod sessions;

use crate::domain::fault::Code;
use crate::error::{Problem, StoreError};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a user may do (`api.md` 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but owners and the org itself.
    Admin,
    /// Reads the records that permits let him see, and his own profile.
    Member,
}

impl Role {
    /// Its name in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role that a column holds.
    ///
    /// # Errors
    /// For what the column's check does not allow.
    pub fn of_column(text: &str) -> Result<Self, StoreError> {
        [Self::Owner, Self::Admin, Self::Member]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| StoreError::unreadable(&format!("\"{text}\" is no role")))
    }
}

/// The signed-in caller of the management API.
#[derive(Clone, Debug)]
pub struct Actor {
    /// His org: all he can see is of it.
    pub org: Uuid,
    /// His user id.
    pub user: Uuid,
    /// His role.
    pub role: Role,
    /// The groups he is in.
    pub groups: Vec<Uuid>,
    /// The address he calls from, where it can be told.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Whether permits do not limit what he reads: owner and admin see all (`listener.md` 5).
    #[must_use]
    pub fn sees_all(&self) -> bool {
        matches!(self.role, Role::Owner | Role::Admin)
    }
}

/// The caller and his session. As an argument of a handler: 401 without a good `Authorization:
/// Bearer <token>`.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session's id.
    pub id: Uuid,
    /// Who is signed in.
    pub actor: Actor,
}

impl FromRequest for Session {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { sessions::authenticate(&request).await }.boxed_local()
    }
}

/// As an argument of a handler: any signed-in user may; 401 otherwise.
impl FromRequest for Actor {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Session::from_request(request, payload).map(|done| done.map(|it| it.actor)).boxed_local()
    }
}

/// As an argument of a handler: only owner and admins may; 403 for members.
#[derive(Clone, Debug)]
pub struct Admin(pub Actor);

impl FromRequest for Admin {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let actor = Actor::from_request(request, payload);
        async move {
            let actor = actor.await?;
            match actor.role {
                Role::Owner | Role::Admin => Ok(Self(actor)),
                Role::Member => Err(Problem::new(
                    Code::Forbidden,
                    "Only the owner and the admins of the org may do this.",
                )),
            }
        }
        .boxed_local()
    }
}
