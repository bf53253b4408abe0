//! An org, its people, and its listeners: through the API, as they would.

use super::instance::Instance;
use super::reply::Reply;
use super::{action, payload};
use beeiq::access::Role;
use beeiq::access::passwords::NewPassword;
use beeiq::access::secrets::{TokenKind, new_token};
use beeiq::clock;
use beeiq::problem::Problem;
use beeiq::service::orgs::{NewOrg, create_org};
use beeiq::service::settings::custom_fields::{CustomFieldSettings, CustomFields};
use beeiq::service::settings::groups::{GroupSettings, Groups};
use beeiq::service::settings::names::{Names, SlaSettings};
use beeiq::service::settings::users::{UserSettings, Users};
use beeiq::service::settings::{Edit, create};
use beeiq::store::access::sessions::{self, NewSession};
use beeiq::store::error::StoreError;
use beeiq::store::orgs;
use beeiq::store::pool::{Db, in_org};
use beeiq::store::settings::users;
use beeiq_core::values::custom_field::{Kind, Model};
use beeiq_core::values::email::Email;
use beeiq_core::values::slug::Slug;
use chrono::TimeDelta;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Makes an org: owner@, admin@, and the members ann@ and bob@ `<slug>.test`; Bob is in the group
/// Sales, nobody in Support; every model has the custom fields Referred By, Pet, Points, Enrolled.
pub(crate) fn seed_org(db: &Db, slug: &str) {
    let owner = Email::parse(&format!("owner@{slug}.test")).unwrap();
    let password = NewPassword::parse(PASSWORD.to_owned(), "", &[]).unwrap();
    let new = NewOrg {
        slug: &Slug::parse(slug).unwrap(),
        name: slug,
        owner: &owner,
        password: &password,
        sms_credits: 20,
    };
    let org = create_org(db, &new).unwrap().id;
    let users = Users { password_hash: Some(password.hash().unwrap()) };
    db.run_here(|conn| {
        in_org(conn, org, |conn| {
            let edit = &mut Edit::of_operator(conn, org);
            for (name, role) in
                [("admin", Role::Admin), ("ann", Role::Member), ("bob", Role::Member)]
            {
                let (email, name) = (format!("{name}@{slug}.test"), name.to_owned());
                let user = UserSettings { email, name, role, active: true, groups: Vec::new() };
                create(edit, &users, &user)?;
            }
            for (name, members) in
                [("Sales", vec![format!("bob@{slug}.test")]), ("Support", vec![])]
            {
                create(edit, &Groups, &GroupSettings { name: name.to_owned(), members })?;
            }
            let fields: [(&str, Kind, &[&str]); 4] = [
                ("Referred By", Kind::Text, &[]),
                ("Pet", Kind::Checkbox, &["Dog", "Cat"]),
                ("Points", Kind::Number, &[]),
                ("Enrolled", Kind::Date, &[]),
            ];
            for model in Model::ALL {
                for (name, kind, options) in fields {
                    let options = options.iter().map(|&option| option.to_owned()).collect();
                    let name = name.to_owned();
                    create(
                        edit,
                        &CustomFields,
                        &CustomFieldSettings { model, name, kind, options },
                    )?;
                }
            }
            let sla = SlaSettings {
                name: "custom".to_owned(),
                first_response_minutes: 60,
                resolution_minutes: 24 * 60,
            };
            create(edit, &Names::default(), &sla)?;
            Ok::<_, Problem>(())
        })
    })
    .unwrap();
}

/// An org, as its people use it.
#[derive(Clone, Copy)]
pub(crate) struct Org<'i> {
    pub(crate) instance: &'i Instance,
    pub(crate) slug: &'static str,
}

impl<'i> Org<'i> {
    pub(super) fn named(instance: &'i Instance, slug: &'static str) -> Self {
        Self { instance, slug }
    }

    /// The same org, seen by another server.
    pub(crate) fn on(self, instance: &Instance) -> Org<'_> {
        Org { instance, slug: self.slug }
    }

    /// A session token of `owner`, `admin`, `ann` or `bob`, made past the API: signing in takes a
    /// tenth of a second, and has tests of its own.
    pub(crate) fn db_token(self, who: &str) -> String {
        let app = &self.instance.app;
        let email = format!("{who}@{}.test", self.slug);
        app.db
            .run_here(|conn| {
                let org = orgs::with_slug(conn, self.slug)?.unwrap();
                in_org(conn, org.id, |conn| {
                    let now = clock::now();
                    let (user, _) = users::credentials(conn, org.id, &email)?.unwrap();
                    let token = new_token(TokenKind::Session, &org.public_id);
                    let hash = app.key.token_hash(TokenKind::Session, &token);
                    let session = NewSession {
                        id: clock::new_id(),
                        user,
                        token: &hash,
                        expires_at: now + TimeDelta::hours(1),
                    };
                    sessions::create(conn, org.id, &session, now)?;
                    Ok::<_, StoreError>(token)
                })
            })
            .unwrap()
    }

    /// Calls the management API as one of the org's people.
    pub(crate) async fn call(
        self,
        who: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Reply {
        let mut request = self.request(who, method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::to(request).await
    }

    /// A request to the management API as one of the org's people, to be added to.
    pub(crate) fn request(self, who: &str, method: Method, path: &str) -> RequestBuilder {
        let token = self.db_token(who);
        self.instance.request(method, &format!("/api/v1{path}")).bearer_auth(token)
    }

    /// Reads a path of the management API as the admin.
    pub(crate) async fn get(self, path: &str) -> Reply {
        self.get_as("admin", path).await
    }

    /// Reads a path of the management API as somebody.
    pub(crate) async fn get_as(self, who: &str, path: &str) -> Reply {
        self.call(who, Method::GET, path, None).await
    }

    /// Posts to a path of the management API as the admin.
    pub(crate) async fn post(self, path: &str, body: &Value) -> Reply {
        self.call("admin", Method::POST, path, Some(body)).await
    }

    /// Patches a path of the management API as the admin.
    pub(crate) async fn patch(self, path: &str, body: &Value) -> Reply {
        self.call("admin", Method::PATCH, path, Some(body)).await
    }

    /// Deletes a path of the management API as the admin.
    pub(crate) async fn delete(self, path: &str) -> Reply {
        self.call("admin", Method::DELETE, path, None).await
    }

    /// Makes a listener with these settings; its name is made up where none is given.
    pub(crate) async fn listener_with(self, settings: Value) -> Listener<'i> {
        let mut settings = settings;
        settings
            .as_object_mut()
            .unwrap()
            .entry("name")
            .or_insert_with(|| json!(format!("Listener {}", Uuid::now_v7())));
        let made = self.post("/listeners", &settings).await.expect(201).body;
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        Listener { org: self, id: text("id"), url: text("url") }
    }

    /// Makes a listener that has only a name.
    pub(crate) async fn listener(self) -> Listener<'i> {
        self.listener_with(json!({})).await
    }

    /// The history of a record, newest first.
    pub(crate) async fn history(self, path: &str) -> Vec<Value> {
        let path = format!("{path}/history?limit=100");
        self.get(&path).await.expect(200).data().to_vec()
    }
}

/// A listener URL.
#[derive(Clone)]
pub(crate) struct Listener<'i> {
    pub(crate) org: Org<'i>,
    pub(crate) id: String,
    pub(crate) url: String,
}

impl<'i> Listener<'i> {
    /// The same listener, called at another server.
    pub(crate) fn on(&self, instance: &'i Instance) -> Self {
        let url = self.url.replace(&self.org.instance.url, &instance.url);
        Self { org: self.org.on(instance), id: self.id.clone(), url }
    }

    /// The same listener, called at the server of that URL.
    pub(crate) fn at(&self, server: &str) -> Self {
        Self { url: self.url.replace(&self.org.instance.url, server), ..self.clone() }
    }

    /// Posts a body.
    pub(crate) async fn post(&self, body: &Value) -> Reply {
        self.post_with("", body).await
    }

    /// Posts a body with a query such as `?dryRun=true`.
    pub(crate) async fn post_with(&self, query: &str, body: &Value) -> Reply {
        self.post_bytes(query, body.to_string().into_bytes(), &[]).await
    }

    /// Posts any bytes with headers.
    pub(crate) async fn post_bytes(
        &self,
        query: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let url = format!("{}{query}", self.url);
        let mut request = self.org.instance.client.post(url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::to(request).await
    }

    /// Posts Ann's payload with these actions.
    pub(crate) async fn send(&self, actions: &[Value]) -> Reply {
        let mut body = payload(actions);
        body["senderUser"] = json!(format!("ann@{}.test", self.org.slug));
        self.post(&body).await
    }

    /// Posts the payload of one of the org's people with one action.
    pub(crate) async fn act_as(&self, who: &str, action_type: &str, data: Value) -> Reply {
        let mut body = payload(&[action(action_type, data)]);
        body["senderUser"] = json!(format!("{who}@{}.test", self.org.slug));
        self.post(&body).await
    }

    /// Where its settings are, below `/api/v1`.
    pub(crate) fn path(&self) -> String {
        format!("/listeners/{}", self.id)
    }

    /// Posts Ann's payload with one action.
    pub(crate) async fn act(&self, action_type: &str, data: Value) -> Reply {
        self.send(&[action(action_type, data)]).await
    }
}
