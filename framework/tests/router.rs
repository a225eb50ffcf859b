//! The routes: what is refused, which one answers, through which middleware, and the addresses made of them.

use std::{fmt::Display, sync::Arc, time::Duration};

use paravel::{
    database::SqliteConn,
    facades::Route,
    foundation::{Application, ApplicationBuilder, StartError},
    http::{Authenticate, CacheResponse, Json, Path, Resource, Result, RouteTable, Router, UrlError, endpoint},
    poem::{Endpoint, IntoResponse, Middleware, Request, Response},
    support::Env,
    testing::TestApp,
};

use crate::events::Journal;

#[endpoint]
async fn fixed() -> Result<Json<&'static str>> {
    Ok(Json("fixed"))
}

#[endpoint]
async fn one(Path(one): Path<String>) -> Result<Json<String>> {
    Ok(Json(one))
}

#[endpoint]
async fn two(Path((one, two)): Path<(String, String)>) -> Result<Json<(String, String)>> {
    Ok(Json((one, two)))
}

fn builder(routes: fn(&mut Router)) -> ApplicationBuilder {
    let env = Env::from_pairs([("APP_URL", "https://harbour.example")]);
    Application::builder().env(env).database::<SqliteConn>(&[]).routes(routes).replace(|app| {
        // What the listeners of other tests need, which every application of this binary has.
        app.instance(Arc::new(Journal::default()));
    })
}

fn faults(routes: fn(&mut Router)) -> Vec<String> {
    match builder(routes).build() {
        Ok(_) => Vec::new(),
        Err(StartError::Graph(faults)) => faults.0.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn routes_that_differ_in_a_parameters_name_alone_are_a_fault() {
    let found = faults(|routes| {
        routes.get("/ships/{id}", one);
        routes.put("/ships/{ship}", one);
        routes.get("/ships/{id}/crew/{sailor}", two);
        routes.get("/ships/{name}/crew/{id}", two);
        routes.get("/files/*path", one);
        routes.post("/files/*file", one);
    });
    let differs = "in a parameter's name alone: give both the same";
    assert_eq!(
        found,
        [
            format!("route: `PUT /ships/{{ship}}` cannot be served: it differs from `/ships/{{id}}` {differs}"),
            format!(
                "route: `GET /ships/{{name}}/crew/{{id}}` cannot be served: it differs from \
                 `/ships/{{id}}/crew/{{sailor}}` {differs}"
            ),
            format!("route: `POST /files/*file` cannot be served: it differs from `/files/*path` {differs}"),
        ]
    );
}

#[test]
fn what_a_routes_middleware_asks_for_has_to_be_bound() {
    let found = faults(|routes| {
        routes.get("/ships", fixed).middleware(CacheResponse::with_ttl(Duration::from_secs(1)));
        routes.middleware(Authenticate).group(|routes| {
            routes.get("/fleet", fixed);
        });
    });
    assert_eq!(found, ["missing: nothing is bound to `dyn TokenGuard`, needed by route GET /fleet"]);
}

#[test]
fn two_routes_of_one_address_or_name_are_a_fault() {
    let found = faults(|routes| {
        routes.get("/ships", fixed).name("ships");
        routes.get("/ships/", fixed);
        routes.post("/ships", fixed).name("ships");
    });
    let expected = ["duplicate: two routes are `GET /ships`", "duplicate: two routes are called `ships`"];
    assert_eq!(found, expected);
}

/// Paths that are refused, and why.
const BAD: [(&str, &str); 16] = [
    ("/{id}/{id}", "two of its parameters are called `id`"),
    ("/{id}/files/*id", "two of its parameters are called `id`"),
    ("/ships/:id", "`:id` has a colon: a parameter is written `{name}`"),
    ("/ships/a:b", "`a:b` has a colon: a parameter is written `{name}`"),
    ("/{id}.json", "a parameter is a whole part between slashes, and `{id}.json` is more"),
    ("/ship-{id}", "a parameter is a whole part between slashes, and `ship-{id}` is more"),
    ("/{id", "a parameter is a whole part between slashes, and `{id` is more"),
    ("/{}", "the parameter `{}` needs a name of letters, digits and underscores"),
    ("/{a b}", "the parameter `{a b}` needs a name of letters, digits and underscores"),
    ("/*", "the parameter `*` needs a name of letters, digits and underscores"),
    ("/*rest/ships", "`*rest` takes all that is left, so it must come last"),
    ("/a//b", "two slashes stand together"),
    ("/a b", "` ` cannot stand in an address: write it percent-encoded"),
    ("/<a>", "`<` cannot stand in an address: write it percent-encoded"),
    ("/häfen", "`ä` cannot stand in an address: write it percent-encoded"),
    ("/ships?all", "`?` cannot stand in an address: write it percent-encoded"),
];

#[test]
fn a_path_that_cannot_be_matched_as_it_is_written_is_a_fault() {
    let found = faults(|routes| {
        for (path, _) in BAD {
            routes.get(path, one);
        }
    });
    let expected = BAD.map(|(path, reason)| format!("route: `GET {path}` cannot be served: {reason}"));
    assert_eq!(found, expected, "and no other fault, such as that there is no list of routes");
}

/// Writes its mark into the answer's header, the outermost last.
struct Mark(&'static str);

struct Marked<E>(&'static str, E);

impl<E: Endpoint> Middleware<E> for Mark {
    type Output = Marked<E>;

    fn transform(&self, inner: E) -> Self::Output {
        Marked(self.0, inner)
    }
}

impl<E: Endpoint> Endpoint for Marked<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> paravel::poem::Result<Response> {
        let mut response = self.1.call(request).await?.into_response();
        let marks = format!("{}{}", response.header("x-marks").unwrap_or_default(), self.0);
        response.headers_mut().insert("x-marks", marks.parse().unwrap());
        Ok(response)
    }
}

/// The parameters of an address.
type Given<'a> = &'a [(&'a str, &'a dyn Display)];

fn nested(routes: &mut Router) {
    routes.get("/", fixed).name("home");
    routes.prefix("/fleet/").name("fleet.").middleware(Mark("a")).group(|routes| {
        routes.get("ships", fixed).name("ships").middleware(Mark("d"));
        routes.prefix("{fleet}").middleware(Mark("b")).middleware(Mark("c")).group(|routes| {
            routes.get("/ships/{id}", two).name("ship");
            routes.get("/", one).name("show");
        });
        routes.get("/bare", fixed);
        routes.get("/files/*path", one).name("files");
    });
    routes.get("/after", fixed).name("after");
    routes.resource("/harbours", Resource::new().index(fixed).show(one));
}

#[tokio::test]
async fn groups_nest_and_middleware_runs_from_the_outermost_in() {
    let app = TestApp::boot(builder(nested)).await.unwrap();
    // The fixed part wins wherever it was added, and what was wrapped last answers first.
    for (path, answer, marks) in [
        ("/", "\"fixed\"", ""),
        ("/fleet/ships", "\"fixed\"", "da"),
        ("/fleet/home", "\"home\"", "cba"),
        ("/fleet/home/ships/7", "[\"home\",\"7\"]", "cba"),
        ("/fleet/bare", "\"fixed\"", "a"),
        ("/fleet/files/a/b.txt", "\"a/b.txt\"", "a"),
        ("/after", "\"fixed\"", ""),
        ("/harbours/a%20b", "\"a b\"", ""),
    ] {
        let response = app.get(path).send().await.assert_status(200);
        assert_eq!((&*response.text(), response.header("x-marks")), (answer, marks), "{path}");
    }
    for path in ["/fleet", "/fleet/home/ships", "/fleet/home/ships/", "/fleet/home/ships/7/8", "/harbours/a/b"] {
        app.get(path).send().await.assert_status(404);
    }
    let table: Arc<RouteTable> = app.make().unwrap();
    let named: Vec<_> = table.routes().iter().filter_map(|route| route.name.as_deref()).collect();
    let names = ["up", "home", "fleet.ships", "fleet.ship", "fleet.show", "fleet.files", "after"];
    assert_eq!(named, [&names[..], &["harbours.index", "harbours.show"]].concat());
    let ship = table.routes().iter().find(|route| route.name.as_deref() == Some("fleet.ship")).unwrap();
    assert_eq!((&*ship.path, &*ship.middleware.join(" ")), ("/fleet/{fleet}/ships/{id}", "Mark Mark Mark"));
}

#[tokio::test]
async fn an_address_has_its_parameters_escaped_and_the_others_as_its_query() {
    let app = TestApp::boot(builder(nested)).await.unwrap();
    let table: Arc<RouteTable> = app.make().unwrap();
    let cases: [(&str, Given<'_>, &str); 7] = [
        ("home", &[], "/"),
        ("fleet.ship", &[("id", &7), ("fleet", &"a/b ?#%ä")], "/fleet/a%2Fb%20%3F%23%25%C3%A4/ships/7"),
        ("fleet.show", &[("fleet", &"-._~"), ("page", &2), ("q", &"a b&c=ä")], "/fleet/-._~?page=2&q=a+b%26c%3D%C3%A4"),
        ("home", &[("page", &2)], "/?page=2"),
        ("fleet.files", &[("path", &"a b/c.txt")], "/fleet/files/a%20b/c.txt"),
        ("fleet.files", &[("path", &"")], "/fleet/files/"),
        ("fleet.show", &[("fleet", &1), ("fleet", &2)], "/fleet/1?fleet=2"),
    ];
    for (name, parameters, expected) in cases {
        assert_eq!(table.path(name, parameters).unwrap(), expected, "{name}");
    }
    // What is made leads back to where it was made for.
    let path = table.path("fleet.ship", &[("id", &"a/b ?"), ("fleet", &"ä%2F")]).unwrap();
    assert_eq!(app.get(&path).send().await.text(), "[\"ä%2F\",\"a/b ?\"]");
}

#[tokio::test]
async fn an_address_that_cannot_be_made_is_a_typed_error() {
    let app = TestApp::boot(builder(nested)).await.unwrap();
    let table: Arc<RouteTable> = app.make().unwrap();
    let unknown = table.path("fleet.shop", &[]).unwrap_err();
    assert_eq!(unknown.to_string(), "no route is called `fleet.shop`; did you mean `fleet.ship`?");
    assert_eq!(table.path("moon", &[]).unwrap_err().to_string(), "no route is called `moon`");
    let missing = table.path("fleet.ship", &[("fleet", &1), ("ID", &7)]).unwrap_err();
    assert_eq!(missing.to_string(), "the route `fleet.ship` needs the parameter `id`");
    assert!(matches!(table.path("fleet.files", &[]), Err(UrlError::MissingParameter { .. })));
    for value in ["", ".", ".."] {
        let unusable = table.path("fleet.show", &[("fleet", &value)]).unwrap_err();
        assert!(unusable.to_string().contains(&format!("{value:?} as its parameter `fleet`")), "{unusable}");
    }
    assert!(matches!(table.path("fleet.files", &[("path", &"a/../b")]), Err(UrlError::UnusableParameter { .. })));
}

#[tokio::test]
async fn the_facade_of_routes_reaches_the_application_that_runs() {
    let app = TestApp::boot(builder(nested)).await.unwrap();
    app.run(async {
        assert!(Route::has("fleet.ship").unwrap() && !Route::has("fleet.shop").unwrap());
        assert_eq!(Route::path("fleet.show", &[("fleet", &"a")]).unwrap(), "/fleet/a");
        assert_eq!(Route::url("fleet.show", &[("fleet", &"a")]).unwrap(), "https://harbour.example/fleet/a");
    })
    .await;
    let advice = [Route::has("home").unwrap_err().to_string(), Route::url("home", &[]).unwrap_err().to_string()];
    assert!(advice.iter().all(|text| text.starts_with("no application is running here")), "{advice:?}");
}

#[tokio::test]
async fn the_route_that_is_named_is_the_one_that_answers() {
    let app = TestApp::boot(builder(|routes| {
        routes.get("/files/*path", one).name("rest");
        routes.get("/files/{a}/{b}", two).name("parameters");
        routes.get("/files/{a}/last", one).name("parameter, text");
        routes.get("/files/first/{b}", fixed).name("text, parameter");
    }))
    .await
    .unwrap();
    let table: Arc<RouteTable> = app.make().unwrap();
    for (path, name, answer) in [
        ("/files/x", "rest", "\"x\""),
        ("/files/x/y", "parameters", "[\"x\",\"y\"]"),
        ("/files/x/y/z", "rest", "\"x/y/z\""),
        ("/files/x/last", "parameter, text", "\"x\""),
        ("/files/first/last", "text, parameter", "\"fixed\""),
        ("/files/first/y/z", "rest", "\"first/y/z\""),
    ] {
        assert_eq!(app.get(path).send().await.text(), answer, "{path}");
        let found = table.find_by_path("GET", path).and_then(|route| route.name.as_deref());
        assert_eq!(found, Some(name), "{path}");
    }
}
