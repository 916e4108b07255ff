//! The web client, inside the binary.

use std::borrow::Cow;

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hubbub_protocol::error::Reason;
use rust_embed::RustEmbed;

use super::error::ApiError;

/// What `npm run build` makes. The build script has made the folder; where it is empty, a page says so.
#[derive(RustEmbed)]
#[folder = "../web-client/dist"]
struct WebClient;

/// Everything from here and nothing from elsewhere. `style` attributes are set by scripts, which needs no permission.
const PAGE_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";

/// What the web client's own addresses begin with.
const PAGES: [&str; 6] = ["", "activity", "invite", "rooms", "settings", "sign-up"];

/// The page of a build without the web client.
const MISSING_PAGE: &str = "<!doctype html><meta charset=utf-8><title>Hubbub</title>\
    <p>This Hubbub was built without its web client. <code>make run</code> builds both; or run \
    <code>npm ci &amp;&amp; npm run build</code> in <code>web-client</code>, then build the server again.</p>\n";

/// A file of the web client; its start page for its own addresses; everything else is not found.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "v1" || path.starts_with("v1/") {
        return ApiError::from(Reason::NotFound).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let allow = [(ALLOW, HeaderValue::from_static("GET,HEAD"))];
        return (allow, ApiError::from(Reason::MethodNotAllowed)).into_response();
    }
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let first = path.split('/').next().unwrap_or_default();
    if !is_file && !PAGES.contains(&first) {
        return ApiError::from(Reason::NotFound).into_response();
    }
    let name = if is_file { path } else { "index.html" };
    match (WebClient::get(name), is_file) {
        (Some(file), _) => answer(name, file.data, file.metadata.sha256_hash(), &headers),
        (None, true) => ApiError::from(Reason::NotFound).into_response(),
        (None, false) => {
            let mut response = (StatusCode::NOT_FOUND, MISSING_PAGE).into_response();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            response
        }
    }
}

fn answer(name: &str, content: Cow<'static, [u8]>, sha256: [u8; 32], asked: &HeaderMap) -> Response {
    let digest = URL_SAFE_NO_PAD.encode(&sha256[..16]);
    let tag = HeaderValue::from_str(&format!("\"{digest}\"")).expect("base64 is a header value");
    let known = asked.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let mut response = if known.is_some_and(|tags| tags.contains(&digest)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        // Inside the binary nothing is copied.
        let body = match content {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Body::from(body).into_response()
    };
    // The build names files in `assets` by their content, so they never change; whoever has the start page asks again.
    let caching =
        if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(ETAG, tag);
    response
}

/// By the ending of the name; browsers are told not to guess.
fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    };

    use super::answer;

    #[test]
    fn a_file_named_by_its_content_is_kept_for_good_and_the_page_is_asked_for_again() {
        let headers = |name: &str| {
            let response = answer(name, b"text".into(), [7; 32], &HeaderMap::new());
            let header = |name| response.headers()[name].to_str().unwrap().to_owned();
            (header(CACHE_CONTROL), header(CONTENT_TYPE))
        };
        let (kept, html) = ("public, max-age=31536000, immutable", "text/html; charset=utf-8");
        assert_eq!(headers("index.html"), ("no-cache".into(), html.into()));
        assert_eq!(headers("assets/index-5f3a.js"), (kept.into(), "text/javascript; charset=utf-8".into()));
        assert_eq!(headers("mark.svg"), ("no-cache".into(), "image/svg+xml".into()));
    }

    #[test]
    fn scripts_come_from_here_alone_and_the_page_is_shown_in_no_other() {
        let response = answer("index.html", b"text".into(), [7; 32], &HeaderMap::new());
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        for part in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn who_has_the_file_is_not_sent_it_again() {
        let first = answer("index.html", b"text".into(), [7; 32], &HeaderMap::new());
        let asked = HeaderMap::from_iter([(IF_NONE_MATCH, first.headers()[ETAG].clone())]);
        assert_eq!(answer("index.html", b"text".into(), [7; 32], &asked).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer("index.html", b"new".into(), [8; 32], &asked).status(), StatusCode::OK);
    }
}
